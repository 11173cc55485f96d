package outlaytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// GoogleJudge returns a middleware that holds every request and every answer against Google's own discovery documents,
// which come inside the module google.golang.org/api (test-infrastructure.md R3): method and path, query parameters,
// body fields, types, enumerations. A finding fails the test. Token endpoints, the metadata server and the console
// page, which have no such document, pass; so do answers that a simulated fault spoilt on purpose.
func GoogleJudge(t testing.TB) func(http.Handler) http.Handler {
	t.Helper()
	models, err := googleModelsOnce()
	if err != nil {
		t.Fatalf("Google's discovery documents are missing (go mod download google.golang.org/api): %v", err)
	}
	j := &googleJudge{t: t, models: models}
	t.Cleanup(j.end)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { j.serve(w, r, next) })
	}
}

// googleServices are the documents that are read, inside the module.
func googleServices() []string {
	return []string{"bigquery/v2/bigquery", "cloudresourcemanager/v3/cloudresourcemanager", "serviceusage/v1/serviceusage", "cloudbilling/v1/cloudbilling", "iamcredentials/v1/iamcredentials"}
}

// googleModelsOnce keeps the documents for all judges of a test binary: nothing changes them.
var googleModelsOnce = sync.OnceValues(googleModels)

// googleModels reads the documents of the version that go.mod names.
func googleModels() ([]*googleModel, error) {
	dir, err := googleModule()
	if err != nil {
		return nil, err
	}
	var out []*googleModel
	for _, name := range googleServices() {
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)+"-api.json"))
		if err != nil {
			return nil, err
		}
		m := &googleModel{}
		if err := json.Unmarshal(b, m); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, m.compiled())
	}
	return out, nil
}

// googleModule finds the folder of the module: at the usual place, or by asking the go command.
func googleModule() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "..")
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", err
	}
	_, version, _ := strings.Cut(string(mod), "google.golang.org/api ")
	version, _, _ = strings.Cut(version, "\n")
	version, _, _ = strings.Cut(version, " ")
	if home, err := os.UserHomeDir(); err == nil {
		dir := filepath.Join(home, "go", "pkg", "mod", "google.golang.org", "api@"+version)
		if _, err := os.Stat(dir); err == nil {
			return dir, nil
		}
	}
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

type googleJudge struct {
	t      testing.TB
	models []*googleModel
	mu     sync.Mutex
	ended  bool
}

func (j *googleJudge) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = true
}

// find reports findings, unless the test is over.
func (j *googleJudge) find(about string, findings []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, f := range findings {
		if !j.ended {
			j.t.Errorf("Google model: %s: %s", about, f)
		}
	}
}

// unjudged are paths that no discovery document describes.
func unjudged(path string) bool {
	return path == "/token" || path == "/sts/v1/token" || strings.HasPrefix(path, "/computeMetadata/") || strings.HasPrefix(path, "/console/")
}

func (j *googleJudge) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if unjudged(r.URL.Path) {
		next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	model, method := j.method(r)
	if method == nil {
		j.find("request "+r.Method+" "+r.URL.Path, []string{"is no method of any service"})
		next.ServeHTTP(w, r)
		return
	}
	var c check
	model.request(&c, method, r, body)
	j.find("request "+method.ID, c.findings)
	seen := &seenAnswer{ResponseWriter: w, status: http.StatusOK}
	next.ServeHTTP(seen, r) // a panic that cuts the connection leaves here, unjudged
	if !seen.hijacked && w.Header().Get("X-Simulated-Fault") == "" {
		var c check
		model.answer(&c, method, seen)
		j.find("answer to "+method.ID, c.findings)
	}
}

// method finds which method a request calls: of several that fit, the one with the most literal path.
func (j *googleJudge) method(r *http.Request) (*googleModel, *googleMethod) {
	var model *googleModel
	var best *googleMethod
	for _, m := range j.models {
		for _, method := range m.methods {
			if method.HTTPMethod == r.Method && method.path.MatchString(r.URL.EscapedPath()) && (best == nil || method.literal > best.literal) {
				model, best = m, method
			}
		}
	}
	return model, best
}

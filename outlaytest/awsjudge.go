package outlaytest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// AWSJudge returns a middleware that holds every request and every answer against AWS's own API models, which come with
// the official SDK for Go version 1 (test-infrastructure.md R1). A finding fails the test. Answers that a simulated
// fault spoilt on purpose are not judged.
func AWSJudge(t testing.TB) func(http.Handler) http.Handler {
	t.Helper()
	dir, err := awsModels()
	if err != nil {
		t.Fatalf("the AWS models are missing (cd tools/judges && go mod download github.com/aws/aws-sdk-go): %v", err)
	}
	j := &awsJudge{t: t, dir: dir, models: map[string]*awsModel{}}
	t.Cleanup(j.end)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { j.serve(w, r, next) })
	}
}

// awsModels finds the folder models/apis of the module that tools/judges pins, and downloads the module where it is not
// in the cache yet.
func awsModels() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	tools := filepath.Join(filepath.Dir(file), "..", "tools", "judges")
	pins, err := os.ReadFile(filepath.Join(tools, "go.mod"))
	if err != nil {
		return "", err
	}
	_, version, _ := strings.Cut(string(pins), "github.com/aws/aws-sdk-go ")
	version, _, _ = strings.Cut(version, "\n")
	if home, err := os.UserHomeDir(); err == nil { // the usual place, without asking the go command each time
		dir := filepath.Join(home, "go", "pkg", "mod", "github.com", "aws", "aws-sdk-go@"+strings.TrimSpace(version), "models", "apis")
		if _, err := os.Stat(dir); err == nil {
			return dir, nil
		}
	}
	cmd := exec.Command("go", "mod", "download", "-json", "github.com/aws/aws-sdk-go")
	cmd.Dir = tools
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download: %w", err)
	}
	var module struct{ Dir, Error string }
	if err := json.Unmarshal(out, &module); err != nil || module.Dir == "" {
		return "", fmt.Errorf("go mod download: %s %w", module.Error, err)
	}
	return filepath.Join(module.Dir, "models", "apis"), nil
}

type awsJudge struct {
	t      testing.TB
	dir    string
	mu     sync.Mutex
	models map[string]*awsModel // by service, read when first needed
	ended  bool
}

func (j *awsJudge) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = true
}

func (j *awsJudge) model(service string) *awsModel {
	j.mu.Lock()
	defer j.mu.Unlock()
	if m := j.models[service]; m != nil {
		return m
	}
	m, err := readAWSModel(j.dir, service)
	if err != nil {
		j.t.Errorf("reading the AWS model of %s: %v", service, err)
		m = &awsModel{}
	}
	j.models[service] = m
	return m
}

// find reports findings, unless the test is over.
func (j *awsJudge) find(about string, findings []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, f := range findings {
		if !j.ended {
			j.t.Errorf("AWS model: %s: %s", about, f)
		}
	}
}

func (j *awsJudge) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	v, findings := j.request(r, body)
	j.find("request "+v.operation, findings)
	seen := &seenAnswer{ResponseWriter: w, status: http.StatusOK}
	next.ServeHTTP(seen, r) // a panic that cuts the connection leaves here, unjudged
	if !seen.hijacked && w.Header().Get("X-Simulated-Fault") == "" {
		j.find("answer to "+v.operation, v.answer(r, seen))
	}
}

// verdict is what is known of a call once its request was judged.
type verdict struct {
	model     *awsModel
	operation string
	protocol  string // "json", "query", "rest-xml"
}

func (j *awsJudge) request(r *http.Request, body []byte) (verdict, []string) {
	var c check
	var v verdict
	switch target := r.Header.Get("X-Amz-Target"); {
	case target != "":
		prefix, op, _ := strings.Cut(target, ".")
		v = verdict{j.model(awsTargets(prefix)), op, "json"}
		v.jsonRequest(&c, r, body)
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		v = j.queryRequest(&c, body)
	default:
		v = verdict{model: j.model("s3"), protocol: "rest-xml"}
		v.operation = v.model.restOperation(r)
		if v.operation == "" {
			v.operation = r.Method + " " + r.URL.RequestURI()
			c.say("", "is no operation of S3")
			return v, c.findings
		}
		v.restRequest(&c, r, body)
	}
	return v, c.findings
}

func awsTargets(prefix string) string {
	switch prefix {
	case "AWSBillingAndCostManagementDataExports":
		return "bcm-data-exports"
	case "AWSInsightsIndexService":
		return "ce"
	case "AWSOrganizationsV20161128":
		return "organizations"
	case "AWSOrigamiServiceGatewayService":
		return "cur"
	}
	return prefix
}

func (v verdict) jsonRequest(c *check, r *http.Request, body []byte) {
	op, ok := v.model.Operations[v.operation]
	if !ok {
		c.say("", "is no operation of the service")
		return
	}
	if got := r.Header.Get("Content-Type"); got != "application/x-amz-json-1.1" {
		c.say("", "has the content type "+got)
	}
	var tree any
	if err := json.Unmarshal(body, &tree); err != nil {
		c.say("", "is not JSON: "+err.Error())
		return
	}
	if op.Input.Shape != "" {
		v.model.check(c, v.operation, op.Input.Shape, tree)
	}
}

// answer judges what went back.
func (v verdict) answer(r *http.Request, a *seenAnswer) []string {
	var c check
	op, ok := v.model.Operations[v.operation]
	if !ok {
		return nil // the request was a finding already
	}
	failed := a.status >= 300
	switch v.protocol {
	case "json":
		v.jsonAnswer(&c, op, a, failed)
	case "query":
		v.queryAnswer(&c, op, a, failed)
	default:
		v.restAnswer(&c, op, r, a, failed)
	}
	return c.findings
}

func (v verdict) jsonAnswer(c *check, op awsOperation, a *seenAnswer, failed bool) {
	var tree map[string]any
	if err := json.Unmarshal(a.body.Bytes(), &tree); err != nil {
		c.say("", "is not a JSON object: "+err.Error())
		return
	}
	shape := op.Output.Shape
	if failed {
		code, _ := tree["__type"].(string)
		if code == "" {
			c.say("", "is an error without __type")
		}
		delete(tree, "__type")
		shape = code
		if s, ok := v.model.Shapes[code]; !ok || !s.Exception {
			return // an error common to all services
		}
	}
	if shape != "" {
		v.model.check(c, shape, shape, tree)
	}
}

// seenAnswer keeps a copy of what is written.
type seenAnswer struct {
	http.ResponseWriter
	status   int
	body     bytes.Buffer
	hijacked bool
}

// WriteHeader notes the status.
func (a *seenAnswer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Write notes the bytes.
func (a *seenAnswer) Write(b []byte) (int, error) {
	a.body.Write(b)
	return a.ResponseWriter.Write(b)
}

// Hijack hands the connection out: whoever takes it means to break it.
func (a *seenAnswer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	a.hijacked = true
	return a.ResponseWriter.(http.Hijacker).Hijack()
}

// newerThanModels lists what the frozen models of the old SDK do not know, with the release that brought it. What is not listed
// is a finding.
func newerThanModels() map[string]string {
	return map[string]string{
		"CreateBucket x-amz-bucket-namespace":     "account regional namespaces, March 2026",
		"CreateBucketConfiguration.Tags":          "tags at creation, September 2025",
		"CreateBucketOutput x-amz-bucket-arn":     "answers name the bucket's ARN, 2025",
		"HeadBucketOutput x-amz-bucket-arn":       "the same",
		"PutObjectOutput x-amz-checksum-type":     "checksums over whole objects, 2025",
		"GetObjectOutput x-amz-checksum-type":     "the same",
		"HeadObjectOutput x-amz-checksum-type":    "the same",
		"ListBuckets prefix":                      "lists of buckets by prefix, page and region, 2024",
		"ListBuckets bucket-region":               "the same",
		"ListBuckets max-buckets":                 "the same",
		"ListBuckets continuation-token":          "the same",
		"ListBucketsOutput.Prefix":                "the same",
		"ListBucketsOutput.ContinuationToken":     "the same",
		"Bucket.BucketRegion":                     "lists of buckets name regions, 2025",
		"S3Destination.S3BucketOwner":             "delivery across accounts, March 2026",
		"BucketLocationConstraint=ap-east-2":      "region, 2025",
		"BucketLocationConstraint=ap-southeast-4": "region; the list of the model was never complete",
		"BucketLocationConstraint=ap-southeast-5": "region, 2024",
		"BucketLocationConstraint=ap-southeast-7": "region, 2025",
		"BucketLocationConstraint=ca-west-1":      "region, 2023",
		"BucketLocationConstraint=eu-central-2":   "region; the list of the model was never complete",
		"BucketLocationConstraint=il-central-1":   "region, 2023",
		"BucketLocationConstraint=me-central-1":   "region; the list of the model was never complete",
		"BucketLocationConstraint=mx-central-1":   "region, 2025",
	}
}

func newer(what string) bool { return newerThanModels()[what] != "" }

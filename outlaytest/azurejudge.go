package outlaytest

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// AzureJudge returns a middleware that passes every Resource Manager request and its answer through Microsoft's own fake
// servers, which come with the official SDK (test-infrastructure.md R2): they parse the request, and say whether the
// answer's status is one that the SDK takes. What the SDK's types do not know, in either, is found by writing the parsed
// value again and comparing. A finding fails the test. Answers that a simulated fault spoilt on purpose are not judged;
// neither are Entra and Blob, which have no such fakes: the suite Blob is for the latter.
func AzureJudge(t testing.TB) func(http.Handler) http.Handler {
	t.Helper()
	j := &azureJudge{t: t, routes: azureRoutes()}
	t.Cleanup(j.end)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { j.serve(w, r, next) })
	}
}

// AzureServer serves a simulated Azure, or anything else, over TLS behind AzureJudge until the test ends. ca is what a
// client has to trust.
func AzureServer(t testing.TB, cloud http.Handler) (url string, ca []byte) {
	t.Helper()
	s := httptest.NewTLSServer(AzureJudge(t)(cloud))
	t.Cleanup(s.Close)
	return s.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

type azureJudge struct {
	t      testing.TB
	routes []azureRoute
	mu     sync.Mutex
	ended  bool
}

func (j *azureJudge) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = true
}

// find reports findings, unless the test is over.
func (j *azureJudge) find(about string, findings []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, f := range findings {
		if !j.ended {
			j.t.Errorf("Azure fake: %s: %s", about, f)
		}
	}
}

func (j *azureJudge) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	lower := strings.ToLower(r.URL.Path)
	if strings.HasPrefix(lower, "/blob/") || strings.Contains(lower, "/oauth2/") || strings.Contains(lower, "/.well-known/") {
		next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	seen := &seenAnswer{ResponseWriter: w, status: http.StatusOK}
	v := &azureVisit{request: r, sent: body}
	for i := range j.routes {
		if j.routes[i].matches(r) {
			v.route = &j.routes[i]
			break
		}
	}
	if v.route == nil {
		j.find(r.Method+" "+r.URL.Path, []string{"is no operation that Microsoft's fakes or types know"})
		next.ServeHTTP(w, r)
		return
	}
	next.ServeHTTP(seen, r) // a panic that cuts the connection leaves here, unjudged
	v.status, v.got, v.unspoilt = seen.status, seen.body.Bytes(), !seen.hijacked && w.Header().Get("X-Simulated-Fault") == ""
	v.judge()
	j.find(r.Method+" "+v.route.api, v.findings)
}

// azureVisit is one call under judgement.
type azureVisit struct {
	route    *azureRoute
	request  *http.Request
	sent     []byte
	status   int
	got      []byte
	unspoilt bool
	findings []string
}

func (v *azureVisit) say(format string, args ...any) {
	v.findings = append(v.findings, fmt.Sprintf(format, args...))
}

func (v *azureVisit) judge() {
	v.checkQuery()
	refused := v.status >= 400
	if refused && v.unspoilt && v.request.Method != http.MethodHead {
		v.checkError()
	}
	if v.route.fake == nil {
		if v.unspoilt && !refused && v.route.model != nil && len(v.got) > 0 {
			v.parse("answer", v.got, v.route.model())
		}
		return
	}
	if !v.unspoilt || refused || v.route.elsewhere == v.status {
		// The request is judged all the same, with an answer that the fake takes.
		v.status, v.got, v.unspoilt = v.route.good, nil, false
	}
	resp, err := v.route.fake(v).Do(v.forFake())
	var re *azcore.ResponseError
	if errors.As(err, &re) {
		resp, err = re.RawResponse, nil
	}
	if err != nil {
		v.say("%s", err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	if !v.unspoilt {
		return
	}
	if resp.StatusCode != v.status {
		v.say("the fake answers %d, the simulation %d", resp.StatusCode, v.status)
	}
	back, err := io.ReadAll(resp.Body)
	if err != nil {
		v.say("%s", err)
		return
	}
	if len(v.got) > 0 {
		v.compareTexts("answer", v.got, back)
	}
}

// forFake is the request as the fake wants it: the operation's name in the context, no body rather than an empty one.
func (v *azureVisit) forFake() *http.Request {
	ctx := context.WithValue(context.Background(), runtime.CtxAPINameKey{}, v.route.api)
	q := v.request.Clone(ctx)
	q.Body = http.NoBody
	q.URL.Path, q.URL.RawPath = v.route.spell(v.request.URL.Path), ""
	if len(v.sent) > 0 {
		q.Body = io.NopCloser(bytes.NewReader(v.sent))
	} else {
		q.Body = nil
	}
	return q
}

func (v *azureVisit) checkQuery() {
	q := v.request.URL.Query()
	if got := q.Get("api-version"); got != v.route.version {
		v.say("has the api-version %q, the SDK's is %q", got, v.route.version)
	}
	for name := range q {
		if name != "api-version" && name != "$skiptoken" && !slices.Contains(v.route.query, name) {
			v.say("has the unknown parameter %s", name)
		}
	}
}

// checkError wants the error body that Resource Manager documents.
func (v *azureVisit) checkError() {
	var tree struct {
		Error *struct{ Code, Message string }
	}
	switch err := json.Unmarshal(v.got, &tree); {
	case err != nil:
		v.say("the error is not JSON: %s", err)
	case tree.Error == nil || tree.Error.Code == "" || tree.Error.Message == "":
		v.say("the error lacks a code or a message: %s", v.got)
	}
}

// body compares what was sent with what the fake made of it.
func (v *azureVisit) body(parsed any) {
	back, err := json.Marshal(parsed)
	if err != nil {
		v.say("the request cannot be written again: %s", err)
		return
	}
	v.compareTexts("request", v.sent, back)
}

// parse reads text as a type of the SDK, and finds what the type does not know.
func (v *azureVisit) parse(what string, text []byte, into any) {
	if err := json.Unmarshal(text, into); err != nil {
		v.say("the %s does not parse: %s", what, err)
		return
	}
	back, err := json.Marshal(into)
	if err != nil {
		v.say("the %s cannot be written again: %s", what, err)
		return
	}
	v.compareTexts(what, text, back)
}

func (v *azureVisit) compareTexts(what string, raw, back []byte) {
	var a, b any
	if err := json.Unmarshal(raw, &a); err != nil {
		v.say("the %s is not JSON: %s", what, err)
		return
	}
	if err := json.Unmarshal(back, &b); err != nil {
		v.say("the %s written again is not JSON: %s", what, err)
		return
	}
	v.compare(what, a, b)
}

// compare finds what is in raw and not in back. Members that are null or empty may be missing.
func (v *azureVisit) compare(at string, raw, back any) {
	switch x := raw.(type) {
	case map[string]any:
		y, ok := back.(map[string]any)
		if !ok && len(x) > 0 {
			v.say("%s is lost, or of the wrong type", at)
			return
		}
		for name, value := range x {
			if strings.EqualFold(name, "nextLink") || slices.Contains(v.route.newer, name) {
				continue // the fake makes its own links
			}
			v.compare(at+"."+name, value, y[name])
		}
	case []any:
		y, _ := back.([]any)
		if len(x) != len(y) {
			v.say("%s has %d elements, %d are left", at, len(x), len(y))
			return
		}
		for i := range x {
			v.compare(fmt.Sprintf("%s[%d]", at, i), x[i], y[i])
		}
	case nil:
	default:
		if !reflect.DeepEqual(raw, back) && !sameTime(raw, back) {
			v.say("%s is %v, read as %v", at, raw, back)
		}
	}
}

// sameTime tells whether both are spellings of one time.
func sameTime(a, b any) bool {
	x, okX := a.(string)
	y, okY := b.(string)
	if !okX || !okY {
		return false
	}
	s, errS := time.Parse(time.RFC3339Nano, x)
	t, errT := time.Parse(time.RFC3339Nano, y)
	return errS == nil && errT == nil && s.Equal(t)
}

// given makes the fake answer what the simulation answered.
func given[T any](v *azureVisit) (r azfake.Responder[T], e azfake.ErrorResponder) {
	r.SetResponse(v.status, decoded[T](v), nil)
	return r, e
}

// decoded reads the simulation's answer as the SDK does.
func decoded[T any](v *azureVisit) (value T) {
	if len(v.got) > 0 {
		if err := json.Unmarshal(v.got, &value); err != nil {
			v.say("the answer does not parse: %s", err)
		}
	}
	return value
}

// paged is given for lists in pages.
func paged[T any](v *azureVisit) (p azfake.PagerResponder[T]) {
	p.AddPage(v.status, decoded[T](v), nil)
	return p
}

// polled is given for long-running operations: an answer that they go on, or that they were through at once.
func polled[T any](v *azureVisit) (p azfake.PollerResponder[T], e azfake.ErrorResponder) {
	if v.status == http.StatusAccepted {
		var none T
		p.AddNonTerminalResponse(http.StatusAccepted, nil)
		p.SetTerminalResponse(http.StatusOK, none, nil)
		return p, e
	}
	p.SetTerminalResponse(v.status, decoded[T](v), nil)
	return p, e
}

// taken is given for requests with a body.
func taken[T any](v *azureVisit, parsed any) (azfake.Responder[T], azfake.ErrorResponder) {
	v.body(parsed)
	return given[T](v)
}

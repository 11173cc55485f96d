package outlaytest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"outlay/outlaytest"
)

// judgedByGoogle sends one request through the judge to a service that gives answer, and returns the findings.
func judgedByGoogle(t *testing.T, method, path, body string, status int, answer string) string {
	t.Helper()
	r := &recorder{TB: t}
	handler := outlaytest.GoogleJudge(r)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, strings.NewReader(body)))
	return strings.Join(r.said, "\n")
}

// The judge must bite: a right call passes, and each of these is found.
func TestGoogleJudgeBites(t *testing.T) {
	const datasets, queries = "/bigquery/v2/projects/p/datasets", "/bigquery/v2/projects/p/queries"
	const good, made = `{"datasetReference":{"projectId":"p","datasetId":"d"},"location":"US","labels":{"a":"b"}}`, `{"kind":"bigquery#dataset","id":"p:d","creationTime":"1"}`
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		answer                   string
		want                     string // part of a finding; "" for none
	}{
		{"a right call", "POST", datasets, good, 200, made, ""},
		{"an unknown field", "POST", datasets, strings.Replace(good, "location", "locality", 1), 200, made, "unknown field locality"},
		{"a wrong type", "POST", datasets, strings.Replace(good, `"US"`, `7`, 1), 200, made, "is a number, want string"},
		{"a list for a text", "POST", datasets, strings.Replace(good, `"US"`, `["US"]`, 1), 200, made, "a list is not expected"},
		{"an unknown field deep inside", "POST", datasets, strings.Replace(good, `"datasetId":"d"`, `"datasetID":"d"`, 1), 200, made, "unknown field datasetID"},
		{"an unknown parameter", "GET", datasets + "?colour=red", "", 200, `{}`, "unknown query parameter colour"},
		{"a parameter that is no number", "GET", datasets + "?maxResults=many", "", 200, `{}`, "want an integer"},
		{"no such method", "POST", "/bigquery/v2/projects/p/exports", "{}", 200, `{}`, "is no method of any service"},
		{"no such verb", "POST", "/v1/projects/p/services:enableAll", "{}", 200, `{}`, "is no method of any service"},
		{"an int64 as a number in an answer", "POST", datasets, good, 200, strings.Replace(made, `"1"`, `1`, 1), "is a number, want string"},
		{"an unknown field in an answer", "POST", datasets, good, 200, strings.Replace(made, "kind", "sort", 1), "unknown field sort"},
		{"an int64 that is none", "POST", queries, `{"query":"SELECT 1","maximumBytesBilled":"much"}`, 200, `{}`, "is no int64"},
		{"an error without a code", "POST", queries, `{"query":"SELECT 1"}`, 400, `{"error":"bad"}`, "without its code"},
		{"an error without a reason", "POST", queries, `{"query":"SELECT 1"}`, 400, `{"error":{"code":400,"message":"m"}}`, "without a reason"},
		{"an answer that is no JSON", "POST", queries, `{"query":"SELECT 1"}`, 200, `<a/>`, "is not JSON"},
		{"an enumeration", "GET", "/v1/projects/p/services/bigquery.googleapis.com", "", 200, `{"state":"PERHAPS"}`, "is not one of"},
		{"a custom verb", "POST", "/v1/projects/p/services:batchEnable", `{"serviceIds":["bigquery.googleapis.com"]}`, 200, `{"name":"operations/1","done":true}`, ""},
		{"a nested resource", "GET", "/v1/billingAccounts/01AB23-45CD67-89EF01/projects", "", 200, `{"projectBillingInfo":[{"billingEnabled":"yes"}]}`, "is a text, want boolean"},
		{"permissions", "POST", "/v3/projects/p:testIamPermissions", `{"permissions":["a.b.c"]}`, 200, `{"permissions":["a.b.c"]}`, ""},
		{"permissions under another name", "POST", "/v3/projects/p:testIamPermissions", `{"permission":["a.b.c"]}`, 200, `{}`, "unknown field permission"},
		{"a body where none belongs", "GET", datasets + "/d", `{"a":1}`, 200, made, "has a body"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := judgedByGoogle(t, c.method, c.path, c.body, c.status, c.answer)
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

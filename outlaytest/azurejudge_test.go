package outlaytest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// listener collects findings in place of failing.
type listener struct {
	testing.TB
	heard []string
}

func (l *listener) Helper()                   {}
func (l *listener) Cleanup(func())            {}
func (l *listener) Errorf(f string, a ...any) { l.heard = append(l.heard, fmt.Sprintf(f, a...)) }

// azureJudged gives what the judge found in one call.
func azureJudged(t *testing.T, method, path, body string, status int, answer string) string {
	t.Helper()
	l := &listener{TB: t}
	h := AzureJudge(l)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(httptest.NewRecorder(), r)
	return strings.Join(l.heard, "\n")
}

// Each planted mistake is found, and what is right is not.
func TestAzureJudgeBites(t *testing.T) {
	const (
		export  = "/subscriptions/22222222-2222-4222-a222-222222222222/providers/Microsoft.CostManagement/exports/e1?api-version=2025-03-01"
		run     = "/subscriptions/s/providers/Microsoft.CostManagement/exports/e1/run?api-version=2025-03-01"
		group   = "/subscriptions/s/resourceGroups/g?api-version=2025-04-01"
		account = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a?api-version=2025-01-01"
		good    = `{"properties":{"definition":{"type":"FocusCost","timeframe":"MonthToDate"},"deliveryInfo":{"destination":{"container":"c"}},"format":"Parquet"}}`
		made    = `{"id":"/x","name":"e1","eTag":"\"1\"","properties":{"definition":{"type":"FocusCost","timeframe":"MonthToDate"},"deliveryInfo":{"destination":{"container":"c"}}}}`
		refusal = `{"error":{"code":"400","message":"no"}}`
	)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		answer, want             string
	}{
		{"right", "PUT", export, good, 201, made, ""},
		{"another letter case of the path", "PUT", strings.ToLower(export), good, 201, made, ""},
		{"refused", "PUT", export, good, 400, refusal, ""},
		{"unknown field", "PUT", export, strings.Replace(good, `"format"`, `"formatt"`, 1), 201, made, "request.properties.formatt"},
		{"unknown field of what is refused", "PUT", export, strings.Replace(good, `"format"`, `"formatt"`, 1), 400, refusal, "request.properties.formatt"},
		{"wrong type", "PUT", export, strings.Replace(good, `"c"`, `7`, 1), 201, made, "CreateOrUpdate"},
		{"no JSON", "PUT", export, "nonsense", 201, made, "CreateOrUpdate"},
		{"unknown field of the answer", "PUT", export, good, 201, strings.Replace(made, `"name"`, `"title"`, 1), "answer.title"},
		{"wrong type in the answer", "PUT", export, good, 201, strings.Replace(made, `"c"`, `7`, 1), "answer does not parse"},
		{"wrong status", "PUT", export, good, 202, made, "unexpected status code 202"},
		{"old version", "PUT", strings.Replace(export, "2025-03-01", "2020-06-01", 1), good, 201, made, `api-version "2020-06-01"`},
		{"unknown parameter", "GET", export + "&colour=red", "", 200, made, "unknown parameter colour"},
		{"known parameter", "GET", export + "&$expand=runHistory", "", 200, made, ""},
		{"error without code", "GET", export, "", 404, `{"error":{"message":"gone"}}`, "lacks a code"},
		{"error that is no JSON", "GET", export, "", 404, `gone`, "not JSON"},
		{"no such operation", "GET", "/subscriptions/s/providers/Microsoft.Nonsense/things/a?api-version=2025-01-01", "", 200, "{}", "no operation"},
		{"a run that says 202", "POST", run, "", 202, "", ""},
		{"a run with a body", "POST", run, `{"timePeriod":{"from":"2026-10-01T00:00:00Z","to":"2026-10-31T00:00:00Z"}}`, 200, "", ""},
		{"a run with an unknown field", "POST", run, `{"timeperiod":{}, "period":{"a":1}}`, 200, "", "request.period"},
		{"a long operation", "PUT", account, `{"kind":"StorageV2","location":"eastus","sku":{"name":"Standard_LRS"}}`, 202, "", ""},
		{"a long operation with an unknown field", "PUT", account, `{"kind":"StorageV2","location":"eastus","sku":{"name":"Standard_LRS","colour":"red"}}`, 202, "", "request.sku.colour"},
		{"a group", "PUT", group, `{"location":"eastus","tags":{"a":"b"}}`, 201, `{"location":"eastus","tags":{"a":"b"},"properties":{"provisioningState":"Succeeded"}}`, ""},
		{"a group that is there", "HEAD", group, "", 204, "", ""},
		{"a list", "GET", "/subscriptions/s/resourcegroups?api-version=2025-04-01", "", 200, `{"value":[{"location":"eastus","mood":"good"}],"nextLink":"https://x"}`, "answer.value[0].mood"},
		{"a raw list", "GET", "/subscriptions/s/providers/Microsoft.Authorization/permissions?api-version=2022-04-01", "", 200, `{"value":[{"actions":["*"],"condition":"x","mood":"good"}]}`, "answer.value[0].mood"},
		{"blobs are not judged", "GET", "/blob/a/c/b", "", 200, "bytes", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := azureJudged(t, c.method, c.path, c.body, c.status, c.answer)
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestAzureJudgeLeavesFaultsAlone(t *testing.T) {
	l := &listener{TB: t}
	h := AzureJudge(l)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Simulated-Fault", "garble")
		_, _ = io.WriteString(w, "<not {json")
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/subscriptions/s?api-version=2022-12-01", nil))
	if len(l.heard) > 0 {
		t.Errorf("found %q", l.heard)
	}
}

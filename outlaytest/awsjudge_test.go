package outlaytest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"outlay/outlaytest"
)

// recorder is a test that notes what it was told instead of failing.
type recorder struct {
	testing.TB
	mu   sync.Mutex
	said []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

// judged sends one request through the judge to a service that gives answer, and returns the findings.
func judged(t *testing.T, method, path string, header map[string]string, body string, answer func(http.ResponseWriter)) string {
	t.Helper()
	r := &recorder{TB: t}
	handler := outlaytest.AWSJudge(r)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) }))
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	for k, v := range header {
		request.Header.Set(k, v)
	}
	handler.ServeHTTP(httptest.NewRecorder(), request)
	return strings.Join(r.said, "\n")
}

const goodExport = `{"Export":{"Name":"outlay-focus","DataQuery":{"QueryStatement":"SELECT BilledCost FROM FOCUS_1_2_AWS"},
"DestinationConfigurations":{"S3Destination":{"S3Bucket":"b","S3Prefix":"p","S3Region":"us-east-1",
"S3OutputConfigurations":{"OutputType":"CUSTOM","Format":"PARQUET","Compression":"PARQUET","Overwrite":"OVERWRITE_REPORT"}}},
"RefreshCadence":{"Frequency":"SYNCHRONOUS"}}}`

const goodARN = `{"ExportArn":"arn:aws:bcm-data-exports:us-east-1:111122223333:export/outlay-focus-1"}`

func answerOf(text string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { _, _ = io.WriteString(w, text) }
}

// The judge must bite: a right call passes, and each of these is found.
func TestAWSJudgeBites(t *testing.T) {
	create := map[string]string{"X-Amz-Target": "AWSBillingAndCostManagementDataExports.CreateExport", "Content-Type": "application/x-amz-json-1.1"}
	update := map[string]string{"X-Amz-Target": "AWSInsightsIndexService.UpdateCostAllocationTagsStatus", "Content-Type": "application/x-amz-json-1.1"}
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	many := strings.TrimSuffix(strings.Repeat(`{"TagKey":"k","Status":"Active"},`, 21), ",")
	nothing := func(http.ResponseWriter) {}
	refusal := func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"ServiceQuotaExceededException","Message":"m"}`)
	}
	for _, c := range []struct {
		name, method, path string
		header             map[string]string
		body               string
		answer             func(http.ResponseWriter)
		want               string // part of a finding; "" for none
	}{
		{"a right call", "POST", "/", create, goodExport, answerOf(goodARN), ""},
		{"a bad name", "POST", "/", create, strings.Replace(goodExport, "outlay-focus", "two words", 1), answerOf(goodARN), "does not match"},
		{"an unknown format", "POST", "/", create, strings.Replace(goodExport, `"Format":"PARQUET"`, `"Format":"ORC"`, 1), answerOf(goodARN), `"ORC" is not one of`},
		{"a missing member", "POST", "/", create, strings.Replace(goodExport, `"S3Prefix":"p",`, "", 1), answerOf(goodARN), "lacks S3Prefix"},
		{"an unknown member", "POST", "/", create, strings.Replace(goodExport, `"S3Prefix"`, `"S3prefix"`, 1), answerOf(goodARN), "unknown member S3prefix"},
		{"a wrong type", "POST", "/", create, strings.Replace(goodExport, `"p"`, `7`, 1), answerOf(goodARN), "want string"},
		{"too many tags", "POST", "/", update, `{"CostAllocationTagsStatus":[` + many + `]}`, answerOf(`{}`), "has 21 elements"},
		{"a wrong answer", "POST", "/", create, goodExport, answerOf(`{"ExportArn":"nonsense that is long"}`), "answer to CreateExport"},
		{"an answer that is no JSON", "POST", "/", create, goodExport, answerOf(`<a/>`), "is not a JSON object"},
		{"an error that lacks members", "POST", "/", create, goodExport, refusal, "lacks QuotaCode"},
		{"no such operation", "POST", "/", map[string]string{"X-Amz-Target": "AWSInsightsIndexService.Guess", "Content-Type": "application/x-amz-json-1.1"}, `{}`, answerOf(`{}`), "no operation"},
		{"an unknown parameter", "POST", "/", form, "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::111122223333:role/r&RoleSessionName=s1&Color=red", nothing, "unknown parameter Color"},
		{"a missing parameter", "POST", "/", form, "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::111122223333:role/r", nothing, "lacks RoleSessionName"},
		{"an unknown element", "PUT", "/b?tagging", nil, "<Tagging><TagSet><Tag><Key>k</Key><Worth>v</Worth></Tag></TagSet></Tagging>", nothing, "unknown element Worth"},
		{"another root", "PUT", "/b?tagging", nil, "<Labels><TagSet></TagSet></Labels>", nothing, "has a body Labels"},
		{"an unknown sub-resource", "GET", "/b?colour", nil, "", answerOf("<a/>"), "colour"},
		{"an unknown header", "PUT", "/b/k", map[string]string{"X-Amz-Colour": "red"}, "x", nothing, "unknown header x-amz-colour"},
		{"a bad enum in a header", "PUT", "/b/k", map[string]string{"X-Amz-Storage-Class": "ATTIC"}, "x", nothing, `"ATTIC" is not one of`},
		{"a list with an unknown element", "GET", "/b?list-type=2", nil, "", answerOf("<ListBucketResult><Name>b</Name><Mood>good</Mood></ListBucketResult>"), "unknown element Mood"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := judged(t, c.method, c.path, c.header, c.body, c.answer)
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestAWSJudgeLeavesFaultsAlone(t *testing.T) {
	header := map[string]string{"X-Amz-Target": "AWSBillingAndCostManagementDataExports.CreateExport", "Content-Type": "application/x-amz-json-1.1"}
	got := judged(t, "POST", "/", header, goodExport, func(w http.ResponseWriter) {
		w.Header().Set("X-Simulated-Fault", "garble")
		_, _ = io.WriteString(w, "<not {json")
	})
	if got != "" {
		t.Errorf("found %q", got)
	}
}

package aws

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"outlay"
)

// TestHalfAnswers gets answers of 200 in which what was asked for is missing, as a broken proxy gives them: nothing is
// proven by them, and nothing breaks.
func TestHalfAnswers(t *testing.T) {
	const export = "arn:aws:bcm-data-exports:us-east-1:" + payerAccount + ":export/theirs-1"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch target := r.Header.Get("X-Amz-Target"); {
		case strings.Contains(string(body), "Action=GetCallerIdentity"):
			_, _ = io.WriteString(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>"+payerAccount+"</Account><Arn>arn:aws:sts::"+payerAccount+
				":assumed-role/outlay/x</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>")
		case strings.Contains(string(body), "Action=GetRole"):
			_, _ = io.WriteString(w, "<GetRoleResponse><GetRoleResult></GetRoleResult></GetRoleResponse>")
		case strings.HasSuffix(target, ".ListExports"):
			_, _ = io.WriteString(w, `{"Exports":[{"ExportName":"theirs","ExportArn":"`+export+`"}]}`)
		case target != "":
			_, _ = io.WriteString(w, "{}")
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	p := New(Options{Endpoint: server.URL, Transport: &http.Transport{}, Secrets: vault{"acc/" + fieldKeySecret: "s"}, Retry: Retry{Attempts: 1}, NamingKey: []byte("k")})
	a := &outlay.CloudAccount{OrgID: "o", ID: "acc", Credential: outlay.Credential{Kind: kindKeys, Values: map[string]string{fieldKeyID: "AKIA"}}}
	s := &outlay.Source{OrgID: "o", ID: "s", Spec: &outlay.Spec{Region: "eu-west-1"}, Resources: []outlay.Resource{{Kind: kindExport, Name: "theirs", State: outlay.StateVerified}}}
	seen, err := p.Observe(t.Context(), a, s, whole())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"organization", string(kindExport)} {
		if !strings.Contains(seen.Unknown[part], "damaged on its way") {
			t.Errorf("%s: %v", part, seen.Unknown)
		}
	}
	if len(seen.Missing()) != 0 || len(seen.Resources) != 0 {
		t.Errorf("seen: %+v", seen)
	}
	if _, err := p.Existing(t.Context(), a, nil); outlay.CodeOf(err) != outlay.CodeUnavailable {
		t.Errorf("existing: %v", err)
	}
	imported := &outlay.Source{OrgID: "o", ID: "i", Origin: outlay.OriginImported, Spec: &outlay.Spec{Fields: location{
		Bucket: "bills", Region: "eusc-de-east-1", Export: "theirs", Account: payerAccount, Format: formatCUR2, Files: filesCSV,
	}.fields()}}
	seen, err = p.Observe(t.Context(), a, imported, outlay.Look{})
	if err != nil || !strings.Contains(seen.Unknown[string(kindExport)], "damaged on its way") {
		t.Errorf("imported: %v (%v)", seen.Unknown, err)
	}
}

// TestRetryAfter hears how long AWS wants to be left alone.
func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{"7": 7 * time.Second, "": 0, "-1": 0, "Tue, 24 Nov 2026 12:00:00 GMT": 0} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if header != "" {
				w.Header().Set("Retry-After", header)
			}
			w.WriteHeader(http.StatusServiceUnavailable)
		}))
		p := New(Options{Endpoint: server.URL, Transport: &http.Transport{}, Secrets: vault{"acc/" + fieldKeySecret: "s"}, Retry: Retry{Attempts: 1}})
		a := &outlay.CloudAccount{ID: "acc", Credential: outlay.Credential{Kind: kindKeys, Values: map[string]string{fieldKeyID: "AKIA"}}}
		_, err := p.Observe(t.Context(), a, nil, outlay.Look{})
		if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeUnavailable || e.RetryAfter != want {
			t.Errorf("%q: %+v", header, e)
		}
		server.Close()
	}
}

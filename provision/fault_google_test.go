package provision_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/google"
	"outlay/outlaytest"
	simgoogle "outlay/simcloud/google"
)

// TestFaultsGoogle is T3 of reliability.md for Google Cloud, with a person's step in the midst.
func TestFaultsGoogle(t *testing.T) {
	outlaytest.FaultTable(t, outlaytest.FaultSubject{
		World: googleFaultWorld, Call: googleCall, Refuse: googleRefusal,
		// A dataset's name is its own guard, but the query job that is billed must not run twice.
		Once: func(call string) bool {
			return strings.HasPrefix(call, "POST ") && (strings.HasSuffix(call, "/datasets") || strings.HasSuffix(call, "/jobs"))
		},
		RetryHeaders: map[string]string{"Retry-After": "1"},
	})
}

// googleParts are the names in a path, which differ between two worlds or are many.
var googleParts = regexp.MustCompile(`/(projects|billingAccounts|datasets|tables|queries|jobs|serviceAccounts)/[^/:]+|/operations/.*`)

// googleCall names a request by its method and its path without names. A query that is only tried, and a further page,
// are calls of their own.
func googleCall(r *http.Request, body []byte) string {
	call := r.Method + " " + googleParts.ReplaceAllString(r.URL.Path, "/$1/*")
	switch {
	case strings.Contains(string(body), `"dryRun":true`):
		call += " dry"
	case r.URL.Query().Get("pageToken") != "":
		call += " next page"
	}
	return call
}

// googleRefusal speaks as the token endpoints, BigQuery, or the other services would.
func googleRefusal(f outlaytest.Fault, r *http.Request, _ []byte) (int, http.Header, []byte) {
	status, word, reason := http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "rateLimitExceeded"
	switch f {
	case outlaytest.FaultBrokenBefore:
		status, word, reason = http.StatusInternalServerError, "INTERNAL", "internalError"
	case outlaytest.FaultUnavailable:
		status, word, reason = http.StatusServiceUnavailable, "UNAVAILABLE", "backendError"
	case outlaytest.FaultExpired, outlaytest.FaultSkewed:
		status, word, reason = http.StatusUnauthorized, "UNAUTHENTICATED", "authError"
	}
	header := http.Header{"Content-Type": {"application/json; charset=UTF-8"}}
	e := map[string]any{"code": status, "message": "Refused.", "status": word}
	switch {
	case strings.HasSuffix(r.URL.Path, "/token"):
		if status == http.StatusUnauthorized {
			status, word = http.StatusBadRequest, "invalid_grant"
		}
		return status, header, []byte(`{"error":"` + word + `","error_description":"Refused."}`)
	case strings.HasPrefix(r.URL.Path, "/bigquery/"):
		e["errors"] = []any{map[string]any{"message": "Refused.", "domain": "global", "reason": reason}}
	}
	answer, err := json.Marshal(map[string]any{"error": e})
	if err != nil {
		panic(err) // plain data always marshals
	}
	return status, header, answer
}

const googleAudience = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/outlay-pool/providers/our-idp"

// googleFaultWorld is a project of a billing account, in which no service is on yet, and a service account with a key.
func googleFaultWorld(t testing.TB, proxy *outlaytest.FaultProxy) *outlaytest.FaultWorld {
	t.Helper()
	const billing, project = "01AB23-45CD67-89EF01", "northfield-billing"
	cloud, err := simgoogle.New(simgoogle.Options{Dir: t.TempDir(), RowsPerMonth: 30, PageRows: 20, FillTicks: 1, RestateEvery: -1, SlowEnable: 1, JobLag: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	cloud.AddOrganization(billing, "Northfield", simgoogle.Project{ID: project, Name: "Billing"}, simgoogle.Project{ID: "nf-genomics", Name: "Genomics"})
	key, url, wire := cloud.AddServiceAccount(project, "outlay", "*"), proxy.Serve(t, cloud), &http.Transport{}
	email, tokens := simgoogle.Email(project, "outlay"), t.TempDir()
	cloud.AddFederation(googleAudience, "a subject token", email)
	if err := os.WriteFile(filepath.Join(tokens, "token"), []byte("a subject token"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(wire.CloseIdleConnections)
	fresh := func() outlay.Provider {
		return google.New(google.Options{
			Secrets: plainSecrets{"key_json": string(key)}, Endpoint: url, Transport: wire, NamingKey: []byte("a key for tests"), InstallationID: "ins_test",
			TokenDir: tokens, Answer: proxy.Patience, Poll: time.Millisecond,
		})
	}
	w := &outlaytest.FaultWorld{
		Provider: fresh(), Fresh: fresh,
		Account: &outlay.CloudAccount{OrgID: "org_faults", ID: "acc_1", Name: "main", Provider: google.Name, Credential: outlay.Credential{
			Kind: "key", Values: map[string]string{"project_id": project}, Version: 1,
		}},
		Others: []*outlay.CloudAccount{{OrgID: "org_faults", ID: "acc_2", Name: "main", Provider: google.Name, Credential: outlay.Credential{
			Kind: "federated", Values: map[string]string{"project_id": project, "audience": googleAudience, "service_account": email, "token_file": "token"}, Version: 1,
		}}},
		Source: &outlay.Source{
			OrgID: "org_faults", ID: "src_1", Provider: google.Name, AccountID: "acc_1", Origin: outlay.OriginCreated, Desired: outlay.Present,
			Spec: &outlay.Spec{Region: "US", Fields: map[string]string{}},
		},
		Deliver: func() error { return cloud.Deliver(t.Context(), time.Now()) },
	}
	w.Rest = func() []string {
		return slices.DeleteFunc(w.Live(), func(l string) bool { return strings.HasPrefix(l, "export ") }) // a person's
	}
	w.Fill = func() {
		if err := w.Deliver(); err != nil {
			t.Error(err)
		}
	}
	w.Live = func() []string {
		var out []string
		for _, l := range cloud.Live() {
			out = append(out, l.Kind+" "+l.Name)
		}
		return out
	}
	w.Manual = func(c outlay.Change) error {
		if w.Source.Spec == nil {
			cloud.Disable(billing, simgoogle.Detailed)
			return nil
		}
		for _, v := range c.Manual.Values {
			if v.Title == "Dataset" {
				return cloud.Export(billing, simgoogle.Detailed, project, v.Value)
			}
		}
		return fmt.Errorf("no dataset is named in %v", c.Manual.Values)
	}
	return w
}

package provision_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/azure"
	"outlay/outlaytest"
	simazure "outlay/simcloud/azure"
)

// TestFaultsAzure is T3 of reliability.md for Azure.
func TestFaultsAzure(t *testing.T) {
	headers := map[string]string{}
	for _, h := range simazure.RetryHeaders() {
		headers[h] = "0" // no wait: how long it is, is tested where it is read
	}
	outlaytest.FaultTable(t, outlaytest.FaultSubject{
		World: azureFaultWorld, Call: azureCall, Refuse: azureRefusal, RetryHeaders: headers,
		// Every create of Resource Manager is a PUT, the same when repeated; a second run is a second delivery.
		Once: func(call string) bool { return strings.HasSuffix(call, "/run") },
	})
}

// azureParts are what differs between two worlds in a path: ids of runs, folders by time.
var azureParts = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9]{8,}`)

// azureCall names a request by its method and the end of its path.
func azureCall(r *http.Request, _ []byte) string {
	path := azureParts.ReplaceAllString(strings.ToLower(r.URL.Path), "{id}")
	if cut := strings.LastIndex(path, "/providers/"); cut >= 0 {
		path = path[cut:]
	}
	for _, part := range []string{"comp", "restype"} {
		if v := r.URL.Query().Get(part); v != "" {
			path += "?" + v
		}
	}
	return r.Method + " " + path
}

// azureRefusal speaks as Entra, Resource Manager or the blob service would.
func azureRefusal(f outlaytest.Fault, r *http.Request, _ []byte) (int, http.Header, []byte) {
	status, code := http.StatusTooManyRequests, "TooManyRequests"
	switch f {
	case outlaytest.FaultBrokenBefore:
		status, code = http.StatusInternalServerError, "InternalServerError"
	case outlaytest.FaultUnavailable:
		status, code = http.StatusServiceUnavailable, "ServiceUnavailable"
	case outlaytest.FaultExpired:
		status, code = http.StatusUnauthorized, "ExpiredAuthenticationToken"
	case outlaytest.FaultSkewed:
		status, code = http.StatusUnauthorized, "AuthenticationFailed"
	}
	header := http.Header{"X-Ms-Error-Code": {code}, "X-Simulated-Fault": {string(f)}}
	path := strings.ToLower(r.URL.Path)
	switch {
	case strings.HasPrefix(path, "/blob/"):
		header.Set("Content-Type", "application/xml")
		return status, header, []byte(`<?xml version="1.0" encoding="utf-8"?><Error><Code>` + code + `</Code><Message>Refused.</Message></Error>`)
	case strings.Contains(path, "/oauth2/"):
		if status == http.StatusUnauthorized {
			code = "invalid_client"
		}
		header.Set("Content-Type", "application/json")
		return status, header, []byte(`{"error":"` + code + `","error_description":"AADSTS700024: Refused."}`)
	}
	header.Set("Content-Type", "application/json")
	return status, header, []byte(`{"error":{"code":"` + code + `","message":"Refused."}}`)
}

// azureFaultWorld is one subscription and an app with a secret.
func azureFaultWorld(t testing.TB, proxy *outlaytest.FaultProxy) *outlaytest.FaultWorld {
	t.Helper()
	const tenant, sub = "11111111-1111-4111-a111-111111111111", "22222222-2222-4222-a222-222222222222"
	cloud, err := simazure.New(simazure.Options{Dir: t.TempDir(), RowsPerMonth: 40, HistoryMonths: 1, RetryAfter: time.Millisecond, RunsPerMinute: -1, Judge: proxy.Wrap})
	if err != nil {
		t.Fatal(err)
	}
	cloud.AddTenant(tenant, "Northfield")
	cloud.AddSubscription(tenant, sub, "research", "EnterpriseAgreement_2014-09-01")
	client, secret := cloud.AddApp(tenant, "outlay")
	cloud.Grant(client, "/subscriptions/"+sub, "*", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*")
	url, ca, stop, err := cloud.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		proxy.Close()
		stop()
	})
	fresh := func() outlay.Provider {
		return azure.New(azure.Options{
			Secrets: plainSecrets{"client_secret": secret}, Endpoint: url, CA: ca, NamingKey: []byte("a key for tests"), InstallationID: "ins_test",
			Retry: azure.Retry{Attempts: 2, Delay: time.Millisecond, MaxBackoff: 2 * time.Millisecond, Answer: proxy.Patience}, Poll: time.Millisecond,
		})
	}
	w := &outlaytest.FaultWorld{
		Provider: fresh(), Fresh: fresh,
		Account: &outlay.CloudAccount{OrgID: "org_faults", ID: "acc_1", Name: "main", Provider: azure.Name, Credential: outlay.Credential{
			Kind: "secret", Values: map[string]string{"tenant_id": tenant, "subscription_id": sub, "client_id": client}, Version: 1,
		}},
		Source: &outlay.Source{
			OrgID: "org_faults", ID: "src_1", Provider: azure.Name, AccountID: "acc_1", Origin: outlay.OriginCreated, Desired: outlay.Present,
			Spec: &outlay.Spec{Region: "westeurope", Fields: map[string]string{"dataset": "actual-amortized", "inherit_tags": "yes"}},
		},
		Deliver: func() error { return cloud.Deliver(t.Context(), time.Now()) },
	}
	live := func(but string) []string {
		var out []string
		for _, l := range cloud.Snapshot() {
			if l.Kind != but {
				out = append(out, fmt.Sprint(l.Kind, " ", l.Name))
			}
		}
		return out
	}
	w.Live = func() []string { return live("role-assignment") } // Azure's own doing, with the export's identity
	w.Rest = func() []string { return live("tag-inheritance") } // a setting that others may rely on by now
	return w
}

package google_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/cloudbilling/v1"
	"google.golang.org/api/cloudresourcemanager/v3"
	"google.golang.org/api/serviceusage/v1"

	"outlay/simcloud/google"
)

func TestPermissionsOneByOne(t *testing.T) {
	w := newWorld(t, google.Options{})
	c := w.as("outlay", "*")
	email := google.Email(host, "outlay")
	asked := []string{"bigquery.datasets.create", "serviceusage.services.enable", "resourcemanager.projects.get"}
	has := func() []string {
		out := must[*cloudresourcemanager.TestIamPermissionsResponse](t)(c.projects.Projects.TestIamPermissions("projects/"+host, &cloudresourcemanager.TestIamPermissionsRequest{Permissions: asked}).Do())
		return out.Permissions
	}
	if got := has(); !slices.Equal(got, asked) {
		t.Errorf("all: %v", got)
	}
	w.Revoke(email, "serviceusage.services.enable")
	if got := has(); !slices.Equal(got, []string{asked[0], asked[2]}) {
		t.Errorf("less one: %v", got)
	}
	_, err := c.services.Services.BatchEnable("projects/"+host, &serviceusage.BatchEnableServicesRequest{ServiceIds: []string{"bigquery.googleapis.com"}}).Do()
	if err == nil || !strings.Contains(err.Error(), "serviceusage.services.enable") {
		t.Errorf("the refusal does not name it: %v", err)
	}
	w.Restore(email)
	if got := has(); !slices.Equal(got, asked) {
		t.Errorf("given back: %v", got)
	}
	w.Revoke(email, "billing.accounts.getPricing")
	out := must[*cloudbilling.TestIamPermissionsResponse](t)(c.billing.BillingAccounts.TestIamPermissions("billingAccounts/"+payer, &cloudbilling.TestIamPermissionsRequest{Permissions: []string{"billing.accounts.get", "billing.accounts.getPricing"}}).Do())
	if !slices.Equal(out.Permissions, []string{"billing.accounts.get"}) {
		t.Errorf("on the billing account: %v", out.Permissions)
	}
	_, err = c.projects.Projects.Get("projects/somebody-elses").Do()
	wantReason(t, err, 403, "")
	var projects []string
	if err := c.billing.BillingAccounts.Projects.List("billingAccounts/"+payer).PageSize(2).Pages(t.Context(), func(p *cloudbilling.ListProjectBillingInfoResponse) error {
		for _, i := range p.ProjectBillingInfo {
			projects = append(projects, i.ProjectId)
		}
		return nil
	}); err != nil || len(projects) != 3 {
		t.Errorf("the projects are %v, %v", projects, err)
	}
}

func TestTokensAreEarned(t *testing.T) {
	w := newWorld(t, google.Options{})
	email := google.Email(host, "outlay")
	first := w.AddServiceAccount(host, "outlay", "*")
	if again := w.AddServiceAccount(host, "outlay", "*"); !bytes.Equal(first, again) {
		t.Error("asked again, another key came")
	}
	other := w.AddServiceAccount(host, "other", "*")
	forged := bytes.Replace(other, []byte(google.Email(host, "other")), []byte(email), 1)
	_, err := w.with(forged).tokens.Token()
	if err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("a forged assertion: %v", err)
	}
	second := w.RotateKey(email)
	for _, key := range [][]byte{first, second} {
		if _, err := w.with(key).projects.Projects.Get("projects/" + host).Do(); err != nil {
			t.Error(err)
		}
	}
	old := w.with(first)
	must[*cloudresourcemanager.Project](t)(old.projects.Projects.Get("projects/" + host).Do())
	w.RemoveKeys(email, keyID(t, second))
	_, err = old.projects.Projects.Get("projects/" + host).Do()
	wantReason(t, err, 401, "")
	if _, err := w.with(first).tokens.Token(); err == nil {
		t.Error("a deleted key still earns tokens")
	}
	if _, err := w.with(second).tokens.Token(); err != nil {
		t.Error(err)
	}
}

func keyID(t *testing.T, key []byte) string {
	t.Helper()
	var file struct {
		ID string `json:"private_key_id"`
	}
	if err := json.Unmarshal(key, &file); err != nil {
		t.Fatal(err)
	}
	return file.ID
}

func TestFederationAndTheMetadataServer(t *testing.T) {
	w := newWorld(t, google.Options{})
	w.AddServiceAccount(host, "outlay", "*")
	email := google.Email(host, "outlay")
	const audience = "//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/p/providers/q"
	w.AddFederation(audience, "token of another cluster", email)
	exchange := func(subject string) (int, map[string]any) {
		return w.post("/sts/v1/token", "", url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "audience": {audience}, "subject_token": {subject}, "scope": {"https://www.googleapis.com/auth/cloud-platform"},
			"requested_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "subject_token_type": {"urn:ietf:params:oauth:token-type:jwt"},
		}.Encode())
	}
	if code, _ := exchange("somebody's"); code != 400 {
		t.Errorf("a foreign token: %d", code)
	}
	_, got := exchange("token of another cluster")
	federated, _ := got["access_token"].(string)
	code, _ := w.post("/v1/projects/-/serviceAccounts/"+google.Email(host, "nobody")+":generateAccessToken", federated, `{"scope":["https://www.googleapis.com/auth/cloud-platform"]}`)
	if code != 403 {
		t.Errorf("a foreign service account: %d", code)
	}
	_, got = w.post("/v1/projects/-/serviceAccounts/"+email+":generateAccessToken", federated, `{"scope":["https://www.googleapis.com/auth/cloud-platform"],"lifetime":"3600s"}`)
	if text, _ := got["accessToken"].(string); !w.opens(text) {
		t.Errorf("the token of %v opens nothing", got)
	}
	if w.opens(federated) {
		t.Error("a federated token opens a project by itself")
	}
	w.Attach(email)
	r := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/computeMetadata/v1/instance/service-accounts/default/token", nil))
	if status, _ := w.send(r); status != 403 {
		t.Errorf("without the header: %d", status)
	}
	r.Header.Set("Metadata-Flavor", "Google")
	_, got = w.send(r)
	if text, _ := got["access_token"].(string); !w.opens(text) {
		t.Errorf("the token of the metadata server opens nothing: %v", got)
	}
}

// post sends a body as form or JSON, as it looks.
func (w *world) post(path, token, body string) (int, map[string]any) {
	w.t.Helper()
	r := must[*http.Request](w.t)(http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+path, strings.NewReader(body)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return w.send(r)
}

func (w *world) send(r *http.Request) (int, map[string]any) {
	w.t.Helper()
	resp := must[*http.Response](w.t)(http.DefaultClient.Do(r))
	defer func() { _ = resp.Body.Close() }()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, out
}

func (w *world) opens(token string) bool {
	w.t.Helper()
	r := must[*http.Request](w.t)(http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+"/v3/projects/"+host, nil))
	r.Header.Set("Authorization", "Bearer "+token)
	status, _ := w.send(r)
	return status == http.StatusOK
}

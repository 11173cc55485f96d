package azure

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outlay"
	cloud "outlay/simcloud/azure"
)

// bindOnly is the look that only asks who we are.
func bindOnly() outlay.Look { return outlay.Look{Kinds: []outlay.ResourceKind{}} }

func TestIdentity(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	id := w.observe(bindOnly()).Identity
	if id.AccountID != testSub || id.Scope.ID != "subscriptions/"+testSub || !id.Scope.IsPayer || id.Principal != "app "+w.app {
		t.Errorf("identity: %+v", id)
	}
	if id.Extra[extraTenant] != testTenant || id.Extra[extraQuota] != quotaEnterprise || id.Extra[extraName] != "research" {
		t.Errorf("extra: %v", id.Extra)
	}
	without, err := w.p.Observe(t.Context(), w.a, nil, whole())
	if err != nil || len(without.Resources) != 0 || len(without.Permissions) == 0 {
		t.Errorf("without a source: %+v (%v)", without, err)
	}
}

// TestBinding refuses a credential that is now another's.
func TestBinding(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.a.Identity = w.observe(bindOnly()).Identity
	w.AddSubscription(testTenant, otherSub, "library", quotaEnterprise)
	w.Grant(w.app, "/subscriptions/"+otherSub, "*")
	w.a.Credential.Values[fieldSubscription] = otherSub
	if _, err := w.p.Observe(t.Context(), w.a, nil, bindOnly()); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("another subscription: %v", err)
	}
	before := len(w.Requests())
	group := outlay.Change{Action: outlay.ActionCreate, Kind: kindGroup, Name: "outlay-x"}
	if _, err := w.p.Apply(t.Context(), w.a, w.s, group); outlay.CodeOf(err) != outlay.CodeConflict || len(w.Requests()) != before {
		t.Errorf("a change in another subscription: %v", err)
	}
	for _, err := range w.p.Deliveries(t.Context(), w.a, theirSource()) {
		if outlay.CodeOf(err) != outlay.CodeConflict {
			t.Errorf("read by another subscription's credential: %v", err)
		}
	}
	w.a.Credential.Values[fieldSubscription] = testSub
	w.a.Identity.Extra[extraTenant] = otherSub
	if _, err := w.p.Observe(t.Context(), w.a, nil, bindOnly()); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("moved to another tenant: %v", err)
	}
}

// theirSource reads an export that somebody else set up.
func theirSource() *outlay.Source {
	return &outlay.Source{OrgID: "org_1", ID: "src_1", Origin: outlay.OriginImported, Desired: outlay.Present, Spec: &outlay.Spec{Fields: map[string]string{
		importScope: strings.Trim(subScope, "/"), importExport: "monthly", importDataset: typeFocus, importContainer: "cost", importRoot: "theirs",
		importStorage: subScope + "/resourceGroups/theirs/providers/Microsoft.Storage/storageAccounts/theirsaccount",
	}}}
}

// TestSubscriptionState blocks what Azure would refuse.
func TestSubscriptionState(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	for state, level := range map[string]string{"Disabled": "block", "Deleted": "block", "Warned": "warn", "PastDue": "warn"} {
		w.SetSubscriptionState(testSub, state)
		seen := w.observe(bindOnly())
		if len(seen.Notes) != 1 || seen.Notes[0].Level != level || !strings.Contains(seen.Notes[0].Text, state) {
			t.Errorf("%s: %+v", state, seen.Notes)
		}
	}
}

// TestSignIn signs in by each kind, and says what is wrong when that fails.
func TestSignIn(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	dir := t.TempDir()
	token := filepath.Join(dir, "azure-identity-token")
	if err := os.WriteFile(token, []byte(assertionToken(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	w.Federate(w.app, "https://issuer.example", "system:serviceaccount:outlay:server")
	certificate := selfSigned(t)
	w.AddCertificate(w.app, certificateOnly(t, certificate))
	w.vault["acc_1/"+fieldCertificate] = certificate
	o := w.options()
	o.TokenDir = dir
	w.p = New(o)
	for _, kind := range []string{kindSecret, kindFederated, kindCertificate} {
		w.a.Credential.Kind, w.a.Credential.Values[fieldTokenFile] = kind, "azure-identity-token"
		if _, err := w.p.Observe(t.Context(), w.a, nil, bindOnly()); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	w.a.Credential.Kind, w.a.Credential.Values[fieldTokenFile] = kindFederated, "none-of-this-name"
	if _, err := w.p.Observe(t.Context(), w.a, nil, bindOnly()); outlay.AsError(err).Field != fieldTokenFile || outlay.CodeOf(err) != outlay.CodeUnavailable {
		t.Errorf("without its token file: %v", err)
	}
	w.a.Credential.Kind = kindSecret
	for name, spoil := range map[string]func(){
		"a wrong secret": func() { w.vault["acc_1/"+fieldSecret] = "nonsense" },
		"no such app":    func() { w.a.Credential.Values[fieldClient] = otherSub },
	} {
		spoil()
		w.a.Credential.Version++
		_, err := w.p.Observe(t.Context(), w.a, nil, bindOnly())
		e := outlay.AsError(err)
		if e == nil || e.Code != outlay.CodeForbidden || e.Outcome != outlay.NeverSent || e.Fix == "" || strings.Contains(e.Error(), "nonsense") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCredentialFields refuses credentials that cannot be used, before anything is asked of anybody.
func TestCredentialFields(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	good := func(kind string, fields ...string) *outlay.CloudAccount {
		v := map[string]string{fieldTenant: testTenant, fieldSubscription: testSub, fieldClient: otherSub}
		for i := 0; i+1 < len(fields); i += 2 {
			v[fields[i]] = fields[i+1]
		}
		return &outlay.CloudAccount{OrgID: "org_1", ID: "acc_1", Credential: outlay.Credential{Kind: kind, Values: v}}
	}
	secrets := vault{"acc_1/" + fieldSecret: "s", "acc_1/" + fieldCertificate: "not PEM"}
	for name, row := range map[string]struct {
		a     *outlay.CloudAccount
		field string
	}{
		"no tenant":        {good(kindSecret, fieldTenant, ""), fieldTenant},
		"a tenant by name": {good(kindSecret, fieldTenant, "contoso.com/../x"), fieldTenant},
		"no client":        {good(kindSecret, fieldClient, ""), fieldClient},
		"no subscription":  {good(kindSecret, fieldSubscription, ""), fieldSubscription},
		"a bad kind":       {good("password"), ""},
		"a bad cert":       {good(kindCertificate), fieldCertificate},
		"managed":          {good(kindManaged), ""},
		"up and away":      {good(kindFederated, fieldTokenFile, "../secret"), fieldTokenFile},
		"an absolute path": {good(kindFederated, fieldTokenFile, outside), fieldTokenFile},
	} {
		p := New(Options{Secrets: secrets, TokenDir: dir})
		_, err := p.session(row.a)
		if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeInvalid || e.Field != row.field {
			t.Errorf("%s: %v in %q", name, err, fieldOf(err))
		}
	}
	if _, err := New(Options{}).session(good(kindFederated, fieldTokenFile, "x")); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("without a folder: %v", err)
	}
	if _, err := readToken(dir, "link"); err == nil || strings.Contains(err.Error(), "outside") {
		t.Errorf("through a link out of the folder: %v", err)
	}
	if _, err := New(Options{}).session(nil); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("no account: %v", err)
	}
}

// TestHosts lets nothing but Azure be called: a token never travels elsewhere.
func TestHosts(t *testing.T) {
	for link, want := range map[string]bool{
		"https://management.azure.com/subscriptions":               true,
		"https://login.microsoftonline.com/x/oauth2/v2.0/token":    true,
		"https://outlayabc.blob.core.windows.net/costs":            true,
		"https://outlayabc.z12.blob.storage.azure.net/costs":       true,
		"http://management.azure.com/subscriptions":                false,
		"https://management.azure.com:8443/subscriptions":          false,
		"https://management.azure.com.evil.example/subscriptions":  false,
		"https://evil.example/.blob.core.windows.net":              false,
		"https://blob.core.windows.net.evil.example":               false,
		"https://169.254.169.254/metadata":                         false,
		"https://user:pass@outlayabc.blob.core.windows.net.evil/x": false,
	} {
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		if got := allowedHosts("")(u); got != want {
			t.Errorf("%s: %v", link, got)
		}
		if allowedHosts("https://127.0.0.1:1234")(u) {
			t.Errorf("%s beside the endpoint", link)
		}
	}
	p := New(Options{Secrets: vault{"acc_1/" + fieldSecret: "s"}})
	a := &outlay.CloudAccount{ID: "acc_1", Credential: outlay.Credential{Kind: kindSecret, Values: map[string]string{fieldTenant: testTenant, fieldSubscription: testSub, fieldClient: otherSub}}}
	for _, link := range []string{"https://evil.example/", "http://x.blob.core.windows.net/", "https://x.blob.core.windows.net/?sig=1", "https://u:p@x.blob.core.windows.net/", "::"} {
		if _, err := p.blobs(t.Context(), a, link); outlay.CodeOf(err) != outlay.CodeInvalid {
			t.Errorf("%s: %v", link, err)
		}
	}
	if _, err := p.blobs(t.Context(), a, "https://x.blob.core.windows.net/"); err != nil {
		t.Errorf("a storage account: %v", err)
	}
}

// carrier fails a test when anything is sent through it.
type carrier struct{ t *testing.T }

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	c.t.Errorf("sent to %s", r.URL)
	return nil, io.ErrUnexpectedEOF
}

// TestNothingIsSentElsewhere: wherever an address comes from, be it the next page of a list, nothing leaves for it.
func TestNothingIsSentElsewhere(t *testing.T) {
	for _, endpoint := range []string{"", "https://127.0.0.1:1234"} {
		p := New(Options{Endpoint: endpoint, Transport: carrier{t}})
		for _, link := range []string{"https://evil.example/x", "http://management.azure.com/x", "https://127.0.0.1:1235/x"} {
			resp, err := p.http.Get(link)
			if err == nil {
				_ = resp.Body.Close()
			}
			if !errors.Is(err, errStrangeHost) {
				t.Errorf("%s beside %q: %v", link, endpoint, err)
			}
		}
	}
}

// TestListHasAnEnd: pages that lead in a circle do not hold a call for ever.
func TestListHasAnEnd(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	ses, err := w.p.session(w.a)
	if err != nil {
		t.Fatal(err)
	}
	pages := 0
	err = ses.list(t.Context(), subScope+"/providers/Microsoft.Authorization/permissions", "2022-04-01", func([]byte) (string, error) {
		pages++
		return w.url + subScope + "/providers/Microsoft.Authorization/permissions?api-version=2022-04-01", nil
	})
	if outlay.CodeOf(err) != outlay.CodeUnavailable || pages != maxPages {
		t.Errorf("%d pages: %v", pages, err)
	}
}

// TestNoRedirect follows no answer to another place.
func TestNoRedirect(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.Fault(cloud.Fault{Match: "Subscriptions_Get", Kind: cloud.Answer, Status: 307, Code: "Elsewhere", Message: "go", Header: map[string][]string{"Location": {"https://evil.example/"}}})
	if _, err := w.p.Observe(t.Context(), w.a, nil, bindOnly()); err == nil {
		t.Error("a redirect was taken for an answer")
	}
}

// assertionToken is a token as a platform puts it into a file.
func assertionToken(t *testing.T) string {
	t.Helper()
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	now := time.Now()
	return part(map[string]any{"alg": "RS256", "typ": "JWT"}) + "." + part(map[string]any{
		"iss": "https://issuer.example", "sub": "system:serviceaccount:outlay:server", "aud": "api://AzureADTokenExchange", "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}) + ".c2ln"
}

// selfSigned is a certificate with its key, in PEM. Entra signs in with RSA keys.
func selfSigned(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "outlay"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

func certificateOnly(t *testing.T, both string) string {
	t.Helper()
	block, _ := pem.Decode([]byte(both))
	if block == nil {
		t.Fatal("no certificate")
	}
	return string(pem.EncodeToMemory(block))
}

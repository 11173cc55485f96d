package azure_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	"github.com/google/go-cmp/cmp"

	simazure "outlay/simcloud/azure"
)

// Each kind of fault has, or has not, the effect that its name says, and ends after its times.
func TestFaultKinds(t *testing.T) {
	w := newWorld(t, simazure.Options{})
	w.client.Timeout = 2 * time.Second
	for _, kind := range simazure.FaultKinds() {
		if kind == simazure.Trickle || kind == simazure.Hang || kind == simazure.HangAfter {
			continue // TestFaultHang
		}
		name := "group-" + string(kind)
		put := func() error {
			_, err := w.groups().CreateOrUpdate(t.Context(), name, armresources.ResourceGroup{Location: to.Ptr("eastus")}, nil)
			return err
		}
		w.Fault(simazure.Fault{Match: "arm:ResourceGroups_CreateOrUpdate", Kind: kind})
		first := put()
		if first == nil && kind != simazure.FlipByte {
			t.Errorf("%s: no error", kind)
		}
		done := slices.ContainsFunc(w.Only("resource-group"), func(l simazure.Live) bool { return l.Name == name })
		after := strings.HasSuffix(string(kind), "-after") || slices.Contains([]simazure.FaultKind{simazure.Truncate, simazure.TruncateSilently, simazure.Garble, simazure.FlipByte}, kind)
		if done != after {
			t.Errorf("%s: done is %t", kind, done)
		}
		if err := put(); err != nil {
			t.Errorf("%s: the call after it: %v", kind, err)
		}
	}
}

func TestFaultHang(t *testing.T) {
	w := newWorld(t, simazure.Options{})
	groups := w.groups()
	ask := func(ctx context.Context) error {
		_, err := groups.CheckExistence(ctx, "g", nil)
		return err
	}
	if err := ask(t.Context()); err != nil { // signs in
		t.Fatal(err)
	}
	for _, kind := range []simazure.FaultKind{simazure.Hang, simazure.HangAfter} {
		w.Fault(simazure.Fault{Match: "ResourceGroups_Exists", Kind: kind})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := ask(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", kind, err)
		}
		cancel()
	}
}

// Every header that can ask to wait is sent, alone.
func TestThrottleHeaders(t *testing.T) {
	w := newWorld(t, simazure.Options{})
	for _, name := range simazure.RetryHeaders() {
		w.Fault(simazure.Fault{Match: "Exports_List", Kind: simazure.Throttle, RetryAfter: 7, RetryHeader: name})
		_, err := w.exports().List(t.Context(), scope, nil)
		var re *azcore.ResponseError
		if !errors.As(err, &re) || re.StatusCode != http.StatusTooManyRequests {
			t.Fatalf("%s: %v", name, err)
		}
		for _, other := range simazure.RetryHeaders() {
			if want := map[bool]string{true: "7"}[other == name]; re.RawResponse.Header.Get(other) != want {
				t.Errorf("%s: %s is %q", name, other, re.RawResponse.Header.Get(other))
			}
		}
	}
	w.Fault(simazure.Fault{Match: "arm", Times: 2, Kind: simazure.Answer, Status: 403, Code: "RequestDisallowedByPolicy", Message: "by policy"})
	for range 2 {
		_, err := w.exports().List(t.Context(), scope, nil)
		wantCode(t, err, 403, "RequestDisallowedByPolicy")
	}
	if _, err := w.exports().List(t.Context(), scope, nil); err != nil {
		t.Error(err)
	}
	w.RandomFaults(1, 3, simazure.FailBefore)
	if _, err := w.exports().List(t.Context(), scope, nil); !sdkRefuses(err, 500) {
		t.Errorf("a random fault: %v", err)
	}
	w.ClearFaults()
	if _, err := w.exports().List(t.Context(), scope, nil); err != nil {
		t.Error(err)
	}
	last := w.Requests()[len(w.Requests())-1]
	if last.Operation != "Exports_List" || last.Principal != w.app || last.Status != 200 {
		t.Errorf("logged as %+v", last)
	}
	w.ClearRequests()
	if len(w.Requests()) != 0 {
		t.Error("the log is not empty")
	}
}

// A cloud that is opened again is as it was: what lives, who may sign in, and whom clients trust.
func TestReopened(t *testing.T) {
	dir := t.TempDir()
	w := ready(t, simazure.Options{Dir: dir})
	if _, err := w.exports().CreateOrUpdate(t.Context(), scope, "focus-1", exportBody(accountID("billing", "outlayacc1")), nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Deliver(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	w.SetRun(scope+"/providers/Microsoft.CostManagement/exports/focus-1", "InProgress") // killed in the middle
	before, token := w.Snapshot(), w.token(t)
	again, err := simazure.New(simazure.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, again.Snapshot()); diff != "" {
		t.Errorf("another cloud (-before +after):\n%s", diff)
	}
	if err := again.Run(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, again.Snapshot()); diff == "" {
		t.Error("the run that was cut short was not taken up")
	}
	app, secret := again.AddApp(tenantID, "outlay")
	if app != w.app || secret != w.secret {
		t.Error("the app is another")
	}
	url, ca, stop, err := again.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop()
	_, same, stop, err := again.Start(strings.TrimPrefix(url, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if !bytes.Equal(ca, same) {
		t.Error("the certificate is another")
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	w.url, w.client = url, trusting(pool)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+scope+"?api-version=2022-12-01", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := w.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("a token from before: %s", resp.Status)
	}
}

func (w *world) token(t *testing.T) string {
	t.Helper()
	got, err := w.cred().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.core.windows.net//.default"}})
	if err != nil {
		t.Fatal(err)
	}
	return got.Token
}

// A certificate and a token of a trusted issuer do in place of a secret.
func TestAssertions(t *testing.T) {
	w := newWorld(t, simazure.Options{})
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "outlay"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	byCert, err := azidentity.NewClientCertificateCredential(tenantID, w.app, []*x509.Certificate{cert}, key, &azidentity.ClientCertificateCredentialOptions{ClientOptions: w.options().ClientOptions, DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "token")
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	jwt := part(map[string]any{"alg": "RS256"}) + "." + part(map[string]any{"iss": "https://issuer.example", "sub": "outlay", "aud": "api://AzureADTokenExchange", "exp": time.Now().Add(time.Hour).Unix()}) + ".c2ln"
	if err := os.WriteFile(file, []byte(jwt), 0o600); err != nil {
		t.Fatal(err)
	}
	byFile, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: w.options().ClientOptions, DisableInstanceDiscovery: true, ClientID: w.app, TenantID: tenantID, TokenFilePath: file})
	if err != nil {
		t.Fatal(err)
	}
	ask := policy.TokenRequestOptions{Scopes: []string{"https://storage.azure.com/.default"}}
	for name, cred := range map[string]azcore.TokenCredential{"certificate": byCert, "token file": byFile} {
		if _, err := cred.GetToken(t.Context(), ask); err == nil {
			t.Errorf("an unknown %s was let in", name)
		}
	}
	w.AddCertificate(w.app, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	w.Federate(w.app, "https://issuer.example", "outlay")
	for name, cred := range map[string]azcore.TokenCredential{"certificate": byCert, "token file": byFile} {
		if _, err := cred.GetToken(t.Context(), ask); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	next := w.AddSecret(w.app)
	w.RemoveSecret(w.app, w.secret)
	if _, err := w.cred().GetToken(t.Context(), ask); err == nil {
		t.Error("a removed secret was let in")
	}
	if _, err := w.credential(tenantID, w.app, next).GetToken(t.Context(), ask); err != nil {
		t.Error(err)
	}
}

// Tokens of another tenant, and rights at another scope, do not help.
func TestStrangers(t *testing.T) {
	w := newWorld(t, simazure.Options{})
	const foreign = "99999999-9999-4999-a999-999999999999"
	w.AddTenant(foreign, "Elsewhere")
	app, secret := w.AddApp(foreign, "other")
	w.Grant(app, scope, "*")
	groups, err := armresources.NewResourceGroupsClient(subID, w.credential(foreign, app, secret), w.options())
	if err != nil {
		t.Fatal(err)
	}
	_, err = groups.Get(t.Context(), "g", nil)
	wantCode(t, err, 401, "InvalidAuthenticationTokenTenant")
	w.AddManagementGroup(tenantID, "root", "Root", "")
	w.SetParent(subID, "root")
	w.Revoke(w.app, scope)
	_, err = w.groups().Get(t.Context(), "g", nil)
	wantCode(t, err, 403, "AuthorizationFailed")
	w.Grant(w.app, "/providers/Microsoft.Management/managementGroups/root", "*/read")
	_, err = w.groups().Get(t.Context(), "g", nil)
	wantCode(t, err, 404, "ResourceGroupNotFound")
	_, err = w.groups().CreateOrUpdate(t.Context(), "g", armresources.ResourceGroup{Location: to.Ptr("eastus")}, nil)
	wantCode(t, err, 403, "AuthorizationFailed")
	w.Grant(w.app, scope, "*")
	w.SetSubscriptionState(subID, "Disabled")
	_, err = w.groups().CreateOrUpdate(t.Context(), "g", armresources.ResourceGroup{Location: to.Ptr("eastus")}, nil)
	wantCode(t, err, 409, "ReadOnlyDisabledSubscription")
}

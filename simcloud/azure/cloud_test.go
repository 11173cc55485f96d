package azure_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"

	"outlay/outlaytest"
	simazure "outlay/simcloud/azure"
)

const (
	tenantID = "11111111-1111-4111-a111-111111111111"
	subID    = "22222222-2222-4222-a222-222222222222"
	scope    = "/subscriptions/" + subID
	blobs    = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*"
)

// world is a running cloud with one subscription and one app that may do everything there.
type world struct {
	*simazure.Cloud
	t           *testing.T
	url         string
	client      *http.Client
	app, secret string
}

func newWorld(t *testing.T, o simazure.Options) *world {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	c, err := simazure.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Cloud: c, t: t}
	c.AddTenant(tenantID, "Northfield")
	c.AddSubscription(tenantID, subID, "research", "EnterpriseAgreement_2014-09-01")
	w.app, w.secret = c.AddApp(tenantID, "outlay")
	c.Grant(w.app, scope, "*", blobs)
	url, ca := outlaytest.AzureServer(t, c)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	w.url, w.client = url, trusting(pool)
	return w
}

// trusting is a client that trusts the cloud's certificate.
func trusting(pool *x509.CertPool) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}, Timeout: 20 * time.Second}
}

func (w *world) options() *arm.ClientOptions {
	return &arm.ClientOptions{DisableRPRegistration: true, ClientOptions: policy.ClientOptions{
		Transport: w.client, Retry: policy.RetryOptions{MaxRetries: -1},
		Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: w.url + "/", Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: w.url, Audience: "https://management.core.windows.net/"},
		}},
	}}
}

func (w *world) credential(tenant, app, secret string) azcore.TokenCredential {
	w.t.Helper()
	cred, err := azidentity.NewClientSecretCredential(tenant, app, secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: w.options().ClientOptions, DisableInstanceDiscovery: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return cred
}

// cred is the credential of the app that may do everything.
func (w *world) cred() azcore.TokenCredential { return w.credential(tenantID, w.app, w.secret) }

func wantCode(t *testing.T, err error, status int, code string) {
	t.Helper()
	var re *azcore.ResponseError
	if !errors.As(err, &re) || re.StatusCode != status || re.ErrorCode != code {
		t.Errorf("got error %v, want %d %s", err, status, code)
	}
}

func TestSignIn(t *testing.T) {
	w := newWorld(t, simazure.Options{})
	client, err := armsubscriptions.NewClient(w.cred(), w.options())
	if err != nil {
		t.Fatal(err)
	}
	got, err := client.Get(t.Context(), subID, nil)
	if err != nil {
		t.Fatal(err)
	}
	if *got.DisplayName != "research" || *got.SubscriptionPolicies.QuotaID != "EnterpriseAgreement_2014-09-01" {
		t.Errorf("got %+v", got)
	}
	for name, cred := range map[string]azcore.TokenCredential{
		"wrong secret": w.credential(tenantID, w.app, "nonsense"), "wrong app": w.credential(tenantID, subID, w.secret), "wrong tenant": w.credential(subID, w.app, w.secret),
	} {
		_, err := cred.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{"https://management.core.windows.net//.default"}})
		if err == nil {
			t.Errorf("%s was let in", name)
		}
	}
}

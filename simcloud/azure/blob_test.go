package azure_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"outlay/outlaytest"
	simazure "outlay/simcloud/azure"
)

// management asks for a token of the wrong audience, whatever it is asked for.
type management struct{ azcore.TokenCredential }

func (m management) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	o.Scopes = []string{"https://management.core.windows.net//.default"}
	return m.TokenCredential.GetToken(ctx, o)
}

func (w *world) blobClient(url string, cred azcore.TokenCredential) func() (*azblob.Client, error) {
	return func() (*azblob.Client, error) { return azblob.NewClient(url, cred, outlaytest.BlobOptions(w.client)) }
}

// The data plane is as Azurite's; keys are never taken, only roles.
func TestBlob(t *testing.T) {
	w := ready(t, simazure.Options{})
	url := w.url + "/blob/outlayacc1/"
	stranger, secret := w.AddApp(tenantID, "stranger")
	w.Grant(stranger, scope, "*") // an owner has no data role
	byKey := func() (*azblob.Client, error) {
		cred, err := azblob.NewSharedKeyCredential("outlayacc1", "c2VjcmV0")
		if err != nil {
			return nil, err
		}
		return azblob.NewClientWithSharedKeyCredential(url, cred, outlaytest.BlobOptions(w.client))
	}
	stripped := w.blobClient(url, w.credential(tenantID, stranger, secret))
	outlaytest.Blob(t, outlaytest.BlobServer{URL: url, New: w.blobClient(url, w.cred()), Refused: map[string]func() (*azblob.Client, error){
		"key": byKey, "audience": w.blobClient(url, management{w.cred()}),
		"anonymous": func() (*azblob.Client, error) {
			return azblob.NewClientWithNoCredential(url, outlaytest.BlobOptions(w.client))
		},
	}})
	w.PlantContainer("outlayacc1", "exports")
	w.PlantBlob("outlayacc1", "exports", "a", []byte("x"))
	c, err := stripped()
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.DownloadStream(t.Context(), "exports", "a", nil)
	if !bloberror.HasCode(err, bloberror.AuthorizationPermissionMismatch) {
		t.Errorf("an owner without a data role: %v", err)
	}
}

func TestBlobPagesAndFaults(t *testing.T) {
	w := ready(t, simazure.Options{BlobsPerPage: 2})
	w.PlantContainer("outlayacc1", "exports")
	for _, n := range []string{"a", "b", "c", "d", "e"} {
		w.PlantBlob("outlayacc1", "exports", n, []byte(strings.Repeat(n, 1000)))
	}
	c, err := w.blobClient(w.url+"/blob/outlayacc1/", w.cred())()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for pager := c.NewListBlobsFlatPager("exports", nil); pager.More(); n++ {
		if _, err := pager.NextPage(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n != 3 {
		t.Errorf("%d pages", n)
	}
	w.Fault(simazure.Fault{Match: "blob:Blob_Get", Path: "/EXPORTS/b", Kind: simazure.Truncate})
	got, err := c.DownloadStream(t.Context(), "exports", "b", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readBody(got); err == nil {
		t.Error("a cut answer was read to its end")
	}
	w.Fault(simazure.Fault{Match: "Blob_Get", Kind: simazure.Throttle, RetryAfter: 3})
	_, err = c.DownloadStream(t.Context(), "exports", "b", nil)
	if !bloberror.HasCode(err, bloberror.ServerBusy) || !sdkRefuses(err, http.StatusServiceUnavailable) {
		t.Errorf("a throttled read: %v", err)
	}
	w.SetAccount("outlayacc1", "publicNetworkAccess", "Disabled")
	_, err = c.DownloadStream(t.Context(), "exports", "b", nil)
	if !bloberror.HasCode(err, bloberror.AuthorizationFailure) {
		t.Errorf("from a closed network: %v", err)
	}
}

func readBody(r azblob.DownloadStreamResponse) ([]byte, error) {
	defer func() { _ = r.Body.Close() }()
	return io.ReadAll(r.Body)
}

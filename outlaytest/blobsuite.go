package outlaytest

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// BlobServer is the blob service of one storage account.
type BlobServer struct {
	URL string // of the account, with a slash at its end
	// New makes a client that may do everything; those of Refused may nothing.
	New     func() (*azblob.Client, error)
	Refused map[string]func() (*azblob.Client, error)
}

// Blob is the suite of the Blob data plane, driven by the real SDK. It runs against Azurite and against the simulated
// cloud: what fails there may not pass here (test-infrastructure.md §1 rule 2).
func Blob(t *testing.T, server BlobServer) {
	client, err := server.New()
	if err != nil {
		t.Fatal(err)
	}
	x := blobSuite{server: server, client: client}
	t.Run("Refused", x.refused)
	t.Run("Containers", x.containers)
	t.Run("Blobs", x.blobs)
	t.Run("Sums", x.sums)
	t.Run("Ranges", x.ranges)
	t.Run("Reading", x.reading)
	t.Run("Writing", x.writing)
	t.Run("Blocks", x.blocks)
	t.Run("Flat", x.flat)
	t.Run("Hierarchy", x.hierarchy)
	t.Run("Pages", x.pages)
	t.Run("Names", x.names)
}

type blobSuite struct {
	server BlobServer
	client *azblob.Client
}

// container makes a container of the subtest's own.
func (x blobSuite) container(t *testing.T) string {
	t.Helper()
	name := "suite-" + strings.ToLower(t.Name()[strings.LastIndex(t.Name(), "/")+1:])
	if _, err := x.client.CreateContainer(t.Context(), name, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := x.client.DeleteContainer(context.WithoutCancel(t.Context()), name, nil); err != nil {
			t.Errorf("deleting %s: %v", name, err)
		}
	})
	return name
}

func (x blobSuite) put(t *testing.T, container, name, text string) azblob.UploadBufferResponse {
	t.Helper()
	out, err := x.client.UploadBuffer(t.Context(), container, name, []byte(text), nil)
	if err != nil {
		t.Fatalf("putting %s: %v", name, err)
	}
	return out
}

func (x blobSuite) blobClient(name, blobName string) *blob.Client {
	return x.client.ServiceClient().NewContainerClient(name).NewBlobClient(blobName)
}

func (x blobSuite) read(t *testing.T, container, name string, o *azblob.DownloadStreamOptions) (string, azblob.DownloadStreamResponse) {
	t.Helper()
	out, err := x.client.DownloadStream(t.Context(), container, name, o)
	if err != nil {
		t.Fatalf("getting %s: %v", name, err)
	}
	defer func() { _ = out.Body.Close() }()
	b, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), out
}

func wantBlob(t *testing.T, err error, code bloberror.Code) {
	t.Helper()
	if !bloberror.HasCode(err, code) {
		t.Errorf("got error %v, want the code %s", err, code)
	}
}

func (x blobSuite) refused(t *testing.T) {
	name := x.container(t)
	x.put(t, name, "a", "secret")
	for who, make := range x.server.Refused {
		stranger, err := make()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stranger.DownloadStream(t.Context(), name, "a", nil); err == nil {
			t.Errorf("%s was let in", who)
		}
		if _, err := stranger.DeleteContainer(t.Context(), name, nil); err == nil {
			t.Errorf("%s deleted a container", who)
		}
	}
}

func (x blobSuite) containers(t *testing.T) {
	ctx, c := t.Context(), x.client.ServiceClient().NewContainerClient("suite-box")
	if _, err := c.GetProperties(ctx, nil); !isStatus(err, http.StatusNotFound) {
		t.Errorf("an absent container: %v", err)
	}
	if _, err := c.Create(ctx, &container.CreateOptions{Metadata: map[string]*string{"managed_by": to.Ptr("outlay")}}); err != nil {
		t.Fatal(err)
	}
	_, err := c.Create(ctx, nil)
	wantBlob(t, err, bloberror.ContainerAlreadyExists)
	got, err := c.GetProperties(ctx, nil)
	if err != nil || got.ETag == nil || got.LastModified == nil || metadataOf(got.Metadata)["managed_by"] != "outlay" {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = x.client.CreateContainer(ctx, "Suite_Bad", nil)
	wantBlob(t, err, bloberror.InvalidResourceName)
	found := false
	for pager := x.client.NewListContainersPager(&azblob.ListContainersOptions{Prefix: to.Ptr("suite-b"), MaxResults: to.Ptr[int32](1)}); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.ContainerItems {
			found = found || *item.Name == "suite-box"
			if !strings.HasPrefix(*item.Name, "suite-b") {
				t.Errorf("%s is not asked for", *item.Name)
			}
		}
	}
	if !found {
		t.Error("the container is not listed")
	}
	if _, err := c.Delete(ctx, nil); err != nil {
		t.Error(err)
	}
	_, err = c.NewListBlobsFlatPager(nil).NextPage(ctx)
	wantBlob(t, err, bloberror.ContainerNotFound)
}

// metadataOf reads metadata whose names come back in any letter case.
func metadataOf(m map[string]*string) map[string]string {
	out := map[string]string{}
	for key, value := range m {
		out[strings.ToLower(key)] = *value
	}
	return out
}

func isStatus(err error, status int) bool {
	var re *azcore.ResponseError
	return errors.As(err, &re) && re.StatusCode == status
}

func (x blobSuite) blobs(t *testing.T) {
	ctx, name := t.Context(), x.container(t)
	_, err := x.client.DownloadStream(ctx, name, "a/b", nil)
	wantBlob(t, err, bloberror.BlobNotFound)
	if _, err := x.blobClient(name, "a/b").GetProperties(ctx, nil); !isStatus(err, http.StatusNotFound) {
		t.Errorf("an absent blob: %v", err)
	}
	if _, err := x.client.UploadBuffer(ctx, name, "a/b", []byte("one"), &azblob.UploadBufferOptions{Metadata: map[string]*string{"k": to.Ptr("v")}, HTTPHeaders: &blob.HTTPHeaders{BlobContentType: to.Ptr("text/csv")}}); err != nil {
		t.Fatal(err)
	}
	text, got := x.read(t, name, "a/b", nil)
	if text != "one" || *got.ContentLength != 3 || *got.ContentType != "text/csv" || metadataOf(got.Metadata)["k"] != "v" || *got.BlobType != blob.BlobTypeBlockBlob {
		t.Errorf("got %q, %+v", text, got)
	}
	props, err := x.blobClient(name, "a/b").GetProperties(ctx, nil)
	if err != nil || *props.ContentLength != 3 || *props.ETag != *got.ETag || !props.LastModified.Equal(*got.LastModified) {
		t.Errorf("got %+v, %v", props, err)
	}
	again := x.put(t, name, "a/b", "three")
	if *again.ETag == *got.ETag {
		t.Error("a changed blob has its old ETag")
	}
	if text, got = x.read(t, name, "a/b", nil); text != "three" || len(got.Metadata) != 0 {
		t.Errorf("got %q, %v", text, got.Metadata)
	}
	if _, err := x.client.DeleteBlob(ctx, name, "a/b", nil); err != nil {
		t.Error(err)
	}
	_, err = x.client.DeleteBlob(ctx, name, "a/b", nil)
	wantBlob(t, err, bloberror.BlobNotFound)
	x.put(t, name, "empty", "")
	if text, got := x.read(t, name, "empty", nil); text != "" || *got.ContentLength != 0 {
		t.Errorf("got %q", text)
	}
}

func (x blobSuite) blockClient(name, blobName string) *blockblob.Client {
	return x.client.ServiceClient().NewContainerClient(name).NewBlockBlobClient(blobName)
}

func (x blobSuite) sums(t *testing.T) {
	ctx, name := t.Context(), x.container(t)
	body := func() io.ReadSeekCloser { return streaming.NopCloser(strings.NewReader("hello")) }
	sum := md5.Sum([]byte("hello"))
	wrong := blob.TransferValidationTypeMD5{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	_, err := x.blockClient(name, "a").Upload(ctx, body(), &blockblob.UploadOptions{TransactionalValidation: wrong})
	wantBlob(t, err, bloberror.MD5Mismatch)
	if _, err := x.blockClient(name, "a").Upload(ctx, body(), &blockblob.UploadOptions{TransactionalValidation: blob.TransferValidationTypeMD5(sum[:])}); err != nil {
		t.Fatal(err)
	}
	if _, got := x.read(t, name, "a", nil); !bytes.Equal(got.ContentMD5, sum[:]) {
		t.Errorf("the sum is %x", got.ContentMD5)
	}
}

func (x blobSuite) ranges(t *testing.T) {
	name := x.container(t)
	x.put(t, name, "a", "0123456789")
	for _, c := range []struct {
		offset, count int64
		want          string
	}{{0, 4, "0123"}, {4, 2, "45"}, {7, 0, "789"}, {8, 100, "89"}, {0, 0, "0123456789"}} {
		got, out := x.read(t, name, "a", &azblob.DownloadStreamOptions{Range: azblob.HTTPRange{Offset: c.offset, Count: c.count}})
		if got != c.want || *out.ContentLength != int64(len(c.want)) {
			t.Errorf("%d+%d: got %q", c.offset, c.count, got)
		}
		if c.want != "0123456789" && (out.ContentRange == nil || !strings.HasSuffix(*out.ContentRange, "/10")) {
			t.Errorf("%d+%d: the range is %v", c.offset, c.count, out.ContentRange)
		}
	}
	_, err := x.client.DownloadStream(t.Context(), name, "a", &azblob.DownloadStreamOptions{Range: azblob.HTTPRange{Offset: 20, Count: 1}})
	wantBlob(t, err, bloberror.InvalidRange)
}

func ifMatch(tag azcore.ETag) *blob.AccessConditions {
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: &tag}}
}

func ifNoneMatch(tag azcore.ETag) *blob.AccessConditions {
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: &tag}}
}

func (x blobSuite) reading(t *testing.T) {
	ctx, name := t.Context(), x.container(t)
	old := *x.put(t, name, "a", "one").ETag
	if got, _ := x.read(t, name, "a", &azblob.DownloadStreamOptions{AccessConditions: ifMatch(old)}); got != "one" {
		t.Errorf("got %q", got)
	}
	// The SDK makes no error of a 304.
	if got, err := x.client.DownloadStream(ctx, name, "a", &azblob.DownloadStreamOptions{AccessConditions: ifNoneMatch(old)}); err != nil || got.ErrorCode == nil || *got.ErrorCode != string(bloberror.ConditionNotMet) {
		t.Errorf("got %+v, %v", got, err)
	}
	x.put(t, name, "a", "two")
	_, err := x.client.DownloadStream(ctx, name, "a", &azblob.DownloadStreamOptions{AccessConditions: ifMatch(old), Range: azblob.HTTPRange{Offset: 1, Count: 1}})
	wantBlob(t, err, bloberror.ConditionNotMet)
	if _, err := x.blobClient(name, "a").GetProperties(ctx, &blob.GetPropertiesOptions{AccessConditions: ifMatch(old)}); !isStatus(err, http.StatusPreconditionFailed) {
		t.Errorf("properties of what changed: %v", err)
	}
}

func (x blobSuite) writing(t *testing.T) {
	ctx, name := t.Context(), x.container(t)
	body := func(s string) io.ReadSeekCloser { return streaming.NopCloser(strings.NewReader(s)) }
	first := &blockblob.UploadOptions{AccessConditions: ifNoneMatch(azcore.ETagAny)}
	if _, err := x.blockClient(name, "a").Upload(ctx, body("one"), first); err != nil {
		t.Fatal(err)
	}
	_, err := x.blockClient(name, "a").Upload(ctx, body("two"), first)
	wantBlob(t, err, bloberror.BlobAlreadyExists)
	old := *x.put(t, name, "a", "three").ETag
	x.put(t, name, "a", "four")
	_, err = x.blockClient(name, "a").Upload(ctx, body("five"), &blockblob.UploadOptions{AccessConditions: ifMatch(old)})
	wantBlob(t, err, bloberror.ConditionNotMet)
	_, err = x.client.DeleteBlob(ctx, name, "a", &azblob.DeleteBlobOptions{AccessConditions: ifMatch(old)})
	wantBlob(t, err, bloberror.ConditionNotMet)
	if got, _ := x.read(t, name, "a", nil); got != "four" {
		t.Errorf("got %q", got)
	}
}

func (x blobSuite) blocks(t *testing.T) {
	ctx, name := t.Context(), x.container(t)
	c := x.blockClient(name, "a")
	var ids []string
	for i, part := range []string{"first,", "second,", "third"} {
		id := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "block-%03d", i))
		if _, err := c.StageBlock(ctx, id, streaming.NopCloser(strings.NewReader(part)), nil); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	_, err := x.client.DownloadStream(ctx, name, "a", nil)
	wantBlob(t, err, bloberror.BlobNotFound)
	_, err = c.CommitBlockList(ctx, append(slices.Clone(ids), base64.StdEncoding.EncodeToString([]byte("block-999"))), nil)
	wantBlob(t, err, bloberror.InvalidBlockList)
	slices.Reverse(ids)
	if _, err := c.CommitBlockList(ctx, ids, nil); err != nil {
		t.Fatal(err)
	}
	if got, _ := x.read(t, name, "a", nil); got != "thirdsecond,first," {
		t.Errorf("got %q", got)
	}
}

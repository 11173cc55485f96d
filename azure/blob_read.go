package azure

import (
	"bytes"
	"context"
	"crypto/md5" // the checksum that Azure keeps; nothing secret hangs on it
	"hash"
	"io"
	"strings"
	"time"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// reader reads the container of one source.
type reader struct {
	ses   session
	blobs *azblob.Client
	at    place
	seen  *manifestCache
}

// blobState is a blob as a listing or a look found it.
type blobState struct {
	name, etag string
	size       int64
	modified   time.Time
}

func (p *Provider) reader(ctx context.Context, a *outlay.CloudAccount, at place) (reader, error) {
	ses, err := p.session(a)
	if err != nil {
		return reader{}, err
	}
	client, err := p.blobs(ctx, a, at.AccountURL)
	return reader{ses, client, at, &p.manifests}, err
}

// call names what reading a blob takes: a data action on the container.
func (r reader) call(doing string) call {
	return call{Action: actBlobsRead, Resource: "/" + strings.Trim(r.at.StorageID, "/") + "/blobServices/default/containers/" + r.at.Container, Doing: doing}
}

// list goes through the blobs of a folder, all pages.
func (r reader) list(ctx context.Context, prefix string, most int32, take func(blobState)) error {
	opts := &container.ListBlobsFlatOptions{Prefix: &prefix}
	if most > 0 {
		opts.MaxResults = &most
	}
	pages := r.blobs.NewListBlobsFlatPager(r.at.Container, opts)
	for pages.More() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failure(err, r.call("listing what was delivered"))
		}
		if page.Segment != nil {
			for _, b := range page.Segment.BlobItems {
				if b != nil && b.Name != nil {
					take(foundBlob(b))
				}
			}
		}
		if most > 0 {
			return nil
		}
	}
	return nil
}

func foundBlob(b *container.BlobItem) blobState {
	f := blobState{name: *b.Name, size: -1}
	if p := b.Properties; p != nil {
		if p.ETag != nil {
			f.etag = quoted(*p.ETag)
		}
		if p.ContentLength != nil {
			f.size = *p.ContentLength
		}
		f.modified = when(p.LastModified)
	}
	return f
}

// quoted is an entity tag as headers have it: listings give it without its quotes.
func quoted(tag azcore.ETag) string {
	if s := string(tag); s == "" || strings.HasPrefix(s, `"`) || strings.HasPrefix(s, "W/") {
		return s
	}
	return `"` + string(tag) + `"`
}

// incoming is a blob on its way to us.
type incoming struct {
	io.Reader
	body io.Closer
	size int64  // −1 when Azure does not say
	want []byte // its MD5 where Azure has one
	sum  hash.Hash
}

// Close ends the call.
func (i incoming) Close() error { return i.body.Close() }

// whole tells, at the end, whether what came is what Azure has: a byte may change on the way without the size changing.
func (i incoming) whole() bool { return len(i.want) == 0 || bytes.Equal(i.want, i.sum.Sum(nil)) }

// open begins to read a blob, pinned to the state it was found in.
func (r reader) open(ctx context.Context, name, etag string) (incoming, error) {
	got, err := r.blobs.DownloadStream(ctx, r.at.Container, name, &azblob.DownloadStreamOptions{AccessConditions: pinned(etag)})
	if err != nil {
		return incoming{}, moved(failure(err, r.call("reading "+name)))
	}
	in := incoming{body: got.Body, size: -1, want: got.ContentMD5, sum: md5.New()}
	if got.ContentLength != nil {
		in.size = *got.ContentLength
	}
	in.Reader = io.TeeReader(got.Body, in.sum)
	return in, nil
}

func pinned(etag string) *blob.AccessConditions {
	if etag == "" {
		return nil
	}
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: to(azcore.ETag(etag))}}
}

// look finds out the state of one blob.
func (r reader) look(ctx context.Context, name string) (blobState, error) {
	got, err := r.blobs.ServiceClient().NewContainerClient(r.at.Container).NewBlobClient(name).GetProperties(ctx, nil)
	if err != nil {
		return blobState{}, moved(failure(err, r.call("looking at "+name)))
	}
	f := blobState{name: name, size: -1, modified: when(got.LastModified)}
	if got.ETag != nil {
		f.etag = quoted(*got.ETag)
	}
	if got.ContentLength != nil {
		f.size = *got.ContentLength
	}
	return f, nil
}

// small reads a whole small blob.
func (r reader) small(ctx context.Context, f blobState) ([]byte, error) {
	in, err := r.open(ctx, f.name, f.etag)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }() // read only
	b, err := io.ReadAll(io.LimitReader(in, maxManifest+1))
	if err != nil || len(b) <= maxManifest && (!in.whole() || f.size >= 0 && int64(len(b)) != f.size) {
		return nil, cutShort(err, r.call("reading "+f.name))
	}
	return b, nil
}

// moved makes 'gone' and 'precondition failed' one thing: the delivery changed, start again with a fresh one.
func moved(err error) error {
	e := outlay.AsError(err)
	if e.Code == outlay.CodeNotFound {
		return &outlay.Error{Code: outlay.CodeConflict, Message: e.Message, Fix: "Nothing to do; it is read again when the delivery is whole.", Err: e.Err}
	}
	return err
}

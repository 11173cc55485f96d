package aws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// fetcher reads one delivery.
type fetcher struct {
	s3  *s3.Client
	at  location
	arn string // of the bucket, for messages
}

// remote is one object pinned to the state it was found in.
type remote struct {
	key, etag string
	size      int64
}

// Fetch reads a delivery's files into dir as 0.parquet, 1.parquet …, or 0.csv.gz … Every read is pinned to an ETag, no
// file may be of a later refresh than the manifest, and the manifest is looked at again at the end: whatever moved
// meanwhile is CodeConflict, and dir holds nothing that counts (clouds.md §2.9, reliability.md §4.1 rules 2 and 3).
func (p *Provider) Fetch(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source, d outlay.Delivery, dir string) ([]string, error) {
	at, ses, err := p.reach(ctx, a, s)
	if err != nil {
		return nil, err
	}
	f := fetcher{s3: ses.s3(at.Region), at: at, arn: "arn:" + ses.Partition + ":s3:::" + at.Bucket}
	pin := remote{key: d.Ref[refManifest], etag: d.Ref[refETag]}
	if again, ok := at.delivery(pin.key, pin.etag, d.Version, 0); !ok || again.Period != d.Period {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Look for deliveries again.", "%q is not a manifest of this source", clip(pin.key, 200))
	}
	keys, err := f.dataKeys(ctx, pin, d.Period)
	if err != nil {
		return nil, err
	}
	files, err := f.pinAll(ctx, keys, d.Version)
	if err != nil {
		return nil, err
	}
	for i, file := range files {
		if d.Ref != nil {
			d.Ref[outlay.RefFile(i)] = file.key
		}
	}
	paths, err := f.readAll(ctx, files, dir)
	if err != nil {
		return nil, err
	}
	return paths, f.unmoved(ctx, pin)
}

// dataKeys reads the manifest and returns the checked keys of its data files.
func (f fetcher) dataKeys(ctx context.Context, pin remote, period outlay.Period) ([]string, error) {
	c := f.call("reading the manifest")
	out, err := f.s3.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &f.at.Bucket, Key: &pin.key, IfMatch: &pin.etag, ExpectedBucketOwner: &f.at.Account, ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		return nil, moved(failure(err, c))
	}
	defer func() { _ = out.Body.Close() }() // read only
	body, err := io.ReadAll(io.LimitReader(out.Body, maxManifest+1))
	if err != nil {
		return nil, failure(err, c)
	}
	if f.at.Layout == layoutReport {
		return reportKeys(body, f.at, period)
	}
	m, err := parseManifest(body)
	if err != nil {
		return nil, err
	}
	return m.dataKeys(f.at, period)
}

// refreshGap is how much newer than its manifest a data file may be. AWS writes a month's data first and its manifest
// last, and hours lie between two refreshes.
const refreshGap = 15 * time.Minute

// pinAll notes size and ETag of every data file before the first is read. A file that is newer than its manifest
// belongs to the next refresh, which is being written over this one: the manifest does not move until that is whole, so
// that the files of both would be taken for one delivery.
func (f fetcher) pinAll(ctx context.Context, keys []string, manifest time.Time) ([]remote, error) {
	files := make([]remote, 0, len(keys))
	for _, key := range keys {
		head, err := f.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &f.at.Bucket, Key: &key, ExpectedBucketOwner: &f.at.Account})
		if err != nil {
			return nil, moved(failure(err, f.call("looking at "+key)))
		}
		if sdk.ToTime(head.LastModified).Sub(manifest) > refreshGap {
			return nil, &outlay.Error{
				Code: outlay.CodeConflict, Message: "looking at " + key + ": it is newer than the manifest: AWS is delivering this month anew",
				Fix: "Nothing to do; it is read when the delivery is whole. If that takes days, somebody else changes files in the bucket " + f.at.Bucket + ".",
			}
		}
		files = append(files, remote{key: key, etag: sdk.ToString(head.ETag), size: sdk.ToInt64(head.ContentLength)})
	}
	return files, nil
}

func (f fetcher) readAll(ctx context.Context, files []remote, dir string) ([]string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the staging folder: %w", err)
	}
	defer func() { _ = root.Close() }() // read only
	paths := make([]string, 0, len(files))
	for i, file := range files {
		name := fmt.Sprintf("%d%s", i, f.at.ending()) // our own name: never one of the manifest's (M24)
		if err := f.read(ctx, file, root, name); err != nil {
			return nil, err
		}
		paths = append(paths, filepath.Join(dir, name))
	}
	return paths, nil
}

// read copies one object, counting what arrives. The SDK compares the object's checksum where it has one.
func (f fetcher) read(ctx context.Context, file remote, root *os.Root, name string) error {
	c := f.call("reading " + file.key)
	out, err := f.s3.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &f.at.Bucket, Key: &file.key, IfMatch: &file.etag, ExpectedBucketOwner: &f.at.Account, ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		return moved(failure(err, c))
	}
	defer func() { _ = out.Body.Close() }() // read only
	local, err := root.Create(name)
	if err != nil {
		return fmt.Errorf("writing a staged file: %w", err)
	}
	defer func() { _ = local.Close() }() // closed and checked below; this is for the ways out before
	n, err := io.Copy(local, io.LimitReader(out.Body, file.size+1))
	if err != nil {
		return cutShort(err, c)
	}
	if n != file.size {
		return &outlay.Error{Code: outlay.CodeConflict, Message: fmt.Sprintf("%s: %d bytes came, %d were promised", c.Doing, n, file.size), Fix: "Nothing to do; it is read again."}
	}
	if err := local.Close(); err != nil {
		return fmt.Errorf("writing a staged file: %w", err)
	}
	return nil
}

// cutShort tells a full disk of ours from a cut connection.
func cutShort(err error, c call) error {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("writing a staged file: %w", err)
	}
	e := transportFailure(err, c)
	e.Message = c.Doing + ": the file was cut short or damaged on its way"
	return e
}

// unmoved looks at the manifest once more: the same one as at the beginning, or the delivery changed under the read.
func (f fetcher) unmoved(ctx context.Context, pin remote) error {
	c := f.call("looking at the manifest again")
	head, err := f.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &f.at.Bucket, Key: &pin.key, ExpectedBucketOwner: &f.at.Account})
	if err != nil {
		return moved(failure(err, c))
	}
	if sdk.ToString(head.ETag) != pin.etag {
		return changed(c)
	}
	return nil
}

func (f fetcher) call(doing string) call {
	return call{Action: "s3:GetObject", Resource: f.arn + "/" + f.at.base() + "*", Doing: doing}
}

func changed(c call) error {
	return &outlay.Error{Code: outlay.CodeConflict, Message: c.Doing + ": AWS delivered anew meanwhile", Fix: "Nothing to do; the new delivery is read instead."}
}

// moved makes 'gone' and 'precondition failed' one thing: the delivery changed, start again with a fresh one.
func moved(err error) error {
	e := outlay.AsError(err)
	if e.Code == outlay.CodeNotFound {
		return &outlay.Error{Code: outlay.CodeConflict, Message: e.Message, Fix: "Nothing to do; it is read again when the delivery is whole.", Err: e.Err}
	}
	return err
}

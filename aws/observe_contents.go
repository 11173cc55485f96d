package aws

import (
	"context"
	"strings"
	"time"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// created is when the bucket was made, zero where we may not list buckets. AWS moves this date forward on some
// changes, never back, so that 'not before our intent' still holds.
func (d bucketDoor) created(ctx context.Context) (time.Time, error) {
	pages := s3.NewListBucketsPaginator(d.s3, &s3.ListBucketsInput{Prefix: d.name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			err = failure(err, call{Action: "s3:ListAllMyBuckets", Resource: "*", Doing: "reading when the bucket was created"})
			if isRefusal(err) {
				return time.Time{}, nil
			}
			return time.Time{}, err
		}
		for _, b := range page.Buckets {
			if sdk.ToString(b.Name) == *d.name {
				return sdk.ToTime(b.CreationDate).UTC(), nil
			}
		}
	}
	return time.Time{}, nil
}

// heldKey is one thing in a bucket: a version of an object, or a marker of its deletion.
type heldKey struct {
	key, version string
	bytes        int64
}

// versions yields everything in the bucket page by page: versions and deletion markers too, since somebody may have
// turned versioning on (clouds.md §2.4).
func (d bucketDoor) versions(ctx context.Context, page func([]heldKey) error) error {
	pages := s3.NewListObjectVersionsPaginator(d.s3, &s3.ListObjectVersionsInput{Bucket: d.name, ExpectedBucketOwner: d.owner})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return failure(err, d.call("s3:ListBucketVersions", "listing what is in the bucket"))
		}
		var keys []heldKey
		for _, v := range out.Versions {
			keys = append(keys, heldKey{sdk.ToString(v.Key), sdk.ToString(v.VersionId), sdk.ToInt64(v.Size)})
		}
		for _, m := range out.DeleteMarkers {
			keys = append(keys, heldKey{key: sdk.ToString(m.Key), version: sdk.ToString(m.VersionId)})
		}
		if err := page(keys); err != nil {
			return err
		}
	}
	return nil
}

// uploads are the multipart uploads that never ended.
func (d bucketDoor) uploads(ctx context.Context) ([]types.MultipartUpload, error) {
	var all []types.MultipartUpload
	pages := s3.NewListMultipartUploadsPaginator(d.s3, &s3.ListMultipartUploadsInput{Bucket: d.name, ExpectedBucketOwner: d.owner})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failure(err, d.call("s3:ListBucketMultipartUploads", "listing unfinished uploads"))
		}
		all = append(all, out.Uploads...)
	}
	return all, nil
}

// isOurKey tells whether a key lies in the folder that is ours.
func isOurKey(key string) bool { return strings.HasPrefix(key, filesPrefix+"/") }

// contents counts what deprovisioning would delete, and what it must not.
func (o *observer) contents(ctx context.Context, d bucketDoor, base outlay.Resource) {
	r := outlay.Resource{Kind: kindObjects, Name: base.Name, ProviderID: base.ProviderID, Created: base.Created, Owner: base.Owner, Properties: map[string]string{}}
	months := map[outlay.Period]bool{}
	err := d.versions(ctx, func(keys []heldKey) error {
		for _, k := range keys {
			if !isOurKey(k.key) {
				r.Foreign++
				continue
			}
			r.Objects++
			r.Bytes += k.bytes
			if p := periodOfKey(k.key); p != "" {
				months[p] = true
			}
		}
		return nil
	})
	var uploads []types.MultipartUpload
	if err == nil {
		uploads, err = d.uploads(ctx)
	}
	if err != nil {
		o.unknown(string(kindObjects), err)
		return
	}
	for _, u := range uploads {
		if !isOurKey(sdk.ToString(u.Key)) {
			r.Foreign++
		}
	}
	r.Properties["months"] = plural(len(months), "month", "months")
	if r.Objects+r.Foreign > 0 || len(uploads) > 0 {
		o.add(r)
	}
}

// periodOfKey is the month whose folder a key lies in, or "".
func periodOfKey(key string) outlay.Period {
	for part := range strings.SplitSeq(key, "/") {
		if p := periodOfFolder(part); p != "" {
			return p
		}
	}
	return ""
}

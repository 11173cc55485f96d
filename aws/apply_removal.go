package aws

import (
	"context"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// maxDelete is how many keys S3 takes in one DeleteObjects.
const maxDelete = 1000

// emptyings is how often a bucket is emptied again when a late delivery arrives before it is deleted.
const emptyings = 3

// doomed finds the bucket that is to be emptied or deleted, and checks once more, right before it happens, that it is
// ours by ledger, tags and age (reliability.md M12). found is false when it is gone already.
func (w *applier) doomed(ctx context.Context) (d bucketDoor, found bool, err error) {
	n := w.n
	n.Bucket = w.c.Name
	d = w.ses.door(n)
	live, found, err := w.ourBucket(ctx, d, n)
	if err != nil || !found {
		return d, false, err
	}
	live.Kind, live.Name = kindBucket, n.Bucket
	if why := w.p.mayDelete(w.s, live); why != "" {
		return d, false, &outlay.Error{
			Code: outlay.CodeConflict, Outcome: outlay.DefinitelyNot, Message: "the bucket " + n.Bucket + " is not deleted: " + why,
			Fix: "Deprovision again and keep the files.",
		}
	}
	return d, true, nil
}

// deleteObjects stops late deliveries by taking our statements out of the policy, then removes everything under our
// folder. A single key outside of it stops the deletion before the first object goes (clouds.md §2.4).
func (w *applier) deleteObjects(ctx context.Context) (outlay.Resource, error) {
	d, found, err := w.doomed(ctx)
	if err != nil || !found {
		return outlay.Resource{State: outlay.StateDeleted}, err
	}
	if err := d.onlyOurs(ctx); err != nil {
		return outlay.Resource{}, err
	}
	if err := d.mergePolicy(ctx, nil); err != nil {
		return outlay.Resource{}, err
	}
	return outlay.Resource{State: outlay.StateDeleted, ProviderID: d.arn}, d.empty(ctx)
}

// onlyOurs refuses when the bucket holds anything outside our folder.
func (d bucketDoor) onlyOurs(ctx context.Context) error {
	foreign, example := 0, ""
	note := func(key string) {
		if !isOurKey(key) {
			foreign++
			example = key
		}
	}
	err := d.versions(ctx, func(keys []heldKey) error {
		for _, k := range keys {
			note(k.key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	uploads, err := d.uploads(ctx)
	if err != nil {
		return err
	}
	for _, u := range uploads {
		note(sdk.ToString(u.Key))
	}
	if foreign == 0 {
		return nil
	}
	return &outlay.Error{
		Code: outlay.CodeConflict, Outcome: outlay.DefinitelyNot,
		Message: "the bucket " + *d.name + " holds " + plural(foreign, "object", "objects") + " that Outlay did not put there, such as " + clip(example, 100) + "; nothing was deleted",
		Fix:     "Move them elsewhere and try again, or deprovision with the files kept.",
	}
}

// empty removes every version and every unfinished upload in our folder.
func (d bucketDoor) empty(ctx context.Context) error {
	uploads, err := d.uploads(ctx)
	if err != nil {
		return err
	}
	for _, u := range uploads {
		if !isOurKey(sdk.ToString(u.Key)) {
			continue
		}
		_, err := d.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: d.name, Key: u.Key, UploadId: u.UploadId, ExpectedBucketOwner: d.owner})
		if err != nil && !isGone(err) {
			return failure(err, d.call("s3:AbortMultipartUpload", "ending unfinished uploads"))
		}
	}
	return d.versions(ctx, func(keys []heldKey) error {
		var batch []types.ObjectIdentifier
		for _, k := range keys {
			if !isOurKey(k.key) {
				continue
			}
			id := types.ObjectIdentifier{Key: sdk.String(k.key)}
			if k.version != "" {
				id.VersionId = sdk.String(k.version)
			}
			batch = append(batch, id)
		}
		return d.deleteBatch(ctx, batch)
	})
}

// deleteBatch deletes keys; S3 tells of single failures inside a 200 (clouds.md §2.4).
func (d bucketDoor) deleteBatch(ctx context.Context, ids []types.ObjectIdentifier) error {
	for len(ids) > 0 {
		n := min(len(ids), maxDelete)
		out, err := d.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: d.name, ExpectedBucketOwner: d.owner, Delete: &types.Delete{Objects: ids[:n], Quiet: sdk.Bool(true)},
		})
		if err != nil {
			return failure(err, d.call("s3:DeleteObject", "deleting delivered files"))
		}
		for _, e := range out.Errors {
			return d.notDeleted(e)
		}
		ids = ids[n:]
	}
	return nil
}

func (d bucketDoor) notDeleted(e types.Error) error {
	c := call{Action: "s3:DeleteObject", Resource: d.arn + "/*", Doing: "deleting " + clip(sdk.ToString(e.Key), 100)}
	status := 400
	if code := sdk.ToString(e.Code); code == "InternalError" || code == "ServiceUnavailable" {
		status = 503
	}
	if v := sdk.ToString(e.VersionId); v != "" && v != "null" {
		c.Action = "s3:DeleteObjectVersion"
	}
	return classify(sdk.ToString(e.Code), status, sdk.ToString(e.Message), c)
}

// deleteBucket deletes the bucket, emptying it again when a late delivery came in between.
func (w *applier) deleteBucket(ctx context.Context) (outlay.Resource, error) {
	d, found, err := w.doomed(ctx)
	if err != nil || !found {
		return outlay.Resource{State: outlay.StateDeleted}, err
	}
	for try := 0; ; try++ {
		_, err = d.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: d.name, ExpectedBucketOwner: d.owner})
		if !isCode(err, "BucketNotEmpty") || try == emptyings {
			break
		}
		if err := d.onlyOurs(ctx); err != nil {
			return outlay.Resource{}, err
		}
		if err := d.empty(ctx); err != nil {
			return outlay.Resource{}, err
		}
	}
	if err != nil && !isGone(err) {
		return outlay.Resource{}, failure(err, d.call("s3:DeleteBucket", "deleting the bucket "+*d.name))
	}
	return outlay.Resource{State: outlay.StateDeleted, ProviderID: d.arn}, nil
}

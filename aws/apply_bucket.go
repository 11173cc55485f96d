package aws

import (
	"context"
	"slices"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// createBucket looks first: in us-east-1 AWS answers 200 to making one's own bucket again, and resets its access
// lists (clouds.md §2.3). The bucket is born with our tags, so that there is no moment in which nobody knows whose
// it is.
func (w *applier) createBucket(ctx context.Context) (outlay.Resource, error) {
	n := w.n
	n.Bucket, n.Region = w.c.Name, orElse(w.c.To[propRegion], n.Region)
	d := w.ses.door(n)
	if r, found, err := w.ourBucket(ctx, d, n); err != nil || found {
		return r, err
	}
	config := &types.CreateBucketConfiguration{}
	if n.Region != "us-east-1" { // must not be named there, and must be named elsewhere
		config.LocationConstraint = types.BucketLocationConstraint(n.Region)
	}
	tags := w.p.ourTags(w.s, w.operation())
	for _, k := range sortedKeys(tags) {
		config.Tags = append(config.Tags, types.Tag{Key: sdk.String(k), Value: sdk.String(tags[k])})
	}
	in := &s3.CreateBucketInput{Bucket: d.name, CreateBucketConfiguration: config}
	if accountRegional(n) {
		in.BucketNamespace = types.BucketNamespaceAccountRegional
	}
	_, err := d.s3.CreateBucket(ctx, in, func(o *s3.Options) { o.Retryer = sdk.NopRetryer{} })
	if isCode(err, "BucketAlreadyOwnedByYou") {
		if r, found, lookErr := w.ourBucket(ctx, d, n); lookErr != nil || found {
			return r, lookErr
		}
	}
	if isCode(err, "NotImplemented", "InvalidBucketNamespace") && accountRegional(n) {
		return outlay.Resource{}, noNamespace(err, n)
	}
	if err != nil {
		return outlay.Resource{}, failure(err, d.call("s3:CreateBucket", "creating the bucket "+n.Bucket))
	}
	return bucketResource(d, n, tags), nil
}

// noNamespace is what a part of AWS answers that keeps no names for one account. The name of a confirmed plan is final,
// so that a person has to choose another (reliability.md §3.1 rule 2).
func noNamespace(err error, n names) error {
	return &outlay.Error{
		Code: outlay.CodeInvalid, Outcome: outlay.DefinitelyNot, Field: fieldBucket, Err: err,
		Message: "creating the bucket " + n.Bucket + ": AWS keeps no bucket names for one account alone in " + n.Region,
		Fix:     "Stop and undo this run, then provision again with a bucket name of your own.",
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func bucketResource(d bucketDoor, n names, tags map[string]string) outlay.Resource {
	r := outlay.Resource{State: outlay.StateCreated, ProviderID: d.arn, Owner: marks(tags), Properties: map[string]string{propRegion: n.Region}}
	if accountRegional(n) {
		r.Properties[propNamespace] = "this account"
	}
	return r
}

// ourBucket finds the bucket when it is there; one that does not bear the marks of this source stops the change.
func (w *applier) ourBucket(ctx context.Context, d bucketDoor, n names) (outlay.Resource, bool, error) {
	_, found, err := d.head(ctx)
	if err != nil || !found {
		return outlay.Resource{}, false, err
	}
	tags, err := d.tags(ctx)
	if isGone(err) {
		return outlay.Resource{}, false, nil
	}
	if err != nil {
		return outlay.Resource{}, false, err
	}
	if !w.p.ours(w.s, tags) {
		return outlay.Resource{}, false, notOurs("bucket", n.Bucket)
	}
	r := bucketResource(d, n, tags)
	r.Created, err = d.created(ctx)
	return r, true, err
}

// inBucket makes a change within the bucket, after making sure that the bucket is ours.
func (w *applier) inBucket(ctx context.Context, change func(context.Context, bucketDoor) (map[string]string, error)) (outlay.Resource, error) {
	n := w.n
	n.Bucket = w.c.Name
	d := w.ses.door(n)
	r, found, err := w.ourBucket(ctx, d, n)
	if err != nil {
		return outlay.Resource{}, err
	}
	if !found {
		return outlay.Resource{}, &outlay.Error{
			Code: outlay.CodeConflict, Outcome: outlay.DefinitelyNot, Message: "the bucket " + n.Bucket + " does not exist",
			Fix: "Make a new plan: it creates the bucket again.",
		}
	}
	r.Properties, err = change(ctx, d)
	return r, err
}

func (w *applier) setAccess(ctx context.Context, d bucketDoor) (map[string]string, error) {
	yes := sdk.Bool(true)
	_, err := d.s3.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{
		Bucket: d.name, ExpectedBucketOwner: d.owner,
		PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicAcls: yes, BlockPublicPolicy: yes, IgnorePublicAcls: yes, RestrictPublicBuckets: yes},
	})
	if err != nil {
		return nil, failure(err, d.call("s3:PutBucketPublicAccessBlock", "blocking public access"))
	}
	_, err = d.s3.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{
		Bucket: d.name, ExpectedBucketOwner: d.owner,
		OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}}},
	})
	if err != nil {
		return nil, failure(err, d.call("s3:PutBucketOwnershipControls", "owning delivered files"))
	}
	return map[string]string{propPublic: publicBlocked, propOwnership: ownerEnforced}, nil
}

// setSettings puts our lifecycle rule beside those of others. Nothing expires: AWS does not send a closed month again.
func (w *applier) setSettings(ctx context.Context, d bucketDoor) (map[string]string, error) {
	_, err := d.s3.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{
		Bucket: d.name, ExpectedBucketOwner: d.owner,
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{
			ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256},
		}}},
	})
	if err != nil {
		return nil, failure(err, d.call("s3:PutEncryptionConfiguration", "encrypting the bucket"))
	}
	rules, err := d.lifecycle(ctx)
	if err != nil {
		return nil, err
	}
	rules = append(slices.DeleteFunc(rules, isOurRule), types.LifecycleRule{
		ID: sdk.String(lifecycleRule), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: sdk.String("")},
		AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: sdk.Int32(lifecycleDays)},
	})
	_, err = d.s3.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{
		Bucket: d.name, ExpectedBucketOwner: d.owner, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: rules},
	})
	if err != nil {
		return nil, failure(err, d.call("s3:PutLifecycleConfiguration", "removing unfinished uploads"))
	}
	return map[string]string{propEncryption: encryptionS3, propUploads: uploadsRemoved}, nil
}

// setPolicy merges: toward a plan with a wish our statements are put in, toward nothing they are taken out, and those
// of others stay as they are.
func (w *applier) setPolicy(ctx context.Context, d bucketDoor) (map[string]string, error) {
	want := map[string]string{}
	if w.s.Spec != nil {
		n := w.n
		n.Bucket = *d.name
		want = wantedStatements(n)
	}
	return want, d.mergePolicy(ctx, want)
}

// mergePolicy replaces our statements by want, in one read and at most one write. A policy that would be left without
// statements is removed, since AWS takes no empty one.
func (d bucketDoor) mergePolicy(ctx context.Context, want map[string]string) error {
	is, err := d.policy(ctx)
	if err != nil {
		return err
	}
	if from, to := differences(is.ours(), want); len(from) == 0 && len(to) == 0 && len(is.ours()) == len(want) {
		return nil
	}
	next := is.with(want)
	if next.empty() {
		_, err = d.s3.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: d.name, ExpectedBucketOwner: d.owner})
		return failure(err, d.call("s3:DeleteBucketPolicy", "removing the bucket's policy"))
	}
	_, err = d.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: d.name, ExpectedBucketOwner: d.owner, Policy: sdk.String(next.String())})
	return failure(err, d.call("s3:PutBucketPolicy", "writing the bucket's policy"))
}

package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The settings that we own, by the names they have in plans.
const (
	propRegion     = "region"
	propNamespace  = "namespace"
	propPublic     = "public access"
	propOwnership  = "object ownership"
	propEncryption = "encryption"
	propUploads    = "unfinished uploads"

	publicBlocked  = "blocked"
	ownerEnforced  = "BucketOwnerEnforced"
	encryptionS3   = "AES256"
	uploadsRemoved = "removed after 7 days"
	lifecycleRule  = "outlay-unfinished-uploads"
	lifecycleDays  = 7
)

// bucketDoor makes the calls on one bucket. Every call names the owner that it expects (reliability.md M14).
type bucketDoor struct {
	s3     *s3.Client
	name   *string
	owner  *string
	arn    string
	region string
}

func (ses session) door(n names) bucketDoor {
	return bucketDoor{s3: ses.s3(n.Region), name: &n.Bucket, owner: &n.Account, arn: "arn:" + n.Partition + ":s3:::" + n.Bucket, region: n.Region}
}

func (d bucketDoor) call(action, doing string) call {
	return call{Action: action, Resource: d.arn, Doing: doing}
}

// bucket looks at the bucket and at those of its parts that the look asks for.
func (o *observer) bucket(ctx context.Context) {
	parts := []outlay.ResourceKind{kindBucket, kindAccess, kindSettings, kindPolicy, kindObjects}
	if o.n.Bucket == "" || !o.wants(parts...) {
		return
	}
	d := o.ses.door(o.n)
	base, found, err := o.base(ctx, d)
	if err != nil {
		for _, kind := range parts {
			if o.look.Wants(kind) {
				o.unknown(string(kind), err)
			}
		}
		return
	}
	if !found {
		return
	}
	if o.look.Wants(kindBucket) {
		o.add(base)
	}
	if base.State == outlay.StateForeign {
		return // what is inside somebody else's bucket is none of our business
	}
	o.part(ctx, base, kindAccess, d.access)
	o.part(ctx, base, kindSettings, d.settings)
	o.part(ctx, base, kindPolicy, d.ourStatements)
	if o.look.Contents || o.names(kindObjects) {
		o.contents(ctx, d, base)
	}
}

// base is the bucket itself: whether it is there, where, since when, and whose.
func (o *observer) base(ctx context.Context, d bucketDoor) (r outlay.Resource, found bool, err error) {
	region, found, err := d.head(ctx)
	if err != nil || !found {
		return outlay.Resource{}, false, err
	}
	r = outlay.Resource{Kind: kindBucket, Name: o.n.Bucket, ProviderID: d.arn, Properties: map[string]string{propRegion: region}}
	if region == "" {
		r.Properties[propRegion] = o.n.Region
	}
	if accountRegional(o.n) {
		r.Properties[propNamespace] = "this account"
	}
	tags, err := d.tags(ctx)
	if err != nil {
		return outlay.Resource{}, false, err
	}
	r.Owner = marks(tags)
	if !o.p.ours(o.s, r.Owner) {
		r.State = outlay.StateForeign
		return r, true, nil
	}
	r.Created, err = d.created(ctx)
	return r, true, err
}

// part reads one part of the bucket as a resource of its own.
func (o *observer) part(ctx context.Context, base outlay.Resource, kind outlay.ResourceKind, read func(context.Context) (map[string]string, error)) {
	if !o.look.Wants(kind) {
		return
	}
	props, err := read(ctx)
	if err != nil {
		o.unknown(string(kind), err)
		return
	}
	o.add(outlay.Resource{Kind: kind, Name: base.Name, ProviderID: base.ProviderID, Created: base.Created, Owner: base.Owner, Properties: props})
}

// head tells whether the bucket is there and ours to look at, and its region. HeadBucket has no body: 404 is 'not
// there', 403 is 'somebody else's, or we may not look', and 301 means another region (clouds.md §2.3).
func (d bucketDoor) head(ctx context.Context) (region string, found bool, err error) {
	out, err := d.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: d.name, ExpectedBucketOwner: d.owner})
	if err == nil {
		return sdk.ToString(out.BucketRegion), true, nil
	}
	if isGone(err) || statusOf(err) == 404 {
		return "", false, nil
	}
	if where := elsewhere(err, d.region); where != "" {
		return "", false, outlay.Errorf(outlay.CodeConflict, "Choose region "+where+", or another bucket name.", "the bucket %s is in region %s", *d.name, where)
	}
	e := outlay.AsError(failure(err, d.call("s3:ListBucket", "looking for the bucket "+*d.name)))
	if statusOf(err) == 403 && isRefusal(e) && !strings.HasSuffix(*d.name, "-an") { // anybody may have taken a global name
		e.Message += ", or the bucket is somebody else's and another name is needed"
	}
	return "", false, e
}

// elsewhere is the region that S3 says a bucket is in, when that is not the one that was asked. A wrong region is a 301,
// or a 400 where the signature names it (clouds.md §9).
func elsewhere(err error, asked string) string {
	re, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || re.Response == nil || (re.HTTPStatusCode() != 301 && re.HTTPStatusCode() != 400) {
		return ""
	}
	if where := re.Response.Header.Get("X-Amz-Bucket-Region"); where != asked {
		return where
	}
	return ""
}

func (d bucketDoor) tags(ctx context.Context) (map[string]string, error) {
	out, err := d.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: d.name, ExpectedBucketOwner: d.owner})
	if isCode(err, "NoSuchTagSet") {
		return nil, nil
	}
	if err != nil {
		return nil, failure(err, d.call("s3:GetBucketTagging", "reading the bucket's tags"))
	}
	tags := map[string]string{}
	for _, t := range out.TagSet {
		tags[sdk.ToString(t.Key)] = sdk.ToString(t.Value)
	}
	return tags, nil
}

// access is who may reach the objects at all.
func (d bucketDoor) access(ctx context.Context) (map[string]string, error) {
	props := map[string]string{propPublic: "not blocked", propOwnership: "not set"}
	block, err := d.s3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: d.name, ExpectedBucketOwner: d.owner})
	switch {
	case isCode(err, "NoSuchPublicAccessBlockConfiguration"):
	case err != nil:
		return nil, failure(err, d.call("s3:GetBucketPublicAccessBlock", "reading the bucket's public access block"))
	default:
		props[propPublic] = publicAccess(block.PublicAccessBlockConfiguration)
	}
	owner, err := d.s3.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: d.name, ExpectedBucketOwner: d.owner})
	switch {
	case isCode(err, "OwnershipControlsNotFoundError"):
	case err != nil:
		return nil, failure(err, d.call("s3:GetBucketOwnershipControls", "reading the bucket's object ownership"))
	case owner.OwnershipControls != nil && len(owner.OwnershipControls.Rules) > 0:
		props[propOwnership] = string(owner.OwnershipControls.Rules[0].ObjectOwnership)
	}
	return props, nil
}

func publicAccess(b *types.PublicAccessBlockConfiguration) string {
	if b == nil {
		return "not blocked"
	}
	var open []string
	for name, on := range map[string]*bool{
		"BlockPublicAcls": b.BlockPublicAcls, "IgnorePublicAcls": b.IgnorePublicAcls,
		"BlockPublicPolicy": b.BlockPublicPolicy, "RestrictPublicBuckets": b.RestrictPublicBuckets,
	} {
		if !sdk.ToBool(on) {
			open = append(open, name)
		}
	}
	if len(open) == 0 {
		return publicBlocked
	}
	slices.Sort(open)
	return strings.Join(open, ", ") + " off"
}

// settings is how objects are encrypted and what happens to uploads that never ended.
func (d bucketDoor) settings(ctx context.Context) (map[string]string, error) {
	props := map[string]string{propEncryption: "none", propUploads: "kept"}
	enc, err := d.s3.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: d.name, ExpectedBucketOwner: d.owner})
	switch {
	case isCode(err, "ServerSideEncryptionConfigurationNotFoundError"):
	case err != nil:
		return nil, failure(err, d.call("s3:GetEncryptionConfiguration", "reading the bucket's encryption"))
	case enc.ServerSideEncryptionConfiguration != nil && len(enc.ServerSideEncryptionConfiguration.Rules) > 0:
		if by := enc.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault; by != nil {
			props[propEncryption] = string(by.SSEAlgorithm)
		}
	}
	rules, err := d.lifecycle(ctx)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(rules, isOurRule); i >= 0 && rules[i].Status == types.ExpirationStatusEnabled && rules[i].AbortIncompleteMultipartUpload != nil {
		if days := sdk.ToInt32(rules[i].AbortIncompleteMultipartUpload.DaysAfterInitiation); days == lifecycleDays {
			props[propUploads] = uploadsRemoved
		} else {
			props[propUploads] = fmt.Sprintf("removed after %d days", days)
		}
	}
	return props, nil
}

func (d bucketDoor) lifecycle(ctx context.Context) ([]types.LifecycleRule, error) {
	out, err := d.s3.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: d.name, ExpectedBucketOwner: d.owner})
	if isCode(err, "NoSuchLifecycleConfiguration") {
		return nil, nil
	}
	if err != nil {
		return nil, failure(err, d.call("s3:GetLifecycleConfiguration", "reading the bucket's lifecycle rules"))
	}
	return out.Rules, nil
}

func isOurRule(r types.LifecycleRule) bool { return sdk.ToString(r.ID) == lifecycleRule }

// policy is the bucket's policy with all statements, ours and others'.
func (d bucketDoor) policy(ctx context.Context) (bucketPolicy, error) {
	out, err := d.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: d.name, ExpectedBucketOwner: d.owner})
	if isCode(err, "NoSuchBucketPolicy") {
		return parsePolicy("")
	}
	if err != nil {
		return bucketPolicy{}, failure(err, d.call("s3:GetBucketPolicy", "reading the bucket's policy"))
	}
	return parsePolicy(sdk.ToString(out.Policy))
}

// ourStatements are our statements of the policy, by Sid.
func (d bucketDoor) ourStatements(ctx context.Context) (map[string]string, error) {
	p, err := d.policy(ctx)
	if err != nil {
		return nil, err
	}
	return p.ours(), nil
}

package aws_test

import (
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"outlay/simcloud/aws"
)

func constraint(region string) *types.CreateBucketConfiguration {
	return &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)}
}

func TestWhereBucketsCanBeMade(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.PlantBucket(aloneID, "us-east-1", "taken")
	for _, c := range []struct {
		name, endpoint, bucket string
		config                 *types.CreateBucketConfiguration
		code                   string
	}{
		{"us-east-1 by default", "us-east-1", "aaa", nil, ""},
		{"again, ours, in us-east-1", "us-east-1", "aaa", nil, ""},
		{"from us-east-1 to elsewhere", "us-east-1", "bbb", constraint("eu-central-1"), ""},
		{"again, ours, elsewhere", "us-east-1", "bbb", constraint("eu-central-1"), "BucketAlreadyOwnedByYou"},
		{"no constraint elsewhere", "eu-west-1", "ddd", nil, "IllegalLocationConstraintException"},
		{"another constraint", "eu-west-1", "ddd", constraint("eu-central-1"), "IllegalLocationConstraintException"},
		{"the endpoint's own", "eu-west-1", "ddd", constraint("eu-west-1"), ""},
		{"somebody else's name", "us-east-1", "taken", nil, "BucketAlreadyExists"},
		{"bad name", "us-east-1", "Big_Name", nil, "InvalidBucketName"},
		{"reserved ending", "us-east-1", "x-an", nil, "InvalidBucketName"},
	} {
		id := w.as(payerID, "ada", "*")
		client := w.clients(id.cred, c.endpoint)
		_, err := client.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &c.bucket, CreateBucketConfiguration: c.config})
		if c.code == "" && err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if c.code != "" {
			t.Run(c.name, func(t *testing.T) { wantCode(t, err, c.code) })
		}
	}
}

func TestConstraintThatIsNone(t *testing.T) {
	w := newLawlessWorld(t, aws.Options{})
	_, err := w.as(payerID, "ada", "*").s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: awssdk.String("ccc"), CreateBucketConfiguration: constraint("us-east-1")})
	wantCode(t, err, "InvalidLocationConstraint")
}

func TestAccountRegionalNames(t *testing.T) {
	for _, c := range []struct {
		name, bucket string
		none         bool
		code         string
	}{
		{"ours", "outlay-abc-111122223333-us-east-1-an", false, ""},
		{"of another account", "outlay-abc-222233334444-us-east-1-an", false, "InvalidBucketName"},
		{"of another region", "outlay-abc-111122223333-eu-west-1-an", false, "InvalidBucketName"},
		{"nothing before", "-111122223333-us-east-1-an", false, "InvalidBucketName"},
		{"where there is none", "outlay-abc-111122223333-us-east-1-an", true, "NotImplemented"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, aws.Options{NoAccountRegional: c.none})
			_, err := w.as(payerID, "ada", "*").s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &c.bucket, BucketNamespace: types.BucketNamespaceAccountRegional})
			if c.code == "" && err != nil {
				t.Error(err)
			} else if c.code != "" {
				wantCode(t, err, c.code)
			}
		})
	}
}

func TestTagsAtBirth(t *testing.T) {
	w := newWorld(t, aws.Options{})
	c := w.as(payerID, "ada", "*")
	in := &s3.CreateBucketInput{Bucket: awssdk.String("born"), CreateBucketConfiguration: &types.CreateBucketConfiguration{Tags: []types.Tag{{Key: awssdk.String("managed-by"), Value: awssdk.String("outlay")}}}}
	w.Deny(w.UserARN(payerID, "ada"), "s3:TagResource")
	_, err := c.s3.CreateBucket(t.Context(), in)
	wantCode(t, err, "AccessDenied")
	w.Undeny(w.UserARN(payerID, "ada"))
	if _, err := c.s3.CreateBucket(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if b := w.Buckets(); len(b) != 1 || b[0].Tags["managed-by"] != "outlay" {
		t.Errorf("got %+v", b)
	}
}

func TestBucketOfAnotherRegionOrOwner(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.PlantBucket(payerID, "eu-west-1", "west")
	w.PlantBucket(aloneID, "us-east-1", "theirs")
	c := w.as(payerID, "ada", "*")
	_, err := c.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: awssdk.String("west")})
	wantCode(t, err, "PermanentRedirect")
	if _, err := c.s3.GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: awssdk.String("west")}); err != nil {
		t.Error(err)
	}
	_, err = c.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: awssdk.String("theirs")})
	wantCode(t, err, "AccessDenied")
	_, err = c.s3.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: awssdk.String("theirs")})
	if err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("got %v", err)
	}
}

// Settings come back as they were put, and have the defaults of 2023 before.
func TestSettings(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.PlantBucket(payerID, "us-east-1", "set")
	c, name, ctx := w.as(payerID, "ada", "*").s3, awssdk.String("set"), t.Context()
	access := must[*s3.GetPublicAccessBlockOutput](t)(c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: name}))
	if !*access.PublicAccessBlockConfiguration.BlockPublicPolicy {
		t.Error("a new bucket may be public")
	}
	off := &types.PublicAccessBlockConfiguration{BlockPublicAcls: awssdk.Bool(true), BlockPublicPolicy: awssdk.Bool(false), IgnorePublicAcls: awssdk.Bool(true), RestrictPublicBuckets: awssdk.Bool(true)}
	must[*s3.PutPublicAccessBlockOutput](t)(c.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: name, PublicAccessBlockConfiguration: off}))
	access = must[*s3.GetPublicAccessBlockOutput](t)(c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: name}))
	if *access.PublicAccessBlockConfiguration.BlockPublicPolicy || !*access.PublicAccessBlockConfiguration.BlockPublicAcls {
		t.Errorf("got %+v", access.PublicAccessBlockConfiguration)
	}
	enc := must[*s3.GetBucketEncryptionOutput](t)(c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: name}))
	if enc.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm != types.ServerSideEncryptionAes256 {
		t.Errorf("got %+v", enc)
	}
	must[*s3.PutBucketEncryptionOutput](t)(c.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: name, ServerSideEncryptionConfiguration: enc.ServerSideEncryptionConfiguration}))
	owner := must[*s3.GetBucketOwnershipControlsOutput](t)(c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name}))
	if owner.OwnershipControls.Rules[0].ObjectOwnership != types.ObjectOwnershipBucketOwnerEnforced {
		t.Errorf("got %+v", owner)
	}
	_, err := c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: name})
	wantCode(t, err, "NoSuchLifecycleConfiguration")
	rule := types.LifecycleRule{
		ID: awssdk.String("abort"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: awssdk.String("")},
		AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: awssdk.Int32(7)},
	}
	must[*s3.PutBucketLifecycleConfigurationOutput](t)(c.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: name, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{rule}}}))
	life := must[*s3.GetBucketLifecycleConfigurationOutput](t)(c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: name}))
	if *life.Rules[0].AbortIncompleteMultipartUpload.DaysAfterInitiation != 7 {
		t.Errorf("got %+v", life.Rules)
	}
	if v := must[*s3.GetBucketVersioningOutput](t)(c.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: name})); v.Status != "" {
		t.Errorf("versioning is %s", v.Status)
	}
}

func TestBucketPolicy(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.PlantBucket(payerID, "us-east-1", "guarded")
	c, name := w.as(payerID, "ada", "*").s3, awssdk.String("guarded")
	put := func(doc string) error {
		_, err := c.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: name, Policy: &doc})
		return err
	}
	for doc, code := range map[string]string{
		`{`: "MalformedPolicy",
		`{"Version":"2012-10-17","Statement":[]}`: "MalformedPolicy",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"}]}`:   "MalformedPolicy",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::guarded/*"}]}`:                 "MalformedPolicy",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::guarded/*"}]}`: "AccessDenied",
	} {
		wantCode(t, put(doc), code)
	}
	deny := `{"Version":"2012-10-17","Statement":{"Sid":"No","Effect":"Deny","Principal":"*","Action":"s3:DeleteBucket","Resource":"arn:aws:s3:::guarded"}}`
	if err := put(deny); err != nil {
		t.Fatal(err)
	}
	got := must[*s3.GetBucketPolicyOutput](t)(c.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: name}))
	if *got.Policy != deny {
		t.Errorf("got %s", *got.Policy)
	}
	_, err := c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: name})
	wantCode(t, err, "AccessDenied")
	must[*s3.DeleteBucketPolicyOutput](t)(c.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: name}))
	_, err = c.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: name})
	wantCode(t, err, "NoSuchBucketPolicy")
}

func TestMissingPermissions(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.PlantBucket(payerID, "us-east-1", "open")
	c := w.as(payerID, "ada", "s3:GetObject")
	_, err := c.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: awssdk.String("open"), Key: awssdk.String("absent")})
	wantCode(t, err, "AccessDenied") // not NoSuchKey: the caller may not list
	if !strings.Contains(err.Error(), "s3:ListBucket") {
		t.Errorf("the refusal does not name the action: %v", err)
	}
	w.Allow(w.UserARN(payerID, "ada"), "s3:GetObject", "s3:ListBucket")
	_, err = c.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: awssdk.String("open"), Key: awssdk.String("absent")})
	wantCode(t, err, "NoSuchKey")
	w.Protect("open", "theirs/")
	out, err := w.as(payerID, "root", "*").s3.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: awssdk.String("open"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: awssdk.String("theirs/report.csv")}}}})
	if err != nil || len(out.Errors) != 1 || *out.Errors[0].Code != "AccessDenied" {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestListBucketsInPages(t *testing.T) {
	w := newWorld(t, aws.Options{})
	for _, name := range []string{"a-1", "a-2", "a-3", "b-1"} {
		w.PlantBucket(payerID, "us-east-1", name)
	}
	w.PlantBucket(aloneID, "us-east-1", "a-theirs")
	var got []string
	pages := s3.NewListBucketsPaginator(w.as(payerID, "ada", "*").s3, &s3.ListBucketsInput{Prefix: awssdk.String("a-"), MaxBuckets: awssdk.Int32(2)})
	for pages.HasMorePages() {
		page := must[*s3.ListBucketsOutput](t)(pages.NextPage(t.Context()))
		for _, b := range page.Buckets {
			got = append(got, *b.Name)
		}
	}
	if diff := cmp.Diff([]string{"a-1", "a-2", "a-3"}, got); diff != "" {
		t.Error(diff)
	}
}

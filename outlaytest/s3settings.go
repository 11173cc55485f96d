package outlaytest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

// S3Settings is the suite of what surrounds the objects of a bucket: birth with tags, who may reach it, encryption,
// lifecycle, policy. lacks names the cases that a server is known not to do (docs/conformance.md).
func S3Settings(t *testing.T, server S3Server, lacks ...string) {
	x := s3Suite{server: server, client: server.Client(server.Secret)}
	for _, one := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"Birth", x.birth}, {"BirthTags", x.birthTags}, {"Access", x.access}, {"Ownership", x.ownership}, {"Encryption", x.encryption},
		{"Lifecycle", x.lifecycle}, {"Policy", x.policy}, {"Malformed", x.malformed},
	} {
		if !slices.Contains(lacks, one.name) {
			t.Run(one.name, one.run)
		}
	}
}

// birth: a bucket is listed with the time of its birth, and a look at it tells its region.
func (x s3Suite) birth(t *testing.T) {
	name := x.bucket(t)
	list, err := x.client.ListBuckets(t.Context(), &s3.ListBucketsInput{Prefix: &name})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Buckets) != 1 || *list.Buckets[0].Name != name || time.Since(*list.Buckets[0].CreationDate).Abs() > time.Hour {
		t.Errorf("got the buckets %v", list.Buckets)
	}
	head, err := x.client.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &name})
	if err != nil || awssdk.ToString(head.BucketRegion) != x.server.Region {
		t.Errorf("got the region %q, %v", awssdk.ToString(head.BucketRegion), err)
	}
}

// birthTags: the product's buckets are born with their marks, so that there is no moment in which nobody knows whose
// they are.
func (x s3Suite) birthTags(t *testing.T) {
	name := "suite-born-with-tags"
	tags := []types.Tag{{Key: awssdk.String("managed-by"), Value: awssdk.String("outlay")}}
	if _, err := x.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name, CreateBucketConfiguration: &types.CreateBucketConfiguration{Tags: tags}}); err != nil {
		t.Fatal(err)
	}
	got, err := x.client.GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: &name})
	if err != nil || len(got.TagSet) != 1 || *got.TagSet[0].Key != "managed-by" || *got.TagSet[0].Value != "outlay" {
		t.Errorf("got tags %v, %v", got, err)
	}
}

func (x s3Suite) access(t *testing.T) {
	name, yes := x.bucket(t), awssdk.Bool(true)
	if _, err := x.client.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: &name}); err != nil { // AWS blocks new buckets, others do not
		wantCode(t, err, "NoSuchPublicAccessBlockConfiguration")
	}
	want := &types.PublicAccessBlockConfiguration{BlockPublicAcls: yes, BlockPublicPolicy: yes, IgnorePublicAcls: yes, RestrictPublicBuckets: yes}
	if _, err := x.client.PutPublicAccessBlock(t.Context(), &s3.PutPublicAccessBlockInput{Bucket: &name, PublicAccessBlockConfiguration: want}); err != nil {
		t.Fatal(err)
	}
	got, err := x.client.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: &name})
	if err != nil {
		t.Fatal(err)
	}
	g := got.PublicAccessBlockConfiguration
	for what, on := range map[string]*bool{"ACLs": g.BlockPublicAcls, "policies": g.BlockPublicPolicy, "old ACLs": g.IgnorePublicAcls, "buckets": g.RestrictPublicBuckets} {
		if !awssdk.ToBool(on) {
			t.Errorf("%s are not blocked", what)
		}
	}
}

func (x s3Suite) ownership(t *testing.T) {
	name := x.bucket(t)
	if _, err := x.client.GetBucketOwnershipControls(t.Context(), &s3.GetBucketOwnershipControlsInput{Bucket: &name}); err != nil {
		wantCode(t, err, "OwnershipControlsNotFoundError")
	}
	controls := &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}}}
	if _, err := x.client.PutBucketOwnershipControls(t.Context(), &s3.PutBucketOwnershipControlsInput{Bucket: &name, OwnershipControls: controls}); err != nil {
		t.Fatal(err)
	}
	got, err := x.client.GetBucketOwnershipControls(t.Context(), &s3.GetBucketOwnershipControlsInput{Bucket: &name})
	if err != nil || len(got.OwnershipControls.Rules) != 1 || got.OwnershipControls.Rules[0].ObjectOwnership != types.ObjectOwnershipBucketOwnerEnforced {
		t.Errorf("got %v, %v", got, err)
	}
}

func (x s3Suite) encryption(t *testing.T) {
	name := x.bucket(t)
	if _, err := x.client.GetBucketEncryption(t.Context(), &s3.GetBucketEncryptionInput{Bucket: &name}); err != nil { // AWS encrypts by default
		wantCode(t, err, "ServerSideEncryptionConfigurationNotFoundError")
	}
	rules := []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256}}}
	if _, err := x.client.PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{Bucket: &name, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: rules}}); err != nil {
		t.Fatal(err)
	}
	got, err := x.client.GetBucketEncryption(t.Context(), &s3.GetBucketEncryptionInput{Bucket: &name})
	if err != nil {
		t.Fatal(err)
	}
	if r := got.ServerSideEncryptionConfiguration.Rules; len(r) != 1 || r[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm != types.ServerSideEncryptionAes256 {
		t.Errorf("got the rules %v", r)
	}
}

// lifecycle: our rule stands beside one of somebody else's, and both come back.
func (x s3Suite) lifecycle(t *testing.T) {
	name := x.bucket(t)
	_, err := x.client.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: &name})
	wantCode(t, err, "NoSuchLifecycleConfiguration")
	rules := []types.LifecycleRule{
		{ID: awssdk.String("theirs"), Status: types.ExpirationStatusDisabled, Filter: &types.LifecycleRuleFilter{Prefix: awssdk.String("tmp/")}, Expiration: &types.LifecycleExpiration{Days: awssdk.Int32(30)}},
		{
			ID: awssdk.String("outlay-unfinished-uploads"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: awssdk.String("")},
			AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: awssdk.Int32(7)},
		},
	}
	in := &s3.PutBucketLifecycleConfigurationInput{Bucket: &name, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: rules}}
	if _, err := x.client.PutBucketLifecycleConfiguration(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	got, err := x.client.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: &name})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]types.LifecycleRule{}
	for _, r := range got.Rules {
		found[*r.ID] = r
	}
	if r := found["theirs"]; r.Status != types.ExpirationStatusDisabled || r.Expiration == nil || *r.Expiration.Days != 30 {
		t.Errorf("theirs is %+v", r)
	}
	if r := found["outlay-unfinished-uploads"]; r.Status != types.ExpirationStatusEnabled || r.AbortIncompleteMultipartUpload == nil || *r.AbortIncompleteMultipartUpload.DaysAfterInitiation != 7 {
		t.Errorf("ours is %+v", r)
	}
}

// policy: the one that lets AWS deliver comes back as it was written, and goes.
func (x s3Suite) policy(t *testing.T) {
	name := x.bucket(t)
	policy := `{"Version":"2012-10-17","Statement":[{"Sid":"OutlayDelivery","Effect":"Allow","Principal":{"Service":["bcm-data-exports.amazonaws.com","billingreports.amazonaws.com"]},
"Action":["s3:PutObject","s3:GetBucketPolicy"],"Resource":["arn:aws:s3:::` + name + `","arn:aws:s3:::` + name + `/*"],
"Condition":{"StringLike":{"aws:SourceAccount":"111122223333","aws:SourceArn":["arn:aws:cur:us-east-1:111122223333:definition/*","arn:aws:bcm-data-exports:us-east-1:111122223333:export/*"]}}}]}`
	if _, err := x.client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &name, Policy: &policy}); err != nil {
		t.Fatal(err)
	}
	got, err := x.client.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &name})
	if err != nil {
		t.Fatal(err)
	}
	var wrote, read any
	if err := json.Unmarshal([]byte(policy), &wrote); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(*got.Policy), &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wrote, read); diff != "" {
		t.Error(diff)
	}
	if _, err = x.client.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	_, err = x.client.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &name})
	wantCode(t, err, "NoSuchBucketPolicy")
}

func (x s3Suite) malformed(t *testing.T) {
	name, broken := x.bucket(t), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow"`
	_, err := x.client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &name, Policy: &broken})
	wantCode(t, err, "MalformedPolicy")
}

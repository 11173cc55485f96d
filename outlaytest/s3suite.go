package outlaytest

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// S3 is the suite of the S3 data plane, driven by the real SDK. It runs against a server by others and against the
// simulated cloud: what fails there may not pass here (test-infrastructure.md §1 rule 2).
func S3(t *testing.T, server S3Server) {
	x := s3Suite{server: server, client: server.Client(server.Secret)}
	t.Run("Signature", x.signature)
	t.Run("Buckets", x.buckets)
	t.Run("Objects", x.objects)
	t.Run("Checksums", x.checksums)
	t.Run("Ranges", x.ranges)
	t.Run("Conditions", x.conditions)
	t.Run("Listing", x.listing)
	t.Run("Deleting", x.deleting)
	t.Run("Versions", x.versions)
	t.Run("Multipart", x.multipart)
	t.Run("Owner", x.owner)
}

// Client is a real S3 client of the server, without retries.
func (s S3Server) Client(secret string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &s.Endpoint, Region: s.Region, UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials:                credentials.NewStaticCredentialsProvider(s.AccessKeyID, secret, ""),
		ResponseChecksumValidation: awssdk.ResponseChecksumValidationWhenSupported,
		RequestChecksumCalculation: awssdk.RequestChecksumCalculationWhenSupported,
		HTTPClient:                 &http.Client{Timeout: 20 * time.Second, Transport: apart{http.DefaultTransport}},
	})
}

type s3Suite struct {
	server S3Server
	client *s3.Client
}

// bucket makes a bucket of the subtest's own.
func (x s3Suite) bucket(t *testing.T) string {
	t.Helper()
	name := "suite-" + strings.ToLower(t.Name()[strings.LastIndex(t.Name(), "/")+1:])
	if _, err := x.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return name
}

func (x s3Suite) put(t *testing.T, bucket, key, text string) *s3.PutObjectOutput {
	t.Helper()
	out, err := x.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(text)})
	if err != nil {
		t.Fatalf("putting %s: %v", key, err)
	}
	return out
}

func (x s3Suite) get(t *testing.T, in *s3.GetObjectInput) (string, *s3.GetObjectOutput) {
	t.Helper()
	out, err := x.client.GetObject(t.Context(), in)
	if err != nil {
		t.Fatalf("getting %s: %v", *in.Key, err)
	}
	defer func() { _ = out.Body.Close() }()
	return readAll(t, out), out
}

func wantCode(t *testing.T, err error, codes ...string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || !slices.Contains(codes, api.ErrorCode()) {
		t.Errorf("got error %v, want one of the codes %v", err, codes)
	}
}

func (x s3Suite) signature(t *testing.T) {
	_, err := x.server.Client("wrong"+x.server.Secret).ListBuckets(t.Context(), nil)
	wantCode(t, err, "SignatureDoesNotMatch")
	stranger := x.server
	stranger.AccessKeyID = "NOBODYATALLNOBODY"
	if _, err = stranger.Client("secret").ListBuckets(t.Context(), nil); err == nil {
		t.Error("an unknown key was let in")
	}
}

func (x s3Suite) buckets(t *testing.T) {
	ctx, name := t.Context(), x.bucket(t)
	if _, err := x.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name}); err != nil {
		t.Error(err)
	}
	absent := "suite-absent"
	_, err := x.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &absent})
	wantCode(t, err, "NotFound")
	_, err = x.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &absent})
	wantCode(t, err, "NoSuchBucket")
	_, err = x.client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &name})
	wantCode(t, err, "NoSuchBucketPolicy")
	_, err = x.client.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &name})
	wantCode(t, err, "NoSuchTagSet")
	tags := &types.Tagging{TagSet: []types.Tag{{Key: awssdk.String("managed-by"), Value: awssdk.String("outlay")}}}
	if _, err = x.client.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: &name, Tagging: tags}); err != nil {
		t.Fatal(err)
	}
	got, err := x.client.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &name})
	if err != nil || len(got.TagSet) != 1 || *got.TagSet[0].Key != "managed-by" || *got.TagSet[0].Value != "outlay" {
		t.Errorf("got tags %v, %v", got, err)
	}
	controls := &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}}}
	if _, err = x.client.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{Bucket: &name, OwnershipControls: controls}); err != nil {
		t.Error(err)
	}
	x.put(t, name, "left", "over")
	_, err = x.client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
	wantCode(t, err, "BucketNotEmpty")
	key := "left"
	if _, err = x.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &name, Key: &key}); err != nil {
		t.Error(err)
	}
	if _, err = x.client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name}); err != nil {
		t.Error(err)
	}
	_, err = x.client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
	wantCode(t, err, "NoSuchBucket")
}

func (x s3Suite) owner(t *testing.T) {
	name, other := x.bucket(t), "999999999999"
	_, err := x.client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &name, ExpectedBucketOwner: &other})
	wantCode(t, err, "AccessDenied")
	_, err = x.client.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &name, ExpectedBucketOwner: &other})
	wantCode(t, err, "AccessDenied")
	if _, err := x.client.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &name}); err != nil {
		t.Errorf("the bucket is gone: %v", err)
	}
}

package outlaytest

import (
	"errors"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) || answer.HTTPStatusCode() != status {
		t.Errorf("got %v, want the status %d", err, status)
	}
}

// versions covers what an emptying must remove: versions and delete markers.
func (x s3Suite) versions(t *testing.T) {
	name, key := x.bucket(t), "kept"
	on := &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}
	if _, err := x.client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &name, VersioningConfiguration: on}); err != nil {
		t.Fatal(err)
	}
	first := x.put(t, name, key, "first")
	x.put(t, name, key, "second")
	if text, _ := x.get(t, &s3.GetObjectInput{Bucket: &name, Key: &key, VersionId: first.VersionId}); text != "first" {
		t.Errorf("the first version is %q", text)
	}
	gone, err := x.client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &name, Key: &key})
	if err != nil || !awssdk.ToBool(gone.DeleteMarker) {
		t.Fatalf("got %v, %v", gone, err)
	}
	_, err = x.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &name, Key: &key})
	wantCode(t, err, "NoSuchKey")
	list, err := x.client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &name})
	if err != nil || len(list.Versions) != 2 || len(list.DeleteMarkers) != 1 || !*list.DeleteMarkers[0].IsLatest {
		t.Fatalf("got %+v, %v", list, err)
	}
	_, err = x.client.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &name})
	if err == nil {
		t.Error("a bucket with versions was deleted")
	}
	var ids []types.ObjectIdentifier
	for _, v := range list.Versions {
		ids = append(ids, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
	}
	for _, m := range list.DeleteMarkers {
		ids = append(ids, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
	}
	out, err := x.client.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: &name, Delete: &types.Delete{Objects: ids}})
	if err != nil || len(out.Errors) > 0 {
		t.Fatalf("got %+v, %v", out, err)
	}
	if _, err := x.client.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &name}); err != nil {
		t.Error(err)
	}
}

func (x s3Suite) multipart(t *testing.T) {
	ctx, name, key := t.Context(), x.bucket(t), "big"
	began, err := x.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &name, Key: &key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{strings.Repeat("a", 5<<20), "tail"}
	var parts []types.CompletedPart
	for i, text := range texts {
		n := int32(i + 1)
		part, err := x.client.UploadPart(ctx, &s3.UploadPartInput{Bucket: &name, Key: &key, UploadId: began.UploadId, PartNumber: &n, Body: strings.NewReader(text)})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{ETag: part.ETag, PartNumber: &n, ChecksumCRC32: part.ChecksumCRC32})
	}
	done, err := x.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &name, Key: &key, UploadId: began.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	if err != nil || !strings.HasSuffix(strings.Trim(*done.ETag, `"`), "-2") {
		t.Fatalf("got %+v, %v", done, err)
	}
	if text, _ := x.get(t, &s3.GetObjectInput{Bucket: &name, Key: &key}); text != texts[0]+texts[1] {
		t.Errorf("got %d bytes back", len(text))
	}
	left, err := x.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &name, Key: awssdk.String("left")})
	if err != nil {
		t.Fatal(err)
	}
	list, err := x.client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &name})
	if err != nil || len(list.Uploads) != 1 || *list.Uploads[0].Key != "left" || *list.Uploads[0].UploadId != *left.UploadId {
		t.Fatalf("got %+v, %v", list, err)
	}
	abort := &s3.AbortMultipartUploadInput{Bucket: &name, Key: left.Key, UploadId: left.UploadId}
	if _, err := x.client.AbortMultipartUpload(ctx, abort); err != nil {
		t.Error(err)
	}
	_, err = x.client.AbortMultipartUpload(ctx, abort)
	wantCode(t, err, "NoSuchUpload")
}

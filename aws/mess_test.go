package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// makeMess turns versioning on, deletes an object so that a marker stays, and leaves an upload unfinished.
func (w *world) makeMess() {
	w.t.Helper()
	ses, err := w.p.session(context.Background(), w.a)
	if err != nil {
		w.t.Fatal(err)
	}
	client := ses.s3("eu-central-1")
	bucket := w.bucket()
	_, err = client.PutBucketVersioning(context.Background(), &s3.PutBucketVersioningInput{
		Bucket: &bucket.Name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, key := range sortedKeys(bucket.Objects)[:1] {
		if _, err := client.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: &bucket.Name, Key: &key}); err != nil {
			w.t.Fatal(err)
		}
	}
	_, err = client.CreateMultipartUpload(context.Background(), &s3.CreateMultipartUploadInput{Bucket: &bucket.Name, Key: sdk.String("outlay/unfinished")})
	if err != nil {
		w.t.Fatal(err)
	}
}

package outlaytest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

func readAll(t *testing.T, out *s3.GetObjectOutput) string {
	t.Helper()
	b, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (x s3Suite) objects(t *testing.T) {
	name := x.bucket(t)
	for _, key := range []string{"a.txt", "dir/b c.txt", "data/BILLING_PERIOD=2026-11/x+y-00001.snappy.parquet", "ümlaut/ä&b.txt"} {
		put := x.put(t, name, key, "text of "+key)
		text, got := x.get(t, &s3.GetObjectInput{Bucket: &name, Key: &key})
		if text != "text of "+key || *got.ETag != *put.ETag || *got.ContentLength != int64(len(text)) || got.LastModified == nil {
			t.Errorf("%s: got %q with ETag %s, length %d", key, text, *got.ETag, *got.ContentLength)
		}
		head, err := x.client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &name, Key: &key})
		if err != nil || *head.ETag != *put.ETag || *head.ContentLength != int64(len(text)) {
			t.Errorf("%s: got %v, %v", key, head, err)
		}
	}
	if put := x.put(t, name, "empty", ""); *put.ETag != `"d41d8cd98f00b204e9800998ecf8427e"` {
		t.Errorf("the ETag of nothing is %s", *put.ETag)
	}
	absent := "absent"
	_, err := x.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &name, Key: &absent})
	wantCode(t, err, "NoSuchKey")
	_, err = x.client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &name, Key: &absent})
	wantCode(t, err, "NotFound")
}

func (x s3Suite) checksums(t *testing.T) {
	name := x.bucket(t)
	for _, algorithm := range []types.ChecksumAlgorithm{types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmSha256, types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmSha1} {
		key := string(algorithm)
		if _, err := x.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &name, Key: &key, Body: strings.NewReader("checked"), ChecksumAlgorithm: algorithm}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if text, _ := x.get(t, &s3.GetObjectInput{Bucket: &name, Key: &key, ChecksumMode: types.ChecksumModeEnabled}); text != "checked" {
			t.Errorf("%s: got %q", key, text)
		}
	}
	key := "wrong"
	_, err := x.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &name, Key: &key, Body: strings.NewReader("checked"), ChecksumCRC32: awssdk.String("AAAAAA==")})
	wantCode(t, err, "BadDigest")
	text, out := x.get(t, &s3.GetObjectInput{Bucket: &name, Key: awssdk.String("CRC32"), ChecksumMode: types.ChecksumModeEnabled})
	if out.ChecksumCRC32 == nil {
		t.Errorf("%q came without its checksum", text)
	}
}

func (x s3Suite) ranges(t *testing.T) {
	name, key := x.bucket(t), "digits"
	x.put(t, name, key, "0123456789")
	for _, c := range []struct{ ask, text, is string }{
		{"bytes=0-3", "0123", "bytes 0-3/10"},
		{"bytes=4-", "456789", "bytes 4-9/10"},
		{"bytes=-2", "89", "bytes 8-9/10"},
		{"bytes=8-99", "89", "bytes 8-9/10"},
	} {
		text, out := x.get(t, &s3.GetObjectInput{Bucket: &name, Key: &key, Range: &c.ask})
		if text != c.text || awssdk.ToString(out.ContentRange) != c.is {
			t.Errorf("%s: got %q as %s", c.ask, text, awssdk.ToString(out.ContentRange))
		}
	}
	_, err := x.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &name, Key: &key, Range: awssdk.String("bytes=10-")})
	wantCode(t, err, "InvalidRange")
}

func (x s3Suite) conditions(t *testing.T) {
	name, key := x.bucket(t), "moving"
	was := *x.put(t, name, key, "first").ETag
	if text, _ := x.get(t, &s3.GetObjectInput{Bucket: &name, Key: &key, IfMatch: &was}); text != "first" {
		t.Errorf("got %q", text)
	}
	_, err := x.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &name, Key: &key, IfNoneMatch: &was})
	wantStatus(t, err, http.StatusNotModified)
	x.put(t, name, key, "second")
	_, err = x.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &name, Key: &key, IfMatch: &was})
	wantCode(t, err, "PreconditionFailed")
	_, err = x.client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &name, Key: &key, IfMatch: &was})
	wantStatus(t, err, http.StatusPreconditionFailed)
	_, err = x.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &name, Key: &key, Body: strings.NewReader("third"), IfNoneMatch: awssdk.String("*")})
	wantCode(t, err, "PreconditionFailed")
	_, err = x.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &name, Key: &key, Body: strings.NewReader("third"), IfMatch: &was})
	wantCode(t, err, "PreconditionFailed")
	if text, _ := x.get(t, &s3.GetObjectInput{Bucket: &name, Key: &key}); text != "second" {
		t.Errorf("got %q", text)
	}
}

func (x s3Suite) listing(t *testing.T) {
	name := x.bucket(t)
	var all []string
	for i := range 7 {
		key := fmt.Sprintf("meta/p=%d/file.json", i)
		all = append(all, key)
		x.put(t, name, key, "x")
	}
	x.put(t, name, "other/file", "x")
	for _, size := range []int32{1, 3, 7, 1000} {
		var got []string
		pages := s3.NewListObjectsV2Paginator(x.client, &s3.ListObjectsV2Input{Bucket: &name, Prefix: awssdk.String("meta/"), MaxKeys: &size})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page.Contents {
				got = append(got, *o.Key)
			}
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("pages of %d: %s", size, diff)
		}
	}
	for _, size := range []int32{2, 1000} {
		var got []string
		pages := s3.NewListObjectsV2Paginator(x.client, &s3.ListObjectsV2Input{Bucket: &name, Prefix: awssdk.String("meta/"), Delimiter: awssdk.String("/"), MaxKeys: &size})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.CommonPrefixes {
				got = append(got, *p.Prefix)
			}
			if len(page.Contents) > 0 {
				t.Errorf("got %d objects beside the prefixes", len(page.Contents))
			}
		}
		if len(got) != 7 || got[0] != "meta/p=0/" || got[6] != "meta/p=6/" {
			t.Errorf("pages of %d: got prefixes %v", size, got)
		}
	}
	out, err := x.client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &name, StartAfter: &all[4]})
	if err != nil || len(out.Contents) != 3 || *out.Contents[0].Key != all[5] || *out.Contents[0].Size != 1 || out.Contents[0].ETag == nil {
		t.Errorf("after %s: got %v, %v", all[4], out, err)
	}
}

func (x s3Suite) deleting(t *testing.T) {
	name := x.bucket(t)
	var ids []types.ObjectIdentifier
	for i := range 5 {
		key := fmt.Sprintf("k%d", i)
		x.put(t, name, key, "x")
		ids = append(ids, types.ObjectIdentifier{Key: &key})
	}
	ids = append(ids, types.ObjectIdentifier{Key: awssdk.String("never-was")})
	out, err := x.client.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: &name, Delete: &types.Delete{Objects: ids}})
	if err != nil || len(out.Errors) > 0 || len(out.Deleted) != 6 {
		t.Fatalf("got %+v, %v", out, err)
	}
	left, err := x.client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &name})
	if err != nil || len(left.Contents) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if _, err := x.client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &name, Key: awssdk.String("never-was")}); err != nil {
		t.Errorf("deleting what never was: %v", err)
	}
	if _, err := x.client.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &name}); err != nil {
		t.Error(err)
	}
}

package aws_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"outlay/simcloud/aws"
)

func containsText(err error, text string) bool {
	return err != nil && strings.Contains(err.Error(), text)
}

// A fault before the effect leaves nothing, one after it leaves the bucket; the client sees a failure both times.
func TestFaultsBeforeAndAfterTheEffect(t *testing.T) {
	for _, x := range []struct {
		kind aws.FaultKind
		made bool
	}{
		{aws.Throttle, false}, {aws.FailBefore, false}, {aws.UnavailableFirst, false}, {aws.ResetBefore, false}, {aws.Hang, false}, {aws.AccessDenied, false}, {aws.ExpiredToken, false}, {aws.SkewedClock, false},
		{aws.FailAfter, true}, {aws.UnavailableAfter, true}, {aws.ResetAfter, true}, {aws.HangAfter, true},
	} {
		t.Run(string(x.kind), func(t *testing.T) {
			w := newWorld(t, aws.Options{})
			c := w.as(payerID, "ada", "*")
			w.Fault(aws.Fault{Match: "CreateBucket", Kind: x.kind})
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			in := &s3.CreateBucketInput{Bucket: awssdk.String("bucket")}
			if _, err := c.s3.CreateBucket(ctx, in); err == nil {
				t.Fatal("the client saw no failure")
			}
			if made := len(w.Buckets()) == 1; made != x.made {
				t.Errorf("made is %v, want %v", made, x.made)
			}
			if log := w.Requests(); len(log) != 1 || log[0].Fault != x.kind || log[0].Operation != "CreateBucket" || log[0].Bucket != "bucket" {
				t.Errorf("the log is %+v", log)
			}
			if _, err := c.s3.CreateBucket(t.Context(), in); err != nil {
				t.Errorf("the fault did not end: %v", err)
			}
		})
	}
}

// Each service throttles with a word of its own.
func TestThrottlingWords(t *testing.T) {
	w := newWorld(t, aws.Options{})
	c, ctx := w.as(payerID, "ada", "*"), t.Context()
	w.RandomFaults(1, 1, aws.Throttle)
	_, err := c.s3.ListBuckets(ctx, nil)
	wantCode(t, err, "SlowDown")
	_, err = c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	wantCode(t, err, "Throttling")
	_, err = c.bcm.ListExports(ctx, &bcmdataexports.ListExportsInput{})
	wantCode(t, err, "ThrottlingException")
	_, err = c.ce.ListCostAllocationTags(ctx, &costexplorer.ListCostAllocationTagsInput{})
	wantCode(t, err, "LimitExceededException")
	_, err = c.org.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	wantCode(t, err, "TooManyRequestsException")
	w.ClearFaults()
	if _, err := c.s3.ListBuckets(ctx, nil); err != nil {
		t.Error(err)
	}
}

// A body that is cut, or changed on its way, is an error only where the client looks: with a length, and with a checksum.
func TestSpoiltBodies(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.PlantBucket(payerID, "us-east-1", "bucket")
	w.PlantObject("bucket", "data", []byte(strings.Repeat("0123456789", 100)))
	c := w.as(payerID, "ada", "*")
	read := func(kind aws.FaultKind, mode types.ChecksumMode) (int, error) {
		w.Fault(aws.Fault{Match: "s3:GetObject", Path: "bucket/data", Kind: kind})
		out, err := c.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: awssdk.String("bucket"), Key: awssdk.String("data"), ChecksumMode: mode})
		if err != nil {
			return 0, err
		}
		defer func() { _ = out.Body.Close() }()
		b, err := io.ReadAll(out.Body)
		return len(b), err
	}
	if n, err := read(aws.Truncate, ""); !errors.Is(err, io.ErrUnexpectedEOF) || n >= 1000 {
		t.Errorf("cut under its length: %d bytes, %v", n, err)
	}
	if _, err := read(aws.BadChecksum, types.ChecksumModeEnabled); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("one byte changed: %v", err)
	}
	// The known hole (reliability.md §4.3): without a length nobody but a reader who counts can tell.
	if n, err := read(aws.TruncateSilently, ""); err != nil || n != 500 {
		t.Errorf("cut without a length: %d bytes, %v", n, err)
	}
}

func TestAnswersAndKeyErrors(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.PlantBucket(payerID, "us-east-1", "bucket")
	c := w.as(payerID, "ada", "*")
	w.Fault(aws.Fault{Match: "DeleteBucket", Kind: aws.Answer, Status: http.StatusConflict, Code: "OperationAborted", Message: "A conflicting conditional operation is currently in progress."})
	_, err := c.s3.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: awssdk.String("bucket")})
	wantCode(t, err, "OperationAborted")
	w.Fault(aws.Fault{Match: "DeleteObjects", Kind: aws.KeyErrors})
	out := must[*s3.DeleteObjectsOutput](t)(c.s3.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: awssdk.String("bucket"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: awssdk.String("theirs/report.csv")}}}}))
	if len(out.Errors) != 1 || *out.Errors[0].Key != "theirs/report.csv" || *out.Errors[0].Code != "InternalError" {
		t.Errorf("got %+v", out)
	}
	w.Fault(aws.Fault{Match: "ListBuckets", Kind: aws.Garble, Skip: 1, Times: 2})
	for i, broken := range []bool{false, true, true, false} {
		if _, err := c.s3.ListBuckets(t.Context(), nil); (err != nil) != broken {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

func countEmpty(list string) int {
	n := 0
	for kind := range strings.SplitSeq(strings.TrimSuffix(list, ","), ",") {
		if kind == "" {
			n++
		}
	}
	return n
}

func TestRandomFaultsAreRepeatable(t *testing.T) {
	pattern := func() string {
		w := newWorld(t, aws.Options{})
		c := w.as(payerID, "ada", "*")
		w.RandomFaults(0.25, 42)
		for range 60 {
			_, _ = c.s3.ListBuckets(t.Context(), nil) // the log tells
		}
		var b strings.Builder
		for _, r := range w.Requests() {
			b.WriteString(string(r.Fault) + ",")
		}
		return b.String()
	}
	first := pattern()
	if faults := 60 - countEmpty(first); faults < 6 || faults > 25 {
		t.Errorf("%d of 60 calls faulted, want about 15", faults)
	}
	if again := pattern(); again != first {
		t.Errorf("the same seed gave\n%s\nand\n%s", first, again)
	}
}

package aws_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"outlay/simcloud/aws"
)

// A snapshot changes when somebody touched a thing, and only then.
func TestSnapshotTells(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.PlantBucket(payerID, "us-east-1", "theirs")
	arn := w.PlantExport(payerID, "theirs", "theirs")
	c, before := w.as(payerID, "ada", "*"), w.Snapshot()
	must[*s3.ListObjectsV2Output](t)(c.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: awssdk.String("theirs")}))
	must[*bcmdataexports.GetExportOutput](t)(c.bcm.GetExport(t.Context(), &bcmdataexports.GetExportInput{ExportArn: &arn}))
	if diff := cmp.Diff(before, w.Snapshot()); diff != "" {
		t.Errorf("reads changed it: %s", diff)
	}
	for _, x := range []struct {
		name  string
		touch func()
	}{
		{"object", func() { w.PlantObject("theirs", "theirs/report.csv", []byte("other")) }},
		{"policy", func() { w.SetBucketPolicy("theirs", exportPolicy("theirs", payerID, "theirs")) }},
		{"tags", func() {
			must[*bcmdataexports.UntagResourceOutput](t)(c.bcm.UntagResource(t.Context(), &bcmdataexports.UntagResourceInput{ResourceArn: &arn, ResourceTagKeys: []string{"owner"}}))
		}},
		{"bucket", func() { w.RemoveBucket("theirs") }},
		{"export", func() { w.RemoveExport(arn) }},
	} {
		was := w.Snapshot()
		if x.touch(); cmp.Equal(was, w.Snapshot()) {
			t.Errorf("%s: the snapshot does not tell", x.name)
		}
	}
}

func TestByHand(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.ready(payerID, "bills", "focus")
	c := w.as(payerID, "ada", "*")
	arn := w.export(c, "focus", "bills")
	w.Unhealthy(arn, "BILL_OWNER_CHANGED")
	got := must[*bcmdataexports.GetExportOutput](t)(c.bcm.GetExport(t.Context(), &bcmdataexports.GetExportInput{ExportArn: &arn}))
	if got.ExportStatus.StatusReason != types.ExecutionStatusReasonBillOwnerChanged {
		t.Errorf("got %+v", got.ExportStatus)
	}
	if got := string(w.Object("bills", "theirs/report.csv")); got != "not ours\n" {
		t.Errorf("got %q", got)
	}
	w.RemoveObject("bills", "theirs/report.csv")
	if w.Object("bills", "theirs/report.csv") != nil || len(w.Buckets()[0].Objects) != 0 {
		t.Error("the object is still there")
	}
}

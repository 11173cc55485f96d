package aws

import (
	"strings"
	"testing"
	"time"

	"outlay"
	cloud "outlay/simcloud/aws"
)

// TestHalfOverwritten reads while AWS overwrites a month: one data file is of the next refresh already, and the manifest
// is still the old one, before and after. Nothing of it may be taken for a delivery.
func TestHalfOverwritten(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 60, ExportQuota: 9})
	w.up()
	w.SetUp(theirs()["cur-csv"])
	if err := w.Deliver(t.Context(), time.Now().Add(-6*time.Hour)); err != nil {
		t.Fatal(err)
	}
	sources := map[string]*outlay.Source{w.bucket().Name: w.s, "finance-bills": w.read(w.existing()["cur-csv"])}
	for bucket, s := range sources {
		w.s = s
		d := w.deliveries()[0]
		if _, err := w.p.Fetch(t.Context(), w.a, s, d, t.TempDir()); err != nil {
			t.Fatalf("the whole delivery in %s: %v", bucket, err)
		}
		w.PlantObject(bucket, d.Ref[outlay.RefFile(0)], []byte("of the next refresh"))
		_, err := w.p.Fetch(t.Context(), w.a, s, d, t.TempDir())
		if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeConflict || !strings.Contains(e.Message, "newer than the manifest") || e.Fix == "" {
			t.Errorf("half a delivery in %s: %v", bucket, err)
		}
	}
}

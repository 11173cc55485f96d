package aws

import (
	"testing"
	"time"

	"outlay"
	cloud "outlay/simcloud/aws"
)

// TestTornDelivery reads a month of which AWS has written the data files anew, but not the manifest yet: nothing of it is
// taken, and the delivery that follows is.
func TestTornDelivery(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 60})
	w.up()
	now := time.Now()
	if err := w.Deliver(t.Context(), now.Add(-12*time.Hour)); err != nil {
		t.Fatal(err)
	}
	fetch := func() error {
		t.Helper()
		list := w.deliveries()
		_, err := w.p.Fetch(t.Context(), w.a, w.s, list[len(list)-1], t.TempDir())
		return err
	}
	if err := fetch(); err != nil {
		t.Fatal(err)
	}
	w.TearNext()
	if err := w.Deliver(t.Context(), now.Add(-6*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if e := outlay.AsError(fetch()); e == nil || e.Code != outlay.CodeConflict || e.Fix == "" {
		t.Errorf("half a delivery: %v", e)
	}
	if err := w.Deliver(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if err := fetch(); err != nil {
		t.Errorf("the delivery after it: %v", err)
	}
}

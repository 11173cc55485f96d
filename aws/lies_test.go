package aws

import (
	"context"
	"testing"

	"outlay"
	cloud "outlay/simcloud/aws"
)

// TestNoLookLies lets each read of a look fail in each way, over and over. Whatever the look then says, a plan from it
// must not find anything missing or different: a throttled, forbidden or broken look flips nothing.
func TestNoLookLies(t *testing.T) {
	for _, fault := range []cloud.FaultKind{
		cloud.Throttle, cloud.AccessDenied, cloud.FailBefore, cloud.UnavailableFirst, cloud.ResetBefore, cloud.Truncate, cloud.TruncateSilently,
		cloud.Garble, cloud.ExpiredToken, cloud.SkewedClock,
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 50})
			w.SeeTags(outlay.TagKeys()...)
			w.up()
			w.deliver()
			w.ClearRequests()
			w.observe(whole())
			w.deliveries()
			operations := w.operations()
			if len(operations) < 15 {
				t.Errorf("a look makes only the calls %v", operations)
			}
			for _, operation := range operations {
				w.Fault(cloud.Fault{Match: operation, Kind: fault, Times: -1})
				w.mustNotLie(operation)
				w.ClearFaults()
			}
			if plan := w.plan(whole()); len(todo(plan)) != 0 || len(plan.Notes) != 0 {
				t.Errorf("afterwards: %v, %+v", todo(plan), plan.Notes)
			}
		})
	}
}

// operations lists what was called, each once.
func (w *world) operations() []string {
	seen := map[string]bool{}
	for _, r := range w.Requests() {
		seen[r.Operation] = true
	}
	return sortedKeys(seen)
}

func (w *world) mustNotLie(operation string) {
	w.t.Helper()
	before := len(w.bucket().Objects)
	if seen, err := w.p.Observe(context.Background(), w.a, w.s, whole()); err == nil {
		plan, err := w.p.Plan(w.s, seen)
		if err != nil {
			w.t.Errorf("%s: %v", operation, err)
		}
		if len(todo(plan)) != 0 {
			w.t.Errorf("%s: the plan is %v; unknown: %v", operation, todo(plan), seen.Unknown)
		}
		for _, r := range seen.Resources {
			if r.State == outlay.StateForeign {
				w.t.Errorf("%s: %s is taken for somebody else's", operation, r.Key())
			}
		}
	}
	found := 0
	for _, err := range w.p.Deliveries(context.Background(), w.a, w.s) {
		if found++; err != nil {
			found++
		}
	}
	if found == 0 {
		w.t.Errorf("%s: the list of deliveries came out empty, without an error", operation)
	}
	if len(w.bucket().Objects) != before {
		w.t.Errorf("%s: a look changed something", operation)
	}
}

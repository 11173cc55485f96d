package operation

import (
	"context"
	"testing"
	"time"

	"outlay"
)

// TestSinceWhenAPersonIsWaitedFor: the time stays over attempts that stop for another reason, and is over once the run
// has got further.
func TestSinceWhenAPersonIsWaitedFor(t *testing.T) {
	b := setup(t)
	since := b.clock.Now()
	var next error
	var before *outlay.Problem
	b.HandleOperation(outlay.OpProvision, func(_ context.Context, r *Run) error {
		before = r.Before()
		return next
	})
	b.queue("run_a")
	for _, step := range []struct {
		name string
		err  error
	}{
		{"asked", &Wait{Problem: outlay.Problem{Message: "waiting for you", Since: since}}},
		{"throttled between", outlay.Errorf(outlay.CodeThrottled, "", "slow down")},
		{"asked again", &Wait{Problem: outlay.Problem{Message: "waiting for you"}}},
	} {
		next = step.err
		if n := b.drain(); n != 1 {
			t.Fatalf("%s: drained %d", step.name, n)
		}
		if o := b.operation("run_a"); o.Problem == nil || !o.Problem.Since.Equal(since) {
			t.Errorf("%s: %+v, want since %s", step.name, o.Problem, since)
		}
		b.clock.Add(2 * time.Hour)
	}
	if before == nil || before.Message != "slow down" {
		t.Errorf("the attempt before the last stopped by %+v", before)
	}
	next = nil
	b.drain()
	if o := b.operation("run_a"); o.Status != outlay.OpDone || o.Problem != nil {
		t.Errorf("%s, %+v", o.Status, o.Problem)
	}
}

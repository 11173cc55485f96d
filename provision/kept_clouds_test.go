package provision_test

import (
	"testing"

	"outlay"
)

// TestKeptInTheClouds: what a deprovisioning kept in the real providers' clouds still bears our marks, so it can be deleted
// later, and then nothing of ours is left.
func TestKeptInTheClouds(t *testing.T) {
	for _, of := range []sweepCase{awsCase(), azureCase()} {
		t.Run(of.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, of, 0)
			if !w.here(w.queue(outlay.OpProvision)) {
				w.report(t)
				return
			}
			if err := w.cloud.deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !w.here(w.queueWith(outlay.OpDeprovision, outlay.KeepCostFiles)) {
				w.report(t)
				return
			}
			if len(w.ours()) == 0 {
				t.Error("nothing was kept")
			}
			if !w.here(w.queue(outlay.OpDeleteKept)) {
				w.report(t)
				return
			}
			w.checkDown()
			w.report(t)
		})
	}
}

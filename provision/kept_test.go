package provision

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

// deleteKept runs the deletion of what a deprovisioning kept.
func (b *bench) deleteKept() string {
	b.t.Helper()
	return b.start(outlay.Operation{Kind: outlay.OpDeleteKept, Plan: b.plan(outlay.OpDeleteKept, outlay.DeleteCostFiles), CostFiles: outlay.DeleteCostFiles})
}

// What was kept can be deleted later, by the same two locks, and the ledger says so.
func TestDeleteKept(t *testing.T) {
	b := setup(t)
	b.is(b.up(), outlay.OpDone)
	b.is(b.down(outlay.KeepCostFiles), outlay.OpDone)
	if row := b.row(kindStore); row.State != outlay.StateVerified || row.Origin != outlay.CreatedByUs {
		t.Fatalf("what was kept is %s, %s in the ledger", row.State, row.Origin)
	}
	b.cloud.applied, b.points = nil, nil
	id := b.deleteKept()
	if d := cmp.Diff(Points(b.is(id, outlay.OpDone)), b.points); d != "" {
		t.Errorf("points (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"delete nimbus/files", "delete nimbus/store"}, b.cloud.applied); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	if row, s := b.row(kindStore), b.source(); row.State != outlay.StateDeleted || s.Desired != outlay.Absent || s.CostFiles != outlay.DeleteCostFiles {
		t.Errorf("the store is %s, the source %s, %s", row.State, s.Desired, s.CostFiles)
	}
}

// Without our marks what was kept is left alone, and what a person gave up is never touched, whatever a plan says.
func TestDeleteKeptNeedsBothLocks(t *testing.T) {
	for name, loosen := range map[string]func(b *bench){
		"the live one lost our marks": func(b *bench) {
			live := b.cloud.live["nimbus/store store-"+src]
			live.Owner = nil
			b.cloud.live[live.Key()] = live
		},
		"a person gave it up": func(b *bench) {
			row := b.row(kindStore)
			row.State = outlay.StateAbandoned
			b.tx(func(tx outlay.Tx) error { return tx.PutResource(t.Context(), row) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.is(b.up(), outlay.OpDone)
			b.is(b.down(outlay.KeepCostFiles), outlay.OpDone)
			loosen(b)
			b.cloud.applied = nil
			o := b.is(b.deleteKept(), outlay.OpWaiting)
			if !strings.Contains(o.Problem.Message, "left alone") || len(b.cloud.applied) != 0 || b.cloud.count(kindStore) != 1 {
				t.Errorf("%+v; calls %v", o.Problem, b.cloud.applied)
			}
		})
	}
}

// What was kept and then deleted by hand is put on record as gone.
func TestDeleteKeptOfWhatIsGone(t *testing.T) {
	b := setup(t)
	b.is(b.up(), outlay.OpDone)
	b.is(b.down(outlay.KeepCostFiles), outlay.OpDone)
	clear(b.cloud.live)
	b.clock.Add(time.Hour)
	b.is(b.deleteKept(), outlay.OpDone)
	if row := b.row(kindStore); row.State != outlay.StateDeleted {
		t.Errorf("the store is %s", row.State)
	}
}

// An account that moved to another payer can still be cleaned up: a removal touches only what is ours in the account.
func TestDeprovisionAfterThePayerChanged(t *testing.T) {
	b := setup(t)
	b.is(b.up(), outlay.OpDone)
	b.cloud.scope = "2222"
	b.is(b.down(outlay.DeleteCostFiles), outlay.OpDone)
	if len(b.cloud.live) != 0 {
		t.Errorf("left: %v", b.cloud.live)
	}
}

// A set-up whose only trace in the ledger is a name that somebody else has is over once it is undone: its successor takes
// new names. With the old source it would run into the same name again.
func TestUndoOfAForeignName(t *testing.T) {
	b := setup(t)
	store := b.cloud.marked("org_z", src, outlay.Change{Kind: kindStore, Name: "store-" + src})
	b.cloud.live[store.Key()] = store
	plan := outlay.Plan{Changes: []outlay.Change{{Action: outlay.ActionCreate, Kind: kindStore, Name: "store-" + src, Step: "Create the store", Look: "Look for the store"}}}
	id := b.start(outlay.Operation{Kind: outlay.OpProvision, Plan: plan})
	o := b.is(id, outlay.OpWaiting)
	row := b.row(kindStore)
	row.Origin, row.IntentAt = outlay.CreatedByUs, b.clock.Now() // an attempt of ours met it
	b.tx(func(tx outlay.Tx) error {
		o.Status = outlay.OpFailed
		if err := tx.PutResource(t.Context(), row); err != nil {
			return err
		}
		return tx.PutOperation(t.Context(), o)
	})
	b.is(b.start(outlay.Operation{Kind: outlay.OpDeprovision, CostFiles: outlay.DeleteCostFiles}), outlay.OpDone)
	if s := b.source(); s.Desired != outlay.Absent || b.cloud.count(kindStore) != 1 {
		t.Errorf("the source is %s, %d stores", s.Desired, b.cloud.count(kindStore))
	}
}

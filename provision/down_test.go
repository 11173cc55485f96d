package provision

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

func TestDeprovision(t *testing.T) {
	for _, files := range []outlay.CostFiles{outlay.DeleteCostFiles, outlay.KeepCostFiles} {
		t.Run(string(files), func(t *testing.T) {
			b := setup(t)
			b.is(b.up(), outlay.OpDone)
			store := b.cloud.live["nimbus/store store-"+src]
			store.Objects = 3
			b.cloud.live[store.Key()] = store
			b.cloud.applied, b.points = nil, nil
			id := b.down(files)
			o := b.is(id, outlay.OpDone)
			if want := Points(o); !cmp.Equal(want, b.points) {
				t.Errorf("points (-want +got):\n%s", cmp.Diff(want, b.points))
			}
			want := []string{"delete nimbus/export", "delete nimbus/files", "delete nimbus/store"}
			state, left := outlay.StateDeleted, 0
			if files == outlay.KeepCostFiles {
				want, state, left = want[:1], outlay.StateVerified, 1
			}
			if d := cmp.Diff(want, b.cloud.applied); d != "" {
				t.Errorf("calls (-want +got):\n%s", d)
			}
			if n := b.cloud.count(kindStore); n != left {
				t.Errorf("%d stores left, want %d", n, left)
			}
			if e, s := b.row(kindExport), b.row(kindStore); e.State != outlay.StateDeleted || s.State != state {
				t.Errorf("ledger: export %s, store %s", e.State, s.State)
			}
			if s := b.source(); s.Desired != outlay.Absent || s.Spec != nil || s.CostFiles != files {
				t.Errorf("source %+v", s)
			}
		})
	}
}

func TestDeleteNeedsBothLocks(t *testing.T) {
	for _, c := range []struct {
		name   string
		ledger func(r *outlay.Resource)
		live   func(r *outlay.Resource)
		why    string
	}{
		{"the ledger does not say that we made it", func(r *outlay.Resource) { r.Origin = outlay.Adopted }, nil, "our ledger does not say that we made it"},
		{"the live one lost our marks", nil, func(r *outlay.Resource) { r.Owner = nil }, "is not ours"},
		{"the live one is another of the same name", nil, func(r *outlay.Resource) { r.ProviderID = "id:another" }, "is not ours"},
		{"the live one is older than our intent", nil, func(r *outlay.Resource) { r.Created = r.Created.Add(-time.Hour) }, "is not ours"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := setup(t)
			b.is(b.up(), outlay.OpDone)
			plan := b.plan(outlay.OpDeprovision, outlay.DeleteCostFiles)
			if c.ledger != nil {
				row := b.row(kindExport)
				c.ledger(&row)
				b.tx(func(tx outlay.Tx) error { return tx.PutResource(t.Context(), row) })
			}
			if c.live != nil {
				live := b.cloud.live["nimbus/export export-"+src]
				c.live(&live)
				b.cloud.live[live.Key()] = live
			}
			before := len(b.cloud.applied)
			id := b.start(outlay.Operation{Kind: outlay.OpDeprovision, Plan: plan, CostFiles: outlay.DeleteCostFiles})
			o := b.is(id, outlay.OpWaiting)
			if !strings.Contains(o.Problem.Message, c.why) || !strings.Contains(o.Problem.Message, "left alone") {
				t.Errorf("problem %+v", o.Problem)
			}
			if len(b.cloud.applied) != before || b.cloud.count(kindExport) != 1 {
				t.Errorf("deleted: %v", b.cloud.applied[before:])
			}
		})
	}
}

func TestDeleteOfWhatIsGone(t *testing.T) {
	b := setup(t)
	b.is(b.up(), outlay.OpDone)
	plan := b.plan(outlay.OpDeprovision, outlay.DeleteCostFiles)
	delete(b.cloud.live, "nimbus/export export-"+src)
	b.cloud.applied = nil
	id := b.start(outlay.Operation{Kind: outlay.OpDeprovision, Plan: plan, CostFiles: outlay.DeleteCostFiles})
	b.is(id, outlay.OpDone)
	if s := b.step(id, "Delete the export"); s.Detail != "Was gone already" {
		t.Errorf("step %+v", s)
	}
	if d := cmp.Diff([]string{"delete nimbus/files", "delete nimbus/store"}, b.cloud.applied); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

// A delivery that was in flight fills the store again after it was emptied: it is emptied again.
func TestLateDeliveryIsRemovedToo(t *testing.T) {
	b := setup(t)
	b.is(b.up(), outlay.OpDone)
	late := 2
	b.cloud.before = func(c outlay.Change) error {
		if c.Action == outlay.ActionDelete && c.Kind == kindStore && late > 0 {
			late--
			store := b.cloud.live[c.Key()]
			store.Objects = 1
			b.cloud.live[c.Key()] = store
		}
		return nil
	}
	id := b.down(outlay.DeleteCostFiles)
	for range 3 {
		b.later(time.Minute)
	}
	b.is(id, outlay.OpDone)
	if n := b.cloud.count(kindStore); n != 0 {
		t.Errorf("%d stores left", n)
	}
}

func TestLostAnswerOfADelete(t *testing.T) {
	b := setup(t)
	b.is(b.up(), outlay.OpDone)
	once := map[outlay.ResourceKind]bool{}
	b.cloud.after = func(c outlay.Change) error {
		if once[c.Kind] {
			return nil
		}
		once[c.Kind] = true
		return &outlay.Error{Code: outlay.CodeUnavailable, Message: "connection reset", Outcome: outlay.Unknown}
	}
	id := b.down(outlay.DeleteCostFiles)
	for range 6 {
		b.later(time.Minute)
	}
	b.is(id, outlay.OpDone)
	if len(b.cloud.live) != 0 {
		t.Errorf("left: %v", b.cloud.live)
	}
	if r := b.row(kindRule); r.State != outlay.StateDeleted {
		t.Errorf("the rule went with its store, but the ledger says %s", r.State)
	}
}

func TestRemoveHistory(t *testing.T) {
	removed := ""
	b := setup(t, func(o *Options) {
		o.RemoveHistory = func(_ context.Context, orgID, sourceID string) error { removed = orgID + " " + sourceID; return nil }
	})
	b.is(b.up(), outlay.OpDone)
	id := b.start(outlay.Operation{Kind: outlay.OpDeprovision, Plan: b.plan(outlay.OpDeprovision, outlay.KeepCostFiles), CostFiles: outlay.KeepCostFiles, RemoveHistory: true})
	b.is(id, outlay.OpDone)
	if removed != org+" "+src {
		t.Errorf("removed %q", removed)
	}
}

// Undo removes what its run made and leaves what another made.
func TestUndoIsLimitedToItsRun(t *testing.T) {
	b := setup(t)
	b.is(b.up(), outlay.OpDone)
	delete(b.cloud.live, "nimbus/export export-"+src)
	row := b.row(kindExport)
	row.State = outlay.StateMissing
	b.tx(func(tx outlay.Tx) error { return tx.PutResource(t.Context(), row) })
	second := b.up()
	b.is(second, outlay.OpDone)
	if r := b.row(kindExport); r.OperationID != second {
		t.Fatalf("the export was made again by %s", r.OperationID)
	}
	undo := outlay.Operation{Kind: outlay.OpDeprovision, CostFiles: outlay.DeleteCostFiles}
	undo.Plan = b.plan(outlay.OpDeprovision, outlay.DeleteCostFiles).MadeBy(second, b.source().Resources)
	var changes []string
	for _, c := range undo.Plan.Changes {
		changes = append(changes, fmt.Sprintf("%s %s", c.Action, c.Kind))
	}
	if d := cmp.Diff([]string{"delete nimbus/export"}, changes); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	id := b.start(undo)
	b.is(id, outlay.OpDone)
	if s := b.source(); s.Desired != outlay.Present || b.cloud.count(kindStore) != 1 {
		t.Errorf("source %s, %d stores: what the first run made must stay", s.Desired, b.cloud.count(kindStore))
	}
}

// A deprovision that follows a run which was cut off in the middle of a create removes what that create made.
func TestDeprovisionAfterALostCreate(t *testing.T) {
	b := setup(t)
	b.cloud.after = func(c outlay.Change) error {
		if c.Kind == kindStore && c.Action == outlay.ActionCreate {
			return &outlay.Error{Code: outlay.CodeUnavailable, Message: "connection reset", Outcome: outlay.Unknown}
		}
		return nil
	}
	id := b.up()
	b.tx(func(tx outlay.Tx) error {
		o, err := tx.Operation(t.Context(), id)
		if err != nil {
			return err
		}
		o.Status = outlay.OpFailed
		return tx.PutOperation(t.Context(), o)
	})
	b.is(b.down(outlay.DeleteCostFiles), outlay.OpDone)
	if len(b.cloud.live) != 0 {
		t.Errorf("left: %v", b.cloud.live)
	}
	if s := b.source(); s.Desired != outlay.Absent {
		t.Errorf("source %+v", s)
	}
}

// What a lost create made, but nobody could see when the plan was made, is found at the end of the run.
func TestDeprovisionDoesNotForgetWhatAppearsLater(t *testing.T) {
	b := setup(t)
	b.cloud.after = func(c outlay.Change) error {
		if c.Kind != kindExport || c.Action != outlay.ActionCreate {
			return nil
		}
		b.cloud.hidden[c.Key()] = b.clock.Now().Add(50 * time.Second)
		return &outlay.Error{Code: outlay.CodeUnavailable, Message: "connection reset", Outcome: outlay.Unknown}
	}
	first := b.up()
	b.tx(func(tx outlay.Tx) error {
		o, err := tx.Operation(t.Context(), first)
		if err != nil {
			return err
		}
		o.Status = outlay.OpFailed
		return tx.PutOperation(t.Context(), o)
	})
	second := b.down(outlay.DeleteCostFiles)
	if o := b.is(second, outlay.OpFailed); !strings.Contains(o.Problem.Message, "appeared after the plan") {
		t.Errorf("problem %+v", o.Problem)
	}
	if s := b.source(); s.Desired != outlay.Present {
		t.Errorf("the source is given up while something of it is left")
	}
	b.is(b.down(outlay.DeleteCostFiles), outlay.OpDone)
	if len(b.cloud.live) != 0 {
		t.Errorf("left: %v", b.cloud.live)
	}
}

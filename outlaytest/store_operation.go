package outlaytest

import (
	"context"
	"strings"
	"testing"

	"outlay"
)

func operation(o tenant, id, scope string) outlay.Operation {
	return outlay.Operation{OrgID: o.id, ID: id, Kind: outlay.OpProvision, SourceID: "src_1", AccountID: "acc_1", Provider: "nimbus", ScopeID: scope, Status: outlay.OpQueued,
		IdemKey: "key-" + id, RequestHash: "hash-" + id, PlanHash: "ph", CostFiles: outlay.DeleteCostFiles, RemoveHistory: true, Attempts: 1, NextAt: noon(),
		Plan: outlay.Plan{Changes: []outlay.Change{{Action: outlay.ActionCreate, Kind: "nimbus/bucket", Name: "b", Title: "Bucket", Settle: 5e9, Auto: true,
			To: map[string]string{"a": "b"}, Needs: []string{"n"}}}, Notes: []outlay.Note{{Level: "info", Text: "t"}}},
		Problem:   &outlay.Problem{Code: outlay.CodeForbidden, Message: "m", Fix: "f"},
		CreatedBy: "usr_1", CreatedAt: noon(), StartedAt: after(1), EndedAt: after(2)}
}

func addOperation(o tenant, op outlay.Operation) outlay.Operation {
	o.t.Helper()
	o.write(func(ctx context.Context, tx outlay.Tx) (err error) {
		op, err = tx.AddOperation(ctx, op)
		return err
	})
	return op
}

func putOperation(op outlay.Operation) func(context.Context, outlay.Tx) error {
	return func(ctx context.Context, tx outlay.Tx) error { return tx.PutOperation(ctx, op) }
}

func getOperation(o tenant, id string) outlay.Operation {
	o.t.Helper()
	return read(o, func(ctx context.Context, tx outlay.Tx) (outlay.Operation, error) { return tx.Operation(ctx, id) })
}

func storeOperations(t *testing.T, s outlay.Store) {
	o := withSource(t, s, "org_a")
	op := filled(t, operation(o, "op_1", "payer"), "LeaseOwner", "LeaseUntil", "Fence")
	bare := outlay.Operation{OrgID: o.id, ID: op.ID, Status: outlay.OpQueued}
	same(t, "added", bare, addOperation(o, bare))
	o.write(putOperation(op)) // every field must be updated
	same(t, "read", op, getOperation(o, "op_1"))
	if got := getOperation(o, "op_1"); got.Plan.Hash() != op.Plan.Hash() {
		t.Error("a stored plan must keep its hash")
	}
	add := func(op outlay.Operation) func(context.Context, outlay.Tx) error {
		return func(ctx context.Context, tx outlay.Tx) error { _, err := tx.AddOperation(ctx, op); return err }
	}

	// The same key: the same operation for the same request, a conflict for another.
	repeat := operation(o, "op_2", "payer")
	repeat.IdemKey, repeat.RequestHash = op.IdemKey, op.RequestHash
	same(t, "the same request", op, addOperation(o, repeat))
	repeat.RequestHash = "other"
	_ = o.refuse(outlay.CodeConflict, add(repeat))

	// One active operation per (provider, scope), and the refusal names it.
	err := o.refuse(outlay.CodeConflict, add(operation(o, "op_3", "payer")))
	if e := outlay.AsError(err); !strings.Contains(e.Fix, "op_1") {
		t.Errorf("Fix does not name the active operation: %q", e.Fix)
	}
	addOperation(o, operation(o, "op_4", "other"))
	cumulus := operation(o, "op_5", "payer")
	cumulus.Provider = "cumulus"
	addOperation(o, cumulus)

	// A double click without a key is one operation while it is active.
	click := operation(o, "op_6", "third")
	click.IdemKey = ""
	click = addOperation(o, click)
	again := click
	again.ID = "op_7"
	same(t, "the second click", click, addOperation(o, again))
	click.Status = outlay.OpFailed
	o.write(putOperation(click))
	if got := addOperation(o, again); got.ID != "op_7" {
		t.Errorf("after the end, the same request is a new operation, not %s", got.ID)
	}

	// An operation that has ended frees its scope, still answers to its key, and does not come back.
	op.Status, op.Problem, op.Plan, op.Kind = outlay.OpDone, nil, outlay.Plan{}, outlay.OpBackfill
	o.write(putOperation(op))
	same(t, "done", op, getOperation(o, "op_1"))
	back := op
	back.Status = outlay.OpRunning
	_ = o.refuse(outlay.CodeConflict, putOperation(back))
	repeat.RequestHash = op.RequestHash
	if got := addOperation(o, repeat); got.ID != "op_1" {
		t.Errorf("the key leads to %s", got.ID)
	}
	next := operation(o, "op_8", "payer")
	next.SourceID, next.AccountID, next.CreatedAt = "", "", after(9)
	same(t, "next", next, addOperation(o, next))
	_ = o.refuse(outlay.CodeNotFound, putOperation(operation(o, "op_none", "payer")))
	_ = o.refuse(outlay.CodeNotFound, func(ctx context.Context, tx outlay.Tx) error { _, err := tx.Operation(ctx, "op_none"); return err })

	list := func(source string) (ids []string) {
		for _, op := range read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.Operation, error) { return tx.Operations(ctx, source) }) {
			ids = append(ids, op.ID)
		}
		return ids
	}
	same(t, "newest first", []string{"op_8", "op_7", "op_6", "op_5", "op_4", "op_1"}, list(""))
	same(t, "of one source", []string{"op_7", "op_6", "op_5", "op_4", "op_1"}, list("src_1"))
}

func storeFence(t *testing.T, s outlay.Store) {
	o := withSource(t, s, "org_a")
	addOperation(o, operation(o, "op_1", "payer"))
	first := claimOperation(t, s, "worker 1", 0)
	if first == nil || first.Fence != 1 || first.LeaseOwner != "worker 1" || !first.LeaseUntil.Equal(after(5)) {
		t.Fatalf("first claim: %+v", first)
	}
	same(t, "the lease is to be seen", *first, getOperation(o, "op_1"))
	step := filled(t, outlay.Step{OrgID: o.id, OperationID: "op_1", Seq: 2, Title: "Make\x00it", ResourceKey: "k", State: outlay.StepRunning, Detail: "broken \xff text", Calls: 3,
		StartedAt: noon(), EndedAt: after(1)})
	put := func(st outlay.Step, fence int64) func(context.Context, outlay.Tx) error {
		return func(ctx context.Context, tx outlay.Tx) error { return tx.PutStep(ctx, st, fence) }
	}
	o.write(put(outlay.Step{OperationID: step.OperationID, Seq: step.Seq}, first.Fence)) // bare first: then every field must be updated
	o.write(put(step, first.Fence))
	first.Status = outlay.OpRunning
	o.write(putOperation(*first))
	if got := getOperation(o, "op_1"); got.LeaseOwner != "worker 1" || got.Status != outlay.OpRunning {
		t.Errorf("a running operation keeps its lease: %+v", got)
	}
	if got := claimOperation(t, s, "worker 2", 4); got != nil {
		t.Fatalf("claimed while it was leased: %+v", got)
	}
	if err := s.Install().RenewOperation(t.Context(), first, after(8)); err != nil || !first.LeaseUntil.Equal(after(8)) {
		t.Fatalf("renewing: %v, %v", err, first.LeaseUntil)
	}
	if got := claimOperation(t, s, "worker 2", 7); got != nil {
		t.Fatalf("claimed while the lease was renewed: %+v", got)
	}

	// The lease runs out: another worker takes it, and the first is a zombie whose writes are refused.
	second := claimOperation(t, s, "worker 2", 9)
	if second == nil || second.Fence != 2 || second.Status != outlay.OpRunning {
		t.Fatalf("second claim: %+v", second)
	}
	first.Status = outlay.OpDone
	_ = o.refuse(outlay.CodeConflict, putOperation(*first))
	step.State = outlay.StepDone
	_ = o.refuse(outlay.CodeConflict, put(step, first.Fence))
	if err := s.Install().RenewOperation(t.Context(), first, after(99)); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("a zombie renewed its lease: %v", err)
	}
	other := outlay.Step{OrgID: o.id, OperationID: "op_1", Seq: 1, Title: "First", State: outlay.StepDone}
	o.write(put(step, second.Fence))
	o.write(put(other, second.Fence))
	step.Title, step.Detail = "Make�it", "broken � text"
	same(t, "steps in order, with text that every database keeps", []outlay.Step{other, step},
		read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.Step, error) { return tx.Steps(ctx, "op_1") }))
	_ = o.refuse(outlay.CodeNotFound, put(outlay.Step{OperationID: "op_none", Seq: 1}, 1))

	// Waiting hands the lease back: the operation is due at NextAt, not when the lease would have ended.
	second.Status, second.NextAt = outlay.OpWaiting, after(60)
	o.write(putOperation(*second))
	if got := claimOperation(t, s, "worker 3", 59); got != nil {
		t.Fatalf("claimed before it was due: %+v", got)
	}
	second.NextAt = after(10) // Resume
	o.write(putOperation(*second))
	third := claimOperation(t, s, "worker 3", 10)
	if third == nil || third.Fence != 3 || third.Status != outlay.OpWaiting {
		t.Fatalf("claim of a resumed operation: %+v", third)
	}
	third.Status = outlay.OpDone
	o.write(putOperation(*third))
	if got := claimOperation(t, s, "worker 4", 10_000); got != nil {
		t.Errorf("claimed after its end: %+v", got)
	}
	if err := s.Install().RenewOperation(t.Context(), third, after(99)); err != nil {
		t.Errorf("a renewal that comes after the end is no failure: %v", err)
	}
	if got := getOperation(o, "op_1"); got.Fence != 3 || got.LeaseOwner != "" || !got.LeaseUntil.IsZero() {
		t.Errorf("after the end: %+v", got)
	}
}

// claimOperation claims at a minute past noon, for five minutes.
func claimOperation(t *testing.T, s outlay.Store, owner string, minute int) *outlay.Operation {
	t.Helper()
	op, err := s.Install().ClaimOperation(t.Context(), owner, after(minute), after(minute+5))
	if err != nil {
		t.Fatal(err)
	}
	return op
}

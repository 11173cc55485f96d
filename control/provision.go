package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"outlay"
)

// ProvisionRequest confirms a plan.
type ProvisionRequest struct {
	AccountID string
	Spec      outlay.Spec
	// PlanHash is the plan that the person saw; "" takes the plan of this moment (a command without --plan).
	PlanHash string
	IdemKey  string // the same key twice is the same run
}

// Provision stores the confirmed plan and queues the run that makes it true.
func (c *Control) Provision(ctx context.Context, a outlay.Actor, r ProvisionRequest) (RunView, error) {
	if err := c.must(ctx, a, outlay.BillingProvision, "account "+r.AccountID); err != nil {
		return RunView{}, err
	}
	hash := requestHash("provision", r.AccountID, r.Spec)
	if again, ok, err := c.sameRun(ctx, a, r.IdemKey, hash); ok || err != nil {
		return again, err
	}
	s, v, err := c.plan(ctx, a, PlanRequest{AccountID: r.AccountID, Spec: r.Spec}, r.PlanHash == "")
	if err != nil {
		return RunView{}, err
	}
	if v.Blocked != "" {
		return RunView{}, outlay.Errorf(outlay.CodeConflict, "Nothing was changed. The plan says more: outlay billing plan "+s.account.Name, "%s", v.Blocked)
	}
	if r.PlanHash != "" && r.PlanHash != v.Hash {
		return RunView{}, outlay.Errorf(outlay.CodeConflict, "Look at the new plan and confirm it.", "the plan has changed since you saw it")
	}
	op := outlay.Operation{
		OrgID: a.OrgID, ID: outlay.NewID("run"), Kind: outlay.OpProvision, SourceID: s.source.ID, AccountID: s.account.ID, Provider: s.account.Provider,
		ScopeID: s.source.Scope.ID, Status: outlay.OpQueued, IdemKey: r.IdemKey, RequestHash: hash, Plan: outlay.Plan{Changes: v.Changes, Notes: v.Notes}, PlanHash: v.Hash,
		CreatedBy: a.UserID, CreatedAt: c.deps.Clock.Now(),
	}
	s.source.Desired = outlay.Present
	return c.queue(ctx, a, s, op, outlay.BillingProvision)
}

// queue stores source, planned resources and operation in one transaction: nobody sees half of it.
func (c *Control) queue(ctx context.Context, a outlay.Actor, s setting, op outlay.Operation, action outlay.Action) (RunView, error) {
	err := c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		if err := c.endWaiting(ctx, tx, s.active, s.ending); err != nil {
			return err
		}
		if err := tx.PutSource(ctx, s.source); err != nil {
			return err
		}
		stored, err := tx.AddOperation(ctx, op)
		if err != nil {
			return err
		}
		if op.ID != stored.ID {
			op = stored
			return nil
		}
		known := map[string]bool{}
		for _, r := range s.source.Resources {
			known[r.Key()] = true
		}
		for _, change := range op.Plan.Changes {
			if op.Kind != outlay.OpProvision || change.Action == outlay.ActionKeep || known[change.Key()] {
				continue
			}
			row := outlay.Resource{OrgID: a.OrgID, SourceID: s.source.ID, Kind: change.Kind, Name: change.Name, State: outlay.StatePlanned, OperationID: op.ID}
			if err := tx.PutResource(ctx, row); err != nil {
				return err
			}
		}
		return c.note(ctx, tx, a, action, "account "+s.account.Name, "run "+op.ID+", plan "+op.PlanHash[:12])
	})
	if err != nil {
		return RunView{}, err
	}
	c.seen.forget(s.account.ID)
	c.wake()
	return c.runOf(ctx, a, op.ID)
}

// sameRun finds the run of an idempotency key: a repeated request gets the run that it started. Without a key the same
// request gets the run that is under way (reliability.md §3.4, double click); one that waits is asked for anew.
func (c *Control) sameRun(ctx context.Context, a outlay.Actor, key, hash string) (RunView, bool, error) {
	var found *outlay.Operation
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		ops, err := tx.Operations(ctx, "")
		for i := range ops {
			o := &ops[i]
			under := o.Status == outlay.OpQueued || o.Status == outlay.OpRunning
			if o.IdemKey == key && (key != "" || o.RequestHash == hash && under) {
				found = o
			}
		}
		return err
	})
	if err != nil || found == nil {
		return RunView{}, false, err
	}
	if found.RequestHash != hash {
		return RunView{}, false, outlay.Errorf(outlay.CodeInvalid, "Use a new Idempotency-Key.", "this Idempotency-Key was used for another request").InField("Idempotency-Key")
	}
	v, err := c.runOf(ctx, a, found.ID)
	return v, true, err
}

func requestHash(parts ...any) string {
	b, _ := json.Marshal(parts) // plain data always marshals
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

package provision

import (
	"context"
	"errors"
	"fmt"

	"outlay"
	"outlay/operation"
)

// job is one attempt at an operation with everything that it works on.
type job struct {
	*Engine
	run      *operation.Run
	op       outlay.Operation
	provider outlay.Provider
	account  outlay.CloudAccount
	source   outlay.Source // as the plan saw it, with the ledger of this moment
	steps    []step
	// found holds what the look of this attempt found for a change, by its key; nil for 'surely nothing'.
	found map[string]*outlay.Resource
}

// job loads what an attempt works on, and refuses a plan that is not the one that was confirmed.
func (e *Engine) job(ctx context.Context, r *operation.Run) (*job, error) {
	j := &job{Engine: e, run: r, op: r.Operation(), found: map[string]*outlay.Resource{}}
	if j.op.Plan.Hash() != j.op.PlanHash {
		return nil, &operation.End{Problem: outlay.Problem{
			Code: outlay.CodeConflict, Message: "the plan of this run is not the one that was confirmed", Fix: "Start again and confirm the new plan.",
		}}
	}
	provider, ok := e.Providers[j.op.Provider]
	if !ok {
		return nil, &operation.End{Problem: outlay.Problem{
			Code: outlay.CodeInvalid, Message: fmt.Sprintf("this installation has no provider %q", j.op.Provider),
		}}
	}
	j.provider = provider
	j.steps = layout(j.op, provider.About())
	err := e.Store.ReadOrg(ctx, j.op.OrgID, func(tx outlay.Tx) (err error) {
		if j.account, err = tx.Account(ctx, j.op.AccountID); err != nil {
			return fmt.Errorf("read the account of a run: %w", err)
		}
		return j.reload(ctx, tx)
	})
	return j, err
}

// reload reads the source with its ledger. A deprovision asks for nothing.
func (j *job) reload(ctx context.Context, tx outlay.Tx) error {
	s, err := tx.Source(ctx, j.op.SourceID)
	if err != nil {
		return fmt.Errorf("read the source of a run: %w", err)
	}
	if j.down() {
		s.Spec, s.CostFiles = nil, j.op.CostFiles
	}
	j.source = s
	return nil
}

func (j *job) down() bool { return j.op.Kind.Removes() }

// skips tells whether step i needs nothing: it was done by an earlier attempt, or is not for this run.
func (j *job) skips(i int, s step) bool {
	switch s.role {
	case roleBind:
		return false // a credential is checked at each use
	case roleLook:
		return j.run.Done(i + 1) // its change is done; before that, an earlier look proves nothing now
	}
	return j.run.Done(i)
}

func (j *job) do(ctx context.Context, i int, s step) error {
	switch s.role {
	case roleBind:
		return j.run.Read(ctx, i, j.bind)
	case roleLook:
		return j.run.Read(ctx, i, func(ctx context.Context) (string, error) { return j.look(ctx, s.change) })
	case roleVerify:
		return j.run.Read(ctx, i, func(ctx context.Context) (string, error) { return j.verify(ctx, i, s.change) })
	case roleManual:
		if j.down() { // nobody else can do it, and nothing of ours waits for it
			return j.run.Skip(ctx, i, "Only you can do this: "+orElse(s.change.Detail, s.change.Title))
		}
		return j.run.Read(ctx, i, func(ctx context.Context) (string, error) { return j.manual(ctx, s) })
	case roleHold:
		return j.hold(ctx, s.change)
	case rolePublish:
		return j.run.Read(ctx, i, j.publish)
	}
	switch s.change.Action {
	case outlay.ActionCreate:
		return j.create(ctx, i, s.change)
	case outlay.ActionDelete:
		return j.delete(ctx, i, s.change)
	case outlay.ActionAdopt:
		return j.adopt(ctx, i, s.change)
	}
	return j.update(ctx, i, s.change)
}

// row is the ledger's row of a resource, as far as there is one.
func (j *job) row(key string) (outlay.Resource, bool) {
	for _, r := range j.source.Resources {
		if r.Key() == key {
			return r, true
		}
	}
	return outlay.Resource{}, false
}

// put writes a ledger row and reads the ledger again.
func (j *job) put(ctx context.Context, tx outlay.Tx, r outlay.Resource) error {
	if err := tx.PutResource(ctx, r); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	return j.reload(ctx, tx)
}

// explain turns an attempt's error into what a person needs: a refusal waits with the smallest policy to paste, and a
// reconcile that a person has to help ends, since the next look starts another.
func (j *job) explain(ctx context.Context, s step, err error) error {
	if ctx.Err() != nil {
		return err
	}
	e, refused := errors.AsType[*outlay.Error](err)
	wait, waits := errors.AsType[*operation.Wait](err)
	refused = refused && e.Code == outlay.CodeForbidden
	if !refused && !waits {
		if j.op.Kind == outlay.OpReconcile && !retried(err) {
			return &operation.End{Problem: operation.ProblemOf(err, s.line.Title)}
		}
		return err
	}
	p := operation.ProblemOf(err, s.line.Title)
	p.Step = s.line.Title
	if refused {
		p.Policy = j.policy(ctx)
	}
	if j.op.Kind == outlay.OpReconcile {
		return &operation.End{Problem: p}
	}
	if waits {
		return &operation.Wait{Problem: p, Until: wait.Until}
	}
	return &operation.Wait{Problem: p}
}

func retried(err error) bool {
	e, ok := errors.AsType[*outlay.Error](err)
	return !ok || e.Code.Retryable() || e.Outcome == outlay.Unknown
}

// policy asks what the credential lacks; "" when that cannot be found out.
func (j *job) policy(ctx context.Context) string {
	seen, err := j.observe(ctx, outlay.Look{Permissions: true, Kinds: []outlay.ResourceKind{}})
	if err != nil {
		return ""
	}
	return seen.Policy
}

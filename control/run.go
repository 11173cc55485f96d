package control

import (
	"context"
	"iter"
	"reflect"
	"slices"
	"time"

	"outlay"
)

// Runs lists the runs of an account, newest first; all of them with accountID "".
func (c *Control) Runs(ctx context.Context, a outlay.Actor, accountID string) ([]RunView, error) {
	if err := a.Must(outlay.RunsRead); err != nil {
		return nil, err
	}
	var out []RunView
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		ops, err := tx.Operations(ctx, "")
		if err != nil {
			return err
		}
		accounts, err := tx.Accounts(ctx)
		if err != nil {
			return err
		}
		for _, o := range ops {
			name := accountTitle(accounts, o.AccountID)
			if accountID == "" || o.AccountID == accountID || name == accountID {
				out = append(out, c.runView(o, nil, name))
			}
		}
		return nil
	})
	return out, err
}

func accountTitle(accounts []outlay.CloudAccount, id string) string {
	for _, acc := range accounts {
		if acc.ID == id {
			return acc.Name
		}
	}
	return id
}

// Run is one run with its steps.
func (c *Control) Run(ctx context.Context, a outlay.Actor, id string) (RunView, error) {
	if err := a.Must(outlay.RunsRead); err != nil {
		return RunView{}, err
	}
	return c.runOf(ctx, a, id)
}

// runOf is Run for a verb that has its own permission: whoever may start a run is told what became of it.
func (c *Control) runOf(ctx context.Context, a outlay.Actor, id string) (RunView, error) {
	var v RunView
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		o, err := tx.Operation(ctx, id)
		if err != nil {
			return err
		}
		steps, err := tx.Steps(ctx, id)
		if err != nil {
			return err
		}
		accounts, err := tx.Accounts(ctx)
		if err != nil {
			return err
		}
		v = c.runView(o, steps, accountTitle(accounts, o.AccountID))
		heads, err := tx.Heads(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(heads, func(h outlay.Head) bool { return h.SourceID == o.SourceID }) {
			v.After = "" // data is here already: nothing has to be waited for
		}
		if u, err := tx.User(ctx, o.CreatedBy); err == nil {
			v.By = u.Name
		}
		return nil
	})
	return v, err
}

func (c *Control) runView(o outlay.Operation, steps []outlay.Step, account string) RunView {
	v := RunView{
		ID: o.ID, Kind: o.Kind, Title: runTitle(o.Kind), Status: o.Status, AccountID: o.AccountID, AccountName: account, SourceID: o.SourceID, Provider: c.title(o.Provider),
		Problem: o.Problem, NextAt: o.NextAt, CreatedAt: o.CreatedAt, StartedAt: o.StartedAt, EndedAt: o.EndedAt, By: o.CreatedBy,
	}
	for _, s := range steps {
		step := StepView{Seq: s.Seq, Title: s.Title, State: s.State, Detail: s.Detail, Calls: s.Calls, At: s.StartedAt}
		if !s.EndedAt.IsZero() {
			step.Took = s.EndedAt.Sub(s.StartedAt)
		} else if s.State == outlay.StepRunning && !s.StartedAt.IsZero() {
			step.Took = max(0, c.deps.Clock.Now().Sub(s.StartedAt))
		}
		if s.State == outlay.StepDone || s.State == outlay.StepSkipped {
			v.Done++
		}
		v.Steps = append(v.Steps, step)
	}
	v.Total = len(v.Steps)
	if p, ok := c.providers[o.Provider]; ok && o.Kind == outlay.OpProvision && o.Status == outlay.OpDone {
		v.After = p.About().FirstData
	}
	if o.Problem != nil && o.Problem.Manual != nil && o.Status == outlay.OpWaiting && c.deps.Clock.Now().Sub(o.Problem.Since) >= remindAfter && !o.Problem.Since.IsZero() {
		v.Reminder = "Reminder: this has waited for you since " + o.Problem.Since.UTC().Format("15:04 UTC, 2 Jan 2006") + ". Until it is done, nothing is delivered."
	}
	for _, change := range o.Plan.Changes {
		if o.Kind.Removes() && change.Action == outlay.ActionManual {
			v.ByHand = append(v.ByHand, HandView{change.Title, change.Detail, change.Manual})
		}
	}
	return v
}

// remindAfter is how long a run waits for a person before that is said again.
const remindAfter = 24 * time.Hour

func runTitle(k outlay.OperationKind) string {
	switch k {
	case outlay.OpProvision:
		return "Provision billing"
	case outlay.OpDeprovision:
		return "Deprovision billing"
	case outlay.OpReconcile:
		return "Turn on tags"
	case outlay.OpBackfill:
		return "Ask for a backfill"
	case outlay.OpDeleteKept:
		return "Delete what was kept"
	}
	return string(k)
}

// Resume has a waiting run try again now, from the step where it stopped.
func (c *Control) Resume(ctx context.Context, a outlay.Actor, id string) (RunView, error) {
	if err := c.must(ctx, a, outlay.BillingProvision, "run "+id); err != nil {
		return RunView{}, err
	}
	err := c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		o, err := tx.Operation(ctx, id)
		if err != nil {
			return err
		}
		if o.Status != outlay.OpWaiting {
			return outlay.Errorf(outlay.CodeConflict, "Only a waiting run can be tried again.", "the run is %s", o.Status)
		}
		o.NextAt = c.deps.Clock.Now()
		if err := tx.PutOperation(ctx, o); err != nil {
			return err
		}
		return c.note(ctx, tx, a, outlay.BillingProvision, "run "+id, "try again")
	})
	if err != nil {
		return RunView{}, err
	}
	c.wake()
	return c.runOf(ctx, a, id)
}

// Undo removes what a stopped provisioning run made, and nothing else; delivered files are kept when any were loaded,
// because they cannot be had again.
func (c *Control) Undo(ctx context.Context, a outlay.Actor, id string) (RunView, error) {
	if err := c.must(ctx, a, outlay.BillingDeprovision, "run "+id); err != nil {
		return RunView{}, err
	}
	run, err := c.runOf(ctx, a, id)
	if err != nil {
		return RunView{}, err
	}
	if run.Kind != outlay.OpProvision || (run.Status != outlay.OpWaiting && run.Status != outlay.OpFailed) {
		return RunView{}, outlay.Errorf(outlay.CodeConflict, "Deprovision the account instead.", "only a provisioning run that stopped can be undone")
	}
	months, err := c.months(ctx, a, run.SourceID)
	if err != nil {
		return RunView{}, err
	}
	files := outlay.DeleteCostFiles
	if months > 0 {
		files = outlay.KeepCostFiles
	}
	return c.deprovision(ctx, a, DeprovisionRequest{AccountID: run.AccountID, CostFiles: files, Confirm: run.AccountName, IdemKey: "undo " + id}, id)
}

// watchPoll is how often a watched run is read again.
const watchPoll = 300 * time.Millisecond

// WatchRun yields a run at once and at each change, until it has ended or ctx is done.
func (c *Control) WatchRun(ctx context.Context, a outlay.Actor, id string) iter.Seq2[RunView, error] {
	return func(yield func(RunView, error) bool) {
		var last RunView
		tick := time.NewTicker(watchPoll)
		defer tick.Stop()
		for {
			v, err := c.Run(ctx, a, id)
			if err != nil {
				yield(v, err)
				return
			}
			if !reflect.DeepEqual(v, last) && !yield(v, nil) {
				return
			}
			if last = v; !v.Status.Active() {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}
}

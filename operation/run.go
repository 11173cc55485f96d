package operation

import (
	"context"
	"errors"
	"time"

	"outlay"
)

// Run is one attempt at an operation, with its ledger of steps. Everything that it writes names the fence of its
// lease, so a worker that lost it writes nothing more.
type Run struct {
	w     *Worker
	op    outlay.Operation
	lease *lease
	actor string // name of who asked for it
	lines []Line
	steps []outlay.Step
	// current is the step in hand, −1 before the first.
	current int
	// progressed is set once a step of this attempt changed something: the failures in a row begin anew.
	progressed bool
	before     *outlay.Problem // why the attempt before this one stopped
}

// Line is one step of a run as it is laid out before anything happens.
type Line struct {
	Title    string // "Create the S3 bucket"
	Detail   string // shown until there is something better
	Point    string // names the step's points; the same step of two runs has the same
	Resource string // Change.Key, "" for reads
	// Hold, when not empty, says why the step is not done by this run: it is shown as waiting.
	Hold string
}

// Operation is what was claimed, with the plan that a person confirmed.
func (r *Run) Operation() outlay.Operation { return r.op }

// Before is why the attempt before this one stopped; nil when there was none.
func (r *Run) Before() *outlay.Problem { return r.before }

// Sleep waits within a step; it ends early when the lease is lost.
func (r *Run) Sleep(ctx context.Context, d time.Duration) error {
	if err := r.w.Sleep(ctx, d); err != nil {
		return err
	}
	if r.lease.left() < r.w.Lease-r.w.Lease/10-r.w.Renew {
		return r.lease.extend(ctx)
	}
	return nil
}

// Deadline limits one provider call so that it ends before the lease does (reliability.md §3.1 rule 9). After a pause
// of the whole process that outlasted the lease, no time is left, and no call is made.
func (r *Run) Deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	left := r.lease.left()
	if left <= 0 {
		over, cancel := context.WithCancelCause(ctx)
		cancel(errLost)
		return over, func() {}
	}
	return context.WithTimeout(ctx, left)
}

// Ledger runs fn in a transaction that is refused when the lease is lost or a person has ended the run.
func (r *Run) Ledger(ctx context.Context, fn func(outlay.Tx) error) error {
	return r.ledger(ctx, func(tx outlay.Tx, _ *outlay.Operation) error { return fn(tx) })
}

// ledger writes the operation before fn, which takes its row and proves the fence, so that nobody gets between.
func (r *Run) ledger(ctx context.Context, fn func(outlay.Tx, *outlay.Operation) error) error {
	return r.w.Store.ForOrg(ctx, r.op.OrgID, func(tx outlay.Tx) error {
		o, err := tx.Operation(ctx, r.op.ID)
		if err != nil {
			return err
		}
		if o.Fence != r.op.Fence {
			return errLost
		}
		if !o.Status.Active() {
			return errStopped
		}
		o.Status = outlay.OpRunning // whoever holds the lease is running it
		if err := tx.PutOperation(ctx, o); err != nil {
			if outlay.CodeOf(err) == outlay.CodeConflict {
				return errLost
			}
			return err
		}
		return fn(tx, &o)
	})
}

// begin marks the operation as running and counts the attempt.
func (r *Run) begin(ctx context.Context) error {
	return r.ledger(ctx, func(tx outlay.Tx, o *outlay.Operation) error {
		r.before, o.Problem = o.Problem, nil
		o.Attempts++
		if o.StartedAt.IsZero() {
			o.StartedAt = r.w.Clock.Now()
		}
		r.op = *o
		if u, err := tx.User(ctx, o.CreatedBy); err == nil {
			r.actor = u.Name
		} else if outlay.CodeOf(err) != outlay.CodeNotFound {
			return err
		}
		return tx.PutOperation(ctx, *o)
	})
}

// finish records where the operation stands after this attempt and lets go of its lease.
func (r *Run) finish(ctx context.Context, cause error, stopping bool) error {
	status := outlay.OpDone
	err := r.ledger(ctx, func(tx outlay.Tx, o *outlay.Operation) error {
		if r.progressed {
			o.Attempts = 1
		}
		r.w.settle(o, cause, r.title(), stopping && cause != nil)
		r.keepSince(o.Problem)
		status = o.Status
		return tx.PutOperation(ctx, *o)
	})
	if err != nil || status != outlay.OpRunning {
		return err // a store takes back the lease of what does not run
	}
	c := r.op
	return r.w.Store.Install().RenewOperation(ctx, &c, r.w.Clock.Now().Add(-time.Second))
}

// keepSince lets a run that waits for a person keep since when, over attempts that stopped for another reason.
func (r *Run) keepSince(p *outlay.Problem) {
	if p != nil && r.before != nil && p.Since.IsZero() && !r.progressed {
		p.Since = r.before.Since
	}
}

// Layout writes the run's steps down before anything happens, so that a page shows them all. What an earlier attempt
// did stays.
func (r *Run) Layout(ctx context.Context, lines []Line) error {
	r.lines = lines
	return r.ledger(ctx, func(tx outlay.Tx, _ *outlay.Operation) error {
		known, err := tx.Steps(ctx, r.op.ID)
		if err != nil {
			return err
		}
		r.steps = make([]outlay.Step, len(lines))
		for i, l := range lines {
			r.steps[i] = outlay.Step{
				OrgID: r.op.OrgID, OperationID: r.op.ID, Seq: i + 1,
				Title: l.Title, ResourceKey: l.Resource, Detail: l.Detail, State: outlay.StepPending,
			}
			if i < len(known) && known[i].Title == l.Title && known[i].ResourceKey == l.Resource {
				r.steps[i] = known[i]
				continue
			}
			if l.Hold != "" {
				r.steps[i].State, r.steps[i].Detail = outlay.StepWaiting, l.Hold
			}
			if err := tx.PutStep(ctx, r.steps[i], r.op.Fence); err != nil {
				return err
			}
		}
		return nil
	})
}

// Done tells whether step i is finished, in this attempt or an earlier one.
func (r *Run) Done(i int) bool {
	return r.steps[i].State == outlay.StepDone || r.steps[i].State == outlay.StepSkipped
}

// Begun tells whether an earlier attempt began step i: what it did is not known.
func (r *Run) Begun(i int) bool {
	return r.steps[i].State != outlay.StepPending && !r.Done(i)
}

// Skip marks step i as not needed, with the reason.
func (r *Run) Skip(ctx context.Context, i int, why string) error {
	r.steps[i].EndedAt = r.w.Clock.Now()
	return r.mark(ctx, i, outlay.StepSkipped, why)
}

// Reopen makes a finished step due again: what it did may have come undone.
func (r *Run) Reopen(ctx context.Context, tx outlay.Tx, i int) error {
	r.steps[i].State, r.steps[i].EndedAt = outlay.StepPending, time.Time{}
	return tx.PutStep(ctx, r.steps[i], r.op.Fence)
}

// Read does step i, which changes nothing outside. fn returns what it found, for people.
func (r *Run) Read(ctx context.Context, i int, fn func(ctx context.Context) (string, error)) error {
	r.current = i
	point := r.lines[i].Point
	r.w.Points(point + ".before")
	if err := r.start(ctx, i); err != nil {
		return err
	}
	counted, calls := outlay.WithCalls(ctx)
	detail, err := fn(counted)
	r.steps[i].Calls += calls()
	if lost(ctx, err) {
		return errLost
	}
	if err != nil {
		return errors.Join(err, r.fail(ctx, i, err))
	}
	r.steps[i].EndedAt = r.w.Clock.Now()
	if err := r.mark(ctx, i, outlay.StepDone, detail); err != nil {
		return err
	}
	r.w.Points(point + ".after")
	return nil
}

// start marks step i as running.
func (r *Run) start(ctx context.Context, i int) error {
	r.steps[i].StartedAt = r.w.Clock.Now() // of this attempt: what it waited before is no work
	return r.mark(ctx, i, outlay.StepRunning, r.steps[i].Detail)
}

// fail marks step i as failed, or as waiting when it is tried again.
func (r *Run) fail(ctx context.Context, i int, cause error) error {
	if ctx.Err() != nil {
		return nil // cut off, not failed: the step stays as begun
	}
	return r.mark(ctx, i, failedState(cause), ProblemOf(cause, "").Message)
}

func failedState(cause error) outlay.StepState {
	if _, wait := errors.AsType[*Wait](cause); wait || again(cause) {
		return outlay.StepWaiting
	}
	return outlay.StepFailed
}

// Note replaces what step i shows, while it works.
func (r *Run) Note(ctx context.Context, i int, detail string) error {
	return r.mark(ctx, i, r.steps[i].State, detail)
}

func (r *Run) mark(ctx context.Context, i int, state outlay.StepState, detail string) error {
	r.steps[i].State = state
	if detail != "" {
		r.steps[i].Detail = detail
	}
	return r.Ledger(ctx, func(tx outlay.Tx) error { return tx.PutStep(ctx, r.steps[i], r.op.Fence) })
}

// title is the title of the step in hand, or "".
func (r *Run) title() string {
	if r.current < 0 {
		return ""
	}
	return r.lines[r.current].Title
}

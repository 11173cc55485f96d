package operation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"outlay"
)

// Wait ends this attempt of a run and leaves it waiting, with a reason for people. It goes on by itself at Until (the
// worker's Recheck from now when zero), or when a person resumes it.
type Wait struct {
	Problem outlay.Problem
	Until   time.Time
}

// Error is the problem's message.
func (w *Wait) Error() string { return w.Problem.Message }

// End ends a run as failed: it can never succeed as it is.
type End struct{ Problem outlay.Problem }

// Error is the problem's message.
func (e *End) Error() string { return e.Problem.Message }

// ProblemOf is an error as it is stored and shown; step is the title of the step that failed, or "".
func ProblemOf(err error, step string) outlay.Problem {
	if w, ok := errors.AsType[*Wait](err); ok {
		return w.Problem
	}
	if e, ok := errors.AsType[*End](err); ok {
		return e.Problem
	}
	e := outlay.AsError(err)
	return outlay.Problem{Code: e.Code, Message: e.Message, Fix: e.Fix, Step: step, Needs: e.Needs}
}

// patience is how many faults of our own in a row a run gets over before it waits for a person.
const patience = 5

// settle decides from an attempt's error where the operation stands and when it goes on.
func (w *Worker) settle(o *outlay.Operation, err error, step string, stopping bool) {
	now := w.Clock.Now()
	o.EndedAt = time.Time{}
	var wait *Wait
	var end *End
	switch {
	case err == nil:
		o.Status, o.Problem, o.EndedAt, o.Attempts = outlay.OpDone, nil, now, 0
		return
	case stopping:
		o.NextAt = now // cut off by the end of the process: the next one goes on at once
		return
	case errors.As(err, &end):
		o.Status, o.EndedAt = outlay.OpFailed, now
	case errors.As(err, &wait):
		o.Status, o.NextAt = outlay.OpWaiting, orElse(wait.Until, now.Add(w.Recheck))
	case again(err) || outlay.CodeOf(err) == outlay.CodeInternal && o.Attempts <= patience:
		o.Status, o.NextAt = outlay.OpRunning, now.Add(max(pause(w.Backoff, o.Attempts), asked(err)))
	default:
		o.Status, o.NextAt = outlay.OpWaiting, now.Add(w.Recheck)
	}
	p := ProblemOf(err, step)
	o.Problem = &p
}

// again tells whether the same may succeed soon without anybody doing anything: throttled, no answer, or an outcome
// that nobody knows.
func again(err error) bool {
	if e, ok := errors.AsType[*outlay.Error](err); ok {
		return e.Code.Retryable() || e.Outcome == outlay.Unknown
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// asked is how long the other side asked us to wait; 0 when it did not. It is believed for at most an hour.
func asked(err error) time.Duration {
	e, ok := errors.AsType[*outlay.Error](err)
	if !ok {
		return 0
	}
	return min(max(e.RetryAfter, 0), longest)
}

// operate does one claimed operation as far as it goes, and releases it.
func (w *Worker) operate(ctx context.Context, o outlay.Operation) {
	held, lease, stop := w.hold(ctx, func(ctx context.Context, until time.Time) error {
		c := o
		return w.Store.Install().RenewOperation(ctx, &c, until)
	})
	r := &Run{w: w, op: o, lease: lease, current: -1}
	err := r.begin(held)
	if err == nil {
		err = w.attempt(held, r)
	}
	if lost(held, err) {
		stop()
		w.Log.Warn("run lost to another worker", "org", o.OrgID, "run", o.ID)
		return
	}
	stop()
	if err != nil && ctx.Err() == nil {
		w.Log.Warn("run stopped", "org", o.OrgID, "run", o.ID, "kind", o.Kind, "step", r.title(), "err", err)
	}
	last, cancel := parting(ctx)
	defer cancel()
	if err := r.finish(last, err, ctx.Err() != nil); err != nil && !errors.Is(err, errLost) && !errors.Is(err, errStopped) {
		w.Log.Error("record the end of a run", "org", o.OrgID, "run", o.ID, "err", err)
	}
}

// attempt calls the handler; a panic in it is a fault of this run, not of the server.
func (w *Worker) attempt(ctx context.Context, r *Run) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a run of kind %s: %v", r.op.Kind, p)
		}
	}()
	h, ok := w.operations[r.op.Kind]
	if !ok {
		return &End{outlay.Problem{Code: outlay.CodeInternal, Message: fmt.Sprintf("nothing here does a run of kind %q", r.op.Kind)}}
	}
	return h(ctx, r)
}

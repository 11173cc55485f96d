package operation

import (
	"context"
	"fmt"
	"time"

	"outlay"
)

// perform does one claimed task and releases it.
func (w *Worker) perform(ctx context.Context, t outlay.Task) {
	held, _, stop := w.hold(ctx, func(ctx context.Context, until time.Time) error {
		c := t
		return w.Store.Install().RenewTask(ctx, &c, until)
	})
	next, err := w.try(held, t)
	gone := lost(held, err)
	stop()
	if gone {
		w.Log.Warn("task lost to another worker", "org", t.OrgID, "task", t.Kind, "subject", t.Subject)
		return
	}
	w.reschedule(&t, next, err, ctx.Err() != nil)
	if err != nil && ctx.Err() == nil {
		w.Log.Warn("task failed", "org", t.OrgID, "task", t.Kind, "subject", t.Subject, "attempts", t.Attempts, "next", t.NextAt, "err", err)
	}
	last, cancel := parting(ctx)
	defer cancel()
	if err := w.Store.Install().FinishTask(last, &t); err != nil {
		switch outlay.CodeOf(err) {
		case outlay.CodeConflict, outlay.CodeNotFound: // taken over, or deleted by its own handler
		default:
			w.Log.Error("release a task", "org", t.OrgID, "task", t.Kind, "subject", t.Subject, "err", err)
		}
	}
}

// try calls the handler; a panic in it is a failure of this task, not of the server.
func (w *Worker) try(ctx context.Context, t outlay.Task) (next time.Duration, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in task %s: %v", t.Kind, p)
		}
	}()
	return w.tasks[t.Kind](ctx, t)
}

// reschedule sets when a task is due again.
func (w *Worker) reschedule(t *outlay.Task, next time.Duration, err error, stopping bool) {
	now := w.Clock.Now()
	switch {
	case stopping && err != nil:
		t.NextAt = now // cut off by the end of the process: the next one goes on at once
	case err != nil:
		t.Attempts++
		t.LastError = outlay.AsError(err).Error()
		d := pause(w.Backoff, t.Attempts)
		if t.Every > 0 {
			d = min(d, t.Every)
		}
		t.NextAt = now.Add(max(d, asked(err)))
	default:
		t.Attempts, t.LastError, t.NextAt = 0, "", time.Time{}
		if d := orElse(next, t.Every); d > 0 {
			t.NextAt = now.Add(d)
		}
	}
}

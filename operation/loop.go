package operation

import (
	"context"
	"fmt"
	"time"
)

// Run does due work until ctx ends; then it lets go of what it holds and returns nil. A store that fails is logged
// and asked again: a worker outlives its database's restart.
func (w *Worker) Run(ctx context.Context) error {
	slots := make(chan struct{}, w.Concurrency)
	defer w.busy.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.wake:
		case <-timer.C:
		}
		if err := w.fill(ctx, slots); err != nil && ctx.Err() == nil {
			w.Log.Error("look for due work", "err", err)
		}
		timer.Reset(w.Poll)
	}
}

// fill starts due work until there is none or every slot is taken.
func (w *Worker) fill(ctx context.Context, slots chan struct{}) error {
	for ctx.Err() == nil {
		select {
		case slots <- struct{}{}:
		default:
			return nil // a finished piece of work wakes the loop
		}
		job, err := w.claim(ctx)
		if job == nil {
			<-slots
			return err
		}
		w.busy.Go(func() {
			defer w.Wake()
			defer func() { <-slots }()
			job(ctx)
		})
	}
	return nil
}

// Drain does everything that is due now, one after the other, and tells how much that was. Work that becomes due
// again later, after a failure or on its schedule, is left.
func (w *Worker) Drain(ctx context.Context) (int, error) {
	for n := 0; ; n++ {
		job, err := w.claim(ctx)
		if err != nil || job == nil {
			return n, err
		}
		job(ctx)
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
	}
}

// claim leases one piece of due work, operations first; nil when nothing is due.
func (w *Worker) claim(ctx context.Context) (func(context.Context), error) {
	install := w.Store.Install()
	now := w.Clock.Now()
	if len(w.operations) > 0 {
		o, err := install.ClaimOperation(ctx, w.Owner, now, now.Add(w.Lease))
		if err != nil {
			return nil, fmt.Errorf("claim an operation: %w", err)
		}
		if o != nil {
			return func(ctx context.Context) { w.operate(ctx, *o) }, nil
		}
	}
	if len(w.kinds) > 0 {
		t, err := install.ClaimTask(ctx, w.kinds, w.Owner, now, now.Add(w.Lease))
		if err != nil {
			return nil, fmt.Errorf("claim a task: %w", err)
		}
		if t != nil {
			return func(ctx context.Context) { w.perform(ctx, *t) }, nil
		}
	}
	return nil, nil
}

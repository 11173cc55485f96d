package operation

import (
	"context"
	"errors"
	"time"

	"outlay"
)

// errLost ends work whose lease went to another worker. What it was doing is the other's now.
var errLost = errors.New("the lease went to another worker")

// errStopped ends a run that a person ended while it worked.
var errStopped = errors.New("a person ended the run")

// hold renews a lease in the background until the returned stop is called, and cancels the context it returns when the
// lease is lost: at once when the fence has moved on, and at the end of the lease when the store does not answer.
func (w *Worker) hold(ctx context.Context, renew func(ctx context.Context, until time.Time) error) (context.Context, func()) {
	held, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(w.Renew)
		defer tick.Stop()
		last := w.Clock.Now()
		for {
			select {
			case <-held.Done():
				return
			case <-tick.C:
			}
			now := w.Clock.Now()
			err := renew(held, now.Add(w.Lease))
			switch {
			case err == nil:
				last = now
			case outlay.CodeOf(err) == outlay.CodeConflict || now.Sub(last) >= w.Lease-w.Renew:
				cancel(errLost)
			}
		}
	}()
	return held, func() { cancel(context.Canceled); <-done }
}

// lost tells whether the lease behind ctx, or the fence that a write named, is no longer ours.
func lost(ctx context.Context, err error) bool {
	return errors.Is(context.Cause(ctx), errLost) || errors.Is(err, errLost)
}

// parting is a context for the last writes of a worker that is told to stop.
func parting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
}

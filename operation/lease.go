package operation

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"outlay"
)

// errLost ends work whose lease went to another worker. What it was doing is the other's now.
var errLost = errors.New("the lease went to another worker")

// errStopped ends a run that a person ended while it worked.
var errStopped = errors.New("a person ended the run")

// lease is a claim that is kept up.
type lease struct {
	w     *Worker
	renew func(ctx context.Context, until time.Time) error
	last  atomic.Int64 // when it was last renewed, in microseconds
}

// hold renews a lease in the background until the returned stop is called, and cancels the context it returns when the
// lease is lost: at once when the fence has moved on, and at the end of the lease when the store does not answer.
func (w *Worker) hold(ctx context.Context, renew func(ctx context.Context, until time.Time) error) (context.Context, *lease, func()) {
	held, cancel := context.WithCancelCause(ctx)
	l := &lease{w: w, renew: renew}
	l.last.Store(w.Clock.Now().UnixMicro())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(w.Renew)
		defer tick.Stop()
		for {
			select {
			case <-held.Done():
				return
			case <-tick.C:
			}
			if l.extend(held) != nil {
				cancel(errLost)
			}
		}
	}()
	return held, l, func() { cancel(context.Canceled); <-done }
}

// extend renews the lease. errLost means that it is gone; other trouble is borne as long as the lease lasts.
func (l *lease) extend(ctx context.Context) error {
	now := l.w.Clock.Now()
	err := l.renew(ctx, now.Add(l.w.Lease))
	switch {
	case err == nil:
		l.last.Store(now.UnixMicro())
	case outlay.CodeOf(err) == outlay.CodeConflict || l.left() <= 0:
		return errLost
	}
	return nil
}

// left is how long the lease surely lasts; a tenth is kept back for the way to the store.
func (l *lease) left() time.Duration {
	return time.UnixMicro(l.last.Load()).Add(l.w.Lease - l.w.Lease/10).Sub(l.w.Clock.Now())
}

// lost tells whether the lease behind ctx, or the fence that a write named, is no longer ours.
func lost(ctx context.Context, err error) bool {
	return errors.Is(context.Cause(ctx), errLost) || errors.Is(err, errLost)
}

// parting is a context for the last writes of a worker that is told to stop.
func parting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
}

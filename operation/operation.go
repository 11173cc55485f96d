// Package operation is work that survives a crash: operations whose steps are a ledger, recurring tasks, leases with
// fences, retries and schedules. It knows nothing of clouds: handlers say what a step does, this room says when it is
// written down, who may do it and when it is tried again (reliability.md §3.1).
package operation

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"outlay"
)

// Options says how a Worker works. Only Store, Clock and Owner have no default.
type Options struct {
	Store outlay.Store
	Clock outlay.Clock
	Log   *slog.Logger
	// Owner names this process in leases; two processes never share one.
	Owner string
	Lease time.Duration // how long a claim lasts without a renewal; 5 minutes
	Renew time.Duration // how often it is renewed; 30 seconds
	Poll  time.Duration // how often due work is looked for; 1 second
	// Concurrency is how many operations and tasks run at the same time; 4.
	Concurrency int
	// Recheck is when a run that waits for a person tries again by itself; 1 hour.
	Recheck time.Duration
	// Points is called at every point where a crash matters, with its name; tests kill the process there.
	Points func(name string)
	// Sleep waits within a step (settle windows, verification); tests with a clock of their own replace it.
	Sleep func(ctx context.Context, d time.Duration) error
	// Backoff is the pause before the second attempt; it doubles up to an hour. 1 second.
	Backoff time.Duration
}

// OperationHandler does one operation, from where its ledger says it stands. nil ends it as done; a *Wait or an error
// decides when it goes on (see Run).
type OperationHandler func(ctx context.Context, r *Run) error

// TaskHandler does one task once. next is when it is due again: 0 means its Every, or never when it has none. An error
// makes it due again after a pause that grows with each failure.
type TaskHandler func(ctx context.Context, t outlay.Task) (next time.Duration, err error)

// Worker claims due work and does it.
type Worker struct {
	Options
	operations map[outlay.OperationKind]OperationHandler
	tasks      map[string]TaskHandler
	kinds      []string // of tasks, sorted
	wake       chan struct{}
	busy       sync.WaitGroup
}

// New makes a Worker; register its handlers before Run.
func New(o Options) *Worker {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Lease = orElse(o.Lease, 5*time.Minute)
	o.Renew = orElse(o.Renew, 30*time.Second)
	o.Poll = orElse(o.Poll, time.Second)
	o.Recheck = orElse(o.Recheck, time.Hour)
	o.Backoff = orElse(o.Backoff, time.Second)
	o.Concurrency = orElse(o.Concurrency, 4)
	if o.Points == nil {
		o.Points = func(string) {}
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return &Worker{
		Options:    o,
		operations: map[outlay.OperationKind]OperationHandler{},
		tasks:      map[string]TaskHandler{},
		wake:       make(chan struct{}, 1),
	}
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// sleep waits for d in real time, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// HandleOperation names who does operations of a kind.
func (w *Worker) HandleOperation(kind outlay.OperationKind, h func(ctx context.Context, r *Run) error) {
	w.operations[kind] = h
}

// HandleTask names who does tasks of a kind.
func (w *Worker) HandleTask(kind string, h func(ctx context.Context, t outlay.Task) (next time.Duration, err error)) {
	w.tasks[kind] = h
	if !slices.Contains(w.kinds, kind) {
		w.kinds = append(w.kinds, kind)
		slices.Sort(w.kinds)
	}
}

// Wake makes the loop look for due work at once, as after something was added.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

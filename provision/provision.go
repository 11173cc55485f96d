// Package provision brings a source's resources to its confirmed plan, or to nothing: intent before effect, a look
// before each repeat, and nothing deleted that is not ours twice over, by ledger and by mark (reliability.md §3.1).
package provision

import (
	"context"
	"log/slog"
	"time"

	"outlay"
	"outlay/operation"
)

// Options is what an Engine works with. Store, Providers and Clock have no default.
type Options struct {
	Store     outlay.Store
	Providers map[outlay.ProviderName]outlay.Provider
	Clock     outlay.Clock
	Log       *slog.Logger
	// Settle says how long after an intent 'not found' proves nothing; nil takes what the plan says.
	Settle func(kind outlay.ResourceKind, planned time.Duration) time.Duration
	// VerifyFor is how long one attempt waits for a resource to become as wanted, VerifyEvery how often it looks.
	VerifyFor, VerifyEvery time.Duration
	// LookEvery is the interval of the hourly look, for accounts that have none scheduled yet.
	LookEvery time.Duration
	// RemoveHistory removes what was loaded of a source; nil removes only its heads.
	RemoveHistory func(ctx context.Context, orgID, sourceID string) error
}

// Engine does the operations on sources, of every kind.
type Engine struct{ Options }

// New makes an Engine.
func New(o Options) *Engine {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Settle == nil {
		o.Settle = func(_ outlay.ResourceKind, planned time.Duration) time.Duration { return planned }
	}
	if o.VerifyFor == 0 {
		o.VerifyFor = 2 * time.Minute
	}
	if o.VerifyEvery == 0 {
		o.VerifyEvery = 5 * time.Second
	}
	if o.LookEvery == 0 {
		o.LookEvery = time.Hour
	}
	return &Engine{Options: o}
}

// Register makes w do this engine's operations.
func (e *Engine) Register(w *operation.Worker) {
	for _, kind := range []outlay.OperationKind{outlay.OpProvision, outlay.OpDeprovision, outlay.OpReconcile, outlay.OpBackfill, outlay.OpDeleteKept} {
		w.HandleOperation(kind, e.handle)
	}
}

// handle does one attempt of an operation.
func (e *Engine) handle(ctx context.Context, r *operation.Run) error {
	j, err := e.job(ctx, r)
	if err != nil {
		return err
	}
	if err := r.Layout(ctx, lines(j.steps)); err != nil {
		return err
	}
	for i, s := range j.steps {
		if j.skips(i, s) {
			continue
		}
		if err := j.do(ctx, i, s); err != nil {
			return j.explain(ctx, s, err)
		}
	}
	return nil
}

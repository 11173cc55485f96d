// Package detect is the hourly look: what drifted, what was delivered, which accounts are covered, and what each
// account's billing status is. It changes nothing in a cloud; what may be repaired by itself it hands to an operation
// (reliability.md §3.1 rule 11, clouds.md §10).
package detect

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"outlay"
	"outlay/operation"
)

// The kinds of task that this room does and hands out.
const (
	TaskLook   = "look"   // subject: account id
	TaskIngest = "ingest" // subject: unit id
)

// Options is what a Detector works with. Store, Providers and Clock have no default.
type Options struct {
	Store     outlay.Store
	Providers map[outlay.ProviderName]outlay.Provider
	Clock     outlay.Clock
	Log       *slog.Logger
	// Every is the interval of the looks; 1 hour.
	Every time.Duration
	// Timeout bounds one call to a provider; 2 minutes.
	Timeout time.Duration
	// Wake tells the worker that work was queued; nil when it polls.
	Wake func()
}

// Detector looks.
type Detector struct{ Options }

// New makes a Detector.
func New(o Options) *Detector {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Every == 0 {
		o.Every = time.Hour
	}
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Minute
	}
	if o.Wake == nil {
		o.Wake = func() {}
	}
	return &Detector{Options: o}
}

// Register makes w do the looks.
func (d *Detector) Register(w *operation.Worker) { w.HandleTask(TaskLook, d.look) }

// EnsureScheduled gives every account a look that repeats, due at once where there was none, and takes on a changed
// interval.
func (d *Detector) EnsureScheduled(ctx context.Context) error {
	orgs, err := d.Store.Install().Organizations(ctx)
	if err != nil {
		return fmt.Errorf("list organizations: %w", err)
	}
	for _, o := range orgs {
		if err := d.Store.ForOrg(ctx, o.ID, func(tx outlay.Tx) error { return d.schedule(ctx, tx, o.ID) }); err != nil {
			return fmt.Errorf("schedule the looks of %s: %w", o.Name, err)
		}
	}
	return nil
}

func (d *Detector) schedule(ctx context.Context, tx outlay.Tx, orgID string) error {
	accounts, err := tx.Accounts(ctx)
	if err != nil {
		return err
	}
	looks, err := lookTasks(ctx, tx)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		t, ok := looks[a.ID]
		if ok && t.Every == d.Every {
			continue
		}
		now := d.Clock.Now()
		next := now
		if ok && t.NextAt.Before(now.Add(d.Every)) {
			next = t.NextAt
		}
		if err := tx.PutTask(ctx, outlay.Task{OrgID: orgID, Kind: TaskLook, Subject: a.ID, NextAt: next, Every: d.Every}); err != nil {
			return err
		}
	}
	return nil
}

// lookTasks are the looks of an organization by account id.
func lookTasks(ctx context.Context, tx outlay.Tx) (map[string]outlay.Task, error) {
	tasks, err := tx.Tasks(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]outlay.Task{}
	for _, t := range tasks {
		if t.Kind == TaskLook {
			out[t.Subject] = t
		}
	}
	return out, nil
}

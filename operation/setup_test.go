package operation

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"outlay"
	"outlay/outlaytest"
	"outlay/sqldb"
)

func newClock() *outlaytest.Clock {
	return outlaytest.NewClock(time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC))
}

const org = "org_a"

// bench is a store with one organization, a clock and a worker.
type bench struct {
	t     *testing.T
	store outlay.Store
	clock *outlaytest.Clock
	*Worker
}

func setup(t *testing.T, change ...func(*Options)) *bench {
	t.Helper()
	return setupOn(t, "sqlite:"+filepath.Join(t.TempDir(), "outlay.db"), change...)
}

// onBoth runs a test on SQLite and on PostgreSQL: what several workers do to each other, both have to bear.
func onBoth(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, setup(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, setupOn(t, outlaytest.Postgres(t))) })
}

func setupOn(t *testing.T, url string, change ...func(*Options)) *bench {
	t.Helper()
	store, err := sqldb.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	b := &bench{t: t, store: store, clock: newClock()}
	if err := store.Install().AddOrganization(t.Context(), outlay.Organization{ID: org, Name: "Northwind", CreatedAt: b.clock.Now()}); err != nil {
		t.Fatal(err)
	}
	b.Worker = b.worker("one", change...)
	return b
}

// worker makes another worker on the same store.
func (b *bench) worker(owner string, change ...func(*Options)) *Worker {
	o := Options{Store: b.store, Clock: b.clock, Owner: owner, Sleep: func(_ context.Context, d time.Duration) error { b.clock.Add(d); return nil }}
	for _, c := range change {
		c(&o)
	}
	return New(o)
}

func (b *bench) tx(fn func(outlay.Tx) error) {
	b.t.Helper()
	if err := b.store.ForOrg(context.WithoutCancel(b.t.Context()), org, fn); err != nil {
		b.t.Fatal(err)
	}
}

// queue adds an operation on a scope of its own.
func (b *bench) queue(id string) {
	b.t.Helper()
	b.tx(func(tx outlay.Tx) error {
		_, err := tx.AddOperation(b.t.Context(), outlay.Operation{
			OrgID: org, ID: id, Kind: outlay.OpProvision, Provider: "nimbus", ScopeID: id, Status: outlay.OpQueued, CreatedBy: "usr_maya", CreatedAt: b.clock.Now(),
		})
		return err
	})
}

func (b *bench) operation(id string) (o outlay.Operation) {
	b.t.Helper()
	b.tx(func(tx outlay.Tx) (err error) { o, err = tx.Operation(b.t.Context(), id); return err })
	return o
}

func (b *bench) steps(id string) (s []outlay.Step) {
	b.t.Helper()
	b.tx(func(tx outlay.Tx) (err error) { s, err = tx.Steps(b.t.Context(), id); return err })
	return s
}

func (b *bench) task(kind, subject string) (outlay.Task, bool) {
	b.t.Helper()
	var found outlay.Task
	ok := false
	b.tx(func(tx outlay.Tx) error {
		tasks, err := tx.Tasks(b.t.Context())
		for _, k := range tasks {
			if k.Kind == kind && k.Subject == subject {
				found, ok = k, true
			}
		}
		return err
	})
	return found, ok
}

// drain does what is due and returns how much it was.
func (b *bench) drain() int {
	b.t.Helper()
	n, err := b.Drain(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// await waits until ok holds, for a bounded time.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited too long for %s", what)
		case <-tick.C:
		}
	}
}

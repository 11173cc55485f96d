package provision

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"outlay"
	"outlay/operation"
	"outlay/outlaytest"
	"outlay/sqldb"
)

const (
	org     = "org_a"
	account = "acc_a"
	src     = "src_a"
)

// bench is a store with one account and one source, the made-up cloud, an engine and a worker.
type bench struct {
	t      *testing.T
	store  outlay.Store
	clock  *outlaytest.Clock
	cloud  *nimbus
	worker *operation.Worker
	runs   int
	points []string
}

func setup(t *testing.T, change ...func(*Options)) *bench {
	t.Helper()
	store, err := sqldb.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "outlay.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	clock := outlaytest.NewClock(time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC))
	b := &bench{t: t, store: store, clock: clock, cloud: newNimbus(clock)}
	if err := store.Install().AddOrganization(t.Context(), outlay.Organization{ID: org, Name: "Northwind", CreatedAt: clock.Now()}); err != nil {
		t.Fatal(err)
	}
	b.tx(func(tx outlay.Tx) error {
		a := outlay.CloudAccount{OrgID: org, ID: account, Name: "prod", Provider: "nimbus", CreatedAt: clock.Now()}
		a.Identity = outlay.Identity{AccountID: "1111", Scope: outlay.BillingScope{ID: "1111"}}
		if err := tx.PutAccount(t.Context(), a); err != nil {
			return err
		}
		return tx.PutSource(t.Context(), outlay.Source{
			OrgID: org, ID: src, Name: "prod", Provider: "nimbus", AccountID: account, Scope: outlay.BillingScope{ID: "1111"},
			Origin: outlay.OriginCreated, Spec: &outlay.Spec{Region: "north"}, Desired: outlay.Present, CreatedAt: clock.Now(),
		})
	})
	b.worker = operation.New(operation.Options{
		Store: store, Clock: clock, Owner: "one", Points: func(p string) { b.points = append(b.points, p) },
		Sleep: func(_ context.Context, d time.Duration) error { clock.Add(d); return nil },
	})
	o := Options{Store: store, Providers: map[outlay.ProviderName]outlay.Provider{"nimbus": b.cloud}, Clock: clock}
	for _, c := range change {
		c(&o)
	}
	New(o).Register(b.worker)
	return b
}

func (b *bench) tx(fn func(outlay.Tx) error) {
	b.t.Helper()
	if err := b.store.ForOrg(b.t.Context(), org, fn); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) source() (s outlay.Source) {
	b.t.Helper()
	b.tx(func(tx outlay.Tx) (err error) { s, err = tx.Source(b.t.Context(), src); return err })
	return s
}

func (b *bench) row(kind outlay.ResourceKind) outlay.Resource {
	b.t.Helper()
	for _, r := range b.source().Resources {
		if r.Kind == kind {
			return r
		}
	}
	return outlay.Resource{}
}

// plan is what the provider would do now toward the source's spec, or toward nothing.
func (b *bench) plan(kind outlay.OperationKind, files outlay.CostFiles) outlay.Plan {
	b.t.Helper()
	s := b.source()
	if kind.Removes() {
		s.Spec, s.CostFiles = nil, files
	}
	seen, err := b.cloud.Observe(b.t.Context(), nil, &s, outlay.Look{})
	if err != nil {
		b.t.Fatal(err)
	}
	p, err := b.cloud.Plan(&s, seen)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// start queues a run of a plan and does what is due at once.
func (b *bench) start(o outlay.Operation) string {
	b.t.Helper()
	b.runs++
	o.OrgID, o.ID, o.SourceID, o.AccountID, o.Provider, o.ScopeID = org, "run_"+string(rune('a'+b.runs-1)), src, account, "nimbus", "1111"
	o.Status, o.CreatedBy, o.CreatedAt = outlay.OpQueued, "usr_maya", b.clock.Now()
	if o.PlanHash == "" {
		o.PlanHash = o.Plan.Hash()
	}
	b.tx(func(tx outlay.Tx) error { _, err := tx.AddOperation(b.t.Context(), o); return err })
	b.drain()
	return o.ID
}

func (b *bench) up() string {
	b.t.Helper()
	return b.start(outlay.Operation{Kind: outlay.OpProvision, Plan: b.plan(outlay.OpProvision, "")})
}

func (b *bench) down(files outlay.CostFiles) string {
	b.t.Helper()
	return b.start(outlay.Operation{Kind: outlay.OpDeprovision, Plan: b.plan(outlay.OpDeprovision, files), CostFiles: files})
}

func (b *bench) drain() {
	b.t.Helper()
	if _, err := b.worker.Drain(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

// later lets time pass and does what has become due.
func (b *bench) later(d time.Duration) {
	b.t.Helper()
	b.clock.Add(d)
	b.drain()
}

func (b *bench) run(id string) (o outlay.Operation) {
	b.t.Helper()
	b.tx(func(tx outlay.Tx) (err error) { o, err = tx.Operation(b.t.Context(), id); return err })
	return o
}

func (b *bench) step(id, title string) outlay.Step {
	b.t.Helper()
	var found outlay.Step
	b.tx(func(tx outlay.Tx) error {
		steps, err := tx.Steps(b.t.Context(), id)
		for _, s := range steps {
			if s.Title == title {
				found = s
			}
		}
		return err
	})
	return found
}

// is fails the test unless the run stands as it should.
func (b *bench) is(id string, status outlay.OperationStatus) outlay.Operation {
	b.t.Helper()
	o := b.run(id)
	if o.Status != status {
		b.t.Fatalf("run is %s, want %s: %+v", o.Status, status, o.Problem)
	}
	return o
}

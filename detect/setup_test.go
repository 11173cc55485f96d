package detect

import (
	"context"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"outlay"
	"outlay/operation"
	"outlay/sqldb"
)

type testClock struct{ now time.Time }

func (c *testClock) Now() time.Time { return c.now }

const (
	org                           = "org_a"
	kindStore outlay.ResourceKind = "nimbus/store"
	kindTag   outlay.ResourceKind = "nimbus/tag"
)

// nimbus is a made-up provider that finds what the test says.
type nimbus struct {
	seen       map[string]outlay.Observation // by account name
	err        map[string]error              // by account name
	sourceErr  map[string]error              // by source
	plan       []outlay.Change
	deliveries []outlay.Delivery
	listErr    error
	looks      []outlay.Look
	listed     int
	during     func() // what others do while a look is under way
}

func (n *nimbus) Name() outlay.ProviderName { return "nimbus" }

func (n *nimbus) About() outlay.ProviderInfo {
	return outlay.ProviderInfo{Name: "nimbus", Title: "Nimbus", FirstData: "First costs appear within 24 hours."}
}

func (n *nimbus) Observe(_ context.Context, a *outlay.CloudAccount, s *outlay.Source, look outlay.Look) (outlay.Observation, error) {
	n.looks = append(n.looks, look)
	if n.during != nil {
		n.during()
	}
	if err := n.sourceErr[s.ID]; err != nil {
		return outlay.Observation{}, err
	}
	return n.seen[a.Name], n.err[a.Name]
}

func (n *nimbus) Plan(*outlay.Source, outlay.Observation) (outlay.Plan, error) {
	return outlay.Plan{Changes: slices.Clone(n.plan)}, nil
}

func (n *nimbus) Apply(context.Context, *outlay.CloudAccount, *outlay.Source, outlay.Change) (outlay.Resource, error) {
	panic("a look changes nothing")
}

func (n *nimbus) Deliveries(context.Context, *outlay.CloudAccount, *outlay.Source) iter.Seq2[outlay.Delivery, error] {
	n.listed++
	return func(yield func(outlay.Delivery, error) bool) {
		for _, d := range n.deliveries {
			if !yield(d, nil) {
				return
			}
		}
		if n.listErr != nil {
			yield(outlay.Delivery{}, n.listErr)
		}
	}
}

func (n *nimbus) Fetch(context.Context, *outlay.CloudAccount, *outlay.Source, outlay.Delivery, string) ([]string, error) {
	panic("a look reads no cost rows")
}

func (n *nimbus) Mapping(string) (outlay.Mapping, error) { panic("a look maps nothing") }

// bench is a store with two accounts of one payer: prod, the payer, may own a source; research is a member.
type bench struct {
	t      *testing.T
	store  outlay.Store
	clock  *testClock
	cloud  *nimbus
	detect *Detector
	worker *operation.Worker
}

func setup(t *testing.T) *bench {
	t.Helper()
	store, err := sqldb.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "outlay.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	payer := outlay.BillingScope{ID: "1111", IsPayer: true}
	b := &bench{t: t, store: store, clock: &testClock{time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}, cloud: &nimbus{
		seen: map[string]outlay.Observation{
			"prod":     {Identity: outlay.Identity{AccountID: "1111", Scope: payer}, Members: []outlay.Member{{AccountID: "1111"}, {AccountID: "2222"}}},
			"research": {Identity: outlay.Identity{AccountID: "2222", Scope: outlay.BillingScope{ID: "1111"}}},
		},
		err: map[string]error{},
	}}
	if err := store.Install().AddOrganization(t.Context(), outlay.Organization{ID: org, Name: "Northwind", CreatedAt: b.clock.Now()}); err != nil {
		t.Fatal(err)
	}
	b.tx(func(tx outlay.Tx) error {
		for _, name := range []string{"prod", "research"} {
			a := outlay.CloudAccount{OrgID: org, ID: "acc_" + name, Name: name, Provider: "nimbus", CreatedAt: b.clock.Now()}
			a.Status = outlay.BillingStatus{Status: outlay.Checking, At: b.clock.Now(), Since: b.clock.Now()}
			if err := tx.PutAccount(t.Context(), a); err != nil {
				return err
			}
		}
		return nil
	})
	b.detect = New(Options{Store: store, Providers: map[outlay.ProviderName]outlay.Provider{"nimbus": b.cloud}, Clock: b.clock})
	b.worker = operation.New(operation.Options{Store: store, Clock: b.clock, Owner: "one"})
	b.detect.Register(b.worker)
	if err := b.detect.EnsureScheduled(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) tx(fn func(outlay.Tx) error) {
	b.t.Helper()
	if err := b.store.ForOrg(b.t.Context(), org, fn); err != nil {
		b.t.Fatal(err)
	}
}

// provisioned gives prod a source whose store is made.
func (b *bench) provisioned(tags ...string) {
	b.t.Helper()
	b.tx(func(tx outlay.Tx) error {
		err := tx.PutSource(b.t.Context(), outlay.Source{
			OrgID: org, ID: "src_a", Name: "prod", Provider: "nimbus", AccountID: "acc_prod", Scope: outlay.BillingScope{ID: "1111"},
			Origin: outlay.OriginCreated, Spec: &outlay.Spec{Tags: tags}, Desired: outlay.Present, CreatedAt: b.clock.Now(),
		})
		if err != nil {
			return err
		}
		b.see("prod", outlay.Resource{Kind: kindStore, Name: "store-a"})
		return tx.PutResource(b.t.Context(), outlay.Resource{
			OrgID: org, SourceID: "src_a", Kind: kindStore, Name: "store-a", State: outlay.StateCreated, Origin: outlay.CreatedByUs, IntentAt: b.clock.Now(),
		})
	})
}

// see makes the looks at an account find resources.
func (b *bench) see(name string, resources ...outlay.Resource) {
	seen := b.cloud.seen[name]
	seen.Resources = resources
	b.cloud.seen[name] = seen
}

// publish puts charges of sub accounts on show.
func (b *bench) publish(subAccounts ...string) {
	b.t.Helper()
	h := outlay.Head{
		OrgID: org, SourceID: "src_a", Provider: "nimbus", Origin: outlay.OriginCreated, Period: "2026-11", UnitID: "unt_a", Version: b.clock.Now(),
		Generation: "g1", DataThrough: b.clock.Now().Add(-24 * time.Hour), DeliveredAt: b.clock.Now(), PublishedAt: b.clock.Now(),
	}
	for _, id := range subAccounts {
		h.SubAccounts = append(h.SubAccounts, outlay.SubAccountSum{ID: id, Name: "name of " + id, Rows: 1, To: h.DataThrough})
	}
	b.tx(func(tx outlay.Tx) error {
		u := outlay.Unit{OrgID: org, ID: h.UnitID, SourceID: h.SourceID, Period: h.Period, Delivery: outlay.Delivery{Version: h.Version, Token: "t"}, State: outlay.UnitPublished}
		if _, _, err := tx.AddUnit(b.t.Context(), u); err != nil {
			return err
		}
		return tx.Publish(b.t.Context(), h)
	})
}

// hour lets an hour pass and does what is due: the looks.
func (b *bench) hour() {
	b.t.Helper()
	b.clock.now = b.clock.now.Add(time.Hour)
	b.drain()
}

func (b *bench) drain() {
	b.t.Helper()
	if _, err := b.worker.Drain(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) status(name string) (s outlay.BillingStatus) {
	b.t.Helper()
	b.tx(func(tx outlay.Tx) error {
		a, err := tx.Account(b.t.Context(), "acc_"+name)
		s = a.Status
		return err
	})
	return s
}

func (b *bench) is(name string, want outlay.Status) outlay.BillingStatus {
	b.t.Helper()
	s := b.status(name)
	if s.Status != want {
		b.t.Fatalf("%s is %s, want %s: %s (%s)", name, s.Status, want, s.Reason, s.CouldNotCheckWhy)
	}
	return s
}

func (b *bench) tasks(kind string) []outlay.Task {
	b.t.Helper()
	var out []outlay.Task
	b.tx(func(tx outlay.Tx) error {
		all, err := tx.Tasks(b.t.Context())
		for _, k := range all {
			if k.Kind == kind {
				out = append(out, k)
			}
		}
		return err
	})
	return out
}

func (b *bench) row(kind outlay.ResourceKind, name string) (found outlay.Resource) {
	b.t.Helper()
	b.tx(func(tx outlay.Tx) error {
		rows, err := tx.Resources(b.t.Context(), "src_a")
		for _, r := range rows {
			if r.Kind == kind && r.Name == name {
				found = r
			}
		}
		return err
	})
	return found
}

func (*nimbus) Existing(context.Context, *outlay.CloudAccount, map[string]string) ([]outlay.Existing, error) {
	return nil, nil
}

func (*nimbus) Labels(map[string]string) ([]outlay.Label, error) { return nil, nil }

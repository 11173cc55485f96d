// Package outlaytest is what tests of many rooms share: suites that every implementation of a contract must pass, and
// starters of the servers that tests need. Only tests import it.
package outlaytest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"outlay"
)

// Store is what every outlay.Store must do. open returns a new, empty store, and closes it when the test ends.
func Store(t *testing.T, open func(t *testing.T) outlay.Store) {
	parts := []struct {
		name string
		run  func(*testing.T, outlay.Store)
	}{
		{"people", storePeople},
		{"groups", storeGroups},
		{"tokens", storeTokens},
		{"accounts", storeAccounts},
		{"sources", storeSources},
		{"operations", storeOperations},
		{"fence", storeFence},
		{"claims", storeClaims},
		{"tasks", storeTasks},
		{"units", storeUnits},
		{"heads", storeHeads},
		{"audit", storeAudit},
		{"meter", storeMeter},
		{"labels", storeLabels},
		{"install", storeInstall},
		{"isolation", storeIsolation},
		{"transactions", storeTransactions},
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.run(t, open(t))
		})
	}
}

// tenant is one organization in a store under test.
type tenant struct {
	t     *testing.T
	store outlay.Store
	id    string
}

func newTenant(t *testing.T, s outlay.Store, id string) tenant {
	t.Helper()
	if err := s.Install().AddOrganization(t.Context(), outlay.Organization{ID: id, Name: "Organization " + id, CreatedAt: noon()}); err != nil {
		t.Fatal(err)
	}
	return tenant{t: t, store: s, id: id}
}

// write runs fn in a transaction that must succeed.
func (o tenant) write(fn func(ctx context.Context, tx outlay.Tx) error) {
	o.t.Helper()
	if err := o.try(fn); err != nil {
		o.t.Fatal(err)
	}
}

// try runs fn in a transaction and returns its error.
func (o tenant) try(fn func(ctx context.Context, tx outlay.Tx) error) error {
	return o.store.ForOrg(o.t.Context(), o.id, func(tx outlay.Tx) error { return fn(o.t.Context(), tx) })
}

// refuse runs fn in a transaction that must fail with a code.
func (o tenant) refuse(code outlay.Code, fn func(ctx context.Context, tx outlay.Tx) error) error {
	o.t.Helper()
	err := o.try(fn)
	if outlay.CodeOf(err) != code {
		o.t.Errorf("got %v (%s), want %s", err, outlay.CodeOf(err), code)
	}
	return err
}

// read reads a value in a read-only transaction.
func read[T any](o tenant, fn func(ctx context.Context, tx outlay.Tx) (T, error)) T {
	o.t.Helper()
	v, err := tryRead(o, fn)
	if err != nil {
		o.t.Fatal(err)
	}
	return v
}

func tryRead[T any](o tenant, fn func(ctx context.Context, tx outlay.Tx) (T, error)) (v T, err error) {
	err = o.store.ReadOrg(o.t.Context(), o.id, func(tx outlay.Tx) (err error) {
		v, err = fn(o.t.Context(), tx)
		return err
	})
	return v, err
}

// same compares what was stored with what was read. An empty list and no list are the same.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.AllowUnexported(outlay.Amount{})); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// filled fails when a field of v is zero: a fixture must fill every field, so that one which a store forgets is noticed.
// It returns v.
func filled[T any](t *testing.T, v T, except ...string) T {
	t.Helper()
	skip := map[string]bool{}
	for _, name := range except {
		skip[name] = true
	}
	value := reflect.ValueOf(v)
	for i := range value.NumField() {
		if name := value.Type().Field(i).Name; value.Field(i).IsZero() && !skip[name] {
			t.Errorf("the fixture leaves %T.%s empty", v, name)
		}
	}
	return v
}

// noon is the instant at which the suites play.
func noon() time.Time { return time.Date(2026, 10, 31, 12, 0, 0, 123456000, time.UTC) }

// after is noon and some minutes.
func after(minutes int) time.Time { return noon().Add(time.Duration(minutes) * time.Minute) }

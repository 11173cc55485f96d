package control_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"outlay"
	"outlay/control"
	"outlay/operation"
	"outlay/outlaytest"
	"outlay/provision"
	"outlay/secret"
	"outlay/sqldb"
)

// house is control over real state, with a provider in memory.
type house struct {
	*control.Control
	store   *sqldb.Store
	nimbus  *outlaytest.Nimbus
	clock   *outlaytest.Clock
	worker  *operation.Worker
	admin   outlay.Actor
	charges outlaytest.Charges
	box     *secret.Box
}

// deps is what control works with here.
func (h *house) deps(loader control.Importer) control.Deps {
	return control.Deps{
		Store: h.store, Providers: []outlay.Provider{h.nimbus}, Costs: h.charges, Sealer: h.box, Importer: loader, Passwords: plainPasswords{}, Clock: h.clock,
		Log: slog.New(slog.DiscardHandler), LookEvery: time.Hour,
	}
}

// plainPasswords stands in for auth: what is stored is made there, and tested there.
type plainPasswords struct{}

func (plainPasswords) HashPassword(p outlay.Secret) (string, error) {
	return "hash of " + p.Reveal(), nil
}
func (plainPasswords) MintToken() (id, text, hash string) {
	id = outlay.NewID("tok")
	return id, "text of " + id, "hash of " + id
}

// noImport refuses every file: loading is tested in its own room.
type noImport struct{}

func (noImport) RemoveHistory(context.Context, string, string) error { return nil }

func (noImport) ImportFiles(context.Context, control.ImportRequest) (control.ImportResult, error) {
	return control.ImportResult{}, outlay.Errorf(outlay.CodeInvalid, "", "no loader here")
}

func now() time.Time { return time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC) }

func newHouse(t *testing.T, charges outlaytest.Charges) *house {
	t.Helper()
	ctx := t.Context()
	dir := t.TempDir()
	store, err := sqldb.Open(ctx, "sqlite:"+filepath.Join(dir, "outlay.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	box, err := secret.Open(filepath.Join(dir, "keyset.json"))
	if err != nil {
		t.Fatal(err)
	}
	clock := outlaytest.NewClock(now())
	h := &house{store: store, nimbus: outlaytest.NewNimbus(clock), clock: clock, charges: charges}
	providers := map[outlay.ProviderName]outlay.Provider{"nimbus": h.nimbus}
	h.worker = operation.New(operation.Options{Store: store, Clock: clock, Owner: "test", Sleep: func(_ context.Context, d time.Duration) error { clock.Add(d); return nil }})
	provision.New(provision.Options{Store: store, Providers: providers, Clock: clock}).Register(h.worker)
	h.box = box
	h.Control = control.New(h.deps(noImport{}))
	h.admin = h.organization(t, "org-1")
	return h
}

// organization adds one with an administrator.
func (h *house) organization(t *testing.T, id string) outlay.Actor {
	t.Helper()
	ctx := t.Context()
	if err := h.store.Install().AddOrganization(ctx, outlay.Organization{ID: id, Name: "Organization " + id, CreatedAt: now()}); err != nil {
		t.Fatal(err)
	}
	u := outlay.User{OrgID: id, ID: "usr-" + id, Email: "admin@" + id + ".example", Name: "Admin", Handle: "admin", CreatedAt: now()}
	err := h.store.ForOrg(ctx, id, func(tx outlay.Tx) error {
		if err := tx.PutUser(ctx, u); err != nil {
			return err
		}
		return tx.PutMembership(ctx, outlay.Membership{OrgID: id, UserID: u.ID, Role: outlay.RoleAdmin})
	})
	if err != nil {
		t.Fatal(err)
	}
	return outlay.Actor{OrgID: id, UserID: u.ID, Name: u.Name, Handle: u.Handle, Roles: []outlay.Role{outlay.RoleAdmin}, Via: "session"}
}

// account adds a cloud account that signs in by trust.
func (h *house) account(t *testing.T, name, tenant string) control.AccountView {
	t.Helper()
	v, err := h.AddAccount(t.Context(), h.admin, control.AddAccountRequest{Name: name, Provider: "nimbus", Kind: "trust", Values: map[string]string{"tenant": tenant}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// work does everything that is due.
func (h *house) work(t *testing.T) {
	t.Helper()
	if _, err := h.worker.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code outlay.Code) {
	t.Helper()
	if outlay.CodeOf(err) != code {
		t.Errorf("error %v has code %q, want %q", err, outlay.CodeOf(err), code)
	}
}

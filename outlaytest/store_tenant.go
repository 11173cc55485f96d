package outlaytest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"outlay"
)

func storeInstall(t *testing.T, s outlay.Store) {
	in, ctx := s.Install(), t.Context()
	b := filled(t, outlay.Organization{ID: "org_1", Name: "B", CreatedAt: noon()})
	a := outlay.Organization{ID: "org_2", Name: "A"}
	for _, o := range []outlay.Organization{b, a} {
		if err := in.AddOrganization(ctx, o); err != nil {
			t.Fatal(err)
		}
	}
	got, err := in.Organizations(ctx)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "organizations by name", []outlay.Organization{a, b}, got)
	if err := in.AddOrganization(ctx, b); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("the same organization again: %v", err)
	}

	for _, want := range []string{"", "one", "two", ""} {
		if want != "" {
			if err := in.PutMeta(ctx, "key", want); err != nil {
				t.Fatal(err)
			}
		} else if err := in.PutMeta(ctx, "other", "x"); err != nil {
			t.Fatal(err)
		}
		if got, err := in.Meta(ctx, "key"); err != nil || want != "" && got != want {
			t.Errorf("meta: %q, %v; want %q", got, err, want)
		}
	}
	if got, err := in.Meta(ctx, "absent"); err != nil || got != "" {
		t.Errorf("absent meta: %q, %v", got, err)
	}
	storeAttempts(t, in)
	storeSessions(t, in.Sessions())
}

func storeAttempts(t *testing.T, in outlay.Install) {
	ctx := t.Context()
	attempts := func(key string, want int, last time.Time) {
		t.Helper()
		if n, at, err := in.Attempts(ctx, key); err != nil || n != want || !at.Equal(last) {
			t.Errorf("%s: %d failures, last %v, %v; want %d, %v", key, n, at, err, want, last)
		}
	}
	fail := func(key string, at time.Time) {
		t.Helper()
		if err := in.Fail(ctx, key, at); err != nil {
			t.Fatal(err)
		}
	}
	attempts("ann", 0, time.Time{})
	fail("ann", after(1))
	fail("ann", after(2))
	fail("addr 127.0.0.1", after(3))
	attempts("ann", 2, after(2))
	if err := in.Succeed(ctx, "ann"); err != nil {
		t.Fatal(err)
	}
	attempts("ann", 0, time.Time{})
	attempts("addr 127.0.0.1", 1, after(3))
	fail("bob", after(3+24*60+1)) // a day later nobody remembers
	attempts("addr 127.0.0.1", 0, time.Time{})
}

func storeSessions(t *testing.T, x outlay.Sessions) {
	ctx := t.Context()
	now := outlay.SystemClock{}.Now()
	find := func(token, want string, found bool) {
		t.Helper()
		if b, ok, err := x.FindCtx(ctx, token); err != nil || ok != found || string(b) != want {
			t.Errorf("%s: %q, %v, %v; want %q, %v", token, b, ok, err, want, found)
		}
	}
	commit := func(token, data string, expiry time.Time) {
		t.Helper()
		if err := x.CommitCtx(ctx, token, []byte(data), expiry); err != nil {
			t.Fatal(err)
		}
	}
	find("a", "", false)
	commit("a", "one", now.Add(time.Hour))
	commit("a", "two\x00\xff", now.Add(time.Hour))
	commit("b", "", now.Add(time.Hour))
	commit("old", "x", now.Add(-time.Second))
	find("a", "two\x00\xff", true)
	find("b", "", true)
	find("old", "", false)
	all, err := x.AllCtx(ctx)
	if err != nil || len(all) != 2 || string(all["a"]) != "two\x00\xff" {
		t.Errorf("all: %q, %v", all, err)
	}
	if err := x.DeleteCtx(ctx, "a"); err != nil {
		t.Error(err)
	}
	find("a", "", false)
	if err := x.Commit("c", []byte("plain"), now.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	if b, ok, err := x.Find("c"); err != nil || !ok || string(b) != "plain" {
		t.Errorf("without a context: %q, %v, %v", b, ok, err)
	}
	if err := x.Delete("c"); err != nil {
		t.Error(err)
	}
	find("c", "", false)
}

// storeIsolation fills two organizations with the same ids: neither sees, changes or refers to anything of the other.
func storeIsolation(t *testing.T, s outlay.Store) {
	a, b := withSource(t, s, "org_a"), newTenant(t, s, "org_b")
	putUser(a, person(a.id, "usr_1", "a@example.com"))
	addOperation(a, operation(a, "op_1", "payer"))
	addUnit(a, unit(a, "unt_1", noon()))
	a.write(func(ctx context.Context, tx outlay.Tx) error {
		return errors.Join(
			tx.PutGroup(ctx, outlay.Group{ID: "grp_1", Name: "g"}),
			tx.PutMembership(ctx, outlay.Membership{UserID: "usr_1", GroupID: "grp_1", Role: outlay.RoleLead}),
			tx.PutToken(ctx, outlay.APIToken{ID: "tok_1", UserID: "usr_1", Hash: "aa"}),
			tx.PutCoverage(ctx, outlay.Coverage{SourceID: "src_1", SubAccountID: "1", Basis: outlay.CoveredBySeen}),
			tx.PutResource(ctx, outlay.Resource{SourceID: "src_1", Kind: "k", Name: "n"}),
			tx.PutStep(ctx, outlay.Step{OperationID: "op_1", Seq: 1}, 0),
			tx.Publish(ctx, head(a, "unt_1", noon())),
			tx.PutTask(ctx, outlay.Task{Kind: "look", Subject: "acc_1"}),
			tx.Append(ctx, outlay.Entry{Action: "x"}),
			tx.AddMetered(ctx, outlay.Metered{SourceID: "src_1", Month: "2026-10", Queries: 1}),
			tx.PutLabel(ctx, outlay.LabelMeaning{Provider: "nimbus", Tag: "User", Value: "a-b", Original: "a@b"}),
		)
	})
	for what, n := range countAll(t, a) {
		if n == 0 {
			t.Errorf("the fixture has no %s", what)
		}
	}
	for what, n := range countAll(t, b) {
		if n != 0 {
			t.Errorf("the other organization sees %d %s", n, what)
		}
	}
	for what, use := range foreignUses(b) {
		if err := b.try(use); outlay.CodeOf(err) != outlay.CodeNotFound {
			t.Errorf("%s of another organization: %v, want not_found", what, err)
		}
	}
	b.write(func(ctx context.Context, tx outlay.Tx) error {
		return errors.Join(tx.DeleteHeads(ctx, "src_1"), tx.DeleteTask(ctx, "look", "acc_1"), tx.DeleteMembership(ctx, outlay.Membership{UserID: "usr_1", GroupID: "grp_1", Role: outlay.RoleLead}))
	})
	// The same ids in the other organization are other things.
	b.write(putAccount(account(b, "acc_1", "main")))
	b.write(putSource(source(b, "src_1", "payer")))
	addOperation(b, operation(b, "op_1", "payer"))
	addUnit(b, unit(b, "unt_1", after(7)))
	b.write(publish(head(b, "unt_1", after(7))))
	b.write(putTask(outlay.Task{Kind: "look", Subject: "acc_1", NextAt: after(99)}))
	for what, n := range countAll(t, a) {
		if n != 1 {
			t.Errorf("the first organization now has %d %s", n, what)
		}
	}
	same(t, "the first's head", noon(), heads(a)[0].Version)
	if err := s.ForOrg(t.Context(), "", func(outlay.Tx) error { return nil }); err == nil {
		t.Error("no organization at all was let in")
	}
}

// foreignUses are reads of, and references to, what only the other organization has.
func foreignUses(b tenant) map[string]func(context.Context, outlay.Tx) error {
	imported := source(b, "src_x", "payer")
	return map[string]func(context.Context, outlay.Tx) error{
		"user":           func(ctx context.Context, tx outlay.Tx) error { _, err := tx.User(ctx, "usr_1"); return err },
		"account":        func(ctx context.Context, tx outlay.Tx) error { _, err := tx.Account(ctx, "acc_1"); return err },
		"source":         func(ctx context.Context, tx outlay.Tx) error { _, err := tx.Source(ctx, "src_1"); return err },
		"operation":      func(ctx context.Context, tx outlay.Tx) error { _, err := tx.Operation(ctx, "op_1"); return err },
		"unit":           func(ctx context.Context, tx outlay.Tx) error { _, err := tx.Unit(ctx, "unt_1"); return err },
		"delete account": func(ctx context.Context, tx outlay.Tx) error { return tx.DeleteAccount(ctx, "acc_1") },
		"delete token":   func(ctx context.Context, tx outlay.Tx) error { return tx.DeleteToken(ctx, "tok_1") },
		"put operation":  putOperation(operation(b, "op_1", "payer")),
		"put unit":       func(ctx context.Context, tx outlay.Tx) error { return tx.PutUnit(ctx, unit(b, "unt_1", noon())) },
		"put step": func(ctx context.Context, tx outlay.Tx) error {
			return tx.PutStep(ctx, outlay.Step{OperationID: "op_1", Seq: 1}, 0)
		},
		"membership of a user": func(ctx context.Context, tx outlay.Tx) error {
			return tx.PutMembership(ctx, outlay.Membership{UserID: "usr_1", Role: outlay.RoleAdmin})
		},
		"token for a user": func(ctx context.Context, tx outlay.Tx) error {
			return tx.PutToken(ctx, outlay.APIToken{ID: "tok_b", UserID: "usr_1", Hash: "bb"})
		},
		"source on an account": putSource(imported),
		"operation on a source": func(ctx context.Context, tx outlay.Tx) error {
			op := operation(b, "op_b", "payer")
			op.AccountID = ""
			_, err := tx.AddOperation(ctx, op)
			return err
		},
		"unit of a source": func(ctx context.Context, tx outlay.Tx) error {
			_, _, err := tx.AddUnit(ctx, unit(b, "unt_b", noon()))
			return err
		},
		"head of a source": publish(head(b, "", noon())),
		"coverage of a source": func(ctx context.Context, tx outlay.Tx) error {
			return tx.PutCoverage(ctx, outlay.Coverage{SourceID: "src_1"})
		},
		"meter of a source": func(ctx context.Context, tx outlay.Tx) error {
			return tx.AddMetered(ctx, outlay.Metered{SourceID: "src_1", Month: "2026-10", Queries: 1})
		},
		"resource of a source": func(ctx context.Context, tx outlay.Tx) error {
			return tx.PutResource(ctx, outlay.Resource{SourceID: "src_1"})
		},
	}
}

// countAll counts what an organization sees, by every list there is.
func countAll(t *testing.T, o tenant) map[string]int {
	t.Helper()
	counts := map[string]int{}
	err := o.store.ReadOrg(t.Context(), o.id, func(tx outlay.Tx) error {
		ctx := t.Context()
		return errors.Join(
			count(counts, "memberships", func() ([]outlay.Membership, error) { return tx.Memberships(ctx, "") }),
			count(counts, "users", func() ([]outlay.User, error) { return tx.Users(ctx) }),
			count(counts, "groups", func() ([]outlay.Group, error) { return tx.Groups(ctx) }),
			count(counts, "tokens", func() ([]outlay.APIToken, error) { return tx.Tokens(ctx) }),
			count(counts, "accounts", func() ([]outlay.CloudAccount, error) { return tx.Accounts(ctx) }),
			count(counts, "sources", func() ([]outlay.Source, error) { return tx.Sources(ctx) }),
			count(counts, "coverage", func() ([]outlay.Coverage, error) { return tx.Coverage(ctx, "") }),
			count(counts, "resources", func() ([]outlay.Resource, error) { return tx.Resources(ctx, "src_1") }),
			count(counts, "operations", func() ([]outlay.Operation, error) { return tx.Operations(ctx, "") }),
			count(counts, "steps", func() ([]outlay.Step, error) { return tx.Steps(ctx, "op_1") }),
			count(counts, "units", func() ([]outlay.Unit, error) { return tx.Units(ctx, "") }),
			count(counts, "heads", func() ([]outlay.Head, error) { return tx.Heads(ctx) }),
			count(counts, "tasks", func() ([]outlay.Task, error) { return tx.Tasks(ctx) }),
			count(counts, "metered", func() ([]outlay.Metered, error) { return tx.Metered(ctx) }),
			count(counts, "labels", func() ([]outlay.LabelMeaning, error) { return tx.Labels(ctx, "nimbus") }),
			count(counts, "entries", func() ([]outlay.Entry, error) { return tx.Entries(ctx, 0) }),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

func count[T any](counts map[string]int, what string, list func() ([]T, error)) error {
	all, err := list()
	counts[what] = len(all)
	return err
}

func storeTransactions(t *testing.T, s outlay.Store) {
	o := newTenant(t, s, "org_a")
	groups := func() int {
		return len(read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.Group, error) { return tx.Groups(ctx) }))
	}
	put := func(ctx context.Context, tx outlay.Tx, id string) error {
		return tx.PutGroup(ctx, outlay.Group{ID: id, Name: "0"})
	}

	sentinel := errors.New("mine")
	if err := o.try(func(ctx context.Context, tx outlay.Tx) error { return errors.Join(put(ctx, tx, "g1"), sentinel) }); !errors.Is(err, sentinel) {
		t.Errorf("an error of fn came back as %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic of fn was swallowed")
			}
		}()
		_ = o.try(func(ctx context.Context, tx outlay.Tx) error { _ = put(ctx, tx, "g1"); panic("fn") })
	}()
	if n := groups(); n != 0 {
		t.Errorf("%d groups outlived a rollback", n)
	}
	err := s.ReadOrg(t.Context(), o.id, func(tx outlay.Tx) error { return put(t.Context(), tx, "g1") })
	if err == nil || groups() != 0 {
		t.Errorf("a read-only transaction wrote: %v", err)
	}
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.ForOrg(cut, o.id, func(tx outlay.Tx) error { return put(cut, tx, "g1") }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled transaction: %v", err)
	}
	storeCounting(t, o, put)
}

// storeCounting has many transactions read a figure and write one more: none is lost, within and between organizations.
func storeCounting(t *testing.T, o tenant, put func(context.Context, outlay.Tx, string) error) {
	const writers, rounds = 8, 5
	o.write(func(ctx context.Context, tx outlay.Tx) error { return put(ctx, tx, "counter") })
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range rounds {
				err := o.try(func(ctx context.Context, tx outlay.Tx) error {
					g, err := tx.Groups(ctx)
					if err != nil {
						return err
					}
					var n int
					if _, err := fmt.Sscan(g[0].Name, &n); err != nil {
						return err
					}
					g[0].Name = fmt.Sprint(n + 1)
					return tx.PutGroup(ctx, g[0])
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got := read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.Group, error) { return tx.Groups(ctx) })
	if want := fmt.Sprint(writers * rounds); got[0].Name != want {
		t.Errorf("counted to %s, want %s", got[0].Name, want)
	}
}

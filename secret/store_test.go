package secret

import (
	"log/slog"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"outlay"
	"outlay/sqldb"
)

// newInstallation has two organizations with an account each, whose secrets are sealed.
func newInstallation(t *testing.T, b *Box) outlay.Store {
	t.Helper()
	s, err := sqldb.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "outlay.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, org := range []string{"org_a", "org_b"} {
		if err := s.Install().AddOrganization(t.Context(), outlay.Organization{ID: org, Name: org, CreatedAt: at}); err != nil {
			t.Fatal(err)
		}
		a := account(org, "acc_1", 1)
		a.CreatedAt, a.Credential.UpdatedAt = at, at
		a.Credential.Sealed = map[string]outlay.Sealed{"key": seal(t, b, a, "key", canary+org), "token": seal(t, b, a, "token", canary)}
		if err := s.ForOrg(t.Context(), org, func(tx outlay.Tx) error { return tx.PutAccount(t.Context(), *a) }); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestRotationOfAWholeInstallation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyset.json")
	b := open(t, path)
	s := newInstallation(t, b)
	if err := b.Check(t.Context(), s.Install()); err != nil {
		t.Fatal(err)
	}
	old := b.KeyID()
	if err := b.Disable(t.Context(), s, old); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Fatalf("the primary key was disabled: %v", err)
	}
	if err := b.Rotate(); err != nil {
		t.Fatal(err)
	}
	if err := b.Disable(t.Context(), s, old); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Fatalf("a key in use was disabled: %v", err)
	}
	report, err := b.ResealAll(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]int{b.KeyID(): 4}; report.Resealed != 4 || !maps.Equal(report.Under, want) {
		t.Fatalf("%+v, want %v", report, want)
	}
	if again, err := b.ResealAll(t.Context(), s); err != nil || again.Resealed != 0 {
		t.Fatalf("the second time: %+v, %v", again, err)
	}
	if err := b.Disable(t.Context(), s, old); err != nil {
		t.Fatal(err)
	}
	if keys := b.Keys(); len(keys) != 1 || keys[0] == old {
		t.Fatalf("keys in force: %v", keys)
	}
	if err := b.Disable(t.Context(), s, old); outlay.CodeOf(err) != outlay.CodeNotFound {
		t.Fatalf("disabled twice: %v", err)
	}
	fresh := open(t, path)
	if err := fresh.Check(t.Context(), s.Install()); err != nil {
		t.Fatal(err)
	}
	err = s.ReadOrg(t.Context(), "org_b", func(tx outlay.Tx) error {
		a, err := tx.Account(t.Context(), "acc_1")
		if err != nil {
			return err
		}
		got, err := fresh.Open(&a, "key")
		if err == nil && got.Reveal() != canary+"org_b" {
			t.Error("another secret came out")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWrongKeysetFailsAtStart(t *testing.T) {
	b := open(t, filepath.Join(t.TempDir(), "keyset.json"))
	s := newInstallation(t, b)
	for range 2 {
		if err := b.Check(t.Context(), s.Install()); err != nil {
			t.Fatal(err)
		}
	}
	stranger := open(t, filepath.Join(t.TempDir(), "keyset.json"))
	err := stranger.Check(t.Context(), s.Install())
	if outlay.CodeOf(err) != outlay.CodeInvalid || outlay.AsError(err).Fix == "" {
		t.Fatalf("got %v", err)
	}
	if err := b.Check(t.Context(), s.Install()); err != nil {
		t.Fatalf("the failed start spoiled the check: %v", err)
	}
	if _, err := stranger.ResealAll(t.Context(), s); outlay.CodeOf(err) != outlay.CodeInternal {
		t.Fatalf("a stranger re-encrypted: %v", err)
	}
}

package sqldb

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"outlay"
)

// TestFreeLeases: what a killed server held is due at once, under a new fence.
func TestFreeLeases(t *testing.T) {
	ctx := t.Context()
	store, err := Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "outlay.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	if err := store.Install().AddOrganization(ctx, outlay.Organization{ID: "org", Name: "Org", CreatedAt: now}); err != nil {
		t.Fatal(err)
	}
	task := outlay.Task{OrgID: "org", Kind: "look", Subject: "acc", NextAt: now, Every: time.Hour}
	if err := store.ForOrg(ctx, "org", func(tx outlay.Tx) error { return tx.PutTask(ctx, task) }); err != nil {
		t.Fatal(err)
	}
	claim := func(owner string) *outlay.Task {
		t.Helper()
		k, err := store.Install().ClaimTask(ctx, []string{"look"}, owner, now, now.Add(5*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := claim("killed")
	if first == nil || claim("second") != nil {
		t.Fatal("the lease does not hold")
	}
	if err := store.FreeLeases(ctx); err != nil {
		t.Fatal(err)
	}
	again := claim("second")
	if again == nil || again.Fence <= first.Fence {
		t.Fatalf("after freeing: %+v, first %+v", again, first)
	}
	if err := store.Install().FinishTask(ctx, first); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("a zombie finished its task: %v", err)
	}
}

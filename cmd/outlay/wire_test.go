package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outlay"
)

// TestLivingSourceWins: of two set-ups that delivered the same month, the one that still delivers is counted, whatever
// their ids; so is an import that is read against one that is not any more.
func TestLivingSourceWins(t *testing.T) {
	c := &cli{world: world{env: func(string) string { return "" }}}
	cfg := config{data: t.TempDir(), lookEvery: time.Hour}
	if err := c.fill(&cfg); err != nil {
		t.Fatal(err)
	}
	s, err := build(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	ctx, month := t.Context(), outlay.Period("2026-11")
	if err := s.store.Install().AddOrganization(ctx, outlay.Organization{ID: "org_1", Name: "Tidewater"}); err != nil {
		t.Fatal(err)
	}
	err = s.store.ForOrg(ctx, "org_1", func(tx outlay.Tx) error {
		if err := tx.PutAccount(ctx, outlay.CloudAccount{OrgID: "org_1", ID: "acc_1", Name: "prod", Provider: "nimbus"}); err != nil {
			return err
		}
		for id, desired := range map[string]outlay.Desired{"src_a": outlay.Absent, "src_b": outlay.Present, "src_c": outlay.Absent, "imp_a": outlay.Absent, "imp_b": outlay.Present} {
			src := outlay.Source{OrgID: "org_1", ID: id, Name: id, Provider: "nimbus", AccountID: "acc_1", Scope: outlay.BillingScope{ID: "scope"}, Origin: outlay.OriginCreated, Desired: desired}
			if strings.HasPrefix(id, "imp") {
				src.Origin = outlay.OriginImported
			}
			if err := publishEmpty(ctx, tx, src, month); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	heads, _, err := s.heads(ctx, "org_1")
	if err != nil || len(heads) != 5 {
		t.Fatalf("%d heads, %v", len(heads), err)
	}
	for _, h := range heads {
		if living := strings.HasSuffix(h.SourceID, "_b"); living == h.Removed {
			t.Errorf("%s counts as removed: %t", h.SourceID, h.Removed)
		}
	}
}

// TestUploadsOfKilledServers: folders of uploads that a killed server left go at a start, those of another that is
// under way stay.
func TestUploadsOfKilledServers(t *testing.T) {
	data, now := t.TempDir(), time.Now()
	for name, age := range map[string]time.Duration{"import-old": 49 * time.Hour, "import-new": time.Minute, "lake": 1000 * time.Hour} {
		dir := filepath.Join(data, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if err := sweepUploads(data, now); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(data)
	if err != nil || len(left) != 2 || left[0].Name() != "import-new" || left[1].Name() != "lake" {
		t.Errorf("left: %v, %v", left, err)
	}
}

func publishEmpty(ctx context.Context, tx outlay.Tx, src outlay.Source, month outlay.Period) error {
	if err := tx.PutSource(ctx, src); err != nil {
		return err
	}
	at := month.Start()
	u, _, err := tx.AddUnit(ctx, outlay.Unit{OrgID: src.OrgID, ID: outlay.NewID("unit"), SourceID: src.ID, Period: month, State: outlay.UnitWaiting, SeenAt: at, Delivery: outlay.Delivery{Period: month, Version: at, Token: "t"}})
	if err != nil {
		return err
	}
	return tx.Publish(ctx, outlay.Head{OrgID: src.OrgID, SourceID: src.ID, Provider: src.Provider, Origin: src.Origin, Period: month, UnitID: u.ID, Version: at, Generation: "g-" + src.ID, PublishedAt: at})
}

package outlaytest

import (
	"context"
	"sync"
	"testing"
	"time"

	"outlay"
)

func head(o tenant, unitID string, version time.Time) outlay.Head {
	return outlay.Head{OrgID: o.id, SourceID: "src_1", Provider: "nimbus", Origin: outlay.OriginCreated, Period: "2026-10", UnitID: unitID, Version: version, Generation: "g-" + unitID,
		Snapshot: 1<<62 + 1, Files: []outlay.DataFile{{Path: "p", Rows: 1, Bytes: 2}}, Rollups: []string{"r1", "r2", "r3"}, Proof: proof(1),
		SubAccounts: []outlay.SubAccountSum{{ID: "111", Name: "n", Provider: "p", Rows: 1, From: noon(), To: after(1)}}, DataThrough: after(1), DeliveredAt: after(2),
		PublishedAt: after(3), Previous: new(proof(9))}
}

func publish(h outlay.Head) func(context.Context, outlay.Tx) error {
	return func(ctx context.Context, tx outlay.Tx) error { return tx.Publish(ctx, h) }
}

func heads(o tenant) []outlay.Head {
	o.t.Helper()
	return read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.Head, error) { return tx.Heads(ctx) })
}

func headsVersion(o tenant) int64 {
	o.t.Helper()
	return read(o, func(ctx context.Context, tx outlay.Tx) (int64, error) { return tx.HeadsVersion(ctx) })
}

func storeHeads(t *testing.T, s outlay.Store) {
	o := withSource(t, s, "org_a")
	addUnit(o, unit(o, "unt_1", noon()))
	addUnit(o, unit(o, "unt_2", after(1)))
	if v := headsVersion(o); v != 0 {
		t.Errorf("version of no heads: %d", v)
	}
	o.write(publish(outlay.Head{SourceID: "src_1", Period: "2026-10", Version: after(-9)})) // bare first: then every field must be updated
	one := filled(t, head(o, "unt_1", noon()), "Removed")                                   // which is not stored
	o.write(publish(one))
	same(t, "published", []outlay.Head{one}, heads(o))
	v1 := headsVersion(o)

	// The same version, and an older one, are refused and change nothing.
	_ = o.refuse(outlay.CodeConflict, publish(head(o, "unt_2", noon())))
	_ = o.refuse(outlay.CodeConflict, publish(head(o, "unt_2", after(-1))))
	same(t, "unchanged", []outlay.Head{one}, heads(o))
	if v := headsVersion(o); v == 0 || v != v1 {
		t.Errorf("a refused publish moved the version of the heads from %d to %d", v1, v)
	}

	// A newer one replaces it and remembers what it replaced.
	two := head(o, "unt_2", after(1))
	two.Previous, two.Proof = nil, proof(2)
	o.write(publish(two))
	two.Previous = &one.Proof
	same(t, "replaced", []outlay.Head{two}, heads(o))
	september := head(o, "", noon())
	september.Period, september.Previous = "2026-09", nil
	o.write(publish(september))
	same(t, "by period", []outlay.Head{september, two}, heads(o))
	v2 := headsVersion(o)
	if v2 == v1 {
		t.Error("a publish did not move the version of the heads")
	}
	_ = o.refuse(outlay.CodeNotFound, publish(head(o, "unt_none", after(5))))

	remove := func(id string) func(context.Context, outlay.Tx) error {
		return func(ctx context.Context, tx outlay.Tx) error { return tx.DeleteHeads(ctx, id) }
	}
	o.write(remove("src_none"))
	if v := headsVersion(o); v != v2 {
		t.Error("nothing was removed, but the version of the heads moved")
	}
	o.write(remove("src_1"))
	if left := heads(o); len(left) != 0 || headsVersion(o) == v2 {
		t.Errorf("after removal: %d heads, version %d", len(left), headsVersion(o))
	}
	storePublishRace(t, o)
}

// storePublishRace publishes twenty versions at once, in any order: the newest stays, and no reader sees it go back.
func storePublishRace(t *testing.T, o tenant) {
	const versions = 20
	var all sync.WaitGroup
	done := make(chan struct{})
	reader := make(chan struct{})
	go func() {
		defer close(reader)
		var last time.Time
		for {
			select {
			case <-done:
				return
			default:
			}
			got, err := tryRead(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.Head, error) { return tx.Heads(ctx) })
			if err != nil || len(got) > 1 {
				t.Errorf("%d heads, %v", len(got), err)
				return
			}
			if len(got) == 1 {
				if h := got[0]; h.Version.Before(last) || h.Proof.Rows != h.Version.Sub(noon()).Microseconds() {
					t.Errorf("went back from %v to %v, or mixed two versions (%d rows)", last, h.Version, h.Proof.Rows)
				}
				last = got[0].Version
			}
		}
	}()
	published := make(chan int, versions)
	for i := range versions {
		all.Go(func() {
			h := head(o, "", noon().Add(time.Duration(i)*time.Microsecond))
			h.Proof.Rows, h.Previous = int64(i), nil
			switch err := o.try(publish(h)); outlay.CodeOf(err) {
			case "":
				published <- i
			case outlay.CodeConflict:
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	close(done)
	<-reader
	close(published)
	newest := -1
	for i := range published {
		newest = max(newest, i)
	}
	got := heads(o)
	if len(got) != 1 || got[0].Proof.Rows != versions-1 || newest != versions-1 {
		t.Errorf("the newest version did not win: %d published, %+v", newest, got)
	}
}

func storeAudit(t *testing.T, s outlay.Store) {
	a, b := newTenant(t, s, "org_a"), newTenant(t, s, "org_b")
	verify := func(o tenant) (n int, broken error) {
		err := s.ReadOrg(t.Context(), o.id, func(tx outlay.Tx) error { n, broken = tx.VerifyAudit(t.Context()); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return n, broken
	}
	if n, broken := verify(a); n != 0 || broken != nil {
		t.Errorf("an empty log: %d, %v", n, broken)
	}
	e := outlay.Entry{OrgID: "org_a", At: noon(), Actor: "usr_1", ActorName: "Ann", Addr: "127.0.0.1", Action: "cloud:make", Object: "account acc_1", Result: "intent", Detail: "d\x00\xff"}
	const entries = 1100 // more than a page of the walk
	a.write(func(ctx context.Context, tx outlay.Tx) error {
		for range entries {
			if err := tx.Append(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
	e2 := outlay.Entry{At: after(1), Action: "people:write", Result: "ok"}
	var all sync.WaitGroup
	for range 8 { // the chain does not fork
		all.Go(func() {
			for _, o := range []tenant{a, b} {
				if err := o.try(func(ctx context.Context, tx outlay.Tx) error { return tx.Append(ctx, e2) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for o, want := range map[tenant]int{a: entries + 8, b: 8} {
		if n, broken := verify(o); n != want || broken != nil {
			t.Errorf("%s: %d entries, %v; want %d", o.id, n, broken, want)
		}
	}
	list := func(limit int) []outlay.Entry {
		return read(a, func(ctx context.Context, tx outlay.Tx) ([]outlay.Entry, error) { return tx.Entries(ctx, limit) })
	}
	got := list(9)
	if len(got) != 9 || len(list(0)) != entries+8 || got[0].Action != "people:write" {
		t.Fatalf("newest first, at most nine: %d of %d, %+v", len(got), len(list(0)), got[0])
	}
	oldest := filled(t, got[8])
	e.ID, e.Hash, e.Detail = oldest.ID, oldest.Hash, "d��"
	same(t, "entry", e, oldest)
	// An entry of a transaction that failed is not in the log.
	_ = a.refuse(outlay.CodeInvalid, func(ctx context.Context, tx outlay.Tx) error {
		if err := tx.Append(ctx, e2); err != nil {
			return err
		}
		return outlay.Errorf(outlay.CodeInvalid, "", "no")
	})
	if n, broken := verify(a); n != entries+8 || broken != nil {
		t.Errorf("after a rollback: %d, %v", n, broken)
	}
}

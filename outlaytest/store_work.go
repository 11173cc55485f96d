package outlaytest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"outlay"
)

// storeClaims has many workers claim at once: each piece of work goes to exactly one of them.
func storeClaims(t *testing.T, s outlay.Store) {
	const orgs, each, workers = 3, 12, 6
	for i := range orgs {
		o := withSource(t, s, fmt.Sprintf("org_%d", i))
		o.write(func(ctx context.Context, tx outlay.Tx) error {
			for j := range each {
				op := operation(o, fmt.Sprintf("op_%d_%d", i, j), fmt.Sprint("scope", j))
				if _, err := tx.AddOperation(ctx, op); err != nil {
					return err
				}
				if err := tx.PutTask(ctx, outlay.Task{Kind: []string{"look", "ingest"}[j%2], Subject: fmt.Sprintf("%d_%d", i, j), NextAt: noon()}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	t.Run("operations", func(t *testing.T) {
		claimAll(t, workers, orgs*each, func(ctx context.Context, owner string) (string, error) {
			op, err := s.Install().ClaimOperation(ctx, owner, noon(), after(5))
			if op == nil {
				return "", err
			}
			return fmt.Sprint(op.ID, " fence ", op.Fence), err
		})
	})
	t.Run("tasks", func(t *testing.T) {
		claimAll(t, workers, orgs*each, func(ctx context.Context, owner string) (string, error) {
			k, err := s.Install().ClaimTask(ctx, []string{"ingest", "look"}, owner, noon(), after(5))
			if k == nil {
				return "", err
			}
			return fmt.Sprint(k.Subject, " fence ", k.Fence), err
		})
	})
}

// claimAll lets workers claim until there is nothing left, and counts.
func claimAll(t *testing.T, workers, want int, claim func(context.Context, string) (string, error)) {
	var lock sync.Mutex
	got := map[string]int{}
	start := make(chan struct{})
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			<-start
			for {
				what, err := claim(t.Context(), fmt.Sprint("worker ", w))
				if err != nil {
					t.Error(err)
				}
				if what == "" {
					return
				}
				lock.Lock()
				got[what]++
				lock.Unlock()
			}
		})
	}
	close(start)
	all.Wait()
	if len(got) != want {
		t.Errorf("%d pieces of work were claimed, want %d", len(got), want)
	}
	for what, n := range got {
		if n != 1 {
			t.Errorf("%s was claimed %d times", what, n)
		}
	}
}

func putTask(k outlay.Task) func(context.Context, outlay.Tx) error {
	return func(ctx context.Context, tx outlay.Tx) error { return tx.PutTask(ctx, k) }
}

func tasks(o tenant) []outlay.Task {
	o.t.Helper()
	return read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.Task, error) { return tx.Tasks(ctx) })
}

// claimTask claims a look at a minute past noon, for five minutes.
func claimTask(t *testing.T, s outlay.Store, minute int) *outlay.Task {
	t.Helper()
	k, err := s.Install().ClaimTask(t.Context(), []string{"look"}, fmt.Sprint("worker at ", minute), after(minute), after(minute+5))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func storeTasks(t *testing.T, s outlay.Store) {
	o := newTenant(t, s, "org_a")
	look := outlay.Task{OrgID: o.id, Kind: "look", Subject: "acc_1", NextAt: after(10), Every: time.Hour, Attempts: 2, LastError: "was"}
	o.write(putTask(look))
	o.write(putTask(outlay.Task{Kind: "other", Subject: "acc_1", NextAt: noon()}))
	if k := claimTask(t, s, 9); k != nil {
		t.Fatalf("claimed before it was due, or one of another kind: %+v", k)
	}
	look.NextAt = after(0) // moved
	o.write(putTask(look))
	first := claimTask(t, s, 0)
	want := look
	want.LeaseOwner, want.LeaseUntil, want.Fence = "worker at 0", after(5), 1
	if first == nil {
		t.Fatal("a due task was not claimed")
	}
	same(t, "claimed", filled(t, want), *first)
	same(t, "listed", want, tasks(o)[0])
	if k := claimTask(t, s, 4); k != nil {
		t.Fatalf("claimed while it was leased: %+v", k)
	}
	if err := s.Install().RenewTask(t.Context(), first, after(8)); err != nil {
		t.Fatal(err)
	}
	if k := claimTask(t, s, 7); k != nil {
		t.Fatalf("claimed while the lease was renewed: %+v", k)
	}
	second := claimTask(t, s, 9)
	if second == nil || second.Fence != 2 {
		t.Fatalf("after the lease: %+v", second)
	}
	for what, err := range map[string]error{"finish": s.Install().FinishTask(t.Context(), first), "renew": s.Install().RenewTask(t.Context(), first, after(99))} {
		if outlay.CodeOf(err) != outlay.CodeConflict {
			t.Errorf("%s by a zombie: %v", what, err)
		}
	}
	second.NextAt, second.Attempts, second.LastError = after(70), 3, "throttled"
	finish(t, s, second)
	want = outlay.Task{OrgID: o.id, Kind: "look", Subject: "acc_1", NextAt: after(70), Every: time.Hour, Attempts: 3, LastError: "throttled", Fence: 2}
	same(t, "finished", want, tasks(o)[0])
	storeTaskMoved(t, s, o)
}

// storeTaskMoved asks for a task while it runs: the wish is kept.
func storeTaskMoved(t *testing.T, s outlay.Store, o tenant) {
	wish := outlay.Task{Kind: "look", Subject: "acc_1", Every: 2 * time.Hour}
	running := claimTask(t, s, 70)
	wish.NextAt = after(71) // Check now
	o.write(putTask(wish))
	if k := claimTask(t, s, 72); k != nil {
		t.Fatalf("claimed twice: %+v", k)
	}
	running.NextAt = after(130)
	finish(t, s, running)
	if k := tasks(o)[0]; !k.NextAt.Equal(after(71)) || k.Every != 2*time.Hour {
		t.Errorf("a task that was asked for while it ran: %+v", k)
	}
	running = claimTask(t, s, 72)
	wish.NextAt = time.Time{}
	o.write(putTask(wish))
	running.NextAt = time.Time{} // would end it
	finish(t, s, running)
	running = claimTask(t, s, 73)
	if running == nil {
		t.Fatal("a task that was asked for while it ran is gone")
	}
	running.NextAt = time.Time{}
	finish(t, s, running)
	if all := tasks(o); len(all) != 1 || all[0].Kind != "other" {
		t.Errorf("after the end: %+v", all)
	}
	if k := claimTask(t, s, 10_000); k != nil {
		t.Errorf("claimed after its end: %+v", k)
	}

	o.write(putTask(wish))
	running = claimTask(t, s, 74)
	remove := func(ctx context.Context, tx outlay.Tx) error { return tx.DeleteTask(ctx, "look", "acc_1") }
	o.write(remove)
	o.write(remove) // twice is once
	if err := s.Install().FinishTask(t.Context(), running); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("finishing a removed task: %v", err)
	}
	if all := tasks(o); len(all) != 1 {
		t.Errorf("a removed task came back: %+v", all)
	}
}

func finish(t *testing.T, s outlay.Store, k *outlay.Task) {
	t.Helper()
	if err := s.Install().FinishTask(t.Context(), k); err != nil {
		t.Fatal(err)
	}
}

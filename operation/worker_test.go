package operation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outlay"
)

func TestTwoWorkersDoEachOperationOnce(t *testing.T) { onBoth(t, testTwoWorkers) }

func testTwoWorkers(t *testing.T, b *bench) {
	var mu sync.Mutex
	done := map[string]int{}
	two := New(Options{Store: b.store, Clock: outlay.SystemClock{}, Owner: "two", Poll: 5 * time.Millisecond})
	one := New(Options{Store: b.store, Clock: outlay.SystemClock{}, Owner: "one", Poll: 5 * time.Millisecond})
	const n = 20
	for i := range n {
		b.queue(fmt.Sprintf("run_%02d", i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, w := range []*Worker{one, two} {
		w.HandleOperation(outlay.OpProvision, func(_ context.Context, r *Run) error {
			mu.Lock()
			defer mu.Unlock()
			done[r.Operation().ID]++
			return nil
		})
		running.Go(func() {
			if err := w.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	await(t, "all operations", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(done) == n
	})
	cancel()
	running.Wait()
	for id, times := range done {
		if o := b.operation(id); times != 1 || o.Status != outlay.OpDone {
			t.Errorf("%s was done %d times and is %s", id, times, o.Status)
		}
	}
}

// A worker that was paused for longer than its lease finds that another did its work, and writes nothing.
func TestZombieIsRefused(t *testing.T) { onBoth(t, testZombie) }

func testZombie(t *testing.T, b *bench) {
	zombie, woken := make(chan struct{}), make(chan struct{})
	handler := func(who string) func(context.Context, *Run) error {
		return func(ctx context.Context, r *Run) error {
			if err := r.Layout(ctx, []Line{{Title: "Make it", Point: "make"}}); err != nil {
				return err
			}
			return r.Mutate(ctx, 0, Mutation{Intent: nothing, Record: func(outlay.Tx, error) (string, error) { return who, nil }, Do: func(context.Context) error {
				if who == "one" {
					close(zombie)
					<-woken
				}
				return nil
			}})
		}
	}
	b.HandleOperation(outlay.OpProvision, handler("one"))
	b.queue("run_a")
	ended := make(chan error)
	go func() {
		_, err := b.Drain(t.Context())
		ended <- err
	}()
	<-zombie
	b.clock.Add(6 * time.Minute)
	two := b.worker("two")
	two.HandleOperation(outlay.OpProvision, handler("two"))
	if n, err := two.Drain(t.Context()); n != 1 || err != nil {
		t.Fatalf("the second worker did %d, %v", n, err)
	}
	before := b.operation("run_a")
	close(woken)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	after, steps := b.operation("run_a"), b.steps("run_a")
	if after.Status != outlay.OpDone || after.Fence != before.Fence || !after.EndedAt.Equal(before.EndedAt) || steps[0].Detail != "two" {
		t.Errorf("the zombie wrote: %+v, %+v", after, steps[0])
	}
	outcomes := 0
	b.tx(func(tx outlay.Tx) error {
		entries, err := tx.Entries(t.Context(), 10)
		for _, e := range entries {
			if e.Result == "ok" {
				outcomes++
			}
		}
		return err
	})
	if outcomes != 1 {
		t.Errorf("%d outcomes in the audit log, want 1", outcomes)
	}
}

func TestLeaseIsRenewedWhileWorkLasts(t *testing.T) { onBoth(t, testLeaseIsRenewed) }

func testLeaseIsRenewed(t *testing.T, b *bench) {
	short := func(o *Options) {
		o.Clock, o.Lease, o.Renew, o.Poll = outlay.SystemClock{}, 400*time.Millisecond, 40*time.Millisecond, 10*time.Millisecond
	}
	one, two := b.worker("one", short), b.worker("two", short)
	var begun atomic.Int32
	work := func(ctx context.Context, _ *Run) error {
		begun.Add(1)
		return sleep(ctx, 1200*time.Millisecond) // three leases long
	}
	one.HandleOperation(outlay.OpProvision, work)
	two.HandleOperation(outlay.OpProvision, work)
	b.queue("run_a")
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = one.Run(ctx) })
	running.Go(func() { _ = two.Run(ctx) })
	await(t, "the end of the run", func() bool { return b.operation("run_a").Status == outlay.OpDone })
	cancel()
	running.Wait()
	if n := begun.Load(); n != 1 {
		t.Errorf("%d workers did it, want 1", n)
	}
}

func TestLeaseEndsWhenTheStoreDoesNotAnswer(t *testing.T) {
	clock := newClock()
	w := New(Options{Clock: clock, Owner: "one", Renew: time.Millisecond, Lease: time.Minute})
	for _, c := range []struct {
		name string
		err  error
		wait time.Duration
	}{
		{"fence moved on", outlay.Errorf(outlay.CodeConflict, "", "another holds it"), 0},
		{"store gone for a whole lease", errors.New("connection refused"), time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tries atomic.Int32
			held, _, stop := w.hold(t.Context(), func(context.Context, time.Time) error { tries.Add(1); return c.err })
			defer stop()
			if c.wait > 0 {
				await(t, "a few renewals", func() bool { return tries.Load() > 3 })
				if held.Err() != nil {
					t.Fatal("gave up within the lease")
				}
				clock.Add(c.wait)
			}
			await(t, "the loss", func() bool { return held.Err() != nil })
			if !lost(held, nil) {
				t.Errorf("cause %v", context.Cause(held))
			}
		})
	}
}

func TestStoppedProcessLeavesItsWorkDue(t *testing.T) {
	b := setup(t)
	begun := make(chan struct{}, 2)
	b.HandleOperation(outlay.OpProvision, func(ctx context.Context, _ *Run) error {
		begun <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	b.HandleTask("look", func(ctx context.Context, _ outlay.Task) (time.Duration, error) {
		begun <- struct{}{}
		<-ctx.Done()
		return 0, ctx.Err()
	})
	b.queue("run_a")
	b.tx(func(tx outlay.Tx) error {
		return tx.PutTask(t.Context(), outlay.Task{OrgID: org, Kind: "look", Subject: "acc_a", NextAt: b.clock.Now(), Every: time.Hour})
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- b.Run(ctx) }()
	<-begun
	<-begun
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if o := b.operation("run_a"); o.Status != outlay.OpRunning || o.NextAt.After(b.clock.Now()) {
		t.Errorf("operation %s, next at %s", o.Status, o.NextAt)
	}
	two := b.worker("two")
	var again atomic.Int32
	two.HandleOperation(outlay.OpProvision, func(context.Context, *Run) error { again.Add(1); return nil })
	two.HandleTask("look", func(context.Context, outlay.Task) (time.Duration, error) { again.Add(1); return 0, nil })
	if n, err := two.Drain(t.Context()); n != 2 || err != nil || again.Load() != 2 {
		t.Errorf("the next process did %d, %v", n, err)
	}
}

func TestTasks(t *testing.T) {
	fails := outlay.Errorf(outlay.CodeUnavailable, "", "no answer")
	for _, c := range []struct {
		name     string
		every    time.Duration
		next     time.Duration
		err      error
		attempts int // failures before
		gone     bool
		min, max time.Duration
	}{
		{name: "recurs", every: time.Hour, min: time.Hour, max: time.Hour},
		{name: "asks for another time", every: time.Hour, next: time.Minute, min: time.Minute, max: time.Minute},
		{name: "ends", gone: true},
		{name: "fails and comes back soon", err: fails, min: 750 * time.Millisecond, max: time.Second},
		{name: "fails often and comes back later", err: fails, attempts: 5, min: 24 * time.Second, max: 32 * time.Second},
		{name: "is never later than an hour", err: fails, attempts: 40, min: 45 * time.Minute, max: time.Hour},
		{name: "is never later than its interval", every: 10 * time.Second, err: fails, attempts: 40, min: 10 * time.Second, max: 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := setup(t)
			b.HandleTask("look", func(context.Context, outlay.Task) (time.Duration, error) { return c.next, c.err })
			b.tx(func(tx outlay.Tx) error {
				return tx.PutTask(t.Context(), outlay.Task{OrgID: org, Kind: "look", Subject: "acc_a", NextAt: b.clock.Now(), Every: c.every, Attempts: c.attempts})
			})
			if n := b.drain(); n != 1 {
				t.Fatalf("drained %d", n)
			}
			k, ok := b.task("look", "acc_a")
			if ok == c.gone {
				t.Fatalf("there is a task: %v", ok)
			}
			if in := k.NextAt.Sub(b.clock.Now()); ok && (in < c.min || in > c.max) {
				t.Errorf("due in %s, want %s to %s", in, c.min, c.max)
			}
			if wrong := (c.err != nil) != (k.LastError != ""); ok && wrong {
				t.Errorf("last error %q", k.LastError)
			}
			if c.err != nil && k.Attempts != c.attempts+1 {
				t.Errorf("attempts %d", k.Attempts)
			}
		})
	}
}

func TestPanicInATaskIsAFailureOfThatTask(t *testing.T) {
	b := setup(t)
	b.HandleTask("look", func(context.Context, outlay.Task) (time.Duration, error) { panic("a fault of ours") })
	b.tx(func(tx outlay.Tx) error {
		return tx.PutTask(t.Context(), outlay.Task{OrgID: org, Kind: "look", Subject: "acc_a", NextAt: b.clock.Now(), Every: time.Hour})
	})
	b.drain()
	if k, ok := b.task("look", "acc_a"); !ok || k.Attempts != 1 {
		t.Errorf("task %+v", k)
	}
}

// A process that was paused for longer than its lease makes no call when it goes on, even before it learns who holds
// the lease now.
func TestNoCallAfterTheLease(t *testing.T) {
	b := setup(t)
	paused, calls := false, 0
	b.HandleOperation(outlay.OpProvision, func(ctx context.Context, r *Run) error {
		if err := r.Layout(ctx, []Line{{Title: "Make it", Point: "make"}}); err != nil {
			return err
		}
		return r.Mutate(ctx, 0, Mutation{
			Intent: func(outlay.Tx) error {
				if !paused {
					paused = true
					b.clock.Add(6 * time.Minute)
				}
				return nil
			},
			Do:     func(context.Context) error { calls++; return nil },
			Record: recorded,
		})
	})
	b.queue("run_a")
	if n := b.drain(); n != 2 || calls != 1 {
		t.Errorf("%d attempts made %d calls, want 2 and 1", n, calls)
	}
	if o := b.operation("run_a"); o.Status != outlay.OpDone {
		t.Errorf("operation %+v", o)
	}
}

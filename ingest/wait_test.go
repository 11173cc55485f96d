package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"outlay"
	"outlay/ingest"
)

// TestWaits is about failures that say nothing about the delivery: it waits, uncounted, and goes on by itself.
func TestWaits(t *testing.T) {
	fetch := func(err error) func(*house, *ingest.Options) {
		return func(h *house, _ *ingest.Options) { h.bucket.fail = func() error { return err } }
	}
	cases := map[string]struct {
		with func(*house, *ingest.Options)
		code outlay.Code
		next time.Duration // 0: by the worker's backoff
	}{
		"throttled":             {fetch(outlay.Errorf(outlay.CodeThrottled, "", "slow down")), outlay.CodeThrottled, 0},
		"forbidden":             {fetch(outlay.Errorf(outlay.CodeForbidden, "Allow it.", "may not read")), outlay.CodeForbidden, 0},
		"unreachable":           {fetch(outlay.Errorf(outlay.CodeUnavailable, "", "no answer")), outlay.CodeUnavailable, 0},
		"half delivered":        {fetch(outlay.Errorf(outlay.CodeNotFound, "", "no such file")), outlay.CodeNotFound, time.Hour},
		"the disk fills":        {fetch(fmt.Errorf("copying: %w", syscall.ENOSPC)), outlay.CodeUnavailable, 10 * time.Minute},
		"the disk is too small": {func(_ *house, o *ingest.Options) { o.Free = func(string) (int64, error) { return 100, nil } }, outlay.CodeUnavailable, 10 * time.Minute},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			h := newHouse(t, "", clock)
			h.found(t, h.delivery(t, 1, bill(month, 2, "1")))
			h.drain(t)
			u := h.found(t, h.delivery(t, 2, bill(month, 3, "1")))
			for range 7 { // more often than what would quarantine
				o := h.options(nil)
				c.with(h, &o)
				if _, err := h.worker(ingest.New(o)).Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				got := h.unit(t, u.ID)
				if got.State != outlay.UnitWaiting || got.Attempts != 0 || got.Problem == nil || got.Problem.Code != c.code {
					t.Fatalf("it is %s after %d counted attempts with %+v", got.State, got.Attempts, got.Problem)
				}
				next := h.tasks(t, ingest.TaskIngest)[0].NextAt.Sub(clock.Now())
				if c.next != 0 && next != c.next || next <= 0 {
					t.Fatalf("it is tried again in %s", next)
				}
				clock.Add(2 * time.Hour)
			}
			clock.Add(48 * time.Hour)
			o := h.options(nil)
			c.with(h, &o)
			if _, err := h.worker(ingest.New(o)).Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := h.unit(t, u.ID); !strings.Contains(got.Problem.Fix, "It has been waiting for 62 hours") {
				t.Errorf("after two days nobody is alarmed: %+v", got.Problem)
			}
			clock.Add(2 * time.Hour)
			h.shows(t, only("2 rows 2"))
			h.bucket.fail = nil
			h.drain(t)
			h.shows(t, only("3 rows 3"))
			if got := h.unit(t, u.ID); got.Problem != nil {
				t.Errorf("the problem stays: %+v", got.Problem)
			}
			h.quiet(t, clock)
		})
	}
}

// TestStopped is about a server that is stopped while it loads: the next one goes on, and the attempt does not count.
func TestStopped(t *testing.T) {
	h := newHouse(t, "", newClock())
	u := h.found(t, h.delivery(t, 1, bill(month, 2, "1")))
	h.bucket.gate = make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	loading := make(chan struct{})
	g := h.ingest(func(point string) {
		if point == "ingest.loading" {
			close(loading)
		}
	})
	done := make(chan error, 1)
	go func() {
		_, err := g.Load(ctx, outlay.Task{OrgID: org, Kind: ingest.TaskIngest, Subject: u.ID})
		done <- err
	}()
	<-loading
	stop()
	if err := <-done; err == nil {
		t.Error("a load that was stopped reports success")
	}
	if got := h.unit(t, u.ID); got.State != outlay.UnitWaiting || got.Attempts != 0 || got.Problem != nil {
		t.Errorf("it is %s after %d attempts, %+v", got.State, got.Attempts, got.Problem)
	}
	h.bucket.gate = nil
	h.drain(t)
	h.shows(t, only("2 rows 2"))
}

// TestCrashLoop is about a delivery that brings the server down each time: it is quarantined, not tried for ever.
func TestCrashLoop(t *testing.T) {
	h := newHouse(t, "", newClock())
	u := h.found(t, h.delivery(t, 1, bill(month, 2, "1")))
	u = h.unit(t, u.ID)
	u.State, u.Attempts = outlay.UnitLoading, 5
	h.tx(t, func(tx outlay.Tx) error { return tx.PutUnit(t.Context(), u) })
	h.drain(t)
	if got := h.unit(t, u.ID); got.State != outlay.UnitQuarantined || got.Problem == nil {
		t.Errorf("it is %s with %+v", got.State, got.Problem)
	}
	h.shows(t, map[string]string{})
}

// TestUnnamedFiles is about a provider that names a delivery's files only when it fetches them.
func TestUnnamedFiles(t *testing.T) {
	h := newHouse(t, "", newClock())
	d := h.delivery(t, 1, bill(month, 2, "1"), bill(month, 2, "x"))
	h.bucket.unnamed = d.Files
	d.Files = nil
	u := h.found(t, d)
	h.drain(t)
	if got := h.unit(t, u.ID); got.Problem == nil || !strings.Contains(got.Problem.Message, "file 2 of 2 of the delivery line 2, column") {
		t.Errorf("the problem is %+v", got.Problem)
	}
	d = h.delivery(t, 2, bill(month, 2, "1"))
	h.bucket.unnamed = d.Files
	d.Files = nil
	h.found(t, d)
	h.drain(t)
	h.shows(t, only("2 rows 2"))
}

// TestAbsent is about a delivery of a source that was removed meanwhile: it is not tried for ever.
func TestAbsent(t *testing.T) {
	h := newHouse(t, "", newClock())
	u := h.found(t, h.delivery(t, 1, bill(month, 2, "1")))
	h.tx(t, func(tx outlay.Tx) error {
		s, err := tx.Source(t.Context(), source)
		if err != nil {
			return err
		}
		s.Desired = outlay.Absent
		return tx.PutSource(t.Context(), s)
	})
	h.bucket.fail = func() error { return outlay.Errorf(outlay.CodeNotFound, "", "no such bucket") }
	h.drain(t)
	if got := h.unit(t, u.ID); got.State != outlay.UnitSuperseded {
		t.Errorf("it is %s with %+v", got.State, got.Problem)
	}
	if left := h.tasks(t, ingest.TaskIngest); len(left) != 0 {
		t.Errorf("it is tried again: %v", left)
	}
}

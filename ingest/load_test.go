package ingest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"outlay"
	"outlay/ingest"
)

func TestLoad(t *testing.T) {
	cases := map[string]func(*testing.T, *house){
		"a month is loaded and restated":                restated,
		"the same delivery twice is once":               sameTwice,
		"versions out of order":                         outOfOrder,
		"Parquet, as clouds deliver it":                 inParquet,
		"a delivery that moved waits for the next look": moved,
		"two empty deliveries in a row are believed":    emptied,
		"what the reader should know is noted":          noted,
		"history is removed":                            historyRemoved,
		"history is removed during a load":              historyRemovedDuringLoad,
		"two workers on two versions":                   twoWorkers,
	}
	for db, url := range stores() {
		for name, run := range cases {
			t.Run(db+"/"+name, func(t *testing.T) {
				c := newClock()
				h := newHouse(t, url(t), c)
				run(t, h)
				h.quiet(t, c)
			})
		}
	}
}

func only(text string) map[string]string {
	return map[string]string{source + " " + string(month): text}
}

func restated(t *testing.T, h *house) {
	one := h.found(t, h.delivery(t, 1, bill(month, 3, "1.000000000000000001")))
	h.drain(t)
	h.shows(t, only("3 rows 3.000000000000000003"))
	two := h.found(t, h.delivery(t, 2, bill(month, 2, "2.5"), bill(month, 3, "0.5")))
	h.drain(t)
	h.shows(t, only("5 rows 6.5"))
	if a, b := h.unit(t, one.ID), h.unit(t, two.ID); a.State != outlay.UnitSuperseded || b.State != outlay.UnitPublished {
		t.Errorf("the units are %s and %s", a.State, b.State)
	}
	head := h.heads(t)[0]
	if head.Previous == nil || head.Previous.Rows != 3 || head.Proof.Written["USD"][outlay.Billed] == "" {
		t.Errorf("the head's proof is %+v after %+v", head.Proof, head.Previous)
	}
	var covered []string
	h.tx(t, func(tx outlay.Tx) error {
		list, err := tx.Coverage(t.Context(), source)
		for _, c := range list {
			covered = append(covered, fmt.Sprint(c.SubAccountID, " ", c.Name, " ", c.Basis))
		}
		return err
	})
	if got := strings.Join(covered, ", "); got != "acct-0 Account 0 seen, acct-1 Account 1 seen, acct-2 Account 2 seen" {
		t.Errorf("covered: %s", got)
	}
	if h.told.get() != 2 {
		t.Errorf("statuses were refreshed %d times", h.told.get())
	}
	if left := h.tasks(t, ingest.TaskIngest); len(left) != 0 {
		t.Errorf("tasks stay: %v", left)
	}
	if len(h.tasks(t, ingest.TaskTidy)) != 1 {
		t.Error("no tidying is scheduled")
	}
}

func sameTwice(t *testing.T, h *house) {
	d := h.delivery(t, 1, bill(month, 3, "1"))
	one := h.found(t, d)
	h.drain(t)
	first := h.heads(t)[0]
	again := h.found(t, d)
	if again.ID != one.ID {
		t.Errorf("a second unit %s for the delivery of %s", again.ID, one.ID)
	}
	h.drain(t)
	if now := h.heads(t)[0]; now.Generation != first.Generation || now.Snapshot != first.Snapshot {
		t.Error("the same delivery was published twice")
	}
	h.shows(t, only("3 rows 3"))
}

func inParquet(t *testing.T, h *house) {
	h.found(t, h.delivery(t, 1, parquet(t, bill(month, 3, "1.25")), parquet(t, bill(month, 2, "-0.5"))))
	h.drain(t)
	h.shows(t, only("5 rows 2.75"))
}

func outOfOrder(t *testing.T, h *house) {
	newer := h.found(t, h.delivery(t, 5, bill(month, 5, "1")))
	h.drain(t)
	older := h.found(t, h.delivery(t, 4, bill(month, 4, "1")))
	h.drain(t)
	h.shows(t, only("5 rows 5"))
	if a, b := h.unit(t, older.ID), h.unit(t, newer.ID); a.State != outlay.UnitSuperseded || b.State != outlay.UnitPublished {
		t.Errorf("the units are %s and %s", a.State, b.State)
	}
}

func moved(t *testing.T, h *house) {
	h.found(t, h.delivery(t, 1, bill(month, 3, "1")))
	h.drain(t)
	d := h.delivery(t, 2, bill(month, 4, "1"))
	if err := os.WriteFile(filepath.Join(d.Ref["folder"], d.Files[0].Key), []byte("another refresh"), 0o600); err != nil {
		t.Fatal(err)
	}
	u := h.found(t, d)
	h.drain(t)
	got := h.unit(t, u.ID)
	if got.State != outlay.UnitWaiting || got.Problem == nil || got.Attempts != 0 {
		t.Errorf("a delivery that moved: %s after %d counted attempts, %+v", got.State, got.Attempts, got.Problem)
	}
	tasks := h.tasks(t, ingest.TaskIngest)
	if len(tasks) != 1 || tasks[0].NextAt.Sub(h.clock.Now()) != time.Hour {
		t.Errorf("it is tried again at %v", tasks)
	}
	h.shows(t, only("3 rows 3"))
	h.found(t, h.delivery(t, 3, bill(month, 5, "1"))) // what the next look finds
	h.drain(t)
	h.shows(t, only("5 rows 5"))
	if got := h.unit(t, u.ID); got.State != outlay.UnitSuperseded || len(h.tasks(t, ingest.TaskIngest)) != 0 {
		t.Errorf("the delivery before is %s, tasks %v", got.State, h.tasks(t, ingest.TaskIngest))
	}
}

func emptied(t *testing.T, h *house) {
	h.found(t, h.delivery(t, 1, bill(month, 3, "1")))
	h.drain(t)
	one := h.found(t, h.delivery(t, 2))
	h.drain(t)
	h.shows(t, only("3 rows 3"))
	if u := h.unit(t, one.ID); u.State != outlay.UnitWaiting || u.Problem == nil || !strings.Contains(u.Problem.Message, "is empty") {
		t.Errorf("the first empty delivery: %s %+v", u.State, u.Problem)
	}
	h.found(t, h.delivery(t, 3, billHeader+"\n")) // empty in another way: a file without rows
	h.drain(t)
	h.shows(t, only("0 rows"))
	h.found(t, h.delivery(t, 4, bill(month, 2, "1")))
	h.drain(t)
	h.shows(t, only("2 rows 2"))
}

func noted(t *testing.T, h *house) {
	h.found(t, h.delivery(t, 1, bill(month, 10, "1")))
	h.drain(t)
	h.found(t, h.delivery(t, 2, billOf(billHeader+",x_Surprise", month, 10, "-1.3", "USD"), billOf(billHeader+",x_Surprise", month, 1, "5", "EUR")))
	h.drain(t)
	notes := strings.Join(h.heads(t)[0].Proof.Notes, "\n")
	for _, want := range []string{"columns changed; new: x_Surprise", "currencies changed from USD to EUR, USD", "BilledCost moved by more than a fifth, from 10 to -13 USD", "below zero: -13 USD"} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes lack %q:\n%s", want, notes)
		}
	}
}

func historyRemoved(t *testing.T, h *house) {
	h.found(t, h.delivery(t, 1, bill(month, 3, "1")))
	h.drain(t)
	h.found(t, h.delivery(t, 2, bill(month, 4, "1"))) // known, not loaded
	for range 2 {
		if err := h.ingest(nil).RemoveHistory(t.Context(), org, source); err != nil {
			t.Fatal(err)
		}
	}
	h.drain(t)
	h.shows(t, map[string]string{})
	if dirs, _ := filepath.Glob(filepath.Join(h.Dir, "warehouse", "*", "*", "data", source, "*")); len(dirs) != 0 {
		t.Errorf("files stay: %v", dirs)
	}
	h.tx(t, func(tx outlay.Tx) error {
		entries, err := tx.Entries(t.Context(), 10)
		if err != nil || len(entries) == 0 || entries[0].Object != "source "+source {
			t.Errorf("the audit log says %v %v", entries, err)
		}
		return nil
	})
}

// historyRemovedDuringLoad: the load finds its unit ended, and leaves nothing.
func historyRemovedDuringLoad(t *testing.T, h *house) {
	h.found(t, h.delivery(t, 1, bill(month, 3, "1")))
	g := h.ingest(func(point string) {
		if point == "ingest.committed" {
			if err := h.ingest(nil).RemoveHistory(t.Context(), org, source); err != nil {
				t.Error(err)
			}
		}
	})
	if _, err := h.worker(g).Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.shows(t, map[string]string{})
}

// twoWorkers: the older version is held back until the newer is published, then it goes on. It may not win.
func twoWorkers(t *testing.T, h *house) {
	held := make(chan struct{})
	var begun, group sync.WaitGroup
	begun.Add(1)
	older := h.found(t, h.delivery(t, 1, bill(month, 3, "1")))
	slow := h.ingest(func(point string) {
		if point == "ingest.proved" {
			begun.Done()
			<-held
		}
	})
	group.Go(func() {
		if _, err := slow.Load(context.Background(), outlay.Task{OrgID: org, Kind: ingest.TaskIngest, Subject: older.ID}); err != nil {
			t.Error(err)
		}
	})
	begun.Wait()
	newer := h.found(t, h.delivery(t, 2, bill(month, 7, "1")))
	if _, err := h.ingest(nil).Load(t.Context(), outlay.Task{OrgID: org, Kind: ingest.TaskIngest, Subject: newer.ID}); err != nil {
		t.Fatal(err)
	}
	close(held)
	group.Wait()
	h.shows(t, only("7 rows 7"))
	if u := h.unit(t, older.ID); u.State != outlay.UnitSuperseded {
		t.Errorf("the older version is %s", u.State)
	}
	h.drain(t)
	h.shows(t, only("7 rows 7"))
}

func TestRejected(t *testing.T) {
	good := bill(month, 3, "1")
	packed := parquet(t, good)
	cases := map[string]struct {
		bills []string
		rows  int64 // declared; 0 for none
		want  []string
	}{
		"Parquet cut short":       {[]string{good, packed[:len(packed)-100]}, 0, []string{"bill-00002.csv"}},
		"Parquet spoiled":         {[]string{spoiled(packed)}, 0, []string{"bill-00001.csv"}},
		"cut short":               {[]string{good, good[:len(good)-7]}, 0, []string{"bill-00002.csv", "line"}},
		"a missing cost column":   {[]string{strings.Replace(good, "ListCost", "SomeCost", 1)}, 0, []string{"bill-00001.csv", "ListCost"}},
		"a cost that is none":     {[]string{strings.Replace(good, "\n1,1,", "\n1,one,", 1)}, 0, []string{"bill-00001.csv", "EffectiveCost", "2"}},
		"a row of another month":  {[]string{good + strings.SplitAfter(bill("2026-09", 1, "1"), "\n")[1]}, 0, []string{"bill-00001.csv", "2026-09"}},
		"fewer rows than it says": {[]string{good}, 4, []string{"holds 3 charges and declares 4"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			h := newHouse(t, "", clock)
			h.found(t, h.delivery(t, 1, bill(month, 2, "4")))
			h.drain(t)
			d := h.delivery(t, 2, c.bills...)
			if c.rows > 0 {
				d.Rows = c.rows
			}
			u := h.found(t, d)
			for try := 1; try <= 5; try++ {
				h.drain(t)
				got := h.unit(t, u.ID)
				want := outlay.UnitWaiting
				if try == 5 {
					want = outlay.UnitQuarantined
				}
				if got.State != want || got.Problem == nil || got.Problem.Code == "" {
					t.Fatalf("after try %d it is %s with %+v", try, got.State, got.Problem)
				}
				for _, w := range c.want {
					if !strings.Contains(got.Problem.Message, w) {
						t.Errorf("the problem lacks %q: %s", w, got.Problem.Message)
					}
				}
				clock.Move(2 * time.Hour)
			}
			t.Log(h.unit(t, u.ID).Problem.Message)
			h.shows(t, only("2 rows 8"))
			if left := h.tasks(t, ingest.TaskIngest); len(left) != 0 {
				t.Errorf("a quarantined delivery is tried again: %v", left)
			}
			other := h.delivery(t, 1, bill("2026-09", 1, "1"))
			other.Period = "2026-09"
			h.found(t, other) // other periods go on
			h.found(t, h.delivery(t, 3, bill(month, 2, "5")))
			h.drain(t)
			h.shows(t, map[string]string{source + " 2026-09": "1 rows 1", source + " 2026-10": "2 rows 10"})
			h.quiet(t, clock)
		})
	}
}

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
				clock.Move(2 * time.Hour)
			}
			clock.Move(48 * time.Hour)
			o := h.options(nil)
			c.with(h, &o)
			if _, err := h.worker(ingest.New(o)).Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := h.unit(t, u.ID); !strings.Contains(got.Problem.Fix, "It has been waiting for 62 hours") {
				t.Errorf("after two days nobody is alarmed: %+v", got.Problem)
			}
			clock.Move(2 * time.Hour)
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

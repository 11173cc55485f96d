package ingest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"outlay"
	"outlay/ingest"
	"outlay/outlaytest"
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
		"what reading cost is counted":                  metered,
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

// metered counts what a fetch was billed, one that failed included; what is free is not counted.
func metered(t *testing.T, h *house) {
	counts := func() (out []outlay.Metered) {
		h.tx(t, func(tx outlay.Tx) (err error) { out, err = tx.Metered(t.Context()); return err })
		return out
	}
	h.found(t, h.delivery(t, 1, bill(month, 3, "1")))
	h.drain(t)
	if got := counts(); len(got) != 0 {
		t.Errorf("what is free was counted: %+v", got)
	}
	h.bucket.billed = 3 << 30
	h.bucket.fail = func() error {
		h.bucket.fail = nil
		return outlay.Errorf(outlay.CodeUnavailable, "", "no answer")
	}
	h.found(t, h.delivery(t, 2, bill(month, 4, "1")))
	h.drain(t)
	h.clock.(*outlaytest.Clock).Add(time.Minute)
	h.drain(t)
	h.shows(t, only("4 rows 4"))
	if got := counts(); len(got) != 1 || got[0].SourceID != source || got[0].Queries != 2 || got[0].Bytes != 6<<30 {
		t.Errorf("counted %+v", got)
	}
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

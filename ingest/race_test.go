package ingest_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"outlay"
	"outlay/ingest"
)

// TestReplicas lets two servers load the versions of one month at once, round after round, while a reader polls. The
// reader may see whole versions only, and never an older one after a newer one (reliability.md T6).
func TestReplicas(t *testing.T) {
	const rounds = 6
	for db, url := range stores() {
		t.Run(db, func(t *testing.T) {
			clock := newClock()
			h := newHouse(t, url(t), clock)
			other, err := openHouse(t.Context(), h.Dir, h.URL, clock)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = other.store.Close() }()
			stop := make(chan struct{})
			var reader sync.WaitGroup
			var reads int
			reader.Go(func() { reads = h.watchOrder(t, stop) })
			for round := range rounds {
				var group sync.WaitGroup
				older := h.found(t, h.delivery(t, 2*round+1, bill(month, 2*round+1, "1")))
				newer := h.found(t, h.delivery(t, 2*round+2, bill(month, 2*round+2, "1")))
				for g, unit := range map[*ingest.Ingest]string{h.ingest(nil): older.ID, other.ingest(nil): newer.ID} {
					group.Go(func() {
						if _, err := g.Load(t.Context(), outlay.Task{OrgID: org, Kind: ingest.TaskIngest, Subject: unit}); err != nil {
							t.Error(err)
						}
					})
				}
				group.Wait()
				h.shows(t, only(fmt.Sprintf("%d rows %d", 2*round+2, 2*round+2)))
			}
			close(stop)
			reader.Wait()
			t.Logf("%d rounds, %d reads, each of them one whole version", rounds, reads)
			h.quiet(t, clock)
		})
	}
}

// watchOrder polls until stop; version n of the month has n rows of cost 1.
func (h *house) watchOrder(t *testing.T, stop chan struct{}) (reads int) {
	engine := newEngine(t)
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	last := 0
	for {
		got, err := shown(t.Context(), h.store, engine)
		if err != nil {
			t.Errorf("a reader failed: %v", err)
			return reads
		}
		reads++
		var rows, sum int
		if text := got[source+" "+string(month)]; text != "" {
			if _, err := fmt.Sscanf(text, "%d rows %d", &rows, &sum); err != nil {
				t.Errorf("a reader saw %s", text)
			}
		}
		if rows != sum || rows < last {
			t.Errorf("a reader saw %d rows with a sum of %d after a version with %d", rows, sum, last)
		}
		last = rows
		select {
		case <-stop:
			return reads
		case <-pace.C:
		}
	}
}

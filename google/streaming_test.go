package google

import (
	"testing"
	"time"

	cloud "outlay/simcloud/google"
)

// TestStreamingBuffer reads a table whose newest rows are in no partition yet and not counted: they are read all the
// same, and once they have moved on nothing is read again.
func TestStreamingBuffer(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1, RestateEvery: 1, Streamed: true})
	w.up()
	w.export(exportDetailed, 1)
	if _, there := w.observe(whole()).Find(kindTable, exportDetailed.table(payer)); !there {
		t.Error("a table with rows in the buffer only is not seen")
	}
	for range 2 { // all of it in the buffer, then a part
		for _, d := range w.deliveries() {
			files, err := w.p.Fetch(t.Context(), w.a, w.s, d, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			want, err := w.Totals(t.Context(), payer, string(exportDetailed), string(d.Period))
			if err != nil {
				t.Fatal(err)
			}
			if parsed := parse(t, w.p, d, files); d.Rows != want.Rows || parsed.Proof.Rows != want.Rows {
				t.Errorf("%s: %d rows listed, %d parsed, %d delivered", d.Period, d.Rows, parsed.Proof.Rows, want.Rows)
			}
		}
		w.deliver(1)
	}
	before := w.deliveries()
	w.clock.add(time.Hour)
	asked := w.calls("bigquery.jobs.query") + w.calls("bigquery.jobs.insert")
	after := w.deliveries()
	if w.calls("bigquery.jobs.query")+w.calls("bigquery.jobs.insert") == asked {
		t.Error("a table with a buffer has to be asked again: its time does not tell of all rows")
	}
	for i := range before {
		if before[i].Token != after[i].Token {
			t.Errorf("%s looks changed: %s, %s", before[i].Period, before[i].Token, after[i].Token)
		}
	}
}

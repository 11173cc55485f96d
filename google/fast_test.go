package google

import (
	"database/sql"
	"fmt"
	"testing"

	"outlay"
	cloud "outlay/simcloud/google"
)

// TestFastReads reads the same month both ways: the answer as pages, and through the Storage Read API as a stream. The
// files hold the same rows.
func TestFastReads(t *testing.T) {
	for _, kind := range []exportKind{exportDetailed, exportFocus} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t, cloud.Options{FillTicks: 1, RowsPerMonth: 600})
			storage, stop, err := w.StartStorage("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(stop)
			w.opts.StorageEndpoint = storage
			w.p = New(w.opts)
			w.s.Spec.Fields[fieldExport], w.s.Spec.Fields[fieldFast] = string(kind), yes
			w.up()
			w.export(kind, 1)
			d := w.deliveries()[0]
			fast, err := w.p.Fetch(t.Context(), w.a, w.s, d, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			streams := 0
			for _, r := range w.Requests() {
				if r.Service == "storage" {
					streams++
				}
			}
			if streams == 0 {
				t.Error("no stream was opened")
			}
			w.s.Spec.Fields[fieldFast] = "no"
			plain, err := w.p.Fetch(t.Context(), w.a, w.s, d, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if n := different(t, fast[0], plain[0]); n != 0 {
				t.Errorf("%d rows differ", n)
			}
			a, b := parse(t, w.p, d, fast), parse(t, w.p, d, plain)
			if a.Proof.Read["USD"][outlay.Billed] != b.Proof.Read["USD"][outlay.Billed] || a.Proof.Rows != d.Rows {
				t.Errorf("sums: %v and %v", a.Proof.Read, b.Proof.Read)
			}
		})
	}
}

// different counts rows that only one of two files has. Doubles are written in two ways that mean the same.
func different(t *testing.T, a, b string) int64 {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const rows = "SELECT COALESCE(CAST(TRY_CAST(COLUMNS(*) AS DOUBLE) AS VARCHAR), COLUMNS(*)) FROM read_parquet('%s')"
	one, two := fmt.Sprintf(rows, a), fmt.Sprintf(rows, b)
	var n int64
	if err := db.QueryRow(fmt.Sprintf("SELECT (SELECT count(*) FROM (%[1]s EXCEPT ALL %[2]s)) + (SELECT count(*) FROM (%[2]s EXCEPT ALL %[1]s))", one, two)).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

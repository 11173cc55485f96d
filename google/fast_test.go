package google

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

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

// TestFastFaults puts every fault into reading a stream, each time it is tried: what Google's client does not get over by
// itself is an error with words, and rows that never came are missed. A stream that cannot be opened at all is no loss:
// the rows come as pages.
func TestFastFaults(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1, RowsPerMonth: 100})
	storage, stop, err := w.StartStorage("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	w.opts.StorageEndpoint = storage
	w.p = New(w.opts)
	w.s.Spec.Fields[fieldFast] = yes
	w.up()
	w.export(exportDetailed, 1)
	d := w.deliveries()[0]
	w.p.opts.Answer = 400 * time.Millisecond // of streams; other calls keep theirs
	fetch := func(operation string, kind cloud.FaultKind) error {
		w.Fault(cloud.Fault{Match: operation, Kind: kind, Times: -1})
		defer w.ClearFaults()
		_, err := w.p.Fetch(t.Context(), w.a, w.s, d, t.TempDir())
		return err
	}
	for _, kind := range cloud.FaultKinds() {
		e := outlay.AsError(fetch("storage.readRows", kind))
		if e == nil || e.Code == outlay.CodeInternal || e.Message == "" {
			t.Errorf("%s: %v", kind, e)
		}
	}
	for _, kind := range []cloud.FaultKind{cloud.ResetAfter, cloud.AccessDenied, cloud.Hang} {
		if err := fetch("storage.createReadSession", kind); err != nil {
			t.Errorf("no session because of %s: %v", kind, err)
		}
	}
	w.p.opts.Answer = 30 * time.Second
	if _, err := w.p.Fetch(t.Context(), w.a, w.s, d, t.TempDir()); err != nil {
		t.Errorf("after all faults: %v", err)
	}
}

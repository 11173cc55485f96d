package lake_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"outlay"
	"outlay/lake"
	"outlay/outlaytest"
	"outlay/sqldb"
)

const (
	org    = "org_test"
	source = "src_one"
)

func newClock() *outlaytest.Clock {
	return outlaytest.NewClock(time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC))
}

// place is a lake's surroundings, which outlive the Lake as they outlive a process.
type place struct {
	dir   string
	url   string // of the control plane's store, whose catalog the lake uses
	clock *outlaytest.Clock
}

func sqlitePlace(t *testing.T) place {
	dir := filepath.Join(t.TempDir(), "a lake") // a space, to see that paths survive being URIs
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	return place{dir: dir, url: "sqlite:" + filepath.Join(dir, "outlay.db"), clock: newClock()}
}

func postgresPlace(t *testing.T) place {
	return place{dir: t.TempDir(), url: outlaytest.Postgres(t), clock: newClock()}
}

// catalog is the database of the lake's catalog, as the program opens it.
func (p place) catalog(t *testing.T) (*sql.DB, string) {
	t.Helper()
	store, err := sqldb.Open(t.Context(), p.url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	db, dialect, err := store.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return db, dialect
}

// open is what a process does at start.
func (p place) open(t *testing.T) *lake.Lake {
	t.Helper()
	db, dialect := p.catalog(t)
	l, err := lake.Open(t.Context(), lake.Options{DB: db, Dialect: dialect, Warehouse: filepath.Join(p.dir, "warehouse"), Clock: p.clock})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// writer makes FOCUS Parquet as the parser does: by DuckDB, with the field ids of the root.
type writer struct{ db *sql.DB }

func newWriter(t *testing.T) writer {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return writer{db}
}

// write puts rows charges of the given cost each into dir.
func (w writer) write(ctx context.Context, dir, sourceID string, p outlay.Period, rows int, cost string) ([]outlay.DataFile, error) {
	path := filepath.Join(dir, string(p)+".parquet")
	var columns, ids []string
	for _, c := range outlay.FocusColumns() {
		columns = append(columns, fmt.Sprintf("%s as %q", value(c, sourceID, p, cost), c.Name))
		id := fmt.Sprintf("%q: %d", c.Name, c.ID)
		if c.Type == outlay.FocusTextMap {
			id = fmt.Sprintf("%q: {__duckdb_field_id: %d, key: 1001, value: 1002}", c.Name, c.ID)
		}
		ids = append(ids, id)
	}
	copySQL := fmt.Sprintf("COPY (SELECT %s FROM range(%d)) TO '%s' (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {%s})",
		strings.Join(columns, ", "), rows, path, strings.Join(ids, ", "))
	if _, err := w.db.ExecContext(ctx, copySQL); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return []outlay.DataFile{{Path: path, Rows: int64(rows), Bytes: info.Size()}}, nil
}

func value(c outlay.FocusColumn, sourceID string, p outlay.Period, cost string) string {
	switch {
	case c.Name == "x_SourceId":
		return "'" + sourceID + "'"
	case c.Name == "x_Period":
		return "'" + string(p) + "'"
	case c.Type == outlay.FocusCost:
		return cost + "::DECIMAL(38,18)"
	case c.Type == outlay.FocusNumber:
		return "1.5::DOUBLE"
	case c.Type == outlay.FocusTime:
		return "TIMESTAMP '" + string(p) + "-01 00:00:00'"
	case c.Type == outlay.FocusTextMap:
		return "MAP {'team': 'blue'}"
	}
	return "'text'"
}

// sum is what an independent reader finds in files: the number of rows and the sum of BilledCost.
func (w writer) sum(t *testing.T, files []outlay.DataFile) string {
	t.Helper()
	if len(files) == 0 {
		return "0 rows"
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, "'"+f.Path+"'")
	}
	var rows int64
	var total string
	err := w.db.QueryRowContext(t.Context(), "SELECT count(*), sum(BilledCost)::VARCHAR FROM read_parquet(["+strings.Join(paths, ",")+"])").Scan(&rows, &total)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d rows %s", rows, strings.TrimRight(strings.TrimRight(total, "0"), "."))
}

// load stages and replaces a period as one load does.
func load(t *testing.T, l *lake.Lake, w writer, sourceID string, p outlay.Period, rows int, cost string) outlay.Head {
	t.Helper()
	h, err := tryLoad(t.Context(), l, w, sourceID, p, rows, cost)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func tryLoad(ctx context.Context, l *lake.Lake, w writer, sourceID string, p outlay.Period, rows int, cost string) (outlay.Head, error) {
	h := outlay.Head{OrgID: org, SourceID: sourceID, Period: p, Generation: outlay.NewID("gen")}
	dir, err := l.Stage(ctx, org, sourceID, h.Generation)
	if err != nil {
		return h, err
	}
	if h.Files, err = w.write(ctx, dir, sourceID, p, rows, cost); err != nil {
		return h, err
	}
	h.Snapshot, err = l.Replace(ctx, outlay.Partition{OrgID: org, SourceID: sourceID, Period: p}, h.Generation, h.Files)
	return h, err
}

func part(p outlay.Period) outlay.Partition {
	return outlay.Partition{OrgID: org, SourceID: source, Period: p}
}

func files(t *testing.T, l *lake.Lake, snapshot int64, p outlay.Partition) []outlay.DataFile {
	t.Helper()
	f, err := l.Files(t.Context(), snapshot, p)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

package lake_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"
	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/lake"
)

func suite(t *testing.T, at func(t *testing.T) place) {
	cases := map[string]func(*testing.T, place, writer){
		"a month is created, restated and emptied": restated,
		"one month leaves the others alone":        others,
		"the same generation twice is once":        twice,
		"a crash between stage and commit":         crash,
		"eight writers at once":                    writers,
		"two processes on one month":               oneMonth,
		"collect":                                  collect,
		"metadata that nobody names is removed":    metadata,
		"a source is removed":                      removed,
		"what does not fit is refused":             refused,
		"organizations are apart":                  apart,
		"another engine reads the table":           outsider,
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) { run(t, at(t), newWriter(t)) })
	}
}

func TestSQLite(t *testing.T) { suite(t, sqlitePlace) }

func TestPostgres(t *testing.T) { suite(t, postgresPlace) }

func restated(t *testing.T, p place, w writer) {
	l := p.open(t)
	first := load(t, l, w, source, "2026-10", 3, "1.000000000000000001")
	second := load(t, l, w, source, "2026-10", 5, "2.5")
	if got := w.sum(t, files(t, l, 0, part("2026-10"))); got != "5 rows 12.5" {
		t.Errorf("after the restatement: %s", got)
	}
	if got := w.sum(t, files(t, l, first.Snapshot, part("2026-10"))); got != "3 rows 3.000000000000000003" {
		t.Errorf("the earlier snapshot: %s", got)
	}
	empty, err := l.Replace(t.Context(), part("2026-10"), outlay.NewID("gen"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := files(t, l, empty, part("2026-10")); len(got) != 0 {
		t.Errorf("an emptied month holds %v", got)
	}
	if got := w.sum(t, files(t, l, second.Snapshot, part("2026-10"))); got != "5 rows 12.5" {
		t.Errorf("the snapshot before it was emptied: %s", got)
	}
	load(t, p.open(t), w, source, "2026-10", 1, "7") // another process goes on
	if got := w.sum(t, files(t, l, 0, part("2026-10"))); got != "1 rows 7" {
		t.Errorf("after it was filled again: %s", got)
	}
}

func others(t *testing.T, p place, w writer) {
	l := p.open(t)
	load(t, l, w, source, "2026-09", 2, "1")
	load(t, l, w, source, "2026-10", 2, "2")
	load(t, l, w, "src_two", "2026-10", 2, "3")
	load(t, l, w, source, "2026-10", 2, "20")
	got := map[string]string{}
	parts, err := l.Partitions(t.Context(), org)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range parts {
		got[q.SourceID+" "+string(q.Period)] = w.sum(t, files(t, l, 0, q))
	}
	want := map[string]string{"src_one 2026-09": "2 rows 2", "src_one 2026-10": "2 rows 40", "src_two 2026-10": "2 rows 6"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func twice(t *testing.T, p place, w writer) {
	l := p.open(t)
	h := load(t, l, w, source, "2026-10", 3, "1")
	again, err := p.open(t).Replace(t.Context(), part("2026-10"), h.Generation, h.Files)
	if err != nil {
		t.Fatal(err)
	}
	if again != h.Snapshot {
		t.Errorf("the repeat made snapshot %d after %d", again, h.Snapshot)
	}
	if got := w.sum(t, files(t, l, 0, part("2026-10"))); got != "3 rows 3" {
		t.Error(got)
	}
}

func crash(t *testing.T, p place, w writer) {
	l := p.open(t)
	h := load(t, l, w, source, "2026-10", 3, "1")
	orphan := outlay.NewID("gen")
	dir, err := l.Stage(t.Context(), org, source, orphan)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.write(t.Context(), dir, source, "2026-10", 9, "9"); err != nil {
		t.Fatal(err)
	}
	l = p.open(t) // the process died before the commit
	if got := w.sum(t, files(t, l, 0, part("2026-10"))); got != "3 rows 3" {
		t.Errorf("after the crash: %s", got)
	}
	mustCollect(t, l, h)
	if _, err := os.Stat(dir); err != nil {
		t.Error("a young generation was collected; its load may be under way")
	}
	p.clock.Add(25 * time.Hour)
	mustCollect(t, l, h)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("an old generation without a commit stays")
	}
	if got := w.sum(t, files(t, l, 0, part("2026-10"))); got != "3 rows 3" {
		t.Errorf("after collecting: %s", got)
	}
}

// writers: every writer restates a month of its own, through two lakes on one catalog as two processes have.
func writers(t *testing.T, p place, w writer) {
	lakes := []*lake.Lake{p.open(t), p.open(t)}
	var group sync.WaitGroup
	fail := make(chan error, 8)
	for n := range 8 {
		group.Go(func() {
			for round := range 3 {
				month := outlay.Period(fmt.Sprintf("2026-%02d", n+1))
				if _, err := tryLoad(t.Context(), lakes[n%2], w, source, month, n+1, fmt.Sprint(round+1)); err != nil {
					fail <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(fail)
	for err := range fail {
		t.Error(err)
	}
	for n := range 8 {
		month := outlay.Period(fmt.Sprintf("2026-%02d", n+1))
		want := fmt.Sprintf("%d rows %d", n+1, 3*(n+1))
		if got := w.sum(t, files(t, lakes[0], 0, part(month))); got != want {
			t.Errorf("%s: %s, want %s", month, got, want)
		}
	}
}

// oneMonth: whoever commits last is whole; never both.
func oneMonth(t *testing.T, p place, w writer) {
	lakes := []*lake.Lake{p.open(t), p.open(t)}
	var group sync.WaitGroup
	for n, l := range lakes {
		group.Go(func() {
			for range 6 {
				if _, err := tryLoad(t.Context(), l, w, source, "2026-10", 2, fmt.Sprint(n+1)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	if got := w.sum(t, files(t, lakes[0], 0, part("2026-10"))); got != "2 rows 2" && got != "2 rows 4" {
		t.Errorf("two writers left %s", got)
	}
}

func collect(t *testing.T, p place, w writer) {
	l := p.open(t)
	old := load(t, l, w, source, "2026-09", 1, "1")
	first := load(t, l, w, source, "2026-10", 1, "1")
	p.clock.Add(30 * 24 * time.Hour)
	second := load(t, l, w, source, "2026-10", 1, "2")
	mustCollect(t, l, old, second)
	if got := w.sum(t, files(t, l, first.Snapshot, part("2026-10"))); got != "1 rows 1" {
		t.Errorf("a version superseded a moment ago: %s", got)
	}
	p.clock.Add(8 * 24 * time.Hour)
	third := load(t, l, w, source, "2026-10", 1, "3")
	mustCollect(t, l, old, third)
	if _, err := l.Files(t.Context(), first.Snapshot, part("2026-10")); outlay.CodeOf(err) != outlay.CodeNotFound {
		t.Errorf("a version superseded 8 days ago: %v", err)
	}
	if exists(first.Files) {
		t.Error("its files stay")
	}
	for name, h := range map[string]outlay.Head{"old head": old, "head": third, "just superseded": second} {
		if !exists(h.Files) {
			t.Errorf("the %s lost its files", name)
		}
		if _, err := l.Files(t.Context(), h.Snapshot, part(h.Period)); err != nil {
			t.Errorf("the %s lost its snapshot: %v", name, err)
		}
	}
	mustCollect(t, l, old, third)
	if got := w.sum(t, files(t, l, 0, part("2026-09"))); got != "1 rows 1" {
		t.Error(got)
	}
	load(t, l, w, source, "2026-11", 1, "4") // the table still takes commits
}

// metadata: what a lost race or a dead process wrote beside the data goes once it is old; what is in use stays, however
// old it is.
func metadata(t *testing.T, p place, w writer) {
	l := p.open(t)
	load(t, l, w, source, "2026-09", 1, "1")
	load(t, l, w, source, "2026-10", 1, "1")
	dir := filepath.Join(p.dir, "warehouse", org, "charges", "metadata")
	dead := filepath.Join(dir, "00009-dead.metadata.json")
	if err := os.WriteFile(dead, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	used, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range used {
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-48*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	young := filepath.Join(dir, "00010-young.metadata.json")
	if err := os.WriteFile(young, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustCollect(t, l)
	for _, path := range used {
		_, err := os.Stat(path)
		if gone := errors.Is(err, os.ErrNotExist); gone != (path == dead) {
			t.Errorf("%s is gone: %t", filepath.Base(path), gone)
		}
	}
	if _, err := os.Stat(young); err != nil {
		t.Error("a young one was removed; its commit may be under way")
	}
	if got := w.sum(t, files(t, p.open(t), 0, part("2026-10"))); got != "1 rows 1" {
		t.Errorf("after it: %s", got)
	}
	load(t, l, w, source, "2026-10", 1, "2")
}

func removed(t *testing.T, p place, w writer) {
	l := p.open(t)
	if err := l.Remove(t.Context(), org, "src_never"); err != nil {
		t.Errorf("removing what never was: %v", err)
	}
	gone := load(t, l, w, source, "2026-09", 1, "1")
	load(t, l, w, source, "2026-10", 1, "1")
	load(t, l, w, "src_two", "2026-10", 1, "5")
	for range 2 { // twice is once
		if err := l.Remove(t.Context(), org, source); err != nil {
			t.Fatal(err)
		}
	}
	parts, err := l.Partitions(t.Context(), org)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]outlay.Partition{{OrgID: org, SourceID: "src_two", Period: "2026-10"}}, parts); d != "" {
		t.Error(d)
	}
	if exists(gone.Files) {
		t.Error("its files stay")
	}
}

func refused(t *testing.T, p place, w writer) {
	l := p.open(t)
	h := load(t, l, w, source, "2026-10", 3, "1")
	gen := outlay.NewID("gen")
	dir, err := l.Stage(t.Context(), org, source, gen)
	if err != nil {
		t.Fatal(err)
	}
	good, err := w.write(t.Context(), dir, source, "2026-10", 3, "1")
	if err != nil {
		t.Fatal(err)
	}
	miscounted := []outlay.DataFile{{Path: good[0].Path, Rows: 4}}
	broken := filepath.Join(dir, "broken.parquet")
	if err := os.WriteFile(broken, []byte("PAR1 no parquet PAR1"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]func() error{
		"rows of another month": func() error { return replace(l, part("2026-11"), gen, good) },
		"rows of another source": func() error {
			return replace(l, outlay.Partition{OrgID: org, SourceID: "src_two", Period: "2026-10"}, gen, good)
		},
		"another number of rows":         func() error { return replace(l, part("2026-10"), gen, miscounted) },
		"a file of another generation":   func() error { return replace(l, part("2026-10"), gen, h.Files) },
		"a file that is no Parquet":      func() error { return replace(l, part("2026-10"), gen, []outlay.DataFile{{Path: broken, Rows: 3}}) },
		"a name that climbs":             func() error { return replace(l, part("2026-10"), "../../etc", good) },
		"an organization that climbs":    func() error { _, err := l.Stage(t.Context(), "../x", source, gen); return err },
		"a generation that exists":       func() error { _, err := l.Stage(t.Context(), org, source, gen); return err },
		"a snapshot that does not exist": func() error { _, err := l.Files(t.Context(), 42, part("2026-10")); return err },
	}
	for name, do := range cases {
		if err := do(); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if got := w.sum(t, files(t, l, 0, part("2026-10"))); got != "3 rows 3" {
		t.Errorf("after the refusals: %s", got)
	}
}

func apart(t *testing.T, p place, w writer) {
	l := p.open(t)
	load(t, l, w, source, "2026-10", 3, "1")
	other := outlay.Partition{OrgID: "org_other", SourceID: source, Period: "2026-10"}
	if got := files(t, l, 0, other); got != nil {
		t.Errorf("an organization sees another's files: %v", got)
	}
	if _, err := l.Files(t.Context(), 1, other); outlay.CodeOf(err) != outlay.CodeNotFound {
		t.Errorf("a snapshot of no table: %v", err)
	}
	mustCollect(t, l) // heads of org are none: nothing young is touched
	if err := l.Collect(t.Context(), "org_other", nil); err != nil {
		t.Errorf("collecting an organization without charges: %v", err)
	}
}

// outsider reads the table by Iceberg alone, through the catalog: columns, figures and the map of tags.
func outsider(t *testing.T, p place, w writer) {
	load(t, p.open(t), w, source, "2026-10", 3, "1.000000000000000001")
	db, dialect := p.catalog(t)
	c, err := sqlcat.NewCatalog("outlay", db, sqlcat.SupportedDialect(dialect), iceberg.Properties{})
	if err != nil {
		t.Fatal(err)
	}
	tbl, err := c.LoadTable(t.Context(), []string{org, "charges"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range outlay.FocusColumns() {
		got, ok := tbl.Schema().FindFieldByID(want.ID)
		if !ok || got.Name != want.Name {
			t.Errorf("field %d is %q, want %q", want.ID, got.Name, want.Name)
		}
	}
	only := iceberg.EqualTo(iceberg.Reference("x_Period"), "2026-10")
	rows, err := tbl.Scan(table.WithRowFilter(only), table.WithSelectedFields("BilledCost", "Tags", "ChargePeriodStart")).ToArrowTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	text := rows.Column(0).Data().Chunk(0).ValueStr(0) + " " + rows.Column(1).Data().Chunk(0).ValueStr(0) + " " + rows.Column(2).Data().Chunk(0).ValueStr(0)
	if rows.NumRows() != 3 || !strings.Contains(text, "1.000000000000000001") || !strings.Contains(text, "blue") || !strings.Contains(text, "2026-10-01") {
		t.Errorf("%d rows, the first is %s", rows.NumRows(), text)
	}
}

func replace(l *lake.Lake, p outlay.Partition, generation string, files []outlay.DataFile) error {
	_, err := l.Replace(context.Background(), p, generation, files)
	return err
}

func mustCollect(t *testing.T, l *lake.Lake, heads ...outlay.Head) {
	t.Helper()
	if err := l.Collect(t.Context(), org, heads); err != nil {
		t.Fatal(err)
	}
}

func exists(files []outlay.DataFile) bool {
	_, err := os.Stat(files[0].Path)
	return err == nil
}

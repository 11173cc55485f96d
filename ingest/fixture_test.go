package ingest_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"outlay"
	"outlay/duckdb"
	"outlay/ingest"
	"outlay/lake"
	"outlay/operation"
	"outlay/outlaytest"
	"outlay/sqldb"
)

const (
	org     = "org_test"
	account = "acc_test"
	source  = "src_test"
	month   = outlay.Period("2026-10")
	nimbus  = outlay.ProviderName("nimbus") // a provider made up for tests
)

func newClock() *outlaytest.Clock {
	return outlaytest.NewClock(time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC))
}

// house is an installation on disk, and this process's way into it.
type house struct {
	Dir, URL string
	clock    outlay.Clock
	store    *sqldb.Store
	lake     *lake.Lake
	bucket   *bucket
	told     *counter
}

type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add() { c.mu.Lock(); c.n++; c.mu.Unlock() }
func (c *counter) get() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// openHouse opens an installation that may exist.
func openHouse(ctx context.Context, dir, url string, c outlay.Clock) (*house, error) {
	store, err := sqldb.Open(ctx, url, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	db, dialect, err := store.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	l, err := lake.Open(ctx, lake.Options{DB: db, Dialect: dialect, Warehouse: filepath.Join(dir, "warehouse"), Clock: c})
	if err != nil {
		return nil, err
	}
	return &house{Dir: dir, URL: url, clock: c, store: store, lake: l, bucket: &bucket{}, told: &counter{}}, nil
}

// newHouse makes an installation with one organization, account and source.
func newHouse(t *testing.T, url string, c outlay.Clock) *house {
	t.Helper()
	dir := t.TempDir()
	if url == "" {
		url = "sqlite:" + filepath.Join(dir, "outlay.db")
	}
	h, err := openHouse(t.Context(), dir, url, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.store.Close() })
	if err := h.store.Install().AddOrganization(t.Context(), outlay.Organization{ID: org, Name: "Test"}); err != nil {
		t.Fatal(err)
	}
	h.tx(t, func(tx outlay.Tx) error {
		if err := tx.PutAccount(t.Context(), outlay.CloudAccount{OrgID: org, ID: account, Name: "nimbus-one", Provider: nimbus, CreatedAt: c.Now()}); err != nil {
			return err
		}
		return tx.PutSource(t.Context(), outlay.Source{OrgID: org, ID: source, Name: "nimbus-one", Provider: nimbus, AccountID: account, Origin: outlay.OriginCreated, Desired: outlay.Present, CreatedAt: c.Now()})
	})
	return h
}

// ingest is a server's Ingest; points may be nil.
func (h *house) ingest(points func(string)) *ingest.Ingest {
	return ingest.New(h.options(points))
}

func (h *house) options(points func(string)) ingest.Options {
	return ingest.Options{
		Store: h.store, Providers: map[outlay.ProviderName]outlay.Provider{nimbus: h.bucket}, Lake: h.lake,
		Parser:  duckdb.Child{Command: []string{os.Args[0], "parse"}},
		Staging: filepath.Join(h.Dir, "staging"), Clock: h.clock, Points: points, MemoryLimit: 256 << 20, Threads: 1,
		Published: func(context.Context, string) error { h.told.add(); return nil },
	}
}

// worker is a server's worker over g.
func (h *house) worker(g *ingest.Ingest) *operation.Worker {
	w := operation.New(operation.Options{
		Store: h.store, Clock: h.clock, Owner: outlay.NewID("worker"), Lease: time.Second, Renew: 100 * time.Millisecond, Poll: 20 * time.Millisecond,
	})
	g.Register(w)
	return w
}

// drain does everything that is due.
func (h *house) drain(t *testing.T) {
	t.Helper()
	if _, err := h.worker(h.ingest(nil)).Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (h *house) tx(t *testing.T, fn func(outlay.Tx) error) {
	t.Helper()
	if err := h.store.ForOrg(t.Context(), org, fn); err != nil {
		t.Fatal(err)
	}
}

// delivery puts a bill into the provider's bucket and says how the provider describes it. Version counts hours.
func (h *house) delivery(t *testing.T, version int, bills ...string) outlay.Delivery {
	t.Helper()
	folder := filepath.Join(h.Dir, "bucket", outlay.NewID("exec"))
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	d := outlay.Delivery{
		Period: month, Version: time.Date(2026, 11, 20, version, 0, 0, 0, time.UTC), Token: outlay.NewID("tok"), Format: "focus", Rows: -1,
		Ref: map[string]string{"folder": folder},
	}
	for i, b := range bills {
		key := fmt.Sprintf("bill-%05d.csv", i+1)
		if err := os.WriteFile(filepath.Join(folder, key), []byte(b), 0o600); err != nil {
			t.Fatal(err)
		}
		d.Files = append(d.Files, outlay.DeliveryFile{Key: key, ETag: etag([]byte(b)), Size: int64(len(b))})
	}
	return d
}

// found is what the hourly look does with a delivery: a unit and its task.
func (h *house) found(t *testing.T, d outlay.Delivery) outlay.Unit {
	t.Helper()
	u := outlay.Unit{OrgID: org, ID: outlay.NewID("unit"), SourceID: source, Period: d.Period, Delivery: d, State: outlay.UnitWaiting, SeenAt: h.clock.Now()}
	h.tx(t, func(tx outlay.Tx) error {
		known, _, err := tx.AddUnit(t.Context(), u)
		if err != nil {
			return err
		}
		u = known
		return tx.PutTask(t.Context(), outlay.Task{OrgID: org, Kind: ingest.TaskIngest, Subject: u.ID, NextAt: h.clock.Now()})
	})
	return u
}

func (h *house) unit(t *testing.T, id string) outlay.Unit {
	t.Helper()
	var u outlay.Unit
	h.tx(t, func(tx outlay.Tx) (err error) { u, err = tx.Unit(t.Context(), id); return err })
	return u
}

// tasks lists the kinds of tasks that are there, with their subjects.
func (h *house) tasks(t *testing.T, kind string) []outlay.Task {
	t.Helper()
	var out []outlay.Task
	h.tx(t, func(tx outlay.Tx) error {
		all, err := tx.Tasks(t.Context())
		out = slices.DeleteFunc(all, func(x outlay.Task) bool { return x.Kind != kind })
		return err
	})
	return out
}

func (h *house) heads(t *testing.T) []outlay.Head {
	t.Helper()
	var out []outlay.Head
	h.tx(t, func(tx outlay.Tx) (err error) { out, err = tx.Heads(t.Context()); return err })
	return out
}

// shown is what a dashboard reads: per month the rows and BilledCost of the heads' own files, summed by the engine.
func shown(ctx context.Context, store outlay.Store, engine *sql.DB) (map[string]string, error) {
	var heads []outlay.Head
	err := store.ReadOrg(ctx, org, func(tx outlay.Tx) (err error) { heads, err = tx.Heads(ctx); return err })
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, h := range heads {
		sum, err := sumOf(ctx, engine, h.Files)
		if err != nil {
			return nil, err
		}
		out[h.SourceID+" "+string(h.Period)] = sum
	}
	return out, nil
}

func sumOf(ctx context.Context, engine *sql.DB, files []outlay.DataFile) (string, error) {
	if len(files) == 0 {
		return "0 rows", nil
	}
	var list []string
	for _, f := range files {
		list = append(list, "'"+f.Path+"'")
	}
	var rows int64
	var sum string
	err := engine.QueryRowContext(ctx, "SELECT count(*), sum(BilledCost)::VARCHAR FROM read_parquet(["+strings.Join(list, ",")+"])").Scan(&rows, &sum)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d rows %s", rows, outlay.MustAmount(sum, "").String()), nil
}

func newEngine(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(2)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// shows checks what a dashboard reads now, and that the lake's current snapshot says the same.
func (h *house) shows(t *testing.T, want map[string]string) {
	t.Helper()
	engine := newEngine(t)
	got, err := shown(t.Context(), h.store, engine)
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]string{}
	parts, err := h.lake.Partitions(t.Context(), org)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		files, err := h.lake.Files(t.Context(), 0, p)
		if err != nil {
			t.Fatal(err)
		}
		if there[p.SourceID+" "+string(p.Period)], err = sumOf(t.Context(), engine, files); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("shown: %v\nwant:  %v", got, want)
	}
	for k, v := range want {
		if v == "0 rows" {
			delete(want, k)
		}
	}
	if fmt.Sprint(there) != fmt.Sprint(want) {
		t.Errorf("the lake's current snapshot: %v\nwant: %v", there, want)
	}
}

// quiet checks that nothing is left in staging and that no generation lies in the lake that no head names, once the
// time for it has passed.
func (h *house) quiet(t *testing.T, c *outlaytest.Clock) {
	t.Helper()
	c.Add(40 * 24 * time.Hour)
	g := h.ingest(nil)
	if err := g.Tidy(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(h.Dir, "staging", "*", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("staging holds %v %v", left, err)
	}
	named := map[string]bool{}
	for _, head := range h.heads(t) {
		named[head.Generation] = true
	}
	there, err := filepath.Glob(filepath.Join(h.Dir, "warehouse", "*", "*", "data", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range there {
		if !named[filepath.Base(dir)] && !h.inSnapshots(t, filepath.Base(dir)) {
			t.Errorf("generation %s stays", filepath.Base(dir))
		}
	}
}

// inSnapshots tells whether a generation is still readable by the snapshot of some head: those stay whole.
func (h *house) inSnapshots(t *testing.T, generation string) bool {
	t.Helper()
	heads := h.heads(t)
	for _, at := range heads {
		for n := range 12 * len(heads) { // the months of every source
			p := outlay.Partition{OrgID: org, SourceID: heads[n/12].SourceID, Period: outlay.Period(fmt.Sprintf("2026-%02d", n%12+1))}
			files, err := h.lake.Files(t.Context(), at.Snapshot, p)
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(files, func(f outlay.DataFile) bool { return strings.Contains(f.Path, generation) }) {
				return true
			}
		}
	}
	return false
}

// stores are the databases that the suite runs on.
func stores() map[string]func(t *testing.T) string {
	return map[string]func(t *testing.T) string{
		"sqlite":   func(*testing.T) string { return "" },
		"postgres": func(t *testing.T) string { return outlaytest.Postgres(t) },
	}
}

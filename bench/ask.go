package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"outlay"
	"outlay/duckdb"
)

// repeats is how often each of the ten queries is asked; each time of another window, so that no kept answer helps.
const repeats = 7

// ask measures the ten dashboard queries over the rollups and over the lake's files (B7), and against a bare sum over
// all of r1 (B8).
func (b *run) ask(ctx context.Context) error {
	read := func(context.Context, string) ([]outlay.Head, int64, error) { return b.heads, 1, nil }
	open := func(name string, lakeOnly bool) (*duckdb.Costs, error) {
		return duckdb.Open(duckdb.Options{Heads: read, CacheDir: filepath.Join(b.folder, name), Clock: outlay.SystemClock{}, LakeOnly: lakeOnly})
	}
	rolled, err := open("rolled", false)
	if err != nil {
		return err
	}
	defer func() { _ = rolled.Close() }()
	lake, err := open("lake-only", true)
	if err != nil {
		return err
	}
	defer func() { _ = lake.Close() }()
	start, cpu := time.Now(), cpuTime()
	if err := rolled.Refresh(ctx, "org_bench"); err != nil {
		return err
	}
	b.report.line("Serving database made in %.1f s, %.1f CPU s", time.Since(start).Seconds(), (cpuTime() - cpu).Seconds())
	if err := lake.Refresh(ctx, "org_bench"); err != nil {
		return err
	}
	var fast, slow time.Duration
	var all []time.Duration
	b.report.table = append(b.report.table, []string{"query", "rows", "p50 ms", "p95 ms", "CPU ms", "lake p50 ms", "lake CPU ms"})
	for _, q := range queries() {
		r, err := measure(ctx, rolled, q)
		if err != nil {
			return err
		}
		l, err := measure(ctx, lake, q)
		if err != nil {
			return err
		}
		fast, slow, all = fast+r.cpu, slow+l.cpu, append(all, r.times...)
		b.report.table = append(b.report.table, []string{q.name, fmt.Sprint(r.rows), millis(quantile(r.times, 0.5)), millis(quantile(r.times, 0.95)), millis(r.cpu), millis(quantile(l.times, 0.5)), millis(l.cpu)})
	}
	bare, rows, err := b.bareSum(ctx)
	if err != nil {
		return err
	}
	b.report.line("r1 has %s rows; a bare sum over it takes %s ms", thousands(rows), millis(bare))
	limit := 0.15
	if b.rows > 30_000_000 {
		limit = 0.06
	}
	b.report.goal("B7", "CPU of the ten queries on the rollups against the lake's files", fast.Seconds()/slow.Seconds(), atMost(limit))
	b.report.goal("B8", "p95 of the ten queries, all four costs each, against a bare sum of one cost over all of r1", quantile(all, 0.95).Seconds()/bare.Seconds(), atMost(8))
	return nil
}

// measured is what asking one query several times took.
type measured struct {
	times []time.Duration
	cpu   time.Duration // of one asking, on average
	rows  int
}

// measure asks a query once to warm up and then for moving windows.
func measure(ctx context.Context, c *duckdb.Costs, q namedQuery) (measured, error) {
	var m measured
	if _, err := c.Query(ctx, "org_bench", q.query(repeats)); err != nil {
		return m, fmt.Errorf("%s: %w", q.name, err)
	}
	cpu := cpuTime()
	for i := range repeats {
		start := time.Now()
		a, err := c.Query(ctx, "org_bench", q.query(i))
		if err != nil {
			return m, fmt.Errorf("%s: %w", q.name, err)
		}
		m.times = append(m.times, time.Since(start))
		m.rows = len(a.Rows)
	}
	m.cpu = (cpuTime() - cpu) / repeats
	return m, nil
}

// bareSum is the median time of a sum over all of r1, as a native table in memory.
func (b *run) bareSum(ctx context.Context) (time.Duration, int64, error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = db.Close() }()
	list := ""
	for _, h := range b.heads {
		list += ", '" + h.Rollups[0] + "'"
	}
	path := filepath.Join(b.folder, "bare.duckdb")
	for _, s := range []string{"ATTACH '" + path + "' AS bare", "CREATE TABLE bare.r1 AS SELECT day, EffectiveCost FROM read_parquet([" + list[2:] + "])", "CHECKPOINT bare"} {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return 0, 0, err
		}
	}
	var times []time.Duration
	var rows int64
	for range 21 {
		var sum any
		start := time.Now()
		if err := db.QueryRowContext(ctx, "SELECT sum(EffectiveCost), count(*) FROM bare.r1").Scan(&sum, &rows); err != nil {
			return 0, 0, err
		}
		times = append(times, time.Since(start))
	}
	return quantile(times, 0.5), rows, nil
}

func quantile(list []time.Duration, q float64) time.Duration {
	list = slices.Clone(list)
	slices.Sort(list)
	return list[min(len(list)-1, int(q*float64(len(list))))]
}

func millis(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()*1000) }

// cpuTime is the user and system time of this process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

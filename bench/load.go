package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"outlay"
)

// compare loads one month and rewrites it, by turns (B1, B2), and loads it in one file and in eight (B5).
func (b *run) compare(ctx context.Context) error {
	p := b.periods[9]
	from, out := b.delivered(p), filepath.Join(b.folder, "compare")
	rows := b.totals[p].Rows
	eight, err := b.split(ctx, from)
	if err != nil {
		return err
	}
	var rewrites, loads, lakes []time.Duration
	var one, many, yard int64
	for range b.runs {
		r, err := b.rewrite(ctx, from, filepath.Join(b.folder, "rewritten.parquet"))
		if err != nil {
			return err
		}
		_, l, err := b.parse(ctx, p, out, from)
		if err != nil {
			return err
		}
		_, m, err := b.parse(ctx, p, out, eight...)
		if err != nil {
			return err
		}
		rewrites, loads, lakes = append(rewrites, r.cpu), append(loads, l.cpu), append(lakes, l.lake())
		yard, one, many = max(yard, r.peak), max(one, l.peak), max(many, m.peak)
	}
	per := func(d time.Duration) float64 { return float64(rows) / d.Seconds() / 1000 }
	rw, lake, all := median(rewrites), median(lakes), median(loads)
	b.report.line("One month of %s rows, thousand rows a CPU second: plain rewrite %.0f, into the sorted lake %.0f, with proof and rollups %.0f", thousands(rows), per(rw), per(lake), per(all))
	b.report.goal("B1", "delivered Parquet into the sorted lake, rows a CPU second against the engine's plain rewrite", rw.Seconds()/lake.Seconds(), atLeast(0.75))
	b.report.goal("B2", "the same with proof and rollups r1–r3", rw.Seconds()/all.Seconds(), atLeast(0.60))
	over := float64(max(one, many)-b.memory) / (1 << 30)
	b.report.line("Peak memory of the parser child at a limit of %d MiB: %d MiB for one file, %d MiB for the same rows in eight (rewrite: %d MiB)", b.memory>>20, one>>20, many>>20, yard>>20)
	b.report.goal("B5", "peak memory of the parser child beyond its limit, GiB", over, atMost(0.8))
	return errFirst(os.RemoveAll(out), removeAll(eight))
}

// split writes a delivered file as eight.
func (b *run) split(ctx context.Context, from string) ([]string, error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	var out []string
	for i := range 8 {
		path := filepath.Join(b.folder, fmt.Sprintf("part-%d.parquet", i))
		_, err := db.ExecContext(ctx, fmt.Sprintf("COPY (SELECT * EXCLUDE (file_row_number) FROM read_parquet('%s', file_row_number=true) WHERE file_row_number %% 8 = %d) TO '%s' (FORMAT parquet, COMPRESSION snappy)", from, i, path))
		if err != nil {
			return nil, fmt.Errorf("splitting: %w", err)
		}
		out = append(out, path)
	}
	return out, nil
}

func median(list []time.Duration) time.Duration {
	list = slices.Clone(list)
	slices.Sort(list)
	return list[len(list)/2]
}

func removeAll(paths []string) error {
	var first error
	for _, p := range paths {
		first = errFirst(first, os.Remove(p))
	}
	return first
}

func errFirst(errs ...error) error { return cmp.Or(errs...) }

// load brings the whole year into the lake, month by month.
func (b *run) load(ctx context.Context) error {
	start := time.Now()
	var cpu time.Duration
	var peak, lake, rolled int64
	for _, p := range b.periods {
		parsed, took, err := b.parse(ctx, p, filepath.Join(b.folder, "lake", string(p)), b.delivered(p))
		if err != nil {
			return err
		}
		cpu += took.cpu
		peak = max(peak, took.peak)
		for _, m := range parsed {
			b.heads = append(b.heads, outlay.Head{
				OrgID: "org_bench", SourceID: "src_bench", Origin: outlay.OriginCreated, Period: m.Period, Generation: "gen_" + string(m.Period),
				Files: m.Files, Rollups: m.Rollups, Proof: m.Proof, SubAccounts: m.SubAccounts, DataThrough: m.DataThrough,
			})
			for _, f := range m.Files {
				lake += f.Bytes
			}
			for _, r := range m.Rollups {
				rolled += size(r)
			}
		}
	}
	wall := time.Since(start)
	b.report.line("The year, with proof and rollups: %.0f s, %.0f CPU s; %s rows a second, %s a CPU second; peak memory of a child %d MiB",
		wall.Seconds(), cpu.Seconds(), thousands(int64(float64(b.rows)/wall.Seconds())), thousands(int64(float64(b.rows)/cpu.Seconds())), peak>>20)
	b.report.line("Lake: %d MB, %.1f bytes a row; rollups %d MB", lake>>20, ratio(lake, b.rows), rolled>>20)
	b.report.goal("B6a", "lake bytes against delivered bytes", ratio(lake, b.raw), atMost(0.40))
	return nil
}

// sizes writes one month of the lake again in the order in which it was delivered: by day, else at random (B6).
func (b *run) sizes(ctx context.Context) error {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	head := b.heads[9]
	path := filepath.Join(b.folder, "unsorted.parquet")
	_, err = db.ExecContext(ctx, fmt.Sprintf("COPY (SELECT * FROM read_parquet('%s') c ORDER BY ChargePeriodStart, hash(c)) TO '%s' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 122880)", head.Files[0].Path, path))
	if err != nil {
		return fmt.Errorf("writing unsorted: %w", err)
	}
	b.report.goal("B6b", "lake bytes against the same rows unsorted", ratio(head.Files[0].Bytes, size(path)), atMost(0.75))
	return os.Remove(path)
}

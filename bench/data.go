package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"outlay"
	"outlay/simcloud/bill"
)

// run is one bench and what it has found so far.
type run struct {
	settings
	folder  string
	report  *report
	periods []outlay.Period
	totals  map[outlay.Period]bill.Totals
	raw     int64 // bytes delivered
	heads   []outlay.Head
	rows    int64
}

// year lists the twelve months of the bill.
func year() []outlay.Period {
	var out []outlay.Period
	for m := range 12 {
		out = append(out, outlay.PeriodOf(time.Date(2025, time.Month(m+1), 1, 0, 0, 0, 0, time.UTC)))
	}
	return out
}

// delivered is the file of a month as the provider would deliver it.
func (b *run) delivered(p outlay.Period) string {
	return filepath.Join(b.folder, string(p)+".snappy.parquet")
}

// generate writes the year's bills: one snappy Parquet a month.
func (b *run) generate(ctx context.Context) error {
	db, err := bill.Open()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	b.periods, b.totals = year(), map[outlay.Period]bill.Totals{}
	start := time.Now()
	for _, s := range bill.Large(b.periods, b.settings.rows) {
		if b.totals[s.Period], err = bill.Write(ctx, db, s, b.delivered(s.Period)); err != nil {
			return err
		}
		b.rows += b.totals[s.Period].Rows
		b.raw += size(b.delivered(s.Period))
	}
	b.report.line("%s line items in 12 months, %d MB as delivered (%.0f bytes a row), generated in %.0f s", thousands(b.rows), b.raw>>20, ratio(b.raw, b.rows), time.Since(start).Seconds())
	return nil
}

// size is a file's bytes; 0 when it is not there.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func ratio(a, b int64) float64 { return float64(a) / float64(max(b, 1)) }

// thousands writes 10000000 as 10,000,000.
func thousands(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

package google

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"outlay"
	"outlay/simcloud"
	"outlay/simcloud/bill"
)

// batch is one addition to one table: days of a month, or a restatement of it.
type batch struct {
	period outlay.Period
	part   bill.GooglePart
}

// Deliver brings every switched-on export up to now, as Google does several times a day: the fill of past months oldest
// day first in several deliveries, then the days up to DataLag before now. Rows are only ever added: now and then late
// rows, corrections and an adjustment come to the last closed month. The first delivery makes the table. An export
// whose dataset is gone, or whose access list no longer names Google's writer, gets nothing.
func (c *Cloud) Deliver(ctx context.Context, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	raised := map[string]bool{}
	for _, e := range c.state.Exports {
		d := c.state.Datasets[e.Project+"."+e.Dataset]
		if !e.Enabled || d == nil || !d.lets() {
			continue
		}
		if err := c.deliverExport(ctx, e, d, now.UTC(), raised); err != nil {
			return fmt.Errorf("delivering %s of %s: %w", e.Kind, e.Account, err)
		}
	}
	return simcloud.Save(c.opt.Dir, c.state)
}

func (c *Cloud) deliverExport(ctx context.Context, e *export, d *dataset, now time.Time, raised map[string]bool) error {
	t, err := c.exportTable(ctx, e, d, now)
	if err != nil {
		return err
	}
	day := stampText(now.Truncate(24 * time.Hour))
	if t.Buffered > 0 {
		if err := c.exec(ctx, "UPDATE "+physical(d, t)+" SET "+partitionTime+" = "+day+" WHERE "+partitionTime+" IS NULL"); err != nil {
			return err
		}
		t.Buffered = 0
	}
	partition := day
	if c.opt.Streamed {
		partition = "NULL::TIMESTAMP"
	}
	batches := c.due(e, now, raised)
	e.Count++
	for i := 0; i < len(batches); {
		period := batches[i].period
		statements := bill.GoogleSetUp(c.spec(e.Account, period))
		for ; i < len(batches) && batches[i].period == period; i++ {
			statements = append(statements, fmt.Sprintf("INSERT INTO %s SELECT %s AS %s, * FROM (%s)", physical(d, t), partition, partitionTime, bill.GoogleRows(e.Kind, batches[i].part)))
		}
		if err := c.exec(ctx, statements...); err != nil {
			return err
		}
	}
	if len(batches) == 0 {
		return nil
	}
	if e.Kind == Focus {
		if err := c.expire(ctx, d, t, now); err != nil {
			return err
		}
	}
	return c.count(ctx, d, t)
}

func stampText(t time.Time) string {
	return "TIMESTAMP " + sqlText(t.Format("2006-01-02 15:04:05.999999"))
}

// exportTable finds the export's table, or makes it empty.
func (c *Cloud) exportTable(ctx context.Context, e *export, d *dataset, now time.Time) (*table, error) {
	if t := d.Tables[e.Table]; t != nil && t.stored() {
		return t, nil
	}
	t := &table{ID: e.Table, Kind: e.Kind, Created: now, Modified: now, Version: 1}
	rows := bill.GoogleRows(e.Kind, bill.GooglePart{})
	make := fmt.Sprintf("CREATE OR REPLACE TABLE %s AS SELECT TIMESTAMP '2000-01-01' AS %s, * FROM (%s) LIMIT 0", physical(d, t), partitionTime, rows)
	statements := append(bill.GoogleSetUp(c.spec(e.Account, outlay.PeriodOf(now))), "CREATE SCHEMA IF NOT EXISTS "+quoted(d.key()), make)
	if err := c.exec(ctx, statements...); err != nil {
		return nil, err
	}
	var err error
	if t.Columns, err = c.describe(ctx, "SELECT * FROM "+physical(d, t)); err != nil {
		return nil, err
	}
	d.Tables[e.Table] = t
	d.Modified = now
	return t, nil
}

// spec says what a month of a billing account holds.
func (c *Cloud) spec(account string, p outlay.Period) bill.GoogleSpec {
	s := bill.GoogleSpec{BillingAccount: account, Period: p, Rows: c.opt.RowsPerMonth, Seed: c.opt.Seed}
	for _, id := range slices.Sorted(maps.Keys(c.state.Projects)) {
		if q := c.state.Projects[id]; q.BillingAccount == account {
			s.Projects = append(s.Projects, bill.GoogleProject{ID: q.ID, Number: q.Number, Name: q.Name, Labels: q.Labels})
		}
	}
	return s
}

// due lists what an export gets now, and notes it as delivered.
func (c *Cloud) due(e *export, now time.Time, raised map[string]bool) []batch {
	through := pacificDay(now.Add(-c.opt.DataLag))
	until := through
	if e.Through.Before(e.Fill) {
		step := e.Fill.Sub(e.Since)/time.Duration(c.opt.FillTicks) + 24*time.Hour - 1
		until = e.Through.Add(step.Truncate(24 * time.Hour))
		if until.After(e.Fill) {
			until = e.Fill
		}
	}
	c.restate(e, now, raised)
	var out []batch
	for _, p := range months(e.Since, laterOf(until, e.Through)) {
		if from, to := laterOf(e.Through, p.Start()), earlierOf(until, p.End()); from.Before(to) {
			out = append(out, batch{p, bill.GooglePart{From: from, To: to, ExportTime: now}})
		}
	}
	if until.After(e.Through) {
		e.Through = until
	}
	return append(out, c.restatements(e, now)...)
}

// restate counts a restatement of the last closed month, once a delivery for all exports of a billing account.
func (c *Cloud) restate(e *export, now time.Time, raised map[string]bool) {
	if c.opt.RestateEvery <= 0 || e.Count == 0 || e.Count%c.opt.RestateEvery != 0 || raised[e.Account] {
		return
	}
	raised[e.Account] = true
	current := outlay.PeriodOf(pacificDay(now))
	c.state.Accounts[e.Account].Revisions[string(outlay.PeriodOf(current.Start().AddDate(0, -1, 0)))]++
}

// restatements are the additions to closed months that an export has not had yet. A month that was filled in part has none.
func (c *Cloud) restatements(e *export, now time.Time) []batch {
	var out []batch
	revisions := c.state.Accounts[e.Account].Revisions
	for _, month := range slices.Sorted(maps.Keys(revisions)) {
		p := outlay.Period(month)
		if p.End().After(e.Through) || !p.End().After(e.Since) {
			continue
		}
		for r := e.Done[month] + 1; r <= revisions[month]; r++ {
			out = append(out, batch{p, bill.GooglePart{From: laterOf(e.Since, p.Start()), To: p.End(), Revision: r, ExportTime: now}})
			e.Done[month] = r
		}
	}
	slices.SortStableFunc(out, func(a, b batch) int { return strings.Compare(string(a.period), string(b.period)) })
	return out
}

func earlierOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// months lists the months that [from, to) touches.
func months(from, to time.Time) []outlay.Period {
	var out []outlay.Period
	for p := outlay.PeriodOf(from); p.Start().Before(to); p = outlay.PeriodOf(p.End()) {
		out = append(out, p)
	}
	return out
}

// expire deletes what the FOCUS export keeps no longer: rows older than two years.
func (c *Cloud) expire(ctx context.Context, d *dataset, t *table, now time.Time) error {
	return c.exec(ctx, "DELETE FROM "+physical(d, t)+" WHERE BillingPeriodStart < "+stampText(now.AddDate(-2, 0, 0)))
}

// Restate makes a further restatement of a month due: late rows, corrections, an adjustment, with the next delivery.
func (c *Cloud) Restate(billingAccount, period string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Accounts[billingAccount].Revisions[period]++
	c.persist()
}

// Totals are the sums of what an export delivered of an invoice month: from the generator, not from the table.
func (c *Cloud) Totals(ctx context.Context, billingAccount, kind, period string) (bill.GoogleTotals, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.exportOf(billingAccount, kind)
	if e == nil {
		return bill.GoogleTotals{}, outlay.Errorf(outlay.CodeNotFound, "Switch it on first.", "there is no export %s of %s", kind, billingAccount)
	}
	p := outlay.Period(period)
	parts := []bill.GooglePart{{From: laterOf(e.Since, p.Start()), To: earlierOf(e.Through, p.End())}}
	for r := 1; r <= e.Done[period]; r++ {
		parts = append(parts, bill.GooglePart{From: laterOf(e.Since, p.Start()), To: p.End(), Revision: r})
	}
	if err := c.exec(ctx, bill.GoogleSetUp(c.spec(billingAccount, p))...); err != nil {
		return bill.GoogleTotals{}, err
	}
	return bill.GoogleSums(ctx, c.db, parts...)
}

// Filled tells how far an export's days are delivered, as "2026-11-14"; "" for none.
func (c *Cloud) Filled(billingAccount, kind string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.exportOf(billingAccount, kind)
	if e == nil || !e.Through.After(e.Since) {
		return ""
	}
	return e.Through.AddDate(0, 0, -1).Format("2006-01-02")
}

// TableName is the name of an export's table.
func TableName(kind, billingAccount string) string { return tableName(kind, billingAccount) }

// LinkedDataset is the name of the dataset that Google makes for the FOCUS export.
func LinkedDataset(billingAccount, location string) string {
	return "gcp_billing_immutable_" + strings.ReplaceAll(billingAccount, "-", "_") + "_" + strings.ToLower(strings.ReplaceAll(location, "-", "_"))
}

package aws

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"outlay"
	"outlay/simcloud/bill"
)

// job is one period of one export to be delivered.
type job struct {
	arn      string
	spec     bill.Spec
	chunks   int // data files
	spelling string
	format   string
	name     string // of the export, and of its files
	isNew    bool   // CREATE_NEW_REPORT: data go into a folder of their own
	table    string
	layout   bill.Layout // of a cost and usage report; "" for FOCUS
	report   bool        // a legacy report
}

// Deliver brings every healthy export up to now, as AWS does up to three times a day: the current month restated as a
// whole, an unfinished month finished, a closed month now and then, months before only with the first delivery. Data
// reach to DataLag before now. Within a period the manifest is written last.
func (c *Cloud) Deliver(ctx context.Context, now time.Time) error {
	c.deliver.Lock()
	defer c.deliver.Unlock()
	jobs := c.jobs(now)
	if len(jobs) == 0 {
		return nil
	}
	db, err := bill.Open()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for _, j := range jobs {
		files, err := c.generate(ctx, db, j)
		if err != nil {
			return fmt.Errorf("delivering %s of %s: %w", j.spec.Period, j.name, err)
		}
		put := c.put
		if j.report {
			put = c.putReportFiles
		}
		if err := put(j, files, now); err != nil {
			return fmt.Errorf("delivering %s of %s: %w", j.spec.Period, j.name, err)
		}
	}
	return nil
}

// jobs plans a delivery: which periods of which exports, in which revision.
func (c *Cloud) jobs(now time.Time) []job {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deliverLate(now)
	raised := map[string]bool{}
	var out []job
	for _, e := range c.state.Exports {
		if e.Foreign {
			continue
		}
		if e.Reason != "" || c.destination(e, false) != "" {
			reason := orText(e.Reason, "INSUFFICIENT_PERMISSION")
			e.Executions = append(e.Executions, execution{c.state.UUID(), "DELIVERY_FAILURE", reason, now.UTC()})
			continue
		}
		for _, p := range c.periods(e, now) {
			out = append(out, c.job(e, p, now, raised))
		}
		e.Deliveries++
	}
	out = append(out, c.reportJobs(now, raised)...)
	c.persist()
	return out
}

// periods lists what an export is due, oldest first.
func (c *Cloud) periods(e *export, now time.Time) []outlay.Period {
	current := outlay.PeriodOf(c.through(now).Add(-time.Nanosecond)) // a month without a day is not delivered yet
	due := []outlay.Period{current}
	if e.Deliveries == 0 {
		for i := 1; i <= c.opt.HistoryMonths; i++ {
			due = append(due, outlay.PeriodOf(current.Start().AddDate(0, -i, 0)))
		}
	}
	last := outlay.PeriodOf(current.Start().AddDate(0, -1, 0))
	if c.opt.RestateEvery > 0 && e.Deliveries > 0 && e.Deliveries%c.opt.RestateEvery == 0 && e.Through[string(last)] != (time.Time{}) {
		due = append(due, last)
	}
	book := c.state.Tags[c.state.Accounts[e.Account].Payer]
	for p, reached := range e.Through {
		ended := reached.Before(outlay.Period(p).End())
		if ended || c.retagged(book, outlay.Period(p), e.Manifests[p], now) {
			due = append(due, outlay.Period(p))
		}
	}
	slices.Sort(due)
	return slices.Compact(due)
}

// retagged tells whether the tags of a period changed since it was last delivered: by a backfill that is through, or,
// with TagsReachBack, by an activation.
func (c *Cloud) retagged(book *tagBook, p outlay.Period, last, now time.Time) bool {
	for _, b := range book.Backfills {
		if !b.Done.Before(last) && !now.Before(b.Done) && !p.Start().Before(b.From) {
			return true
		}
	}
	for _, t := range book.Keys {
		if c.opt.TagsReachBack && !t.From.IsZero() && !t.From.Before(last) && !now.Before(t.From) {
			return true
		}
	}
	return false
}

// through is the exclusive end of the data of a delivery: whole days.
func (c *Cloud) through(now time.Time) time.Time {
	return now.UTC().Add(-c.opt.DataLag).Truncate(24 * time.Hour)
}

// job says what goes into one period. A payer's bill has one revision for all exports that show it.
func (c *Cloud) job(e *export, p outlay.Period, now time.Time, raised map[string]bool) job {
	payer := c.state.Accounts[c.state.Accounts[e.Account].Payer]
	book := c.state.Tags[payer.ID]
	if book.Revisions == nil {
		book.Revisions = map[string]int{}
	}
	if _, known := e.Through[string(p)]; known && !raised[payer.ID+string(p)] {
		book.Revisions[string(p)]++
		raised[payer.ID+string(p)] = true
	}
	keys, since := c.activeTags(payer.ID, now)
	spec := bill.Spec{
		Payer: bill.Account{ID: payer.ID, Name: payer.Name}, Period: p, Through: c.through(now), Rows: c.opt.RowsPerMonth,
		Columns: columnsOf(e.Definition.DataQuery.QueryStatement), Seed: c.opt.Seed + seedOf(payer.ID), Revision: book.Revisions[string(p)],
		TagPrefix: c.opt.TagPrefix, Tagged: keys, ActiveSince: since,
	}
	for _, a := range c.membersOf(payer.ID) {
		spec.Accounts = append(spec.Accounts, bill.Account{ID: a.ID, Name: a.Name})
	}
	if e.Account != payer.ID {
		spec.Only = []string{e.Account}
	}
	out := e.Definition.DestinationConfigurations.S3Destination.S3OutputConfigurations
	table := tableOf(e.Definition.DataQuery.QueryStatement)
	layout := bill.Layout("")
	if table == tableReport {
		layout, spec.Split = bill.CUR2, e.Definition.DataQuery.TableConfigurations[table]["INCLUDE_SPLIT_COST_ALLOCATION_DATA"] == "TRUE"
	}
	return job{
		table: table, layout: layout,
		arn: e.ARN, spec: spec, name: e.Definition.Name, spelling: c.spelling(e), chunks: 2 + e.Revisions[string(p)]%2,
		format: out.Format, isNew: out.Overwrite == "CREATE_NEW_REPORT",
	}
}

func seedOf(payer string) int64 {
	n, _ := strconv.ParseInt(payer[len(payer)-6:], 10, 64) // digits only; anything else is seed 0
	return n
}

// spelling is how the partition key is written at present (clouds.md §2.8).
func (c *Cloud) spelling(e *export) string {
	if c.opt.SpellingEvery > 0 && e.Deliveries/c.opt.SpellingEvery%2 == 1 {
		return "billing_period="
	}
	return "BILLING_PERIOD="
}

// generate writes the bill and cuts it into data files.
func (c *Cloud) generate(ctx context.Context, db *sql.DB, j job) ([][]byte, error) {
	dir, err := os.MkdirTemp(c.opt.Dir, "bill-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	whole := dir + "/whole.parquet"
	totals, err := j.write(ctx, db, whole)
	if err != nil {
		return nil, err
	}
	each := totals.Rows/int64(j.chunks) + 1
	var files [][]byte
	for i := range j.chunks {
		path := fmt.Sprintf("%s/%d", dir, i)
		if _, err := db.ExecContext(ctx, j.cut(whole, path, int64(i)*each, each)); err != nil {
			return nil, fmt.Errorf("cutting a bill into files: %w", err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, b)
	}
	return files, nil
}

func (j job) write(ctx context.Context, db *sql.DB, path string) (bill.Totals, error) {
	if j.layout == "" {
		return bill.Write(ctx, db, j.spec, path)
	}
	return bill.WriteReport(ctx, db, j.spec, j.layout, path)
}

// cut is the SQL that copies rows [from, from+n) of a bill into one data file. In CSV, maps are JSON text.
func (j job) cut(whole, path string, from, n int64) string {
	columns := "* EXCLUDE (file_row_number)"
	options := "FORMAT parquet, COMPRESSION snappy"
	if j.format == "TEXT_OR_CSV" {
		options = "FORMAT csv, HEADER, COMPRESSION gzip"
		var maps []string
		for _, col := range j.spec.Columns {
			if strings.HasPrefix(columnType(j.table, col), "map") {
				maps = append(maps, fmt.Sprintf("to_json(%[1]s)::VARCHAR AS %[1]s", col))
			}
		}
		if len(maps) > 0 {
			columns += " REPLACE (" + strings.Join(maps, ", ") + ")"
		}
	}
	return fmt.Sprintf("COPY (SELECT %s FROM read_parquet(%s, file_row_number = true) WHERE file_row_number >= %d AND file_row_number < %d ORDER BY file_row_number) TO %s (%s)",
		columns, sqlText(whole), from, from+n, sqlText(path), options)
}

func sqlText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

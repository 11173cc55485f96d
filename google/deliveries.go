package google

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"outlay"

	"google.golang.org/api/bigquery/v2"
)

// What Fetch needs again of a delivery.
const (
	refTable  = "table" // project.dataset.table
	refNewest = "newest"
	refTotal  = "total"
)

// keptMonths is how far back a month of the FOCUS export is taken: Google deletes rows after two years, and a month that
// has begun to vanish must not replace the whole one (clouds.md §4.6).
const keptMonths = 23

// knownTable is what the last token query of a table found, and the state of the table that it holds for.
type knownTable struct {
	modified uint64
	rows     uint64
	months   []outlay.Delivery
}

// Deliveries lists each invoice month, oldest first. Looking at the table is free; the token query, which is billed, runs
// only when the table moved since the last time (clouds.md §4.5).
func (p *Provider) Deliveries(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source) iter.Seq2[outlay.Delivery, error] {
	return func(yield func(outlay.Delivery, error) bool) {
		months, err := p.months(ctx, a, s)
		if err != nil {
			yield(outlay.Delivery{}, err)
			return
		}
		for _, d := range months {
			if !yield(d, nil) {
				return
			}
		}
	}
}

func (p *Provider) months(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source) ([]outlay.Delivery, error) {
	ses, err := p.session(ctx, a)
	if err != nil {
		return nil, err
	}
	t, got, err := p.locate(ctx, ses, a, s)
	if err != nil || got == nil {
		return nil, err
	}
	key := tableKey(a, t)
	p.mu.Lock()
	known, ok := p.known[key]
	p.mu.Unlock()
	if ok && known.modified == got.LastModifiedTime && known.rows == got.NumRows && got.StreamingBuffer == nil {
		return known.months, nil
	}
	q, err := p.querier(ses, a, s, t)
	if err != nil {
		return nil, err
	}
	ans, err := q.run(ctx, tokenStatement(t), "looking which months changed")
	if err != nil {
		return nil, err
	}
	rows, err := ans.all(ctx)
	if err != nil {
		return nil, err
	}
	found := knownTable{modified: got.LastModifiedTime, rows: got.NumRows}
	for _, r := range rows {
		d, use, err := t.delivery(r, p.opts.Clock.Now())
		if err != nil {
			return nil, err
		}
		if use {
			found.months = append(found.months, after(d, known.months, got))
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= maxKept {
		clear(p.known)
	}
	p.known[key] = found
	return found.months, nil
}

func tableKey(a *outlay.CloudAccount, t tableRef) string {
	return a.OrgID + "\x00" + a.ID + "\x00" + t.full()
}

// after gives a month that changed without a newer export time, rows that vanished for one, the time of the table's last
// change: the order of versions must show that it came later. A month that did not change keeps the version that it had.
func after(d outlay.Delivery, before []outlay.Delivery, got *bigquery.Table) outlay.Delivery {
	for _, b := range before {
		switch {
		case b.Period != d.Period:
			continue
		case b.Token == d.Token:
			d.Version = b.Version
			continue
		case b.Version.Before(d.Version):
			continue
		}
		if d.Version = time.UnixMilli(int64(got.LastModifiedTime)).UTC(); !d.Version.After(b.Version) {
			d.Version = b.Version.Add(time.Microsecond)
		}
	}
	return d
}

// delivery is one row of the token query: month, newest export, rows, sum.
func (t tableRef) delivery(row []string, now time.Time) (d outlay.Delivery, use bool, err error) {
	if len(row) != 4 {
		return d, false, outlay.Errorf(outlay.CodeInternal, "", "the token query of %s gave %d columns", t.Table, len(row))
	}
	month, err := time.Parse("200601", row[0])
	if err != nil {
		return d, false, outlay.Errorf(outlay.CodeInvalid, "Look in the Google Cloud console whether this is still the table of a billing export.", "the table %s has rows of the invoice month %q", t.Table, clip(row[0], 20)).InField("invoice.month")
	}
	newest, err := time.Parse(time.RFC3339Nano, row[1])
	if err != nil {
		return d, false, outlay.Errorf(outlay.CodeInvalid, "", "the table %s has rows without an export time", t.Table).InField("export_time")
	}
	count := int64(0)
	if _, err := fmt.Sscan(row[2], &count); err != nil || count < 1 {
		return d, false, outlay.Errorf(outlay.CodeInternal, "", "the token query of %s counted %q rows", t.Table, clip(row[2], 20))
	}
	if t.vanishing(month, now) {
		return d, false, nil
	}
	return outlay.Delivery{
		Period: outlay.PeriodOf(month), Version: newest, Format: string(t.Kind), Rows: count,
		Token: row[1] + "|" + row[2] + "|" + row[3], ID: row[1],
		Ref: map[string]string{refTable: t.full(), refNewest: row[1], refTotal: row[3]},
	}, true, nil
}

// vanishing tells whether rows of a month may have been deleted by their age: Google's own rule for the FOCUS export, or
// an expiration that somebody gave the table's partitions.
func (t tableRef) vanishing(month, now time.Time) bool {
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	return t.Kind == exportFocus && month.Before(first.AddDate(0, -keptMonths, 0)) ||
		t.Expires > 0 && month.Add(-early).Before(now.Add(-t.Expires))
}

// locate finds the table that a source reads. A table that is not there yet is nil without an error; one that was there
// and is gone is CodeNotFound.
func (p *Provider) locate(ctx context.Context, ses session, a *outlay.CloudAccount, s *outlay.Source) (tableRef, *bigquery.Table, error) {
	t, known, err := p.tableOf(ctx, ses, a, s)
	if err != nil || t.Table == "" {
		return t, nil, err
	}
	got, err := ses.getTable(ctx, t.Project, t.Dataset, t.Table)
	switch {
	case isGone(err) && known:
		return t, nil, outlay.Errorf(outlay.CodeNotFound, "Look in the Google Cloud console whether the billing export is still on. What was loaded stays.", "the table %s is gone, or this credential may not see it any more", t.full())
	case isGone(err):
		return t, nil, nil
	case err != nil:
		return t, nil, err
	}
	return t.with(got), got, nil
}

// tableOf says which table a source reads: by its import, by the ledger, else by what Google would call it.
func (p *Provider) tableOf(ctx context.Context, ses session, a *outlay.CloudAccount, s *outlay.Source) (t tableRef, known bool, err error) {
	if isImported(s) {
		t, err = importedTable(s)
		return t, true, err
	}
	id := a.Identity
	n := p.namesOf(s, id)
	for _, row := range s.Resources { // that of an export that was asked for earlier may be there as well
		if r := row.Properties; row.Kind == kindTable && row.Name == n.Table && row.State != outlay.StateDeleted && r[propTable] != "" {
			return tableRef{Project: r[propProject], Dataset: r[propDataset], Table: r[propTable], Kind: exportKind(r[propExport])}, true, nil
		}
	}
	if n.Billing == "" {
		return t, false, outlay.Errorf(outlay.CodeConflict, "Check this account again.", "the billing account of project %s is not known", n.Project)
	}
	if n.Export != exportFocus {
		return tableRef{Project: n.Project, Dataset: n.Dataset, Table: n.Table, Kind: n.Export}, false, nil
	}
	o := &observer{p: p, ses: ses, a: a, s: s, n: n, seen: &outlay.Observation{Identity: id, Unknown: map[string]string{}}}
	places, err := o.linked(ctx)
	if err != nil {
		return t, false, err
	}
	for _, at := range places {
		for _, x := range at.tables {
			if kind, billing := readTableName(x.Name); kind == exportFocus && billing == n.Billing {
				t = tableRef{Project: n.Project, Dataset: at.dataset, Table: x.Name, Kind: kind}
			}
		}
	}
	return t, false, nil
}

// querier is who runs the queries of a source: the project that hosts the export pays, or the account's own for an
// export of somebody else.
func (p *Provider) querier(ses session, a *outlay.CloudAccount, s *outlay.Source, t tableRef) (querier, error) {
	project := t.Project
	fields := map[string]string{}
	if s.Spec != nil {
		fields = s.Spec.Fields
	}
	if isImported(s) {
		project = orElse(a.Identity.AccountID, ses.project)
	}
	limit, err := readCap(fields)
	return querier{ses: ses, project: project, location: t.Location, cap: limit, poll: p.opts.Poll}, err
}

// doubt is what reading a table found wrong with it, over all its months; "" for nothing.
func (p *Provider) doubt(a *outlay.CloudAccount, t tableRef) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	odd, months := int64(0), []string(nil)
	for _, m := range slices.Sorted(maps.Keys(p.doubts[tableKey(a, t)])) {
		odd, months = odd+p.doubts[tableKey(a, t)][m], append(months, string(m))
	}
	if odd == 0 {
		return ""
	}
	return fmt.Sprintf("On %s of %s, BilledCost is not ContractedCost with the credits taken off. Google's FOCUS export is a preview: compare with the invoice, or read the detailed export instead.", plural(int(odd), "row", "rows"), strings.Join(months, ", "))
}

// setDoubt notes how many rows of a month break the identity of the FOCUS export.
func (p *Provider) setDoubt(a *outlay.CloudAccount, t tableRef, month outlay.Period, odd int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := tableKey(a, t)
	if odd == 0 {
		delete(p.doubts[key], month)
		return
	}
	if len(p.doubts) >= maxKept {
		clear(p.doubts)
	}
	if p.doubts[key] == nil {
		p.doubts[key] = map[outlay.Period]int64{}
	}
	p.doubts[key][month] = odd
}

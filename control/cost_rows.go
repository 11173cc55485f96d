package control

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"outlay"
)

// compare fills the figures of the period before: the same number of days, or the same days of the month before.
func (b *costBuild) compare(rows map[string]*CostRow, rank map[string]int) error {
	v := b.view
	if v.Request.Compare != "prev" || v.Request.Range == "all" {
		return nil
	}
	from, to := previous(v.Request.Range, v.From, v.To)
	if v.DataFrom.IsZero() || from.Before(v.DataFrom) {
		return nil // no data that old, or only of a part of it: the page says so instead of comparing unlike spans
	}
	answer, err := b.query(from, to, v.Every, v.Group)
	if err != nil {
		return err
	}
	v.PreviousFrom, v.PreviousTo, v.HasPrevious = from, to, true
	index := map[time.Time]int{}
	i := 0
	for start := bucketStart(from, v.Every); start.Before(to); start = nextBucket(start, v.Every) {
		index[start] = i
		i++
	}
	for _, r := range answer.Rows {
		if r.Currency != v.Currency {
			continue
		}
		row, amount := b.row(rows, r, rank), r.Amounts[v.Measure.Index()]
		row.Previous = row.Previous.Add(amount)
		if i, ok := index[bucketStart(r.Bucket, v.Every)]; ok && i < len(v.Buckets) {
			v.Buckets[i].Previous = v.Buckets[i].Previous.Add(amount)
		}
	}
	return nil
}

func previous(rng string, from, to time.Time) (time.Time, time.Time) {
	if rng == "mtd" || rng == "last-month" {
		start := from.AddDate(0, -1, 0)
		end := start.AddDate(0, 0, int(to.Sub(from).Hours()/24))
		if end.After(from) {
			end = from
		}
		if rng == "last-month" {
			end = from
		}
		return start, end
	}
	if rng == "ytd" {
		return from.AddDate(-1, 0, 0), to.AddDate(-1, 0, 0)
	}
	return from.Add(-to.Sub(from)), from
}

// providers names the provider of each service, account or region, where it has just one.
func (b *costBuild) providers(rows map[string]*CostRow) error {
	v := b.view
	if v.Group == outlay.ByProvider {
		return nil
	}
	if _, tag := v.Group.TagKey(); tag {
		return nil
	}
	answer, err := b.query(v.From, v.To, outlay.EveryNone, v.Group, outlay.ByProvider)
	if err != nil {
		return err
	}
	for _, r := range answer.Rows {
		row, ok := rows[r.Keys[0]]
		if !ok || strings.Contains(row.Provider, r.Names[1]) {
			continue
		}
		if row.Provider != "" {
			row.Provider += ", "
		}
		row.Provider += r.Names[1]
	}
	return nil
}

// finish orders the rows, merges what ranks tenth and lower into Other, and adds the total.
func (b *costBuild) finish(rows map[string]*CostRow) {
	v := b.view
	v.Total = CostRow{Name: "Total", Series: -1, Total: outlay.Amount{Currency: v.Currency}, Previous: outlay.Amount{Currency: v.Currency}}
	for _, bucket := range v.Buckets {
		v.Total.Values = append(v.Total.Values, bucket.Total)
		v.Total.Total = v.Total.Total.Add(bucket.Total)
	}
	var named, small, untagged []CostRow
	for _, row := range rows {
		v.Total.Previous = v.Total.Previous.Add(row.Previous)
		v.Total.Charges += row.Charges
	}
	for _, key := range sortedKeys(rows) {
		row := *rows[key]
		finishRow(&row, v)
		switch {
		case row.Untagged:
			untagged = append(untagged, row)
		case row.Series >= 9:
			small = append(small, row)
		default:
			named = append(named, row)
		}
	}
	byTotal(named)
	byTotal(small)
	v.Rows = slices.Concat(named, untagged)
	for i := range untagged {
		v.Rows[len(named)+i].Series = 9
	}
	if len(small) == 1 {
		v.Rows = append(v.Rows, small[0])
	} else if len(small) > 1 {
		v.Rows = append(v.Rows, other(small, v))
	}
	finishRow(&v.Total, v)
	v.Headline = headline(v, slices.Concat(named, small))
}

func byTotal(rows []CostRow) {
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].Total.Cmp(rows[j].Total) > 0 })
}

func finishRow(row *CostRow, v *CostView) {
	row.Change = row.Total.Sub(row.Previous)
	if !v.HasPrevious {
		row.Change = outlay.Amount{Currency: v.Currency}
	}
	if v.HasPrevious && row.Previous.Sign() > 0 {
		p := row.Change.Float() / row.Previous.Float() * 100
		row.Percent = &p
	}
	if v.Total.Total.Sign() > 0 {
		row.Share = row.Total.Float() / v.Total.Total.Float()
	}
}

func other(small []CostRow, v *CostView) CostRow {
	sum := CostRow{Name: "Other", Other: true, Series: 9, Members: small, Total: outlay.Amount{Currency: v.Currency}, Previous: outlay.Amount{Currency: v.Currency}, Values: make([]outlay.Amount, len(v.Buckets))}
	for i := range sum.Values {
		sum.Values[i] = outlay.Amount{Currency: v.Currency}
	}
	for _, row := range small {
		sum.Total, sum.Previous, sum.Charges = sum.Total.Add(row.Total), sum.Previous.Add(row.Previous), sum.Charges+row.Charges
		for i := range row.Values {
			sum.Values[i] = sum.Values[i].Add(row.Values[i])
		}
	}
	finishRow(&sum, v)
	return sum
}

// headline is the finding: which group moved most against the period before, or which is largest.
func headline(v *CostView, rows []CostRow) string {
	if len(rows) == 0 {
		return ""
	}
	if !v.HasPrevious {
		top := rows[0]
		for _, r := range rows {
			if r.Total.Cmp(top.Total) > 0 {
				top = r
			}
		}
		return fmt.Sprintf("%s is the largest: %s", top.Name, Money(top.Total))
	}
	most := rows[0]
	for _, r := range rows {
		if abs(r.Change).Cmp(abs(most.Change)) > 0 {
			most = r
		}
	}
	return fmt.Sprintf("%s moved most: %s against %s", most.Name, SignedMoney(most.Change), SpanText(v.PreviousFrom, v.PreviousTo))
}

func abs(a outlay.Amount) outlay.Amount {
	if a.Sign() < 0 {
		return a.Neg()
	}
	return a
}

// CostTable is the view as rows for CSV and terminals: one per bucket and group, parts of Other one by one. Its sum is
// the view's total, to the last digit.
func CostTable(v CostView) outlay.Table {
	t := outlay.Table{Columns: []outlay.Column{
		{Name: "from", Title: "From"}, {Name: "to", Title: "To"}, {Name: string(v.Group), Title: DimensionTitle(v.Group)}, {Name: "name", Title: "Name"},
		{Name: string(v.Measure), Title: MeasureTitle(v.Measure), Right: true}, {Name: "currency", Title: "Currency"},
	}}
	add := func(row CostRow) {
		for i, bucket := range v.Buckets {
			if !row.Values[i].IsZero() {
				t.Add(bucket.Start.Format(time.DateOnly), bucket.End.AddDate(0, 0, -1).Format(time.DateOnly), row.Key, row.Name, row.Values[i].String(), v.Currency)
			}
		}
	}
	for _, row := range v.Rows {
		if !row.Other {
			add(row)
		}
		for _, member := range row.Members {
			add(member)
		}
	}
	return t
}

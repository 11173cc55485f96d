package outlaytest

import (
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"outlay"
)

// Charge is one row of Charges.
type Charge struct {
	Day      time.Time
	Values   map[outlay.Dimension]string
	Currency string // "" is USD
	// Cost is every measure's amount unless Billed or List is given too.
	Cost, Billed, List string
}

// Charges is a CostStore over rows in memory: slow, plain and exact. It serves tests of rooms above the engine, and as
// the oracle of the engine itself.
type Charges []Charge

// Query implements outlay.CostStore by looking at every row.
func (c Charges) Query(_ context.Context, _ string, q outlay.Query) (outlay.Answer, error) {
	groups := map[string]*outlay.Row{}
	for _, x := range c {
		if !x.in(q) {
			continue
		}
		r := outlay.Row{Bucket: bucketOf(x.Day, q.Every), Currency: x.currency(), Charges: 0}
		for _, d := range q.GroupBy {
			r.Keys = append(r.Keys, x.Values[d])
			r.Names = append(r.Names, x.Values[d])
		}
		key := r.Bucket.String() + "\x00" + strings.Join(r.Keys, "\x00") + "\x00" + r.Currency
		if groups[key] == nil {
			groups[key] = &r
		}
		g := groups[key]
		g.Charges++
		for i, m := range outlay.Measures() {
			g.Amounts[i] = g.Amounts[i].Add(x.amount(m))
		}
	}
	var a outlay.Answer
	for _, g := range groups {
		a.Rows = append(a.Rows, *g)
	}
	sort.Slice(a.Rows, func(i, j int) bool { return less(a.Rows[i], a.Rows[j]) })
	if q.Limit > 0 && len(a.Rows) > q.Limit {
		m := max(0, q.OrderBy.Index())
		sort.SliceStable(a.Rows, func(i, j int) bool { return a.Rows[i].Amounts[m].Cmp(a.Rows[j].Amounts[m]) > 0 })
		a.Rows = a.Rows[:q.Limit]
	}
	for _, x := range c {
		if a.DataFrom.IsZero() || x.Day.Before(a.DataFrom) {
			a.DataFrom = x.Day
		}
		if end := x.Day.AddDate(0, 0, 1); end.After(a.DataTo) {
			a.DataTo = end
		}
	}
	return a, nil
}

func less(a, b outlay.Row) bool {
	if !a.Bucket.Equal(b.Bucket) {
		return a.Bucket.Before(b.Bucket)
	}
	if k := slices.Compare(a.Keys, b.Keys); k != 0 {
		return k < 0
	}
	return a.Currency < b.Currency
}

// Values implements outlay.CostStore. The figures of several currencies rank by their digits alone.
func (c Charges) Values(ctx context.Context, org string, d outlay.Dimension, from, to time.Time, limit int) ([]outlay.Value, error) {
	a, err := c.Query(ctx, org, outlay.Query{From: from, To: to, GroupBy: []outlay.Dimension{d}})
	cost := func(i int) float64 { return a.Rows[i].Amounts[outlay.Effective.Index()].Float() }
	sort.SliceStable(a.Rows, func(i, j int) bool { return cost(i) > cost(j) })
	var out []outlay.Value
	for _, r := range a.Rows {
		v := outlay.Value{Key: r.Keys[0], Name: r.Names[0]}
		if len(out) < limit && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out, err
}

func (x Charge) currency() string {
	if x.Currency == "" {
		return "USD"
	}
	return x.Currency
}

func (x Charge) amount(m outlay.Measure) outlay.Amount {
	text := x.Cost
	if own := map[outlay.Measure]string{outlay.Billed: x.Billed, outlay.List: x.List}[m]; own != "" {
		text = own
	}
	return outlay.MustAmount(text, x.currency())
}

func (x Charge) in(q outlay.Query) bool {
	if (!q.From.IsZero() && x.Day.Before(q.From)) || (!q.To.IsZero() && !x.Day.Before(q.To)) {
		return false
	}
	for _, f := range q.Filters {
		if slices.Contains(f.Values, x.Values[f.Dimension]) == f.Not {
			return false
		}
	}
	return len(q.AnyOf) == 0 || slices.ContainsFunc(q.AnyOf, func(f outlay.Filter) bool {
		return slices.Contains(f.Values, x.Values[f.Dimension]) != f.Not
	})
}

func bucketOf(t time.Time, e outlay.Every) time.Time {
	day := t.UTC().Truncate(24 * time.Hour)
	switch e {
	case outlay.EveryDay:
		return day
	case outlay.EveryWeek:
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	case outlay.EveryMonth:
		return time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Time{}
}

package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"outlay"
	"outlay/control"
	"outlay/web/chart"
)

// bars is the chart of the view. It draws the same rows and buckets as the table.
func (b *costsBody) bars() chart.Bars {
	prefix, suffix, _ := strings.Cut(control.Money(outlay.Amount{Currency: b.Currency}), "0")
	suffix = strings.TrimLeft(suffix, ".0")
	out := chart.Bars{
		Label:  fmt.Sprintf("%s cost by %s and %s, %s. Total %s. Arrow keys read the bars.", control.MeasureTitle(b.Measure), b.Every, strings.ToLower(b.GroupTitle), b.Title, money(b.Total.Total)),
		Prefix: prefix, Suffix: suffix, Previous: b.HasPrevious,
	}
	for _, x := range b.Buckets {
		r := b.Request
		r.Range, r.From, r.To, r.Every = "custom", x.Start.Format("2006-01-02"), x.End.AddDate(0, 0, -1).Format("2006-01-02"), ""
		bar := chart.Bar{Label: x.Label, Total: x.Total.Float(), TotalCents: cents(x.Total), Previous: x.Previous.Float(), PreviousCents: cents(x.Previous), Arriving: x.Arriving}
		if len(b.Buckets) > 1 {
			bar.Href = link("/costs", r, nil)
		}
		out.Bars = append(out.Bars, bar)
	}
	for _, row := range b.Rows {
		series := chart.Series{Name: row.Name, Color: color(row)}
		for _, v := range row.Values {
			series.Values, series.Cents = append(series.Values, v.Float()), append(series.Cents, cents(v))
		}
		out.Series = append(out.Series, series)
	}
	return out
}

// cents is an amount in hundredths, rounded half-even, for the tooltip.
func cents(a outlay.Amount) int64 {
	n, err := strconv.ParseInt(strings.Replace(a.Fixed(2), ".", "", 1), 10, 64)
	if err != nil {
		return 0 // beyond 9·10^16: the tooltip gives up, the table does not
	}
	return n
}

// ratio divides for an average. It is a display figure: nothing is summed from it.
func ratio(sum float64, n int) string { return strconv.FormatFloat(sum/float64(n), 'f', 6, 64) }

// table fills the lines under the chart in the order asked for. No value and Other stay last.
func (b *costsBody) table() {
	rows := slices.Clone(b.Rows)
	slices.SortStableFunc(rows, func(x, y control.CostRow) int {
		if last := rank(x) - rank(y); last != 0 {
			return last
		}
		switch b.Sort {
		case "name":
			return strings.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name))
		case "previous":
			return y.Previous.Cmp(x.Previous)
		case "change":
			return y.Change.Cmp(x.Change)
		}
		return y.Total.Cmp(x.Total)
	})
	for _, row := range rows {
		b.Table = append(b.Table, b.line(row, false))
		if row.Other && b.Open {
			for _, member := range row.Members {
				b.Table = append(b.Table, b.line(member, true))
			}
		}
	}
	extra := b.extra()
	extra.Set("other", "open")
	if b.Open {
		extra.Del("other")
	}
	b.OpenLink = link("/costs", b.Request, extra)
	b.heads()
}

func rank(r control.CostRow) int {
	switch {
	case r.Other:
		return 2
	case r.Untagged:
		return 1
	}
	return 0
}

func (b *costsBody) line(row control.CostRow, part bool) costLine {
	values := make([]float64, len(row.Values))
	for i, v := range row.Values {
		values[i] = v.Float()
	}
	l := costLine{CostRow: row, Color: color(row), Spark: chart.Spark(values), Bar: chart.Share(row.Share, color(row)), Part: part}
	if !row.Other {
		l.Link = b.drill(row)
	}
	return l
}

// drill is the view of one row: filtered to it, and grouped by what comes next.
func (b *costsBody) drill(row control.CostRow) string {
	r := b.Request
	one := outlay.Filter{Dimension: r.Group, Values: []string{row.Key}}
	r.Filters = slices.DeleteFunc(slices.Clone(r.Filters), func(f outlay.Filter) bool { return f.Dimension == r.Group && !f.Not })
	r.Filters = append(r.Filters, one)
	next := outlay.ByService
	if r.Group == outlay.ByService {
		next = outlay.BySubAccount
	}
	r.Group = next
	return link("/costs", r, nil)
}

// heads are the table's column heads; those that sort are links.
func (b *costsBody) heads() {
	add := func(key, title string, sorts, left bool) {
		h := sortHead{Key: key, Title: title, Left: left}
		if sorts {
			extra := b.extra()
			extra.Set("sort", key)
			if key == "cost" {
				extra.Del("sort")
			}
			h.Link = link("/costs", b.Request, extra)
			if b.Sort == key {
				h.Aria = "descending"
				if key == "name" {
					h.Aria = "ascending"
				}
			}
		}
		b.Heads = append(b.Heads, h)
	}
	add("name", b.GroupTitle, true, true)
	if b.ShowProvider() {
		add("provider", "Provider", false, true)
	}
	add("trend", "Trend", false, true)
	add("share", "Share", false, true)
	add("cost", "Cost", true, false)
	if b.HasPrevious {
		add("previous", "Previous", true, false)
		add("change", "Change", true, false)
		add("percent", "Change %", false, false)
	}
}

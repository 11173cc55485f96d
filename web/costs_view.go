package web

import (
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"outlay"
	"outlay/control"
	"outlay/web/chart"
)

// costsBody is what the costs template gets.
type costsBody struct {
	control.CostView
	Ranges, Everys, Groups, Measured, Compares, Currencies []option
	Providers                                              []chip // one per provider of the period
	Active                                                 []chip // every other filter
	FilterBy                                               []option
	Title, Subtitle, GroupTitle                            string
	Chart                                                  template.HTML
	Table                                                  []costLine
	Sort                                                   string
	Heads                                                  []sortHead
	Open                                                   bool // Other is expanded
	OpenLink                                               string
	Highest                                                *control.CostBucket
	Average                                                *outlay.Amount // per complete bucket
	EveryWord                                              string
	Empty                                                  string // accounts, data, rows or ""
	ClearLast                                              string
	Live                                                   string
	CSV, JSON                                              string
	MayAccounts                                            bool // so may open Data health as well
}

type option struct {
	Value, Title string
	On           bool
}

// chip is one filter value that a click removes.
type chip struct {
	Value, Title string
	On           bool
}

type sortHead struct {
	Key, Title, Link, Aria string
	Left                   bool
}

// costLine is one row of the table. Part rows are the members of Other.
type costLine struct {
	control.CostRow
	Color int
	Spark template.HTML
	Bar   template.HTML
	Link  string
	Part  bool
}

func (b *costsBody) address() string { return link("/costs", b.Request, b.extra()) }

func (b *costsBody) extra() url.Values {
	q := url.Values{}
	if b.Open {
		q.Set("other", "open")
	}
	if b.Sort != "cost" {
		q.Set("sort", b.Sort)
	}
	return q
}

// link is the address of a view, with what only the page knows (sort order, Other expanded).
func link(path string, r control.CostRequest, extra url.Values) string {
	q := r.Query()
	for key, values := range extra {
		q[key] = values
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func (s *site) costsBody(c *call, v control.CostView) (*costsBody, error) {
	b := &costsBody{CostView: v, MayAccounts: c.actor.May(outlay.AccountsRead), GroupTitle: control.DimensionTitle(v.Group), Sort: "cost"}
	b.Open = c.r.URL.Query().Get("other") == "open"
	if sort := c.r.URL.Query().Get("sort"); slices.Contains([]string{"name", "previous", "change"}, sort) {
		b.Sort = sort
	}
	values, err := s.Control.CostValues(c.r.Context(), c.actor, outlay.ByProvider, v.From, v.To)
	if err != nil {
		return nil, err
	}
	b.filters(values)
	b.words()
	b.summary()
	b.Chart = b.bars().HTML()
	b.table()
	b.emptiness()
	b.CSV, b.JSON = link("/costs.csv", v.Request, nil), link("/costs.json", v.Request, nil)
	return b, nil
}

// filters fills the filter bar.
func (b *costsBody) filters(providers []outlay.Value) {
	r := b.Request
	for _, x := range control.Ranges() {
		b.Ranges = append(b.Ranges, option{x.ID, x.Title, x.ID == r.Range})
	}
	b.Everys = []option{{"", "Automatic: " + string(b.Every), r.Every == ""}}
	for _, x := range []outlay.Every{outlay.EveryDay, outlay.EveryWeek, outlay.EveryMonth} {
		b.Everys = append(b.Everys, option{string(x), capital(string(x)), x == r.Every})
	}
	for _, d := range outlay.Dimensions() {
		title := control.DimensionTitle(d)
		if _, tag := d.TagKey(); tag {
			title = "Tag: " + title
		}
		b.Groups = append(b.Groups, option{string(d), title, d == r.Group})
		b.FilterBy = append(b.FilterBy, option{string(d), title, false})
	}
	for _, m := range []outlay.Measure{outlay.Effective, outlay.Billed, outlay.Contracted, outlay.List} {
		b.Measured = append(b.Measured, option{string(m), control.MeasureTitle(m), m == r.Measure})
	}
	b.Compares = []option{{"prev", "Previous period", r.Compare == "prev"}, {"none", "Nothing", r.Compare == "none"}}
	if len(b.Others) > 1 {
		for _, x := range b.Others {
			b.Currencies = append(b.Currencies, option{x, x, x == b.Currency})
		}
	}
	b.chips(providers)
}

func capital(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// chips sorts the filters into provider chips, which also offer what is off, and all others, which only come off.
func (b *costsBody) chips(providers []outlay.Value) {
	for _, p := range providers {
		if p.Key != "" {
			b.Providers = append(b.Providers, chip{string(outlay.ByProvider) + ":" + p.Key, p.Name, false})
		}
	}
	for _, f := range b.Request.Filters {
		for i, text := range control.FilterText(f) {
			at := slices.IndexFunc(b.Providers, func(x chip) bool { return x.Value == text })
			if at >= 0 {
				b.Providers[at].On = true
				continue
			}
			b.Active = append(b.Active, chip{text, filterWords(f, f.Values[i]), true})
		}
	}
	if len(b.Providers) == 1 && !b.Providers[0].On {
		b.Providers = nil // a choice of one is none
	}
}

// filterWords is one filter value for people: 'Region: us-east-1', 'Service: not S3', 'User: none'.
func filterWords(f outlay.Filter, value string) string {
	words := control.DimensionTitle(f.Dimension) + ": "
	switch {
	case value == "" && f.Not:
		return words + "any"
	case value == "":
		return words + "none"
	case f.Not:
		return words + "not " + value
	}
	return words + value
}

// words fills headings and the live region.
func (b *costsBody) words() {
	b.Title = fullSpan(b.From, b.To)
	scope := "All accounts"
	if b.Scope != "" {
		scope = b.Scope
	}
	b.Subtitle = scope + " · " + strings.ToLower(control.MeasureTitle(b.Measure)) + " cost in " + b.Currency + " · UTC days"
	b.Live = b.Title + " by " + strings.ToLower(b.GroupTitle) + ": " + money(b.Total.Total) + " in " + plural(len(b.Rows), "row", "rows")
	b.EveryWord = string(b.Every)
}

// fullSpan is a span of days with its year always named.
func fullSpan(from, to time.Time) string {
	text := control.SpanText(from, to)
	if last := to.AddDate(0, 0, -1); from.Year() == last.Year() {
		text += last.Format(" 2006")
	}
	return text
}

// summary finds the highest bar and the average of those that are complete and not before all data.
func (b *costsBody) summary() {
	sum, n := outlay.Amount{Currency: b.Currency}, 0
	for i := range b.Buckets {
		x := &b.Buckets[i]
		if x.Arriving || x.Future || x.Start.Before(b.DataFrom) {
			continue
		}
		if b.Highest == nil || x.Total.Cmp(b.Highest.Total) > 0 {
			b.Highest = x
		}
		sum, n = sum.Add(x.Total), n+1
	}
	if n > 1 {
		average, err := outlay.ParseAmount(ratio(sum.Float(), n), b.Currency)
		if err == nil {
			b.Average = &average
		}
	}
	if n < 2 {
		b.Highest = nil
	}
}

// LastComplete is the last day whose figures will not grow any more.
func (b *costsBody) LastComplete() string { return day(b.CompleteThrough.AddDate(0, 0, -1)) }

// Finding is the headline in three parts: the words, the figure that is set in bold, and the rest.
func (b *costsBody) Finding() [3]string {
	at := strings.LastIndex(b.Headline, ": ")
	if at < 0 {
		return [3]string{b.Headline}
	}
	figure, rest, more := strings.Cut(b.Headline[at+2:], " against ")
	if more {
		rest = " against " + rest
	}
	return [3]string{b.Headline[:at+2], figure, rest}
}

// AnyArriving tells whether a bar is hatched.
func (b *costsBody) AnyArriving() bool {
	return slices.ContainsFunc(b.Buckets, func(x control.CostBucket) bool { return x.Arriving })
}

// RangeTitle is what the period is called: 'Month to date', or 'Total' for a period with its own dates.
func (b *costsBody) RangeTitle() string {
	for _, o := range b.Ranges {
		if o.On && o.Value != "custom" {
			return o.Title
		}
	}
	return "Total"
}

// PreviousSpan is the period that the figures are compared with.
func (b *costsBody) PreviousSpan() string { return control.SpanText(b.PreviousFrom, b.PreviousTo) }

// NoOlder is the first day of all data, where a comparison was asked for and there is nothing that old.
func (b *costsBody) NoOlder() string {
	if b.HasPrevious || b.Request.Compare != "prev" || b.DataFrom.IsZero() {
		return ""
	}
	return b.DataFrom.Format("2 Jan 2006")
}

// ShowProvider tells whether the rows have providers of their own.
func (b *costsBody) ShowProvider() bool {
	return slices.ContainsFunc(b.Rows, func(r control.CostRow) bool { return r.Provider != "" })
}

// measureLine is one of the four measures in the summary strip.
type measureLine struct {
	Title, Text, Exact string
	On                 bool
}

// MeasureLines are the totals by each of the four measures; they are never added to each other.
func (b *costsBody) MeasureLines() []measureLine {
	var out []measureLine
	for _, m := range []outlay.Measure{outlay.Effective, outlay.Billed, outlay.Contracted, outlay.List} {
		a := b.Measures[m]
		out = append(out, measureLine{control.MeasureTitle(m), money(a), a.String() + " " + b.Currency, m == b.Measure})
	}
	return out
}

// UnownedShare is the share of cost without a User tag.
func (b *costsBody) UnownedShare() float64 { return *b.Unowned }

// UnownedLink is the view of what has no User tag.
func (b *costsBody) UnownedLink() string {
	r := b.Request
	user := outlay.TagDimension("User")
	r.Filters = slices.DeleteFunc(slices.Clone(r.Filters), func(f outlay.Filter) bool { return f.Dimension == user })
	r.Filters = append(r.Filters, outlay.Filter{Dimension: user, Values: []string{""}})
	return link("/costs", r, nil)
}

// emptiness tells the empty states apart; each says another next step.
func (b *costsBody) emptiness() {
	switch {
	case b.NoAccounts:
		b.Empty = "accounts"
	case b.NoData:
		b.Empty = "data"
	case len(b.Rows) == 0:
		b.Empty = "rows"
	}
	if n := len(b.Request.Filters); n > 0 {
		r := b.Request
		r.Filters = slices.Clone(r.Filters[:n-1])
		if last := b.Request.Filters[n-1]; len(last.Values) > 1 {
			last.Values = slices.Clone(last.Values[:len(last.Values)-1])
			r.Filters = append(r.Filters, last)
		}
		b.ClearLast = link("/costs", r, nil)
	}
}

// color is a row's place in the palette: no value has its own grey beside Other's.
func color(r control.CostRow) int {
	if r.Untagged {
		return chart.Untagged
	}
	return r.Series
}

package control

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"outlay"
)

// CostRequest is a view of the cost dashboard as it stands in a URL. The zero value is the default view.
type CostRequest struct {
	Range    string           `json:"range"`          // mtd, 7d, 30d, 90d, 365d, ytd, last-month, all or custom
	From     string           `json:"from,omitempty"` // custom only: first day, 2026-11-01
	To       string           `json:"to,omitempty"`   // custom only: last day, inclusive
	Every    outlay.Every     `json:"every"`
	Group    outlay.Dimension `json:"group"`
	Measure  outlay.Measure   `json:"measure"`
	Filters  []outlay.Filter  `json:"filters,omitempty"`
	Compare  string           `json:"compare"` // prev or none
	Currency string           `json:"currency,omitempty"`
}

// Ranges lists the named periods with their titles, in the picker's order.
func Ranges() []outlay.Region {
	return []outlay.Region{
		{ID: "mtd", Title: "Month to date"}, {ID: "last-month", Title: "Last month"}, {ID: "7d", Title: "Last 7 days"}, {ID: "30d", Title: "Last 30 days"},
		{ID: "90d", Title: "Last 90 days"}, {ID: "365d", Title: "Last 365 days"}, {ID: "ytd", Title: "Year to date"}, {ID: "all", Title: "All data"}, {ID: "custom", Title: "From, to"},
	}
}

// DimensionTitle is what people call a dimension.
func DimensionTitle(d outlay.Dimension) string {
	if key, ok := d.TagKey(); ok {
		return key
	}
	return map[outlay.Dimension]string{
		outlay.ByService: "Service", outlay.ByProvider: "Provider", outlay.BySubAccount: "Sub account", outlay.ByScope: "Billing account", outlay.ByRegion: "Region",
		outlay.ByCategory: "Charge category", outlay.ByPeriod: "Billing month", outlay.BySource: "Source", outlay.ByResource: "Resource",
	}[d]
}

// MeasureTitle is what people call a measure.
func MeasureTitle(m outlay.Measure) string { return strings.TrimSuffix(string(m), "Cost") }

// normal fills the defaults and checks every field; CodeInvalid names the field at fault.
func (r CostRequest) normal() (CostRequest, error) {
	def := func(v, d string) string {
		if v == "" {
			return d
		}
		return v
	}
	if r.Range == "" && (r.From != "" || r.To != "") {
		r.Range = "custom"
	}
	r.Range = def(r.Range, "mtd")
	r.Group = outlay.Dimension(def(string(r.Group), string(outlay.ByService)))
	r.Measure = outlay.Measure(def(string(r.Measure), string(outlay.Effective)))
	r.Compare = def(r.Compare, "prev")
	if !slices.ContainsFunc(Ranges(), func(x outlay.Region) bool { return x.ID == r.Range }) {
		return r, badField("range", r.Range, "Use mtd, last-month, 7d, 30d, 90d, 365d, ytd, all, or from and to.")
	}
	if !slices.Contains(outlay.Dimensions(), r.Group) {
		return r, badField("group", string(r.Group), "Use service, provider, account, region, category, period or tag:KEY.")
	}
	if r.Measure.Index() < 0 {
		return r, badField("measure", string(r.Measure), "Use BilledCost, EffectiveCost, ListCost or ContractedCost.")
	}
	if r.Compare != "prev" && r.Compare != "none" {
		return r, badField("compare", r.Compare, "Use prev or none.")
	}
	if !slices.Contains([]outlay.Every{"", outlay.EveryDay, outlay.EveryWeek, outlay.EveryMonth}, r.Every) {
		return r, badField("every", string(r.Every), "Use day, week or month.")
	}
	for _, f := range r.Filters {
		if !slices.Contains(outlay.Dimensions(), f.Dimension) {
			return r, badFilter(string(f.Dimension))
		}
	}
	return r, nil
}

// badFilter names the URL's field f for forms, and what people call it in its words.
func badFilter(text string) error {
	return outlay.Errorf(outlay.CodeInvalid, "A filter is DIMENSION:VALUE, such as service:Amazon S3 or tag:User:ada.", "the filter %q is not known", text).InField("f")
}

func badField(field, value, fix string) error {
	return outlay.Errorf(outlay.CodeInvalid, fix, "%s %q is not known", field, value).InField(field)
}

// longestSpan is the longest period that can be asked for, in years.
const longestSpan = 50

// span turns the named period into [from, to) in whole UTC days. first bounds 'all'; zero when there is no data.
func (r CostRequest) span(now, first, last time.Time) (from, to time.Time, err error) {
	today := now.UTC().Truncate(24 * time.Hour)
	tomorrow := today.AddDate(0, 0, 1)
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	switch r.Range {
	case "mtd":
		return month, tomorrow, nil
	case "last-month":
		return month.AddDate(0, -1, 0), month, nil
	case "7d":
		return tomorrow.AddDate(0, 0, -7), tomorrow, nil
	case "30d":
		return tomorrow.AddDate(0, 0, -30), tomorrow, nil
	case "90d":
		return tomorrow.AddDate(0, 0, -90), tomorrow, nil
	case "365d":
		return tomorrow.AddDate(0, 0, -365), tomorrow, nil
	case "ytd":
		return time.Date(now.Year(), 1, 1, 0, 0, 0, 0, time.UTC), tomorrow, nil
	case "all":
		if first.IsZero() {
			return month, tomorrow, nil
		}
		return first.Truncate(24 * time.Hour), last.Add(24*time.Hour - 1).Truncate(24 * time.Hour), nil
	}
	if from, err = time.Parse(time.DateOnly, r.From); err != nil {
		return from, to, badField("from", r.From, "Write a day as 2026-11-01.")
	}
	if to, err = time.Parse(time.DateOnly, r.To); err != nil {
		return from, to, badField("to", r.To, "Write a day as 2026-11-30.")
	}
	if to.Before(from) {
		return from, to, badField("to", r.To, "The last day comes before the first.")
	}
	if from.AddDate(longestSpan, 0, 0).Before(to) { // every bar of it would be made, for every group
		return from, to, badField("to", r.To, fmt.Sprintf("Choose at most %d years.", longestSpan))
	}
	return from, to.AddDate(0, 0, 1), nil
}

// ParseCostRequest reads a view from a URL's query. Unknown keys are ignored; empty values are the default.
func ParseCostRequest(q url.Values) (CostRequest, error) {
	r := CostRequest{
		Range: q.Get("range"), From: q.Get("from"), To: q.Get("to"), Every: outlay.Every(q.Get("every")), Group: outlay.Dimension(q.Get("group")),
		Measure: outlay.Measure(q.Get("measure")), Compare: q.Get("compare"), Currency: q.Get("currency"),
	}
	for _, f := range q["f"] {
		if f == "" {
			continue
		}
		one, err := ParseFilter(f)
		if err != nil {
			return r, err
		}
		r.Filters = mergeFilter(r.Filters, one)
	}
	return r.normal()
}

// ParseFilter reads one filter: 'service:Amazon S3', 'tag:User:ada', '-region:us-east-1' (is not), 'tag:User:' (no value).
func ParseFilter(s string) (outlay.Filter, error) {
	f := outlay.Filter{}
	rest, not := strings.CutPrefix(s, "-")
	f.Not = not
	name, value, ok := strings.Cut(rest, ":")
	if name == "tag" {
		var key string
		key, value, ok = strings.Cut(value, ":")
		name = string(outlay.TagDimension(key))
	}
	f.Dimension, f.Values = outlay.Dimension(name), []string{value}
	if !ok || !slices.Contains(outlay.Dimensions(), f.Dimension) {
		return f, badFilter(s)
	}
	return f, nil
}

// FilterText is the filter as ParseFilter reads it, one text per value.
func FilterText(f outlay.Filter) []string {
	var out []string
	for _, v := range f.Values {
		text := string(f.Dimension) + ":" + v
		if f.Not {
			text = "-" + text
		}
		out = append(out, text)
	}
	return out
}

// mergeFilter joins values of one dimension: two services are 'either', as people expect of two ticks in one list.
func mergeFilter(all []outlay.Filter, f outlay.Filter) []outlay.Filter {
	for i := range all {
		if all[i].Dimension == f.Dimension && all[i].Not == f.Not {
			all[i].Values = append(all[i].Values, f.Values...)
			return all
		}
	}
	return append(all, f)
}

// Query is the view as a URL's query: only what differs from the default, so that links stay short and a relative
// period moves with time.
func (r CostRequest) Query() url.Values {
	q := url.Values{}
	set := func(key, value, def string) {
		if value != "" && value != def {
			q.Set(key, value)
		}
	}
	set("range", r.Range, "mtd")
	if r.Range == "custom" {
		q.Del("range")
		set("from", r.From, "")
		set("to", r.To, "")
	}
	set("every", string(r.Every), "")
	set("group", string(r.Group), string(outlay.ByService))
	set("measure", string(r.Measure), string(outlay.Effective))
	set("compare", r.Compare, "prev")
	set("currency", r.Currency, "")
	for _, f := range r.Filters {
		for _, text := range FilterText(f) {
			q.Add("f", text)
		}
	}
	return q
}

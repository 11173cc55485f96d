package web

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"outlay"
)

// charges is a CostStore over a slice, so that these tests link no engine. It groups, filters and sums as the contract
// says.
type charges []charge

type charge struct {
	day      time.Time
	dims     map[outlay.Dimension]string
	currency string
	amounts  [4]outlay.Amount
}

func (c charges) Query(_ context.Context, _ string, q outlay.Query) (outlay.Answer, error) {
	type key struct {
		bucket         time.Time
		keys, currency string
	}
	rows := map[key]*outlay.Row{}
	var a outlay.Answer
	for _, x := range c {
		if a.DataFrom.IsZero() || x.day.Before(a.DataFrom) {
			a.DataFrom = x.day
		}
		if !x.within(q) {
			continue
		}
		k := key{bucket: bucketOf(x.day, q.Every), currency: x.currency}
		var keys []string
		for _, d := range q.GroupBy {
			keys = append(keys, x.dims[d])
		}
		k.keys = strings.Join(keys, "\x00")
		r, ok := rows[k]
		if !ok {
			r = &outlay.Row{Bucket: k.bucket, Keys: keys, Names: slices.Clone(keys), Currency: x.currency}
			rows[k] = r
		}
		r.Charges++
		for i := range r.Amounts {
			r.Amounts[i] = r.Amounts[i].Add(x.amounts[i])
		}
	}
	for _, r := range rows {
		a.Rows = append(a.Rows, *r)
	}
	slices.SortFunc(a.Rows, func(x, y outlay.Row) int {
		if c := x.Bucket.Compare(y.Bucket); c != 0 {
			return c
		}
		return strings.Compare(strings.Join(x.Keys, "\x00")+x.Currency, strings.Join(y.Keys, "\x00")+y.Currency)
	})
	return a, nil
}

func (x charge) within(q outlay.Query) bool {
	if !q.From.IsZero() && x.day.Before(q.From) || !q.To.IsZero() && !x.day.Before(q.To) {
		return false
	}
	for _, f := range q.Filters {
		if slices.Contains(f.Values, x.dims[f.Dimension]) == f.Not {
			return false
		}
	}
	return len(q.AnyOf) == 0 || slices.ContainsFunc(q.AnyOf, func(f outlay.Filter) bool { return slices.Contains(f.Values, x.dims[f.Dimension]) != f.Not })
}

func bucketOf(t time.Time, every outlay.Every) time.Time {
	switch every {
	case outlay.EveryDay:
		return t
	case outlay.EveryWeek:
		return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
	case outlay.EveryMonth:
		return outlay.PeriodOf(t).Start()
	}
	return time.Time{}
}

func (c charges) Values(_ context.Context, _ string, d outlay.Dimension, from, to time.Time, limit int) ([]outlay.Value, error) {
	var out []outlay.Value
	for _, x := range c {
		v := outlay.Value{Key: x.dims[d], Name: x.dims[d]}
		if !x.day.Before(from) && x.day.Before(to) && !slices.Contains(out, v) && len(out) < limit {
			out = append(out, v)
		}
	}
	return out, nil
}

// someCharges is three months of a research computing bill, the same at every run: a dozen services, a weekday pattern,
// credits below zero, charges without tags, one of them smaller than a cent.
func someCharges(now time.Time) charges {
	services := []struct {
		name string
		cost int64 // thousandths a weekday
	}{
		{"Nimbus Compute", 812_345}, {"Nimbus Block Store", 301_177}, {"Nimbus Object Store", 151_903}, {"Nimbus Parallel Files", 122_640}, {"Nimbus Transfer", 74_128},
		{"Nimbus SQL", 41_999}, {"Nimbus Watch", 20_451}, {"Nimbus Keys", 4_107}, {"Nimbus Functions", 2_350}, {"Nimbus Queue", 1_204}, {"Nimbus Names", 433}, {"Nimbus Mail", 91},
	}
	users := []string{"m.okafor", "j.lindqvist", "a.haddad", "", "s.petrov"}
	var out charges
	for day := now.Truncate(24*time.Hour).AddDate(0, 0, -75); day.Before(now); day = day.AddDate(0, 0, 1) {
		part := int64(100)
		if now.Sub(day) < 48*time.Hour {
			part = 42 // still arriving
		}
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			part = part * 6 / 10
		}
		for i, s := range services {
			wave := int64(80 + (day.YearDay()*7+i*13)%45)
			milli := s.cost * wave * part / 10_000
			user := users[(day.YearDay()+i)%len(users)]
			out = append(out, oneCharge(day, s.name, user, fmt.Sprintf("%d.%03d%04d", milli/1000, milli%1000, i*37), "Usage"))
		}
		if day.Weekday() == time.Monday {
			out = append(out, oneCharge(day, "Nimbus Compute", "", "-133.7000", "Credit"))
		}
	}
	return append(out, oneCharge(now.Truncate(24*time.Hour).AddDate(0, 0, -3), "Nimbus Lamp", "", "0.00004", "Usage"))
}

func oneCharge(day time.Time, service, user, figure, category string) charge {
	c := charge{day: day, currency: "USD", dims: map[outlay.Dimension]string{
		outlay.ByService: service, outlay.ByProvider: "Nimbus", outlay.BySubAccount: "210987654321", outlay.ByRegion: "north-1", outlay.ByCategory: category,
		outlay.TagDimension("User"): user, outlay.TagDimension("Project"): map[string]string{"": "", "m.okafor": "hydrology"}[user],
	}}
	effective := outlay.MustAmount(figure, "USD")
	for i := range c.amounts {
		c.amounts[i] = effective
	}
	c.amounts[outlay.List.Index()] = effective.Add(effective)
	return c
}

package main

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"outlay"
	"outlay/control"
)

func (c *cli) costs() *cobra.Command {
	var period, from, to, every, group, measure, currency string
	var filters []string
	var summary bool
	cmd := &cobra.Command{
		Use:   "costs",
		Short: "Costs by group; the same view as the page and the API",
		Long: `Costs by group. Without a period it shows all data; without any flag, a summary of it.

  outlay costs --range mtd --group tag:User
  outlay costs --from 2026-10-01 --to 2026-10-31 --group service --filter provider:AWS
  outlay costs --summary`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{"f": filters, "compare": {"none"}}
			for key, value := range map[string]string{"range": period, "from": from, "to": to, "every": every, "group": group, "measure": measureName(measure), "currency": currency} {
				if value != "" {
					q.Set(key, value)
				}
			}
			if period == "" && from == "" && to == "" {
				q.Set("range", "all")
			}
			chosen := false
			cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) { chosen = chosen || f.Changed })
			if summary || !chosen {
				return c.costSummary(cmd, q)
			}
			return c.costGroups(cmd, q)
		},
	}
	f := cmd.Flags()
	f.StringVar(&period, "range", "", "mtd, last-month, 7d, 30d, 90d, 365d, ytd or all")
	f.StringVar(&from, "from", "", "first day, 2026-11-01")
	f.StringVar(&to, "to", "", "last day, inclusive")
	f.StringVar(&every, "every", "", "day, week or month (with -o csv or json)")
	f.StringVar(&group, "group", "", "service, provider, account, region, category, period, source, resource or tag:KEY")
	f.StringVar(&measure, "measure", "", "effective, billed, list or contracted")
	f.StringVar(&currency, "currency", "", "of several, which one")
	f.StringArrayVar(&filters, "filter", nil, "DIMENSION:VALUE; -DIMENSION:VALUE for is not")
	f.BoolVar(&summary, "summary", false, "the default: all four measures: total, by provider, by charge category, by billing month")
	return cmd
}

func measureName(s string) string {
	for _, m := range outlay.Measures() {
		if strings.EqualFold(s, control.MeasureTitle(m)) {
			return string(m)
		}
	}
	return s
}

func (c *cli) costGroups(cmd *cobra.Command, q url.Values) error {
	cl, err := c.client()
	if err != nil {
		return err
	}
	if c.output == "csv" {
		return cl.CostsCSV(cmd.Context(), q, c.out)
	}
	v, err := cl.Costs(cmd.Context(), q)
	if err != nil {
		return err
	}
	t := outlay.Table{Columns: columns(control.DimensionTitle(v.Group), ">Charges", ">"+control.MeasureTitle(v.Measure), ">Share")}
	for _, row := range v.Rows {
		rows := []control.CostRow{row}
		if row.Other {
			rows = row.Members
		}
		for _, r := range rows {
			t.Add(r.Name, strconv.FormatInt(r.Charges, 10), r.Total.String(), fmt.Sprintf("%.1f%%", r.Share*100))
		}
	}
	t.Add("Total "+v.Currency, strconv.FormatInt(v.Charges, 10), v.Total.Total.String(), "")
	c.sayOthers(v)
	return c.show(t, v)
}

// sayOthers tells of currencies that are not in the figures: they are never added together.
func (c *cli) sayOthers(v control.CostView) {
	for _, cur := range v.Others {
		if cur != v.Currency {
			fmt.Fprintf(c.err, "There are also charges in %s: --currency %s\n", cur, cur)
		}
	}
}

func (c *cli) costSummary(cmd *cobra.Command, q url.Values) error {
	cl, err := c.client()
	if err != nil {
		return err
	}
	t := outlay.Table{Columns: columns("by", "value", ">charges", ">BilledCost", ">EffectiveCost", ">ListCost", ">ContractedCost", "currency")}
	views := map[outlay.Dimension]map[outlay.Measure]control.CostView{}
	for _, d := range []outlay.Dimension{outlay.ByProvider, outlay.ByCategory, outlay.ByPeriod} {
		views[d] = map[outlay.Measure]control.CostView{}
		for _, m := range outlay.Measures() {
			q.Set("group", string(d))
			q.Set("measure", string(m))
			v, err := cl.Costs(cmd.Context(), q)
			if err != nil {
				return err
			}
			views[d][m] = v
		}
	}
	first := views[outlay.ByProvider][outlay.Billed]
	t.Add("total", "", strconv.FormatInt(first.Charges, 10), first.Measures[outlay.Billed].String(), first.Measures[outlay.Effective].String(), first.Measures[outlay.List].String(), first.Measures[outlay.Contracted].String(), first.Currency)
	for _, d := range []outlay.Dimension{outlay.ByProvider, outlay.ByCategory, outlay.ByPeriod} {
		for _, row := range flat(views[d][outlay.Billed].Rows) {
			cells := []string{string(d), row.Name, strconv.FormatInt(row.Charges, 10)}
			for _, m := range outlay.Measures() {
				cells = append(cells, totalOf(views[d][m].Rows, row.Key))
			}
			t.Add(append(cells, first.Currency)...)
		}
	}
	c.sayOthers(first)
	return c.show(t, t)
}

func flat(rows []control.CostRow) []control.CostRow {
	var out []control.CostRow
	for _, r := range rows {
		if r.Other {
			out = append(out, r.Members...)
		} else {
			out = append(out, r)
		}
	}
	return out
}

func totalOf(rows []control.CostRow, key string) string {
	for _, r := range flat(rows) {
		if r.Key == key {
			return r.Total.String()
		}
	}
	return "0"
}

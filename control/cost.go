package control

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"time"

	"outlay"
)

// Costs answers one view of the cost dashboard within what the actor's role may see.
func (c *Control) Costs(ctx context.Context, a outlay.Actor, r CostRequest) (CostView, error) {
	var v CostView
	scope, words, err := costScope(a)
	if err != nil {
		return v, err
	}
	if r, err = r.normal(); err != nil {
		return v, err
	}
	state, err := c.dataState(ctx, a.OrgID)
	if err != nil {
		return v, err
	}
	now := c.deps.Clock.Now()
	from, to, err := r.span(now, state.from, state.to)
	if err != nil {
		return v, err
	}
	v = CostView{
		Request: r, From: from, To: to, Every: r.bucket(from, to), Measure: r.Measure, Group: r.Group, Scope: words,
		CompleteThrough: state.complete, SourcesOnTime: state.onTime, Sources: state.sources, DataFrom: state.from, DataTo: state.to,
		NoAccounts: state.accounts == 0 && len(state.heads) == 0, NoData: len(state.heads) == 0,
	}
	b := costBuild{c: c, ctx: ctx, org: a.OrgID, scope: scope, view: &v, now: now}
	return v, b.run()
}

// costScope limits a query to what the actor may see; words says so on the page.
func costScope(a outlay.Actor) (anyOf []outlay.Filter, words string, err error) {
	if err := a.Must(outlay.CostsRead); err != nil {
		return nil, "", err
	}
	if a.May(outlay.CostsReadAll) {
		return nil, "", nil
	}
	own := outlay.Filter{Dimension: outlay.TagDimension("User"), Values: []string{a.Handle}}
	if a.Handle == "" {
		own.Values = []string{"\x00nobody"} // no charge carries it: someone without a handle owns nothing
	}
	if len(a.LeadOf) > 0 {
		return []outlay.Filter{own, {Dimension: outlay.TagDimension("GroupID"), Values: a.LeadOf}}, "Costs of your groups and your own", nil
	}
	return []outlay.Filter{own}, "Your own costs", nil
}

// bucket is the bar width: what was asked for, as long as that is not more than some 1,100 bars, or the one that keeps a
// chart readable (ui.md: daily up to 92 bars).
func (r CostRequest) bucket(from, to time.Time) outlay.Every {
	days := int(to.Sub(from).Hours() / 24)
	switch {
	case r.Every == outlay.EveryMonth, r.Every == outlay.EveryWeek && days <= 7*1100, r.Every == outlay.EveryDay && days <= 1100:
		return r.Every
	case days <= 92:
		return outlay.EveryDay
	case days <= 92*7:
		return outlay.EveryWeek
	}
	return outlay.EveryMonth
}

type costBuild struct {
	c     *Control
	ctx   context.Context
	org   string
	scope []outlay.Filter
	view  *CostView
	now   time.Time
}

func (b *costBuild) query(from, to time.Time, every outlay.Every, groups ...outlay.Dimension) (outlay.Answer, error) {
	return b.c.deps.Costs.Query(b.ctx, b.org, outlay.Query{From: from, To: to, GroupBy: groups, Every: every, Filters: b.view.Request.Filters, AnyOf: b.scope, OrderBy: b.view.Measure})
}

func (b *costBuild) run() error {
	v := b.view
	answer, err := b.query(v.From, v.To, v.Every, v.Group)
	if err != nil {
		return err
	}
	v.Overlaps = answer.Overlaps
	b.chooseCurrency(answer)
	b.makeBuckets()
	rank, err := b.ranks()
	if err != nil {
		return err
	}
	rows := b.rows(answer, rank)
	if err := b.compare(rows, rank); err != nil {
		return err
	}
	if err := b.providers(rows); err != nil {
		return err
	}
	b.finish(rows)
	return b.unowned()
}

// chooseCurrency keeps one currency: the one asked for, or that with most charges. Others are only named.
func (b *costBuild) chooseCurrency(answer outlay.Answer) {
	count := map[string]int64{}
	for _, r := range answer.Rows {
		count[r.Currency] += r.Charges
	}
	b.view.Others = sortedKeys(count)
	b.view.Currency = b.view.Request.Currency
	if b.view.Currency == "" {
		for _, cur := range b.view.Others {
			if b.view.Currency == "" || count[cur] > count[b.view.Currency] {
				b.view.Currency = cur
			}
		}
	}
	if b.view.Currency == "" {
		b.view.Currency = "USD"
	}
}

func (b *costBuild) makeBuckets() {
	v := b.view
	for start := bucketStart(v.From, v.Every); start.Before(v.To); {
		end := nextBucket(start, v.Every)
		s, e := start, end
		if s.Before(v.From) {
			s = v.From
		}
		if e.After(v.To) {
			e = v.To
		}
		v.Buckets = append(v.Buckets, CostBucket{
			Start: s, End: e, Label: bucketLabel(s, e, v.Every), Future: s.After(b.now),
			Arriving: !v.CompleteThrough.IsZero() && e.After(v.CompleteThrough) && !s.After(b.now),
			Total:    outlay.Amount{Currency: v.Currency}, Previous: outlay.Amount{Currency: v.Currency},
		})
		start = end
	}
}

// ranks gives every value of the group its chart colour from the 90 days up to the end of the view, before filters:
// filtering never recolours, and a small service stays small everywhere.
func (b *costBuild) ranks() (map[string]int, error) {
	to := b.view.To
	answer, err := b.c.deps.Costs.Query(b.ctx, b.org, outlay.Query{From: to.AddDate(0, 0, -90), To: to, GroupBy: []outlay.Dimension{b.view.Group}, AnyOf: b.scope})
	if err != nil {
		return nil, err
	}
	sums := map[string]outlay.Amount{}
	for _, r := range answer.Rows {
		if r.Currency == b.view.Currency && r.Keys[0] != "" {
			sums[r.Keys[0]] = sums[r.Keys[0]].Add(r.Amounts[outlay.Effective.Index()])
		}
	}
	keys := sortedKeys(sums)
	sort.SliceStable(keys, func(i, j int) bool { return sums[keys[i]].Cmp(sums[keys[j]]) > 0 })
	out := map[string]int{}
	for i, k := range keys {
		out[k] = min(i, 9)
	}
	if b.view.Group == outlay.ByProvider {
		for _, p := range b.c.ProviderInfos() { // fixed homes for the providers (ui.md §4)
			out[cmp.Or(p.InCharges, p.Title)] = p.Series
		}
	}
	return out, nil
}

// rows adds the answer up per key. Totals of buckets, rows and view come from the same figures.
func (b *costBuild) rows(answer outlay.Answer, rank map[string]int) map[string]*CostRow {
	v, m := b.view, b.view.Measure.Index()
	rows := map[string]*CostRow{}
	v.Measures = map[outlay.Measure]outlay.Amount{}
	for _, x := range outlay.Measures() {
		v.Measures[x] = outlay.Amount{Currency: v.Currency}
	}
	at := map[time.Time]int{}
	for i, bucket := range v.Buckets {
		at[bucketStart(bucket.Start, v.Every)] = i
	}
	for _, r := range answer.Rows {
		if r.Currency != v.Currency {
			continue
		}
		i, ok := at[bucketStart(r.Bucket, v.Every)]
		if !ok {
			continue
		}
		row := b.row(rows, r, rank)
		row.Values[i] = row.Values[i].Add(r.Amounts[m])
		row.Total = row.Total.Add(r.Amounts[m])
		row.Charges += r.Charges
		v.Buckets[i].Total = v.Buckets[i].Total.Add(r.Amounts[m])
		v.Charges += r.Charges
		for j, x := range outlay.Measures() {
			v.Measures[x] = v.Measures[x].Add(r.Amounts[j])
		}
	}
	return rows
}

func (b *costBuild) row(rows map[string]*CostRow, r outlay.Row, rank map[string]int) *CostRow {
	key := r.Keys[0]
	if row, ok := rows[key]; ok {
		return row
	}
	series, ok := rank[key]
	if !ok {
		series = 9
	}
	zero := outlay.Amount{Currency: b.view.Currency}
	row := &CostRow{Key: key, Name: r.Names[0], Series: series, Total: zero, Previous: zero, Change: zero, Values: slices.Repeat([]outlay.Amount{zero}, len(b.view.Buckets))}
	if key == "" {
		row.Untagged, row.Name = true, "No "+DimensionTitle(b.view.Group)
		if _, tag := b.view.Group.TagKey(); tag {
			row.Name += " tag"
		}
	}
	rows[key] = row
	return row
}

// unowned is the share of cost that carries no User tag.
func (b *costBuild) unowned() error {
	v := b.view
	if v.Total.Total.Sign() <= 0 {
		return nil
	}
	answer, err := b.query(v.From, v.To, outlay.EveryNone, outlay.TagDimension("User"))
	if err != nil {
		return err
	}
	none := outlay.Amount{Currency: v.Currency}
	for _, r := range answer.Rows {
		if r.Currency == v.Currency && r.Keys[0] == "" {
			none = none.Add(r.Amounts[v.Measure.Index()])
		}
	}
	share := min(1, max(0, none.Float()/v.Total.Total.Float()))
	v.Unowned = &share
	return nil
}

// CostValues lists the values of a dimension for the filter menus, within what the actor may see.
func (c *Control) CostValues(ctx context.Context, a outlay.Actor, d outlay.Dimension, from, to time.Time) ([]outlay.Value, error) {
	scope, _, err := costScope(a)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(outlay.Dimensions(), d) {
		return nil, badField("dimension", string(d), "Use service, provider, account, region, category, period or tag:KEY.")
	}
	if scope == nil {
		return c.deps.Costs.Values(ctx, a.OrgID, d, from, to, 200)
	}
	answer, err := c.deps.Costs.Query(ctx, a.OrgID, outlay.Query{From: from, To: to, GroupBy: []outlay.Dimension{d}, AnyOf: scope, Limit: 200, OrderBy: outlay.Effective})
	if err != nil {
		return nil, err
	}
	var out []outlay.Value
	for _, r := range answer.Rows {
		out = append(out, outlay.Value{Key: r.Keys[0], Name: r.Names[0]})
	}
	return out, nil
}

package control

import (
	"context"

	"outlay"
)

// addUp fills the figures: totals by source, and for each key what carries it. Shares are of effective cost, in the
// currency that most charges have.
func (b *tagsBuild) addUp(ctx context.Context) error {
	v := &b.view
	if !v.CostsShown {
		return nil
	}
	answer, err := b.query(ctx)
	if err != nil {
		return err
	}
	v.Currency, v.Currencies = mainCurrency(answer)
	totals, total := b.bySource(answer)
	v.Total = &total
	for i := range v.Sources {
		sum := totals[v.Sources[i].ID]
		v.Sources[i].Total = &sum
	}
	for i := range v.Keys {
		if err := b.addKey(ctx, &v.Keys[i], totals, total); err != nil {
			return err
		}
	}
	return nil
}

// query sums the range by source, under filters.
func (b *tagsBuild) query(ctx context.Context, filters ...outlay.Filter) (outlay.Answer, error) {
	return b.c.deps.Costs.Query(ctx, b.org, outlay.Query{From: b.view.From, To: b.view.To, GroupBy: []outlay.Dimension{outlay.BySource}, Filters: filters})
}

// mainCurrency is the currency of most charges, and all there are.
func mainCurrency(answer outlay.Answer) (string, []string) {
	count := map[string]int64{}
	for _, r := range answer.Rows {
		count[r.Currency] += r.Charges
	}
	all, most := sortedKeys(count), ""
	for _, currency := range all {
		if most == "" || count[currency] > count[most] {
			most = currency
		}
	}
	if most == "" {
		most = "USD"
	}
	return most, all
}

// bySource sums effective cost of the view's currency.
func (b *tagsBuild) bySource(answer outlay.Answer) (map[string]outlay.Amount, outlay.Amount) {
	zero := outlay.Amount{Currency: b.view.Currency}
	sums, total := map[string]outlay.Amount{}, zero
	for _, s := range b.view.Sources {
		sums[s.ID] = zero
	}
	for _, r := range answer.Rows {
		if r.Currency != b.view.Currency {
			continue
		}
		amount := r.Amounts[outlay.Effective.Index()]
		old, ok := sums[r.Keys[0]]
		if !ok {
			old = zero
		}
		sums[r.Keys[0]], total = old.Add(amount), total.Add(amount)
	}
	return sums, total
}

// addKey fills what carries one key.
func (b *tagsBuild) addKey(ctx context.Context, k *TagKey, totals map[string]outlay.Amount, total outlay.Amount) error {
	tag := outlay.TagDimension(k.Key)
	answer, err := b.query(ctx, outlay.Filter{Dimension: tag, Not: true, Values: []string{""}})
	if err != nil {
		return err
	}
	sums, tagged := b.bySource(answer)
	untagged := total.Sub(tagged)
	k.Tagged, k.Untagged, k.Share = &tagged, &untagged, shareOf(tagged, total)
	for i, s := range b.view.Sources {
		k.Cells[i].Share = shareOf(sums[s.ID], totals[s.ID])
	}
	values, err := b.c.deps.Costs.Values(ctx, b.org, tag, b.view.From, b.view.To, MaxTagValues+2)
	if err != nil {
		return err
	}
	for _, x := range values {
		if x.Key != "" {
			k.Values++
		}
	}
	if k.Values > MaxTagValues {
		k.Values, k.More = MaxTagValues, true
	}
	return nil
}

// shareOf is part of whole, 0…1; nil where the whole is no cost. Credits can make a part exceed the whole.
func shareOf(part, whole outlay.Amount) *float64 {
	if whole.Sign() <= 0 {
		return nil
	}
	share := min(1, max(0, part.Float()/whole.Float()))
	return &share
}

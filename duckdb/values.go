package duckdb

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"outlay"
)

// Values implements outlay.CostStore. "" is among the values where charges without one occur. Values that occur in
// several currencies rank by their largest sum in any of them, because the sums cannot be added.
func (c *Costs) Values(ctx context.Context, orgID string, d outlay.Dimension, from, to time.Time, limit int) ([]outlay.Value, error) {
	answer, err := c.Query(ctx, orgID, outlay.Query{From: from, To: to, GroupBy: []outlay.Dimension{d}})
	if err != nil {
		return nil, err
	}
	type ranked struct {
		outlay.Value
		cost float64 // for the order only
	}
	best := map[string]ranked{}
	for _, r := range answer.Rows {
		v := ranked{outlay.Value{Key: r.Keys[0], Name: r.Names[0]}, r.Amounts[outlay.Effective.Index()].Float()}
		if old, ok := best[v.Key]; !ok || v.cost > old.cost {
			best[v.Key] = v
		}
	}
	list := make([]ranked, 0, len(best))
	for _, v := range best {
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b ranked) int { return cmp.Or(cmp.Compare(b.cost, a.cost), strings.Compare(a.Key, b.Key)) })
	if limit > 0 && len(list) > limit {
		list = list[:limit]
	}
	out := make([]outlay.Value, len(list))
	for i, v := range list {
		out[i] = v.Value
	}
	return out, nil
}

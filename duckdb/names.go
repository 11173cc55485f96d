package duckdb

import (
	"context"
	"fmt"
	"maps"

	"outlay"
)

// nameTable is the serving table of what people call the values of a column.
func nameTable(column string) string { return "names_" + column }

// name fills in what people call the keys of an answer.
func (c *Costs) name(ctx context.Context, g *generation, groups []dimension, rows []outlay.Row) error {
	for i, d := range groups {
		known := map[string]string{}
		if d.name != "" {
			var err error
			if known, err = c.names(ctx, g, d); err != nil {
				return err
			}
		}
		for _, r := range rows {
			r.Names[i] = r.Keys[i]
			if n := known[r.Keys[i]]; n != "" {
				r.Names[i] = n
			}
		}
	}
	return nil
}

// names are the names of a dimension's values, read once for a generation.
func (c *Costs) names(ctx context.Context, g *generation, d dimension) (map[string]string, error) {
	c.gens.mu.Lock()
	known := g.names[d.column]
	c.gens.mu.Unlock()
	if known != nil {
		return known, nil
	}
	rows, err := c.db.QueryContext(ctx, "SELECT key, name FROM "+g.schema+"."+ident(nameTable(d.column))+" WHERE name <> key")
	if err != nil {
		return nil, engineFailure(err, "reading names")
	}
	defer func() { _ = rows.Close() }()
	known = map[string]string{}
	for rows.Next() {
		var key, name string
		if err := rows.Scan(&key, &name); err != nil {
			return nil, fmt.Errorf("reading names: %w", err)
		}
		known[key] = name
	}
	if err := rows.Err(); err != nil {
		return nil, engineFailure(err, "reading names")
	}
	c.gens.mu.Lock()
	defer c.gens.mu.Unlock()
	all := maps.Clone(g.names)
	if all == nil {
		all = map[string]map[string]string{}
	}
	all[d.column] = known
	g.names = all
	return known, nil
}

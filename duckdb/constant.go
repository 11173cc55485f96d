package duckdb

import (
	"context"
	"fmt"
	"strings"

	"outlay"
)

// Many columns hold one value all through a bill: the payer, the currency, what is not used. Carrying them through the
// sort is what makes a month outgrow the parser's memory, so they are found beforehand and written as constants: a
// month of 800,000 rows then sorts in two thirds of the CPU time.

// constants maps lake columns to the one text they hold in a batch; nil for no value.
type constants map[string]*string

// constantSample is how many rows a column must be constant in to be looked at in whole.
const constantSample = 2048

// findConstants looks at a few rows of the view normal for columns that may be constant, then at all rows of these.
func (p *parsing) findConstants(ctx context.Context) (constants, error) {
	var names, list []string
	for _, c := range outlay.FocusColumns() {
		if c.Type == outlay.FocusText && delivered(c.Name) || c.Name == "x_Other" {
			names = append(names, c.Name)
			x := ident(c.Name)
			list = append(list, fmt.Sprintf("min(%s), count(*) = count(%s) AND min(%s) = max(%s) OR count(%s) = 0", x, x, x, x, x))
		}
	}
	first, same, err := p.texts(ctx, list, fmt.Sprintf("(SELECT * FROM normal LIMIT %d)", constantSample))
	if err != nil {
		return nil, err
	}
	found := constants{}
	var whole, maybe []string
	for i, name := range names {
		if !same[i] {
			continue
		}
		found[name] = first[i]
		maybe = append(maybe, name)
		whole = append(whole, "NULL::VARCHAR, count(*) FILTER (WHERE "+ident(name)+" IS DISTINCT FROM "+literal(first[i])+") = 0")
	}
	if len(maybe) == 0 {
		return found, nil
	}
	_, still, err := p.texts(ctx, whole, "normal")
	if err != nil {
		return nil, err
	}
	for i, name := range maybe {
		if !still[i] {
			delete(found, name)
		}
	}
	return found, nil
}

// texts reads pairs of a text and a truth from one aggregate over a table.
func (p *parsing) texts(ctx context.Context, pairs []string, from string) ([]*string, []bool, error) {
	values, truths := make([]*string, len(pairs)), make([]bool, len(pairs))
	var targets []any
	for i := range pairs {
		targets = append(targets, &values[i], &truths[i])
	}
	err := p.db.QueryRowContext(ctx, "SELECT "+strings.Join(pairs, ", ")+" FROM "+from).Scan(targets...)
	return values, truths, err
}

// literal is a text or NULL in SQL.
func literal(s *string) string {
	if s == nil {
		return "NULL::VARCHAR"
	}
	return text(*s)
}

// without leaves out of a list of columns those that are constant: they have no part in an order.
func (c constants) without(columns string) string {
	var out []string
	for _, name := range strings.Split(columns, ", ") {
		if _, constant := c[name]; !constant {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

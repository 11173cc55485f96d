package google

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"outlay"
)

// Fetch reads one whole invoice month by one query into dir as 0.parquet, every column as text. One query is one
// snapshot: rows, newest export and sum of what came are held against the token, and what moved meanwhile is
// CodeConflict (clouds.md §4.6, reliability.md §4.1 rule 8).
func (p *Provider) Fetch(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source, d outlay.Delivery, dir string) ([]string, error) {
	ses, err := p.session(ctx, a)
	if err != nil {
		return nil, err
	}
	t, got, err := p.locate(ctx, ses, a, s)
	if err != nil {
		return nil, err
	}
	if got == nil || t.full() != d.Ref[refTable] || string(t.Kind) != d.Format {
		return nil, outlay.Errorf(outlay.CodeConflict, "Look for deliveries again.", "%s is not what this source reads now", clip(d.Ref[refTable], 200))
	}
	q, err := p.querier(ses, a, s, t)
	if err != nil {
		return nil, err
	}
	c, err := p.read(ctx, q, t, d.Period, dir, wantsFast(s))
	if err == nil && c.rows < d.Rows && boundBy(t) != "" {
		t.Partition = noPartition // some row came earlier than the bound: it is dearer, but the month is read whole
		c, err = p.read(ctx, q, t, d.Period, dir, wantsFast(s))
	}
	if err != nil {
		return nil, err
	}
	if err := c.matches(d); err != nil {
		return nil, err
	}
	p.setDoubt(a, t, d.Period, c.odd)
	return []string{filepath.Join(dir, staged)}, nil
}

// staged is the one file of a delivery.
const staged = "0.parquet"

// read runs the query of a month and writes what comes into dir.
func (p *Provider) read(ctx context.Context, q querier, t tableRef, period outlay.Period, dir string, fast bool) (*checker, error) {
	st, err := monthStatement(t, period)
	if err != nil {
		return nil, err
	}
	ans, err := q.run(ctx, st, "reading "+string(period))
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the staging folder: %w", err)
	}
	defer func() { _ = root.Close() }() // read only
	c, err := newChecker(ans, t.Kind)
	if err != nil {
		return nil, err
	}
	source := ans.rows
	if fast {
		source = p.fastRows(ans)
	}
	return c, writeParquet(ctx, root, staged, ans.names(), func(ctx context.Context, each func([]*string) error) error {
		return source(ctx, func(row []*string) error {
			if err := c.add(row); err != nil {
				return err
			}
			return each(row)
		})
	})
}

func (a *answer) names() []string {
	out := make([]string, len(a.fields))
	for i, f := range a.fields {
		if f != nil { // a damaged answer is found out row by row
			out[i] = f.Name
		}
	}
	return out
}

// checker counts and sums what comes, by a way of its own, and holds FOCUS rows against their identity.
type checker struct {
	focus                              bool
	exported, cost, contracted, credit int   // columns
	rows, odd                          int64 // odd ones are off the identity
	newest                             string
	total                              outlay.Amount
}

func newChecker(a *answer, kind exportKind) (*checker, error) {
	at := func(name string) int { return slices.Index(a.names(), name) }
	c := &checker{exported: at("export_time"), cost: at("cost"), credit: at("credits_total")}
	if kind == exportFocus {
		c = &checker{focus: true, exported: at("x_ExportTime"), cost: at("BilledCost"), contracted: at("ContractedCost"), credit: at("x_CreditsTotal")}
	}
	if min(c.exported, c.cost, c.contracted, c.credit) < 0 {
		return nil, outlay.Errorf(outlay.CodeUnavailable, itself, "the answer of the query lacks columns that were asked for")
	}
	return c, nil
}

// add takes one row into account.
func (c *checker) add(row []*string) error {
	c.rows++
	if v := row[c.exported]; v != nil && later(*v, c.newest) {
		c.newest = *v
	}
	cost, err := amount(row[c.cost])
	if err != nil {
		return err
	}
	c.total = c.total.Add(cost)
	if !c.focus {
		return nil
	}
	contracted, err := amount(row[c.contracted])
	if err != nil {
		return err
	}
	credits, err := amount(row[c.credit])
	if err != nil {
		return err
	}
	if off := cost.Sub(contracted).Sub(credits); off.Cmp(tolerance()) > 0 || off.Neg().Cmp(tolerance()) > 0 {
		c.odd++
	}
	return nil
}

// tolerance is how far a row may be off the identity of the FOCUS export (clouds.md §4.6).
func tolerance() outlay.Amount { return outlay.MustAmount("0.000001", "") }

// later compares two times of one format, of which the fraction may be cut.
func later(a, b string) bool {
	trim := func(s string) string { return s[:max(0, len(s)-1)] } // the Z sorts after a point
	return trim(a) > trim(b)
}

func amount(v *string) (outlay.Amount, error) {
	if v == nil {
		return outlay.MustAmount("0", ""), nil
	}
	return outlay.ParseAmount(*v, "")
}

// matches holds what came against what the token promised.
func (c *checker) matches(d outlay.Delivery) error {
	total, err := outlay.ParseAmount(orElse(d.Ref[refTotal], "0"), "")
	if err != nil {
		return outlay.Errorf(outlay.CodeInvalid, "Look for deliveries again.", "the delivery's total %q is no amount", clip(d.Ref[refTotal], 40))
	}
	if c.rows == d.Rows && c.newest == d.Ref[refNewest] && c.total.Cmp(total) == 0 {
		return nil
	}
	return &outlay.Error{
		Code: outlay.CodeConflict, Fix: "Nothing to do; it is read again.",
		Message: fmt.Sprintf("reading %s: %d rows with a sum of %s came, %d rows with %s were promised: Google wrote meanwhile", d.Period, c.rows, c.total, d.Rows, total),
	}
}

package bill

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"outlay"
)

// unitsPerDollar is the generator's resolution: amounts are whole numbers of 1e-10 USD. Divided by it they give the
// DOUBLE nearest to the decimal, as AWS writes it.
const unitsPerDollar = 10_000_000_000

// generator turns a Spec into SQL. Every draw is a hash of (what it is for, seed), so rows do not depend on each other.
type generator struct {
	spec   Spec
	perDay int // usage rows a day
	skus   []sku
}

func newGenerator(s Spec) generator {
	return generator{spec: s, perDay: s.Rows / s.monthDays(), skus: catalogue()}
}

// setUp makes the temporary tables: bill_base holds one row per (day, line), which a scan can read with all cores
// (range() alone is read by one), bill_sku the catalogue, and bill_special the rows that are not usage.
func (g generator) setUp() []string {
	stmts := []string{
		fmt.Sprintf("CREATE OR REPLACE TEMP TABLE bill_base AS SELECT (i // %[2]d)::INTEGER AS day, (i %% %[2]d)::INTEGER AS k FROM range(%[1]d::BIGINT * %[2]d) t(i) WHERE %[2]d > 0",
			g.spec.days(), g.perDay),
		"CREATE OR REPLACE TEMP TABLE bill_sku AS SELECT slot, t.* EXCLUDE (low, high) FROM (VALUES " + g.skuValues() + ") t(low, high, sku, first, share, service, code, " +
			"category, subcategory, operation, meter, description, unit, price, mean, elastic, prefix, kind, discount, committed, spot, zone, instance), range(1000) s(slot) " +
			"WHERE slot >= low AND slot < high",
	}
	return append(stmts, specialTable(g.spec)...)
}

// skuValues has each SKU with its part of the thousand slots; first and share cut the numbers of resources likewise.
func (g generator) skuValues() string {
	var rows []string
	slot := 0
	for i, s := range g.skus {
		first, share := g.spec.Resources*slot/1000, max(1, g.spec.Resources*s.weight/1000)
		rows = append(rows, fmt.Sprintf("(%d, %d, %d, %d, %d, %s, %s, %s, %s, %s, %s, %s, %s, %s::DOUBLE, %v::DOUBLE, %t, %s, %s, %v::DOUBLE, %d, %t, %t, %s)", slot, slot+s.weight, i, first, share,
			quote(s.service), quote(s.code), quote(s.category), quote(s.subcategory), quote(s.operation), quote(s.meter), quote(s.description), quote(s.unit),
			strconv.FormatFloat(s.price, 'f', -1, 64), s.mean, s.elastic, quote(s.prefix), quote(s.kind), s.discount, s.committed, s.spot, s.zone, quote(s.instance)))
		slot += s.weight
	}
	return strings.Join(rows, ",\n")
}

// rows is the SELECT that COPY writes.
func (g generator) rows() string {
	var columns []string
	for _, c := range g.spec.Columns {
		columns = append(columns, fmt.Sprintf("%s::%s AS %s", expression(c), sqlType(c), c))
	}
	return g.charges() + "\nSELECT " + strings.Join(columns, ", ") + " FROM charge" + g.only()
}

func (g generator) only() string {
	if len(g.spec.Only) == 0 {
		return ""
	}
	return " WHERE sub_account IN (" + quoteAll(g.spec.Only) + ")"
}

// totals sums the integers that rows() divides.
func (g generator) totals(ctx context.Context, conn *sql.Conn) (Totals, error) {
	t := Totals{Sums: map[outlay.Measure]string{}}
	var sums [4]sql.NullString
	query := g.charges() + " SELECT count(*), sum(billed)::VARCHAR, sum(effective)::VARCHAR, sum(list)::VARCHAR, sum(contracted)::VARCHAR FROM charge" + g.only()
	if err := conn.QueryRowContext(ctx, query).Scan(&t.Rows, &sums[0], &sums[1], &sums[2], &sums[3]); err != nil {
		return Totals{}, fmt.Errorf("summing a bill of %s: %w", g.spec.Period, err)
	}
	for i, m := range outlay.Measures() {
		units := "0"
		if sums[i].Valid {
			units = sums[i].String
		}
		a, err := outlay.ParseAmount(units+"e-10", "USD")
		if err != nil {
			return Totals{}, fmt.Errorf("summing a bill of %s: %w", g.spec.Period, err)
		}
		t.Sums[m] = a.String()
	}
	return t, nil
}

func quoteAll(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	return strings.Join(quoted, ", ")
}

// list is a DuckDB list literal; element i is reached with list[1 + i].
func list(values []string) string { return "[" + quoteAll(values) + "]" }

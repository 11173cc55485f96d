package duckdb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	engine "github.com/duckdb/duckdb-go/v2"

	"outlay"
)

// rollup is one of the three daily sums of a month's charges. Each is a pure function of the month's data files.
type rollup struct {
	name string
	// columns are the lake's columns that it groups by, besides the day.
	columns []string
	// names are columns of what people call things: the last by alphabet of each group.
	names []string
}

// rollups are r1 for the dashboard, r2 for sessions, r3 for resources (performance.md §4).
func rollups() []rollup {
	base := []string{"BillingCurrency", "ProviderName", "BillingAccountId", "SubAccountId", "ServiceName"}
	var common, session []string
	for _, k := range outlay.TagKeys() {
		session = append(session, outlay.TagColumn(k))
		if k != "SessionID" && k != "Name" {
			common = append(common, outlay.TagColumn(k))
		}
	}
	return []rollup{
		{"r1", slices.Concat(base, []string{"RegionId", "ChargeCategory"}, common), []string{"SubAccountName", "RegionName", "BillingAccountName"}},
		{"r2", slices.Concat(base, session), nil},
		{"r3", slices.Concat(base, []string{"RegionId", "ResourceId"}), []string{"ResourceName"}},
	}
}

// A cost of a rollup is two columns whose sum is exact: whole millionths, and what is left in units of 1e-18. Both are
// 64-bit decimals, which add several times faster than the 128-bit sum (performance.md §4, ruling 13).
func wholeColumn(m outlay.Measure) string { return string(m) }
func restColumn(m outlay.Measure) string  { return string(m) + "_rest" }

const (
	wholeType = "DECIMAL(18,6)"
	restType  = "DECIMAL(18,18)"
)

// query is the rollup's SELECT over lake files.
func (r rollup) query(files []string) string {
	keys := []string{"CAST(ChargePeriodStart AS DATE) AS day"}
	for _, c := range r.columns {
		keys = append(keys, "COALESCE("+ident(c)+", '') AS "+ident(c))
	}
	inner := slices.Clone(keys)
	outer := []string{"day"}
	for _, c := range r.columns {
		outer = append(outer, ident(c))
	}
	for _, n := range r.names {
		inner = append(inner, "COALESCE(max("+ident(n)+"), '') AS "+ident(n))
		outer = append(outer, ident(n))
	}
	inner = append(inner, "count(*) AS charges")
	outer = append(outer, "charges")
	for _, m := range outlay.Measures() {
		inner = append(inner, fmt.Sprintf("sum(%s) AS s_%s", ident(string(m)), m))
		// By way of a double, because the cast from the wide decimal divides 128-bit numbers and takes 1.8 µs a figure.
		// What the double lacks in digits is in the rest, so that the two are always exact together.
		whole := fmt.Sprintf("CAST(CAST(s_%s AS DOUBLE) AS %s)", m, wholeType)
		outer = append(outer, whole+" AS "+ident(wholeColumn(m)), fmt.Sprintf("CAST(s_%s - CAST(%s AS %s) AS %s) AS %s", m, whole, lakeCost, restType, ident(restColumn(m))))
	}
	return fmt.Sprintf("SELECT %s FROM (SELECT %s FROM read_parquet(%s) GROUP BY ALL) ORDER BY day",
		strings.Join(outer, ", "), strings.Join(inner, ", "), texts(files))
}

// rollUp writes a rollup of a month and checks that its sums are the lake's, to the last digit.
func (p *parsing) rollUp(ctx context.Context, m *month, r rollup, path string) error {
	copySQL := fmt.Sprintf("COPY (%s) TO %s (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)", r.query(m.paths()), text(path))
	if _, err := p.db.ExecContext(ctx, copySQL); err != nil {
		return engineFailure(err, "rolling up "+string(m.period))
	}
	sums := map[string]map[outlay.Measure]string{}
	charges, err := p.rollupSums(ctx, path, sums)
	if err != nil {
		return err
	}
	for currency, want := range m.read {
		for measure, sum := range want {
			if got := sums[currency][measure]; got != sum {
				return outlay.Errorf(outlay.CodeInternal, "Nothing was published. Report this.", "%s: %s of %s in %s is %s, not %s", m.period, measure, currency, r.name, got, sum)
			}
		}
	}
	if charges != m.rows {
		return outlay.Errorf(outlay.CodeInternal, "Nothing was published. Report this.", "%s: %s stands for %d charges, not %d", m.period, r.name, charges, m.rows)
	}
	return nil
}

// rollupSums reads a rollup's sums by currency.
func (p *parsing) rollupSums(ctx context.Context, path string, sums map[string]map[outlay.Measure]string) (int64, error) {
	list := []string{"BillingCurrency", "sum(charges)::BIGINT"}
	for _, m := range outlay.Measures() {
		list = append(list, sumSQL(m))
	}
	rows, err := p.db.QueryContext(ctx, "SELECT "+strings.Join(list, ", ")+" FROM read_parquet("+texts([]string{path})+") GROUP BY 1")
	if err != nil {
		return 0, engineFailure(err, "reading a rollup back")
	}
	defer func() { _ = rows.Close() }()
	var total int64
	for rows.Next() {
		var currency string
		var charges int64
		var s [4]engine.Decimal
		if err := rows.Scan(&currency, &charges, &s[0], &s[1], &s[2], &s[3]); err != nil {
			return 0, fmt.Errorf("reading a rollup's sums: %w", err)
		}
		total += charges
		if err := addSums(sums, currency, s); err != nil {
			return 0, err
		}
	}
	return total, rows.Err()
}

// sumSQL adds up a measure of a rollup exactly, as DECIMAL(38,18).
func sumSQL(m outlay.Measure) string {
	return fmt.Sprintf("CAST(sum(%s) AS %s) + CAST(sum(%s) AS %s)", ident(wholeColumn(m)), lakeCost, ident(restColumn(m)), lakeCost)
}

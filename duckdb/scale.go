package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"outlay"
)

// A rollup's file keeps each cost in two 64-bit columns, which is always exact. Real bills rarely need both: their
// figures have at most 12 decimals, or few digits before the point. Where all rows of a measure fit a single 64-bit
// decimal without loss, the serving table has that one column, and a query adds half as many.

// scales is for each measure, in the order of outlay.Measures, the decimals of its single column; 0 for two columns.
type scales [4]int

// candidates are the scales tried, the one with the largest range first.
func candidates() []int { return []int{6, 8, 10, 12} }

// findScales looks at all rollups for the scale that holds every row of a measure exactly.
func findScales(ctx context.Context, conn *sql.Conn, heads []outlay.Head) (scales, error) {
	var fit scales
	if len(heads) == 0 {
		return fit, nil
	}
	possible := map[int][4]bool{}
	for _, scale := range candidates() {
		possible[scale] = [4]bool{true, true, true, true}
	}
	for i := range rollups() {
		var files []string
		for _, h := range heads {
			files = append(files, h.Rollups[i])
		}
		if err := narrow(ctx, conn, files, possible); err != nil {
			return fit, err
		}
	}
	for i := range fit {
		for _, scale := range candidates() {
			if possible[scale][i] {
				fit[i] = scale
				break
			}
		}
	}
	return fit, nil
}

// narrow takes out of possible the scales at which a row of the files would lose digits or not fit.
func narrow(ctx context.Context, conn *sql.Conn, files []string, possible map[int][4]bool) error {
	var list []string
	var targets []any
	found := map[int]*[4]sql.NullBool{}
	for _, scale := range candidates() {
		found[scale] = &[4]sql.NullBool{}
		for i, m := range outlay.Measures() {
			x, rest := ident(wholeColumn(m)), ident(restColumn(m))
			list = append(list, fmt.Sprintf("bool_and(abs(%s) < %d AND CAST(CAST(%s AS DECIMAL(18,%d)) AS %s) = %s)", x, power10(18-scale-1), rest, scale, restType, rest))
			targets = append(targets, &found[scale][i])
		}
	}
	err := conn.QueryRowContext(ctx, "SELECT "+strings.Join(list, ", ")+" FROM read_parquet("+texts(files)+")").Scan(targets...)
	if err != nil {
		return engineFailure(err, "measuring the rollups")
	}
	for scale, is := range found {
		can := possible[scale]
		for i, b := range is {
			can[i] = can[i] && (b.Bool || !b.Valid)
		}
		possible[scale] = can
	}
	return nil
}

// columns are a measure's columns of the serving table, made from those of the rollup's file.
func (s scales) columns(m outlay.Measure) []string {
	whole, rest := ident(wholeColumn(m)), ident(restColumn(m))
	if scale := s[m.Index()]; scale > 0 {
		return []string{fmt.Sprintf("CAST(CAST(%s AS DECIMAL(18,%d)) + CAST(%s AS DECIMAL(18,%d)) AS DECIMAL(18,%d)) AS %s", whole, scale, rest, scale, scale, whole)}
	}
	return []string{whole, rest}
}

// sumSQL adds up a measure of a serving table exactly.
func (s *serving) sumSQL(m outlay.Measure) string {
	if s.scales[m.Index()] > 0 {
		return "sum(" + ident(wholeColumn(m)) + ")"
	}
	return sumSQL(m)
}

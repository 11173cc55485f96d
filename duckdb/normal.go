package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"

	"outlay"
)

// The view normal is a mapping's rows in the types of the lake, whatever types the mapping yields: texts of CSV,
// numbers and nested values of Parquet. It has every delivered column, Tags as a map, and x_Other.

var leadingSelect = regexp.MustCompile(`(?is)^((?:\s|--[^\n]*\n|/\*.*?\*/)*)SELECT\b`)

// createViews makes the views raw, mapped and normal of one batch.
func createViews(ctx context.Context, db *sql.DB, b batch, m outlay.Mapping) error {
	if _, err := db.ExecContext(ctx, "CREATE OR REPLACE TEMP VIEW raw AS "+b.rawSQL(m.FileNames)); err != nil {
		return fmt.Errorf("view raw: %w", err)
	}
	mapped, err := describe(ctx, db, m.SQL)
	if err != nil {
		return fmt.Errorf("the mapping's SELECT: %w", err)
	}
	query := m.SQL
	if !has(mapped, "x_Other") {
		// The mapping speaks of the columns it knows; what is left must not be lost.
		if !leadingSelect.MatchString(query) {
			return fmt.Errorf("a mapping must begin with SELECT")
		}
		query = leadingSelect.ReplaceAllString(query, "${1}SELECT x_Other, ")
		mapped = append(mapped, column{"x_Other", "VARCHAR"})
	}
	if _, err := db.ExecContext(ctx, "CREATE OR REPLACE TEMP VIEW mapped AS "+query); err != nil {
		return fmt.Errorf("view mapped: %w", err)
	}
	if _, err := db.ExecContext(ctx, "CREATE OR REPLACE TEMP VIEW normal AS "+normalSQL(mapped)); err != nil {
		return fmt.Errorf("view normal: %w", err)
	}
	return nil
}

func has(list []column, name string) bool {
	for _, c := range list {
		if strings.EqualFold(c.name, name) {
			return true
		}
	}
	return false
}

func normalSQL(mapped []column) string {
	kinds := map[string]string{}
	for _, c := range mapped {
		kinds[strings.ToLower(c.name)] = c.kind
	}
	var list []string
	rounds := []string{"0"}
	for _, f := range outlay.FocusColumns() {
		if !delivered(f.Name) && f.Name != "x_Other" {
			continue
		}
		kind := kinds[strings.ToLower(f.Name)]
		x := normalised(f, ident(f.Name), kind)
		if mayBeBlank(f.Name) {
			list = append(list, ident(f.Name)+" IS NULL AS "+blankColumn(f.Name))
			x = "COALESCE(" + x + ", 0)"
		}
		list = append(list, x+" AS "+ident(f.Name))
		if f.Type == outlay.FocusCost {
			if e := roundsSQL(ident(f.Name), kind); e != "" {
				rounds = append(rounds, e)
			}
		}
	}
	list = append(list, "("+strings.Join(rounds, " + ")+") AS rounded")
	return "SELECT " + strings.Join(list, ", ") + " FROM mapped"
}

// mayBeBlank names the costs that real files leave out on single rows though FOCUS forbids it (the sample of the
// FinOps Foundation does). Such a row counts as 0 and the proof says how many there are. A file that lacks the whole
// column is refused.
func mayBeBlank(name string) bool {
	return name == string(outlay.List) || name == string(outlay.Contracted)
}

func blankColumn(name string) string { return "blank_" + name }

// normalised is the expression that makes x, of an engine's type, a value of a lake column. It fails on a bad value.
func normalised(f outlay.FocusColumn, x, kind string) string {
	if kind == "" || kind == `"NULL"` {
		return "NULL::" + engineType(f.Type)
	}
	switch f.Type {
	case outlay.FocusCost:
		return costSQL(x, kind)
	case outlay.FocusNumber:
		return numberSQL(x, kind)
	case outlay.FocusTime:
		return timeSQL(x, kind)
	case outlay.FocusTextMap:
		return mapSQL(x, kind)
	}
	return textSQL(x, kind)
}

// engineType is the engine's type of a lake column.
func engineType(t outlay.FocusType) string {
	switch t {
	case outlay.FocusCost:
		return fmt.Sprintf("DECIMAL(38,%d)", costScale)
	case outlay.FocusNumber:
		return "DOUBLE"
	case outlay.FocusTime:
		return "TIMESTAMP"
	case outlay.FocusTextMap:
		return "MAP(VARCHAR, VARCHAR)"
	}
	return "VARCHAR"
}

const lakeCost = "DECIMAL(38,18)"

// costSQL keeps the provider's digits. A double stands for its shortest decimal text (clouds.md §5.5). Going by way
// of a 64-bit decimal is several times faster than by text and gives the same figure when that decimal has at most 15
// digits and reads back as the same double: two different decimals of 15 digits are never the same double.
func costSQL(x, kind string) string {
	switch {
	case kind == lakeCost:
		return x
	case kind == "DOUBLE":
		fine, coarse := "TRY_CAST("+x+" AS DECIMAL(18,12))", "TRY_CAST("+x+" AS DECIMAL(18,9))"
		return "CASE WHEN " + exact(x, fine, 1e3) + " THEN CAST(" + fine + " AS " + lakeCost + ")" +
			" WHEN " + exact(x, coarse, 1e6) + " THEN CAST(" + coarse + " AS " + lakeCost + ")" +
			" ELSE " + costTextSQL("CAST("+x+" AS VARCHAR)") + " END"
	case strings.HasPrefix(kind, "DECIMAL"), kind == "FLOAT", kind == "VARCHAR", kind == "JSON":
		return costTextSQL("CAST(" + x + " AS VARCHAR)")
	}
	return "CAST(" + x + " AS " + lakeCost + ")" // whole numbers
}

// exact tells whether decimal d stands for double x.
func exact(x, d string, below float64) string {
	return fmt.Sprintf("(abs(%s) < %g AND CAST(%s AS DOUBLE) = %s)", x, below, d, x)
}

func costTextSQL(t string) string {
	return "CASE WHEN " + longText(t) + " THEN CAST(outlay_round(" + t + ") AS " + lakeCost + ") ELSE CAST(" + t + " AS " + lakeCost + ") END"
}

// longText tells whether a decimal text can have more than 18 decimals, or an exponent.
func longText(t string) string {
	return "(length(" + t + ") > 19 OR contains(" + t + ", 'e') OR contains(" + t + ", 'E'))"
}

// roundsSQL counts 1 for a cost that is rounded, else 0; "" when the type never is.
func roundsSQL(x, kind string) string {
	t := "CAST(" + x + " AS VARCHAR)"
	long := "CASE WHEN " + longText(t) + " AND outlay_rounds(CASE WHEN " + longText(t) + " THEN " + t + " END) THEN 1 ELSE 0 END"
	switch {
	case kind == "DOUBLE":
		return "CASE WHEN " + x + " IS NULL OR " + exact(x, "TRY_CAST("+x+" AS DECIMAL(18,12))", 1e3) + " OR " +
			exact(x, "TRY_CAST("+x+" AS DECIMAL(18,9))", 1e6) + " THEN 0 ELSE " + long + " END"
	case kind == "VARCHAR", kind == "FLOAT", strings.HasPrefix(kind, "DECIMAL") && kind != lakeCost:
		return long
	}
	return ""
}

// numberSQL refuses NaN and infinities.
func numberSQL(x, kind string) string {
	d := "CAST(" + x + " AS DOUBLE)"
	if strings.HasPrefix(kind, "DECIMAL") || strings.HasSuffix(kind, "INT") || strings.HasSuffix(kind, "INTEGER") {
		return d
	}
	return "CASE WHEN isfinite(" + d + ") THEN " + d + " WHEN " + x + " IS NOT NULL THEN CAST(CAST(" + x + " AS VARCHAR) || ' is not finite' AS DOUBLE) END"
}

// timeSQL reads ISO 8601 times, without a zone as UTC, and without seconds too ('2025-03-01T00:00Z'), which the
// engine's cast refuses.
func timeSQL(x, kind string) string {
	if kind != "VARCHAR" && kind != "JSON" {
		return "CAST(" + x + " AS TIMESTAMP)"
	}
	// The cast to TIMESTAMP passes over an offset such as +02:00; the slower one to TIMESTAMPTZ heeds it.
	clock := "substr(" + x + ", 11)"
	return "CASE WHEN " + x + " IS NULL THEN NULL" +
		" WHEN contains(" + clock + ", '+') OR contains(" + clock + ", '-') THEN CAST(CAST(" + x + " AS TIMESTAMPTZ) AS TIMESTAMP)" +
		" ELSE COALESCE(TRY_CAST(" + x + " AS TIMESTAMP), " +
		"try_strptime(" + x + ", ['%Y-%m-%dT%H:%MZ', '%Y-%m-%d %H:%MZ', '%Y-%m-%dT%H:%M', '%Y-%m-%d %H:%M']), " +
		"CAST(" + x + " || ' is no time' AS TIMESTAMP)) END"
}

// mapSQL reads a map, or JSON text of an object.
func mapSQL(x, kind string) string {
	switch {
	case kind == "MAP(VARCHAR, VARCHAR)":
		return x
	case strings.HasPrefix(kind, "MAP"):
		return "CAST(" + x + " AS MAP(VARCHAR, VARCHAR))"
	case strings.HasPrefix(kind, "STRUCT"):
		return "CAST(to_json(" + x + ") AS MAP(VARCHAR, VARCHAR))"
	}
	return "CAST(CAST(NULLIF(trim(CAST(" + x + " AS VARCHAR)), '') AS JSON) AS MAP(VARCHAR, VARCHAR))"
}

// textSQL makes nested values JSON and empty texts NULL.
func textSQL(x, kind string) string {
	switch {
	case kind == "VARCHAR":
		return "NULLIF(" + x + ", '')"
	case strings.HasPrefix(kind, "MAP"), strings.HasPrefix(kind, "STRUCT"), strings.HasSuffix(kind, "]"):
		return "CAST(to_json(" + x + ") AS VARCHAR)"
	}
	return "CAST(" + x + " AS VARCHAR)"
}

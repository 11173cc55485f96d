package duckdb

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"outlay"
)

// question is a checked query, ready to be made into SQL.
type question struct {
	outlay.Query
	group  []dimension
	filter []condition
	anyOf  []condition
}

// condition is a checked filter.
type condition struct {
	dimension
	not    bool
	values []string
}

// check makes a query into a question; CodeInvalid names the field at fault.
func check(q outlay.Query) (question, error) {
	out := question{Query: q}
	if len(q.GroupBy) > 2 {
		return out, invalid("groupBy", "Group by at most two dimensions.", "a query cannot group by %d dimensions", len(q.GroupBy))
	}
	for i, id := range q.GroupBy {
		d, err := dimensionOf(id, "groupBy")
		if err != nil {
			return out, err
		}
		if slices.Contains(q.GroupBy[:i], id) {
			return out, invalid("groupBy", "Name each dimension once.", "a query cannot group by %s twice", id)
		}
		out.group = append(out.group, d)
	}
	if _, err := bucketSQL(q.Every, "day"); err != nil {
		return out, err
	}
	if err := checkRange(q.From, q.To); err != nil {
		return out, err
	}
	if q.Limit < 0 {
		return out, invalid("limit", "Use 0 for no limit.", "a limit cannot be %d", q.Limit)
	}
	if q.OrderBy == "" {
		out.OrderBy = outlay.Effective
	} else if q.OrderBy.Index() < 0 {
		return out, invalid("orderBy", "Use one of the four costs.", "there is no measure %q", q.OrderBy)
	}
	var err error
	if out.filter, err = conditions(q.Filters, "filters"); err != nil {
		return out, err
	}
	out.anyOf, err = conditions(q.AnyOf, "anyOf")
	return out, err
}

func checkRange(from, to time.Time) error {
	for field, t := range map[string]time.Time{"from": from, "to": to} {
		if !t.IsZero() && !t.UTC().Equal(t.UTC().Truncate(24*time.Hour)) {
			return invalid(field, "Use whole days, UTC.", "%s is not the start of a day", t.UTC().Format(time.RFC3339))
		}
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return invalid("to", "End after the start; the end is exclusive.", "the range from %s to %s is empty", from.Format(time.DateOnly), to.Format(time.DateOnly))
	}
	return nil
}

func conditions(filters []outlay.Filter, field string) ([]condition, error) {
	var out []condition
	for _, f := range filters {
		d, err := dimensionOf(f.Dimension, field)
		if err != nil {
			return nil, err
		}
		if len(f.Values) == 0 {
			return nil, invalid(field, "Name at least one value; \"\" stands for no value.", "the filter on %s has no values", f.Dimension)
		}
		out = append(out, condition{d, f.Not, f.Values})
	}
	return out, nil
}

// columns are all the columns that the question is about.
func (q question) columns() []string {
	var out []string
	for _, d := range q.group {
		out = append(out, d.column)
	}
	for _, c := range slices.Concat(q.filter, q.anyOf) {
		out = append(out, c.column)
	}
	return out
}

// bucketSQL is the start of the bucket that holds a day.
func bucketSQL(e outlay.Every, day string) (string, error) {
	switch e {
	case outlay.EveryDay:
		return day, nil
	case outlay.EveryWeek, outlay.EveryMonth:
		return "CAST(date_trunc('" + string(e) + "', " + day + ") AS DATE)", nil
	case outlay.EveryNone:
		return "CAST(NULL AS DATE)", nil
	}
	return "", invalid("every", "Use day, week, month or nothing.", "there is no bucket %q", e)
}

// statement is SQL with the values bound to it. Nothing that a caller gave is ever part of the text.
type statement struct {
	sql  string
	args []any
}

func (s *statement) bind(v any) string {
	s.args = append(s.args, v)
	return "$" + fmt.Sprint(len(s.args))
}

// table is where a question is answered: a rollup of the serving database, or the lake's files.
type table struct {
	from string // SQL after FROM
	day  string // the day of a row
	// key is the column as it groups.
	start string // what a range of days compares with
	key   func(column string) string
	// rank is what a key sorts by.
	rank func(key string) string
	// in tells whether the column is one of the bound texts, or, with blank, has no value.
	in    func(column string, bound []string, blank bool) string
	sum   func(m outlay.Measure) string // a DECIMAL
	count string
	// where further restricts the rows; "" for nothing.
	where string
}

// compile makes the question's statement over a table.
func (q question) compile(t table) (statement, error) {
	bucket, err := bucketSQL(q.Every, t.day)
	if err != nil {
		return statement{}, err
	}
	var s statement
	inner := []string{bucket + " AS bucket"}
	for i, d := range q.group {
		inner = append(inner, fmt.Sprintf("%s AS k%d", t.key(d.column), i))
	}
	inner = append(inner, t.key("BillingCurrency")+" AS currency", t.count+" AS charges")
	for i, m := range outlay.Measures() {
		inner = append(inner, fmt.Sprintf("%s AS m%d", t.sum(m), i))
	}
	grouped := "SELECT " + strings.Join(inner, ", ") + " FROM " + t.from + q.whereSQL(t, &s) + " GROUP BY ALL"
	order := q.order(t.rank)
	if q.Limit > 0 {
		grouped = "SELECT * FROM (" + grouped + ") ORDER BY " + order + " LIMIT " + s.bind(q.Limit)
	}
	// Codes become texts only here, where few rows are left.
	outer := []string{"bucket"}
	for i := range q.group {
		outer = append(outer, fmt.Sprintf("CAST(k%d AS VARCHAR)", i))
	}
	outer = append(outer, "CAST(currency AS VARCHAR)", "charges")
	for i := range outlay.Measures() {
		outer = append(outer, fmt.Sprintf("m%d", i))
	}
	s.sql = "SELECT " + strings.Join(outer, ", ") + " FROM (" + grouped + ") ORDER BY " + order
	return s, nil
}

// order is how an answer is sorted: by bucket, keys and currency, but the largest sums first when they are limited.
func (q question) order(rank func(string) string) string {
	order := []string{"bucket"}
	if q.Limit > 0 {
		order = []string{fmt.Sprintf("m%d DESC", q.OrderBy.Index()), "bucket"}
	}
	for i := range q.group {
		order = append(order, rank(fmt.Sprintf("k%d", i)))
	}
	return strings.Join(append(order, rank("currency")), ", ")
}

// whereSQL restricts rows to the range, all filters and one of anyOf.
func (q question) whereSQL(t table, s *statement) string {
	var parts []string
	if t.where != "" {
		parts = append(parts, t.where)
	}
	if !q.From.IsZero() {
		parts = append(parts, t.start+" >= CAST("+s.bind(q.From.UTC().Format(time.DateOnly))+" AS DATE)")
	}
	if !q.To.IsZero() {
		parts = append(parts, t.start+" < CAST("+s.bind(q.To.UTC().Format(time.DateOnly))+" AS DATE)")
	}
	for _, c := range q.filter {
		parts = append(parts, c.sql(t, s))
	}
	if len(q.anyOf) > 0 {
		var any []string
		for _, c := range q.anyOf {
			any = append(any, c.sql(t, s))
		}
		parts = append(parts, "("+strings.Join(any, " OR ")+")")
	}
	if len(parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(parts, " AND ")
}

// sql is the condition's test.
func (c condition) sql(t table, s *statement) string {
	var bound []string
	for _, v := range c.values {
		if v != "" {
			bound = append(bound, s.bind(v))
		}
	}
	in := t.in(c.column, bound, slices.Contains(c.values, ""))
	if c.not {
		return "NOT COALESCE(" + in + ", false)"
	}
	return in
}

// servingTable answers from a rollup. A value that occurs nowhere becomes NULL as an ENUM: no row is in it.
//
// An ENUM is never what a sort or a result is made of: for a type of half a million values DuckDB 1.5.5 takes seconds,
// because both spell out the whole type. Its codes are in the order of its texts.
func servingTable(s *serving, r rollup) table {
	schema := s.schema
	return table{
		rank: func(key string) string { return "enum_code(" + key + ")" },
		from: schema + "." + r.name, day: "day", start: "day", key: ident, count: "CAST(sum(charges) AS BIGINT)", sum: s.sumSQL,
		in: func(column string, bound []string, blank bool) string {
			if blank {
				bound = append(bound, "''")
			}
			for i, b := range bound {
				bound[i] = "TRY_CAST(" + b + " AS " + schema + "." + ident(enumType(column)) + ")"
			}
			return ident(column) + " IN (" + strings.Join(bound, ", ") + ")"
		},
	}
}

// lakeTable answers from the lake's own files, less the charges that lost to another source.
func lakeTable(schema string, files []string) table {
	return table{
		from:  "read_parquet(" + texts(files) + ") c",
		day:   "CAST(ChargePeriodStart AS DATE)",
		start: "ChargePeriodStart",
		key:   func(column string) string { return "COALESCE(" + ident(column) + ", '')" },
		rank:  func(key string) string { return key },
		in:    lakeIn,
		sum:   func(m outlay.Measure) string { return "sum(" + ident(string(m)) + ")" },
		count: "count(*)",
		where: "NOT EXISTS (SELECT 1 FROM " + schema + ".losers l WHERE " + lostSQL("c", "l") + ")",
	}
}

// lakeIn compares the bare column, so that the reader can leave out row groups by their figures.
func lakeIn(column string, bound []string, blank bool) string {
	var parts []string
	if len(bound) > 0 {
		parts = append(parts, ident(column)+" IN ("+strings.Join(bound, ", ")+")")
	}
	if blank {
		parts = append(parts, ident(column)+" IS NULL", ident(column)+" = ''")
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

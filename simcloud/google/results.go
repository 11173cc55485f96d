package google

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// readRows reads a page of a job's results as they go over the wire: {"f":[{"v":…},…]}.
func (c *Cloud) readRows(j *job, start, n int64, micros bool) ([]any, error) {
	out := []any{}
	if n == 0 {
		return out, nil
	}
	err := c.scan(j.columns, j.physical(), start, n, func(values []any) {
		out = append(out, record(j.columns, values, micros))
	})
	return out, err
}

// scan reads rows in the order in which they were stored.
func (c *Cloud) scan(columns []column, from string, start, n int64, each func([]any)) error {
	db, err := c.data()
	if err != nil {
		return err
	}
	rows, err := db.QueryContext(context.Background(), fmt.Sprintf("SELECT %s FROM %s ORDER BY rowid LIMIT %d OFFSET %d", columnList(columns), from, n, start))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		values, pointers := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return err
		}
		each(values)
	}
	return rows.Err()
}

func columnList(columns []column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = quoted(c.Name)
	}
	return strings.Join(names, ", ")
}

func record(columns []column, values []any, micros bool) obj {
	cells := make([]any, len(columns))
	for i, col := range columns {
		cells[i] = obj{"v": cell(col, values[i], micros)}
	}
	return obj{"f": cells}
}

// cell writes one value. Every scalar is a text, null is null; a list that is NULL is an empty one.
func cell(c column, v any, micros bool) any {
	if c.Mode == "REPEATED" {
		list, _ := v.([]any)
		out := []any{}
		one := c
		one.Mode = "NULLABLE"
		for _, item := range list {
			out = append(out, obj{"v": cell(one, item, micros)})
		}
		return out
	}
	if v == nil {
		return nil
	}
	if c.Type == "RECORD" {
		return record(c.Fields, members(c, v), micros)
	}
	return scalarText(c.Type, v, micros)
}

// members gives the values of a record in the order of its fields.
func members(c column, v any) []any {
	m, _ := v.(map[string]any)
	out := make([]any, len(c.Fields))
	for i, f := range c.Fields {
		out[i] = m[f.Name]
	}
	return out
}

func scalarText(typ string, v any, micros bool) string {
	switch x := v.(type) {
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case float64:
		return floatText(x)
	case *big.Int:
		return x.String()
	case duckdb.Decimal:
		return decimalText(x)
	case time.Time:
		if typ == "DATE" {
			return x.UTC().Format("2006-01-02")
		}
		if micros {
			return strconv.FormatInt(x.UnixMicro(), 10)
		}
		return strconv.FormatFloat(float64(x.UnixMicro())/1e6, 'E', -1, 64)
	}
	return fmt.Sprint(v)
}

// floatText is how BigQuery writes FLOAT64: always with a point or an exponent.
func floatText(x float64) string {
	s := strconv.FormatFloat(x, 'g', -1, 64)
	if !strings.ContainsAny(s, ".eIN") {
		s += ".0"
	}
	return s
}

// decimalText is a NUMERIC without trailing zeros.
func decimalText(d duckdb.Decimal) string {
	s := new(big.Int).Abs(d.Value).String()
	scale := int(d.Scale)
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	out := s[:len(s)-scale]
	if frac := strings.TrimRight(s[len(s)-scale:], "0"); frac != "" {
		out += "." + frac
	}
	if d.Value.Sign() < 0 {
		out = "-" + out
	}
	return out
}

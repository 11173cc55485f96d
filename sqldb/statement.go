package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"strings"
)

// querier is a transaction of either database.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// tx is one organization's rows within a transaction. It implements outlay.Tx; each file has the part of one noun.
type tx struct {
	q   querier
	org string
}

// statement is one SQL text with its values. doing says what it is for, in errors: "reading the users".
type statement struct {
	doing, text string
	args        []any
}

func say(doing, text string, args ...any) statement {
	for i, a := range args {
		if v := reflect.ValueOf(a); v.Kind() == reflect.String {
			args[i] = clean(v.String())
		}
	}
	return statement{doing: doing, text: text, args: args}
}

// clean takes out what PostgreSQL cannot keep in a text: NUL and broken UTF-8. Clouds put both into messages.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// row is what a scan function reads from.
type row interface{ Scan(into ...any) error }

// run executes a change and tells how many rows it touched.
func run(ctx context.Context, q querier, s statement) (int64, error) {
	result, err := q.ExecContext(ctx, s.text, s.args...)
	if err != nil {
		return 0, failed(s.doing, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, failed(s.doing, err)
	}
	return n, nil
}

// list reads all rows.
func list[T any](ctx context.Context, q querier, s statement, scan func(row) (T, error)) (out []T, err error) {
	rows, err := q.QueryContext(ctx, s.text, s.args...)
	if err != nil {
		return nil, failed(s.doing, err)
	}
	defer func() {
		if e := rows.Close(); e != nil && err == nil {
			err = failed(s.doing, e)
		}
	}()
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, failed(s.doing, err)
		}
		out = append(out, item)
	}
	if err := rows.Err(); err != nil {
		return nil, failed(s.doing, err)
	}
	return out, nil
}

// errNone is what first returns when there is no row.
var errNone = errors.New("no row")

// first reads the first row; errNone when there is none.
func first[T any](ctx context.Context, q querier, s statement, scan func(row) (T, error)) (T, error) {
	var zero T
	all, err := list(ctx, q, s, scan)
	if err != nil {
		return zero, err
	}
	if len(all) == 0 {
		return zero, errNone
	}
	return all[0], nil
}

// find is first with CodeNotFound for none; what names the thing: "cloud account".
func find[T any](ctx context.Context, q querier, s statement, what string, scan func(row) (T, error)) (T, error) {
	item, err := first(ctx, q, s, scan)
	if errors.Is(err, errNone) {
		return item, notFound(what)
	}
	return item, err
}

// scalar scans one column.
func scalar[T any](r row) (T, error) {
	var v T
	err := r.Scan(&v)
	return v, err
}

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	engine "github.com/duckdb/duckdb-go/v2"

	"outlay"
)

// The engine says that a value is bad, not where. These functions look for the place afterwards, so that good files,
// which are nearly all, pay nothing for it.

const fixValue = "Correct the file, or ask whoever made it, and deliver it again."

// diagnose turns a failure of the engine over a batch into a refusal that names file, line or row, and column.
func (p *parsing) diagnose(ctx context.Context, b batch, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if isDiskFull(cause) {
		return diskFull(cause)
	}
	if e, ok := errors.AsType[*engine.Error](cause); ok && e.Type == engine.ErrorTypeOutOfMemory {
		return outlay.Errorf(outlay.CodeUnavailable, "Give the parser a larger memory limit.", "%s needs more memory than the parser has: %w", b.names(), cause)
	}
	if err := p.structure(b, nil); err != nil {
		return err
	}
	if err := p.damage(ctx, b); err != nil {
		return err
	}
	for _, c := range outlay.FocusColumns() {
		if !delivered(c.Name) || b.kind(c.Name) == "" || c.Type == outlay.FocusText {
			continue
		}
		x, kind := ident(c.Name), b.kind(c.Name)
		bad := fmt.Sprintf("%s IS NOT NULL AND TRY(%s) IS NULL", x, normalised(c, x, kind))
		if c.Type == outlay.FocusTextMap && kind == "VARCHAR" {
			bad = fmt.Sprintf("trim(%s) <> '' AND TRY(%s) IS NULL", x, normalised(c, x, kind))
		}
		if at, err := p.locate(ctx, b, c.Name, bad); err == nil && at.found {
			return invalid(at.place(), fixValue, "%s: %s is not %s", at.place(), shortText(at.value), kindOf(c.Type))
		}
	}
	return outlay.Errorf(outlay.CodeInvalid, redeliver, "%s could not be normalised: %w", b.names(), plainEngine(cause)).InField(b.names())
}

// kindOf says what a value of a type should be.
func kindOf(t outlay.FocusType) string {
	switch t {
	case outlay.FocusCost:
		return "an amount (at most 20 digits before the point)"
	case outlay.FocusNumber:
		return "a finite number"
	case outlay.FocusTime:
		return "a time such as 2026-10-01T00:00:00Z"
	}
	return "a JSON object of texts"
}

// shortText quotes a value for a message, cut to a size that can be read.
func shortText(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// structure looks for a CSV record that does not fit the header; without one it returns otherwise.
func (p *parsing) structure(b batch, otherwise error) error {
	if b.parquet() {
		return otherwise
	}
	for _, in := range b.files {
		line, why, err := csvFault(in)
		if err != nil {
			return readFailure(in.name, err)
		}
		if line > 0 {
			place := fmt.Sprintf("%s line %d", in.name, line)
			return invalid(place, redeliver, "%s: %s", place, why)
		}
	}
	return otherwise
}

// damage looks for a Parquet file that does not read to its end.
func (p *parsing) damage(ctx context.Context, b batch) error {
	if !b.parquet() {
		return nil
	}
	for _, in := range b.files {
		var n int64
		err := p.db.QueryRowContext(ctx, "SELECT count(hash(t)) FROM read_parquet("+texts([]string{in.path})+") t").Scan(&n)
		if err != nil {
			return unreadable(in, err)
		}
	}
	return nil
}

// unreadable says that the engine could not read a file.
func unreadable(in input, err error) error {
	if isDiskFull(err) {
		return diskFull(err)
	}
	return outlay.Errorf(outlay.CodeInvalid, redeliver, "%s could not be read: it is damaged or no cost file: %w", in.name, plainEngine(err)).InField(in.name)
}

// place is where a value was found.
type place struct {
	found  bool
	file   string
	column string
	line   int   // of CSV; 0 when unknown
	row    int64 // of Parquet, from 1; 0 when unknown
	value  string
}

func (a place) place() string {
	at := a.file
	if a.line > 0 {
		at += fmt.Sprintf(" line %d", a.line)
	}
	if a.row > 0 {
		at += fmt.Sprintf(" row %d", a.row)
	}
	return at + ", column " + a.column
}

// locate finds the first row of the batch whose delivered column meets a condition.
func (p *parsing) locate(ctx context.Context, b batch, name, condition string) (place, error) {
	row, order := "0", ""
	if b.parquet() {
		row, order = "file_row_number", "ORDER BY filename, file_row_number"
	}
	var path, value string
	var at int64
	var null bool
	err := p.db.QueryRowContext(ctx, fmt.Sprintf("SELECT filename, %s, %s IS NULL, COALESCE(CAST(%s AS VARCHAR), '') FROM %s WHERE %s %s LIMIT 1",
		row, ident(name), ident(name), b.scanSQL(true), condition, order)).Scan(&path, &at, &null, &value)
	if err != nil {
		return place{}, err
	}
	in := b.file(path)
	found := place{found: true, file: in.name, column: name, value: value}
	if b.parquet() {
		found.row = at + 1
		return found, nil
	}
	values := []string{value}
	if null {
		values = []string{"", "NULL"}
	}
	found.line, err = csvLine(in, name, values...)
	return found, err
}

// emptyValue names the row that lacks a required value, or the file that lacks the column.
func (p *parsing) emptyValue(ctx context.Context, b batch) error {
	for _, c := range outlay.FocusColumns() {
		if !c.Required {
			continue
		}
		if b.kind(c.Name) == "" && !hasCost(b) && p.job.Mapping.SQL != FocusMapping().SQL {
			continue // a bill of another kind, whose mapping makes the column
		}
		if b.kind(c.Name) == "" {
			return invalid(b.files[0].name+", column "+c.Name, "A FOCUS file has all four costs, its currency, its category and its periods.", "%s has no column %s", b.names(), c.Name)
		}
		if mayBeBlank(c.Name) {
			continue
		}
		x := ident(c.Name)
		condition := x + " IS NULL"
		if c.Type == outlay.FocusText {
			condition += " OR CAST(" + x + " AS VARCHAR) = ''"
		}
		if at, err := p.locate(ctx, b, c.Name, condition); err == nil && at.found {
			return invalid(at.place(), fixValue, "%s: there is no value", at.place())
		}
	}
	return invalid(b.names(), fixValue, "%s has rows without a cost, currency, category or period", b.names())
}

// strangeTime names a row whose time is of no bill.
func (p *parsing) strangeTime(ctx context.Context, b batch) error {
	for _, c := range outlay.FocusColumns() {
		if !c.Required || c.Type != outlay.FocusTime || b.kind(c.Name) == "" {
			continue
		}
		x := normalised(c, ident(c.Name), b.kind(c.Name))
		at, err := p.locate(ctx, b, c.Name, "NOT isfinite("+x+") OR year("+x+") NOT BETWEEN 2000 AND 2199")
		if err == nil && at.found {
			return invalid(at.place(), fixValue, "%s: %s is of no bill", at.place(), shortText(at.value))
		}
	}
	return invalid(b.names(), fixValue, "%s has times that are of no bill", b.names())
}

// wrongMonth names a row of another month than the delivery's.
func (p *parsing) wrongMonth(ctx context.Context, b batch, found outlay.Period) error {
	field := b.names()
	const name = "BillingPeriodStart"
	if kind := b.kind(name); kind != "" {
		x := timeSQL(ident(name), kind)
		if at, err := p.locate(ctx, b, name, "date_trunc('month', "+x+") = "+timestamp(found.Start())); err == nil && at.found {
			field = at.place()
		}
	}
	return invalid(field, redeliver, "%s: a charge of %s in the delivery of %s", field, found, p.job.Period)
}

// engineFailure wraps a failure that no file can be blamed for.
func engineFailure(err error, doing string) error {
	if e, ok := errors.AsType[*engine.Error](err); ok && e.Type == engine.ErrorTypeOutOfMemory {
		return outlay.Errorf(outlay.CodeUnavailable, "Give the parser a larger memory limit.", "%s needs more memory than there is: %w", doing, plainEngine(err))
	}
	return diskOr(err, doing)
}

func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || err != nil && strings.Contains(err.Error(), "No space left on device")
}

var quotedPath = regexp.MustCompile(`"?(/[^\s"']+/)([^\s"'/]+)"?`)

// plainEngine is the first line of what the engine says, with files by their base names.
func plainEngine(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(quotedPath.ReplaceAllStringFunc(line, func(s string) string { return filepath.Base(strings.Trim(s, `"`)) }))
}

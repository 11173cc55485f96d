// Package outlay holds the words and contracts of the product: what an organization, a cloud account, a source, a
// delivery and a charge are, and what a provider, a store and a cost engine must do. It imports the standard library
// only (and a decimal library in money.go). Every other room implements or uses what is written here.
package outlay

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"
)

// Clock tells the time. Rooms never call time.Now themselves: tests and the demo move the clock.
type Clock interface {
	// Now is the present instant in UTC.
	Now() time.Time
}

// SystemClock is the machine's clock in UTC.
type SystemClock struct{}

// Now is the machine's present instant in UTC, cut to microseconds so that it survives every store unchanged.
func (SystemClock) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Period is a billing month, written as '2026-10'. The zero value is no period.
type Period string

// ParsePeriod reads '2026-10'. Any other shape is CodeInvalid.
func ParsePeriod(s string) (Period, error) {
	if _, err := time.Parse("2006-01", s); err != nil || len(s) != 7 {
		return "", Errorf(CodeInvalid, "Write a month as 2026-10.", "%q is not a billing period", s)
	}
	return Period(s), nil
}

// PeriodOf is the billing month that holds t, in UTC.
func PeriodOf(t time.Time) Period { return Period(t.UTC().Format("2006-01")) }

// Start is the first instant of the month in UTC.
func (p Period) Start() time.Time {
	t, _ := time.Parse("2006-01", string(p))
	return t
}

// End is the first instant of the next month: period ends are exclusive (FOCUS).
func (p Period) End() time.Time { return p.Start().AddDate(0, 1, 0) }

// NewID makes an identifier such as acc_6GZ…: a prefix that says of what, and 128 random bits as lower-case base32.
func NewID(prefix string) string { return prefix + "_" + strings.ToLower(rand.Text()) }

// Column is one column of a Table.
type Column struct {
	Name  string `json:"name"`  // machine name: json key and CSV header
	Title string `json:"title"` // for people
	Right bool   `json:"right"` // figures, aligned right
}

// Table is a finished answer: what a page, a CSV file, JSON and a terminal all show. Cells are already text; amounts
// are plain decimal strings ('-12.34'), times RFC 3339 in UTC. Every row has exactly one cell per column.
type Table struct {
	Columns []Column   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// Add appends a row and panics when it does not fit the columns: that is a fault of the program.
func (t *Table) Add(cells ...string) {
	if len(cells) != len(t.Columns) {
		panic(fmt.Sprintf("outlay: a row of %d cells in a table of %d columns", len(cells), len(t.Columns)))
	}
	t.Rows = append(t.Rows, cells)
}

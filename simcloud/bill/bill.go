// Package bill generates AWS bills in the shape of Data Exports' FOCUS 1.2 table: one month, one Parquet file, written
// by DuckDB SQL so that ten million rows take seconds. A bill is a pure function of its Spec: the same Spec gives the
// same rows, a later Revision restates a few per cent of them, and a later Through only adds days.
package bill

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // the driver "duckdb"

	"outlay"
)

// Account is an AWS account on a bill.
type Account struct {
	ID   string // 12 digits
	Name string
}

// Spec says what a bill holds. The zero value of a count or list means a default of a demo's size.
type Spec struct {
	Payer    Account
	Accounts []Account // who uses; the payer may be among them. None means the payer alone.
	// Only keeps the rows of these sub accounts: what a member account's own export holds. Empty keeps all.
	Only   []string
	Period outlay.Period
	// Through is the exclusive end of what has been used so far, cut to whole UTC days; zero means the whole month.
	Through time.Time
	Rows    int // usage rows of a whole month, approximately
	// Columns are the columns to write and their order: those that the export's SELECT names. Empty means all 60.
	Columns []string
	Seed    int64
	// Revision counts restatements: each one changes 2.5 % of the rows and adds a credit and a refund; the first also
	// brings the rows that came late.
	Revision int

	Split bool // reports only: rows of split cost allocation, which repeat usage

	TagPrefix string // what stands before a person's tag keys: "user_" (which also writes them in snake case), "user:" or ""
	// Tagged lists the active tag keys; no other occurs. Keys beyond the nine are allowed.
	Tagged []string
	// ActiveSince tells from which day on a key is written; a key without an entry always is.
	ActiveSince  map[string]time.Time
	Organization string // value of OrganizationID

	// The values of User, GroupID, Project and Pool. Empty means a small realistic set.
	Users, Groups, Projects, Pools []string
	Sessions                       int // distinct sessions of the month
	Resources                      int // distinct resources of the month, approximately
	// Skew is the sigma of the log-normal sizes of resources: 0.8 by default; 2.1 puts about half of the spend on 1 %.
	Skew float64
}

// Totals are the sums that a reader of the bill must find. They come from the generator's integers (units of 1e-10),
// not from the DOUBLE values of the file.
type Totals struct {
	Rows int64
	// Sums are exact decimal texts without trailing zeros, in USD.
	Sums map[outlay.Measure]string
}

// Open opens an in-memory DuckDB to generate bills with.
func Open() (*sql.DB, error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return nil, fmt.Errorf("opening DuckDB: %w", err)
	}
	return db, nil
}

// Write writes the bill as one snappy Parquet file at path, replacing it, and returns its totals. A Spec that makes no
// sense (no period, an unknown column) is CodeInvalid.
func Write(ctx context.Context, db *sql.DB, s Spec, path string) (Totals, error) {
	s = s.withDefaults()
	if err := s.check(); err != nil {
		return Totals{}, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return Totals{}, fmt.Errorf("generating a bill: %w", err)
	}
	defer func() { _ = conn.Close() }() // what failed before says more
	g := newGenerator(s)
	for _, stmt := range g.setUp() {
		if _, err := conn.ExecContext(ctx, stmt); err != nil {
			return Totals{}, fmt.Errorf("preparing a bill of %s: %w", s.Period, err)
		}
	}
	stmt := fmt.Sprintf("COPY (%s) TO %s (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 122880)", g.rows(), quote(path))
	if _, err := conn.ExecContext(ctx, stmt); err != nil {
		return Totals{}, fmt.Errorf("writing a bill of %s: %w", s.Period, err)
	}
	return g.totals(ctx, conn)
}

func (s Spec) withDefaults() Spec {
	if len(s.Accounts) == 0 {
		s.Accounts = []Account{s.Payer}
	}
	if len(s.Columns) == 0 {
		s.Columns = Columns()
	}
	if s.Through.IsZero() || s.Through.After(s.Period.End()) {
		s.Through = s.Period.End()
	}
	s.Through = s.Through.UTC().Truncate(24 * time.Hour)
	s.Users = orElse(s.Users, Names("user", 24))
	s.Groups = orElse(s.Groups, Names("group", 6))
	s.Projects = orElse(s.Projects, Names("project", 12))
	s.Pools = orElse(s.Pools, Names("pool", 8))
	if s.Organization == "" {
		s.Organization = "org-northfield"
	}
	if s.Sessions == 0 {
		s.Sessions = max(20, s.Rows/40)
	}
	if s.Resources == 0 {
		s.Resources = max(60, s.Rows/15)
	}
	if s.Skew == 0 {
		s.Skew = 0.8
	}
	return s
}

func orElse(given, otherwise []string) []string {
	if len(given) > 0 {
		return given
	}
	return otherwise
}

func (s Spec) check() error {
	if _, err := outlay.ParsePeriod(string(s.Period)); err != nil {
		return err
	}
	if s.Payer.ID == "" || s.Rows < 0 {
		return outlay.Errorf(outlay.CodeInvalid, "Name the payer and a number of rows.", "a bill needs a payer and rows")
	}
	for _, c := range s.Columns {
		if !slices.Contains(Columns(), c) {
			return outlay.Errorf(outlay.CodeInvalid, "Use a column of FOCUS_1_2_AWS.", "a bill has no column %q", c)
		}
	}
	return nil
}

// days is how many whole days of the month have been used.
func (s Spec) days() int {
	return max(0, int(s.Through.Sub(s.Period.Start())/(24*time.Hour)))
}

// monthDays is how many days the month has.
func (s Spec) monthDays() int {
	return int(s.Period.End().Sub(s.Period.Start()) / (24 * time.Hour))
}

// closed tells whether the month is over, and so invoiced.
func (s Spec) closed() bool { return !s.Through.Before(s.Period.End()) }

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

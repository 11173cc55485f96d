package bill

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"outlay"
)

// GoogleProject is a project on a Google bill.
type GoogleProject struct {
	ID, Number, Name string
	Labels           map[string]string
}

// GoogleSpec says what one invoice month of a Google billing account holds. Like Spec it is a pure function: a further
// Revision only adds rows, as Google only ever adds. Days are Pacific days (08:00 to 08:00 UTC; summer time is left out), which is how the
// invoice month is cut, so that usage of the month's last evening begins in the next month of UTC.
type GoogleSpec struct {
	BillingAccount string
	Projects       []GoogleProject
	Period         outlay.Period // invoice month
	Rows           int           // usage rows of a whole month, approximately
	Seed           int64
	Organization   string // value of the label organizationid

	Users, Groups, ProjectNames, Pools []string
}

// The kinds of the export's tables.
const (
	GoogleDetailed = "detailed"
	GoogleStandard = "standard"
	GoogleFocus    = "focus"
)

// GooglePart cuts rows out of a month: the days [From, To) of the first writing, or the rows that restatement Revision
// (from 1 on) adds.
type GooglePart struct {
	From, To   time.Time // Pacific days as UTC midnights
	Revision   int       // 0: the first writing
	ExportTime time.Time
}

// GoogleTotals are the sums that a reader of a month must find, as exact decimals in USD, from the generator's integers.
type GoogleTotals struct {
	Rows                     int64
	Cost, Credits, Net, List string
}

func (s GoogleSpec) withDefaults() GoogleSpec {
	s.Users = orElse(s.Users, Names("user", 24))
	s.Groups = orElse(s.Groups, Names("group", 6))
	s.ProjectNames = orElse(s.ProjectNames, Names("project", 12))
	s.Pools = orElse(s.Pools, Names("pool", 8))
	if s.Organization == "" {
		s.Organization = "org-northfield"
	}
	return s
}

// GoogleSetUp gives the statements that make the temporary table bill_google: every charge of the month, with the
// revision that brings it. It must run before GoogleRows and GoogleSums of the same month, on the same connection.
func GoogleSetUp(s GoogleSpec) []string {
	s = s.withDefaults()
	g := googleGenerator{s}
	return append(g.tables(), "CREATE OR REPLACE TEMP TABLE bill_google AS "+g.charges())
}

// GoogleRows is the SELECT of a part in the shape of an export's table, in the order of Google's columns.
func GoogleRows(kind string, part GooglePart) string {
	stamp := googleStamp(part.ExportTime)
	columns := googleUsageColumns(kind == GoogleDetailed, stamp)
	if kind == GoogleFocus {
		columns = googleFocusColumns(stamp)
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM bill_google WHERE " + part.where()
}

func (p GooglePart) where() string {
	return fmt.Sprintf("revision = %d AND day >= DATE '%s' AND day < DATE '%s'", p.Revision, p.From.Format("2006-01-02"), p.To.Format("2006-01-02"))
}

// GoogleSums adds up parts of the month that GoogleSetUp made.
func GoogleSums(ctx context.Context, db *sql.DB, parts ...GooglePart) (GoogleTotals, error) {
	var wheres []string
	for _, p := range parts {
		wheres = append(wheres, "("+p.where()+")")
	}
	if len(wheres) == 0 {
		wheres = []string{"false"}
	}
	query := "SELECT count(*), coalesce(sum(cost), 0)::VARCHAR, coalesce(sum(credit_1 + credit_2), 0)::VARCHAR, coalesce(sum(cost + credit_1 + credit_2), 0)::VARCHAR, coalesce(sum(list), 0)::VARCHAR FROM bill_google WHERE " + strings.Join(wheres, " OR ")
	var t GoogleTotals
	var sums [4]string
	if err := db.QueryRowContext(ctx, query).Scan(&t.Rows, &sums[0], &sums[1], &sums[2], &sums[3]); err != nil {
		return t, fmt.Errorf("summing a bill: %w", err)
	}
	for i, to := range []*string{&t.Cost, &t.Credits, &t.Net, &t.List} {
		a, err := outlay.ParseAmount(sums[i]+"e-6", "USD")
		if err != nil {
			return t, fmt.Errorf("summing a bill: %w", err)
		}
		*to = a.String()
	}
	return t, nil
}

func googleStamp(t time.Time) string {
	return "TIMESTAMP " + quote(t.UTC().Format("2006-01-02 15:04:05.999999"))
}

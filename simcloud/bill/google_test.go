package bill

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"outlay"
)

func googleDemo(p outlay.Period) GoogleSpec {
	return GoogleSpec{
		BillingAccount: "01AB23-45CD67-89EF01", Period: p, Rows: 900, Seed: 5,
		Projects: []GoogleProject{{ID: "nf-billing", Number: "100000000001", Name: "Billing"}, {ID: "nf-cfd", Number: "100000000002", Name: "Fluids", Labels: map[string]string{"team": "cfd"}}},
	}
}

// googleTables makes the three tables of a month with all of its revisions.
func googleTables(t *testing.T, db *sql.DB, s GoogleSpec) []GooglePart {
	t.Helper()
	run(t, db, GoogleSetUp(s)...)
	var parts []GooglePart
	for r := range googleRevisions + 1 {
		parts = append(parts, GooglePart{From: s.Period.Start(), To: s.Period.End(), Revision: r, ExportTime: s.Period.End().Add(time.Duration(r) * time.Hour)})
	}
	for _, kind := range []string{GoogleDetailed, GoogleStandard, GoogleFocus} {
		run(t, db, "CREATE OR REPLACE TEMP TABLE "+kind+" AS "+GoogleRows(kind, parts[0]))
		for _, p := range parts[1:] {
			run(t, db, "INSERT INTO "+kind+" "+GoogleRows(kind, p))
		}
	}
	return parts
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
}

func value(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var out sql.NullString
	if err := db.QueryRowContext(t.Context(), "SELECT ("+query+")::VARCHAR").Scan(&out); err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	return out.String
}

func TestGoogleTablesTellOneStory(t *testing.T) {
	db := openDB(t)
	db.SetMaxOpenConns(1)
	s := googleDemo("2026-10")
	totals, err := GoogleSums(t.Context(), db, googleTables(t, db, s)...)
	if err != nil {
		t.Fatal(err)
	}
	const net = "sum(cost::DECIMAL(38,9) + coalesce(list_sum(list_transform(credits, lambda c: c.amount::DECIMAL(38,9))), 0)) FROM "
	for _, c := range []struct{ what, query, want string }{
		{"rows, detailed", "SELECT count(*) FROM detailed", fmt.Sprint(totals.Rows)},
		{"rows, FOCUS", "SELECT count(*) FROM focus", fmt.Sprint(totals.Rows)},
		{"net, detailed", "SELECT " + net + "detailed", totals.Net},
		{"net, standard", "SELECT " + net + "standard", totals.Net},
		{"net, FOCUS", "SELECT sum(BilledCost) FROM focus", totals.Net},
		{"gross, FOCUS", "SELECT sum(ContractedCost) FROM focus", totals.Cost},
		{"the identity on every row", "SELECT count(*) FROM focus WHERE BilledCost <> ContractedCost + coalesce(list_sum(list_transform(x_Credits, lambda c: c.Amount)), 0)", "0"},
		{"two credits in one row", "SELECT count(*) > 5 FROM detailed WHERE len(credits) = 2", "true"},
		{"credit types", "SELECT count(DISTINCT c.type) >= 5 FROM (SELECT unnest(credits) AS c FROM detailed)", "true"},
		{"negative corrections", "SELECT count(*) > 5 FROM detailed WHERE cost < 0 AND cost_type = 'regular'", "true"},
		{"adjustments", "SELECT count(*) FROM detailed WHERE adjustment_info.type IS NOT NULL AND cost < 0", fmt.Sprint(googleRevisions)},
		{"taxes without a project", "SELECT count(*) FROM detailed WHERE cost_type = 'tax' AND project IS NULL", "1"},
		{"usage of the last evening is in the next month of UTC", "SELECT count(*) > 0 FROM detailed WHERE usage_start_time >= TIMESTAMP '2026-11-01'", "true"},
		{"one invoice month", "SELECT string_agg(DISTINCT invoice.month, ' ') FROM detailed", "202610"},
		{"labels Google would take", "SELECT count(*) FROM (SELECT unnest(labels) AS l FROM detailed) WHERE NOT regexp_matches(l.key, '^[a-z][a-z0-9_-]*$') OR NOT regexp_matches(l.value, '^[a-z0-9_-]{0,63}$')", "0"},
		{"sessions", "SELECT count(*) > 50 FROM detailed WHERE list_contains(list_transform(labels, lambda l: l.key), 'sessionid')", "true"},
		{"project labels", "SELECT count(*) > 10 FROM detailed WHERE project.labels[1].key = 'team'", "true"},
		{"columns of FOCUS", "SELECT count(*) FROM (DESCRIBE focus)", "55"},
	} {
		got := value(t, db, c.query)
		if a, err := outlay.ParseAmount(got, "USD"); err == nil {
			got = a.String()
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	run(t, db, GoogleSetUp(s)...)
	again, err := GoogleSums(t.Context(), db, GooglePart{From: s.Period.Start(), To: s.Period.End()})
	if err != nil || again.Rows < 850 || again.Rows >= totals.Rows {
		t.Errorf("the first writing has %d of %d rows, %v", again.Rows, totals.Rows, err)
	}
}

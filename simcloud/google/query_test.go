package google_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"outlay/simcloud/google"
)

// exported is a world whose export of one kind has been delivered, and the table's full name.
func exported(t *testing.T, o google.Options, kind string) (*world, *clients, string) {
	t.Helper()
	w := newWorld(t, o)
	c := w.as("outlay", "*")
	if err := c.bq.Dataset(dataset).Create(t.Context(), &bigquery.DatasetMetadata{Location: "US"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Export(payer, kind, host, dataset); err != nil {
		t.Fatal(err)
	}
	w.deliver(4)
	in := dataset
	if kind == google.Focus {
		in = google.LinkedDataset(payer, "US")
	}
	return w, c, "`" + host + "." + in + "." + google.TableName(kind, payer) + "`"
}

func TestGoogleSQL(t *testing.T) {
	_, c, table := exported(t, google.Options{RowsPerMonth: 120}, google.Detailed)
	day := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		sql    string
		params []bigquery.QueryParameter
		want   string
	}{
		{sql: "SELECT 1 + 1, 'it''s'", want: ""},
		{sql: `SELECT "a\"b", r'\d', 'x' -- a comment` + "\n", want: `[a"b \d x]`},
		{sql: "SELECT FORMAT_DATE('%Y-%m', DATE '2026-10-03'), DATE(TIMESTAMP '2026-10-03 23:00:00', 'UTC'), DATE_SUB(DATE '2026-10-03', INTERVAL 5 DAY)", want: "[2026-10 2026-10-03 2026-09-28]"},
		{sql: "SELECT CAST(CAST('1.50' AS NUMERIC) AS STRING), SAFE_CAST('x' AS INT64), CAST(2 AS STRING)", want: "[1.5 <nil> 2]"},
		{sql: "SELECT IF(1 < 2, 'yes', 'no'), COALESCE(NULL, 'b'), IFNULL(NULL, 3)", want: "[yes b 3]"},
		{sql: "SELECT @m, @n, @t", params: []bigquery.QueryParameter{{Name: "m", Value: "202610"}, {Name: "n", Value: 7}, {Name: "t", Value: day}}, want: "[202610 7 2026-10-01 00:00:00 +0000 UTC]"},
		{sql: "SELECT COUNT(*) > 50 FROM " + table + " WHERE invoice.month IN UNNEST(@months)", params: []bigquery.QueryParameter{{Name: "months", Value: []string{"202610", "202609"}}}, want: "[true]"},
		{sql: "SELECT COUNT(*) > 0 FROM " + table + " WHERE _PARTITIONTIME >= TIMESTAMP '2026-11-16' AND export_time < TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR)", want: "[true]"},
		{sql: "SELECT COUNTIF((SELECT COUNT(*) FROM UNNEST(credits)) = 2) > 0 FROM " + table, want: "[true]"},
		{sql: "SELECT MAX((SELECT l.value FROM UNNEST(labels) AS l WHERE l.key = 'organizationid')) FROM " + table, want: "[org-northfield]"},
		{sql: "WITH m AS (SELECT invoice.month AS month, SUM(CAST(cost AS NUMERIC)) AS total FROM " + table + " GROUP BY 1) SELECT COUNT(*), MIN(month) FROM m WHERE total > 0", want: "[2 202610]"},
		{sql: "SELECT SUM(amount) < 0 FROM (SELECT (SELECT SUM(amount) FROM UNNEST(credits)) AS amount FROM " + table + ")", want: "[true]"},
		{sql: "SELECT COUNT(DISTINCT t.invoice.month) FROM " + table + " t, UNNEST(t.credits) c", want: "[2]"},
		{sql: "SELECT TO_JSON_STRING(STRUCT(1 AS a, 'x' AS b)), SAFE_DIVIDE(1, 0), TIMESTAMP_TRUNC(TIMESTAMP '2026-10-05 01:00:00', MONTH)", want: `[{"a":1,"b":"x"} <nil> 2026-10-01 00:00:00 +0000 UTC]`},
	} {
		if x.want == "" { // GoogleSQL has no doubled quotes: two literals side by side are a mistake
			_, err := c.query(t.Context(), x.sql)
			wantReason(t, err, 400, "invalidQuery")
			continue
		}
		if got := fmt.Sprint(c.row(t, x.sql, x.params...)); got != x.want {
			t.Errorf("%s\n got %s\nwant %s", x.sql, got, x.want)
		}
	}
}

func TestWhatIsNotUnderstoodIsRefusedByName(t *testing.T) {
	_, c, table := exported(t, google.Options{RowsPerMonth: 60}, google.Standard)
	for sql, word := range map[string]string{
		"SELECT cost::NUMERIC FROM " + table:                                       `":"`,
		"SELECT list_sum([1]) ":                                                    "LIST_SUM",
		"SELECT * EXCLUDE (cost) FROM " + table:                                    "EXCLUDE",
		"SELECT no_such_column FROM " + table:                                      "no_such_column",
		"SELECT resource.name FROM " + table:                                       "resource", // the standard export has none
		"DELETE FROM " + table + " WHERE TRUE":                                     "queries only",
		"SELECT CAST(cost AS DECIMAL128) FROM " + table:                            "DECIMAL128",
		"SELECT @missing":                                                          "missing",
		"SELECT 1 FROM UNNEST([1, 2]) AS a WITH OFFSET":                            "WITH OFFSET",
		"SELECT cost FROM " + table + " FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()": "SYSTEM_TIME",
		"SELECT 'open":  "Unclosed string literal",
		"SELECT (1":     "",
		"SELECT 1 FROM": "",
	} {
		_, err := c.query(t.Context(), sql)
		wantReason(t, err, 400, "invalidQuery")
		if err != nil && !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want %s in it", sql, err, word)
		}
	}
}

func TestTypesComeThroughBothWays(t *testing.T) {
	w, c, table := exported(t, google.Options{RowsPerMonth: 200, PageRows: 37}, google.Focus)
	addr, stop, err := w.StartStorage("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	sql := "SELECT BilledCost, ChargePeriodStart, SubAccountId, x_Credits, x_Labels, x_Project, COUNT(*) OVER () AS n, DATE(BillingPeriodStart, 'UTC') AS d, x_ExportTime IS NULL AS b FROM " + table + " WHERE BillingPeriodStart = TIMESTAMP '2026-10-01'"
	slow, err := c.query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.bq.EnableStorageReadClient(t.Context(), option.WithEndpoint(addr), option.WithoutAuthentication(), option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials()))); err != nil {
		t.Fatal(err)
	}
	it, err := c.bq.Query(sql).Read(t.Context())
	if err != nil || !it.IsAccelerated() {
		t.Fatalf("not through Storage Read: %v", err)
	}
	fast, err := c.query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	if len(slow) < 150 || len(fast) != len(slow) {
		t.Fatalf("%d rows by REST, %d by Storage Read", len(slow), len(fast))
	}
	for i := range slow {
		for k := range slow[i] {
			if a, b := plain(slow[i][k]), plain(fast[i][k]); a != b {
				t.Fatalf("row %d, column %d: %s by REST, %s by Storage Read", i, k, a, b)
			}
		}
	}
	log := w.Requests()
	if last := log[len(log)-1]; last.Operation != "storage.readRows" || last.Fault != "" {
		t.Errorf("the log ends with %+v", last)
	}
}

// plain writes a value so that both ways look alike: decimals exactly, an empty list and none as one.
func plain(v bigquery.Value) string {
	switch x := v.(type) {
	case *big.Rat:
		return x.FloatString(9)
	case []bigquery.Value:
		var out []string
		for _, item := range x {
			out = append(out, plain(item))
		}
		return "[" + strings.Join(out, " ") + "]"
	}
	return fmt.Sprint(v)
}

func TestGuardsAroundAQuery(t *testing.T) {
	w, c, table := exported(t, google.Options{RowsPerMonth: 60}, google.Detailed)
	ctx := t.Context()
	q := c.bq.Query("SELECT cost FROM " + table)
	q.DryRun = true
	job, err := q.Run(ctx)
	if err != nil || job.LastStatus().Statistics.TotalBytesProcessed == 0 {
		t.Errorf("the dry run says %v", err)
	}
	q.DryRun, q.MaxBytesBilled = false, 1<<20
	_, err = q.Read(ctx)
	wantReason(t, err, 400, "bytesBilledLimitExceeded")
	q.MaxBytesBilled = 10 << 20
	if _, err := q.Read(ctx); err != nil {
		t.Errorf("at the minimum: %v", err)
	}
	q.Location = "EU"
	_, err = q.Read(ctx)
	wantReason(t, err, 404, "notFound")
	for _, r := range w.Requests() {
		if r.Operation == "bigquery.jobs.query" && r.Status == 200 && r.Statement != "" && r.Billed != 10<<20 {
			t.Errorf("billed %d for %s", r.Billed, r.Statement)
		}
	}
	reader := w.as("reader", "bigquery.jobs.create")
	_, err = reader.query(ctx, "SELECT cost FROM "+table)
	wantReason(t, err, 403, "accessDenied")
	if err == nil || !strings.Contains(err.Error(), "bigquery.tables.getData") {
		t.Errorf("the refusal does not name the permission: %v", err)
	}
}

func TestJobsThatTakeLong(t *testing.T) {
	_, c, table := exported(t, google.Options{RowsPerMonth: 60, JobLag: 2}, google.Detailed)
	if got := c.row(t, "SELECT COUNT(*) > 10 FROM "+table); got[0] != true {
		t.Errorf("got %v", got)
	}
}

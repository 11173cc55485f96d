//go:build judges

package google_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"outlay/outlaytest"
	"outlay/simcloud/google"
)

func bqemulator(t *testing.T) *bigquery.Client {
	t.Helper()
	address := outlaytest.PythonJudge(t, "bqemulator", "bqemulator", "start", "--rest-port", "{port}", "--grpc-port", "{other}", "--log-level", "warning")
	client := must[*bigquery.Client](t)(bigquery.NewClient(t.Context(), "suite-project", option.WithEndpoint("http://"+address+"/bigquery/v2/"), option.WithoutAuthentication()))
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestTheSuiteOfBqemulator(t *testing.T) { outlaytest.BigQuery(t, bqemulator(t)) }

// The product's own statements give the same rows over the same table, here and at the emulator: so the translation of
// GoogleSQL is judged by somebody else's. Three things of the emulator's are evened out: it has no _PARTITIONTIME, for
// which the time of export stands in; its NUMERIC keeps three decimals, so both sides use BIGNUMERIC; and its
// TO_JSON_STRING of NULL is NULL, where GoogleSQL says 'null'.
func TestStatementsOfBqemulator(t *testing.T) {
	emulator := bqemulator(t)
	if err := emulator.Dataset("copies").Create(t.Context(), &bigquery.DatasetMetadata{}); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{google.Detailed, google.Standard, google.Focus} {
		t.Run(kind, func(t *testing.T) {
			_, c, table := exported(t, google.Options{RowsPerMonth: 60}, kind)
			copied := copyTable(t, c, table, emulator.Dataset("copies").Table(kind))
			for _, name := range []string{"token", "month"} {
				text := must[[]byte](t)(os.ReadFile("../../google/testdata/statements/" + name + "-" + kind + ".sql"))
				sql := strings.NewReplacer("_PARTITIONTIME", "export_time", " AS NUMERIC)", " AS FLOAT64)").Replace(string(text))
				here := answers(t, c.bq, tableName.ReplaceAllString(sql, table))
				there := answers(t, emulator, tableName.ReplaceAllString(sql, copied))
				if d := cmp.Diff(there, here); d != "" {
					t.Errorf("%s (- bqemulator, + simulation): %.3000s", name, d)
				}
			}
		})
	}
}

// longFraction is a number whose last digits depend on the order of a sum.
var longFraction = regexp.MustCompile(`-?[0-9]+\.[0-9]{5,}(e[+-][0-9]+)?`)

var tableName = regexp.MustCompile("`[^`]+`")

// copyTable reads a table here and writes it there.
func copyTable(t *testing.T, c *clients, table string, to *bigquery.Table) string {
	t.Helper()
	it := must[*bigquery.RowIterator](t)(c.bq.Query("SELECT * FROM " + table).Read(t.Context()))
	var rows []*bigquery.ValuesSaver
	for {
		var values []bigquery.Value
		err := it.Next(&values)
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, &bigquery.ValuesSaver{Schema: it.Schema, Row: values})
	}
	if err := to.Create(t.Context(), &bigquery.TableMetadata{Schema: it.Schema}); err != nil {
		t.Fatal(err)
	}
	if err := to.Inserter().Put(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	return "`" + to.DatasetID + "." + to.TableID + "`"
}

func answers(t *testing.T, client *bigquery.Client, sql string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	q := client.Query(sql)
	month := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for name, value := range map[string]any{"month": "202610", "from": month.AddDate(0, 0, -5), "start": month, "end": month.AddDate(0, 1, 0)} {
		if strings.Contains(sql, "@"+name) {
			q.Parameters = append(q.Parameters, bigquery.QueryParameter{Name: name, Value: value})
		}
	}
	rows := must[[]string](t)(outlaytest.Rows(must[*bigquery.RowIterator](t)(q.Read(ctx))))
	if len(rows) == 0 {
		t.Errorf("no rows of %.200s", sql)
	}
	for i := range rows {
		rows[i] = longFraction.ReplaceAllStringFunc(strings.ReplaceAll(rows[i], " null", " <nil>"), func(x string) string {
			return fmt.Sprintf("%.6f", must[float64](t)(strconv.ParseFloat(x, 64)))
		})
	}
	slices.Sort(rows)
	return rows
}

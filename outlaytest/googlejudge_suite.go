package outlaytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
)

// BigQuery is the suite of what the product asks of BigQuery, driven by the real client. It runs against an emulator by
// others and against the simulated cloud: what fails there may not pass here (test-infrastructure.md §1 rule 2). What
// the emulator is known not to do is named in lacks, and docs/conformance.md.
func BigQuery(t *testing.T, client *bigquery.Client, lacks ...string) {
	x := bigQuerySuite{client}
	for _, one := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"Datasets", x.datasets}, {"Labels", x.labels}, {"Access", x.access}, {"Etag", x.etag}, {"Listing", x.listing}, {"AbsentTable", x.absentTable}, {"QueryOfAbsent", x.queryOfAbsent}, {"Literals", x.literals},
		{"Parameters", x.parameters}, {"MissingParameter", x.missingParameter}, {"Errors", x.errors}, {"DryRun", x.dryRun}, {"Job", x.job}, {"Records", x.records}, {"Paging", x.paging}, {"Location", x.location}, {"Cap", x.limit},
	} {
		if !slices.Contains(lacks, one.name) {
			t.Run(one.name, one.run)
		}
	}
}

type bigQuerySuite struct{ client *bigquery.Client }

// dataset makes a dataset of the subtest's own.
func (x bigQuerySuite) dataset(t *testing.T, md *bigquery.DatasetMetadata) *bigquery.Dataset {
	t.Helper()
	d := x.client.Dataset("suite_" + strings.ToLower(t.Name()[strings.LastIndex(t.Name(), "/")+1:]))
	if err := d.Create(soon(t), md); err != nil {
		t.Fatal(err)
	}
	return d
}

// soon is the test's context, less patient: the client repeats what fails with 5xx for as long as it may.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// wantGoogle checks the status of a refusal and, where given, its reason.
func wantGoogle(t *testing.T, err error, status int, reasons ...string) {
	t.Helper()
	var e *googleapi.Error
	if !errors.As(err, &e) {
		t.Errorf("got %v, want a refusal %d %v", err, status, reasons)
		return
	}
	got := ""
	if len(e.Errors) > 0 {
		got = e.Errors[0].Reason
	}
	if e.Code != status || (len(reasons) > 0 && !slices.Contains(reasons, got)) {
		t.Errorf("got %d %s (%s), want %d %v", e.Code, got, e.Message, status, reasons)
	}
}

func (x bigQuerySuite) datasets(t *testing.T) {
	ctx := soon(t)
	d := x.dataset(t, &bigquery.DatasetMetadata{Location: "EU", Description: "words"})
	wantGoogle(t, d.Create(ctx, &bigquery.DatasetMetadata{}), 409, "duplicate")
	md, err := d.Metadata(ctx)
	if err != nil || md.Location != "EU" || md.Description != "words" || md.ETag == "" || md.CreationTime.IsZero() {
		t.Errorf("got %+v, %v", md, err)
	}
	if err := d.Delete(ctx); err != nil {
		t.Error(err)
	}
	_, err = d.Metadata(ctx)
	wantGoogle(t, err, 404, "notFound")
	wantGoogle(t, d.Delete(ctx), 404, "notFound")
}

func (x bigQuerySuite) labels(t *testing.T) {
	d := x.dataset(t, &bigquery.DatasetMetadata{Labels: map[string]string{"keep": "1", "drop": "2"}})
	var change bigquery.DatasetMetadataToUpdate
	change.DeleteLabel("drop")
	change.SetLabel("more", "3")
	if _, err := d.Update(soon(t), change, ""); err != nil {
		t.Fatal(err)
	}
	md, err := d.Metadata(soon(t))
	if err != nil || len(md.Labels) != 2 || md.Labels["keep"] != "1" || md.Labels["more"] != "3" {
		t.Errorf("got %v, %v", md.Labels, err)
	}
}

// access: a patch replaces the whole list.
func (x bigQuerySuite) access(t *testing.T) {
	ctx := soon(t)
	d := x.dataset(t, &bigquery.DatasetMetadata{})
	mine := &bigquery.AccessEntry{Role: bigquery.ReaderRole, EntityType: bigquery.UserEmailEntity, Entity: "reader@example.org"}
	owner := &bigquery.AccessEntry{Role: bigquery.OwnerRole, EntityType: bigquery.SpecialGroupEntity, Entity: "projectOwners"}
	for _, want := range [][]*bigquery.AccessEntry{{owner, mine}, {owner}} {
		if _, err := d.Update(ctx, bigquery.DatasetMetadataToUpdate{Access: want}, ""); err != nil {
			t.Fatal(err)
		}
		md, err := d.Metadata(ctx)
		if err != nil || len(md.Access) != len(want) {
			t.Errorf("got %d entries, want %d, %v", len(md.Access), len(want), err)
		}
	}
}

func (x bigQuerySuite) etag(t *testing.T) {
	ctx := soon(t)
	d := x.dataset(t, &bigquery.DatasetMetadata{})
	md, err := d.Metadata(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Update(ctx, bigquery.DatasetMetadataToUpdate{Description: "first"}, md.ETag); err != nil {
		t.Fatal(err)
	}
	_, err = d.Update(ctx, bigquery.DatasetMetadataToUpdate{Description: "second"}, md.ETag)
	wantGoogle(t, err, 412, "conditionNotMet")
}

func (x bigQuerySuite) listing(t *testing.T) {
	d := x.dataset(t, &bigquery.DatasetMetadata{})
	found := false
	for it := x.client.Datasets(soon(t)); ; {
		one, err := it.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		found = found || one.DatasetID == d.DatasetID
	}
	if !found {
		t.Error("the dataset is not in the list")
	}
	if _, err := d.Tables(soon(t)).Next(); !errors.Is(err, iterator.Done) {
		t.Errorf("an empty dataset lists %v", err)
	}
}

func (x bigQuerySuite) absentTable(t *testing.T) {
	d := x.dataset(t, &bigquery.DatasetMetadata{})
	_, err := d.Table("gone").Metadata(soon(t))
	wantGoogle(t, err, 404, "notFound")
	_, err = x.client.Dataset("never_made").Table("gone").Metadata(soon(t))
	wantGoogle(t, err, 404, "notFound")
}

func (x bigQuerySuite) queryOfAbsent(t *testing.T) {
	d := x.dataset(t, &bigquery.DatasetMetadata{})
	_, err := x.rows(soon(t), "SELECT x FROM `"+d.DatasetID+".gone`")
	wantGoogle(t, err, 404, "notFound")
}

// rows runs a query and writes each row as text.
func (x bigQuerySuite) rows(ctx context.Context, sql string, params ...bigquery.QueryParameter) ([]string, error) {
	q := x.client.Query(sql)
	q.Parameters = params
	it, err := q.Read(ctx)
	if err != nil {
		return nil, err
	}
	return Rows(it)
}

// Rows writes each row of a query's result as text: decimals exactly, times in UTC.
func Rows(it *bigquery.RowIterator) ([]string, error) {
	var out []string
	for {
		var values []bigquery.Value
		err := it.Next(&values)
		if errors.Is(err, iterator.Done) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, plainValue(values))
	}
}

func plainValue(v any) string {
	switch x := v.(type) {
	case []bigquery.Value:
		var parts []string
		for _, one := range x {
			parts = append(parts, plainValue(one))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case time.Time:
		return x.UTC().Format("2006-01-02T15:04:05.999999Z")
	case interface{ FloatString(int) string }: // a NUMERIC
		return strings.TrimSuffix(strings.TrimRight(x.FloatString(9), "0"), ".")
	}
	return fmt.Sprint(v)
}

func (x bigQuerySuite) literals(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT 1 + 1, 'a', TRUE, NULL": "[2 a true <nil>]",
		"SELECT CAST('1.50' AS NUMERIC), CAST(1.5 AS FLOAT64), SAFE_CAST('x' AS INT64)":          "[1.5 1.5 <nil>]",
		"SELECT FORMAT_DATE('%Y%m', DATE(TIMESTAMP '2026-10-31 23:30:00+00', 'UTC'))":            "[202610]",
		"SELECT TIMESTAMP '2026-10-31 23:30:00.5+00', DATE '2026-10-31'":                         "[2026-10-31T23:30:00.5Z 2026-10-31]",
		"SELECT IFNULL((SELECT SUM(c.a) FROM UNNEST([STRUCT(1 AS a), STRUCT(2 AS a)]) AS c), 0)": "[3]",
		"SELECT IFNULL(NULL, 3), COALESCE(NULL, 'b'), IF(1 < 2, 'yes', 'no')":                    "[3 b yes]",
		"SELECT TO_JSON_STRING([STRUCT('k' AS key, 'v' AS value)])":                              `[[{"key":"k","value":"v"}]]`,
		"SELECT COUNT(*), MAX(n) FROM UNNEST([1, 5, 3]) AS n":                                    "[3 5]",
		"WITH m AS (SELECT 1 AS a UNION ALL SELECT 2) SELECT SUM(a) FROM m":                      "[3]",
	} {
		got, err := x.rows(soon(t), sql)
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v, %v, want %s", sql, got, err, want)
		}
	}
}

func (x bigQuerySuite) parameters(t *testing.T) {
	got, err := x.rows(soon(t), "SELECT @month, @n + 1, @at, @month IN UNNEST(@list)",
		bigquery.QueryParameter{Name: "month", Value: "202610"}, bigquery.QueryParameter{Name: "n", Value: 7},
		bigquery.QueryParameter{Name: "at", Value: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)}, bigquery.QueryParameter{Name: "list", Value: []string{"202609", "202610"}})
	if want := "[202610 8 2026-10-01T00:00:00Z true]"; err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("got %v, %v", got, err)
	}
}

func (x bigQuerySuite) missingParameter(t *testing.T) {
	_, err := x.rows(soon(t), "SELECT @missing")
	wantGoogle(t, err, 400, "invalidQuery", "invalid")
}

func (x bigQuerySuite) errors(t *testing.T) {
	for _, sql := range []string{"SELEC 1", "SELECT no_such_column", "SELECT no_such_function(1)", "SELECT (1"} {
		_, err := x.rows(soon(t), sql)
		wantGoogle(t, err, 400, "invalidQuery", "invalid")
	}
}

// job inserts a query and asks for its rows by the job's name, as the product does.
func (x bigQuerySuite) job(t *testing.T) {
	job, err := x.client.Query("SELECT 1 AS one UNION ALL SELECT 2 ORDER BY one").Run(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	it, err := job.Read(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Rows(it)
	if err != nil || len(got) != 2 || got[0] != "[1]" || got[1] != "[2]" {
		t.Errorf("got %v, %v", got, err)
	}
}

func (x bigQuerySuite) dryRun(t *testing.T) {
	q := x.client.Query("SELECT 1 AS one")
	q.DryRun = true
	job, err := q.Run(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	stats, isQuery := job.LastStatus().Statistics.Details.(*bigquery.QueryStatistics)
	if !isQuery || len(stats.Schema) != 1 || stats.Schema[0].Name != "one" {
		t.Errorf("the dry run tells %+v", job.LastStatus().Statistics)
	}
}

// records are read back in their shape, an empty list as one.
func (x bigQuerySuite) records(t *testing.T) {
	got, err := x.rows(soon(t), "SELECT STRUCT('a' AS id, 'b' AS name) AS s, [STRUCT(1 AS n), STRUCT(2 AS n)] AS l, STRUCT(CAST(NULL AS STRING) AS id) AS e")
	if want := "[[a b] [[1] [2]] [<nil>]]"; err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("got %v, %v", got, err)
	}
}

func (x bigQuerySuite) paging(t *testing.T) {
	q := x.client.Query("SELECT n FROM UNNEST([1, 2, 3, 4, 5]) AS n ORDER BY n")
	it, err := q.Read(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	it.PageInfo().MaxSize = 2
	got, err := Rows(it)
	if want := "[1] [2] [3] [4] [5]"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("got %v, %v", got, err)
	}
}

// location: a dataset elsewhere is as good as none.
func (x bigQuerySuite) location(t *testing.T) {
	d := x.dataset(t, &bigquery.DatasetMetadata{Location: "EU"})
	q := x.client.Query("SELECT x FROM `" + d.DatasetID + ".gone`")
	q.Location = "US"
	_, err := q.Read(soon(t))
	wantGoogle(t, err, 404, "notFound")
	if err == nil || !strings.Contains(err.Error(), "location") {
		t.Errorf("the refusal does not tell of the location: %v", err)
	}
}

// limit: a query that would read more than allowed is refused before it runs.
func (x bigQuerySuite) limit(t *testing.T) {
	q := x.client.Query("SELECT 1")
	q.MaxBytesBilled = 1 << 30
	if _, err := q.Read(soon(t)); err != nil {
		t.Error(err)
	}
}

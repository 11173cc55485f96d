package aws

import (
	"strings"
	"testing"
	"time"

	"outlay"

	"github.com/google/go-cmp/cmp"
)

// there is where a legacy report delivers.
func there() location {
	return location{Bucket: "b", Region: "eu-west-1", Prefix: "bills/all", Export: "cur", Account: payerAccount, Format: formatReportCSV, Layout: layoutReport, Files: filesCSV}
}

func TestReportManifest(t *testing.T) {
	const month = "bills/all/cur/20261001-20261101/"
	keys := func(list ...string) string {
		return `{"assemblyId":"a","reportKeys":["` + strings.Join(list, `","`) + `"]}`
	}
	for _, row := range []struct {
		name, body, fault string
		want              []string
	}{
		{"a version of its own", keys(month+"a-b/cur-1.csv.gz", month+"a-b/cur-2.csv.gz"), "", []string{month + "a-b/cur-1.csv.gz", month + "a-b/cur-2.csv.gz"}},
		{"overwritten", keys(month + "cur-1.csv.gz"), "", []string{month + "cur-1.csv.gz"}},
		{"no files", `{"reportKeys":[]}`, "", nil},
		{"unknown keys", `{"bucket":"b","colour":{"a":[1]},"reportKeys":["` + month + `cur-1.csv.gz"]}`, "", []string{month + "cur-1.csv.gz"}},
		{"no list", `{"assemblyId":"a"}`, "does not say what was delivered", nil},
		{"a key twice", `{"reportKeys":[],"reportkeys":[]}`, "comes twice", nil},
		{"another letter case", `{"ReportKeys":[]}`, "should be", nil},
		{"another bucket", `{"bucket":"evil","reportKeys":[]}`, "not the report's", nil},
		{"another month", keys("bills/all/cur/20260901-20261001/cur-1.csv.gz"), "outside", nil},
		{"another report", keys("bills/all/other/20261001-20261101/cur-1.csv.gz"), "outside", nil},
		{"way out", keys(month + "../../../x.csv.gz"), "leaves its folder", nil},
		{"zipped", `{"compression":"ZIP","reportKeys":["` + month + `cur-1.csv.zip"]}`, "ZIP archives", nil},
		{"Parquet in a CSV report", keys(month + "cur-1.snappy.parquet"), "ends in .csv.gz", nil},
		{"file twice", keys(month+"cur-1.csv.gz", month+"cur-1.csv.gz"), "listed twice", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := reportKeys([]byte(row.body), there(), "2026-10")
			if (row.fault == "") != (err == nil) || (err != nil && (!strings.Contains(err.Error(), row.fault) || outlay.CodeOf(err) != outlay.CodeInvalid)) {
				t.Errorf("error %v, want one with %q", err, row.fault)
			}
			if diff := cmp.Diff(row.want, got); err == nil && diff != "" {
				t.Error(diff)
			}
		})
	}
	athena := there()
	athena.Files, athena.Format = filesParquet, formatReportParquet
	key := "bills/all/cur/cur/year=2026/month=10/cur-00001.snappy.parquet"
	if got, err := reportKeys([]byte(keys(key)), athena, "2026-10"); err != nil || len(got) != 1 {
		t.Errorf("Athena's layout: %v, %v", got, err)
	}
	if _, err := reportKeys([]byte(keys(key)), athena, "2026-01"); err == nil {
		t.Error("month=1 is not month=10")
	}
}

func FuzzReportManifest(f *testing.F) {
	f.Add([]byte(`{"assemblyId":"a","bucket":"b","compression":"GZIP","reportKeys":["bills/all/cur/20261001-20261101/a/cur-1.csv.gz"]}`))
	f.Add([]byte(`{"reportKeys":["bills/all/cur/cur/year=2026/month=10/../x.csv.gz"],"REPORTKEYS":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, err := reportKeys(b, there(), "2026-10")
		if err != nil {
			if outlay.CodeOf(err) != outlay.CodeInvalid {
				t.Errorf("%v", err)
			}
			return
		}
		for _, k := range keys {
			if !strings.HasPrefix(k, "bills/all/cur/") || strings.Contains(k, "/../") || len(k) > maxKey {
				t.Errorf("it would read %q", k)
			}
		}
	})
}

func TestDeliveryOfReport(t *testing.T) {
	at := time.Date(2026, 11, 20, 7, 41, 0, 0, time.UTC)
	for key, want := range map[string]outlay.Period{
		"bills/all/cur/20261101-20261201/cur-Manifest.json":       "2026-11",
		"bills/all/cur/20261201-20270101/cur-Manifest.json":       "2026-12",
		"bills/all/cur/20261101-20261201/a-b/cur-Manifest.json":   "",
		"bills/all/cur/20261101-20261115/cur-Manifest.json":       "",
		"bills/all/cur/20261301-20270101/cur-Manifest.json":       "",
		"bills/all/cur/cur-Manifest.json":                         "",
		"bills/all/other/20261101-20261201/other-Manifest.json":   "",
		"cur/20261101-20261201/cur-Manifest.json":                 "",
		"bills/all/cur/20261101-20261201/cur-Manifest-FOCUS.json": "",
	} {
		if d, ok := there().delivery(key, `"etag"`, at, 7); d.Period != want || ok != (want != "") {
			t.Errorf("%s is a delivery of %q", key, d.Period)
		}
	}
}

package azure

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"outlay"
)

// exampleManifest is a manifest as Cost Management writes it, with keys that we do not know, after the finops-toolkit.
const exampleManifest = `{"manifestVersion":"2024-04-01","byteCount":1234,"blobCount":2,"dataRowCount":345,
 "exportConfig":{"exportName":"daily","resourceId":"/subscriptions/22222222-2222-4222-a222-222222222222/providers/Microsoft.CostManagement/exports/daily","dataVersion":"1.2-preview","apiVersion":"2023-07-01-preview","type":"FocusCost","timeFrame":"MonthToDate","granularity":"Daily"},
 "deliveryConfig":{"partitionData":true,"dataOverwriteBehavior":"OverwritePreviousReport","fileFormat":"Csv","compressionMode":"GZip","containerUri":"https://acct.blob.core.windows.net/costs","rootFolderPath":"root"},
 "runInfo":{"executionType":"Scheduled","submittedTime":"2026-11-21T05:12:33.1Z","runId":"r1","startDate":"2026-11-01T00:00:00","endDate":"2026-11-30T00:00:00"},
 "blobs":[{"blobName":"root/daily/20261101-20261130/r1/part_0_0001.csv.gz","byteCount":617,"dataRowCount":200},{"blobName":"root/daily/20261101-20261130/r1/part_1_0001.csv.gz","byteCount":617,"dataRowCount":145}]}`

func examplePlace() (place, exportPlace) {
	e := exportPlace{ID: "/subscriptions/22222222-2222-4222-A222-222222222222/providers/Microsoft.CostManagement/exports/Daily", Name: "daily", Dataset: typeFocus, Root: "root"}
	return place{StorageID: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/acct", Container: "costs", Exports: []exportPlace{e}}, e
}

func TestManifestOfAzure(t *testing.T) {
	at, e := examplePlace()
	m, err := parseManifest([]byte("\ufeff" + exampleManifest))
	if err != nil {
		t.Fatal(err)
	}
	d, err := m.delivery(at, e)
	if err != nil {
		t.Fatal(err)
	}
	if !m.isOf(e) || d.Period != "2026-11" || d.Rows != 345 || d.Format != formatFocus || d.ID != "r1" || d.Version.Format("15:04:05.0") != "05:12:33.1" {
		t.Errorf("%+v", d)
	}
}

// TestManifestsThatLie changes one thing of the example each.
func TestManifestsThatLie(t *testing.T) {
	for _, tt := range []struct{ name, old, with, want string }{
		{"two keys", `"blobCount":2`, `"blobCount":2,"blobCount":2`, `the key "blobCount" comes twice`},
		{"two keys by letter case", `"blobCount":2`, `"blobCount":2,"BLOBCOUNT":1`, "comes twice"},
		{"another spelling", `"submittedTime"`, `"SubmittedTime"`, `"SubmittedTime" should be "submittedTime"`},
		{"another spelling within the files", `"blobName":"root/daily/20261101-20261130/r1/part_1`, `"BlobName":"root/daily/20261101-20261130/r1/part_1`, `"BlobName" should be "blobName"`},
		{"another container", "windows.net/costs", "windows.net/other", "which is not the export's"},
		{"another storage account", "acct.blob", "evil.blob", "which is not the export's"},
		{"another root", `"rootFolderPath":"root"`, `"rootFolderPath":"other"`, "names the folder"},
		{"a file of another folder", "root/daily/20261101-20261130/r1/part_1", "root/other/20261101-20261130/r1/part_1", "outside the export's folder"},
		{"a file above", "root/daily/20261101-20261130/r1/part_1", "root/daily/../other/part_1", "leaves its folder"},
		{"a file twice", "part_1_0001", "part_0_0001", "listed twice"},
		{"a file of another kind", "part_1_0001.csv.gz", "part_1_0001.exe", "neither CSV nor Parquet"},
		{"no name", "root/daily/20261101-20261130/r1/part_1_0001.csv.gz", "", "cannot have"},
		{"more files than it lists", `"blobCount":2`, `"blobCount":3`, "counts 3 files and lists 2"},
		{"two months", `"endDate":"2026-11-30`, `"endDate":"2026-12-31`, "not within one month"},
		{"an end before the beginning", `"endDate":"2026-11-30`, `"endDate":"2026-10-30`, "not within one month"},
		{"no time of submission", `"2026-11-21T05:12:33.1Z"`, `"yesterday"`, "is no time"},
		{"no charges", `"FocusCost"`, `"PriceSheet"`, "not a kind of cost data"},
		{"not an object", exampleManifest, `[1]`, "not an object"},
		{"something behind it", exampleManifest, exampleManifest + "{}", "something follows"},
		{"cut short", exampleManifest, exampleManifest[:200], "the manifest cannot be used"},
		{"text for a number", `"byteCount":1234`, `"byteCount":"much"`, "the manifest cannot be used"},
		{"nested too deep", `"byteCount":1234`, `"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40), "nested"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at, e := examplePlace()
			m, err := parseManifest([]byte(strings.Replace(exampleManifest, tt.old, tt.with, 1)))
			if err == nil {
				_, err = m.delivery(at, e)
			}
			if outlay.CodeOf(err) != outlay.CodeInvalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
		})
	}
}

// TestManifestsThatAreFine are differences that Azure allows itself.
func TestManifestsThatAreFine(t *testing.T) {
	for _, tt := range []struct {
		name, old, with string
		rows            int64
	}{
		{"null for counts", `"byteCount":617,"dataRowCount":145`, `"byteCount":null,"dataRowCount":null`, 345},
		{"no counts at all", `"dataRowCount":345`, `"dataRowCount":0`, 345},
		{"resource id for the container", "https://acct.blob.core.windows.net/costs", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/ACCT", 345},
		{"no container", `"containerUri":"https://acct.blob.core.windows.net/costs",`, "", 345},
		{"slashes around the root", `"rootFolderPath":"root"`, `"rootFolderPath":"/root/"`, 345},
		{"letter case of the type", "FocusCost", "focuscost", 345},
		{"a zone of its own", `"2026-11-21T05:12:33.1Z"`, `"2026-11-21T05:12:33.1000000"`, 345},
		{"unknown keys", `"byteCount":1234`, `"newThing":{"a":[1,null,{"b":true}]},"byteCount":1234`, 345},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at, e := examplePlace()
			m, err := parseManifest([]byte(strings.Replace(exampleManifest, tt.old, tt.with, 1)))
			if err != nil {
				t.Fatal(err)
			}
			d, err := m.delivery(at, e)
			if err != nil || d.Rows != tt.rows || d.Period != "2026-11" {
				t.Errorf("%+v, %v", d, err)
			}
		})
	}
}

// TestManifestsOfAFewDays are of runs that somebody asked for by their days: no version of the month.
func TestManifestsOfAFewDays(t *testing.T) {
	for _, tt := range []struct {
		start, end, submitted string
		part                  bool
	}{
		{"2026-11-01T00:00:00", "2026-11-30T00:00:00", "2026-11-21T05:12:33.1Z", false},
		{"2026-11-01T00:00:00", "2026-11-21T00:00:00+00:00", "2026-11-21T05:12:33.1Z", false}, // month to date, seen so too
		{"2026-11-01T00:00:00", "2026-11-20T00:00:00", "2026-11-21T05:12:33.1Z", false},
		{"2026-10-01T00:00:00", "2026-10-31T00:00:00", "2026-11-21T05:12:33.1Z", false},
		{"2026-10-01T00:00:00", "2026-10-31T23:59:59", "2026-11-21T05:12:33.1Z", false},
		{"2024-02-01T00:00:00", "2024-02-28T00:00:00", "2026-11-21T05:12:33.1Z", true},
		{"2024-02-01T00:00:00", "2024-02-29T00:00:00", "2026-11-21T05:12:33.1Z", false},
		{"2026-11-01T00:00:00", "2026-11-10T00:00:00", "2026-11-21T05:12:33.1Z", true},
		{"2026-11-05T00:00:00", "2026-11-30T00:00:00", "2026-11-21T05:12:33.1Z", true},
		{"2026-10-02T00:00:00", "2026-10-31T00:00:00", "2026-11-21T05:12:33.1Z", true},
	} {
		var m manifest
		m.RunInfo.StartDate, m.RunInfo.EndDate, m.RunInfo.SubmittedTime = tt.start, tt.end, tt.submitted
		if got := m.isPart(); got != tt.part {
			t.Errorf("%s to %s, submitted %s: part %t", tt.start, tt.end, tt.submitted, got)
		}
		start, _ := manifestTime(tt.start) // isPart read them
		end, _ := manifestTime(tt.end)
		submitted, _ := manifestTime(tt.submitted)
		if got := covers(run{start: start, end: end, submitted: submitted}, outlay.PeriodOf(start).Start()); got == tt.part {
			t.Errorf("%s to %s, submitted %s: a run of it covers the month: %t", tt.start, tt.end, tt.submitted, got)
		}
	}
}

func TestManifestOfAnotherExport(t *testing.T) {
	_, e := examplePlace()
	for _, change := range [][2]string{{`"exportName":"daily"`, `"exportName":"daily2"`}, {"exports/daily", "exports/daily2"}, {"subscriptions/22222222", "subscriptions/33333333"}} {
		m, err := parseManifest([]byte(strings.Replace(exampleManifest, change[0], change[1], 1)))
		if err != nil {
			t.Fatal(err)
		}
		if m.isOf(e) {
			t.Errorf("%s passes for %s", change[1], change[0])
		}
	}
}

// FuzzManifest never panics, and what it accepts names files in the export's folder alone.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(exampleManifest))
	f.Add([]byte(strings.Replace(exampleManifest, "617", "null", 2)))
	f.Add([]byte(`{"blobs":null}`))
	at, e := examplePlace()
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(b)
		if err != nil {
			if outlay.CodeOf(err) != outlay.CodeInvalid {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		if !json.Valid([]byte(strings.TrimPrefix(string(b), "\ufeff"))) {
			t.Fatalf("no JSON: %q", b)
		}
		d, err := m.delivery(at, e)
		if err != nil {
			return
		}
		if _, err := outlay.ParsePeriod(string(d.Period)); err != nil {
			t.Fatal(err)
		}
		for _, blob := range m.Blobs {
			if !strings.HasPrefix(blob.BlobName, "root/daily/") || strings.Contains(blob.BlobName, "/../") {
				t.Fatal(fmt.Sprint("outside: ", blob.BlobName))
			}
		}
	})
}

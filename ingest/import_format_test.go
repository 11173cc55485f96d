package ingest_test

import (
	"path/filepath"
	"testing"

	"outlay"
	"outlay/duckdb"
	"outlay/ingest"
)

// TestImportByFormat imports a bill that is no FOCUS, and the same content as another format: it is another import.
func TestImportByFormat(t *testing.T) {
	h := newHouse(t, "", newClock())
	path := write(t, "bill.csv", "day,cost\n2026-10-02,1.5\n2026-10-03,2\n")
	sql := func(factor string) string {
		return `SELECT CAST(cost AS DECIMAL(38,18)) * ` + factor + ` AS BilledCost, cost AS EffectiveCost, cost AS ListCost, cost AS ContractedCost, 'EUR' AS BillingCurrency,
		TIMESTAMP '2026-10-01' AS BillingPeriodStart, day AS ChargePeriodStart, CAST(day AS TIMESTAMP) + INTERVAL 1 DAY AS ChargePeriodEnd, 'Usage' AS ChargeCategory FROM raw`
	}
	load := func(asked string, formats ...outlay.ParseFormat) ingest.Import {
		t.Helper()
		res, err := h.ingest(nil).ImportFiles(t.Context(), ingest.ImportRequest{
			OrgID: org, UserID: "usr_test", Files: []ingest.ImportFile{{Name: filepath.Base(path), Path: path}}, Format: asked, Formats: formats,
		}, duckdb.FocusMapping())
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	format := func(id, factor string) outlay.ParseFormat {
		return outlay.ParseFormat{ID: id, FileFormat: outlay.FileFormat{Format: id, Title: "Bill of " + id, Columns: []string{"Day", "Cost"}}, Mapping: outlay.Mapping{SQL: sql(factor)}}
	}
	once, twice := format("once", "1"), format("twice", "2")
	for _, tt := range []struct {
		asked   string
		formats []outlay.ParseFormat
		format  string
		already bool
		billed  string
	}{
		{"", []outlay.ParseFormat{once, twice}, "once", false, "3.5"},
		{"", []outlay.ParseFormat{once, twice}, "once", true, "3.5"},
		{"twice", []outlay.ParseFormat{twice}, "twice", false, "7"},
		{"twice", []outlay.ParseFormat{twice}, "twice", true, "7"},
	} {
		res := load(tt.asked, tt.formats...)
		if res.Format != tt.format || res.Already != tt.already || len(res.Periods) != 1 || res.Periods[0].Sums["EUR"][outlay.Billed] != tt.billed {
			t.Errorf("asked for %q: %+v", tt.asked, res)
		}
	}
}

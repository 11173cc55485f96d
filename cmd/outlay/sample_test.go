package main

import (
	"os"
	"strings"
	"testing"
)

// sampleFile is FOCUS Sample Data by the FinOps Foundation, CC BY 4.0. It lies beside the repository, not in it.
const sampleFile = "../../../shared/data/focus-1.0-sample.csv"

// TestSample imports a published sample that spells NULL as a word and times without a zone. The figures were computed
// from the file by other means.
func TestSample(t *testing.T) {
	if _, err := os.Stat(sampleFile); err != nil {
		if os.Getenv("OUTLAY_REQUIRE_SHARED") != "" {
			t.Fatalf("%s is missing", sampleFile)
		}
		return // a clone without the samples beside it: ingest has a small fixture with the same quirks
	}
	d := startDemo(t)
	d.must(t, "import", sampleFile)
	want := `by,value,charges,BilledCost,EffectiveCost,ListCost,ContractedCost,currency
total,,1000,20.52022672899,14.97651418586,20.39090575119,14.97626039326,USD
provider,AWS,`
	got := d.must(t, "costs", "-o", "csv")
	if !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant it to begin\n%s", got, want)
	}
	for _, figure := range []string{",18.0066386184,", ",1.97651418586,", ",0.53707392473,", "category,Usage,", ",22.86192672899,", "category,Adjustment,", ",0.272,", "category,Credit,", ",-2.6137,", "period,2024-10,1,0.24,"} {
		if !strings.Contains(got, figure) {
			t.Errorf("%s is not in\n%s", figure, got)
		}
	}
}

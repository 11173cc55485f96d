package aws

import (
	"strings"
	"testing"

	cloud "outlay/simcloud/aws"

	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports"
	"github.com/google/go-cmp/cmp"
)

// TestQueryDrift finds a query that somebody cut down, in the look that is made every hour: rows or costs would be
// missing without a word. A repair brings the query back, and nothing is left to do after it.
func TestQueryDrift(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	w.up()
	hourly, id := whole(), w.Exports()[0].ARN
	hourly.Permissions, hourly.Contents, hourly.Tags = false, false, false
	ses, err := w.p.session(t.Context(), w.a)
	if err != nil {
		t.Fatal(err)
	}
	query := func() string {
		got, err := ses.exports().GetExport(t.Context(), &bcmdataexports.GetExportInput{ExportArn: &id})
		if err != nil {
			t.Fatal(err)
		}
		return *got.Export.DataQuery.QueryStatement
	}
	whole := query()
	for spoilt, want := range map[string]string{
		whole + " WHERE ChargeCategory = 'Usage'":                                 "WHERE ChargeCategory = 'Usage'",
		whole + " LIMIT 5":                                                        "LIMIT 5",
		strings.Replace(whole, " BilledCost,", "", 1):                             "AvailabilityZone, BillingAccountId",
		strings.Replace(whole, "AvailabilityZone, BilledCost,", "BilledCost,", 1): "",
		strings.ReplaceAll(whole, ", ", ","):                                      "",
	} {
		got, err := ses.exports().GetExport(t.Context(), &bcmdataexports.GetExportInput{ExportArn: &id})
		if err != nil {
			t.Fatal(err)
		}
		got.Export.DataQuery.QueryStatement = &spoilt
		if _, err := ses.exports().UpdateExport(t.Context(), &bcmdataexports.UpdateExportInput{ExportArn: &id, Export: got.Export}); err != nil {
			t.Fatalf("%s: %v", spoilt, err)
		}
		plan := w.plan(hourly)
		if want == "" { // nothing that an hourly look minds
			if len(todo(plan)) != 0 {
				t.Errorf("%s: %v", spoilt, todo(plan))
			}
			continue
		}
		if diff := cmp.Diff([]string{"update aws/export"}, todo(plan)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", spoilt, diff)
			continue
		}
		from := change(t, plan, kindExport).From
		if !strings.HasPrefix(from[propRows]+from[propColumns], want) && !strings.Contains(from[propColumns], want) {
			t.Errorf("%s: from %v", spoilt, from)
		}
		if err := w.run(plan); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(query(), "WHERE") || strings.Contains(query(), "LIMIT") || !strings.Contains(query(), " BilledCost,") || !strings.Contains(query(), " EffectiveCost,") {
			t.Errorf("repaired to %s", query())
		}
		if left := todo(w.plan(hourly)); len(left) != 0 {
			t.Errorf("left after the repair of %s: %v", spoilt, left)
		}
	}
}

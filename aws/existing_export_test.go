package aws

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports/types"
)

// TestExportFoundSaysWhatIsLeftOut describes exports of CUR 2.0 that hold a part of the columns, or of the rows.
func TestExportFoundSaysWhatIsLeftOut(t *testing.T) {
	needed := strings.Join(neededColumns(formatCUR2), ", ")
	whole := needed + ", " + strings.Join(amortised(formatCUR2), ", ")
	for query, want := range map[string]struct{ detail, why string }{
		"SELECT " + whole + " FROM COST_AND_USAGE_REPORT":                                                                                  {},
		"SELECT " + needed + " FROM COST_AND_USAGE_REPORT":                                                                                 {detail: "without 8 columns of reservations and savings plans"},
		"SELECT " + whole + " FROM COST_AND_USAGE_REPORT WHERE line_item_usage_account_id = '1'":                                           {detail: "only a part of the rows: WHERE line_item"},
		"SELECT " + strings.Replace(whole, "line_item_unblended_cost", "1 AS x", 1) + " FROM COST_AND_USAGE_REPORT":                        {why: "line_item_unblended_cost"},
		"SELECT " + strings.Replace(whole, "line_item_unblended_cost", "line_item_unblended_cost AS c", 1) + " FROM COST_AND_USAGE_REPORT": {why: "line_item_unblended_cost"},
	} {
		x := exportFound(&types.Export{Name: sdk.String("e"), DataQuery: &types.DataQuery{QueryStatement: &query}}, "arn", payerAccount)
		detail := strings.Join(x.detail, " · ")
		if !strings.Contains(detail, want.detail) || want.detail == "" && strings.Contains(detail, "part of the rows") || (want.why == "") != (x.why == "") || !strings.Contains(x.why, want.why) {
			t.Errorf("%s: %q, %q", query, detail, x.why)
		}
	}
}

package aws

import (
	_ "embed" // the mappings are SQL files
	"strings"

	"outlay"
)

// The formats in which AWS delivers charges. Those of data exports are named after the table they select from.
const (
	formatFocus12       = "focus-1.2"
	formatFocus10       = "focus-1.0"
	formatCUR2          = "cur-2.0"     // Data Exports, table COST_AND_USAGE_REPORT
	formatReportCSV     = "cur-csv"     // legacy report, columns such as lineItem/UnblendedCost
	formatReportParquet = "cur-parquet" // legacy report, columns such as line_item_unblended_cost
)

func formats() []string {
	return []string{formatFocus12, formatFocus10, formatCUR2, formatReportCSV, formatReportParquet}
}

func knownFormat(format string) bool {
	for _, f := range formats() {
		if f == format {
			return true
		}
	}
	return false
}

//go:embed mapping/focus-1.2.sql
var focusSQL string

// Mapping turns AWS's rows into ours. FOCUS 1.0 lacks columns of 1.2 and is otherwise the same, so that one SELECT
// serves both: the view raw gives NULL for what a file lacks.
func (p *Provider) Mapping(format string) (outlay.Mapping, error) {
	m := outlay.Mapping{
		TagPrefixes:         []string{"resourceTags/user:", "resource_tags_user_", "user:", "user_"},
		ProviderTagPrefixes: []string{"resourceTags/aws:", "resource_tags_aws_", "aws:", "aws_"},
	}
	switch format {
	case formatFocus12, formatFocus10:
		m.SQL = focusSQL
	case formatCUR2, formatReportCSV, formatReportParquet:
		m.SQL = curMapping(format)
	default:
		return outlay.Mapping{}, outlay.Errorf(outlay.CodeInvalid, "AWS formats are "+strings.Join(formats(), ", ")+".", "%q is not a format that AWS delivers", format)
	}
	return m, nil
}

// fileFormats are AWS's bills in files, the more special ones first: a legacy report in Parquet has the column names of
// CUR 2.0, but a column for each tag where CUR 2.0 has one map.
func fileFormats() []outlay.FileFormat {
	return []outlay.FileFormat{
		{Format: formatFocus12, Title: "AWS FOCUS 1.2 or 1.0 (Data Exports)", Columns: []string{"BilledCost", "EffectiveCost", "ChargeCategory", "x_ServiceCode"}},
		{Format: formatCUR2, Title: "AWS Cost and Usage Report 2.0", Columns: []string{"line_item_unblended_cost", "line_item_line_item_type", "bill_payer_account_id", "resource_tags"}},
		{Format: formatReportCSV, Title: "AWS Cost and Usage Report (legacy, CSV)", Columns: []string{"lineItem/UnblendedCost", "lineItem/LineItemType", "bill/PayerAccountId"}},
		{Format: formatReportParquet, Title: "AWS Cost and Usage Report (legacy, Parquet)", Columns: []string{"line_item_unblended_cost", "line_item_line_item_type", "bill_payer_account_id"}},
	}
}

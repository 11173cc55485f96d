package aws

import (
	"regexp"
	"strings"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports/types"
)

const tableCUR2 = "COST_AND_USAGE_REPORT"

// exportTables are the tables that hold charges, with the format of their rows and what they are called.
func exportTables(table string) (format, title string) {
	switch table {
	case tableFocus12:
		return formatFocus12, "FOCUS 1.2 data export"
	case tableFocus10:
		return formatFocus10, "FOCUS 1.0 data export"
	case tableCUR2:
		return formatCUR2, "Cost and Usage Report 2.0"
	}
	return "", "Data export of " + clip(table, 60)
}

// exportFound describes a data export. why is set where its rows cannot be read as charges.
func exportFound(e *types.Export, id, account string) found {
	props := exportProperties(e)
	x := found{id: id, at: location{Export: sdk.ToString(e.Name), Account: account, Layout: layoutExport, Files: filesParquet}}
	x.at.Format, x.title = exportTables(props[propTable])
	if props[propFormat] == string(types.FormatOptionTextOrCsv) {
		x.at.Files = filesCSV
	}
	if c := e.DestinationConfigurations; c != nil && c.S3Destination != nil {
		to := c.S3Destination
		x.at.Bucket, x.at.Region, x.at.Prefix = sdk.ToString(to.S3Bucket), sdk.ToString(to.S3Region), strings.Trim(sdk.ToString(to.S3Prefix), "/")
		x.at.Account = orElse(sdk.ToString(to.S3BucketOwner), account)
		if out := to.S3OutputConfigurations; out != nil && out.OutputType != "" && out.OutputType != types.S3OutputTypeCustom {
			x.why = "It delivers in the layout " + string(out.OutputType) + ". Outlay reads exports of the type CUSTOM."
		}
	}
	x.detail = append(x.detail, strings.ToLower(orElse(props[propGranularity], "unknown granularity")), fileText(x.at.Files), modeText(props[propMode]))
	if part := props[propRows]; part != "" {
		x.detail = append(x.detail, "only a part of the rows: "+clip(part, 120))
	}
	if lacks := lacking(amortised(x.at.Format), splitColumns(props[propColumns])); len(lacks) > 0 {
		x.detail = append(x.detail, "without "+plural(len(lacks), "column", "columns")+" of reservations and savings plans: a month that has any is refused")
	}
	switch lacks := lacking(neededColumns(x.at.Format), splitColumns(props[propColumns])); {
	case x.why != "":
	case x.at.Format == "":
		x.why = "The table " + clip(props[propTable], 60) + " holds no charges. Outlay reads FOCUS 1.2, FOCUS 1.0 and CUR 2.0."
	case len(lacks) > 0:
		x.why = "It leaves out columns that costs need: " + strings.Join(lacks, ", ") + ". Add them to its query in the AWS console, or provision billing here."
	}
	return x
}

// onlyPart finds what cuts an export's rows down.
var onlyPart = regexp.MustCompile(`(?is)\b(?:WHERE|LIMIT)\b.*$`)

// splitColumns are the columns of a query's list. One that bears an alias is another column than its name says.
func splitColumns(list string) []string {
	var out []string
	for column := range strings.SplitSeq(list, ",") {
		if column = strings.TrimSpace(column); column != "" {
			out = append(out, column)
		}
	}
	return out
}

// neededColumns are the columns without which a format's rows are no charges.
func neededColumns(format string) []string {
	switch format {
	case formatFocus12, formatFocus10:
		var out []string
		for _, c := range outlay.FocusColumns() {
			if c.Required {
				out = append(out, c.Name)
			}
		}
		return out
	case formatCUR2:
		return []string{
			"bill_billing_period_start_date", "bill_payer_account_id", "line_item_currency_code", "line_item_line_item_type", "line_item_unblended_cost",
			"line_item_usage_account_id", "line_item_usage_end_date", "line_item_usage_start_date",
		}
	}
	return nil
}

// amortised are the columns that tell what commitments cost. A month that has none does without; one that has any is
// refused, for unknown is not zero.
func amortised(format string) []string {
	if format != formatCUR2 {
		return nil
	}
	return []string{
		"reservation_effective_cost", "reservation_reservation_a_r_n", "reservation_unused_amortized_upfront_fee_for_billing_period", "reservation_unused_recurring_fee",
		"savings_plan_savings_plan_a_r_n", "savings_plan_savings_plan_effective_cost", "savings_plan_total_commitment_to_date", "savings_plan_used_commitment",
	}
}

func fileText(files string) string {
	if files == filesCSV {
		return "CSV, gzipped"
	}
	return "Parquet"
}

func modeText(mode string) string {
	if strings.HasPrefix(mode, "OVERWRITE") {
		return "overwritten with each delivery"
	}
	return "each delivery in a folder of its own"
}

package bill

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"outlay"
)

// Layout is the shape of a cost and usage report. The charges are those of the FOCUS bill of the same Spec: the sums of
// both are equal, though a report has other rows (clouds.md §2.10).
type Layout string

// The layouts.
const (
	CUR2          Layout = "cur-2.0"        // Data Exports, table COST_AND_USAGE_REPORT
	ReportCSV     Layout = "report-csv"     // legacy report: lineItem/UnblendedCost, a column for each tag, everything text
	ReportParquet Layout = "report-parquet" // legacy report: line_item_unblended_cost, a column for each tag
)

// reportColumn is a column of a report: its names, and its SQL over the rows of report().
type reportColumn struct {
	name   string // in CUR 2.0 and, where legacy is set, in legacy Parquet
	legacy string // in legacy CSV; "" where the legacy report has none
	kind   string // "string", "double", "timestamp", "map<string,string>"
	sql    string
}

// reportColumns are the columns that the simulation fills, in AWS's order. The real tables have more.
func reportColumns() []reportColumn {
	text := func(name, legacy, sql string) reportColumn { return reportColumn{name, legacy, "string", sql} }
	cost := func(name, legacy, sql string) reportColumn { return reportColumn{name, legacy, "double", sql} }
	day := func(name, legacy, sql string) reportColumn { return reportColumn{name, legacy, "timestamp", sql} }
	return []reportColumn{
		text("bill_bill_type", "bill/BillType", "CASE WHEN line = 'Refund' THEN 'Refund' WHEN line = 'Fee' THEN 'Purchase' ELSE 'Anniversary' END"),
		text("bill_billing_entity", "bill/BillingEntity", "'AWS'"),
		day("bill_billing_period_end_date", "bill/BillingPeriodEndDate", "period_end"),
		day("bill_billing_period_start_date", "bill/BillingPeriodStartDate", "period_start"),
		text("bill_invoice_id", "bill/InvoiceId", "invoice"),
		text("bill_invoicing_entity", "bill/InvoicingEntity", "'Amazon Web Services, Inc.'"),
		text("bill_payer_account_id", "bill/PayerAccountId", "payer"),
		text("bill_payer_account_name", "", "payer_name"),
		text("identity_line_item_id", "identity/LineItemId", "md5(concat_ws('|', starts, line, code, meter, description, sub_account, hres, hday))"),
		text("identity_time_interval", "identity/TimeInterval", "strftime(starts, '%Y-%m-%dT%H:%M:%SZ') || '/' || strftime(ends, '%Y-%m-%dT%H:%M:%SZ')"),
		text("line_item_availability_zone", "lineItem/AvailabilityZone", "CASE WHEN zone THEN region || chr(97 + (hres % 3)::INTEGER) END"),
		cost("line_item_blended_cost", "lineItem/BlendedCost", "unblended"),
		text("line_item_currency_code", "lineItem/CurrencyCode", "'USD'"),
		text("line_item_legal_entity", "lineItem/LegalEntity", "'Amazon Web Services, Inc.'"),
		text("line_item_line_item_description", "lineItem/LineItemDescription", "CASE WHEN price IS NULL THEN description ELSE '$' || price::VARCHAR || ' ' || description END"),
		text("line_item_line_item_type", "lineItem/LineItemType", "line"),
		text("line_item_operation", "lineItem/Operation", "operation"),
		text("line_item_product_code", "lineItem/ProductCode", "code"),
		text("line_item_resource_id", "lineItem/ResourceId", resourceID()),
		text("line_item_tax_type", "lineItem/TaxType", "CASE WHEN line = 'Tax' THEN 'USSalesTax' END"),
		cost("line_item_unblended_cost", "lineItem/UnblendedCost", "unblended"),
		{"line_item_unblended_rate", "lineItem/UnblendedRate", "string", "(price * (1 - discount))::VARCHAR"},
		text("line_item_usage_account_id", "lineItem/UsageAccountId", "coalesce(sub_account, payer)"),
		text("line_item_usage_account_name", "", "coalesce(sub_account_name, payer_name)"),
		{"line_item_usage_amount", "lineItem/UsageAmount", "double", "quantity"},
		day("line_item_usage_end_date", "lineItem/UsageEndDate", "ends"),
		day("line_item_usage_start_date", "lineItem/UsageStartDate", "starts"),
		text("line_item_usage_type", "lineItem/UsageType", "meter"),
		text("pricing_currency", "pricing/currency", "'USD'"),
		cost("pricing_public_on_demand_cost", "pricing/publicOnDemandCost", "on_demand"),
		text("pricing_public_on_demand_rate", "pricing/publicOnDemandRate", "price::VARCHAR"),
		text("pricing_rate_id", "pricing/RateId", "CASE WHEN sku IS NOT NULL THEN (hash(code, meter) % 100000000000)::VARCHAR END"),
		text("pricing_term", "pricing/term", "CASE WHEN spot THEN 'Spot' WHEN line = 'Usage' THEN 'OnDemand' END"),
		text("pricing_unit", "pricing/unit", "unit"),
		{"product", "", "map<string,string>", "MAP {'product_name': service, 'sku': upper(substr(md5(code || meter), 1, 16))}"},
		{"", "product/ProductName", "string", "service"},
		text("product_instance_type", "product/instanceType", "nullif(instance, '')"),
		text("product_location", "product/location", "region_name"),
		{"", "product/region", "string", "region"},
		text("product_region_code", "product/regionCode", "region"),
		text("product_sku", "product/sku", "CASE WHEN sku IS NOT NULL THEN upper(substr(md5(code || meter), 1, 16)) END"),
		cost("reservation_effective_cost", "reservation/EffectiveCost", "0"),
		text("reservation_reservation_a_r_n", "reservation/ReservationARN", "NULL"),
		cost("reservation_unused_amortized_upfront_fee_for_billing_period", "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod", "0"),
		cost("reservation_unused_recurring_fee", "reservation/UnusedRecurringFee", "0"),
		{"resource_tags", "", "map<string,string>", "coalesce(tags, MAP {})"},
		text("savings_plan_offering_type", "savingsPlan/OfferingType", "CASE WHEN commitment IS NOT NULL THEN 'ComputeSavingsPlans' END"),
		text("savings_plan_savings_plan_a_r_n", "savingsPlan/SavingsPlanARN", "commitment"),
		cost("savings_plan_savings_plan_effective_cost", "savingsPlan/SavingsPlanEffectiveCost", "CASE WHEN line = 'SavingsPlanCoveredUsage' THEN effective ELSE 0 END"),
		cost("savings_plan_total_commitment_to_date", "savingsPlan/TotalCommitmentToDate", "CASE WHEN line = 'SavingsPlanRecurringFee' THEN unblended ELSE 0 END"),
		cost("savings_plan_used_commitment", "savingsPlan/UsedCommitment", "CASE WHEN line = 'SavingsPlanRecurringFee' THEN unblended - unused ELSE 0 END"),
	}
}

// ReportColumns lists the columns of the table COST_AND_USAGE_REPORT as far as the simulation has them.
func ReportColumns() []string {
	var out []string
	for _, c := range reportColumns() {
		if c.name != "" {
			out = append(out, c.name)
		}
	}
	return out
}

// ReportType is the type of a column of CUR 2.0 as the export declares it.
func ReportType(column string) string {
	for _, c := range reportColumns() {
		if c.name == column && c.name != "" {
			return c.kind
		}
	}
	return "string"
}

// WriteReport writes the bill as a cost and usage report in one snappy Parquet file at path, replacing it. For
// ReportCSV every column is a text, ready to be copied into CSV. Spec.Columns limits the columns of CUR2; the legacy
// report always has all. The totals are those of the FOCUS bill but for Rows.
func WriteReport(ctx context.Context, db *sql.DB, s Spec, l Layout, path string) (Totals, error) {
	columns := s.Columns
	s.Columns = nil
	s = s.withDefaults()
	if err := s.check(); err != nil {
		return Totals{}, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return Totals{}, fmt.Errorf("generating a report: %w", err)
	}
	defer func() { _ = conn.Close() }() // what failed before says more
	g := newGenerator(s)
	list, err := g.reportList(l, columns)
	if err != nil {
		return Totals{}, err
	}
	for _, stmt := range g.setUp() {
		if _, err := conn.ExecContext(ctx, stmt); err != nil {
			return Totals{}, fmt.Errorf("preparing a report of %s: %w", s.Period, err)
		}
	}
	rows := g.charges() + ",\n" + g.report()
	stmt := fmt.Sprintf("COPY (%s\nSELECT %s FROM report) TO %s (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 122880)", rows, strings.Join(list, ", "), quote(path))
	if _, err := conn.ExecContext(ctx, stmt); err != nil {
		return Totals{}, fmt.Errorf("writing a report of %s: %w", s.Period, err)
	}
	t, err := g.totals(ctx, conn)
	if err != nil {
		return Totals{}, err
	}
	return t, conn.QueryRowContext(ctx, rows+" SELECT count(*) FROM report").Scan(&t.Rows)
}

// report makes the rows: a covered use is a charge at its price and a negation that takes it back, and a commitment's
// fee carries what nobody used of it. With Split there are rows beside them that repeat a use for a pod.
func (g generator) report() string {
	kinds := `CASE WHEN charge = 'Tax' THEN 'Tax' WHEN charge = 'Credit' THEN 'Credit' WHEN charge = 'Purchase' AND commitment IS NOT NULL THEN 'SavingsPlanRecurringFee'
		WHEN charge = 'Purchase' THEN 'Fee' WHEN frequency = 'One-Time' THEN 'Refund' WHEN covered THEN 'SavingsPlanCoveredUsage' ELSE 'Usage' END`
	split := ""
	if g.spec.Split {
		split = ` UNION ALL SELECT * REPLACE ('EKSPod-EC2' AS operation, 'Usage' AS line, contracted // 2 AS unblended, NULL AS commitment) FROM kinds
			WHERE line = 'Usage' AND code = 'AmazonEC2' AND hres % 4 = 0`
	}
	return fmt.Sprintf(`kept AS (SELECT * FROM charge%s), kinds AS (SELECT kept.*, %s AS line, CASE WHEN coalesce(covered, false) THEN contracted ELSE billed END AS unblended,
			CASE WHEN price IS NOT NULL THEN list ELSE 0 END AS on_demand, round(list / 1e10 / price, 8) AS quantity, 0::BIGINT AS unused FROM kept WHERE coalesce(status, '') <> 'Unused'),
		report AS (SELECT kinds.* REPLACE (coalesce(u.effective, 0) AS unused) FROM kinds LEFT JOIN (SELECT starts AS unused_on, effective FROM bill_special WHERE status = 'Unused') u
			ON kinds.line = 'SavingsPlanRecurringFee' AND u.unused_on = kinds.starts
		UNION ALL SELECT * REPLACE ('SavingsPlanNegation' AS line, -unblended AS unblended, 0 AS on_demand) FROM kinds WHERE line = 'SavingsPlanCoveredUsage'%s)`, g.only(), kinds, split)
}

// reportList is the SELECT list of a layout.
func (g generator) reportList(l Layout, columns []string) ([]string, error) {
	for _, c := range columns {
		if !slices.Contains(ReportColumns(), c) {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Use a column of COST_AND_USAGE_REPORT.", "a report has no column %q", c)
		}
	}
	var list []string
	for _, c := range reportColumns() {
		if l != CUR2 && c.legacy != "" {
			list = append(list, c.in(l)+" AS "+ident(c.legacyName(l)))
		}
		if l == CUR2 && c.name != "" && (len(columns) == 0 || slices.Contains(columns, c.name)) {
			list = append(list, c.in(l)+" AS "+c.name)
		}
	}
	if l != CUR2 {
		list = append(list, g.tagColumns(l)...)
	}
	return list, nil
}

// legacyName is the column's name in a legacy report.
func (c reportColumn) legacyName(l Layout) string {
	switch {
	case l == ReportCSV:
		return c.legacy
	case c.name != "":
		return c.name
	}
	category, name, _ := strings.Cut(c.legacy, "/")
	return category + "_" + spell("_", name)[1:]
}

// in is the SQL of a column in a layout. Costs are whole numbers of 1e-10 until here: the nearest double in Parquet, the
// exact decimal in CSV.
func (c reportColumn) in(l Layout) string {
	isCost := c.kind == "double" && c.sql != "quantity"
	switch {
	case l == ReportCSV && isCost:
		return "((" + c.sql + ")::DECIMAL(20,0) * 0.0000000001::DECIMAL(11,10))::VARCHAR"
	case l == ReportCSV && c.kind == "timestamp":
		return "strftime(" + c.sql + ", '%Y-%m-%dT%H:%M:%SZ')"
	case l == ReportCSV:
		return "(" + c.sql + ")::VARCHAR"
	case isCost:
		return "((" + c.sql + ") / 1e10)::DOUBLE"
	case c.kind == "double":
		return "(" + c.sql + ")::DOUBLE"
	case c.kind == "timestamp":
		return "(" + c.sql + ")::TIMESTAMP_MS"
	case c.kind == "map<string,string>":
		return "(" + c.sql + ")::MAP(VARCHAR, VARCHAR)"
	}
	return "(" + c.sql + ")::VARCHAR"
}

// tagColumns are the columns of the tags of a legacy report, one for each active key and one of AWS's own.
func (g generator) tagColumns(l Layout) []string {
	keys := slices.Clone(g.spec.Tagged)
	slices.Sort(keys)
	var list []string
	for _, key := range slices.Compact(keys) {
		name := "resourceTags/user:" + key
		if l == ReportParquet {
			name = "resource_tags_" + spell("user_", key)
		}
		list = append(list, "tags["+quote(spell(g.spec.TagPrefix, key))+"] AS "+ident(name))
	}
	own := map[Layout]string{ReportCSV: "resourceTags/aws:createdBy", ReportParquet: "resource_tags_aws_created_by"}[l]
	return append(list, "CASE WHEN line = 'Usage' THEN 'AssumedRole:AROA:launcher' END AS "+ident(own))
}

func ident(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

package aws

import (
	_ "embed" // the mapping is an SQL file
	"strings"
)

// curSQL turns rows of a cost and usage report into FOCUS, whichever of the three forms they come in.
//
//go:embed mapping/cur.sql
var curSQL string

// curSource stands in cur.sql where the rows of a form go.
const curSource = "/* rows */"

// curColumn is a column of a cost and usage report, whose forms differ in how they spell it.
type curColumn struct {
	as     string // in cur.sql; "" for one that is only kept in x_Other
	name   string // in CUR 2.0, and in the legacy report as Parquet
	legacy string // in the legacy report as CSV; "" where it has none
	kind   curKind
}

// curKind says how a column is taken.
type curKind int

const (
	asText  curKind = iota // a text, NULL when empty
	asIs                   // as it comes: times, quantities and the cost itself
	alsoOut                // as text, and in x_Other too
)

// curColumns are the columns that charges are made of (clouds.md §2.10). product_region is in legacy reports only.
func curColumns() []curColumn {
	return []curColumn{
		{"AvailabilityZone", "line_item_availability_zone", "lineItem/AvailabilityZone", asText},
		{"payer", "bill_payer_account_id", "bill/PayerAccountId", asText},
		{"payer_name", "bill_payer_account_name", "", asText},
		{"currency", "line_item_currency_code", "lineItem/CurrencyCode", asText},
		{"period_start", "bill_billing_period_start_date", "bill/BillingPeriodStartDate", asIs},
		{"period_end", "bill_billing_period_end_date", "bill/BillingPeriodEndDate", asIs},
		{"invoice", "bill_invoice_id", "bill/InvoiceId", asText},
		{"issuer", "bill_invoicing_entity", "bill/InvoicingEntity", asText},
		{"seller", "line_item_legal_entity", "lineItem/LegalEntity", asText},
		{"kind", "line_item_line_item_type", "lineItem/LineItemType", alsoOut},
		{"description", "line_item_line_item_description", "lineItem/LineItemDescription", asText},
		{"charge_start", "line_item_usage_start_date", "lineItem/UsageStartDate", asIs},
		{"charge_end", "line_item_usage_end_date", "lineItem/UsageEndDate", asIs},
		{"account", "line_item_usage_account_id", "lineItem/UsageAccountId", asText},
		{"account_name", "line_item_usage_account_name", "", asText},
		{"operation", "line_item_operation", "lineItem/Operation", alsoOut},
		{"code", "line_item_product_code", "lineItem/ProductCode", alsoOut},
		{"meter", "line_item_usage_type", "lineItem/UsageType", asText},
		{"resource", "line_item_resource_id", "lineItem/ResourceId", asText},
		{"quantity", "line_item_usage_amount", "lineItem/UsageAmount", asIs},
		{"unblended", "line_item_unblended_cost", "lineItem/UnblendedCost", asIs},
		{"unblended_rate", "line_item_unblended_rate", "lineItem/UnblendedRate", asIs},
		{"unit", "pricing_unit", "pricing/unit", asText},
		{"rate", "pricing_rate_id", "pricing/RateId", asText},
		{"pricing_currency", "pricing_currency", "pricing/currency", asText},
		{"on_demand", "pricing_public_on_demand_cost", "pricing/publicOnDemandCost", asText},
		{"on_demand_rate", "pricing_public_on_demand_rate", "pricing/publicOnDemandRate", asIs},
		{"sku", "product_sku", "product/sku", asText},
		{"region_code", "product_region_code", "product/regionCode", asText},
		{"region_text", "product_region", "product/region", asText},
		{"region_name", "product_location", "product/location", asText},
		{"plan", "savings_plan_savings_plan_a_r_n", "savingsPlan/SavingsPlanARN", asText},
		{"plan_type", "savings_plan_offering_type", "savingsPlan/OfferingType", asText},
		{"plan_effective", "savings_plan_savings_plan_effective_cost", "savingsPlan/SavingsPlanEffectiveCost", asText},
		{"plan_total", "savings_plan_total_commitment_to_date", "savingsPlan/TotalCommitmentToDate", asText},
		{"plan_used", "savings_plan_used_commitment", "savingsPlan/UsedCommitment", asText},
		{"reservation", "reservation_reservation_a_r_n", "reservation/ReservationARN", asText},
		{"reservation_effective", "reservation_effective_cost", "reservation/EffectiveCost", asText},
		{"unused_upfront", "reservation_unused_amortized_upfront_fee_for_billing_period", "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod", asText},
		{"unused_recurring", "reservation_unused_recurring_fee", "reservation/UnusedRecurringFee", asText},
		{"", "line_item_tax_type", "lineItem/TaxType", alsoOut},
		{"", "line_item_net_unblended_cost", "lineItem/NetUnblendedCost", alsoOut},
		{"", "bill_bill_type", "bill/BillType", alsoOut},
		{"", "pricing_term", "pricing/term", alsoOut},
		{"", "pricing_purchase_option", "pricing/PurchaseOption", alsoOut},
		{"", "product_instance_type", "product/instanceType", alsoOut},
	}
}

// curForm is one of the forms of a report: how it spells columns, and what only it has.
type curForm struct {
	legacy  bool     // spelled as in the legacy report as CSV
	service string   // the product's name
	tags    string   // all tags of a row, as MAP or JSON text
	json    []string // columns of maps that x_Other keeps
	further []string // columns that service, tags and json speak of
}

// tagColumns gathers a column for each tag, whose name begins so, into one map. Each keeps its name as its key: the
// parser strips it. Of tags that differ in letter case alone the parser marked the later ones, by chr(31).
func tagColumns(prefix string) string {
	return "map_from_entries(list_filter(map_entries(CAST(to_json(struct_pack(*COLUMNS(lambda c: starts_with(c, '" + prefix + "')))) AS MAP(VARCHAR, VARCHAR))), lambda e: e.value <> '').list_transform(lambda e: {key: split_part(e.key, chr(31), 1), value: e.value}))"
}

// curForms are the three forms. In CUR 2.0 product, tags and discounts are maps in Parquet and JSON texts in CSV.
func curForms(format string) curForm {
	switch format {
	case formatReportCSV:
		return curForm{legacy: true, service: `"product/ProductName"`, tags: tagColumns("resourceTags/"), further: []string{"product/ProductName", "resourceTags/"}}
	case formatReportParquet:
		return curForm{service: "product_product_name", tags: tagColumns("resource_tags_"), further: []string{"product_product_name", "resource_tags_"}}
	}
	return curForm{
		service: "json_extract_string(CAST(product AS JSON), '$.product_name')", tags: "resource_tags",
		json: []string{"cost_category", "discount"}, further: []string{"product", "resource_tags", "cost_category", "discount"},
	}
}

// rows is the SELECT that gives the columns of a form the names of cur.sql. What a file lacks is NULL.
func (f curForm) rows() string {
	var list, out, lacking []string
	for _, c := range curColumns() {
		name := c.name
		if f.legacy {
			name = c.legacy
		}
		value := "NULL"
		if name != "" {
			value = `"` + name + `"`
			lacking = append(lacking, "NULL AS "+value)
		}
		if c.kind != asIs && name != "" {
			value = textOf(value)
		}
		if c.as != "" {
			list = append(list, value+" AS "+c.as)
		}
		if c.kind == alsoOut {
			out = append(out, `'"`+name+`":' || CAST(to_json(`+value+") AS VARCHAR)")
		}
	}
	for _, name := range f.json {
		out = append(out, `'"`+name+`":' || CAST(CAST(`+name+" AS JSON) AS VARCHAR)")
	}
	for _, name := range f.further {
		lacking = append(lacking, `NULL AS "`+name+`"`)
	}
	list = append(list, textOf(f.service)+" AS service", f.tags+" AS Tags", "NULLIF('{' || concat_ws(',', "+strings.Join(out, ", ")+") || '}', '{}') AS x_Other")
	return "SELECT " + strings.Join(list, ",\n    ") + "\n  FROM (SELECT * FROM raw UNION ALL BY NAME SELECT " + strings.Join(lacking, ", ") + " WHERE false) AS whole"
}

func textOf(value string) string { return "NULLIF(CAST(" + value + " AS VARCHAR), '')" }

// curMapping is the whole SELECT for a form.
func curMapping(format string) string {
	return strings.Replace(curSQL, curSource, curForms(format).rows(), 1)
}

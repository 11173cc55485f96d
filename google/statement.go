package google

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"outlay"

	"google.golang.org/api/bigquery/v2"
)

// selected is one column of a statement: what is asked for, under which name, and which column of the table it needs.
type selected struct {
	expr, as string
	needs    string // "service.id"; "" when it needs none that could lack
	optional bool   // some tables lack it, of an earlier time or another kind: NULL then
}

// usageColumns are what is read of the detailed and the standard export (clouds.md §4.7), flat. Costs are doubles in the
// table; BigQuery makes each a decimal before anything is summed.
func usageColumns(kind exportKind) []selected {
	const creditSum = "IFNULL((SELECT SUM(CAST(c.amount AS NUMERIC)) FROM UNNEST(credits) AS c), 0)"
	plain := func(names ...string) []selected {
		var out []selected
		for _, n := range names {
			out = append(out, selected{expr: n, as: strings.ReplaceAll(n, ".", "_"), needs: n})
		}
		return out
	}
	later := func(list ...selected) []selected {
		for i := range list {
			list[i].optional = true
		}
		return list
	}
	out := plain("billing_account_id", "service.id", "service.description", "sku.id", "sku.description", "usage_start_time", "usage_end_time",
		"project.id", "project.number", "project.name", "location.location", "location.country", "location.region", "location.zone",
		"currency", "currency_conversion_rate", "usage.amount", "usage.unit", "usage.amount_in_pricing_units", "usage.pricing_unit",
		"invoice.month", "cost_type", "export_time")
	out = append(out,
		selected{"CAST(cost AS NUMERIC)", "cost", "cost", false},
		selected{creditSum, "credits_total", "credits", false},
		selected{"TO_JSON_STRING(credits)", "credits", "credits", false},
		selected{"TO_JSON_STRING(labels)", "labels", "labels", false},
		selected{"TO_JSON_STRING(project.labels)", "project_labels", "project.labels", false},
		selected{"TO_JSON_STRING(system_labels)", "system_labels", "system_labels", true},
		selected{"TO_JSON_STRING(tags)", "resource_tags", "tags", true},
		selected{"CAST(cost_at_list AS NUMERIC)", "cost_at_list", "cost_at_list", true})
	out = append(out, later(plain("adjustment_info.id", "adjustment_info.type", "adjustment_info.mode", "adjustment_info.description", "invoice.publisher_type",
		"transaction_type", "seller_name", "subscription.instance_id", "consumption_model.id", "consumption_model.description", "price.effective_price", "price.unit")...)...)
	resource := plain("resource.name", "resource.global_name")
	if kind == exportStandard {
		resource = later(resource...) // so that one mapping serves both
	}
	return append(out, resource...)
}

// focusColumns are what is read of the FOCUS export: its own columns, and lists as JSON (clouds.md §4.7).
func focusColumns() []selected {
	const creditSum = "IFNULL((SELECT SUM(CAST(c.Amount AS NUMERIC)) FROM UNNEST(x_Credits) AS c), 0)"
	var out []selected
	add := func(optional bool, names string) {
		for n := range strings.FieldsSeq(names) {
			out = append(out, selected{n, n, n, optional})
		}
	}
	for n := range strings.FieldsSeq("BilledCost ContractedCost EffectiveCost ListCost") {
		out = append(out, selected{"CAST(" + n + " AS NUMERIC)", n, n, false})
	}
	add(false, `BillingAccountId BillingCurrency BillingPeriodStart BillingPeriodEnd ChargeCategory ChargePeriodStart ChargePeriodEnd ServiceName SubAccountId x_ExportTime`)
	add(true, `AvailabilityZone BillingAccountType ChargeClass ChargeDescription ConsumedQuantity ConsumedUnit ContractedUnitPrice ListUnitPrice PricingCategory
		PricingCurrency PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost PricingCurrencyListUnitPrice PricingQuantity PricingUnit ProviderName
		PublisherName RegionId RegionName ResourceId ResourceName SkuId SkuPriceId SubAccountName x_CostType x_CurrencyConversionRate x_ServiceId
		x_SubscriptionInstanceId x_ConsumptionModelId x_ConsumptionModelDescription`)
	out = append(out,
		selected{creditSum, "x_CreditsTotal", "x_Credits", false},
		selected{"TO_JSON_STRING(x_Credits)", "x_Credits", "x_Credits", false})
	for n := range strings.FieldsSeq("x_Labels x_ProjectLabels x_SystemLabels x_Tags x_Location x_Project") {
		out = append(out, selected{"TO_JSON_STRING(" + n + ")", n, n, true})
	}
	return out
}

func columnsOf(kind exportKind) []selected {
	if kind == exportFocus {
		return focusColumns()
	}
	return usageColumns(kind)
}

// statement is a query with its parameters.
type statement struct {
	sql    string
	params map[string]string // name → value; paramType tells the type
}

// tableRef is one table and what a query has to know of it.
type tableRef struct {
	Project, Dataset, Table string
	Location                string
	Kind                    exportKind
	// Partition is the column by which the table is cut; "" for the time of ingestion, "none" for a table in one piece.
	Partition string
	// Expires is after how long BigQuery deletes rows of it, by partitions; 0 for never.
	Expires time.Duration
	// Columns are the names of the table's columns, "service.id" for nested ones, in lower case.
	Columns []string
}

func (t tableRef) full() string { return t.Project + "." + t.Dataset + "." + t.Table }

func (t tableRef) quoted() string { return "`" + t.full() + "`" }

func (t tableRef) has(column string) bool { return slices.Contains(t.Columns, strings.ToLower(column)) }

const noPartition = "none"

// early is how long before a month begins its first rows may come.
const early = 5 * 24 * time.Hour

// tokenStatement asks for each month's change token: the newest export, the rows and their sum. It reads three or four
// narrow columns (clouds.md §4.5).
func tokenStatement(t tableRef) statement {
	month, exported, cost := "invoice.month", "export_time", "cost"
	if t.Kind == exportFocus {
		month, exported, cost = "FORMAT_DATE('%Y%m', DATE(BillingPeriodStart, 'UTC'))", "x_ExportTime", "BilledCost"
	}
	return statement{sql: fmt.Sprintf("SELECT\n  %s AS month,\n  MAX(%s) AS newest,\n  COUNT(*) AS charges,\n  SUM(CAST(%s AS NUMERIC)) AS total\nFROM %s\nGROUP BY 1\nORDER BY 1", month, exported, cost, t.quoted())}
}

// monthStatement reads one whole invoice month with explicit columns. The partitions have a lower bound only: late rows
// and adjustments are in later ones (clouds.md §4.6).
func monthStatement(t tableRef, period outlay.Period) (statement, error) {
	var list []string
	for _, c := range columnsOf(t.Kind) {
		switch {
		case c.needs == "" || t.has(c.needs):
			list = append(list, "  "+column(c))
		case c.optional:
			list = append(list, "  CAST(NULL AS STRING) AS "+c.as)
		default:
			return statement{}, outlay.Errorf(outlay.CodeInvalid, "Look in the Google Cloud console whether this is still the table of a "+t.Kind.title()+" export.",
				"the table %s has no column %s any more", t.Table, c.needs).InField(c.needs)
		}
	}
	st := statement{params: map[string]string{}}
	var where []string
	if t.Kind == exportFocus {
		st.params["start"] = period.Start().Format("2006-01-02T15:04:05Z")
		st.params["end"] = period.End().Format("2006-01-02T15:04:05Z")
		where = append(where, "BillingPeriodStart >= @start", "BillingPeriodStart < @end")
	} else {
		st.params["month"] = period.Start().Format("200601")
		where = append(where, "invoice.month = @month")
	}
	if by := boundBy(t); by != "" {
		st.params["from"] = period.Start().Add(-early).Format("2006-01-02T15:04:05Z")
		where = append(where, "("+by+" >= @from OR "+by+" IS NULL)") // rows that just arrived are in no partition yet
	}
	st.sql = "SELECT\n" + strings.Join(list, ",\n") + "\nFROM " + t.quoted() + "\nWHERE " + strings.Join(where, "\n  AND ")
	return st, nil
}

func column(c selected) string {
	if c.expr == c.as {
		return c.expr
	}
	return c.expr + " AS " + c.as
}

// boundBy is the partition column that no row of a month can lie before in; "" where there is none: a table cut by time
// of usage holds corrections of older usage.
func boundBy(t tableRef) string {
	switch t.Partition {
	case "":
		return "_PARTITIONTIME"
	case "export_time", "x_ExportTime":
		return t.Partition
	}
	return ""
}

// parameters are a statement's parameters as BigQuery takes them.
func (s statement) parameters() []*bigquery.QueryParameter {
	var out []*bigquery.QueryParameter
	for _, name := range slices.Sorted(maps.Keys(s.params)) {
		out = append(out, &bigquery.QueryParameter{
			Name: name, ParameterType: &bigquery.QueryParameterType{Type: paramType(name)}, ParameterValue: &bigquery.QueryParameterValue{Value: s.params[name]},
		})
	}
	return out
}

func paramType(name string) string {
	if name == "month" {
		return "STRING"
	}
	return "TIMESTAMP"
}

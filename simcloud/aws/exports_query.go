package aws

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"outlay/simcloud/bill"
)

// selectStatement is the only form of SQL that Data Exports takes: no joins, no functions, no star (clouds.md §2.3).
var selectStatement = regexp.MustCompile(`(?is)^\s*select\s+(.+?)\s+from\s+([A-Za-z0-9_]+)\s*(?:where\s.*|limit\s.*)?;?\s*$`)

// tableOf is the table that a query reads; "" for no query.
func tableOf(sql string) string {
	m := selectStatement.FindStringSubmatch(sql)
	if m == nil {
		return ""
	}
	return m[2]
}

// columnsOf lists the columns that a query selects, in order.
func columnsOf(sql string) []string {
	m := selectStatement.FindStringSubmatch(sql)
	if m == nil {
		return nil
	}
	var out []string
	for part := range strings.SplitSeq(m[1], ",") {
		out = append(out, strings.TrimSpace(part))
	}
	return out
}

// check refuses SQL and settings that AWS refuses.
func (q dataQuery) check(table string) *refusal {
	if table == "" || len(q.QueryStatement) > 36000 {
		return invalid("QueryStatement", "The query statement is not valid.")
	}
	if !slices.Contains(tableNames(), table) {
		return invalid("QueryStatement", "The table %s does not exist.", table)
	}
	seen := map[string]bool{}
	for _, column := range columnsOf(q.QueryStatement) {
		if !slices.Contains(tableColumns(table), column) {
			return invalid("QueryStatement", "The columns in the query provided are not a subset of the table %s: %s", table, column)
		}
		if seen[column] {
			return invalid("QueryStatement", "The column %s is selected twice.", column)
		}
		seen[column] = true
	}
	for name, settings := range q.TableConfigurations {
		if name != table {
			return invalid("TableConfigurations", "The query does not use the table %s.", name)
		}
		for property, value := range settings {
			if !validProperty(table, property, value) {
				return invalid("TableConfigurations", "The value %s of %s is not valid.", value, property)
			}
		}
	}
	return nil
}

// tableProperty is a setting of a table.
type tableProperty struct {
	Name, Default string
	Values        []string
}

// tableReport is the table of CUR 2.0.
const tableReport = "COST_AND_USAGE_REPORT"

func tableNames() []string { return []string{"FOCUS_1_2_AWS", "FOCUS_1_0_AWS", tableReport} }

func tableProperties(table string) []tableProperty {
	if !slices.Contains(tableNames(), table) {
		return nil
	}
	granularity := tableProperty{"TIME_GRANULARITY", "HOURLY", []string{"HOURLY", "DAILY", "MONTHLY"}}
	if table != tableReport {
		return []tableProperty{granularity}
	}
	yesNo := []string{"TRUE", "FALSE"}
	return []tableProperty{
		granularity, {"INCLUDE_RESOURCES", "FALSE", yesNo}, {"INCLUDE_SPLIT_COST_ALLOCATION_DATA", "FALSE", yesNo}, {"INCLUDE_MANUAL_DISCOUNT_COMPATIBILITY", "FALSE", yesNo},
	}
}

func validProperty(table, name, value string) bool {
	for _, p := range tableProperties(table) {
		if p.Name == name {
			return slices.Contains(p.Values, value)
		}
	}
	return false
}

// tableColumns lists what a table offers. FOCUS 1.0 lacks what 1.2 added.
func tableColumns(table string) []string {
	if table == tableReport {
		return bill.ReportColumns()
	}
	if table != "FOCUS_1_0_AWS" {
		return bill.Columns()
	}
	added := []string{
		"BillingAccountType", "CapacityReservationId", "CapacityReservationStatus", "CommitmentDiscountQuantity", "CommitmentDiscountUnit", "InvoiceId",
		"PricingCurrency", "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice",
		"ServiceSubcategory", "SkuMeter", "SkuPriceDetails", "SubAccountType",
	}
	return slices.DeleteFunc(bill.Columns(), func(col string) bool { return slices.Contains(added, col) })
}

// columnType is the type of a column as a table declares it.
func columnType(table, column string) string {
	if table == tableReport {
		return bill.ReportType(column)
	}
	return bill.Type(column)
}

func (c *Cloud) listTables(k *call) (answer, *refusal) {
	if fail := c.need(k, "bcm-data-exports:ListTables", "*"); fail != nil {
		return answer{}, fail
	}
	var in pageRequest
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	page, next, fail := paged(tableNames(), in.NextToken, in.MaxResults, 100)
	if fail != nil {
		return answer{}, fail
	}
	list := []map[string]any{}
	for _, name := range page {
		properties := []map[string]any{}
		for _, p := range tableProperties(name) {
			properties = append(properties, map[string]any{"Name": p.Name, "DefaultValue": p.Default, "ValidValues": p.Values, "Description": "Granularity of the rows"})
		}
		list = append(list, map[string]any{"TableName": name, "Description": "Table " + name, "TableProperties": properties})
	}
	return jsonAnswer(withNext(map[string]any{"Tables": list}, next))
}

func (c *Cloud) getTable(k *call) (answer, *refusal) {
	var in struct {
		TableName       string
		TableProperties map[string]string
	}
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	if fail := c.need(k, "bcm-data-exports:GetTable", c.exportARN(k.Caller.Account, "table/"+in.TableName)); fail != nil {
		return answer{}, fail
	}
	if !slices.Contains(tableNames(), in.TableName) {
		return answer{}, refuse(http.StatusBadRequest, "ValidationException", "The table %s does not exist.", in.TableName).with("Reason", "other")
	}
	properties := map[string]string{}
	for _, p := range tableProperties(in.TableName) {
		properties[p.Name] = p.Default
	}
	for name, value := range in.TableProperties {
		if !validProperty(in.TableName, name, value) {
			return answer{}, invalid("TableProperties", "The value %s of %s is not valid.", value, name)
		}
		properties[name] = value
	}
	schema := []map[string]string{}
	for _, col := range tableColumns(in.TableName) {
		schema = append(schema, map[string]string{"Name": col, "Type": columnType(in.TableName, col), "Description": col})
	}
	return jsonAnswer(map[string]any{"TableName": in.TableName, "Description": "Table " + in.TableName, "TableProperties": properties, "Schema": schema})
}

package bill

// googleUsageColumns are the columns of the standard and detailed exports (clouds.md §4.7), over bill_google.
func googleUsageColumns(detailed bool, exported string) []string {
	const kv = `STRUCT("key" VARCHAR, "value" VARCHAR)[]`
	out := []string{
		"account AS billing_account_id",
		"{'id': service_id, 'description': service} AS service",
		"{'id': sku_id, 'description': sku} AS sku",
		"starts::TIMESTAMP AS usage_start_time",
		"ends::TIMESTAMP AS usage_end_time",
		`CASE WHEN project_id IS NOT NULL THEN {'id': project_id, 'number': project_number, 'name': project_name, 'labels': project_labels, 'ancestry_numbers': '/424242424242/', 'ancestors': [{'resource_name': 'projects/' || project_number, 'display_name': project_name}, {'resource_name': 'organizations/424242424242', 'display_name': 'northfield.example'}]} END AS project`,
		"labels::" + kv + " AS labels",
		"CASE WHEN machine IS NOT NULL THEN [{'key': 'compute.googleapis.com/machine_spec', 'value': machine}] ELSE [] END::" + kv + " AS system_labels",
		"{'location': coalesce(region, 'global'), 'country': country, 'region': region, 'zone': zone} AS location",
		`[]::STRUCT("key" VARCHAR, "value" VARCHAR, inherited BOOLEAN, namespace VARCHAR)[] AS tags`,
	}
	if detailed {
		out = append(out, "{'name': resource_name, 'global_name': resource_global} AS resource")
	}
	return append(out,
		"'GOOGLE' AS transaction_type", "NULL::VARCHAR AS seller_name",
		exported+"::TIMESTAMP AS export_time",
		"(cost / 1e6)::DOUBLE AS cost", "'USD' AS currency", "1.0::DOUBLE AS currency_conversion_rate",
		"{'amount': list / 1e6 / price * factor, 'unit': unit, 'amount_in_pricing_units': list / 1e6 / price, 'pricing_unit': pricing_unit} AS usage",
		googleCredits()+" AS credits",
		`{'month': strftime(day, '%Y%m'), 'publisher_type': 'GOOGLE'} AS invoice`,
		"cost_type",
		"{'id': NULL::VARCHAR, 'description': CASE WHEN adjustment IS NOT NULL THEN 'Manual adjustment' END, 'mode': CASE WHEN adjustment IS NOT NULL THEN 'PARTIAL_CORRECTION' END, 'type': adjustment} AS adjustment_info",
		"(list / 1e6)::DOUBLE AS cost_at_list", "(list / 1e6)::DOUBLE AS cost_at_effective_price_default", "(list / 1e6)::DOUBLE AS cost_at_list_consumption_model",
		"{'effective_price': (price / 1.08)::DECIMAL(38,9), 'tier_start_amount': 0::DECIMAL(38,9), 'unit': pricing_unit, 'pricing_unit_quantity': 1::DECIMAL(38,9)} AS price",
		"{'instance_id': NULL::VARCHAR} AS subscription",
		"{'id': '7754-699E-0EBF', 'description': 'Default'} AS consumption_model",
	)
}

// googleCredits is the list of a row's credits: none, one or two.
func googleCredits() string {
	one := func(n string) string {
		return "CASE WHEN credit_type_" + n + " IS NOT NULL THEN [{'id': credit_type_" + n + " || ':' || sku_id, 'full_name': replace(credit_type_" + n + ", '_', ' '), 'type': credit_type_" + n +
			", 'name': lower(replace(credit_type_" + n + ", '_', ' ')), 'amount': (credit_" + n + " / 1e6)::DOUBLE}] ELSE [] END"
	}
	return "(" + one("1") + " || " + one("2") + `)::STRUCT(id VARCHAR, full_name VARCHAR, "type" VARCHAR, "name" VARCHAR, amount DOUBLE)[]`
}

// googleFocusColumns are the columns of the FOCUS export (clouds.md §4.7). BilledCost is net; ContractedCost is not, and
// ContractedCost + Σ x_Credits.Amount = BilledCost on every row.
func googleFocusColumns(exported string) []string {
	const kv = `STRUCT("key" VARCHAR, "value" VARCHAR)[]`
	money := func(units string) string { return "((" + units + ")::DECIMAL(38,9) / 1000000)::DECIMAL(38,9)" }
	credit := func(n string) string {
		return "CASE WHEN credit_type_" + n + " IS NOT NULL THEN [{'Id': credit_type_" + n + " || ':' || sku_id, 'FullName': replace(credit_type_" + n + ", '_', ' '), 'Type': credit_type_" + n +
			", 'Name': lower(replace(credit_type_" + n + ", '_', ' ')), 'Amount': " + money("credit_"+n) + "}] ELSE [] END"
	}
	return []string{
		"zone AS AvailabilityZone", money("cost + credit_1 + credit_2") + " AS BilledCost", "account AS BillingAccountId", "'Billing Account' AS BillingAccountType", "'USD' AS BillingCurrency",
		"date_trunc('month', day)::TIMESTAMP AS BillingPeriodStart", "(date_trunc('month', day) + INTERVAL 1 MONTH)::TIMESTAMP AS BillingPeriodEnd",
		"CASE cost_type WHEN 'tax' THEN 'Tax' WHEN 'adjustment' THEN 'Adjustment' WHEN 'rounding_error' THEN 'Adjustment' ELSE 'Usage' END AS ChargeCategory",
		"CASE WHEN adjustment IS NOT NULL THEN 'Correction' END AS ChargeClass", "sku AS ChargeDescription", "starts::TIMESTAMP AS ChargePeriodStart", "ends::TIMESTAMP AS ChargePeriodEnd",
		"(list / 1e6 / price * factor)::DECIMAL(38,9) AS ConsumedQuantity", "unit AS ConsumedUnit", money("cost") + " AS ContractedCost", "(price / 1.08)::DECIMAL(38,9) AS ContractedUnitPrice",
		money("cost + credit_1 + credit_2") + " AS EffectiveCost", money("list") + " AS ListCost", "price::DECIMAL(38,9) AS ListUnitPrice",
		"CASE WHEN credit_type_1 LIKE 'COMMITTED%' THEN 'Committed' WHEN sku LIKE '%Spot%' THEN 'Dynamic' WHEN price IS NOT NULL THEN 'Standard' END AS PricingCategory", "'USD' AS PricingCurrency",
		"(price / 1.08)::DECIMAL(38,9) AS PricingCurrencyContractedUnitPrice", money("cost + credit_1 + credit_2") + " AS PricingCurrencyEffectiveCost", "price::DECIMAL(38,9) AS PricingCurrencyListUnitPrice",
		"(list / 1e6 / price)::DECIMAL(38,9) AS PricingQuantity", "pricing_unit AS PricingUnit", "'Google Cloud' AS ProviderName", "'Google Cloud' AS PublisherName", "region AS RegionId", "region AS RegionName",
		"resource_global AS ResourceId", "resource_name AS ResourceName", "service AS ServiceName", "sku_id AS SkuId", "sku_id || '/default' AS SkuPriceId", "project_id AS SubAccountId", "project_name AS SubAccountName",
		"(" + credit("1") + " || " + credit("2") + `)::STRUCT("Id" VARCHAR, "FullName" VARCHAR, "Type" VARCHAR, "Name" VARCHAR, "Amount" DECIMAL(38,9))[] AS x_Credits`,
		"cost_type AS x_CostType", "1::DECIMAL(38,9) AS x_CurrencyConversionRate", exported + "::TIMESTAMP AS x_ExportTime",
		"{'Location': coalesce(region, 'global'), 'Country': country, 'Region': region, 'Zone': zone} AS x_Location",
		"CASE WHEN project_id IS NOT NULL THEN {'Id': project_id, 'Number': project_number, 'Name': project_name, 'AncestryNumbers': '/424242424242/'} END AS x_Project", "service_id AS x_ServiceId",
		"CASE WHEN machine IS NOT NULL THEN [{'key': 'compute.googleapis.com/machine_spec', 'value': machine}] ELSE [] END::" + kv + " AS x_SystemLabels",
		"labels::" + kv + " AS x_Labels", "project_labels::" + kv + " AS x_ProjectLabels", `[]::STRUCT("key" VARCHAR, "value" VARCHAR, inherited BOOLEAN, namespace VARCHAR)[] AS x_Tags`,
		"NULL::VARCHAR AS x_SubscriptionInstanceId", "price::DECIMAL(38,9) AS x_PriceEffectivePriceDefault", "price::DECIMAL(38,9) AS x_PriceListPriceConsumptionModel",
		money("list") + " AS x_CostAtEffectivePriceDefault", money("list") + " AS x_CostAtListConsumptionModel", "'7754-699E-0EBF' AS x_ConsumptionModelId", "'Default' AS x_ConsumptionModelDescription",
	}
}

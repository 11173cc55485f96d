package bill

import "fmt"

// expression is the SQL of a column over charge. What special rows lack is NULL.
func (g azureGenerator) expression(column string) string {
	sets := []map[string]string{g.focusMoney(), g.focusWho(), g.focusWhat(), g.focusOwn()}
	if g.spec.Dataset != "FocusCost" {
		sets = []map[string]string{g.oldMoney(), g.oldWho(), g.oldWhat()}
	}
	for _, set := range sets {
		if e, ok := set[column]; ok {
			return e
		}
	}
	return "NULL"
}

const (
	azureQuantity = "coalesce(round(quantity_units / 1e10, 8), 1)"
	azurePrice    = "coalesce(price, billed / 1e10)"
)

func (g azureGenerator) focusMoney() map[string]string {
	// A covered row has no list price; a third party's offer has neither (clouds.md §3.10).
	contracted := "CASE WHEN contracted = 0 AND billed = 0 AND effective > 0 THEN 0 ELSE " + azurePrice + " * (1 - coalesce(discount, 0)) END"
	return map[string]string{
		"BilledCost": "billed / 1e10", "EffectiveCost": "effective / 1e10", "ListCost": "list / 1e10", "ContractedCost": "contracted / 1e10",
		"x_BilledCostInUsd": "billed / 1e10", "x_EffectiveCostInUsd": "effective / 1e10", "x_ListCostInUsd": "list / 1e10", "x_ContractedCostInUsd": "contracted / 1e10",
		"ListUnitPrice": "CASE WHEN list = 0 THEN 0 ELSE " + azurePrice + " END", "ContractedUnitPrice": contracted,
		"x_BilledUnitPrice":    "billed / 1e10 / " + azureQuantity,
		"x_EffectiveUnitPrice": "effective / 1e10 / " + azureQuantity,
		"ConsumedQuantity":     "CASE WHEN charge = 'Usage' THEN " + azureQuantity + " END", "ConsumedUnit": "CASE WHEN charge = 'Usage' THEN coalesce(unit, 'Units') END",
		"PricingQuantity": azureQuantity, "PricingUnit": "coalesce(unit, 'Units')",
		"PricingCategory":   "CASE WHEN charge = 'Tax' THEN NULL WHEN commitment IS NOT NULL AND charge = 'Usage' THEN 'Committed' WHEN spot THEN 'Dynamic' ELSE 'Standard' END",
		"BillingCurrency":   "'USD'",
		"PricingCurrency":   "'USD'",
		"x_PricingCurrency": "'USD'", "x_BillingExchangeRate": "1", "x_BillingExchangeRateDate": "period_start", "x_PricingBlockSize": "1",
		"x_PricingSubcategory":     "CASE WHEN commitment IS NOT NULL AND charge = 'Usage' THEN 'Committed Usage' WHEN spot THEN 'Spot' ELSE 'Standard' END",
		"x_PricingUnitDescription": "unit",
	}
}

func (g azureGenerator) focusWho() map[string]string {
	kind := "Billing Profile"
	if g.spec.Agreement == "MOSP" {
		kind = "Billing Account"
	}
	return map[string]string{
		"BillingAccountId": "payer", "BillingAccountName": "payer_name", "BillingAccountType": quote(kind), "InvoiceIssuerName": "'Microsoft'", "InvoiceId": "invoice", "x_InvoiceId": "invoice",
		"BillingPeriodStart": "period_start", "BillingPeriodEnd": "period_end", "ChargePeriodStart": "starts", "ChargePeriodEnd": "ends", "x_ServicePeriodStart": "starts", "x_ServicePeriodEnd": "ends",
		"SubAccountId": "'/subscriptions/' || sub_account", "SubAccountName": "sub_account_name", "SubAccountType": "CASE WHEN sub_account IS NOT NULL THEN 'Subscription' END", "x_SubscriptionId": "sub_account",
		"ProviderName": "'Microsoft'", "PublisherName": "CASE WHEN code = 'Microsoft.SaaS' THEN 'Halcyon Mesh' WHEN code = 'Microsoft.Capacity' THEN NULL ELSE 'Microsoft' END",
		"x_PublisherCategory": "CASE WHEN code = 'Microsoft.SaaS' THEN 'Vendor' ELSE 'Cloud Provider' END", "x_PublisherId": "CASE WHEN code = 'Microsoft.SaaS' THEN 'halcyonmesh' END",
		"x_BillingAccountId": "payer", "x_BillingAccountName": "payer_name", "x_BillingProfileId": "payer", "x_BillingProfileName": "payer_name",
		"x_AccountId": "'104729'", "x_AccountName": "'Northfield Research'", "x_AccountOwnerId": "'ada@northfield.example'", "x_CostCenter": "'9000'",
		"x_InvoiceSectionId": "'NRF'", "x_InvoiceSectionName": "'Northfield'", "x_InvoiceIssuerId": "'1'",
	}
}

func (g azureGenerator) focusWhat() map[string]string {
	reserved := "commitment IS NOT NULL"
	return map[string]string{
		"ChargeCategory": "charge", "ChargeClass": "class", "ChargeDescription": "description", "ChargeFrequency": "frequency",
		"CommitmentDiscountCategory": "CASE WHEN " + reserved + " THEN 'Usage' END",
		// The same reservation is written in another letter case than in ResourceId.
		"CommitmentDiscountId":       "commitment",
		"CommitmentDiscountName":     "CASE WHEN " + reserved + " THEN 'VM_RI_research' END",
		"CommitmentDiscountQuantity": "CASE WHEN " + reserved + " AND charge = 'Usage' THEN " + azureQuantity + " END", "CommitmentDiscountUnit": "CASE WHEN " + reserved + " THEN 'Normalized Hours' END",
		"CommitmentDiscountStatus": "CASE WHEN charge = 'Usage' THEN status END", "CommitmentDiscountType": "CASE WHEN " + reserved + " THEN 'Reservation' END",
		"RegionId": "region", "RegionName": "region_name", "ResourceId": g.resourceID(), "ResourceName": "CASE WHEN kind IS NOT NULL THEN " + azureResourceName + " END",
		"ResourceType":    "CASE kind WHEN 'virtualMachines' THEN 'Virtual machine' WHEN 'disks' THEN 'Disk' WHEN 'storageAccounts' THEN 'Storage account' ELSE kind END",
		"ServiceCategory": "category", "ServiceName": "service", "ServiceSubcategory": "subcategory",
		"SkuId": "CASE WHEN sku IS NOT NULL THEN 'DZH318Z0' || upper(substr(md5(code || meter), 1, 4)) END", "SkuPriceId": "CASE WHEN sku IS NOT NULL THEN 'DZH318Z0' || upper(substr(md5(code || meter), 1, 4)) || '_0001' END",
		"SkuMeter": "meter", "SkuPriceDetails": "CASE WHEN instance <> '' THEN json_object('ServiceType', instance, 'ImageType', 'Canonical', 'VCPUs', 8)::VARCHAR END",
		"x_SkuDetails": "CASE WHEN instance <> '' THEN json_object('ServiceType', instance, 'ImageType', 'Canonical', 'VCPUs', 8)::VARCHAR END",
		"Tags":         "tags",
	}
}

func (g azureGenerator) focusOwn() map[string]string {
	return map[string]string{
		"x_AmortizationClass": "CASE WHEN commitment IS NULL THEN NULL WHEN charge = 'Purchase' THEN 'Principal' ELSE 'Amortized Charge' END",
		"x_ResourceGroupName": "resource_group", "x_ResourceType": "CASE WHEN kind IS NOT NULL THEN lower(code || '/' || kind) END", "x_ServiceModel": "'IaaS'",
		"x_SkuDescription": "description", "x_SkuIsCreditEligible": "code <> 'Microsoft.SaaS'", "x_SkuMeterCategory": "service", "x_SkuMeterId": azureMeterID, "x_SkuMeterName": "meter",
		"x_SkuMeterSubcategory": "coalesce(operation, description)", "x_SkuOfferId": quote(g.offer()), "x_SkuPartNumber": "CASE WHEN sku IS NOT NULL THEN 'AAA-' || (10000 + sku)::VARCHAR END",
		"x_SkuOrderId": azureOrderID, "x_SkuOrderName": "CASE WHEN commitment IS NOT NULL THEN 'Reserved VM Instance, Standard_D8s_v5, US East, 1 Year' END",
		"x_SkuRegion": "meter_region", "x_SkuServiceFamily": "category", "x_SkuTerm": "CASE WHEN commitment IS NOT NULL THEN '12' END",
	}
}

const (
	azureResourceName = "prefix || lower(hex(hres))"
	azureMeterID      = "CASE WHEN sku IS NOT NULL THEN substr(md5(meter), 1, 8) || '-' || substr(md5(meter), 9, 4) || '-4' || substr(md5(meter), 14, 3) || '-a' || substr(md5(meter), 18, 3) || '-' || substr(md5(meter), 21, 12) END"
	azureOrderID      = "CASE WHEN commitment IS NOT NULL THEN split_part(commitment, '/', 5) END"
)

// resourceID is the id of a resource; a fifth of them come in lower case, as from services of that habit.
func (g azureGenerator) resourceID() string {
	id := "'/subscriptions/' || sub_account || '/resourceGroups/' || resource_group || '/providers/' || code || '/' || kind || '/' || " + azureResourceName
	return fmt.Sprintf("CASE WHEN kind IS NULL THEN CASE WHEN charge = 'Purchase' AND commitment IS NOT NULL THEN lower(commitment) END WHEN hres %% 5 = 0 THEN lower(%[1]s) ELSE %[1]s END", id)
}

// offer is the number of the offer in the cost rows.
func (g azureGenerator) offer() string {
	return map[string]string{"EA": "MS-AZR-0017P", "MCA": "", "MOSP": "MS-AZR-0003P"}[g.spec.Agreement]
}

// oldMoney are the amounts of the older data sets: what was billed in ActualCost and Usage, what it was worth in
// AmortizedCost.
func (g azureGenerator) oldMoney() map[string]string {
	cost := "billed / 1e10"
	if g.spec.Dataset == "AmortizedCost" {
		cost = "effective / 1e10"
	}
	price := "(" + cost + ") / " + azureQuantity
	list := "CASE WHEN list = 0 THEN 0 ELSE " + azurePrice + " END"
	unit := azurePrice + " * (1 - coalesce(discount, 0))"
	return map[string]string{
		"Quantity": azureQuantity, "EffectivePrice": price, "Cost": cost, "UnitPrice": unit, "PayGPrice": list, "BillingCurrency": "'USD'",
		"quantity": azureQuantity, "effectivePrice": price, "costInBillingCurrency": cost, "costInPricingCurrency": cost, "costInUsd": cost, "unitPrice": unit,
		"paygCostInBillingCurrency": "list / 1e10", "paygCostInUsd": "list / 1e10", "exchangeRatePricingToBilling": "1", "exchangeRateDate": "period_start",
		"billingCurrency": "'USD'", "pricingCurrency": "'USD'", "UsageQuantity": azureQuantity, "ResourceRate": price, "PreTaxCost": cost, "Currency": "'USD'",
	}
}

func (g azureGenerator) oldWho() map[string]string {
	last := stamp(monthEnd(g.spec.Spec))
	publisher := "CASE WHEN code = 'Microsoft.SaaS' THEN 'Halcyon Mesh' WHEN code = 'Microsoft.Capacity' THEN NULL ELSE 'Microsoft' END"
	kind := "CASE WHEN code = 'Microsoft.SaaS' THEN 'Marketplace' ELSE 'Azure' END"
	return map[string]string{
		"BillingAccountId": "payer", "BillingAccountName": "payer_name", "BillingProfileId": "payer", "BillingProfileName": "payer_name", "BillingPeriodStartDate": "period_start", "BillingPeriodEndDate": last,
		"AccountOwnerId": "'ada@northfield.example'", "AccountName": "'Northfield Research'", "SubscriptionId": "sub_account", "SubscriptionName": "sub_account_name", "SubscriptionGuid": "sub_account",
		"Date": "starts", "UsageDateTime": "starts", "InvoiceSection": "'Northfield'", "CostCenter": "'9000'", "PublisherName": publisher, "PublisherType": kind, "OfferId": quote(g.offer()),
		"invoiceId": "invoice", "billingAccountId": "payer", "billingAccountName": "payer_name", "billingProfileId": "payer", "billingProfileName": "payer_name",
		"invoiceSectionId": "'NRF'", "invoiceSectionName": "'Northfield'", "costCenter": "'9000'", "billingPeriodStartDate": "period_start", "billingPeriodEndDate": last,
		"servicePeriodStartDate": "starts", "servicePeriodEndDate": "starts", "date": "starts", "subscriptionName": "sub_account_name", "publisherName": publisher, "publisherType": kind, "provider": "'Azure'",
	}
}

func (g azureGenerator) oldWhat() map[string]string {
	// Reservations and refunds have charge types of their own.
	charge := "CASE WHEN status = 'Unused' THEN 'UnusedReservation' WHEN starts_with(description, 'Refund') THEN 'Refund' WHEN charge = 'Adjustment' THEN 'RoundingAdjustment' ELSE charge END"
	model := "CASE WHEN commitment IS NOT NULL THEN 'Reservation' WHEN spot THEN 'Spot' ELSE 'OnDemand' END"
	frequency := "CASE frequency WHEN 'Usage-Based' THEN 'UsageBased' WHEN 'One-Time' THEN 'OneTime' ELSE frequency END"
	reservation := "CASE WHEN commitment IS NOT NULL THEN split_part(commitment, '/', 7) END"
	name := "CASE WHEN commitment IS NOT NULL THEN 'VM_RI_research' END"
	order := "CASE WHEN commitment IS NOT NULL THEN 'Reserved VM Instance, Standard_D8s_v5, US East, 1 Year' END"
	term := "CASE WHEN commitment IS NOT NULL THEN '12' END"
	info := "CASE WHEN instance <> '' THEN json_object('UsageType', 'ComputeHR', 'ServiceType', instance, 'VCPUs', 8)::VARCHAR END"
	eligible := "CASE WHEN code = 'Microsoft.SaaS' THEN 'False' ELSE 'True' END"
	// The older sets write tags without the outer braces.
	tags := "CASE WHEN tags IS NOT NULL THEN replace(tags[2:-2], '\":\"', '\": \"') END"
	return map[string]string{
		"Product": "description", "PartNumber": "CASE WHEN sku IS NOT NULL THEN 'AAA-' || (10000 + sku)::VARCHAR END", "MeterId": azureMeterID, "ServiceFamily": "category", "MeterCategory": "service",
		"MeterSubCategory": "operation", "MeterSubcategory": "operation", "MeterRegion": "meter_region", "MeterName": "meter", "ResourceLocation": "region", "ConsumedService": "code", "ResourceId": g.resourceID(),
		"ResourceName": "CASE WHEN kind IS NOT NULL THEN " + azureResourceName + " END", "AdditionalInfo": info, "Tags": tags, "UnitOfMeasure": "unit", "ResourceGroup": "resource_group",
		"ReservationId": reservation, "ReservationName": name, "ProductOrderId": azureOrderID, "ProductOrderName": order, "IsAzureCreditEligible": eligible, "Term": term, "ChargeType": charge,
		"Frequency": frequency, "PricingModel": model, "benefitId": "commitment", "benefitName": name,
		"serviceFamily": "category", "productOrderId": azureOrderID, "productOrderName": order, "consumedService": "code", "meterId": azureMeterID, "meterName": "meter", "meterCategory": "service",
		"meterSubCategory": "operation", "meterRegion": "meter_region", "ProductId": "CASE WHEN sku IS NOT NULL THEN 'DZH318Z0' || upper(substr(md5(code || meter), 1, 4)) END", "ProductName": "description",
		"resourceGroupName": "resource_group", "resourceLocation": "region", "location": "meter_region", "unitOfMeasure": "unit", "chargeType": charge, "isAzureCreditEligible": eligible,
		"additionalInfo": info, "tags": tags, "frequency": frequency, "term": term, "reservationId": reservation, "reservationName": name, "pricingModel": model,
		"ResourceType": "CASE WHEN kind IS NOT NULL THEN code || '/' || kind END", "InstanceId": g.resourceID(), "ServiceName": "service",
	}
}

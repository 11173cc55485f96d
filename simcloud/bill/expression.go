package bill

// expression is the SQL of a column over charge. Usage and special rows go through the same one: what special rows
// lack is NULL.
func expression(column string) string {
	if e, ok := moneyExpression(column); ok {
		return e
	}
	if e, ok := resourceExpression(column); ok {
		return e
	}
	if e, ok := commitmentExpression(column); ok {
		return e
	}
	switch column {
	case "BillingAccountId":
		return "payer"
	case "BillingAccountName":
		return "payer_name"
	case "BillingAccountType":
		return "'Management Account'"
	case "BillingCurrency", "PricingCurrency":
		return "'USD'"
	case "BillingPeriodStart":
		return "period_start"
	case "BillingPeriodEnd":
		return "period_end"
	case "ChargePeriodStart":
		return "starts"
	case "ChargePeriodEnd":
		return "ends"
	case "ChargeCategory":
		return "charge"
	case "ChargeClass":
		return "class"
	case "ChargeFrequency":
		return "frequency"
	case "ChargeDescription":
		return "CASE WHEN price IS NULL THEN description ELSE '$' || price::VARCHAR || ' ' || description END"
	case "InvoiceId":
		return "invoice"
	case "InvoiceIssuerName":
		return "'Amazon Web Services, Inc.'"
	case "ProviderName", "PublisherName":
		return "'AWS'"
	}
	return "NULL" // the capacity reservation columns: nobody reserved any
}

func moneyExpression(column string) (string, bool) {
	switch column {
	case "BilledCost":
		return "billed / 1e10", true
	case "EffectiveCost", "PricingCurrencyEffectiveCost":
		return "effective / 1e10", true
	case "ListCost":
		return "list / 1e10", true
	case "ContractedCost":
		return "contracted / 1e10", true
	case "ListUnitPrice", "PricingCurrencyListUnitPrice":
		return "price", true
	case "ContractedUnitPrice", "PricingCurrencyContractedUnitPrice":
		return "price * (1 - discount)", true
	case "ConsumedQuantity", "PricingQuantity":
		return "round(list / 1e10 / price, 8)", true
	case "ConsumedUnit", "PricingUnit":
		return "unit", true
	case "PricingCategory":
		return "CASE WHEN status IS NOT NULL OR commitment IS NOT NULL THEN 'Committed' WHEN spot THEN 'Dynamic' WHEN price IS NOT NULL THEN 'Standard' END", true
	case "x_Discounts":
		return "CASE WHEN discount > 0 AND NOT covered THEN MAP {'PrivateRateDiscount': (contracted - list) / 1e10} ELSE MAP {} END", true
	}
	return "", false
}

func resourceExpression(column string) (string, bool) {
	switch column {
	case "AvailabilityZone":
		return "CASE WHEN zone THEN region || chr(97 + (hres % 3)::INTEGER) END", true
	case "RegionId":
		return "region", true
	case "RegionName":
		return "region_name", true
	case "ResourceId":
		return resourceID(), true
	case "ResourceName":
		return "NULL", true // AWS leaves it empty
	case "ResourceType":
		return "kind", true
	case "ServiceCategory":
		return "category", true
	case "ServiceName":
		return "service", true
	case "ServiceSubcategory":
		return "subcategory", true
	case "SkuId":
		return "CASE WHEN sku IS NOT NULL THEN upper(substr(md5(code || meter), 1, 16)) END", true
	case "SkuPriceId":
		return "CASE WHEN sku IS NOT NULL THEN upper(substr(md5(code || meter), 1, 16)) || '.JRTCKXETXF.6YS6EN2CT7' END", true
	case "SkuMeter":
		return "meter", true
	case "SkuPriceDetails":
		return "CASE WHEN instance <> '' THEN MAP {'InstanceType': instance, 'OperatingSystem': 'Linux'} ELSE MAP {} END", true
	case "SubAccountId":
		return "sub_account", true
	case "SubAccountName":
		return "sub_account_name", true
	case "SubAccountType":
		return "CASE WHEN sub_account IS NOT NULL THEN 'Account' END", true
	case "Tags":
		return "coalesce(tags, MAP {})", true
	case "x_Operation":
		return "operation", true
	case "x_ServiceCode":
		return "code", true
	}
	return "", false
}

// resourceID is an ARN for most things, and the bare id for instances and volumes, as on real bills.
func resourceID() string {
	id := "prefix || lower(hex(hres)) || CASE WHEN prefix IN ('i-', 'vol-') THEN '0' ELSE '' END"
	return "CASE WHEN prefix IS NULL THEN NULL WHEN prefix IN ('i-', 'vol-') THEN " + id +
		" WHEN code = 'AmazonS3' THEN 'nf-data-' || lower(hex(hres)) ELSE 'arn:aws:' || lower(replace(replace(code, 'Amazon', ''), 'AWS', '')) || ':' || region || ':' || sub_account || ':' || " + id + " END"
}

func commitmentExpression(column string) (string, bool) {
	switch column {
	case "CommitmentDiscountCategory":
		return "CASE WHEN commitment IS NOT NULL THEN 'Spend' END", true
	case "CommitmentDiscountId":
		return "commitment", true
	case "CommitmentDiscountName":
		return "NULL", true
	case "CommitmentDiscountQuantity":
		return "CASE WHEN commitment IS NOT NULL THEN greatest(billed, effective) / 1e10 END", true
	case "CommitmentDiscountStatus":
		return "status", true
	case "CommitmentDiscountType":
		return "CASE WHEN commitment IS NOT NULL THEN 'Compute Savings Plans' END", true
	case "CommitmentDiscountUnit":
		return "CASE WHEN commitment IS NOT NULL THEN 'USD' END", true
	}
	return "", false
}

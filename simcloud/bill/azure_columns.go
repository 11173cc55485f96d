package bill

import (
	"slices"
	"strings"
)

// azureFocus12 are the FOCUS columns of Azure's FOCUS 1.2-preview; the 51 of azureFocusOwn follow (clouds.md §3.10).
const azureFocus12 = `BilledCost BillingAccountId BillingAccountName BillingAccountType BillingCurrency BillingPeriodEnd BillingPeriodStart CapacityReservationId
CapacityReservationStatus ChargeCategory ChargeClass ChargeDescription ChargeFrequency ChargePeriodEnd ChargePeriodStart CommitmentDiscountCategory CommitmentDiscountId
CommitmentDiscountName CommitmentDiscountQuantity CommitmentDiscountStatus CommitmentDiscountType CommitmentDiscountUnit ConsumedQuantity ConsumedUnit ContractedCost
ContractedUnitPrice EffectiveCost InvoiceId InvoiceIssuerName ListCost ListUnitPrice PricingCategory PricingCurrency PricingQuantity PricingUnit ProviderName PublisherName
RegionId RegionName ResourceId ResourceName ResourceType ServiceCategory ServiceName ServiceSubcategory SkuId SkuMeter SkuPriceDetails SkuPriceId SubAccountId SubAccountName
SubAccountType Tags`

const azureFocusOwn = `x_AccountId x_AccountName x_AccountOwnerId x_AmortizationClass x_BilledCostInUsd x_BilledUnitPrice x_BillingAccountId x_BillingAccountName
x_BillingExchangeRate x_BillingExchangeRateDate x_BillingProfileId x_BillingProfileName x_ContractedCostInUsd x_CostAllocationRuleName x_CostCenter x_CustomerId x_CustomerName
x_EffectiveCostInUsd x_EffectiveUnitPrice x_InvoiceIssuerId x_InvoiceSectionId x_InvoiceSectionName x_ListCostInUsd x_PartnerCreditApplied x_PartnerCreditRate x_PricingBlockSize
x_PricingSubcategory x_PricingUnitDescription x_PublisherCategory x_PublisherId x_ResellerId x_ResellerName x_ResourceGroupName x_ResourceType x_ServiceModel x_ServicePeriodEnd
x_ServicePeriodStart x_SkuDescription x_SkuIsCreditEligible x_SkuMeterCategory x_SkuMeterId x_SkuMeterSubcategory x_SkuOfferId x_SkuOrderId x_SkuOrderName x_SkuPartNumber
x_SkuPlanName x_SkuRegion x_SkuServiceFamily x_SkuTerm x_SkuTier`

// azureNewIn12 are columns that FOCUS 1.0 does not have.
const azureNewIn12 = `BillingAccountType CapacityReservationId CapacityReservationStatus CommitmentDiscountQuantity CommitmentDiscountUnit InvoiceId PricingCurrency ServiceSubcategory
SkuMeter SkuPriceDetails SubAccountType x_AmortizationClass x_ServiceModel x_SkuPlanName x_CostAllocationRuleName`

// azureOnlyIn10 are Azure's own columns that 1.2 dropped or renamed.
const azureOnlyIn10 = `x_InvoiceId x_PricingCurrency x_SkuDetails x_SkuMeterName x_SubscriptionId`

// azureEA is the head of Actual and Amortized costs of an enrolment, as in Microsoft's published samples.
const azureEA = `BillingAccountId BillingAccountName BillingPeriodStartDate BillingPeriodEndDate BillingProfileId BillingProfileName AccountOwnerId AccountName SubscriptionId
SubscriptionName Date Product PartNumber MeterId ServiceFamily MeterCategory MeterSubCategory MeterRegion MeterName Quantity EffectivePrice Cost UnitPrice BillingCurrency
ResourceLocation AvailabilityZone ConsumedService ResourceId ResourceName ServiceInfo1 ServiceInfo2 AdditionalInfo Tags InvoiceSectionId InvoiceSection CostCenter UnitOfMeasure
ResourceGroup ReservationId ReservationName ProductOrderId ProductOrderName OfferId IsAzureCreditEligible Term PublisherName PlanName ChargeType Frequency PublisherType PayGPrice
PricingModel CostAllocationRuleName benefitId benefitName`

// azureMCA is the head of Actual and Amortized costs of a billing profile, in its uneven letter case.
const azureMCA = `invoiceId previousInvoiceId billingAccountId billingAccountName billingProfileId billingProfileName invoiceSectionId invoiceSectionName resellerName resellerMpnId
costCenter billingPeriodEndDate billingPeriodStartDate servicePeriodEndDate servicePeriodStartDate date serviceFamily productOrderId productOrderName consumedService meterId meterName
meterCategory meterSubCategory meterRegion ProductId ProductName SubscriptionId subscriptionName publisherType publisherId publisherName resourceGroupName ResourceId resourceLocation
location effectivePrice quantity unitOfMeasure chargeType billingCurrency pricingCurrency costInBillingCurrency costInPricingCurrency costInUsd paygCostInBillingCurrency paygCostInUsd
exchangeRatePricingToBilling exchangeRateDate isAzureCreditEligible serviceInfo1 serviceInfo2 additionalInfo tags PayGPrice frequency term reservationId reservationName pricingModel
unitPrice costAllocationRuleName benefitId benefitName provider`

// azureUsage is the head of pay-as-you-go's Usage: what was used at what it cost before tax.
const azureUsage = `SubscriptionGuid ResourceGroup ResourceLocation UsageDateTime MeterCategory MeterSubcategory MeterId MeterName MeterRegion UsageQuantity ResourceRate PreTaxCost
ConsumedService ResourceType InstanceId Tags OfferId AdditionalInfo ServiceInfo1 ServiceInfo2 ServiceName ServiceTier Currency UnitOfMeasure`

// AzureColumns lists the columns of a data set in Azure's order.
func AzureColumns(s AzureSpec) []string {
	switch {
	case s.Dataset == "FocusCost" && strings.HasPrefix(s.Version, "1.0"):
		newer := strings.Fields(azureNewIn12)
		columns := slices.DeleteFunc(strings.Fields(azureFocus12+" "+azureFocusOwn), func(c string) bool { return slices.Contains(newer, c) })
		return append(columns, strings.Fields(azureOnlyIn10)...)
	case s.Dataset == "FocusCost":
		return strings.Fields(azureFocus12 + " " + azureFocusOwn)
	case s.Dataset == "Usage":
		return strings.Fields(azureUsage)
	case s.Agreement == "EA":
		return strings.Fields(azureEA)
	}
	return strings.Fields(azureMCA)
}

// AzureType is the type of a column: "double", "timestamp", "boolean" or "string".
func AzureType(column string) string {
	lower := strings.ToLower(column)
	switch {
	case lower == "x_skuiscrediteligible":
		return "boolean"
	case strings.HasSuffix(lower, "periodstart"), strings.HasSuffix(lower, "periodend"), strings.HasSuffix(lower, "date"), strings.HasSuffix(lower, "datetime"):
		return "timestamp"
	}
	for _, end := range []string{"cost", "costinusd", "costinbillingcurrency", "costinpricingcurrency", "quantity", "price", "exchangerate", "exchangeratepricingtobilling", "resourcerate", "creditrate", "blocksize"} {
		if strings.HasSuffix(lower, end) {
			return "double"
		}
	}
	return "string"
}

func azureSQLType(column string) string {
	return map[string]string{"boolean": "BOOLEAN", "timestamp": "TIMESTAMP_MS", "double": "DOUBLE", "string": "VARCHAR"}[AzureType(column)]
}

package bill

import "strings"

// columnNames are the columns of FOCUS_1_2_AWS (clouds.md §2.10).
const columnNames = `AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingAccountType BillingCurrency BillingPeriodEnd
BillingPeriodStart CapacityReservationId CapacityReservationStatus ChargeCategory ChargeClass ChargeDescription ChargeFrequency ChargePeriodEnd
ChargePeriodStart CommitmentDiscountCategory CommitmentDiscountId CommitmentDiscountName CommitmentDiscountQuantity CommitmentDiscountStatus
CommitmentDiscountType CommitmentDiscountUnit ConsumedQuantity ConsumedUnit ContractedCost ContractedUnitPrice EffectiveCost InvoiceId
InvoiceIssuerName ListCost ListUnitPrice PricingCategory PricingCurrency PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost
PricingCurrencyListUnitPrice PricingQuantity PricingUnit ProviderName PublisherName RegionId RegionName ResourceId ResourceName ResourceType
ServiceCategory ServiceName ServiceSubcategory SkuId SkuMeter SkuPriceDetails SkuPriceId SubAccountId SubAccountName SubAccountType Tags
x_Discounts x_Operation x_ServiceCode`

// Columns lists the 60 columns of FOCUS_1_2_AWS in AWS's order.
func Columns() []string { return strings.Fields(columnNames) }

// Type is the type of a column as the export declares it: "double", "timestamp", "map<string,string>",
// "map<string,double>" or "string".
func Type(column string) string {
	switch {
	case column == "Tags" || column == "SkuPriceDetails":
		return "map<string,string>"
	case column == "x_Discounts":
		return "map<string,double>"
	case strings.HasSuffix(column, "PeriodStart") || strings.HasSuffix(column, "PeriodEnd"):
		return "timestamp"
	case strings.HasSuffix(column, "Cost") || strings.HasSuffix(column, "Quantity") || strings.HasSuffix(column, "UnitPrice"):
		return "double"
	}
	return "string"
}

// sqlType is the DuckDB type that Parquet carries a column in.
func sqlType(column string) string {
	switch Type(column) {
	case "map<string,string>":
		return "MAP(VARCHAR, VARCHAR)"
	case "map<string,double>":
		return "MAP(VARCHAR, DOUBLE)"
	case "timestamp":
		return "TIMESTAMP_MS"
	case "double":
		return "DOUBLE"
	}
	return "VARCHAR"
}

package outlay

// FocusType is the type of a stored column.
type FocusType string

// The types of stored columns.
const (
	FocusText    FocusType = "text"
	FocusCost    FocusType = "cost"   // DECIMAL(38,18)
	FocusNumber  FocusType = "number" // DOUBLE: quantities and unit prices
	FocusTime    FocusType = "time"   // timestamp, UTC
	FocusTextMap FocusType = "map"    // MAP(text, text)
)

// FocusColumn is one column that the lake stores. ID is its Iceberg field id and never changes.
type FocusColumn struct {
	ID   int
	Name string
	Type FocusType
	// Required columns must be in a delivery: a delivery without one is rejected (reliability.md §4.1 rule 10).
	Required bool
	// NotNull columns hold a value on every row of the lake.
	NotNull bool
}

// FocusColumns are the stored columns in order: the 57 of FOCUS 1.2 (clouds.md §5.2), three of later versions, the
// nine tags as columns of their own, the other tags as a map, what is left as JSON, and where a row came from.
func FocusColumns() []FocusColumn {
	var out []FocusColumn
	add := func(t FocusType, names ...string) {
		for _, n := range names {
			out = append(out, FocusColumn{ID: len(out) + 1, Name: n, Type: t})
		}
	}
	add(FocusText, "x_SourceId", "x_Period") // the partition, first
	add(FocusText, "AvailabilityZone")
	add(FocusCost, "BilledCost")
	add(FocusText, "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency")
	add(FocusTime, "BillingPeriodEnd", "BillingPeriodStart")
	add(FocusText, "CapacityReservationId", "CapacityReservationStatus", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency")
	add(FocusTime, "ChargePeriodEnd", "ChargePeriodStart")
	add(FocusText, "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName")
	add(FocusNumber, "CommitmentDiscountQuantity")
	add(FocusText, "CommitmentDiscountStatus", "CommitmentDiscountType", "CommitmentDiscountUnit")
	add(FocusNumber, "ConsumedQuantity")
	add(FocusText, "ConsumedUnit")
	add(FocusCost, "ContractedCost")
	add(FocusNumber, "ContractedUnitPrice")
	add(FocusCost, "EffectiveCost")
	add(FocusText, "InvoiceId", "InvoiceIssuerName")
	add(FocusCost, "ListCost")
	add(FocusNumber, "ListUnitPrice")
	add(FocusText, "PricingCategory", "PricingCurrency")
	add(FocusNumber, "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice", "PricingQuantity")
	add(FocusText, "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType",
		"ServiceCategory", "ServiceName", "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName", "SubAccountType")
	add(FocusText, "ServiceProviderName", "HostProviderName", "InvoiceDetailId") // FOCUS 1.3 and 1.4
	for _, k := range TagKeys() {
		add(FocusText, TagColumn(k))
	}
	add(FocusTextMap, "Tags") // the other tags
	add(FocusText, "x_Other") // columns that FOCUS does not name, as a JSON object
	for i := range out {
		out[i].Required = requiredFocus(out[i].Name)
		out[i].NotNull = out[i].Required || out[i].Name == "x_SourceId" || out[i].Name == "x_Period"
	}
	return out
}

// TagColumn is the lake's column of one of the nine tags.
func TagColumn(key string) string { return "tag_" + key }

// requiredFocus names the columns without which figures cannot be trusted. ListCost and ContractedCost are mandatory
// in every FOCUS version from 1.0 on; so are the rest.
func requiredFocus(name string) bool {
	switch name {
	case "BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "BillingCurrency", "BillingPeriodStart", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory":
		return true
	}
	return false
}

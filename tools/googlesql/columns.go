package googlesql

import (
	"fmt"
	"strings"

	gs "github.com/goccy/go-googlesql"
)

// usageColumns are those of the standard export, as Google documents them.
const usageColumns = `billing_account_id STRING
service STRUCT<id STRING, description STRING>
sku STRUCT<id STRING, description STRING>
usage_start_time TIMESTAMP
usage_end_time TIMESTAMP
project STRUCT<id STRING, number STRING, name STRING, labels ARRAY<STRUCT<key STRING, value STRING>>, ancestry_numbers STRING, ancestors ARRAY<STRUCT<resource_name STRING, display_name STRING>>>
labels ARRAY<STRUCT<key STRING, value STRING>>
system_labels ARRAY<STRUCT<key STRING, value STRING>>
location STRUCT<location STRING, country STRING, region STRING, zone STRING>
tags ARRAY<STRUCT<key STRING, value STRING, inherited BOOL, namespace STRING>>
transaction_type STRING
seller_name STRING
export_time TIMESTAMP
cost FLOAT64
currency STRING
currency_conversion_rate FLOAT64
usage STRUCT<amount FLOAT64, unit STRING, amount_in_pricing_units FLOAT64, pricing_unit STRING>
credits ARRAY<STRUCT<id STRING, full_name STRING, type STRING, name STRING, amount FLOAT64>>
invoice STRUCT<month STRING, publisher_type STRING>
cost_type STRING
adjustment_info STRUCT<id STRING, description STRING, mode STRING, type STRING>
cost_at_list FLOAT64
cost_at_effective_price_default FLOAT64
cost_at_list_consumption_model FLOAT64
price STRUCT<effective_price NUMERIC, tier_start_amount NUMERIC, unit STRING, pricing_unit_quantity NUMERIC>
subscription STRUCT<instance_id STRING>
consumption_model STRUCT<id STRING, description STRING>`

// focusColumns are those of the FOCUS export.
const focusColumns = `AvailabilityZone STRING
BilledCost NUMERIC
BillingAccountId STRING
BillingAccountType STRING
BillingCurrency STRING
BillingPeriodStart TIMESTAMP
BillingPeriodEnd TIMESTAMP
ChargeCategory STRING
ChargeClass STRING
ChargeDescription STRING
ChargePeriodStart TIMESTAMP
ChargePeriodEnd TIMESTAMP
ConsumedQuantity NUMERIC
ConsumedUnit STRING
ContractedCost NUMERIC
ContractedUnitPrice NUMERIC
EffectiveCost NUMERIC
ListCost NUMERIC
ListUnitPrice NUMERIC
PricingCategory STRING
PricingCurrency STRING
PricingCurrencyContractedUnitPrice NUMERIC
PricingCurrencyEffectiveCost NUMERIC
PricingCurrencyListUnitPrice NUMERIC
PricingQuantity NUMERIC
PricingUnit STRING
ProviderName STRING
PublisherName STRING
RegionId STRING
RegionName STRING
ResourceId STRING
ResourceName STRING
ServiceName STRING
SkuId STRING
SkuPriceId STRING
SubAccountId STRING
SubAccountName STRING
x_Credits ARRAY<STRUCT<Id STRING, FullName STRING, Type STRING, Name STRING, Amount NUMERIC>>
x_CostType STRING
x_CurrencyConversionRate NUMERIC
x_ExportTime TIMESTAMP
x_Location STRUCT<Location STRING, Country STRING, Region STRING, Zone STRING>
x_Project STRUCT<Id STRING, Number STRING, Name STRING, AncestryNumbers STRING>
x_ServiceId STRING
x_SystemLabels ARRAY<STRUCT<key STRING, value STRING>>
x_Labels ARRAY<STRUCT<key STRING, value STRING>>
x_ProjectLabels ARRAY<STRUCT<key STRING, value STRING>>
x_Tags ARRAY<STRUCT<key STRING, value STRING, inherited BOOL, namespace STRING>>
x_SubscriptionInstanceId STRING
x_PriceEffectivePriceDefault NUMERIC
x_PriceListPriceConsumptionModel NUMERIC
x_CostAtEffectivePriceDefault NUMERIC
x_CostAtListConsumptionModel NUMERIC
x_ConsumptionModelId STRING
x_ConsumptionModelDescription STRING`

// parse turns the text of a type into the analyzer's.
func (j *Judge) parse(text string) (gs.Googlesql_TypeNode, error) {
	text = strings.TrimSpace(text)
	if inner, isArray := strings.CutPrefix(text, "ARRAY<"); isArray {
		element, err := j.parse(strings.TrimSuffix(inner, ">"))
		if err != nil {
			return nil, err
		}
		return j.types.MakeArrayType2(element)
	}
	if inner, isStruct := strings.CutPrefix(text, "STRUCT<"); isStruct {
		var fields []*gs.StructField
		for _, field := range split(strings.TrimSuffix(inner, ">")) {
			name, of, _ := strings.Cut(strings.TrimSpace(field), " ")
			typ, err := j.parse(of)
			if err != nil {
				return nil, err
			}
			fields = append(fields, &gs.StructField{Name: name, Type_: typ})
		}
		return j.types.MakeStructType2(fields)
	}
	return j.scalar(text)
}

func (j *Judge) scalar(text string) (gs.Googlesql_TypeNode, error) {
	switch text {
	case "STRING":
		return j.types.GetString()
	case "NUMERIC":
		return j.types.GetNumeric()
	case "FLOAT64":
		return j.types.GetDouble()
	case "TIMESTAMP":
		return j.types.GetTimestamp()
	case "BOOL":
		return j.types.GetBool()
	}
	return nil, fmt.Errorf("no type %q", text)
}

// split cuts at the commas outside of angle brackets.
func split(text string) []string {
	var out []string
	depth, start := 0, 0
	for i, r := range text {
		switch {
		case r == '<':
			depth++
		case r == '>':
			depth--
		case r == ',' && depth == 0:
			out, start = append(out, text[start:i]), i+1
		}
	}
	return append(out, text[start:])
}

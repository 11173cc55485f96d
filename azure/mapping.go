package azure

import (
	_ "embed" // the mappings are SQL files
	"strings"

	"outlay"
)

// The formats in which Azure delivers charges.
const (
	formatFocus     = "focus-cost" // FOCUS 1.0, 1.0r2 and 1.2-preview
	formatActual    = "actual-cost"
	formatAmortized = "amortized-cost"
	formatPair      = "actual-amortized" // both of one month together (docs/decisions/0007)
	formatUsage     = "usage"            // of offers that have neither
)

func formats() []string {
	return []string{formatFocus, formatActual, formatAmortized, formatPair, formatUsage}
}

// formatOf is the format of an export's data set, "" for one that holds no charges. Letter case does not count.
func formatOf(dataset string) string {
	for _, known := range []struct{ dataset, format string }{
		{typeFocus, formatFocus}, {typeActual, formatActual}, {typeAmortized, formatAmortized}, {typeUsage, formatUsage},
	} {
		if strings.EqualFold(dataset, known.dataset) {
			return known.format
		}
	}
	return ""
}

//go:embed mapping/focus.sql
var focusSQL string

// legacySQL turns rows of the older data sets into FOCUS; what a set says about the four costs stands in four places.
//
//go:embed mapping/legacy.sql
var legacySQL string

// role says which of a pair a row is of, by the name of its file.
const roleSQL = `CASE WHEN regexp_matches(lower(x_FileName), 'amorti[sz]ed') THEN 'amortized' WHEN contains(lower(x_FileName), 'actual') THEN 'actual' END`

// Mapping turns Azure's rows into ours. The older sets differ in what their cost means, and in nothing else.
func (p *Provider) Mapping(format string) (outlay.Mapping, error) {
	switch format {
	case formatFocus:
		return outlay.Mapping{SQL: focusSQL}, nil
	case formatActual, formatUsage:
		return legacyMapping("'both'"), nil
	case formatAmortized:
		return legacyMapping("'alone'"), nil
	case formatPair:
		m := legacyMapping(roleSQL)
		m.FileNames = true
		return m, nil
	}
	return outlay.Mapping{}, outlay.Errorf(outlay.CodeInvalid, "Azure formats are "+strings.Join(formats(), ", ")+".", "%q is not a format that Azure delivers", clip(format, 60))
}

func legacyMapping(role string) outlay.Mapping {
	return outlay.Mapping{SQL: strings.Replace(legacySQL, "/* role */", role, 1)}
}

// fileFormats are Azure's bills in files, the more special ones first. Actual and amortized costs have the same
// columns: the file's name tells which they are, and both in one import belong together.
func fileFormats() []outlay.FileFormat {
	list := []outlay.FileFormat{{
		Format: formatFocus, Title: "Azure FOCUS 1.0 or 1.2", Columns: []string{"BilledCost", "EffectiveCost", "ChargeCategory", "x_SkuMeterId"},
	}}
	for _, header := range []struct {
		title   string
		columns []string
	}{
		{"Microsoft Customer Agreement", []string{"costInBillingCurrency", "billingProfileId", "meterCategory", "chargeType", "date", "costInUsd"}},
		{"Enterprise Agreement", []string{"CostInBillingCurrency", "MeterCategory", "ChargeType", "Date"}},
		{"Enterprise Agreement, as of 2020", []string{"Cost", "MeterCategory", "ChargeType", "Date", "BillingCurrency"}},
	} {
		list = append(list,
			outlay.FileFormat{Format: formatActual, Title: "Azure actual cost (" + header.title + ")", Columns: header.columns, Name: `(?i)actual`, Together: formatPair},
			outlay.FileFormat{Format: formatAmortized, Title: "Azure amortized cost (" + header.title + ")", Columns: header.columns, Name: `(?i)amorti[sz]ed`, Together: formatPair},
		)
	}
	return append(list, outlay.FileFormat{Format: formatUsage, Title: "Azure usage (pay-as-you-go)", Columns: []string{"PreTaxCost", "MeterCategory"}})
}

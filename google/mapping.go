package google

import (
	_ "embed" // the mappings are SQL files
	"strings"

	"outlay"
)

//go:embed mapping/usage.sql
var usageSQL string

//go:embed mapping/focus.sql
var focusSQL string

// categories stands in a mapping where the table of service categories goes.
const categories = "/* service category */"

//go:embed mapping/category.sql
var categorySQL string

// Mapping turns Google's rows into ours. The formats are named as the exports are: detailed, standard, focus.
func (p *Provider) Mapping(format string) (outlay.Mapping, error) {
	m := outlay.Mapping{ProviderTagPrefixes: []string{"goog-"}}
	switch exportKind(format) {
	case exportDetailed, exportStandard:
		m.SQL = usageSQL
	case exportFocus:
		m.SQL = focusSQL
	default:
		return outlay.Mapping{}, outlay.Errorf(outlay.CodeInvalid, "Google's formats are detailed, standard and focus.", "%q is not a format that Google delivers", clip(format, 40))
	}
	m.SQL = strings.Replace(m.SQL, categories, strings.TrimSpace(categorySQL), 1)
	return m, nil
}

// fileFormats are Google's bills in files: rows of the FOCUS export, as Parquet.
func fileFormats() []outlay.FileFormat {
	return []outlay.FileFormat{{
		Format: string(exportFocus), Title: "Google Cloud FOCUS (BigQuery billing export)",
		Columns: []string{"BilledCost", "EffectiveCost", "ChargeCategory", "x_ExportTime", "x_Labels", "x_ProjectLabels", "x_ServiceId"},
	}}
}

package duckdb

import (
	"slices"

	"outlay"
)

// dimension is how a dimension is spelled in SQL. The column has the same name in the lake's files and in the serving
// tables; there it is an ENUM, "" for no value.
type dimension struct {
	id     outlay.Dimension
	column string
	name   string // the column with what people call it; "" when nothing better than the key is known
}

// dimensions is the fixed table from which all SQL about dimensions is made.
func dimensions() []dimension {
	out := []dimension{
		{outlay.ByService, "ServiceName", ""},
		{outlay.ByProvider, "ProviderName", ""},
		{outlay.BySubAccount, "SubAccountId", "SubAccountName"},
		{outlay.ByScope, "BillingAccountId", "BillingAccountName"},
		{outlay.ByRegion, "RegionId", "RegionName"},
		{outlay.ByCategory, "ChargeCategory", ""},
		{outlay.ByPeriod, "x_Period", ""},
		{outlay.BySource, "x_SourceId", ""},
		{outlay.ByResource, "ResourceId", "ResourceName"},
	}
	for _, k := range outlay.TagKeys() {
		out = append(out, dimension{outlay.TagDimension(k), outlay.TagColumn(k), ""})
	}
	return out
}

// dimensionOf finds a dimension; CodeInvalid for one that does not exist.
func dimensionOf(id outlay.Dimension, field string) (dimension, error) {
	list := dimensions()
	i := slices.IndexFunc(list, func(d dimension) bool { return d.id == id })
	if i < 0 {
		return dimension{}, invalid(field, "Use one of the known dimensions, such as service or tag:Project.", "there is no dimension %q", id)
	}
	return list[i], nil
}

// has tells whether the rollup keeps a column, besides the two that every head has.
func (r rollup) has(column string) bool {
	return column == "x_Period" || column == "x_SourceId" || slices.Contains(r.columns, column)
}

// rollupFor is the smallest rollup that keeps all the columns; false when only the lake's files have them together.
func rollupFor(columns []string) (rollup, bool) {
	for _, r := range rollups() {
		if !slices.ContainsFunc(columns, func(c string) bool { return !r.has(c) }) {
			return r, true
		}
	}
	return rollup{}, false
}

// enumType is the serving type of a column.
func enumType(column string) string { return "of_" + column }

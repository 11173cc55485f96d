package duckdb

import "outlay"

// FocusMapping is the mapping for FOCUS files that no provider delivered, of any version from 1.0 to 1.4, CSV or
// Parquet. Columns pass by name; FOCUS 1.4 has no ProviderName any more and files before 1.3 have no
// ServiceProviderName, so each stands in for the other (clouds.md §5.1).
func FocusMapping() outlay.Mapping {
	return outlay.Mapping{
		SQL: `SELECT * REPLACE (
	COALESCE(NULLIF(ProviderName, ''), ServiceProviderName) AS ProviderName,
	COALESCE(NULLIF(ServiceProviderName, ''), ProviderName) AS ServiceProviderName
) FROM raw`,
		TagPrefixes: []string{"user:", "user_"},
	}
}

package duckdb

import "outlay"

// FocusMapping is the mapping for FOCUS files that no provider delivered, of any version from 1.0 to 1.4.
func FocusMapping() outlay.Mapping {
	return outlay.Mapping{SQL: focusSQL(), TagPrefixes: []string{"user:", "user_"}}
}

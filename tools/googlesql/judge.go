// Package googlesql judges statements that go to BigQuery with Google's own analyzer of GoogleSQL, against a catalog that
// has the columns of Google's billing export tables (clouds.md §4.7).
package googlesql

import (
	"fmt"
	"regexp"
	"strings"

	gs "github.com/goccy/go-googlesql"
)

// Judge knows the three tables of the billing export.
type Judge struct {
	language *gs.LanguageOptions
	types    *gs.TypeFactory
}

// New prepares a judge.
func New() (*Judge, error) {
	if err := gs.Init(); err != nil {
		return nil, fmt.Errorf("starting the analyzer: %w", err)
	}
	language, err := gs.NewLanguageOptions()
	if err != nil {
		return nil, err
	}
	if err := language.EnableMaximumLanguageFeatures(); err != nil {
		return nil, err
	}
	if err := language.SetSupportsAllStatementKinds(); err != nil {
		return nil, err
	}
	if err := language.SetProductMode(gs.ProductModeProductExternal); err != nil {
		return nil, err
	}
	types, err := gs.NewTypeFactory()
	return &Judge{language, types}, err
}

// exportTable is the name of an export's table in backticks: project, dataset, and Google's own name.
var exportTable = regexp.MustCompile("`([a-z0-9-]+\\.[A-Za-z0-9_]+\\.gcp_billing_export_(focus_(?:v1_)?|resource_v1_|v1_)[0-9A-F_]+)`")

// Check analyses one statement. The error is Google's own message.
func (j *Judge) Check(statement string) error {
	catalog, err := gs.NewSimpleCatalog("bigquery", nil)
	if err != nil {
		return err
	}
	builtin := &gs.BuiltinFunctionOptions{LanguageOptions: j.language}
	if err := catalog.AddBuiltinFunctionsAndTypes(builtin); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, m := range exportTable.FindAllStringSubmatch(statement, -1) {
		if seen[m[1]] {
			continue
		}
		seen[m[1]] = true
		table, err := j.table(m[1], strings.TrimSuffix(strings.TrimSuffix(m[2], "v1_"), "_"))
		if err != nil {
			return err
		}
		if err := catalog.AddTable(table); err != nil {
			return err
		}
	}
	options, err := gs.NewAnalyzerOptions2()
	if err != nil {
		return err
	}
	if err := options.SetLanguage(j.language); err != nil {
		return err
	}
	if err := options.SetAllowUndeclaredParameters(true); err != nil {
		return err
	}
	_, err = gs.AnalyzeStatement(statement, options, catalog, j.types)
	return err
}

// table makes a table with the columns of an export: kind is "focus", "resource" or "".
func (j *Judge) table(name, kind string) (*gs.SimpleTable, error) {
	t, err := gs.NewSimpleTable(name, 0)
	if err != nil {
		return nil, err
	}
	columns := usageColumns
	if kind == "focus" {
		columns = focusColumns
	}
	if kind == "resource" {
		columns += "\nresource STRUCT<name STRING, global_name STRING>"
	}
	for line := range strings.Lines(columns) {
		column, text, found := strings.Cut(strings.TrimSpace(line), " ")
		if !found {
			continue
		}
		typ, err := j.parse(text)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", column, err)
		}
		if err := add(t, name, column, typ, false); err != nil {
			return nil, err
		}
	}
	stamp, err := j.types.GetTimestamp()
	if err != nil {
		return nil, err
	}
	return t, add(t, name, "_PARTITIONTIME", stamp, true)
}

func add(t *gs.SimpleTable, table, column string, typ gs.Googlesql_TypeNode, pseudo bool) error {
	c, err := gs.NewSimpleColumn(table, column, typ, pseudo, true)
	if err != nil {
		return err
	}
	return t.AddColumn2(c, false)
}

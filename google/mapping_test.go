package google

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"outlay"
	"outlay/duckdb"

	"github.com/google/go-cmp/cmp"
)

// usageRow is a row of the detailed export as it is read, with what a test changes of it.
func usageRow(change map[string]string) map[string]string {
	row := map[string]string{
		"billing_account_id": payer, "service_id": "6F81-5844-456A", "service_description": "Compute Engine", "sku_id": "A-1", "sku_description": "N2 Core", "usage_start_time": "2026-10-05T10:00:00Z",
		"usage_end_time": "2026-10-05T11:00:00Z", "project_id": "nf-genomics", "project_number": "1", "project_name": "Genomics", "location_region": "us-central1", "location_zone": "us-central1-a",
		"currency": "USD", "currency_conversion_rate": "1", "usage_amount": "3600", "usage_unit": "seconds", "usage_amount_in_pricing_units": "1", "usage_pricing_unit": "hour", "invoice_month": "202610",
		"cost_type": "regular", "export_time": "2026-10-06T00:00:00Z", "cost": "10", "credits_total": "0", "credits": "[]", "labels": "[]", "project_labels": "[]",
	}
	for k, v := range change {
		row[k] = v
	}
	return row
}

// table writes rows as a file of the format's columns.
func table(t *testing.T, kind exportKind, rows ...map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	var names []string
	for _, c := range columnsOf(kind) {
		names = append(names, c.as)
	}
	err = writeParquet(t.Context(), root, "0.parquet", names, func(_ context.Context, each func([]*string) error) error {
		for _, r := range rows {
			line := make([]*string, len(names))
			for i, n := range names {
				if v, ok := r[n]; ok {
					line[i] = &v
				}
			}
			if err := each(line); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "0.parquet")
}

// mapped parses a file and gives back some columns of each row, as texts, in order of ChargeDescription.
func mapped(t *testing.T, kind exportKind, file, columns string) ([][]string, error) {
	t.Helper()
	mapping, err := New(Options{}).Mapping(string(kind))
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	parsed, err := duckdb.Child{Command: []string{os.Args[0], "parse"}}.Parse(t.Context(), outlay.ParseJob{
		OrgID: "org_1", SourceID: "src_1", Files: []string{file}, Mapping: mapping, Period: "2026-10", OutDir: out, Generation: "gen_1", Threads: 1,
	})
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var list []string
	for c := range strings.SplitSeq(columns, ", ") {
		list = append(list, "COALESCE(CAST("+c+" AS VARCHAR), '-')")
	}
	var text string
	err = db.QueryRow(fmt.Sprintf("SELECT CAST(to_json(list([%s] ORDER BY ChargeDescription, BilledCost)) AS VARCHAR) FROM read_parquet('%s')", strings.Join(list, ", "), parsed[0].Files[0].Path)).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		t.Fatal(err)
	}
	return rows, nil
}

// TestUsageMoney holds that credits count once per row, whatever their number, and that nothing is left out.
func TestUsageMoney(t *testing.T) {
	file := table(t, exportDetailed,
		usageRow(map[string]string{"sku_description": "a none"}),
		usageRow(map[string]string{"sku_description": "b two", "credits_total": "-4.5", "credits": `[{"type":"COMMITTED_USAGE_DISCOUNT","amount":-4},{"type":"PROMOTION","amount":-0.5}]`, "cost_at_list": "12"}),
		usageRow(map[string]string{"sku_description": "c negative", "cost": "-10.123456789"}),
		usageRow(map[string]string{"sku_description": "d twice"}), usageRow(map[string]string{"sku_description": "d twice"}),
		usageRow(map[string]string{"sku_description": "e in euros", "currency": "EUR", "currency_conversion_rate": "0.5"}))
	got, err := mapped(t, exportDetailed, file, "BilledCost, EffectiveCost, ContractedCost, ListCost, PricingCategory, PricingCurrencyEffectiveCost")
	if err != nil {
		t.Fatal(err)
	}
	amount := func(s string) string { return outlay.MustAmount(s, "").Fixed(18) }
	line := func(net, gross, list, category, dollars string) []string {
		return []string{amount(net), amount(net), amount(gross), amount(list), category, dollars}
	}
	want := [][]string{
		line("10", "10", "10", "Standard", "10.0"), line("5.5", "10", "12", "Committed", "5.5"), line("-10.123456789", "-10.123456789", "-10.123456789", "Standard", "-10.123456789"),
		line("10", "10", "10", "Standard", "10.0"), line("10", "10", "10", "Standard", "10.0"), line("10", "10", "10", "Standard", "20.0"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("money (-want +got):\n%s", diff)
	}
}

// TestUsageKinds holds which charge a row is, whose it is, and in which month.
func TestUsageKinds(t *testing.T) {
	none := map[string]string{"project_id": "", "project_name": "", "project_number": ""}
	with := func(change map[string]string, more map[string]string) map[string]string {
		row := usageRow(change)
		for k, v := range more {
			row[k] = v
		}
		return row
	}
	file := table(t, exportStandard,
		with(map[string]string{"sku_description": "a tax", "cost_type": "tax"}, none),
		with(map[string]string{"sku_description": "b rounding", "cost_type": "rounding_error", "service_id": "X", "service_description": "Invoice"}, none),
		usageRow(map[string]string{"sku_description": "c old", "cost_type": "adjustment", "usage_start_time": "2026-08-05T10:00:00Z", "usage_end_time": "2026-08-05T11:00:00Z"}),
		usageRow(map[string]string{"sku_description": "d fixed", "adjustment_info_type": "MANUAL_ADJUSTMENT"}),
		usageRow(map[string]string{"sku_description": "Commitment v1: Cpu"}),
		usageRow(map[string]string{"sku_description": "e evening", "usage_start_time": "2026-11-01T05:00:00Z", "usage_end_time": "2026-11-01T06:00:00Z"}),
		usageRow(map[string]string{"sku_description": "f Spot Preemptible Core", "seller_name": "Elastic", "service_id": "95FF-2EF5-5EA1", "service_description": "Cloud Storage"}))
	got, err := mapped(t, exportStandard, file, "ChargeCategory, ChargeClass, SubAccountId, SubAccountType, PricingCategory, PublisherName, ServiceCategory, BillingPeriodStart, ChargeFrequency")
	if err != nil {
		t.Fatal(err)
	}
	const month = "2026-10-01 00:00:00"
	want := [][]string{
		{"Purchase", "-", "nf-genomics", "Project", "Committed", "Google", "Compute", month, "Recurring"},
		{"Tax", "-", payer, "Billing Account", "-", "Google", "Compute", month, "One-Time"},
		{"Adjustment", "-", payer, "Billing Account", "-", "Google", "Other", month, "One-Time"},
		{"Adjustment", "Correction", "nf-genomics", "Project", "-", "Google", "Compute", month, "One-Time"},
		{"Usage", "Correction", "nf-genomics", "Project", "Standard", "Google", "Compute", month, "Usage-Based"},
		{"Usage", "-", "nf-genomics", "Project", "Standard", "Google", "Compute", month, "Usage-Based"},
		{"Usage", "-", "nf-genomics", "Project", "Dynamic", "Elastic", "Storage", month, "Usage-Based"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

// TestLabelsBecomeTags puts labels before those of the project, keeps Google's own aside, and fails a row on which a key
// occurs twice.
func TestLabelsBecomeTags(t *testing.T) {
	file := table(t, exportDetailed,
		usageRow(map[string]string{
			"labels":         `[{"key":"user","value":"a-b-c"},{"key":"goog-k8s","value":"x"},{"key":"team","value":"one"}]`,
			"project_labels": `[{"key":"user","value":"nobody"},{"key":"project","value":"genome"}]`,
		}))
	got, err := mapped(t, exportDetailed, file, "tag_User, tag_Project, tag_Pool, Tags['team'], Tags['goog-k8s']")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"a-b-c", "genome", "-", "one", "x"}}, got); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	twice := table(t, exportDetailed, usageRow(map[string]string{"labels": `[{"key":"user","value":"a"},{"key":"user","value":"b"}]`}))
	if _, err := mapped(t, exportDetailed, twice, "tag_User"); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("a key that occurs twice: %v", err)
	}
}

// TestFocusIsNet holds that the FOCUS export's credits are not taken off again, and that a row that breaks the identity
// is told.
func TestFocusIsNet(t *testing.T) {
	row := map[string]string{
		"BilledCost": "7.5", "ContractedCost": "10", "EffectiveCost": "7.5", "ListCost": "12", "x_CreditsTotal": "-2.5", "x_Credits": `[{"Amount":-2.5}]`, "BillingAccountId": payer, "BillingCurrency": "USD",
		"BillingPeriodStart": "2026-10-01T00:00:00Z", "BillingPeriodEnd": "2026-11-01T00:00:00Z", "ChargePeriodStart": "2026-10-05T10:00:00Z", "ChargePeriodEnd": "2026-10-05T11:00:00Z",
		"ChargeCategory": "Usage", "ServiceName": "BigQuery", "x_ServiceId": "24E6-581D-38E5", "x_ExportTime": "2026-10-06T00:00:00Z",
		"x_Labels": `[{"key":"user","value":"u"}]`, "x_ProjectLabels": `[{"key":"pool","value":"p"}]`,
	}
	got, err := mapped(t, exportFocus, table(t, exportFocus, row), "BilledCost, ContractedCost, ServiceCategory, SubAccountId, tag_User, tag_Pool, InvoiceIssuerName, ProviderName")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"7.500000000000000000", "10.000000000000000000", "Analytics", payer, "u", "p", "Google Cloud", "Google Cloud"}}, got); diff != "" {
		t.Errorf("the row (-want +got):\n%s", diff)
	}
	for net, odd := range map[string]bool{"7.5": false, "7.5000005": false, "7.500002": true, "10": true} {
		c := &checker{focus: true, exported: 0, cost: 1, contracted: 2, credit: 3}
		at, gross, credit := "2026-10-06T00:00:00Z", "10", "-2.5"
		if err := c.add([]*string{&at, &net, &gross, &credit}); err != nil {
			t.Fatal(err)
		}
		if (c.odd == 1) != odd {
			t.Errorf("billed %s: %d odd rows", net, c.odd)
		}
	}
}

// TestMappingUnknown refuses a format that Google does not deliver.
func TestMappingUnknown(t *testing.T) {
	if _, err := New(Options{}).Mapping("cur-2.0"); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("%v", err)
	}
}

// TestFocusFile reads a file that BigQuery itself exported: lists of structs, costs as decimals, times as times.
func TestFocusFile(t *testing.T) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	file := filepath.Join(t.TempDir(), "focus.parquet")
	var nulls []string
	set := `7.5::DECIMAL(38,9) AS BilledCost, 10::DECIMAL(38,9) AS ContractedCost, 7.5::DECIMAL(38,9) AS EffectiveCost, 12::DECIMAL(38,9) AS ListCost, '` + payer + `' AS BillingAccountId, 'USD' AS BillingCurrency,
		TIMESTAMP '2026-10-01' AS BillingPeriodStart, TIMESTAMP '2026-11-01' AS BillingPeriodEnd, TIMESTAMP '2026-10-05' AS ChargePeriodStart, TIMESTAMP '2026-10-06' AS ChargePeriodEnd, 'Usage' AS ChargeCategory,
		'Cloud Storage' AS ServiceName, 'nf-genomics' AS SubAccountId, 'Genomics' AS SubAccountName, TIMESTAMP '2026-10-06' AS x_ExportTime, NULL::VARCHAR AS x_ServiceId,
		[{'key': 'user', 'value': 'u'}] AS x_Labels, [{'key': 'user', 'value': 'nobody'}, {'key': 'pool', 'value': 'p'}] AS x_ProjectLabels, [{'Id': 'c', 'Amount': -2.5}] AS x_Credits`
	for _, c := range focusColumns() {
		if !strings.Contains(set, " AS "+c.as) {
			nulls = append(nulls, "NULL::VARCHAR AS "+c.as)
		}
	}
	if _, err := db.Exec(fmt.Sprintf("COPY (SELECT %s, %s) TO '%s' (FORMAT parquet)", set, strings.Join(nulls, ", "), file)); err != nil {
		t.Fatal(err)
	}
	got, err := mapped(t, exportFocus, file, "BilledCost, ServiceCategory, SubAccountName, tag_User, tag_Pool, ChargePeriodStart")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"7.500000000000000000", "Storage", "Genomics", "u", "p", "2026-10-05 00:00:00"}}, got); diff != "" {
		t.Errorf("the row (-want +got):\n%s", diff)
	}
}

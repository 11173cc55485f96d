package bill_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/simcloud/bill"
)

func azureSpec(dataset, agreement, version string) bill.AzureSpec {
	return bill.AzureSpec{
		Spec: bill.Spec{
			Payer: bill.Account{ID: "8611537", Name: "Northfield"}, Period: "2026-03", Rows: 900, Seed: 5, Tagged: outlay.TagKeys(), Revision: 2,
			Accounts: []bill.Account{{ID: "22222222-2222-4222-a222-222222222222", Name: "research"}, {ID: "33333333-3333-4333-a333-333333333333", Name: "teaching"}},
		},
		Dataset: dataset, Agreement: agreement, Version: version,
	}
}

func writeAzure(t *testing.T, s bill.AzureSpec) (*sql.DB, string, bill.Totals) {
	t.Helper()
	db, err := bill.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	path := filepath.Join(t.TempDir(), "bill.parquet")
	totals, err := bill.WriteAzure(t.Context(), db, s, path)
	if err != nil {
		t.Fatal(err)
	}
	return db, path, totals
}

func one[T any](t *testing.T, db *sql.DB, query, path string) T {
	t.Helper()
	var v T
	if err := db.QueryRowContext(t.Context(), strings.ReplaceAll(query, "$", "read_parquet('"+path+"')")).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func sumOf(t *testing.T, db *sql.DB, path, column string) string {
	t.Helper()
	text := one[string](t, db, "SELECT coalesce(sum(round("+column+" * 1e10)::HUGEINT), 0)::VARCHAR FROM $", path)
	a, err := outlay.ParseAmount(text+"e-10", "USD")
	if err != nil {
		t.Fatal(err)
	}
	return a.String()
}

// Each data set of each agreement has Azure's columns and the sums it claims.
func TestAzureTotals(t *testing.T) {
	for _, c := range []struct {
		dataset, agreement, version string
		columns                     int
		sums                        map[outlay.Measure]string // measure → column
	}{
		{"FocusCost", "EA", "1.2-preview", 104, map[outlay.Measure]string{outlay.Billed: "BilledCost", outlay.Effective: "EffectiveCost", outlay.List: "ListCost", outlay.Contracted: "ContractedCost"}},
		{"FocusCost", "MCA", "1.0r2", 94, map[outlay.Measure]string{outlay.Billed: "BilledCost", outlay.List: "ListCost"}},
		{"ActualCost", "EA", "", 55, map[outlay.Measure]string{outlay.Billed: "Cost"}},
		{"AmortizedCost", "EA", "", 55, map[outlay.Measure]string{outlay.Effective: "Cost"}},
		{"ActualCost", "MCA", "", 65, map[outlay.Measure]string{outlay.Billed: "costInBillingCurrency"}},
		{"AmortizedCost", "MCA", "", 65, map[outlay.Measure]string{outlay.Effective: "costInBillingCurrency"}},
		{"Usage", "MOSP", "", 24, map[outlay.Measure]string{outlay.Billed: "PreTaxCost"}},
	} {
		t.Run(c.dataset+c.agreement+c.version, func(t *testing.T) {
			s := azureSpec(c.dataset, c.agreement, c.version)
			db, path, totals := writeAzure(t, s)
			if got := one[int64](t, db, "SELECT count(*) FROM $", path); got != totals.Rows || got < 700 {
				t.Errorf("the file has %d rows, the totals say %d", got, totals.Rows)
			}
			if got := len(bill.AzureColumns(s)); got != c.columns {
				t.Errorf("it has %d columns, want %d", got, c.columns)
			}
			for m, column := range c.sums {
				if got := sumOf(t, db, path, column); got != totals.Sums[m] {
					t.Errorf("%s is %s by the file, %s by the totals", column, got, totals.Sums[m])
				}
			}
		})
	}
}

// The pair of older data sets shows the same charges as FocusCost.
func TestAzureDatasetsAgree(t *testing.T) {
	for _, agreement := range []string{"EA", "MCA"} {
		_, _, focus := writeAzure(t, azureSpec("FocusCost", agreement, "1.2-preview"))
		_, _, actual := writeAzure(t, azureSpec("ActualCost", agreement, ""))
		_, _, amortized := writeAzure(t, azureSpec("AmortizedCost", agreement, ""))
		if focus.Sums[outlay.Billed] != actual.Sums[outlay.Billed] || focus.Sums[outlay.Effective] != amortized.Sums[outlay.Effective] {
			t.Errorf("%s: focus %v, actual %v, amortized %v", agreement, focus.Sums, actual.Sums, amortized.Sums)
		}
	}
}

// What real bills stumble over is there.
func TestAzureOddities(t *testing.T) {
	db, path, _ := writeAzure(t, azureSpec("FocusCost", "EA", "1.2-preview"))
	for name, where := range map[string]string{
		"marketplace without prices": "ServiceName IS NULL AND ListCost = 0 AND ContractedCost = 0 AND BilledCost > 0", "covered without list cost": "CommitmentDiscountStatus = 'Used' AND ListCost = 0 AND EffectiveCost > 0",
		"unused": "CommitmentDiscountStatus = 'Unused'", "reservation without publisher": "PublisherName IS NULL", "odd case of ids": "ResourceId = lower(ResourceId)", "odd case of keys": `contains(Tags, '"project":')`,
		"correction": "ChargeClass = 'Correction' AND BilledCost < 0", "untagged": "Tags IS NULL", "id of sub account": "SubAccountId = '/subscriptions/22222222-2222-4222-a222-222222222222'",
	} {
		if got := one[int64](t, db, "SELECT count(*) FROM $ WHERE "+where, path); got == 0 {
			t.Errorf("no row for: %s", name)
		}
	}
	if got := one[int64](t, db, "SELECT count(*) FROM $ WHERE Tags IS NOT NULL AND NOT json_valid(Tags)", path); got != 0 {
		t.Errorf("%d rows have tags that are no JSON", got)
	}
	db, path, _ = writeAzure(t, azureSpec("ActualCost", "MCA", ""))
	if got := one[int64](t, db, "SELECT count(*) FROM $ WHERE tags IS NOT NULL AND NOT json_valid('{' || tags || '}')", path); got != 0 {
		t.Errorf("%d rows have tags that are no JSON within braces", got)
	}
	kinds := one[string](t, db, "SELECT string_agg(DISTINCT chargeType, ' ' ORDER BY chargeType) FROM $", path)
	if kinds != "Purchase Refund RoundingAdjustment Tax Usage" {
		t.Errorf("charge types are %s", kinds)
	}
}

func TestAzureInheritanceAndScope(t *testing.T) {
	s := azureSpec("FocusCost", "EA", "1.2-preview")
	db, path, whole := writeAzure(t, s)
	before := one[int64](t, db, "SELECT count(*) FROM $ WHERE Tags IS NOT NULL", path)
	s.Inherited = true
	db, path, after := writeAzure(t, s)
	if got := one[int64](t, db, "SELECT count(*) FROM $ WHERE Tags IS NOT NULL", path); got < before*5/4 {
		t.Errorf("%d rows have tags with inheritance, %d without", got, before)
	}
	if fmt.Sprint(whole.Sums) != fmt.Sprint(after.Sums) {
		t.Errorf("inheritance changed costs: %v, %v", whole.Sums, after.Sums)
	}
	s.Only, s.ResourceGroup = []string{s.Accounts[0].ID}, "rg-mine"
	db, path, _ = writeAzure(t, s)
	if got := one[int64](t, db, "SELECT count(*) FROM $ WHERE SubAccountId <> '/subscriptions/"+s.Accounts[0].ID+"' OR x_ResourceGroupName <> 'rg-mine'", path); got != 0 {
		t.Errorf("%d rows of others", got)
	}
	s.Through = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if _, _, none := writeAzure(t, s); none.Rows != 0 {
		t.Errorf("a month without a day has %d rows", none.Rows)
	}
	s.Dataset = "Guess"
	db, err := bill.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := bill.WriteAzure(t.Context(), db, s, path); err == nil {
		t.Error("an unknown data set was written")
	}
}

package ingest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"outlay"
)

// billHeader is what a small FOCUS 1.0 export delivers: the columns that must be there, and some that may.
const billHeader = "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ProviderName,ServiceName,SubAccountId,SubAccountName,Tags"

// bill is a CSV of rows charges of cost each, of one month.
func bill(p outlay.Period, rows int, cost string) string {
	return billOf(billHeader, p, rows, cost, "USD")
}

func billOf(header string, p outlay.Period, rows int, cost, currency string) string {
	var b strings.Builder
	b.WriteString(header + "\n")
	for i := range rows {
		fmt.Fprintf(&b, "%s,%s,%s,%s,%s,%s-01 00:00:00,%s 00:00:00,%s-%02d 00:00:00,%s-%02d 00:00:00,Usage,Nimbus,Storage,acct-%d,Account %d,\"{\"\"Project\"\": \"\"p%d\"\"}\"",
			cost, cost, cost, cost, currency, p, p.End().Format("2006-01-02"), p, i%28+1, p, i%28+2, i%3, i%3, i%3)
		b.WriteString(strings.Repeat(",extra", strings.Count(header, ",")-strings.Count(billHeader, ",")))
		b.WriteString("\n")
	}
	return b.String()
}

// parquet is the bill of a CSV text as a typed Parquet file: costs are doubles and tags a map, as clouds write them.
func parquet(t *testing.T, csv string) string {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.csv"), filepath.Join(dir, "out.parquet")
	if err := os.WriteFile(in, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	typed := "BilledCost::DOUBLE AS BilledCost, EffectiveCost::DOUBLE AS EffectiveCost, ListCost::DOUBLE AS ListCost, ContractedCost::DOUBLE AS ContractedCost, MAP {'Project': 'p'} AS Tags"
	query := fmt.Sprintf("COPY (SELECT * REPLACE (%s) FROM read_csv('%s')) TO '%s' (FORMAT parquet, COMPRESSION snappy)", typed, in, out)
	if _, err := newEngine(t).ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// spoiled is content with a run of bytes in its middle overwritten.
func spoiled(content string) string {
	at := len(content) / 2
	return content[:at] + strings.Repeat("\xff", 64) + content[at+64:]
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"outlay/outlaytest"
)

const smallBill = `BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ServiceName,ProviderName
1.25,1.25,2,1.5,USD,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,2026-01-05T00:00:00Z,2026-01-06T00:00:00Z,Usage,Compute,Files
-0.000000000000000001,0,0,0,USD,2026-02-01T00:00:00Z,2026-03-01T00:00:00Z,2026-02-05T00:00:00Z,2026-02-06T00:00:00Z,Credit,Compute,Files
`

// TestOnPostgres runs the server with its state, and the lake's catalog, in PostgreSQL: sign in, import, costs, and the
// same after a restart.
func TestOnPostgres(t *testing.T) {
	database := outlaytest.Postgres(t)
	dir := t.TempDir()
	env := []string{"HOME=" + dir, "OUTLAY_DATABASE=" + database}
	server := startChild(t, filepath.Join(dir, "data"), env...)
	d := &demo{url: server.url, data: dir, log: server.log}
	d.setUp(t, oneTime.FindStringSubmatch(server.log.String())[1])
	bill := filepath.Join(dir, "bill.csv")
	if err := os.WriteFile(bill, []byte(smallBill), 0o600); err != nil {
		t.Fatal(err)
	}
	d.must(t, "import", bill)
	want := "total,,2,1.249999999999999999,1.25,2,1.5,USD\n"
	if got := d.must(t, "costs", "-o", "csv"); !strings.Contains(got, want) {
		t.Errorf("costs\n%swant\n%s", got, want)
	}
	server.kill()
	again := startChild(t, filepath.Join(dir, "data"), env...)
	d.url = again.url
	if got := d.must(t, "costs", "-o", "csv"); !strings.Contains(got, want) {
		t.Errorf("after a restart\n%swant\n%s", got, want)
	}
	if out := d.must(t, "import", bill, "-o", "json"); !strings.Contains(out, `"already": true`) {
		t.Errorf("the same file again: %s", out)
	}
}

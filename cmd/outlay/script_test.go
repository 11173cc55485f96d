package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

const cutBill = `BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory
1,1,2,1.5,USD,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,2026-01-05T00:00:00Z,2026-01-06T00:00:00Z,Us`

// TestScripts runs testdata/script/*.txtar against one demo: the command line as a person uses it.
func TestScripts(t *testing.T) {
	d := startDemo(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("OUTLAY_URL", d.url)
			e.Setenv("OUTLAY_TOKEN", d.token)
			// A file cut in mid-line: an archive of texts cannot hold one without a final newline.
			return os.WriteFile(filepath.Join(e.WorkDir, "cut.csv"), []byte(cutBill), 0o600)
		},
	})
}

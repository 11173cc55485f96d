package web

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/outlaytest"
)

// changing is what differs from run to run: the hash of the assets and keys made at random.
var changing = regexp.MustCompile(`/static/[0-9a-f]{12}/|idem_[a-z0-9]{26}|value="[0-9a-f]{64}"`)

// TestGoldenPages holds whole parts of pages against files, so that a change of words or structure is seen in review.
func TestGoldenPages(t *testing.T) {
	now := fixedNow().Truncate(24 * time.Hour)
	h := newHouse(t, outlaytest.Charges{
		oneCharge(now.AddDate(0, 0, -9), "Nimbus Compute", "m.okafor", "812.3457", "Usage"), oneCharge(now.AddDate(0, 0, -8), "Nimbus Compute", "", "-20", "Credit"), oneCharge(now, "Nimbus Store", "m.okafor", "3.004", "Usage"),
		oneCharge(now.AddDate(0, -1, -2), "Nimbus Compute", "m.okafor", "700", "Usage"),
	})
	h.seed()
	b := h.signIn(outlay.RoleAdmin)
	for name, path := range map[string]string{
		"costs": "/costs?range=custom&from=2026-11-13&to=2026-11-22", "accounts": "/accounts", "account": "/accounts/acc_main", "deprovision": "/accounts/acc_main/billing/deprovision", "run": "/runs/run_stopped", "not-found": "/nowhere",
	} {
		got := b.get(path, "HX-Request", "true", "HX-Request-Type", "partial").body
		got = changing.ReplaceAllString(got, "…")
		file := filepath.Join("testdata", name+".html")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (-want +got; -update rewrites):\n%s", file, d)
		}
	}
}

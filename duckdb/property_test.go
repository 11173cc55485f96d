package duckdb

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

// TestSumsAgree makes random bills and asks for the same sums by every way there is: the proof of reading, the proof of
// writing, the rollups through the store, and the lake's files, in each format. All must be what decimal addition says.
func TestSumsAgree(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 7))
		charges := randomBill(r, 300)
		content := csvText(charges...)
		files := map[string]string{
			"CSV": file(t, "bill.csv", content), "gzip": gzipped(t, "bill.csv.gz", content), "Parquet": parquetOf(t, content, typed),
		}
		for format, path := range files {
			periods := parseHere(t, job(t, path))
			store, _ := storeOf(t, headsOf("src_1", outlay.OriginFiles, periods)...)
			for _, p := range periods {
				want := oracle(charges, func(c charge) bool { return c["BillingPeriodStart"][:7] == string(p.Period) })
				if d := cmp.Diff(want, p.Proof.Read); d != "" {
					t.Errorf("seed %d %s %s read:\n%s", seed, format, p.Period, d)
				}
				if d := cmp.Diff(want, p.Proof.Written); d != "" {
					t.Errorf("seed %d %s %s written:\n%s", seed, format, p.Period, d)
				}
			}
			checkWays(t, store, charges)
		}
	}
}

// checkWays asks for totals with filters that lead to r1, r2, r3 and the lake's files.
func checkWays(t *testing.T, store *Costs, charges []charge) {
	t.Helper()
	all := func(d outlay.Dimension) outlay.Filter {
		return outlay.Filter{Dimension: d, Not: true, Values: []string{"nowhere"}}
	}
	ways := map[string][]outlay.Filter{
		"r1": nil, "r2": {all(outlay.TagDimension("SessionID"))}, "r3": {all(outlay.ByResource)},
		"lake": {all(outlay.ByResource), all(outlay.TagDimension("SessionID"))},
	}
	want := oracle(charges, func(charge) bool { return true })
	for way, filters := range ways {
		got := map[string]map[outlay.Measure]string{}
		for _, r := range ask(t, store, outlay.Query{Filters: filters}).Rows {
			got[r.Currency] = map[outlay.Measure]string{}
			for i, m := range outlay.Measures() {
				got[r.Currency][m] = r.Amounts[i].String()
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("by %s:\n%s", way, d)
		}
	}
}

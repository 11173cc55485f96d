package duckdb

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"outlay"
)

// charge is one row of a test bill: its columns by FOCUS name.
type charge map[string]string

// usage is a plain charge of a day with one cost in all four measures.
func usage(day, cost string, more ...string) charge {
	month := day[:7]
	next := outlay.Period(month).End().Format("2006-01-02")
	c := charge{
		"BilledCost": cost, "EffectiveCost": cost, "ListCost": cost, "ContractedCost": cost, "BillingCurrency": "USD",
		"BillingPeriodStart": month + "-01T00:00:00Z", "BillingPeriodEnd": next + "T00:00:00Z",
		"ChargePeriodStart": day + "T00:00:00Z", "ChargePeriodEnd": day + "T23:00:00Z", "ChargeCategory": "Usage",
		"ProviderName": "Nimbus", "BillingAccountId": "payer-1", "SubAccountId": "acct-1", "ServiceName": "Compute",
	}
	for i := 0; i+1 < len(more); i += 2 {
		c[more[i]] = more[i+1]
	}
	return c
}

// columnsIn are the columns of the charges, sorted, so that every file of a bill has the same.
func columnsIn(charges []charge) []string {
	seen := map[string]bool{}
	for _, c := range charges {
		for k := range c {
			seen[k] = true
		}
	}
	var out []string
	for k := range seen {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// csvText writes a bill as CSV.
func csvText(charges ...charge) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	columns := columnsIn(charges)
	_ = w.Write(columns)
	for _, c := range charges {
		var record []string
		for _, k := range columns {
			record = append(record, c[k])
		}
		_ = w.Write(record)
	}
	w.Flush()
	return b.String()
}

// gzipped packs a text as one file.
func gzipped(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if _, err := z.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// parquetOf writes the rows of a SELECT over a CSV text, called bill, as Parquet.
func parquetOf(t *testing.T, csvContent, query string) string {
	t.Helper()
	source := file(t, "bill.csv", csvContent)
	path := filepath.Join(t.TempDir(), "bill.parquet")
	db, err := openEngine(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, s := range []string{
		"CREATE VIEW bill AS SELECT * FROM read_csv(" + text(source) + ", all_varchar=true, header=true)",
		"COPY (" + query + ") TO " + text(path) + " (FORMAT parquet)",
	} {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return path
}

// typed is a SELECT that gives a test bill the column types of a provider's Parquet.
const typed = `SELECT * REPLACE (CAST(BilledCost AS DOUBLE) AS BilledCost, CAST(EffectiveCost AS DOUBLE) AS EffectiveCost, CAST(ListCost AS DECIMAL(30,12)) AS ListCost,
	CAST(ContractedCost AS DOUBLE) AS ContractedCost, CAST(BillingPeriodStart AS TIMESTAMP_MS) AS BillingPeriodStart, CAST(BillingPeriodEnd AS TIMESTAMPTZ) AS BillingPeriodEnd,
	CAST(ChargePeriodStart AS TIMESTAMP_MS) AS ChargePeriodStart, CAST(ChargePeriodEnd AS TIMESTAMP) AS ChargePeriodEnd, CAST(Tags::JSON AS MAP(VARCHAR, VARCHAR)) AS Tags) FROM bill`

// randomBill makes n charges of two months: negative, tiny and large costs, several currencies, accounts and tags.
func randomBill(r *rand.Rand, n int) []charge {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	cost := func() string {
		sign := pick("", "", "", "-")
		switch r.IntN(4) {
		case 0:
			return sign + fmt.Sprint(r.IntN(1000))
		case 1:
			return sign + fmt.Sprintf("%d.%02d", r.IntN(100000), r.IntN(100))
		case 2:
			return sign + fmt.Sprintf("0.%010d", r.Int64N(10_000_000_000))
		}
		return sign + fmt.Sprintf("%d.%d", r.IntN(9), 1+r.Int64N(99_999_999))
	}
	out := make([]charge, n)
	for i := range out {
		day := fmt.Sprintf("2026-%02d-%02d", 9+r.IntN(2), 1+r.IntN(28))
		c := usage(day, cost(), "SubAccountId", pick("acct-1", "acct-2", ""), "ServiceName", pick("Compute", "Storage", ""), "RegionId", pick("north", "south", ""),
			"RegionName", "", "ResourceId", pick("res-1", "res-2", "res-3", ""), "ResourceName", "", "ChargeCategory", pick("Usage", "Tax", "Credit"),
			"BillingCurrency", pick("USD", "EUR", "JPY"), "SubAccountName", "", "x_Extra", pick("", "blue", "green"))
		c["EffectiveCost"], c["ListCost"], c["ContractedCost"] = cost(), cost(), cost()
		c["Tags"] = pick("", `{"Project":"p1","User":"u1"}`, `{"User":"u2"}`, `{"Project":"p2","SessionID":"s1","team":"x"}`)
		out[i] = c
	}
	return out
}

// oracle sums the charges that keep says, by currency and measure, in decimal.
func oracle(charges []charge, keep func(charge) bool) map[string]map[outlay.Measure]string {
	sums := map[string]map[outlay.Measure]outlay.Amount{}
	for _, c := range charges {
		if !keep(c) {
			continue
		}
		currency := c["BillingCurrency"]
		if sums[currency] == nil {
			sums[currency] = map[outlay.Measure]outlay.Amount{}
		}
		for _, m := range outlay.Measures() {
			sums[currency][m] = sums[currency][m].Add(outlay.MustAmount(c[string(m)], currency))
		}
	}
	out := map[string]map[outlay.Measure]string{}
	for currency, by := range sums {
		out[currency] = map[outlay.Measure]string{}
		for m, a := range by {
			out[currency][m] = a.String()
		}
	}
	return out
}

// headsOf are published heads of what was parsed, of one source.
func headsOf(source string, origin outlay.SourceOrigin, periods []outlay.ParsedPeriod) []outlay.Head {
	var out []outlay.Head
	for _, p := range periods {
		out = append(out, outlay.Head{
			OrgID: "org_1", SourceID: source, Origin: origin, Period: p.Period, Generation: "gen_" + source, Files: p.Files, Rollups: p.Rollups,
			Proof: p.Proof, SubAccounts: p.SubAccounts, DataThrough: p.DataThrough,
		})
	}
	return out
}

// published is a cost store over heads that a test can change.
type published struct {
	heads   map[string][]outlay.Head
	version int64
}

func (p *published) read(_ context.Context, orgID string) ([]outlay.Head, int64, error) {
	return p.heads[orgID], p.version, nil
}

// storeOf opens a cost store over heads of org_1.
func storeOf(t *testing.T, heads ...outlay.Head) (*Costs, *published) {
	t.Helper()
	p := &published{heads: map[string][]outlay.Head{"org_1": heads}, version: 1}
	c, err := Open(Options{Heads: p.read, CacheDir: t.TempDir(), MemoryLimit: 512 << 20, Threads: 2, Clock: outlay.SystemClock{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, p
}

// ask queries org_1.
func ask(t *testing.T, c *Costs, q outlay.Query) outlay.Answer {
	t.Helper()
	a, err := c.Query(context.Background(), "org_1", q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	return a
}

// lines writes an answer's rows for comparing: bucket, keys, currency, charges, effective cost.
func lines(a outlay.Answer) []string {
	var out []string
	for _, r := range a.Rows {
		bucket := "-"
		if !r.Bucket.IsZero() {
			bucket = r.Bucket.Format("2006-01-02")
		}
		out = append(out, fmt.Sprintf("%s %s %s %d %s", bucket, strings.Join(r.Keys, "|"), r.Currency, r.Charges, r.Amounts[outlay.Effective.Index()]))
	}
	return out
}

package bill

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

func demo() Spec {
	return Spec{
		Payer:    Account{"111122223333", "nf-payer"},
		Accounts: []Account{{"111122223333", "nf-payer"}, {"222233334444", "nf-research"}, {"333344445555", "nf-teaching"}},
		Period:   "2026-10", Rows: 6000, Seed: 7, TagPrefix: "user_", Tagged: outlay.TagKeys(),
	}
}

func openDB(t *testing.T) *sql.DB {
	t.Helper()
	db, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

var billWord = regexp.MustCompile(`\bbill\b`)

// written is a bill on disk.
type written struct {
	t      *testing.T
	db     *sql.DB
	path   string
	totals Totals
}

func write(t *testing.T, db *sql.DB, s Spec) written {
	t.Helper()
	w := written{t: t, db: db, path: filepath.Join(t.TempDir(), "month.parquet")}
	var err error
	if w.totals, err = Write(t.Context(), db, s, w.path); err != nil {
		t.Fatal(err)
	}
	return w
}

// ask runs a query in which bill stands for the file, and joins each row's cells by a bar.
func (w written) ask(query string) []string {
	w.t.Helper()
	rows, err := w.db.QueryContext(w.t.Context(), billWord.ReplaceAllString(query, "read_parquet("+quote(w.path)+")"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		cells, to := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range cells {
			to[i] = &cells[i]
		}
		if err := rows.Scan(to...); err != nil {
			w.t.Fatal(err)
		}
		texts := make([]string, len(cells))
		for i, c := range cells {
			texts[i] = c.String
		}
		out = append(out, strings.Join(texts, "|"))
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w written) one(query string) string {
	w.t.Helper()
	rows := w.ask(query)
	if len(rows) != 1 {
		w.t.Fatalf("%s: %d rows", query, len(rows))
	}
	return rows[0]
}

// none fails when any row matches.
func (w written) none(what, where string) {
	w.t.Helper()
	if n := w.one("SELECT count(*) FROM bill WHERE " + where); n != "0" {
		w.t.Errorf("%s: %s rows", what, n)
	}
}

func (w written) print() string {
	w.t.Helper()
	return w.one("SELECT md5(string_agg(r, '' ORDER BY r)) FROM (SELECT b::VARCHAR AS r FROM bill b)")
}

func TestSameSpecSameBill(t *testing.T) {
	db := openDB(t)
	first := write(t, db, demo())
	if second := write(t, openDB(t), demo()); second.print() != first.print() {
		t.Error("two bills of one spec differ")
	}
	for name, change := range map[string]func(*Spec){
		"seed": func(s *Spec) { s.Seed++ }, "period": func(s *Spec) { s.Period = "2026-09" }, "revision": func(s *Spec) { s.Revision++ },
	} {
		s := demo()
		change(&s)
		if write(t, db, s).print() == first.print() {
			t.Errorf("another %s, the same bill", name)
		}
	}
}

// The totals come from integers before writing; here the DOUBLE values are read back as the decimals that they print.
func TestTotalsAreWhatAReaderFinds(t *testing.T) {
	db := openDB(t)
	for _, revision := range []int{0, 3} {
		s := demo()
		s.Revision = revision
		w := write(t, db, s)
		for _, m := range outlay.Measures() {
			read := w.one(fmt.Sprintf("SELECT sum(%[1]s::VARCHAR::DECIMAL(38,18))::VARCHAR FROM bill", m))
			a, err := outlay.ParseAmount(read, "USD")
			if err != nil {
				t.Fatal(err)
			}
			if a.String() != w.totals.Sums[m] {
				t.Errorf("revision %d, %s: read %s, generated %s", revision, m, a, w.totals.Sums[m])
			}
		}
		if n := w.one("SELECT count(*) FROM bill"); n != fmt.Sprint(w.totals.Rows) {
			t.Errorf("%s rows, generated %d", n, w.totals.Rows)
		}
		w.none("more than ten decimals", "abs(BilledCost * 1e10 - round(BilledCost * 1e10)) > 0.01")
	}
}

func TestColumnsAndTypes(t *testing.T) {
	db := openDB(t)
	types := func(w written) []string {
		return w.ask("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM bill)")
	}
	all := write(t, db, demo())
	var want []string
	for _, c := range Columns() {
		kind := sqlType(c)
		if kind == "TIMESTAMP_MS" {
			kind = "TIMESTAMP" // DuckDB reads milliseconds as its own timestamp
		}
		want = append(want, c+"|"+kind)
	}
	if len(want) != 60 {
		t.Errorf("%d columns", len(want))
	}
	if d := cmp.Diff(want, types(all)); d != "" {
		t.Error(d)
	}
	physical := all.one("SELECT count(*) FROM parquet_schema(" + quote(all.path) +
		") WHERE (name LIKE '%Period%' AND converted_type = 'TIMESTAMP_MILLIS') OR (name LIKE '%Cost' AND type = 'DOUBLE')")
	if physical != "9" {
		t.Errorf("%s columns are stored as AWS stores them", physical)
	}
	if c := all.one("SELECT string_agg(DISTINCT compression, ', ') FROM parquet_metadata(" + quote(all.path) + ")"); c != "SNAPPY" {
		t.Errorf("compressed by %s", c)
	}
	some := demo()
	some.Columns = []string{"Tags", "BilledCost", "ChargePeriodStart", "SubAccountId"}
	if d := cmp.Diff([]string{"Tags|MAP(VARCHAR, VARCHAR)", "BilledCost|DOUBLE", "ChargePeriodStart|TIMESTAMP", "SubAccountId|VARCHAR"}, types(write(t, db, some))); d != "" {
		t.Error(d)
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	db := openDB(t)
	for name, change := range map[string]func(*Spec){
		"column": func(s *Spec) { s.Columns = []string{"BilledCost", "Bucket"} }, "period": func(s *Spec) { s.Period = "2026-13" },
		"payer": func(s *Spec) { s.Payer = Account{} }, "rows": func(s *Spec) { s.Rows = -1 },
	} {
		s := demo()
		change(&s)
		if _, err := Write(t.Context(), db, s, filepath.Join(t.TempDir(), "x")); outlay.CodeOf(err) != outlay.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestShapeOfABill(t *testing.T) {
	db := openDB(t)
	s := demo()
	s.Revision = 2
	w := write(t, db, s)
	if n := w.totals.Rows; n < 5700 || n > 6300 {
		t.Errorf("%d rows for 6,000", n)
	}
	if got := w.one("SELECT count(DISTINCT ServiceName) >= 15, count(DISTINCT RegionId), count(DISTINCT SubAccountId), string_agg(DISTINCT ChargeCategory, ' ' ORDER BY ChargeCategory) FROM bill"); got != "true|6|3|Credit Purchase Tax Usage" {
		t.Errorf("services, regions, accounts, categories: %s", got)
	}
	for what, where := range map[string]string{
		"a null that FOCUS forbids":                "BilledCost IS NULL OR EffectiveCost IS NULL OR ListCost IS NULL OR ContractedCost IS NULL OR BillingAccountId IS NULL OR ServiceName IS NULL OR ServiceCategory IS NULL OR ChargePeriodStart IS NULL OR ChargeDescription IS NULL",
		"not a day of usage":                       "ChargeCategory = 'Usage' AND ChargePeriodEnd <> ChargePeriodStart + INTERVAL 1 DAY",
		"outside of the month":                     "ChargePeriodStart < '2026-10-01' OR ChargePeriodEnd > '2026-11-01' OR BillingPeriodStart <> '2026-10-01' OR BillingPeriodEnd <> '2026-11-01'",
		"tax that names an account or region":      "ChargeCategory = 'Tax' AND (SubAccountId IS NOT NULL OR RegionId IS NOT NULL OR ResourceId IS NOT NULL)",
		"a plan's purchase with an effective cost": "ChargeCategory = 'Purchase' AND CommitmentDiscountId IS NOT NULL AND (EffectiveCost <> 0 OR BilledCost <= 0)",
		"covered usage that is billed":             "CommitmentDiscountStatus IS NOT NULL AND (BilledCost <> 0 OR EffectiveCost <= 0)",
		"a credit that costs":                      "ChargeCategory = 'Credit' AND BilledCost >= 0",
		"no invoice in a closed month":             "InvoiceId IS NULL",
		"a resource without a type":                "ResourceId IS NOT NULL AND ResourceType IS NULL",
		"a list price below the contract's":        "ListUnitPrice < ContractedUnitPrice",
	} {
		w.none(what, where)
	}
	for what, where := range map[string]string{
		"unused commitment": "CommitmentDiscountStatus = 'Unused'", "covered usage": "CommitmentDiscountStatus = 'Used'", "spot": "PricingCategory = 'Dynamic'",
		"a correction": "ChargeClass = 'Correction' AND BilledCost < 0", "a discount": "cardinality(x_Discounts) > 0",
	} {
		if n := w.one("SELECT count(*) FROM bill WHERE " + where); n == "0" {
			t.Errorf("no %s", what)
		}
	}
	tagged := w.one("SELECT round(avg((cardinality(Tags) > 0)::INTEGER), 1), round(avg((cardinality(Tags) = 9)::INTEGER), 1) FROM bill WHERE ChargeCategory = 'Usage'")
	if tagged != "0.7|0.4" && tagged != "0.8|0.4" {
		t.Errorf("shares of tagged rows and of rows with all nine: %s", tagged)
	}
	if w.one("SELECT avg(c) FILTER (dayofweek(d) IN (0, 6)) < 0.9 * avg(c) FILTER (dayofweek(d) NOT IN (0, 6)) FROM (SELECT ChargePeriodStart AS d, sum(EffectiveCost) AS c FROM bill WHERE ChargeCategory = 'Usage' GROUP BY 1)") != "true" {
		t.Error("weekends cost as much as working days")
	}
}

func TestDemoMonthCostsFortyToSixtyThousand(t *testing.T) {
	db := openDB(t)
	for seed := range int64(6) {
		s := demo()
		s.Seed, s.Columns = seed, []string{"BilledCost"}
		sums := write(t, db, s).totals.Sums
		for _, m := range []outlay.Measure{outlay.Billed, outlay.Effective} {
			if total := outlay.MustAmount(sums[m], "USD").Float(); total < 40_000 || total > 60_000 {
				t.Errorf("seed %d: %s is %.0f", seed, m, total)
			}
		}
	}
}

func TestCurrentMonthStopsWhereItIs(t *testing.T) {
	db := openDB(t)
	s := demo()
	s.Through = time.Date(2026, 10, 12, 17, 30, 0, 0, time.UTC)
	w := write(t, db, s)
	if got := w.one("SELECT max(ChargePeriodEnd)::VARCHAR, count(InvoiceId) FROM bill"); got != "2026-10-12 00:00:00|0" {
		t.Errorf("ends, invoices: %s", got)
	}
	// A later look only adds days: what was there stays to the last digit.
	s.Through = time.Time{}
	whole := write(t, db, s)
	const day5 = "SELECT md5(string_agg(b::VARCHAR, '' ORDER BY b::VARCHAR)) FROM (SELECT * EXCLUDE (InvoiceId) FROM bill WHERE ChargePeriodStart = '2026-10-05') b"
	if whole.one(day5) != w.one(day5) {
		t.Error("the fifth of the month changed without a revision")
	}
	s.Through = s.Period.Start()
	if n := write(t, db, s).totals; n.Rows != 0 || n.Sums[outlay.Billed] != "0" {
		t.Errorf("before the first day: %+v", n)
	}
}

func TestRestatementChangesAFewRows(t *testing.T) {
	db := openDB(t)
	s := demo()
	zero := write(t, db, s)
	s.Revision = 1
	one := write(t, db, s)
	s.Revision = 2
	two := write(t, db, s)
	compare := func(a, b written) (gone, all float64) {
		t.Helper()
		const key = "ResourceId, ChargePeriodStart, SkuMeter, BilledCost, EffectiveCost, ListCost"
		var g, n float64
		query := fmt.Sprintf("SELECT (SELECT count(*) FROM (SELECT %[3]s FROM read_parquet(%[1]s) EXCEPT ALL SELECT %[3]s FROM read_parquet(%[2]s))), (SELECT count(*) FROM read_parquet(%[1]s))", quote(a.path), quote(b.path), key)
		if err := db.QueryRowContext(t.Context(), query).Scan(&g, &n); err != nil {
			t.Fatal(err)
		}
		return g, n
	}
	for name, c := range map[string][2]written{"first": {zero, one}, "second": {one, two}} {
		if changed, all := compare(c[0], c[1]); changed/all < 0.01 || changed/all > 0.05 {
			t.Errorf("the %s restatement changed %.0f of %.0f rows", name, changed, all)
		}
	}
	if late := one.totals.Rows - zero.totals.Rows; late < 60 || late > 200 {
		t.Errorf("%d rows came late", late)
	}
	if n := two.totals.Rows - one.totals.Rows; n != 2 {
		t.Errorf("the second restatement added %d rows, want a credit and a refund", n)
	}
}

func TestMemberSeesItsOwnRowsOnly(t *testing.T) {
	db := openDB(t)
	whole := write(t, db, demo())
	s := demo()
	s.Only = []string{"333344445555"}
	w := write(t, db, s)
	if got := w.one("SELECT string_agg(DISTINCT SubAccountId, ' '), count(*) FROM bill"); got != fmt.Sprintf("333344445555|%d", w.totals.Rows) {
		t.Error(got)
	}
	if want := whole.one("SELECT count(*) FROM bill WHERE SubAccountId = '333344445555'"); want != fmt.Sprint(w.totals.Rows) {
		t.Errorf("%d rows, the payer's bill has %s", w.totals.Rows, want)
	}
}

func TestLargeHasItsProperties(t *testing.T) {
	specs := Large([]outlay.Period{"2025-01", "2025-02", "2025-03", "2025-04", "2025-05", "2025-06", "2025-07", "2025-08", "2025-09", "2025-10", "2025-11", "2025-12"}, 1_200_000)
	if len(specs) != 12 || specs[3].Period != "2025-04" || len(specs[0].Users) != 2997 || len(specs[0].Projects) != 200 || len(specs[0].Pools) != 60 || len(specs[0].Accounts) != 47 {
		t.Fatalf("%d specs", len(specs))
	}
	w := write(t, openDB(t), specs[0])
	if w.totals.Rows < 95_000 || w.totals.Rows > 105_000 {
		t.Errorf("%d rows", w.totals.Rows)
	}
	if got := w.one("SELECT count(DISTINCT SubAccountId), count(DISTINCT Tags['user_project']), count(DISTINCT Tags['user_pool']) FROM bill"); got != "47|200|60" {
		t.Errorf("accounts, projects, pools: %s", got)
	}
}

func TestCatalogueFillsAThousandSlots(t *testing.T) {
	sum := 0
	for _, s := range catalogue() {
		sum += s.weight
	}
	if sum != 1000 {
		t.Errorf("weights sum to %d", sum)
	}
}

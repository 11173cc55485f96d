package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

// lakeRows reads columns of the parsed files, as text.
func lakeRows(t *testing.T, periods []outlay.ParsedPeriod, columns string) []string {
	t.Helper()
	var files []string
	for _, p := range periods {
		for _, f := range p.Files {
			files = append(files, f.Path)
		}
	}
	db, err := openEngine(context.Background(), []string{"SET preserve_insertion_order=true"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query("SELECT concat_ws('|', " + columns + ") FROM read_parquet(" + texts(files) + ")")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// TestAccept reads what real files look like.
func TestAccept(t *testing.T) {
	with := func(more ...string) string { return csvText(usage("2026-10-02", "1.5", more...)) }
	crlf := strings.ReplaceAll(with(), "\n", "\r\n")
	v14 := strings.Replace(strings.Replace(with("ServiceProviderName", "Nimbus"), "ProviderName,", "Old,", 1), "ServiceOld,", "ServiceProviderName,", 1)
	cases := []struct {
		name, content, columns, want string
	}{
		{"plain", with(), "BilledCost, x_SourceId, x_Period", "1.500000000000000000|src_1|2026-10"},
		{"byte order mark", byteOrderMark + with(), "BilledCost", "1.500000000000000000"},
		{"CRLF", crlf, "ServiceName", "Compute"},
		{"times without a zone", with("ChargePeriodStart", "2026-10-02 03:00:00"), "ChargePeriodStart", "2026-10-02 03:00:00"},
		{"times of another zone, short", with("ChargePeriodStart", "2026-10-02 03:00:00-01"), "ChargePeriodStart", "2026-10-02 04:00:00"},
		{"times without seconds", with("ChargePeriodStart", "2026-10-02T03:00Z"), "ChargePeriodStart", "2026-10-02 03:00:00"},
		{"times of another zone", with("ChargePeriodStart", "2026-10-02T03:00:00+02:00"), "ChargePeriodStart", "2026-10-02 01:00:00"},
		{"NULL as a word", with("RegionId", "NULL", "PricingQuantity", "NULL"), "COALESCE(RegionId, 'none'), COALESCE(PricingQuantity::VARCHAR, 'none')", "none|none"},
		{"line breaks in a value", with("ChargeDescription", "two\nlines, \"quoted\""), "ChargeDescription", "two\nlines, \"quoted\""},
		{"exponents", with("BilledCost", "1.25E-7", "PricingQuantity", "2e3"), "BilledCost, PricingQuantity", "0.000000125000000000|2000.0"},
		{"19 decimals, half to even below", with("BilledCost", "0.0000000000000000005"), "BilledCost", "0.000000000000000000"},
		{"19 decimals, half to even above", with("BilledCost", "-0.0000000000000000015"), "BilledCost", "-0.000000000000000002"},
		{"unknown columns", with("x_Code", "c7", "Id", "9"), "x_Other", `{"Id":"9","x_Code":"c7"}`},
		{"a column of ours", with("tag_User", "mallory", "x_SourceId", "src_other"), "x_Other, COALESCE(tag_User, 'none'), x_SourceId", `{"tag_User":"mallory","x_SourceId":"src_other"}|none|src_1`},
		{"FOCUS 1.4 without ProviderName", v14, "ProviderName, ServiceProviderName", "Nimbus|Nimbus"},
		{"FOCUS 1.0 without ServiceProviderName", with(), "ServiceProviderName", "Nimbus"},
		{"provider other", with("ProviderName", "other"), "ProviderName", "other"},
		{"tags", with("Tags", `{"User":"ann","team":"x","on":true}`), "tag_User, Tags::VARCHAR", "ann|{team=x, on=true}"},
		{"a name in another case", strings.Replace(with(), "BilledCost", "billedcost", 1), "BilledCost", "1.500000000000000000"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := lakeRows(t, parseHere(t, job(t, file(t, "bill.csv", c.content))), c.columns)
			if d := cmp.Diff([]string{c.want}, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestReject refuses what cannot be trusted, and says where.
func TestReject(t *testing.T) {
	good := usage("2026-10-01", "1", "ChargeDescription", "over\ntwo lines")
	bad := func(more ...string) string { return csvText(good, usage("2026-10-02", "2", more...)) }
	without := func(column string) string {
		c := usage("2026-10-01", "1")
		delete(c, column)
		return csvText(c)
	}
	full := bad()
	cases := []struct{ name, content, want string }{
		{"no cost column", without("EffectiveCost"), "bill.csv has no column EffectiveCost"},
		{"no list cost column", without("ListCost"), "bill.csv has no column ListCost"},
		{"no currency column", without("BillingCurrency"), "bill.csv has no column BillingCurrency"},
		{"no value", bad("BilledCost", ""), "bill.csv line 4, column BilledCost: there is no value"},
		{"a word for an amount", bad("ListCost", "twelve"), `bill.csv line 4, column ListCost: "twelve" is not an amount (at most 20 digits before the point)`},
		{"NaN", bad("BilledCost", "NaN"), `bill.csv line 4, column BilledCost: "NaN" is not an amount (at most 20 digits before the point)`},
		{"infinity", bad("PricingQuantity", "inf"), `bill.csv line 4, column PricingQuantity: "inf" is not a finite number`},
		{"thousands", bad("BilledCost", "1,000.00"), `bill.csv line 4, column BilledCost: "1,000.00" is not an amount (at most 20 digits before the point)`},
		{"too large", bad("BilledCost", "1e21"), `bill.csv line 4, column BilledCost: "1e21" is not an amount (at most 20 digits before the point)`},
		{"no time", bad("ChargePeriodEnd", "02/10/2026"), `bill.csv line 4, column ChargePeriodEnd: "02/10/2026" is not a time such as 2026-10-01T00:00:00Z`},
		{"a time of no bill", bad("ChargePeriodEnd", "infinity"), `bill.csv line 4, column ChargePeriodEnd: "infinity" is of no bill`},
		{"tags that are no object", bad("Tags", `["a"]`), `bill.csv line 4, column Tags: "[\"a\"]" is not a JSON object of texts`},
		{"a field too many", full + "x,y\n", fmt.Sprintf("bill.csv line 5: 2 fields where the header has %d columns", len(columnsIn([]charge{good})))},
		{"a quote inside", full + strings.Repeat(`a"b,`, 14) + "c\n", `bill.csv line 5: bare " in non-quoted-field`},
		{"cut within a line", full[:len(full)-3], "bill.csv is cut short: its last line does not end"},
		{"empty", "", "bill.csv is empty"},
		{"empty first line", "\n" + full, "bill.csv line 1 is empty"},
		{"not text", "a,b\x00c\n", "bill.csv is neither text nor Parquet"},
		{"a column of FOCUS in two spellings", "BilledCost,billedcost\n1,2\n", "bill.csv line 1: the column billedcost occurs twice"},
		{"a column twice", "BilledCost,BilledCost\n1,2\n", "bill.csv line 1: the column BilledCost occurs twice"},
		{"a zip archive", "PK\x03\x04....", "bill.csv is a zip archive"},
		{"cut Parquet", "PAR1............", "bill.csv is cut short: a Parquet file ends with PAR1, this one does not"},
		{"another month", bad("BillingPeriodStart", "2026-09-01T00:00:00Z"), "bill.csv line 4, column BillingPeriodStart: a charge of 2026-09 in the delivery of 2026-10"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			j := job(t, file(t, "bill.csv", c.content))
			j.Period = "2026-10"
			reject(t, j, c.want)
		})
	}
}

// reject parses in a child, wants a refusal, and that nothing but it is left.
func reject(t *testing.T, j outlay.ParseJob, want string) {
	t.Helper()
	_, err := child().Parse(context.Background(), j)
	if outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Fatalf("code %q of %v", outlay.CodeOf(err), err)
	}
	if got := outlay.AsError(err).Message; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if outlay.AsError(err).Field == "" {
		t.Error("no field is named")
	}
	if strings.Contains(err.Error(), filepath.Dir(j.Files[0])) {
		t.Errorf("a path of this machine is told: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(j.OutDir, ".parse-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestRejectParquet names row and column in Parquet too.
func TestRejectParquet(t *testing.T) {
	content := csvText(usage("2026-10-01", "1"), usage("2026-10-02", "2"), usage("2026-10-03", "3"))
	cases := []struct{ name, query, want string }{
		{"NaN", "SELECT * REPLACE (CASE WHEN BilledCost = '2' THEN 'nan'::DOUBLE ELSE BilledCost::DOUBLE END AS BilledCost) FROM bill",
			`bill.parquet row 2, column BilledCost: "nan" is not an amount (at most 20 digits before the point)`},
		{"no value", "SELECT * REPLACE (NULLIF(BilledCost, '3') AS BilledCost) FROM bill", "bill.parquet row 3, column BilledCost: there is no value"},
		{"no column", "SELECT * EXCLUDE (ContractedCost) FROM bill", "bill.parquet has no column ContractedCost"},
		{"another month", "SELECT * REPLACE (TIMESTAMP '2026-08-01' AS BillingPeriodStart) FROM bill", "bill.parquet row 1, column BillingPeriodStart: a charge of 2026-08 in the delivery of 2026-10"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			j := job(t, parquetOf(t, content, c.query))
			j.Period = "2026-10"
			reject(t, j, c.want)
		})
	}
}

// TestGzip refuses damaged and endless archives.
func TestGzip(t *testing.T) {
	whole, err := os.ReadFile(gzipped(t, "bill.csv.gz", csvText(usage("2026-10-01", "1"))))
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.Clone(string(whole[:len(whole)-6])) + "\xff" + string(whole[len(whole)-5:])
	cases := map[string]struct{ path, want string }{
		"cut":         {file(t, "bill.csv.gz", string(whole[:len(whole)-9])), "bill.csv.gz could not be read: unexpected EOF"},
		"wrong sum":   {file(t, "bill.csv.gz", broken), "bill.csv.gz could not be read: gzip: invalid checksum"},
		"bomb":        {gzipped(t, "bill.csv.gz", strings.Repeat("a", 80<<20)), "bill.csv.gz could not be read: inflates to more than a cost file can be"},
		"not a table": {gzipped(t, "bill.csv.gz", "hello\n"), "bill.csv.gz has no column BilledCost"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if name == "not a table" {
				c.path = gzipped(t, "bill.csv.gz", "hello\nworld\n")
			}
			reject(t, job(t, c.path), c.want)
		})
	}
}

// TestProof tells what was rounded, unknown, missing and blank, and that two months come apart.
func TestProof(t *testing.T) {
	a := usage("2026-09-30", "1.00000000000000000049", "x_Code", "c", "ListCost", "")
	b := usage("2026-10-01", "2", "SubAccountName", "Second")
	periods := parseHere(t, job(t, file(t, "bill.csv", csvText(a, b))))
	if len(periods) != 2 || periods[0].Period != "2026-09" || periods[1].Period != "2026-10" {
		t.Fatalf("periods: %+v", periods)
	}
	p := periods[0].Proof
	want := outlay.Proof{
		Rows: 1, Rounded: 3, Unknown: []string{"x_Code"}, Notes: []string{"3 figures had more than 18 decimals and were rounded.", "1 charge had no ListCost; it counts as 0."},
		Read: map[string]map[outlay.Measure]string{"USD": {"BilledCost": "1", "EffectiveCost": "1", "ListCost": "0", "ContractedCost": "1"}},
	}
	want.Written = want.Read
	want.SchemaHash, want.MissingColumns = p.SchemaHash, p.MissingColumns
	if d := cmp.Diff(want, p); d != "" {
		t.Error(d)
	}
	if len(p.SchemaHash) != 64 || len(p.MissingColumns) != 45 {
		t.Errorf("schema %q, missing %d: %v", p.SchemaHash, len(p.MissingColumns), p.MissingColumns)
	}
	second := periods[1].SubAccounts
	if len(second) != 1 || second[0].Name != "Second" || second[0].Provider != "Nimbus" || second[0].Rows != 1 {
		t.Errorf("sub accounts: %+v", second)
	}
	if got := periods[1].DataThrough.Format("2006-01-02T15:04"); got != "2026-10-01T23:00" {
		t.Errorf("data through %s", got)
	}
}

// TestDataThrough goes by the days that charges stand on: a tax of the whole month does not make the month complete.
func TestDataThrough(t *testing.T) {
	day := usage("2026-10-05", "1", "ChargePeriodStart", "2026-10-05T23:00:00Z", "ChargePeriodEnd", "2026-10-06T00:00:00Z")
	tax := usage("2026-10-01", "1", "ChargePeriodStart", "2026-10-01T00:00:00Z", "ChargePeriodEnd", "2026-11-01T00:00:00Z", "ChargeCategory", "Tax")
	late := usage("2026-10-07", "1", "ChargePeriodStart", "2026-10-07T12:00:00Z", "ChargePeriodEnd", "2026-11-07T12:00:00Z", "ChargeCategory", "Purchase")
	for want, charges := range map[string][]charge{
		"2026-10-06T00:00 2026-10-06T00:00": {day, tax}, "2026-10-08T00:00 2026-10-08T00:00": {day, late}, "2026-10-02T00:00 2026-10-02T00:00": {tax},
	} {
		p := parseHere(t, job(t, file(t, "bill.csv", csvText(charges...))))[0]
		const layout = "2006-01-02T15:04"
		if got := p.DataThrough.Format(layout) + " " + p.SubAccounts[0].To.Format(layout); got != want {
			t.Errorf("through %s, want %s", got, want)
		}
	}
}

// TestLakeFile shows that files carry the field ids of the table, its types, and the order that keeps them small.
func TestLakeFile(t *testing.T) {
	var charges []charge
	for i := range 2000 {
		charges = append(charges, usage("2026-10-02", fmt.Sprint(i), "SubAccountId", fmt.Sprintf("acct-%02d", i*7%31), "Tags", `{"team":"x"}`))
	}
	periods := parseHere(t, job(t, file(t, "bill.csv", csvText(charges...))))
	order := lakeRows(t, periods, "SubAccountId")
	for i := 1; i < len(order); i++ {
		if order[i] < order[i-1] {
			t.Fatalf("row %d: %s after %s", i, order[i], order[i-1])
		}
	}
	db, err := openEngine(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	got := map[string]int{}
	rows, err := db.Query("SELECT name, field_id FROM parquet_schema(" + text(periods[0].Files[0].Path) + ")")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		var id sql.NullInt64
		if err := rows.Scan(&name, &id); err != nil {
			t.Fatal(err)
		}
		if id.Valid {
			got[name] = int(id.Int64)
		}
	}
	want := map[string]int{"key": 1001, "value": 1002}
	for _, c := range outlay.FocusColumns() {
		want[c.Name] = c.ID
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestSeveralFiles reads files of different shapes as one delivery.
func TestSeveralFiles(t *testing.T) {
	one, two := csvText(usage("2026-10-01", "1")), csvText(usage("2026-10-02", "2", "x_More", "m"))
	j := job(t, file(t, "a.csv", one), gzipped(t, "b.csv.gz", two), parquetOf(t, one, "SELECT * FROM bill"))
	periods := parseHere(t, j)
	if len(periods) != 1 || len(periods[0].Files) != 3 || periods[0].Proof.Rows != 3 || periods[0].Proof.Written["USD"]["BilledCost"] != "4" {
		t.Errorf("%+v", periods)
	}
}

// TestNoRows yields no period: an empty delivery is for others to judge.
func TestNoRows(t *testing.T) {
	header, _, _ := strings.Cut(csvText(usage("2026-10-01", "1")), "\n")
	if periods := parseHere(t, job(t, file(t, "bill.csv", header+"\n"))); len(periods) != 0 {
		t.Errorf("%+v", periods)
	}
}

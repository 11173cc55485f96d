package aws

import (
	"database/sql"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"outlay"
	"outlay/duckdb"

	"github.com/google/go-cmp/cmp"
)

// item is a line of a report, by the names of cur.sql, and the charge that it must become.
type item struct {
	name string // its description, by which it is found again
	cur  map[string]string
	want string // billed effective list contracted · category · class · account
}

const (
	aPlan        = "arn:aws:savingsplans::111122223333:savingsplan/p"
	aReservation = "arn:aws:ec2:us-east-1:111122223333:reserved-instances/r"
)

// items are the kinds of line that a report has (clouds.md §2.10): each commitment is billed once by its fee and costs
// once by its use, whatever the kind.
func items() []item {
	of := func(kind, unblended string, more ...string) map[string]string {
		out := map[string]string{"kind": kind, "unblended": unblended, "account": memberAccount, "charge_start": "2026-10-02T00:00:00Z", "charge_end": "2026-10-03T00:00:00Z"}
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	return []item{
		{"on demand", of("Usage", "10", "on_demand", "10", "quantity", "2"), "10 10 10 10 · Usage · - · " + memberAccount},
		{"private rate", of("Usage", "8.000000001", "on_demand", "10"), "8.000000001 8.000000001 10 8.000000001 · Usage · - · " + memberAccount},
		{"tiny", of("Usage", "1.2E-9", "on_demand", "1.2E-9"), "0.0000000012 0.0000000012 0.0000000012 0.0000000012 · Usage · - · " + memberAccount},
		{"reserved use", of("DiscountedUsage", "0", "on_demand", "5", "reservation", aReservation, "reservation_effective", "3"), "0 3 5 5 · Usage · - · " + memberAccount},
		{"reservation's month", of("RIFee", "72", "reservation", aReservation, "unused_upfront", "1.5", "unused_recurring", "2.5"), "72 4 72 72 · Purchase · - · " + memberAccount},
		{"reservation paid monthly", of("RIFee", "72", "reservation", aReservation, "unused_recurring", "0"), "72 0 72 72 · Purchase · - · " + memberAccount},
		{"reservation paid up front", of("Fee", "500", "reservation", aReservation), "500 0 500 500 · Purchase · - · " + memberAccount},
		{"support", of("Fee", "29"), "29 29 29 29 · Purchase · - · " + memberAccount},
		{"planned use", of("SavingsPlanCoveredUsage", "6", "on_demand", "6.5", "plan", aPlan, "plan_effective", "4"), "6 4 6.5 6 · Usage · - · " + memberAccount},
		{"negation", of("SavingsPlanNegation", "-6", "on_demand", "-6", "plan", aPlan), "-6 0 0 0 · Usage · - · " + memberAccount},
		{"plan's hour", of("SavingsPlanRecurringFee", "5", "plan", aPlan, "plan_total", "5", "plan_used", "4"), "5 1 5 5 · Purchase · - · " + memberAccount},
		{"plan paid up front", of("SavingsPlanUpfrontFee", "1000", "plan", aPlan), "1000 0 1000 1000 · Purchase · - · " + memberAccount},
		{"flat rate", of("FlatRateSubscription", "9"), "9 9 9 9 · Purchase · - · " + memberAccount},
		{"tax of the payer", of("Tax", "1.2", "account", ""), "1.2 1.2 1.2 1.2 · Tax · - · " + payerAccount},
		{"credit", of("Credit", "-3"), "-3 -3 -3 -3 · Credit · - · " + memberAccount},
		{"refund", of("Refund", "-2"), "-2 -2 -2 -2 · Usage · - · " + memberAccount},
		{"refund of a month before", of("Refund", "-2", "charge_start", "2026-09-30T00:00:00Z", "charge_end", "2026-10-01T00:00:00Z"), "-2 -2 -2 -2 · Usage · Correction · " + memberAccount},
		{"refund of a plan", of("Refund", "-7", "code", "ComputeSavingsPlans"), "-7 0 -7 -7 · Usage · - · " + memberAccount},
		{"agreed discount", of("EdpDiscount", "-1"), "-1 -1 0 -1 · Adjustment · - · " + memberAccount},
		{"bundled discount", of("BundledDiscount", "-0.5"), "-0.5 -0.5 0 -0.5 · Adjustment · - · " + memberAccount},
		{"private rate discount", of("PrivateRateDiscount", "-0.5"), "-0.5 -0.5 0 -0.5 · Adjustment · - · " + memberAccount},
		{"share of a pod", of("Usage", "2", "on_demand", "2", "operation", "EKSPod-EC2"), "0 0 0 0 · Usage · - · " + memberAccount},
	}
}

// spelled is a report of the items in a form, as CSV, with the columns that has lets through.
func spelled(t *testing.T, format string, list []item, has func(as string) bool) string {
	t.Helper()
	always := map[string]string{"payer": payerAccount, "currency": "USD", "period_start": "2026-10-01T00:00:00Z", "period_end": "2026-11-01T00:00:00Z"}
	var columns []curColumn
	var header []string
	for _, c := range curColumns() {
		name := c.name
		if curForms(format).legacy {
			name = c.legacy
		}
		if c.as != "" && name != "" && has(c.as) {
			columns, header = append(columns, c), append(header, name)
		}
	}
	path := filepath.Join(t.TempDir(), "report.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := csv.NewWriter(f)
	records := [][]string{header}
	for _, line := range list {
		var record []string
		for _, c := range columns {
			value := line.cur[c.as]
			if v, ok := always[c.as]; ok {
				value = v
			}
			if c.as == "description" {
				value = line.name
			}
			record = append(record, value)
		}
		records = append(records, record)
	}
	if err := out.WriteAll(records); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func parseReport(t *testing.T, format, path string) ([]outlay.ParsedPeriod, string, error) {
	t.Helper()
	mapping, err := New(Options{}).Mapping(format)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	parsed, err := duckdb.Child{Command: []string{os.Args[0], "parse"}}.Parse(t.Context(), outlay.ParseJob{
		OrgID: "org_1", SourceID: "src_1", Files: []string{path}, Mapping: mapping, Period: "2026-10", OutDir: dir, Generation: "gen_1", Threads: 1,
	})
	return parsed, dir, err
}

// TestReportLines reads each kind of line in each form of a report.
func TestReportLines(t *testing.T) {
	for _, format := range []string{formatCUR2, formatReportCSV, formatReportParquet} {
		parsed, dir, err := parseReport(t, format, spelled(t, format, items(), func(string) bool { return true }))
		if err != nil || len(parsed) != 1 || parsed[0].Proof.Rows != int64(len(items())) {
			t.Fatalf("%s: %+v (%v)", format, parsed, err)
		}
		got := linesOf(t, dir, parsed[0])
		for _, line := range items() {
			if diff := cmp.Diff(line.want, got[line.name]); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", format, line.name, diff)
			}
		}
	}
}

// TestTagsThatDifferInCase reads a legacy report of an organization that turned on two keys which differ in letter case
// alone: AWS writes a column for each.
func TestTagsThatDifferInCase(t *testing.T) {
	path := spelled(t, formatReportCSV, items()[:2], func(string) bool { return true })
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	report := strings.Split(strings.TrimSpace(string(b)), "\n")
	for i, more := range []string{",resourceTags/user:Team,resourceTags/user:team", ",blue,", ",,green"} {
		report[i] += more
	}
	if err := os.WriteFile(path, []byte(strings.Join(report, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	parsed, dir, err := parseReport(t, formatReportCSV, path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"{'resourceTags/user:Team'=blue}", "{'resourceTags/user:team'=green}"}, tagsOf(t, dir, parsed[0])); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

// written opens an engine for what was written of a month, and names the file.
func written(t *testing.T, dir string, p outlay.ParsedPeriod) (*sql.DB, string) {
	t.Helper()
	path := p.Files[0].Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, path
}

func tagsOf(t *testing.T, dir string, p outlay.ParsedPeriod) []string {
	t.Helper()
	db, path := written(t, dir, p)
	var out string
	if err := db.QueryRow(fmt.Sprintf(`SELECT string_agg(CAST(Tags AS VARCHAR), ';' ORDER BY ChargeDescription) FROM read_parquet('%s')`, path)).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return strings.Split(out, ";")
}

// linesOf are the written charges by their description.
func linesOf(t *testing.T, dir string, p outlay.ParsedPeriod) map[string]string {
	t.Helper()
	db, path := written(t, dir, p)
	rows, err := db.Query(fmt.Sprintf(`SELECT ChargeDescription, CAST(BilledCost AS VARCHAR), CAST(EffectiveCost AS VARCHAR), CAST(ListCost AS VARCHAR), CAST(ContractedCost AS VARCHAR),
		ChargeCategory, COALESCE(ChargeClass, '-'), SubAccountId FROM read_parquet('%s')`, path))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string]string{}
	for rows.Next() {
		var name, category, class, account string
		var costs [4]string
		if err := rows.Scan(&name, &costs[0], &costs[1], &costs[2], &costs[3], &category, &class, &account); err != nil {
			t.Fatal(err)
		}
		for i, c := range costs {
			costs[i] = outlay.MustAmount(c, "").String()
		}
		out[name] = strings.Join(costs[:], " ") + " · " + category + " · " + class + " · " + account
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestUnknownIsNotZero reads reports that lack the column by which a commitment's cost is known. The month is refused:
// taken for 0, or for what was billed, the cost of the commitment would be missing, or there twice.
func TestUnknownIsNotZero(t *testing.T) {
	for name, lacks := range map[string][]string{
		"reserved use": {"reservation_effective"}, "reservation's month": {"unused_upfront", "unused_recurring"},
		"planned use": {"plan_effective"}, "plan's hour": {"plan_used"},
	} {
		one := slices.DeleteFunc(items(), func(i item) bool { return i.name != name && i.name != "on demand" })
		_, _, err := parseReport(t, formatCUR2, spelled(t, formatCUR2, one, func(as string) bool { return !slices.Contains(lacks, as) }))
		if outlay.CodeOf(err) != outlay.CodeInvalid || !strings.Contains(err.Error(), "without a cost") {
			t.Errorf("%s without %v: %v", name, lacks, err)
		}
	}
}

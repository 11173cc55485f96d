package bill

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

func report(t *testing.T, s Spec, l Layout) written {
	t.Helper()
	w := written{t: t, db: openDB(t), path: filepath.Join(t.TempDir(), "month.parquet")}
	var err error
	if w.totals, err = WriteReport(t.Context(), w.db, s, l, w.path); err != nil {
		t.Fatal(err)
	}
	return w
}

// A report's sums are the FOCUS bill's: billed as it stands, effective by the amortisation of clouds.md §2.10. Here they
// are added up by hand from the file.
func TestReportsHoldTheSameCharges(t *testing.T) {
	s := demo()
	s.Revision, s.Rows = 2, 2000
	focus := write(t, openDB(t), s)
	s.Split = true
	for _, l := range []Layout{CUR2, ReportCSV, ReportParquet} {
		w := report(t, s, l)
		if d := cmp.Diff(focus.totals.Sums, w.totals.Sums); d != "" {
			t.Errorf("%s: other totals:\n%s", l, d)
		}
		if n := w.one("SELECT count(*) FROM bill"); n != fmt.Sprint(w.totals.Rows) {
			t.Errorf("%s: %s rows, %d told", l, n, w.totals.Rows)
		}
		col := func(name string) string {
			if l == ReportCSV {
				i := slices.IndexFunc(reportColumns(), func(c reportColumn) bool { return c.name == name })
				name = reportColumns()[i].legacy
			}
			return ident(name)
		}
		dec := func(name string) string { return col(name) + "::VARCHAR::DECIMAL(38,18)" }
		whole := col("line_item_operation") + " IS DISTINCT FROM 'EKSPod-EC2'"
		billed := w.one("SELECT sum(" + dec("line_item_unblended_cost") + ")::VARCHAR FROM bill WHERE " + whole)
		effective := w.one("SELECT sum(CASE " + col("line_item_line_item_type") + " WHEN 'SavingsPlanCoveredUsage' THEN " + dec("savings_plan_savings_plan_effective_cost") +
			" WHEN 'SavingsPlanNegation' THEN 0 WHEN 'SavingsPlanRecurringFee' THEN " + dec("savings_plan_total_commitment_to_date") + " - " + dec("savings_plan_used_commitment") +
			" ELSE " + dec("line_item_unblended_cost") + " END)::VARCHAR FROM bill WHERE " + whole)
		for m, got := range map[outlay.Measure]string{outlay.Billed: billed, outlay.Effective: effective} {
			if want := focus.totals.Sums[m]; outlay.MustAmount(got, "USD").Cmp(outlay.MustAmount(want, "USD")) != 0 {
				t.Errorf("%s: %s is %s, the FOCUS bill has %s", l, m, got, want)
			}
		}
		if n := w.one("SELECT count(*) FROM bill WHERE NOT (" + whole + ")"); n == "0" {
			t.Errorf("%s: no rows of split cost allocation", l)
		}
		kinds := w.one("SELECT string_agg(DISTINCT " + col("line_item_line_item_type") + ", ' ' ORDER BY " + col("line_item_line_item_type") + ") FROM bill")
		if kinds != "Credit Fee Refund SavingsPlanCoveredUsage SavingsPlanNegation SavingsPlanRecurringFee Tax Usage" {
			t.Errorf("%s: the kinds %s", l, kinds)
		}
	}
}

func TestReportColumnsBearTheirNames(t *testing.T) {
	names := func(l Layout) string {
		return strings.Join(report(t, demo(), l).ask("SELECT column_name FROM (DESCRIBE SELECT * FROM bill)"), " ")
	}
	for l, want := range map[Layout][]string{
		CUR2:          {"resource_tags", "product", "line_item_usage_account_name"},
		ReportCSV:     {"lineItem/UnblendedCost", "resourceTags/user:GroupID", "resourceTags/aws:createdBy", "product/ProductName"},
		ReportParquet: {"line_item_unblended_cost", "resource_tags_user_group_i_d", "resource_tags_user_session_i_d", "resource_tags_aws_created_by", "product_product_name", "product_region"},
	} {
		for _, name := range want {
			if got := names(l); !slices.Contains(strings.Fields(got), name) {
				t.Errorf("%s lacks %s: %s", l, name, got)
			}
		}
	}
	s := demo()
	s.Columns = []string{"line_item_unblended_cost", "resource_tags"}
	if got := report(t, s, CUR2).ask("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM bill)"); len(got) != 2 {
		t.Errorf("two columns were asked for: %v", got)
	}
	s.Columns = []string{"BilledCost"}
	if _, err := WriteReport(t.Context(), openDB(t), s, CUR2, filepath.Join(t.TempDir(), "x")); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("a column of another table: %v", err)
	}
}

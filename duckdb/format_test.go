package duckdb

import (
	"strings"
	"testing"

	"outlay"

	"github.com/google/go-cmp/cmp"
)

// legacySQL is a provider's older bill as FOCUS; half says what a row's cost is, by the name of its file where rows do
// not say it.
func legacySQL(billed, effective string) string {
	return `SELECT ` + billed + ` AS BilledCost, ` + effective + ` AS EffectiveCost, cost AS ListCost, cost AS ContractedCost, 'EUR' AS BillingCurrency,
	date_trunc('month', CAST(day AS TIMESTAMP)) AS BillingPeriodStart, day AS ChargePeriodStart, CAST(day AS TIMESTAMP) + INTERVAL 1 DAY AS ChargePeriodEnd, 'Usage' AS ChargeCategory, x_Other FROM raw`
}

// kinds are the formats of a provider made up for tests.
func kinds() []outlay.ParseFormat {
	joined := outlay.Mapping{FileNames: true, SQL: legacySQL("CASE WHEN contains(x_FileName, 'cash') THEN cost ELSE '0' END", "CASE WHEN contains(x_FileName, 'spread') THEN cost ELSE '0' END")}
	one := func(format, name, together string) outlay.ParseFormat {
		return outlay.ParseFormat{ID: "nimbus/" + format, FileFormat: outlay.FileFormat{Format: format, Title: "Nimbus " + format, Columns: []string{"Day", "Cost"}, Name: name, Together: together}, Mapping: outlay.Mapping{SQL: legacySQL("cost", "cost")}, Joined: joined}
	}
	special := outlay.ParseFormat{ID: "nimbus/special", FileFormat: outlay.FileFormat{Format: "special", Title: "Nimbus special", Columns: []string{"BilledCost", "x_Nimbus"}}, Mapping: FocusMapping()}
	return []outlay.ParseFormat{special, one("cash", "cash", "both"), one("spread", "spread", "both")}
}

const (
	legacyBill = "day,cost\n2026-10-02,1.5\n2026-10-03,2\n"
	focusBill  = "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,ChargePeriodStart,ChargePeriodEnd,ChargeCategory\n1,1,1,1,EUR,2026-10-01,2026-10-02,2026-10-03,Usage\n"
)

func specialBill() string {
	lines := strings.Split(focusBill, "\n")
	return lines[0] + ",x_Nimbus\n" + lines[1] + ",n\n"
}

func TestFormatsAreFoundByColumnsAndNames(t *testing.T) {
	for _, tt := range []struct {
		name   string
		files  map[string]string
		format string
		sums   map[outlay.Measure]string
		note   string
	}{
		{"FOCUS", map[string]string{"bill.csv": focusBill}, "", map[outlay.Measure]string{outlay.Billed: "1", outlay.Effective: "1"}, ""},
		{"the more special first", map[string]string{"bill.csv": specialBill()}, "nimbus/special", map[outlay.Measure]string{outlay.Billed: "1", outlay.Effective: "1"}, "Read as Nimbus special."},
		{"by name", map[string]string{"cash-10.csv": legacyBill}, "nimbus/cash", map[outlay.Measure]string{outlay.Billed: "3.5", outlay.Effective: "3.5"}, "Read as Nimbus cash."},
		{"two halves", map[string]string{"cash-10.csv": legacyBill, "spread-10.csv": strings.Replace(legacyBill, "1.5", "1", 1)}, "nimbus/both", map[outlay.Measure]string{outlay.Billed: "3.5", outlay.Effective: "3"}, "Read as Nimbus cash with Nimbus spread."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := job(t)
			for _, name := range []string{"bill.csv", "cash-10.csv", "spread-10.csv"} {
				if content := tt.files[name]; content != "" {
					j.Files = append(j.Files, file(t, name, content))
				}
			}
			j.Formats = kinds()
			periods := parseHere(t, j)
			if len(periods) != 1 || periods[0].Format != tt.format {
				t.Fatalf("periods %+v", periods)
			}
			for measure, want := range tt.sums {
				if got := periods[0].Proof.Written["EUR"][measure]; got != want {
					t.Errorf("%s is %s, want %s", measure, got, want)
				}
			}
			first := append(periods[0].Proof.Notes, "")[0]
			if diff := cmp.Diff(tt.note, first); diff != "" {
				t.Errorf("note (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFormatsThatAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		only  bool // FOCUS is not allowed: one format was asked for
		want  string
		fix   string
	}{
		{"two kinds fit", map[string]string{"x.csv": legacyBill}, false, "x.csv can be Nimbus cash or Nimbus spread: its columns do not tell", "nimbus/cash or nimbus/spread"},
		{"nothing fits", map[string]string{"x.csv": "a,b\n1,2\n"}, false, "x.csv is no bill that Outlay knows by its columns", "FOCUS (BilledCost, EffectiveCost, ListCost, ContractedCost); Nimbus special (BilledCost, x_Nimbus); Nimbus cash (Day, Cost)"},
		{"kinds that do not belong together", map[string]string{"x.csv": focusBill, "cash.csv": legacyBill}, false, "the files are bills of different kinds", "by itself"},
		{"half of a month", map[string]string{"cash.csv": legacyBill + "2026-11-01,3\n", "spread.csv": legacyBill}, false, "2026-11 is not whole: spread.csv has no charges of it", "Bring the files of Nimbus spread"},
		{"not what was asked for", map[string]string{"x.csv": focusBill}, true, "x.csv is not Nimbus special: it lacks x_Nimbus", "Leave the format out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := job(t)
			for name, content := range tt.files {
				j.Files = append(j.Files, file(t, name, content))
			}
			if j.Formats = kinds(); tt.only {
				j.Formats, j.Mapping = j.Formats[:1], outlay.Mapping{}
			}
			_, err := child().Parse(t.Context(), j)
			e := outlay.AsError(err)
			if e.Code != outlay.CodeInvalid || !strings.Contains(e.Message, tt.want) || !strings.Contains(e.Fix, tt.fix) {
				t.Errorf("got %v (%s), want %q and %q", err, e.Fix, tt.want, tt.fix)
			}
		})
	}
}

// TestFileNamesOfPackedFiles gives the name of the file that was brought, not of its unpacked copy.
func TestFileNamesOfPackedFiles(t *testing.T) {
	j := job(t, gzipped(t, "cash.csv.gz", legacyBill), file(t, "spread.csv", legacyBill))
	j.Mapping = kinds()[1].Joined
	sums := parseHere(t, j)[0].Proof.Written["EUR"]
	if sums[outlay.Billed] != "3.5" || sums[outlay.Effective] != "3.5" || sums[outlay.List] != "7" {
		t.Errorf("sums %v", sums)
	}
}

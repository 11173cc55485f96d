package main

import (
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"
	"github.com/google/go-cmp/cmp"
)

// Cost files of microsoft/finops-toolkit, MIT: test assets of an Enterprise Agreement. They lie beside the repository.
const (
	sampleActual    = "../../../shared/data/azure-EA_ActualCost_Small.csv"
	sampleAmortized = "../../../shared/data/azure-EA_AmortizedCost_Small.csv"
)

// figures are sums by what they are of: "total", "period 2023-09", "category Usage", "account 1caa…".
type figures map[string]*apd.Decimal

func (f figures) add(t *testing.T, key, cost string) {
	t.Helper()
	d, _, err := apd.NewFromString(cost)
	if err != nil {
		t.Fatal(err)
	}
	exact := apd.BaseContext.WithPrecision(60)
	exact.Rounding = apd.RoundHalfEven
	if _, err := exact.Quantize(d, d, -18); err != nil { // what the lake keeps of a figure (docs/decisions)
		t.Fatal(err)
	}
	if f[key] == nil {
		f[key] = new(apd.Decimal)
	}
	if _, err := exact.Add(f[key], f[key], d); err != nil {
		t.Fatal(err)
	}
}

// texts are the sums without zeros at their ends; what sums up to nothing is left out, as charts leave it out.
func (f figures) texts() map[string]string {
	out := map[string]string{}
	for k, d := range f {
		var plain apd.Decimal
		plain.Reduce(d)
		if !plain.IsZero() {
			out[k] = plain.Text('f')
		}
	}
	return out
}

// sampleFigures sums a file up by another way than the product's: a CSV reader and decimals.
func sampleFigures(t *testing.T, path string, counts func(row map[string]string) bool) figures {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r := csv.NewReader(f)
	header, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	out := figures{}
	for {
		record, err := r.Read()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		row := map[string]string{}
		for i, name := range header {
			row[name] = record[i]
		}
		if row["BillingCurrency"] != "USD" {
			t.Fatalf("a charge in %s: this test sums up one currency", row["BillingCurrency"])
		}
		if !counts(row) {
			continue
		}
		start := strings.Split(row["BillingPeriodStartDate"], "/")
		for _, key := range []string{"total", "period " + start[2] + "-" + start[0], "category " + row["ChargeType"], "account " + strings.ToLower(row["SubscriptionId"])} {
			out.add(t, key, row["Cost"])
		}
	}
}

// TestAzureSamples imports the published files, each alone and both as one bill, and finds every sum of the files again.
func TestAzureSamples(t *testing.T) {
	for _, path := range []string{sampleActual, sampleAmortized} {
		if _, err := os.Stat(path); err != nil {
			if os.Getenv("OUTLAY_REQUIRE_SHARED") != "" {
				t.Fatalf("%s is missing", path)
			}
			return // a clone without the samples beside it: the azure room has small bills with the same quirks
		}
	}
	dir := t.TempDir()
	c := startChild(t, dir, "HOME="+dir)
	d := &demo{url: c.url, data: dir, log: c.log}
	d.setUp(t, oneTime.FindStringSubmatch(c.log.String())[1])
	all := func(map[string]string) bool { return true }
	notCovered := func(row map[string]string) bool { return row["ReservationId"] == "" && row["benefitId"] == "" }
	for _, tt := range []struct {
		name              string
		files             []string
		billed, effective figures
		note              string
	}{
		{"actual", []string{sampleActual}, sampleFigures(t, sampleActual, all), sampleFigures(t, sampleActual, all), "Read as Azure actual cost (Enterprise Agreement, as of 2020)."},
		{"amortized", []string{sampleAmortized}, sampleFigures(t, sampleAmortized, notCovered), sampleFigures(t, sampleAmortized, all), "Read as Azure amortized cost (Enterprise Agreement, as of 2020)."},
		{"pair", []string{sampleActual, sampleAmortized}, sampleFigures(t, sampleActual, all), sampleFigures(t, sampleAmortized, all), "with Azure amortized cost"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, errs, code := d.command(t, append([]string{"import", "--name", "azure"}, tt.files...)...)
			if code != 0 || !strings.Contains(errs, tt.note) {
				t.Fatalf("exit %d\n%s%s", code, out, errs)
			}
			for measure, want := range map[string]figures{"BilledCost": tt.billed, "EffectiveCost": tt.effective} {
				if diff := cmp.Diff(want.texts(), shown(t, d, measure)); diff != "" {
					t.Errorf("%s (-file +shown):\n%s", measure, diff)
				}
			}
		})
	}
}

// shown are the sums that the product shows.
func shown(t *testing.T, d *demo, measure string) map[string]string {
	t.Helper()
	got := figures{}
	for _, row := range csvRows(t, d.must(t, "costs", "-o", "csv")) {
		switch row["by"] {
		case "total":
			got.add(t, "total", row[measure])
		case "period", "category":
			got.add(t, row["by"]+" "+row["value"], row[measure])
		}
	}
	for _, row := range csvRows(t, d.must(t, "costs", "--from", "2023-09-01", "--to", "2023-09-30", "--group", "account", "--measure", measure, "-o", "csv")) {
		got.add(t, "account "+row["account"], row[measure])
	}
	return got.texts()
}

func csvRows(t *testing.T, text string) []map[string]string {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(records) == 0 {
		t.Fatalf("no CSV: %v\n%s", err, text)
	}
	var out []map[string]string
	for _, r := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = r[i]
		}
		out = append(out, row)
	}
	return out
}

// TestImportByFormat takes files whose columns do not tell what they are, and files that are nothing.
func TestImportByFormat(t *testing.T) {
	dir := t.TempDir()
	c := startChild(t, dir, "HOME="+dir)
	d := &demo{url: c.url, data: dir, log: c.log}
	d.setUp(t, oneTime.FindStringSubmatch(c.log.String())[1])
	bill := "Date,MeterCategory,ChargeType,Cost,BillingCurrency,SubscriptionId,Quantity,ReservationId,PricingModel\n09/04/2023,Storage,Usage,2.5,EUR,A1,1,,OnDemand\n09/05/2023,Compute,Usage,1.5,EUR,A1,1,R,Reservation\n"
	for name, content := range map[string]string{
		"part_0_0001.csv": bill, "my-actual.csv": bill, "my-amortized.csv": strings.Replace(bill, "1.5", "1.25", 1), "nothing.csv": "a,b\n1,2\n",
		"focus.csv": "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,ChargePeriodStart,ChargePeriodEnd,ChargeCategory\n1,1,1,1,EUR,2023-09-01,2023-09-02,2023-09-03,Usage\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name  string
		args  []string
		fails bool
		want  []string
	}{
		{"columns do not tell", []string{"part_0_0001.csv"}, true, []string{"part_0_0001.csv can be Azure actual cost", "or Azure amortized cost", "azure/actual-cost or azure/amortized-cost"}},
		{"said to be actual", []string{"part_0_0001.csv", "--format", "azure/actual-cost"}, false, []string{"4", "Read as Azure actual cost"}},
		{"the same content said to be amortized", []string{"part_0_0001.csv", "--format", "azure/amortized-cost"}, false, []string{"2.5", "Read as Azure amortized cost"}},
		{"two halves by their names", []string{"my-amortized.csv", "my-actual.csv", "--name", "both"}, false, []string{"3.75", "4"}},
		{"a bill and another", []string{"focus.csv", "my-actual.csv"}, true, []string{"the files are bills of different kinds: FOCUS, Azure actual cost"}},
		{"nothing known", []string{"nothing.csv"}, true, []string{"nothing.csv is no bill that Outlay knows by its columns", "Looked for the columns of FOCUS (BilledCost", "Azure actual cost (Enterprise Agreement) (CostInBillingCurrency"}},
		{"not what it is said to be", []string{"focus.csv", "--format", "azure/usage"}, true, []string{"focus.csv is not Azure usage (pay-as-you-go): it lacks PreTaxCost, MeterCategory"}},
		{"no such format", []string{"focus.csv", "--format", "azure/nothing"}, true, []string{`"azure/nothing" is not a format of files`}},
		{"FOCUS, said so", []string{"focus.csv", "--format", "focus"}, false, []string{"FOCUS columns that the files lack"}},
		{"the list", []string{"--formats"}, false, []string{"azure/usage", "aws/cur-2.0", "focus"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"import"}
			for _, a := range tt.args {
				if strings.HasSuffix(a, ".csv") {
					a = filepath.Join(dir, a)
				}
				args = append(args, a)
			}
			out, errs, code := d.command(t, args...)
			if (code != 0) != tt.fails {
				t.Fatalf("exit %d\n%s%s", code, out, errs)
			}
			for _, want := range tt.want {
				if !strings.Contains(out+errs, want) {
					t.Errorf("%q is not in\n%s%s", want, out, errs)
				}
			}
		})
	}
}

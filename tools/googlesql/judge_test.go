package googlesql

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStatements(t *testing.T) {
	j, err := New()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../google/testdata/statements/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no statements to judge: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Check(string(text)); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
}

// The judge must bite.
func TestJudgeBites(t *testing.T) {
	j, err := New()
	if err != nil {
		t.Fatal(err)
	}
	const detailed, standard, focus = "`p-1.d.gcp_billing_export_resource_v1_010101_F0FFF0_61C528`", "`p-1.d.gcp_billing_export_v1_010101_F0FFF0_61C528`", "`p-1.d.gcp_billing_export_focus_010101_F0FFF0_61C528`"
	for sql, want := range map[string]string{
		"SELECT cost, resource.name FROM " + detailed + " WHERE _PARTITIONTIME >= @from":         "",
		"SELECT BilledCost, x_Credits FROM " + focus:                                             "",
		"SELECT SUM((SELECT SUM(c.amount) FROM UNNEST(credits) AS c)) FROM " + standard:          "",
		"SELECT cost::NUMERIC FROM " + detailed:                                                  "Syntax error",
		"SELECT costs FROM " + detailed:                                                          "Unrecognized name",
		"SELECT resource.name FROM " + standard:                                                  "Unrecognized name",
		"SELECT service.title FROM " + detailed:                                                  "does not exist in STRUCT",
		"SELECT list_sum(credits) FROM " + detailed:                                              "Function not found",
		"SELECT cost, COUNT(*) FROM " + detailed:                                                 "neither grouped nor aggregated",
		"SELECT cost FROM `p-1.d.gcp_billing_export_monthly_010101_F0FFF0_61C528`":               "Table not found",
		"SELECT FORMAT_DATE('%Y', cost) FROM " + detailed:                                        "No matching signature",
		"SELECT SUM(CAST(c.amount AS DECIMAL(38, 9)))) FROM " + detailed + ", UNNEST(credits) c": "Syntax error",
	} {
		err := j.Check(sql)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", sql, err, want)
		}
	}
}

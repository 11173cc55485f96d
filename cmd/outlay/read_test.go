package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"outlay"
)

// csvTotal adds up the last but one column, which is the measure; the last is the currency.
func csvTotal(t *testing.T, text string) string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var sum outlay.Amount
	for _, row := range rows[1:] {
		a, err := outlay.ParseAmount(row[len(row)-2], row[len(row)-1])
		if err != nil {
			t.Fatal(err)
		}
		sum = sum.Add(a)
	}
	return sum.String()
}

// readContext reads what `outlay login` keeps, and holds it to its mode.
func readContext(t *testing.T, path string) contextFile {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %o", path, info.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f contextFile
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

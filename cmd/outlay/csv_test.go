package main

import (
	"encoding/csv"
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

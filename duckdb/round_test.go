package duckdb

import (
	"context"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	engine "github.com/duckdb/duckdb-go/v2"

	"outlay"
)

// TestRoundCost rounds half-even, writes plainly, and leaves alone what is no decimal.
func TestRoundCost(t *testing.T) {
	cases := []struct {
		in, want string
		rounded  bool
	}{
		{"1.5", "1.500000000000000000", false},
		{"-1.5e3", "-1500.000000000000000000", false},
		{"0.0000000000000000005", "0.000000000000000000", true},
		{"0.0000000000000000015", "0.000000000000000002", true},
		{"0.00000000000000000050001", "0.000000000000000001", true},
		{"0.9999999999999999995", "1.000000000000000000", true},
		{"-2.5e-18", "-0.000000000000000002", true},
		{"1e-300", "0", true},
		{"0e99", "0", false},
		{".5", "0.500000000000000000", false},
		{"1.10000000000000000000", "1.100000000000000000", false},
		{"1e99", "1e99", false},
		{"nan", "nan", false},
		{"1.2.3", "1.2.3", false},
		{"", "", false},
	}
	for _, c := range cases {
		if got, rounded := roundCost(c.in); got != c.want || rounded != c.rounded {
			t.Errorf("%q: %q %t, want %q %t", c.in, got, rounded, c.want, c.rounded)
		}
	}
}

// FuzzRoundCost holds the rounding against rational arithmetic.
func FuzzRoundCost(f *testing.F) {
	for _, s := range []string{"1.5", "-0.0000000000000000005", "12e-20", "9.99999999999999999999e3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, rounded := roundCost(s)
		if decimalText.FindString(s) == "" || got == s {
			return
		}
		exact, ok := new(big.Rat).SetString(s)
		if !ok {
			return
		}
		plain, ok := new(big.Rat).SetString(got)
		if !ok || strings.ContainsAny(got, "eE") {
			t.Fatalf("%q became %q", s, got)
		}
		off := new(big.Rat).Sub(exact, plain)
		if half := big.NewRat(1, 2); off.Abs(off).Mul(off, new(big.Rat).SetInt(power10(costScale))).Cmp(half) > 0 {
			t.Errorf("%q became %q, more than half a unit off", s, got)
		}
		if rounded != (off.Sign() != 0) {
			t.Errorf("%q became %q, rounded %t", s, got, rounded)
		}
	})
}

// TestDoubles shows that the fast way from a double to a decimal gives its shortest text, for costs of every size.
func TestDoubles(t *testing.T) {
	db, err := openEngine(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if err := registerRounding(context.Background(), db); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 3))
	var values []string
	var floats []float64
	for range 5000 {
		f := float64(r.Int64N(1e10)) * math.Pow10(-r.IntN(16))
		switch r.IntN(4) {
		case 0:
			f = r.NormFloat64() * math.Pow10(r.IntN(12)-4) // all 17 digits
		case 1:
			f = -f
		}
		floats = append(floats, f)
		values = append(values, "("+strconv.Itoa(len(floats)-1)+", '"+strconv.FormatFloat(f, 'g', -1, 64)+"'::DOUBLE)")
	}
	rows, err := db.Query("SELECT i, " + costSQL("x", "DOUBLE") + ", " + roundsSQL("x", "DOUBLE") + " FROM (VALUES " + strings.Join(values, ", ") + ") v(i, x)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	seen := 0
	for rows.Next() {
		var i, rounds int
		var d engine.Decimal
		if err := rows.Scan(&i, &d, &rounds); err != nil {
			t.Fatal(err)
		}
		seen++
		shortest := strconv.FormatFloat(floats[i], 'f', -1, 64)
		plain, rounded := roundCost(shortest)
		got := outlay.NewAmount(d.Value, int(d.Scale), "")
		if got.Cmp(outlay.MustAmount(plain, "")) != 0 || rounded != (rounds == 1) {
			t.Errorf("%s became %s, rounds %d", shortest, got, rounds)
		}
	}
	if err := rows.Err(); err != nil || seen != len(floats) {
		t.Fatalf("%d rows, %v", seen, err)
	}
}

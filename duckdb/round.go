package duckdb

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// costScale is the number of decimals that the lake keeps: DECIMAL(38,18).
const costScale = 18

var decimalText = regexp.MustCompile(`^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,6}))?$`)

// roundCost writes a decimal text plainly, rounded half-even to 18 decimals, and tells whether that changed the
// figure. The engine's own cast rounds half away from zero, so every text with an exponent or with more than 18
// decimals passes here first. Anything that is no decimal comes back as it is, for the cast to refuse.
func roundCost(s string) (plain string, rounded bool) {
	m := decimalText.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil || m[2]+m[3] == "" || len(s) > 400 {
		return s, false
	}
	exponent, _ := strconv.Atoi(m[4])
	digits, decimals := m[2]+m[3], len(m[3])-exponent
	if strings.Trim(digits, "0") == "" {
		return "0", false
	}
	if decimals < -40 { // larger than any DECIMAL(38,18): the cast refuses it
		return s, false
	}
	coefficient, _ := new(big.Int).SetString(digits, 10)
	switch cut := decimals - costScale; {
	case cut > len(digits)+1:
		return "0", true // less than a tenth of the last decimal
	case cut > 0:
		coefficient, rounded = halfEven(coefficient, cut)
	case cut < 0:
		coefficient.Mul(coefficient, power10(-cut))
	}
	return plainDecimal(coefficient, m[1] == "-"), rounded
}

// halfEven drops the last n digits of x.
func halfEven(x *big.Int, n int) (*big.Int, bool) {
	quotient, rest := new(big.Int).QuoRem(x, power10(n), new(big.Int))
	if rest.Sign() == 0 {
		return quotient, false
	}
	switch half := new(big.Int).Lsh(rest, 1).Cmp(power10(n)); {
	case half > 0, half == 0 && quotient.Bit(0) == 1:
		quotient.Add(quotient, big.NewInt(1))
	}
	return quotient, true
}

func power10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// plainDecimal writes x units of 1e-18.
func plainDecimal(x *big.Int, negative bool) string {
	s := x.String()
	if len(s) <= costScale {
		s = strings.Repeat("0", costScale+1-len(s)) + s
	}
	s = s[:len(s)-costScale] + "." + s[len(s)-costScale:]
	if negative {
		s = "-" + s
	}
	return s
}

package outlay

import (
	"encoding/json"
	"math/big"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Amount is an exact decimal with its currency (ISO 4217 code). Amounts of two currencies are never added: Add panics,
// because code that could do it would show a wrong total. The zero Amount is 0 of no currency and adds to anything.
type Amount struct {
	value    apd.Decimal
	Currency string
}

// moneyContext has room for every digit of DECIMAL(38,18) sums over any number of rows; nothing is rounded silently.
func moneyContext() *apd.Context {
	c := apd.BaseContext.WithPrecision(60)
	c.Traps = apd.DefaultTraps | apd.Inexact
	c.Rounding = apd.RoundHalfEven
	return c
}

// ParseAmount reads a decimal such as '-12.340000' or '1e-7'. NaN and infinities are refused with CodeInvalid.
func ParseAmount(s, currency string) (Amount, error) {
	a := Amount{Currency: currency}
	if _, _, err := a.value.SetString(strings.TrimSpace(s)); err != nil || a.value.Form != apd.Finite {
		return Amount{}, Errorf(CodeInvalid, "Write an amount as 12.34.", "%q is not an amount", s)
	}
	return a, nil
}

// NewAmount is value units of 10^-scale of the currency: how an engine's DECIMAL comes. value may be changed after.
func NewAmount(value *big.Int, scale int, currency string) Amount {
	return Amount{value: *apd.NewWithBigInt(new(apd.BigInt).SetMathBigInt(value), -int32(scale)), Currency: currency}
}

// MustAmount is ParseAmount for constants; it panics on a bad one.
func MustAmount(s, currency string) Amount {
	a, err := ParseAmount(s, currency)
	if err != nil {
		panic(err)
	}
	return a
}

// Add is a + b. It panics when both have a currency and they differ.
func (a Amount) Add(b Amount) Amount {
	out := Amount{Currency: common(a, b)}
	if _, err := moneyContext().Add(&out.value, &a.value, &b.value); err != nil {
		panic("outlay: adding amounts: " + err.Error())
	}
	return out
}

// Sub is a − b, under the rule of Add.
func (a Amount) Sub(b Amount) Amount { return a.Add(b.Neg()) }

// Neg is −a.
func (a Amount) Neg() Amount {
	out := Amount{Currency: a.Currency}
	out.value.Neg(&a.value)
	return out
}

func common(a, b Amount) string {
	switch {
	case a.Currency == "":
		return b.Currency
	case b.Currency == "" || a.Currency == b.Currency:
		return a.Currency
	}
	panic("outlay: adding " + a.Currency + " to " + b.Currency)
}

// Cmp compares the figures: −1, 0 or 1. Currencies must agree, as in Add.
func (a Amount) Cmp(b Amount) int {
	common(a, b)
	return a.value.Cmp(&b.value)
}

// Sign is −1, 0 or 1.
func (a Amount) Sign() int { return a.value.Sign() }

// IsZero tells whether the figure is 0.
func (a Amount) IsZero() bool { return a.value.IsZero() }

// String is the exact figure without exponent and without trailing zeros, as '-12.34'; no currency.
func (a Amount) String() string {
	if a.value.IsZero() {
		return "0"
	}
	var d apd.Decimal
	d.Reduce(&a.value)
	return d.Text('f')
}

// Fixed is the figure rounded half-even to the given number of decimals, for display only.
func (a Amount) Fixed(decimals int) string {
	c := moneyContext()
	c.Traps = apd.DefaultTraps
	var d apd.Decimal
	if _, err := c.Quantize(&d, &a.value, -int32(decimals)); err != nil {
		return a.String()
	}
	if d.IsZero() {
		d.Negative = false // no '-0.00'
	}
	return d.Text('f')
}

// Float is the nearest float64, for drawing bars only. Never for sums.
func (a Amount) Float() float64 {
	f, _ := a.value.Float64()
	return f
}

// MarshalJSON writes {"amount":"12.34","currency":"USD"}.
func (a Amount) MarshalJSON() ([]byte, error) {
	return json.Marshal(amountJSON{Amount: a.String(), Currency: a.Currency})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Amount) UnmarshalJSON(b []byte) error {
	var j amountJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	v, err := ParseAmount(j.Amount, j.Currency)
	if err != nil {
		return err
	}
	*a = v
	return nil
}

type amountJSON struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

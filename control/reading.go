package control

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/dustin/go-humanize"

	"outlay"
)

// ReadingView is what reading cost in one month, by the provider's own price for it.
type ReadingView struct {
	Month   outlay.Period `json:"month"`
	Queries int64         `json:"queries"`
	Bytes   int64         `json:"bytes"` // billed
	// Cost is bytes times the provider's list price; discounts and free amounts are not known here.
	Cost            outlay.Amount `json:"cost"`
	Text            string        `json:"text"` // "Reading cost this month: 3 queries, 1.2 GiB billed, about $0.01"
	price, currency string
}

// reading is what reading a source cost this month; nil where the provider bills nothing for it and nothing was counted.
func (c *Control) reading(s outlay.Source, metered []outlay.Metered) *ReadingView {
	p, ok := c.providers[s.Provider]
	if !ok {
		return nil
	}
	info := p.About()
	v := &ReadingView{Month: outlay.PeriodOf(c.deps.Clock.Now()), price: info.ReadPrice, currency: info.ReadCurrency}
	for _, m := range metered {
		if m.SourceID == s.ID && m.Month == v.Month {
			v.Queries, v.Bytes = v.Queries+m.Queries, v.Bytes+m.Bytes
		}
	}
	if v.Queries == 0 && (info.ReadPrice == "" || s.Desired != outlay.Present) {
		return nil
	}
	v.settle()
	return v
}

// and adds what another source of the same account cost.
func (v *ReadingView) and(o *ReadingView) *ReadingView {
	if v == nil || o == nil {
		if v == nil {
			return o
		}
		return v
	}
	sum := *v
	sum.Queries, sum.Bytes = v.Queries+o.Queries, v.Bytes+o.Bytes
	sum.settle()
	return &sum
}

// readingPrefix begins Text; what stands under a heading of its own does without.
const readingPrefix = "Reading cost this month: "

// Brief is Text for a place that says already what it is about: "3 queries, 1.2 GiB billed, about $0.01".
func (v *ReadingView) Brief() string { return strings.TrimPrefix(v.Text, readingPrefix) }

// settle computes cost and text from the counts.
func (v *ReadingView) settle() {
	v.Cost = readCost(v.Bytes, v.price, v.currency)
	v.Text = fmt.Sprintf(readingPrefix+"%s, %s billed", countText(v.Queries, "query", "queries"), humanize.IBytes(uint64(v.Bytes)))
	if v.price != "" {
		v.Text += ", " + aboutMoney(v.Cost)
	}
}

// tebi is 2^40: prices of reading are per TiB.
const tebi = 1 << 40

// readCost is bytes times a price per TiB, exactly: a power of two always divides a decimal that is long enough.
func readCost(bytes int64, price, currency string) outlay.Amount {
	each, ok := new(big.Rat).SetString(price)
	if !ok {
		return outlay.Amount{Currency: currency}
	}
	cost := new(big.Rat).Mul(each, big.NewRat(bytes, tebi))
	a, err := outlay.ParseAmount(cost.FloatString(18), currency)
	if err != nil {
		return outlay.Amount{Currency: currency}
	}
	return a
}

// aboutMoney is an amount for a sentence; what is less than the smallest coin is not shown as nothing.
func aboutMoney(a outlay.Amount) string {
	cent := outlay.MustAmount("0.01", a.Currency)
	if a.Sign() > 0 && a.Cmp(cent) < 0 {
		return "less than " + Money(cent)
	}
	return "about " + Money(a)
}

func countText(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

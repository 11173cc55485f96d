package control

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"outlay"
)

// Money is an amount for people: '$1,234.56', '−$12.30', '1,234.56 SEK'. Display only: two decimals, half-even.
func Money(a outlay.Amount) string {
	text := a.Fixed(2)
	if a.Currency == "JPY" || a.Currency == "KRW" {
		text = a.Fixed(0)
	}
	digits, negative := strings.CutPrefix(text, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if frac != "" {
		whole += "." + frac
	}
	sign := ""
	if negative {
		sign = "−" // U+2212: as wide as a plus
	}
	if symbol, ok := map[string]string{"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}[a.Currency]; ok {
		return sign + symbol + whole
	}
	return strings.TrimSpace(sign + whole + " " + a.Currency)
}

// SignedMoney is Money with a plus before what grew.
func SignedMoney(a outlay.Amount) string {
	if a.Sign() > 0 {
		return "+" + Money(a)
	}
	return Money(a)
}

// SpanText is a span of days for people: '1–22 Oct', '28 Oct–3 Nov', with the year where it is not the same. to is
// exclusive.
func SpanText(from, to time.Time) string {
	last := to.AddDate(0, 0, -1)
	switch {
	case from.Equal(last):
		return last.Format("2 Jan")
	case from.Year() != last.Year():
		return from.Format("2 Jan 2006") + "–" + last.Format("2 Jan 2006")
	case from.Month() == last.Month():
		return fmt.Sprintf("%d–%s", from.Day(), last.Format("2 Jan"))
	}
	return from.Format("2 Jan") + "–" + last.Format("2 Jan")
}

func bucketStart(t time.Time, every outlay.Every) time.Time {
	t = t.UTC().Truncate(24 * time.Hour)
	switch every {
	case outlay.EveryWeek:
		return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
	case outlay.EveryMonth:
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	return t
}

func nextBucket(t time.Time, every outlay.Every) time.Time {
	switch every {
	case outlay.EveryWeek:
		return t.AddDate(0, 0, 7)
	case outlay.EveryMonth:
		return t.AddDate(0, 1, 0)
	}
	return t.AddDate(0, 0, 1)
}

func bucketLabel(start, end time.Time, every outlay.Every) string {
	switch every {
	case outlay.EveryMonth:
		return start.Format("Jan 2006")
	case outlay.EveryWeek:
		return SpanText(start, end)
	}
	return start.Format("2 Jan")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// join is 'a', 'a and b', 'a, b and c'.
func join(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

package web

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"outlay"
	"outlay/control"
	"outlay/web/chart"
)

// funcs are what templates call. They only turn values into words; none fetches anything.
func (s *site) funcs() template.FuncMap {
	return template.FuncMap{
		"asset":      s.assets.url,
		"money":      money,
		"signed":     signed,
		"delta":      delta,
		"percent":    percent,
		"count":      count,
		"progress":   chart.Progress,
		"ago":        s.ago,
		"moment":     moment,
		"when":       s.when,
		"day":        day,
		"lastDay":    func(end time.Time) string { return day(end.Add(-time.Nanosecond)) },
		"month":      month,
		"shortMonth": func(p outlay.Period) string { return p.Start().Format("Jan") },
		"took":       took,
		"size":       size,
		"status":     statusClass,
		"region":     region,
		"lines":      planLines,
		"keys":       func(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) },
		"join":       strings.Join,
		"list":       func(x ...string) []string { return x },
		"plural":     plural,
		"roleWord":   roleWord,
		"sum":        sumText,
		"sentence":   sentence,
		"stop":       stop,
		"field":      func(e *outlay.Error, name string) bool { return e != nil && e.Field == name },
	}
}

// sentence begins a message as a sentence; errors are written to follow a colon. A name stays as it is written.
func sentence(s string) string {
	first, _, _ := strings.Cut(s, " ")
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError || strings.ContainsAny(first, ":./_-0123456789") {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// stop ends a text with a full stop, unless it has one.
func stop(s string) string { return strings.TrimSuffix(s, ".") + "." }

// money is an amount for people. What would round to nothing keeps two significant digits: $0.0042.
func money(a outlay.Amount) string {
	text := control.Money(a)
	if a.IsZero() || strings.ContainsAny(text, "123456789") {
		return text
	}
	digits := strings.TrimPrefix(a.String(), "-0.")
	digits = strings.TrimPrefix(digits, "0.")
	zeroes := len(digits) - len(strings.TrimLeft(digits, "0"))
	small := strings.TrimPrefix(a.Fixed(zeroes+2), "-")
	nought := control.Money(outlay.Amount{Currency: a.Currency})
	figure := "0.00"
	if !strings.Contains(nought, figure) {
		figure = "0"
	}
	text = strings.Replace(nought, figure, small, 1)
	if a.Sign() < 0 {
		return "−" + text
	}
	return text
}

func signed(a outlay.Amount) string {
	if a.Sign() > 0 {
		return "+" + money(a)
	}
	return money(a)
}

// change is a difference for people: never by colour alone (ui.md §2).
type change struct{ Class, Text string }

// delta is a change in per cent; nil where there is nothing to compare with.
func delta(p *float64) change {
	switch {
	case p == nil:
		return change{"flat", "–"}
	case *p >= 0.05:
		return change{"up", "+" + grouped(strconv.FormatFloat(*p, 'f', 1, 64)) + "%"}
	case *p <= -0.05:
		return change{"down", "−" + grouped(strconv.FormatFloat(-*p, 'f', 1, 64)) + "%"}
	}
	return change{"flat", "0.0%"}
}

// percent is a share of 0…1 as '11.8%'.
func percent(share float64) string {
	text := strconv.FormatFloat(share*100, 'f', 1, 64)
	if neg, ok := strings.CutPrefix(text, "-"); ok {
		if neg == "0.0" {
			return "0.0%"
		}
		return "−" + neg + "%"
	}
	return text + "%"
}

// grouped puts commas between the thousands of a plain figure.
func grouped(text string) string {
	whole, frac, dot := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dot {
		return whole + "." + frac
	}
	return whole
}

func count(n any) string { return grouped(fmt.Sprint(n)) }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// moment is a time for people, in UTC.
func moment(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04") + " UTC" }

func day(t time.Time) string { return t.UTC().Format("2 Jan") }

func month(p outlay.Period) string { return p.Start().Format("January 2006") }

// stamp is a <time> element: words for people, the exact instant for machines and in the title.
func stamp(t time.Time, words string) template.HTML {
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s">%s</time>`, t.UTC().Format(time.RFC3339), moment(t), template.HTMLEscapeString(words)))
}

// ago is how long ago something was, or how soon it will be; "never" for the zero time.
func (s *site) ago(t time.Time) template.HTML {
	if t.IsZero() {
		return "never"
	}
	d := s.Clock.Now().Sub(t)
	if d < 0 {
		return stamp(t, "in "+span(-d))
	}
	if d < 10*time.Second {
		return stamp(t, "just now")
	}
	return stamp(t, span(d)+" ago")
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// when is a clock time for today and a date before: '07:41 UTC', '19 Nov 23:10 UTC'.
func (s *site) when(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	now := s.Clock.Now().UTC()
	t = t.UTC()
	switch {
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return stamp(t, t.Format("15:04")+" UTC")
	case t.Year() == now.Year():
		return stamp(t, t.Format("2 Jan 15:04")+" UTC")
	}
	return stamp(t, moment(t))
}

// took is a step's duration: '1.2 s', '3 min'.
func took(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < 50*time.Millisecond:
		return "< 0.1 s"
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return span(d)
}

// size is a number of bytes for people.
func size(n int64) string { return humanize.Bytes(uint64(n)) }

// statusClass is the shape of a billing status: filled, dotted or hollow.
func statusClass(s outlay.Status) string {
	switch s {
	case outlay.Provisioned:
		return "ok"
	case outlay.Checking:
		return "ck"
	}
	return "no"
}

// sumText is a proof's sum of one measure, all currencies, for people.
func sumText(sums map[string]map[outlay.Measure]string, m outlay.Measure) string {
	var out []string
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		if a, err := outlay.ParseAmount(sums[currency][m], currency); err == nil {
			out = append(out, money(a))
		}
	}
	return strings.Join(out, " + ")
}

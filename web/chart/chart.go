// Package chart draws the pages' charts as SVG text: stacked bars, sparklines, share bars and progress bars. Colours are
// classes (s0…s9) and not values, so that themes, print and forced colours need no redraw; nothing carries a style
// attribute, because the pages' Content-Security-Policy allows none. The markup is the contract of ui.md §1.
package chart

import (
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
)

// Untagged is the colour index of what has no value; 9 is Other.
const Untagged = 10

// Dense is the number of bars above which the hairlines between segments are left out (ui.md §2).
const Dense = 120

// maxTicks is the number of bars up to which the previous period is a tick on each bar; above, it is a step line.
const maxTicks = 40

// Bars is a stacked bar chart. Figures are floats because they only become pixels; the exact amounts are in the table
// beside it and, in hundredths, in the tooltip's data.
type Bars struct {
	Label  string // what a screen reader says the chart is
	Prefix string // currency sign before figures, such as "$"
	Suffix string // or after them, such as " SEK"
	Series []Series
	Bars   []Bar
	// Previous tells whether the bars' Previous figures mean anything.
	Previous bool
}

// Series is one colour of the stack, the first at the bottom.
type Series struct {
	Name   string
	Color  int       // 0…9, or Untagged
	Values []float64 // one per bar; negative ones stack below zero
	Cents  []int64   // the same in hundredths, for the tooltip
}

// Bar is one bucket.
type Bar struct {
	Label         string // under the axis and in the tooltip
	Total         float64
	TotalCents    int64
	Previous      float64
	PreviousCents int64
	Arriving      bool   // hatched: figures will still grow
	Href          string // where a click leads; empty for nowhere
}

// HTML is the whole <cost-chart> element.
func (b Bars) HTML() template.HTML {
	s := b.scale()
	var w strings.Builder
	fmt.Fprintf(&w, `<cost-chart role="application" tabindex="0" aria-label="%s" aria-describedby="chart-keys" data-pre="%s" data-post="%s">`, esc(b.Label), esc(b.Prefix), esc(b.Suffix))
	b.yAxis(&w, s)
	b.plot(&w, s)
	fmt.Fprintf(&w, `<script type="application/json">%s</script><div class="tip" hidden></div></cost-chart>`, b.data())
	return template.HTML(w.String()) // every text in it went through esc or json.Marshal
}

func esc(s string) string { return template.HTMLEscapeString(s) }

type tipBar struct {
	Label    string  `json:"l"`
	Total    int64   `json:"t"`
	Previous *int64  `json:"p,omitempty"`
	Arriving bool    `json:"i,omitempty"`
	Values   []int64 `json:"v"`
	Href     string  `json:"u,omitempty"`
}

// data is the tooltip's JSON. json.Marshal escapes <, > and &, so a value cannot close the script element.
func (b Bars) data() string {
	out := struct {
		Names  []string `json:"n"`
		Colors []int    `json:"c"`
		Bars   []tipBar `json:"b"`
	}{Names: []string{}, Colors: []int{}, Bars: []tipBar{}}
	for _, s := range b.Series {
		out.Names, out.Colors = append(out.Names, s.Name), append(out.Colors, s.Color)
	}
	for i, x := range b.Bars {
		t := tipBar{Label: x.Label, Total: x.TotalCents, Arriving: x.Arriving, Href: x.Href}
		if b.Previous {
			t.Previous = &x.PreviousCents
		}
		for _, s := range b.Series {
			t.Values = append(t.Values, s.Cents[i])
		}
		out.Bars = append(out.Bars, t)
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err) // plain data always marshals
	}
	return string(text)
}

package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bars take 76 of the 100 units of their column; above Dense bars they touch.
const (
	barLeft  = 12
	barWidth = 76
)

// yAxis writes the figures left of the plot. Positions are percentages, so that the axis stretches with the page.
func (b Bars) yAxis(w *strings.Builder, s scale) {
	w.WriteString(`<svg class="yax" width="100%" height="100%" aria-hidden="true">`)
	for _, v := range s.lines() {
		fmt.Fprintf(w, `<text x="50" y="%s" dy="4">%s</text>`, pct(s.y(v)/height), esc(b.short(v, s)))
	}
	w.WriteString(`</svg>`)
}

func (b Bars) plot(w *strings.Builder, s scale) {
	w.WriteString(`<svg class="plot" width="100%" height="100%" aria-hidden="true"><defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
		`<rect width="7" height="7" class="hatch-bg"/><line x1="1.7" y1="0" x2="1.7" y2="7" class="hatch-ln"/></pattern></defs>`)
	for _, v := range s.lines() {
		class := "grid"
		if math.Abs(v) < s.step/2 {
			class = "base"
		}
		fmt.Fprintf(w, `<line class="%s" x1="0" x2="100%%" y1="%s" y2="%[2]s"/>`, class, pct(s.y(v)/height))
	}
	b.labels(w)
	b.stacks(w, s)
	b.arriving(w, s)
	b.previous(w, s)
	fmt.Fprintf(w, `<rect class="cur" x="0" y="0" width="%s" height="100%%"/></svg>`, pct(1/float64(max(1, len(b.Bars)))))
}

// labels writes at most ten texts under the axis, always the first one.
func (b Bars) labels(w *strings.Builder) {
	n := len(b.Bars)
	every := max(1, (n+9)/10)
	for i := 0; i < n; i += every {
		fmt.Fprintf(w, `<text class="xl" x="%s" y="100%%" dy="20">%s</text>`, pct((float64(i)+0.5)/float64(n)), esc(b.Bars[i].Label))
	}
}

// stacks writes one path per series, so that a year of ten series is ten nodes.
func (b Bars) stacks(w *strings.Builder, s scale) {
	n := len(b.Bars)
	left, width, class := barLeft, barWidth, "bars"
	if n > Dense {
		left, width, class = 0, 100, "bars dense"
	}
	fmt.Fprintf(w, `<svg class="%s" viewBox="0 0 %d %d" preserveAspectRatio="none" width="100%%" height="100%%">`, class, max(1, n)*100, height)
	up, down := make([]float64, n), make([]float64, n)
	for _, series := range b.Series {
		var d strings.Builder
		for i, v := range series.Values {
			base := &up[i]
			if v < 0 {
				base = &down[i]
			}
			if v != 0 {
				y0, y1 := s.y(*base), s.y(*base+v)
				fmt.Fprintf(&d, "M%d %sh%dV%sh-%dz", i*100+left, num(y0), width, num(y1), width)
				*base += v
			}
		}
		if d.Len() > 0 {
			fmt.Fprintf(w, `<path class="s%d" d="%s"/>`, series.Color, d.String())
		}
	}
	if b.Previous && n > maxTicks {
		line := b.stepLine(s)
		fmt.Fprintf(w, `<path class="prevlineh" d="%s"/><path class="prevline" d="%[1]s"/>`, line)
	}
	w.WriteString(`</svg>`)
}

func (b Bars) stepLine(s scale) string {
	var d strings.Builder
	for i, bar := range b.Bars {
		command := "V"
		if i == 0 {
			command = "M0 "
		}
		fmt.Fprintf(&d, "%s%sh100", command, num(s.y(bar.Previous)))
	}
	return d.String()
}

// arriving hatches the bars whose figures will still grow.
func (b Bars) arriving(w *strings.Builder, s scale) {
	n := float64(len(b.Bars))
	for i, bar := range b.Bars {
		if !bar.Arriving {
			continue
		}
		var up, down float64
		for _, series := range b.Series {
			if v := series.Values[i]; v > 0 {
				up += v
			} else {
				down += v
			}
		}
		if up == down {
			continue
		}
		fmt.Fprintf(w, `<rect class="inc" x="%s" y="%s" width="%s" height="%s"/>`,
			pct((float64(i)+0.01*barLeft)/n), pct(s.y(up)/height), pct(0.01*barWidth/n), pct((s.y(down)-s.y(up))/height))
	}
}

// previous writes a tick with a halo on each bar, so that it shows on any colour.
func (b Bars) previous(w *strings.Builder, s scale) {
	n := len(b.Bars)
	if !b.Previous || n > maxTicks {
		return
	}
	for i, bar := range b.Bars {
		if bar.Previous == 0 {
			continue
		}
		x1, x2, y := pct((float64(i)+0.01*barLeft)/float64(n)), pct((float64(i)+0.01*(barLeft+barWidth))/float64(n)), pct(s.y(bar.Previous)/height)
		fmt.Fprintf(w, `<line class="prevhalo" x1="%s" x2="%s" y1="%s" y2="%[3]s"/><line class="prevtick" x1="%[1]s" x2="%[2]s" y1="%[3]s" y2="%[3]s"/>`, x1, x2, y)
	}
}

func pct(share float64) string { return num(share*100) + "%" }

// num writes a coordinate with at most two decimals.
func num(v float64) string {
	text := strconv.FormatFloat(v, 'f', 2, 64)
	text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	if text == "-0" {
		return "0"
	}
	return text
}

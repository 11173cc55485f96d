package chart

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// sparkPoints is the most points a sparkline has: more would be below a pixel each.
const sparkPoints = 30

// Spark is a line of 92 × 20 pixels without axes: the shape of a row over time.
func Spark(values []float64) template.HTML {
	points := thin(values)
	if len(points) < 2 {
		return ""
	}
	low, high := points[0], points[0]
	for _, v := range points {
		low, high = math.Min(low, v), math.Max(high, v)
	}
	if high == low {
		low, high = low-1, high+1
	}
	var d strings.Builder
	for i, v := range points {
		command := "L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(&d, "%s%s %s", command, num(92*float64(i)/float64(len(points)-1)), num(18-16*(v-low)/(high-low)))
	}
	return template.HTML(fmt.Sprintf(`<svg class="spark" viewBox="0 0 92 20" preserveAspectRatio="none" aria-hidden="true"><path d="%s"/></svg>`, d.String()))
}

// thin averages neighbours down to sparkPoints.
func thin(values []float64) []float64 {
	n := len(values)
	if n <= sparkPoints {
		return values
	}
	out := make([]float64, sparkPoints)
	for i := range out {
		from, to := i*n/sparkPoints, (i+1)*n/sparkPoints
		for _, v := range values[from:to] {
			out[i] += v / float64(to-from)
		}
	}
	return out
}

// Share is a bar of 64 × 6 pixels filled to a share of 0…1; what is outside shows as empty or full.
func Share(share float64, color int) template.HTML {
	width := 64 * math.Min(1, math.Max(0, share))
	if width > 0 && width < 1 {
		width = 1 // there is something
	}
	return template.HTML(fmt.Sprintf(`<svg class="sh" width="64" height="6" aria-hidden="true"><rect class="mt" width="64" height="6" rx="3"/><rect class="s%d" width="%s" height="6" rx="%s"/></svg>`, color, num(width), num(math.Min(3, width/2))))
}

// Progress is a bar over the whole width, filled to done of total.
func Progress(done, total int) template.HTML {
	share := 0.0
	if total > 0 {
		share = float64(done) / float64(total)
	}
	return template.HTML(fmt.Sprintf(`<svg width="100%%" height="6" role="img" aria-label="%d of %d steps done"><rect class="mt" width="100%%" height="6" rx="3"/><rect class="mv" width="%s" height="6" rx="3"/></svg>`, done, total, pct(share)))
}

package chart

import (
	"math"
	"strconv"
	"strings"
)

// scale maps figures to heights of the plot, which is 10,000 units high.
type scale struct {
	low, high, step float64
	decimals        int
}

const height = 10000

// y is the distance of a figure from the top, in units.
func (s scale) y(v float64) float64 { return height * (s.high - v) / (s.high - s.low) }

// scale fits the tallest and the deepest stack, and the previous figures, between round numbers.
func (b Bars) scale() scale {
	var high, low float64
	for i, bar := range b.Bars {
		var up, down float64
		for _, s := range b.Series {
			if v := s.Values[i]; v > 0 {
				up += v
			} else {
				down += v
			}
		}
		high, low = math.Max(high, up), math.Min(low, down)
		if b.Previous {
			high, low = math.Max(high, bar.Previous), math.Min(low, bar.Previous)
		}
	}
	return round(low, high)
}

// round finds a step of 1, 2, 2.5 or 5 times a power of ten that gives three to six lines, and leaves some air beyond
// both ends.
func round(low, high float64) scale {
	if high <= 0 && low >= 0 {
		high = 1
	}
	raw := (high - low) / 4
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*power >= raw*0.999 {
			step = m * power
			break
		}
	}
	s := scale{step: step, low: low * 1.06, high: high * 1.06}
	for d, x := 0, step; d < 8 && math.Abs(x-math.Round(x)) > 1e-9; d++ {
		s.decimals, x = d+1, x*10
	}
	return s
}

// lines are the figures at which the plot has a gridline, from the bottom up.
func (s scale) lines() []float64 {
	var out []float64
	for i := math.Ceil(s.low/s.step - 1e-9); i*s.step <= s.high+s.step*1e-9; i++ {
		out = append(out, i*s.step)
	}
	return out
}

// short writes an axis figure: $0, $1.5k, −$2M, $0.02.
func (b Bars) short(v float64, s scale) string {
	if math.Abs(v) < s.step/2 {
		v = 0 // a sum of steps may miss it by a hair, or be −0
	}
	sign := ""
	if v < 0 {
		sign, v = "−", -v
	}
	unit := ""
	decimals := s.decimals
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "bn"}, {1e6, "M"}, {1e3, "k"}} {
		if v >= u.size*0.999 {
			v, unit, decimals = v/u.size, u.name, 2
			break
		}
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if unit != "" && strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return sign + b.Prefix + text + unit + b.Suffix
}

package chart

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got; -update rewrites):\n%s", name, d)
	}
}

// lines puts each element of markup on a line of its own, so that a golden file's difference can be read.
func lines(markup string) string { return strings.ReplaceAll(markup, "><", ">\n<") + "\n" }

func stack(bars int) Bars {
	b := Bars{Label: "Cost by day", Prefix: "$", Previous: true, Series: []Series{{Name: "Compute", Color: 0}, {Name: "Store", Color: 3}, {Name: "No User tag", Color: Untagged}, {Name: "Other", Color: 9}}}
	for i := range bars {
		x := float64(i%7) * 100
		values := []float64{800 + x, 300.25, -50, 0}
		b.Bars = append(b.Bars, Bar{Label: "d" + string(rune('a'+i%26)), Total: 1050.25 + x, TotalCents: int64(105025 + 100*x), Previous: 900, PreviousCents: 90000, Arriving: i >= bars-2, Href: "/costs?from=1&to=2"})
		for s := range b.Series {
			b.Series[s].Values = append(b.Series[s].Values, values[s])
			b.Series[s].Cents = append(b.Series[s].Cents, int64(values[s]*100))
		}
	}
	return b
}

func TestGolden(t *testing.T) {
	golden(t, "bars.html", lines(string(stack(5).HTML())))
	golden(t, "empty.html", lines(string(Bars{Label: "Nothing", Prefix: "€"}.HTML())))
	golden(t, "small.html", lines(string(Spark([]float64{1, 2, -1, 4}))+string(Share(0.397, 0))+string(Share(0.0001, 9))+string(Share(-2, 1))+string(Share(7, 2))+string(Progress(5, 8))+string(Progress(0, 0))))
}

// TestNodes holds the chart to one path per series whatever the number of bars (ui.md §1): a year is no more nodes.
func TestNodes(t *testing.T) {
	for _, n := range []int{1, 31, 365} {
		text := string(stack(n).HTML())
		if got := strings.Count(text, `<path class="s`); got != 3 {
			t.Errorf("%d bars: %d series paths, want one for each of the three series that have figures", n, got)
		}
		if got := strings.Count(text, `class="xl"`); got > 10 {
			t.Errorf("%d bars: %d labels", n, got)
		}
		if dense := strings.Contains(text, "bars dense"); dense != (n > Dense) {
			t.Errorf("%d bars: dense is %v", n, dense)
		}
		if steps := strings.Contains(text, `class="prevline"`); steps != (n > 40) {
			t.Errorf("%d bars: step line is %v", n, steps)
		}
		wellFormed(t, text)
	}
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	text = strings.Replace(text, `<div class="tip" hidden>`, `<div class="tip">`, 1)
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	}
}

// TestHostile puts markup everywhere that a tag value can reach.
func TestHostile(t *testing.T) {
	const evil = `"><img src=x onerror=alert(1)></script><script>alert(2)</script>`
	b := stack(3)
	b.Label, b.Series[0].Name, b.Bars[0].Label, b.Bars[0].Href, b.Suffix = evil, evil, evil, evil, evil
	text := string(b.HTML())
	for _, bad := range []string{"<img", "<script>alert", "</script><"} {
		if strings.Count(text, bad) > strings.Count(`</script><div`, bad) {
			t.Errorf("%q got through: %s", bad, text)
		}
	}
	if strings.Contains(text, "style=") {
		t.Error("a style attribute: the policy forbids it")
	}
	var data struct {
		N []string
		B []struct {
			L, U string
			V    []int64
		}
	}
	if err := json.Unmarshal([]byte(regexp.MustCompile(`(?s)<script type="application/json">(.*?)</script>`).FindStringSubmatch(text)[1]), &data); err != nil {
		t.Fatal(err)
	}
	if data.N[0] != evil || data.B[0].L != evil || data.B[0].U != evil {
		t.Errorf("the tooltip's data lost text: %+v", data)
	}
}

func TestScale(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		lines     string
	}{
		{0, 2900, "$0 $1k $2k $3k"}, {0, 1870, "$0 $500 $1k $1.5k"}, {0, 65000, "$0 $20k $40k $60k"}, {0, 0, "$0.00 $0.25 $0.50 $0.75 $1.00"}, {-120, 480, "$0 $200 $400"},
		{0, 0.004, "$0.000 $0.001 $0.002 $0.003 $0.004"}, {-30, 0, "−$30 −$20 −$10 $0"}, {0, 3.1e9, "$0 $1bn $2bn $3bn"}, {0, 9.9e5, "$0 $250k $500k $750k $1M"},
	} {
		s := round(c.low, c.high)
		var got []string
		for _, v := range s.lines() {
			got = append(got, Bars{Prefix: "$"}.short(v, s))
		}
		if text := strings.Join(got, " "); text != c.lines {
			t.Errorf("%v to %v: %s, want %s", c.low, c.high, text, c.lines)
		}
		if s.low > c.low || s.high < c.high {
			t.Errorf("%v to %v: does not fit %+v", c.low, c.high, s)
		}
	}
}

func FuzzScale(f *testing.F) {
	f.Add(-12.5, 3e7)
	f.Add(0.0, 1e-9)
	f.Fuzz(func(t *testing.T, low, high float64) {
		if !(low <= 0 && high >= 0 && low > -1e15 && high < 1e15) {
			return
		}
		s := round(low, high)
		if n := len(s.lines()); n < 2 || n > 12 {
			if high-low > 1e-300 {
				t.Errorf("%d lines for %v to %v: %+v", n, low, high, s)
			}
		}
	})
}

package ingest

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"outlay"
)

// proof is a proof with the same figure in every measure of a currency.
func proof(sums ...string) outlay.Proof {
	p := outlay.Proof{Read: map[string]map[outlay.Measure]string{}, Written: map[string]map[outlay.Measure]string{}}
	for i := 0; i < len(sums); i += 2 {
		p.Read[sums[i]], p.Written[sums[i]] = map[outlay.Measure]string{}, map[outlay.Measure]string{}
		for _, m := range outlay.Measures() {
			p.Read[sums[i]][m], p.Written[sums[i]][m] = sums[i+1], sums[i+1]
		}
	}
	return p
}

func TestMoved(t *testing.T) {
	cases := []struct {
		was, is string
		open    bool
		want    bool
	}{
		{"100", "120", false, false},
		{"100", "120.000000000000000001", false, true},
		{"100", "79.999", false, true},
		{"100", "80", false, false},
		{"100", "500", true, false}, // an open month grows
		{"100", "79", true, true},
		{"-10", "-13", false, true},
		{"-10", "-11", false, false},
		{"0", "5", false, false}, // no share of nothing
		{"", "5", false, false},
	}
	for _, c := range cases {
		if got := moved(outlay.Billed, c.was, c.is, "USD", c.open) != ""; got != c.want {
			t.Errorf("from %s to %s (open %v): noted %v", c.was, c.is, c.open, got)
		}
	}
}

func TestSameSums(t *testing.T) {
	good := proof("USD", "1.000000000000000001", "EUR", "-2")
	if err := sameSums(good); err != nil {
		t.Error(err)
	}
	spelled := proof("USD", "1.5")
	spelled.Written["USD"][outlay.List] = "1.500000000000000000"
	if err := sameSums(spelled); err != nil {
		t.Errorf("the same figure spelled otherwise: %v", err)
	}
	spoil := map[string]func(p outlay.Proof){
		"the last digit":      func(p outlay.Proof) { p.Written["USD"][outlay.Effective] = "1.000000000000000002" },
		"a currency is gone":  func(p outlay.Proof) { delete(p.Written, "EUR") },
		"another currency":    func(p outlay.Proof) { p.Written["GBP"] = p.Written["EUR"]; delete(p.Written, "EUR") },
		"a measure is absent": func(p outlay.Proof) { delete(p.Written["USD"], outlay.Contracted) },
		"no figure":           func(p outlay.Proof) { p.Read["USD"][outlay.Billed] = "NaN" },
	}
	for name, do := range spoil {
		p := proof("USD", "1.000000000000000001", "EUR", "-2")
		do(p)
		if err := sameSums(p); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}

func TestOpen(t *testing.T) {
	for at, want := range map[string]bool{"2026-10-20": true, "2026-11-03": true, "2026-11-07": false} {
		version, err := time.Parse("2006-01-02", at)
		if err != nil {
			t.Fatal(err)
		}
		if got := open(outlay.Unit{Period: "2026-10", Delivery: outlay.Delivery{Version: version}}); got != want {
			t.Errorf("October, delivered %s: open %v", at, got)
		}
	}
}

func TestJudge(t *testing.T) {
	failed := func(code outlay.Code) error { return fmt.Errorf("fetching: %w", outlay.Errorf(code, "", "no")) }
	cases := map[string]struct {
		err      error
		attempts int
		want     outlay.UnitState
		counted  bool
		retried  bool // by the worker's backoff
		next     time.Duration
	}{
		"moved":             {failed(outlay.CodeConflict), 5, outlay.UnitWaiting, false, false, time.Hour},
		"not whole yet":     {failed(outlay.CodeNotFound), 5, outlay.UnitWaiting, false, false, time.Hour},
		"throttled":         {failed(outlay.CodeThrottled), 5, outlay.UnitWaiting, false, true, 0},
		"forbidden":         {failed(outlay.CodeForbidden), 5, outlay.UnitWaiting, false, true, 0},
		"no disk":           {fmt.Errorf("x: %w", syscall.ENOSPC), 5, outlay.UnitWaiting, false, false, 10 * time.Minute},
		"no disk, by words": {errors.New("IO Error: No space left on device"), 5, outlay.UnitWaiting, false, false, 10 * time.Minute},
		"damaged, first":    {failed(outlay.CodeInvalid), 1, outlay.UnitWaiting, true, true, 0},
		"damaged, last":     {failed(outlay.CodeInvalid), 5, outlay.UnitQuarantined, true, false, 0},
		"a fault of ours":   {errors.New("boom"), 4, outlay.UnitWaiting, true, true, 0},
		"too late":          {errOlder, 1, outlay.UnitSuperseded, false, false, 0},
		"empty":             {outlay.Errorf(outlay.CodeInvalid, "", "x: %w", errEmpty), 5, outlay.UnitWaiting, true, false, 0},
	}
	for name, c := range cases {
		v := judge(c.err, c.attempts)
		if v.state != c.want || v.counted != c.counted || (v.err != nil) != c.retried || v.next != c.next {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestReplaceWord(t *testing.T) {
	cases := [][2]string{
		{"0.csv, line 3", "KEY, line 3"},
		{"line 3 of 0.csv", "line 3 of KEY"},
		{"0.csv: bad. See 0.csv.", "KEY: bad. See KEY."},
		{"10.csv and 0.csv.gz and x/0.csv", "10.csv and 0.csv.gz and x/0.csv"},
		{"", ""},
	}
	for _, c := range cases {
		if got := replaceWord(c[0], "0.csv", "KEY"); got != c[1] {
			t.Errorf("%q became %q, want %q", c[0], got, c[1])
		}
	}
}

func FuzzReplaceWord(f *testing.F) {
	f.Add("0.csv line 3 of 10.csv", "0.csv")
	f.Fuzz(func(t *testing.T, text, word string) {
		if word == "" {
			return
		}
		got := replaceWord(text, word, "\x00")
		if back := strings.ReplaceAll(got, "\x00", word); !strings.Contains(text, "\x00") && back != text {
			t.Errorf("%q in %q: %q", word, text, got)
		}
	})
}

func TestPlainName(t *testing.T) {
	for name, want := range map[string]string{
		"bill.csv": "bill.csv", "../../etc/passwd": "passwd", "a*[1]?.csv": "a__1__.csv", `C:\x`: "C__x", "..": "file", "/": "file", "o'brien\n.csv": "o_brien_.csv",
	} {
		if got := plainName(name); got != want {
			t.Errorf("%q became %q, want %q", name, got, want)
		}
	}
}

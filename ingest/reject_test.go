package ingest_test

import (
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/ingest"
)

func TestRejected(t *testing.T) {
	good := bill(month, 3, "1")
	packed := parquet(t, good)
	cases := map[string]struct {
		bills []string
		rows  int64 // declared; 0 for none
		want  []string
	}{
		"Parquet cut short":       {[]string{good, packed[:len(packed)-100]}, 0, []string{"bill-00002.csv"}},
		"Parquet spoiled":         {[]string{spoiled(packed)}, 0, []string{"bill-00001.csv"}},
		"cut short":               {[]string{good, good[:len(good)-7]}, 0, []string{"bill-00002.csv", "line"}},
		"a missing cost column":   {[]string{strings.Replace(good, "ListCost", "SomeCost", 1)}, 0, []string{"bill-00001.csv", "ListCost"}},
		"a cost that is none":     {[]string{strings.Replace(good, "\n1,1,", "\n1,one,", 1)}, 0, []string{"bill-00001.csv", "EffectiveCost", "2"}},
		"a row of another month":  {[]string{good + strings.SplitAfter(bill("2026-09", 1, "1"), "\n")[1]}, 0, []string{"bill-00001.csv", "2026-09"}},
		"fewer rows than it says": {[]string{good}, 4, []string{"holds 3 charges and declares 4"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			h := newHouse(t, "", clock)
			h.found(t, h.delivery(t, 1, bill(month, 2, "4")))
			h.drain(t)
			d := h.delivery(t, 2, c.bills...)
			if c.rows > 0 {
				d.Rows = c.rows
			}
			u := h.found(t, d)
			for try := 1; try <= 5; try++ {
				h.drain(t)
				got := h.unit(t, u.ID)
				want := outlay.UnitWaiting
				if try == 5 {
					want = outlay.UnitQuarantined
				}
				if got.State != want || got.Problem == nil || got.Problem.Code == "" {
					t.Fatalf("after try %d it is %s with %+v", try, got.State, got.Problem)
				}
				for _, w := range c.want {
					if !strings.Contains(got.Problem.Message, w) {
						t.Errorf("the problem lacks %q: %s", w, got.Problem.Message)
					}
				}
				clock.Add(2 * time.Hour)
			}
			t.Log(h.unit(t, u.ID).Problem.Message)
			h.shows(t, only("2 rows 8"))
			if left := h.tasks(t, ingest.TaskIngest); len(left) != 0 {
				t.Errorf("a quarantined delivery is tried again: %v", left)
			}
			other := h.delivery(t, 1, bill("2026-09", 1, "1"))
			other.Period = "2026-09"
			h.found(t, other) // other periods go on
			h.found(t, h.delivery(t, 3, bill(month, 2, "5")))
			h.drain(t)
			h.shows(t, map[string]string{source + " 2026-09": "1 rows 1", source + " 2026-10": "2 rows 10"})
			h.quiet(t, clock)
		})
	}
}

package web

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/control"
)

// TestNewestTrouble: of several deliveries of a month that wait, the page names the last one, and it is no alarm while
// none was tried in vain.
func TestNewestTrouble(t *testing.T) {
	at := func(h int) time.Time { return time.Date(2026, 11, 24, h, 0, 0, 0, time.UTC) }
	unit := func(id string, p outlay.Period, s outlay.UnitState, h int) control.UnitView {
		return control.UnitView{ID: id, Period: p, State: s, Delivered: at(h)}
	}
	var ids []string
	for _, u := range newest([]control.UnitView{
		unit("a", "2026-11", outlay.UnitWaiting, 8), unit("b", "2026-11", outlay.UnitWaiting, 10), unit("c", "2026-11", outlay.UnitWaiting, 9),
		unit("d", "2026-10", outlay.UnitWaiting, 7), unit("e", "2026-11", outlay.UnitQuarantined, 6),
	}) {
		ids = append(ids, u.ID)
	}
	if d := cmp.Diff([]string{"b", "d", "e"}, ids); d != "" {
		t.Error(d)
	}
	for _, c := range []struct {
		unit control.UnitView
		want bool
	}{
		{control.UnitView{State: outlay.UnitWaiting}, true},
		{control.UnitView{State: outlay.UnitWaiting, Attempts: 1}, false},
		{control.UnitView{State: outlay.UnitQuarantined}, false},
	} {
		if got := (trouble{Unit: c.unit}).Passing(); got != c.want {
			t.Errorf("%+v: %t", c.unit, got)
		}
	}
}

// TestGrowing: a month that is not over grows with each delivery and is no restatement; one that is over may be one.
func TestGrowing(t *testing.T) {
	day := func(text string) time.Time {
		at, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct {
		now, delivered string
		src            control.SourceView
		want           bool
		class          string
	}{
		{"2026-11-24", "2026-11-24", control.SourceView{Origin: outlay.OriginCreated, Desired: outlay.Present}, true, "arriving"},
		{"2026-12-01", "2026-11-30", control.SourceView{Origin: outlay.OriginCreated, Desired: outlay.Present}, true, "arriving"},
		{"2026-12-02", "2026-12-02", control.SourceView{Origin: outlay.OriginImported, Desired: outlay.Present}, false, "restated"},
		{"2026-12-02", "2026-11-20", control.SourceView{Origin: outlay.OriginCreated, Desired: outlay.Absent}, false, "restated"},
		{"2026-11-24", "2026-11-24", control.SourceView{Origin: outlay.OriginFiles, Desired: outlay.Present}, false, "restated"},
	} {
		head := control.HeadView{Period: "2026-11", DeliveredAt: day(c.delivered), Sums: sums("10"), Previous: sums("9")}
		if got := growing(c.src, head, day(c.now)); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
		c.src.Periods = []control.HeadView{head}
		if got := cellOf(c.src, "2026-11", day(c.now)); got.Class != c.class {
			t.Errorf("%+v: the cell is %q", c, got.Class)
		}
	}
}

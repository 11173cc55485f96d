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

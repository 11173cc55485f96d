package web

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

func TestPlanLines(t *testing.T) {
	tag := func(key, hold string) outlay.Change {
		return outlay.Change{Action: outlay.ActionUpdate, Kind: "nimbus/tag", Name: key, Title: "Cost tag " + key, Detail: "Turn on", Hold: hold}
	}
	store := outlay.Change{Action: outlay.ActionCreate, Kind: "nimbus/store", Name: "s", Title: "Store"}
	type line struct {
		Title string
		Names []string
	}
	var got []line
	for _, l := range planLines([]outlay.Change{store, tag("Date", ""), tag("Pool", ""), tag("User", "not seen yet"), store}) {
		got = append(got, line{l.Title, l.Names})
	}
	want := []line{{"Store", []string{"s"}}, {"Cost tag", []string{"Date", "Pool"}}, {"Cost tag User", []string{"User"}}, {"Store", []string{"s"}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, c := range []struct{ title, name, detail, shown, rest string }{
		{"Store", "s-1", "s-1 in north, private", "s-1", "In north, private"},
		{"Store", "s-1", "s-1: 3 months", "s-1", "3 months"},
		{"Store", "s-1", "s-1", "s-1", ""},
		{"Store", "s-1", "s-10 in north", "s-1", "s-10 in north"},
		{"Registration of Nimbus.Exports", "Nimbus.Exports", "It stays.", "", "It stays."},
	} {
		l := planLines([]outlay.Change{{Title: c.title, Name: c.name, Detail: c.detail}})[0]
		if got := strings.Join(l.Shown(), ","); got != c.shown || l.Rest() != c.rest {
			t.Errorf("%+v: %q, %q", c, got, l.Rest())
		}
	}
	if got := region(outlay.Region{ID: "n-1", Title: "n-1 · North"}) + "|" + region(outlay.Region{ID: "n-1", Title: "North"}); got != "n-1 · North|n-1 · North" {
		t.Error(got)
	}
}

package detect

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

func TestRollup(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	through, delivered := now.Add(-33*time.Hour), now.Add(-2*time.Hour)
	own := SourceFacts{ID: "src_a", OwnerID: "acc_a", OwnerName: "prod", Own: true, Wanted: true, Made: true}
	others := SourceFacts{ID: "src_a", OwnerID: "acc_a", OwnerName: "prod", Wanted: true, Made: true, Member: true}
	with := func(s SourceFacts, change func(*SourceFacts)) SourceFacts { change(&s); return s }
	published := func(s *SourceFacts) { s.Published, s.DataThrough, s.DeliveredAt = true, through, delivered }
	covers := func(s *SourceFacts) { published(s); s.Covers = true }
	const arriving = "Cost data is arriving. Found by itself, checked every hour."
	const none = "No cost data. Provision billing here, or on any other Nimbus account."
	for _, c := range []struct {
		name    string
		looked  bool
		sources []SourceFacts
		status  outlay.Status
		reason  string
		via     string
		axis    outlay.AxisState
	}{
		{"never looked", false, nil, outlay.Checking, "We are looking for cost data.", "", outlay.AxisUnknown},
		{"never looked, source without data", false, []SourceFacts{own}, outlay.Checking, "We are looking for cost data.", "", outlay.AxisUnknown},
		{"never looked, but its data is on show", false, []SourceFacts{with(others, covers)}, outlay.Provisioned, arriving, "src_a", outlay.AxisGood},
		{"nothing anywhere", true, nil, outlay.Unprovisioned, none, "", outlay.AxisNone},
		{"own source, no data", true, []SourceFacts{own}, outlay.Unprovisioned, "Billing is set up here; no cost data yet. First costs appear within 24 hours.", "", outlay.AxisNone},
		{"own source, data", true, []SourceFacts{with(own, published)}, outlay.Provisioned, arriving, "src_a", outlay.AxisGood},
		{"own source, a run works", true, []SourceFacts{with(own, func(s *SourceFacts) { s.Running, s.Made = true, false })}, outlay.Unprovisioned, "No cost data yet. Billing is being provisioned.", "", outlay.AxisNone},
		{"own source, the run stopped", true, []SourceFacts{with(own, func(s *SourceFacts) { s.Waits = "Nimbus refused nimbus:Make" })}, outlay.Unprovisioned, "No cost data yet. The run stopped: Nimbus refused nimbus:Make.", "", outlay.AxisNone},
		{"own source, nothing made", true, []SourceFacts{with(own, func(s *SourceFacts) { s.Made = false })}, outlay.Unprovisioned, "No cost data yet. Provisioning has not finished.", "", outlay.AxisNone},
		{"own source, data, but its export is gone", true, []SourceFacts{with(own, func(s *SourceFacts) { published(s); s.Missing = []string{"export-a"} })}, outlay.Unprovisioned, "No new cost data: export-a is gone. Repair makes it again; loaded costs stay.", "", outlay.AxisNone},
		{"own source removed", true, []SourceFacts{with(own, func(s *SourceFacts) { published(s); s.Wanted = false })}, outlay.Unprovisioned, "No new cost data: billing was deprovisioned. Loaded costs stay. Provision billing here, or on any other Nimbus account.", "", outlay.AxisNone},
		{"another's source, seen in its data", true, []SourceFacts{with(others, covers)}, outlay.Provisioned, arriving, "src_a", outlay.AxisGood},
		{"another's source, a member, not in its data", true, []SourceFacts{with(others, published)}, outlay.Unprovisioned, "Billing is set up on prod; none of its cost data is of this account yet.", "", outlay.AxisNone},
		{"another's source, a member, no data", true, []SourceFacts{others}, outlay.Unprovisioned, "Billing is set up on prod; no cost data yet. First costs appear within 24 hours.", "", outlay.AxisNone},
		{"another's source, not a member", true, []SourceFacts{with(others, func(s *SourceFacts) { published(s); s.Member = false })}, outlay.Unprovisioned, none, "", outlay.AxisNone},
		{"another's source, its export is gone", true, []SourceFacts{with(others, func(s *SourceFacts) { covers(s); s.Missing = []string{"export-a"} })}, outlay.Unprovisioned, "No new cost data: export-a is gone on prod. Repair it there; loaded costs stay.", "", outlay.AxisNone},
		{"another's source removed", true, []SourceFacts{with(others, func(s *SourceFacts) { covers(s); s.Wanted = false })}, outlay.Unprovisioned, "No new cost data: billing was deprovisioned. Loaded costs stay. Provision billing here, or on any other Nimbus account.", "", outlay.AxisNone},
		{"two sources, the newer one delivers", true, []SourceFacts{
			with(others, func(s *SourceFacts) { covers(s); s.DataThrough = s.DataThrough.Add(-time.Hour) }),
			with(own, func(s *SourceFacts) { published(s); s.ID = "src_b" }),
		}, outlay.Provisioned, arriving, "src_b", outlay.AxisGood},
		{"one removed, one delivers", true, []SourceFacts{
			with(own, func(s *SourceFacts) { published(s); s.Wanted = false }),
			with(others, func(s *SourceFacts) { covers(s); s.ID = "src_b" }),
		}, outlay.Provisioned, arriving, "src_b", outlay.AxisGood},
		{"data, but nothing new for two days", true, []SourceFacts{with(own, func(s *SourceFacts) { published(s); s.DeliveredAt = now.Add(-48 * time.Hour) })}, outlay.Provisioned, "Cost data is here, but nothing new has come since 09:00 UTC, 18 Nov 2026. Checked every hour.", "src_a", outlay.AxisBad},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Rollup(Facts{Now: now, Late: 36 * time.Hour, Title: "Nimbus", FirstData: "First costs appear within 24 hours.", Looked: c.looked, NextLook: now.Add(time.Hour), Sources: c.sources})
			if got.Status != c.status || got.Reason != c.reason || got.Via != c.via {
				t.Errorf("got %s via %q: %s\nwant %s via %q: %s", got.Status, got.Via, got.Reason, c.status, c.via, c.reason)
			}
			if a := axis(got.Axes, AxisData); a.State != c.axis {
				t.Errorf("data axis %+v, want %s", a, c.axis)
			}
			if got.At != now || got.Since != now || got.NextLook != now.Add(time.Hour) {
				t.Errorf("times %s, %s, %s", got.At, got.Since, got.NextLook)
			}
		})
	}
}

// What a failed look left on the status stays, and so does the moment of the last change.
func TestRollupKeepsWhatItDoesNotKnow(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	previous := outlay.BillingStatus{
		Status: outlay.Provisioned, Since: now.Add(-72 * time.Hour), CouldNotCheckSince: now.Add(-time.Hour), CouldNotCheckWhy: "throttled",
		Axes: []outlay.Axis{{Name: AxisCredential, State: outlay.AxisUnknown, Reason: "Throttled."}, {Name: AxisData, State: outlay.AxisGood}},
	}
	source := SourceFacts{ID: "src_a", Own: true, Wanted: true, Published: true, DataThrough: now, DeliveredAt: now}
	got := Rollup(Facts{Now: now, Late: 36 * time.Hour, Title: "Nimbus", Previous: previous, Looked: true, Sources: []SourceFacts{source}})
	want := previous
	want.At, want.Via, want.DataThrough, want.DeliveredAt = now, "src_a", now, now
	want.Reason = "Cost data is arriving. Found by itself, checked every hour."
	want.Axes = []outlay.Axis{previous.Axes[0], {Name: AxisData, State: outlay.AxisGood, Reason: "Costs through 20 Nov 2026.", At: now}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("status (-want +got):\n%s", d)
	}
}

// TestLate: providers differ in how long nothing may come.
func TestLate(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	source := SourceFacts{ID: "src_a", Own: true, Wanted: true, Published: true, DataThrough: now, DeliveredAt: now.Add(-40 * time.Hour)}
	for after, want := range map[time.Duration]string{0: "nothing new has come since", 48 * time.Hour: "Cost data is arriving"} {
		info := outlay.ProviderInfo{LateAfter: after}
		got := Rollup(Facts{Now: now, Late: info.StaleAfter(), Title: "Nimbus", Looked: true, Sources: []SourceFacts{source}})
		if got.Status != outlay.Provisioned || !strings.Contains(got.Reason, want) {
			t.Errorf("late after %s: %s", info.StaleAfter(), got.Reason)
		}
	}
}

func TestInterval(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "hour", time.Hour: "hour", 2 * time.Hour: "2 hours", 90 * time.Minute: "90 minutes", time.Minute: "minute", 10 * time.Second: "10 seconds", time.Millisecond: "hour",
	} {
		if got := interval(d); got != want {
			t.Errorf("every %s, want every %s", got, want)
		}
	}
}

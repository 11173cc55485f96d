package web

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"outlay"
	"outlay/control"
)

type healthBody struct {
	Months              []outlay.Period
	Sources             []healthSource
	Troubles            []trouble
	Restated            []restated
	Overlaps            []overlap
	MayCheck, MayImport bool
	Now                 time.Time
}

// healthSource is one line of the grid: a source and the state of each month.
type healthSource struct {
	control.SourceView
	Cells []healthCell
	State string
	Late  bool
	// MayRemove tells whether the person may remove its history.
	MayRemove bool
}

type healthCell struct {
	Class string // full, arriving, restated, missing or none
	Text  string // what the cell says to a screen reader and in its title
}

type trouble struct {
	Source control.SourceView
	Unit   control.UnitView
}

// Passing tells that nothing went wrong yet: the delivery moved while it was read, and is read again.
func (t trouble) Passing() bool {
	return t.Unit.State != outlay.UnitQuarantined && t.Unit.Attempts == 0
}

type restated struct {
	Source     string
	Period     outlay.Period
	From, To   string // effective cost, for people
	Difference string
	Class      string
	LoadedAt   time.Time
}

// overlap is a month that two sources deliver, with the sub accounts in which they do.
type overlap struct {
	Period                outlay.Period
	WinnerName, LoserName string
	Accounts              []string
}

// lateAfter is the age of a source's newest delivery from which the page calls it late.
const lateAfter = 36 * time.Hour

// healthMonths is how many months the grid shows.
const healthMonths = 14

// dataHealth shows what was delivered and loaded, source by source and month by month.
func (s *site) dataHealth(c *call) error { return s.showDataHealth(c, nil, http.StatusOK) }

func (s *site) showDataHealth(c *call, e *outlay.Error, status int) error {
	sources, err := s.Control.Sources(c.r.Context(), c.actor)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	b := healthBody{MayCheck: c.actor.May(outlay.BillingCheck), MayImport: c.actor.May(outlay.CostsImport), Now: now}
	names := map[string]string{}
	for _, src := range sources {
		names[src.ID] = src.Name
	}
	b.Months = healthSpan(sources, now)
	for _, src := range sources {
		line := healthSource{SourceView: src, State: "On time", MayRemove: src.Removable && len(src.Periods) > 0 && mayRemove(c.actor, src)}
		for _, m := range b.Months {
			line.Cells = append(line.Cells, cellOf(src, m, now))
		}
		line.judge(now)
		b.Sources = append(b.Sources, line)
		for _, u := range newest(src.Troubled) {
			b.Troubles = append(b.Troubles, trouble{src, u})
		}
		for _, p := range src.Periods {
			if r, ok := restatement(src, p); ok && !growing(src, p, now) {
				b.Restated = append(b.Restated, r)
			}
		}
	}
	b.Overlaps = overlapsOf(sources, names)
	return s.show(c, "data-health", page{Title: "Data health", Active: "/data-health", Status: status, Error: e, Body: b})
}

// newest leaves of each month the delivery that counts: what a later one replaced is no trouble of anybody's.
func newest(units []control.UnitView) []control.UnitView {
	var out []control.UnitView
	for _, u := range units {
		i := slices.IndexFunc(out, func(o control.UnitView) bool { return o.Period == u.Period && o.State == u.State })
		switch {
		case i < 0:
			out = append(out, u)
		case u.Delivered.After(out[i].Delivered):
			out[i] = u
		}
	}
	return out
}

func mayRemove(a outlay.Actor, s control.SourceView) bool {
	if s.Origin == outlay.OriginFiles {
		return a.May(outlay.CostsImport)
	}
	return a.May(outlay.CostsImport) && a.May(outlay.BillingDeprovision)
}

// removeHistory removes what was loaded of a source that delivers no more, once its name was typed.
func (s *site) removeHistory(c *call) error {
	err := s.Control.RemoveHistory(c.r.Context(), c.actor, c.r.PathValue("id"), c.r.PostFormValue("confirm"))
	if err != nil {
		e, status, err := formProblem(c, err)
		if err != nil {
			return err
		}
		return s.showDataHealth(c, e, status)
	}
	return redirect(c, "/data-health")
}

// overlapsOf lists every overlap once, newest month first: each of its two sources names it, for every sub account.
func overlapsOf(sources []control.SourceView, names map[string]string) []overlap {
	type key struct {
		period        outlay.Period
		winner, loser string
	}
	accounts := map[key][]string{}
	for _, src := range sources {
		for _, o := range src.Overlaps {
			k := key{o.Period, o.Winner, o.Loser}
			if !slices.Contains(accounts[k], o.SubAccountID) {
				accounts[k] = append(accounts[k], o.SubAccountID)
			}
		}
	}
	var out []overlap
	for k, list := range accounts {
		out = append(out, overlap{k.period, nameOf(names, k.winner), nameOf(names, k.loser), list})
	}
	slices.SortFunc(out, func(x, y overlap) int {
		return cmp.Or(-cmp.Compare(x.Period, y.Period), cmp.Compare(x.WinnerName, y.WinnerName), cmp.Compare(x.LoserName, y.LoserName))
	})
	return out
}

func nameOf(names map[string]string, id string) string {
	if name, ok := names[id]; ok {
		return name
	}
	return id
}

// healthSpan is the months of the grid: up to the present one, back to the oldest that has anything.
func healthSpan(sources []control.SourceView, now time.Time) []outlay.Period {
	last := outlay.PeriodOf(now)
	first := last
	for _, src := range sources {
		for _, p := range src.Periods {
			first, last = min(first, p.Period), max(last, p.Period)
		}
		for _, u := range src.Troubled {
			first = min(first, u.Period)
		}
	}
	var out []outlay.Period
	for p := last; p >= first && len(out) < healthMonths && p != ""; p = outlay.PeriodOf(p.Start().AddDate(0, -1, 0)) {
		out = append(out, p)
	}
	slices.Reverse(out)
	return out
}

func cellOf(src control.SourceView, m outlay.Period, now time.Time) healthCell {
	for _, u := range src.Troubled {
		if u.Period == m && u.State == outlay.UnitQuarantined {
			return healthCell{"missing", month(m) + ": the newest delivery was rejected"}
		}
	}
	for _, p := range src.Periods {
		if p.Period != m {
			continue
		}
		text := month(m) + ": " + plural(int(p.Rows), "charge", "charges") + ", " + sumText(p.Sums, outlay.Effective)
		switch {
		case growing(src, p, now):
			return healthCell{"arriving", text + ", still arriving"}
		case p.Previous != nil && sumText(p.Previous, outlay.Effective) != sumText(p.Sums, outlay.Effective):
			return healthCell{"restated", text + ", restated from " + sumText(p.Previous, outlay.Effective)}
		}
		return healthCell{"", text}
	}
	return healthCell{"none", month(m) + ": no data"}
}

// growing tells that a month's data is not all there: the month is not over, or nothing was delivered since it was. What
// comes later adds to it and restates nothing.
func growing(src control.SourceView, p control.HeadView, now time.Time) bool {
	if src.Origin == outlay.OriginFiles {
		return false
	}
	return now.Before(p.Period.End()) || (src.Desired != outlay.Absent && p.DeliveredAt.Before(p.Period.End()))
}

// judge says in a few words how a source stands.
func (h *healthSource) judge(now time.Time) {
	switch {
	case h.Origin == outlay.OriginFiles:
		h.State = "Imported"
	case h.Desired == outlay.Absent:
		h.State = "Deprovisioned"
	case h.DeliveredAt.IsZero():
		h.State = "Waiting for the first delivery"
	case now.Sub(h.DeliveredAt) > lateAfter:
		h.State, h.Late = "Late by "+span(now.Sub(h.DeliveredAt)-24*time.Hour), true
	}
}

// restatement tells what a later version of a month changed.
func restatement(src control.SourceView, p control.HeadView) (restated, bool) {
	if p.Previous == nil {
		return restated{}, false
	}
	r := restated{Source: src.Name, Period: p.Period, From: sumText(p.Previous, outlay.Effective), To: sumText(p.Sums, outlay.Effective), LoadedAt: p.LoadedAt, Class: "flat"}
	if r.From == r.To {
		return r, false
	}
	for currency, sums := range p.Sums {
		if len(p.Sums) != 1 || len(p.Previous) != 1 {
			break // several currencies: no one difference
		}
		to, err := outlay.ParseAmount(sums[outlay.Effective], currency)
		from, err2 := outlay.ParseAmount(p.Previous[currency][outlay.Effective], currency)
		if err == nil && err2 == nil {
			d := to.Sub(from)
			r.Difference, r.Class = signed(d), "up"
			if d.Sign() < 0 {
				r.Class = "down"
			}
		}
	}
	return r, true
}

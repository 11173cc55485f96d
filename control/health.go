package control

import (
	"context"
	"slices"
	"time"

	"outlay"
)

// dataState is what the pages say about freshness.
type dataState struct {
	from, to        time.Time // bounds of all published charges
	complete        time.Time // exclusive end of the last complete day; zero when nothing is delivered on schedule
	onTime, sources int
	accounts        int
	heads           []outlay.Head
}

// dataState reads it from the published heads. A provider sends today and yesterday in parts, so a day counts as
// complete when charges after it have come and it is not one of these two (ui.md §2).
func (c *Control) dataState(ctx context.Context, org string) (dataState, error) {
	var s dataState
	var sources []outlay.Source
	err := c.deps.Store.ReadOrg(ctx, org, func(tx outlay.Tx) (err error) {
		accounts, err := tx.Accounts(ctx)
		if err != nil {
			return err
		}
		s.accounts = len(accounts)
		if sources, err = tx.Sources(ctx); err != nil {
			return err
		}
		s.heads, err = tx.Heads(ctx)
		return err
	})
	if err != nil {
		return s, err
	}
	now := c.deps.Clock.Now()
	yesterday := now.Truncate(24*time.Hour).AddDate(0, 0, -1)
	for _, src := range sources {
		var through, delivered time.Time
		for _, h := range s.heads {
			if h.SourceID != src.ID {
				continue
			}
			if start := h.Period.Start(); s.from.IsZero() || start.Before(s.from) {
				s.from = start
			}
			s.to, through, delivered = later(s.to, h.DataThrough), later(through, h.DataThrough), later(delivered, h.DeliveredAt)
		}
		if src.Desired != outlay.Present || src.Origin == outlay.OriginFiles || through.IsZero() {
			continue
		}
		s.sources++
		if now.Sub(delivered) < c.about(src.Provider).StaleAfter() {
			s.onTime++
		}
		day := through.Truncate(24 * time.Hour)
		if day.After(yesterday) {
			day = yesterday
		}
		if s.complete.IsZero() || day.Before(s.complete) {
			s.complete = day
		}
	}
	return s, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Sources lists the sources with their periods, for Data health.
func (c *Control) Sources(ctx context.Context, a outlay.Actor) ([]SourceView, error) {
	if err := a.Must(outlay.AccountsRead); err != nil {
		return nil, err
	}
	var out []SourceView
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		accounts, err := tx.Accounts(ctx)
		if err != nil {
			return err
		}
		sources, err := tx.Sources(ctx)
		if err != nil {
			return err
		}
		heads, err := tx.Heads(ctx)
		if err != nil {
			return err
		}
		units, err := tx.Units(ctx, "")
		if err != nil {
			return err
		}
		metered, err := tx.Metered(ctx)
		if err != nil {
			return err
		}
		for _, s := range sources {
			v := c.sourceView(s, accounts, heads, units)
			v.Reading = c.reading(s, metered)
			if s.Desired == outlay.Present && s.Origin != outlay.OriginFiles || len(v.Periods)+len(v.Troubled) > 0 {
				out = append(out, v)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	answer, err := c.deps.Costs.Query(ctx, a.OrgID, outlay.Query{})
	if err != nil {
		return nil, err
	}
	for i := range out {
		for _, o := range answer.Overlaps {
			if o.Winner == out[i].ID || o.Loser == out[i].ID {
				out[i].Overlaps = append(out[i].Overlaps, o)
			}
		}
	}
	return out, nil
}

func (c *Control) sourceView(s outlay.Source, accounts []outlay.CloudAccount, heads []outlay.Head, units []outlay.Unit) SourceView {
	v := SourceView{ID: s.ID, Name: s.Name, AccountID: s.AccountID, Origin: s.Origin, Desired: s.Desired, Removable: removable(s)}
	if s.Provider != "" {
		v.Provider = c.title(s.Provider)
	}
	if s.AccountID != "" {
		v.AccountName = accountTitle(accounts, s.AccountID)
	}
	for _, h := range heads {
		if h.SourceID == s.ID {
			v.Periods = append(v.Periods, headView(h, s.Name))
			v.DataThrough, v.DeliveredAt = later(v.DataThrough, h.DataThrough), later(v.DeliveredAt, h.DeliveredAt)
		}
	}
	slices.SortFunc(v.Periods, func(x, y HeadView) int { return compareText(string(y.Period), string(x.Period)) })
	for _, u := range units {
		if u.SourceID == s.ID && (u.State == outlay.UnitQuarantined || (u.State == outlay.UnitWaiting && u.Problem != nil)) {
			v.Troubled = append(v.Troubled, UnitView{ID: u.ID, Period: u.Period, State: u.State, Attempts: u.Attempts, Problem: u.Problem, Delivered: u.Delivery.Version})
		}
	}
	return v
}

func headView(h outlay.Head, source string) HeadView {
	v := HeadView{
		SourceID: h.SourceID, SourceName: source, Origin: h.Origin, Period: h.Period, Rows: h.Proof.Rows, Sums: h.Proof.Written, DataThrough: h.DataThrough, DeliveredAt: h.DeliveredAt,
		LoadedAt: h.PublishedAt, Rounded: h.Proof.Rounded, Unknown: h.Proof.Unknown, Notes: h.Proof.Notes,
	}
	if h.Previous != nil {
		v.Previous = h.Previous.Written
	}
	return v
}

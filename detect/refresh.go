package detect

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"outlay"
)

// Refresh recomputes the status of every account of an organization from what is stored, without a call to any
// provider. It is called after a period was published.
func (d *Detector) Refresh(ctx context.Context, orgID string) error { return d.refresh(ctx, orgID, "") }

// refresh is Refresh after a look at one account, whose status is found to be so now. Others are written only where
// they changed: each has its own look.
func (d *Detector) refresh(ctx context.Context, orgID, looked string) error {
	err := d.Store.ForOrg(ctx, orgID, func(tx outlay.Tx) error {
		s, err := d.state(ctx, tx)
		if err != nil {
			return err
		}
		if err := s.cover(ctx, tx, orgID, d.Clock.Now()); err != nil {
			return err
		}
		for _, a := range s.accounts {
			before := a.Status
			a.Status = Rollup(s.facts(a, d.Clock.Now()))
			if a.ID != looked && same(before, a.Status) {
				continue
			}
			if a.Status.Status != before.Status {
				d.Log.InfoContext(ctx, "billing status changed", "org", orgID, "account", a.ID, "from", before.Status, "to", a.Status.Status)
			}
			if err := tx.PutAccount(ctx, a); err != nil {
				return fmt.Errorf("write the status of %s: %w", a.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("refresh billing status: %w", err)
	}
	return nil
}

// same tells whether two statuses differ in nothing but when they were found.
func same(a, b outlay.BillingStatus) bool {
	a.At, b.At = time.Time{}, time.Time{}
	for _, s := range []*outlay.BillingStatus{&a, &b} {
		data := axis(s.Axes, AxisData)
		data.At = time.Time{}
		s.Axes = withAxis(s.Axes, data)
	}
	return reflect.DeepEqual(a, b)
}

// state is what the store holds of one organization that statuses depend on.
type state struct {
	accounts []outlay.CloudAccount
	sources  []outlay.Source
	heads    map[string][]outlay.Head   // by source
	coverage map[string]outlay.Coverage // by source and sub account: the surest basis
	listed   map[string]bool            // sources whose members the provider listed
	looks    map[string]outlay.Task
	runs     map[string]outlay.Operation // the active one, by source
	about    map[outlay.ProviderName]outlay.ProviderInfo
}

func (d *Detector) state(ctx context.Context, tx outlay.Tx) (*state, error) {
	s := &state{
		heads: map[string][]outlay.Head{}, coverage: map[string]outlay.Coverage{}, listed: map[string]bool{},
		runs: map[string]outlay.Operation{}, about: map[outlay.ProviderName]outlay.ProviderInfo{},
	}
	var err error
	if s.accounts, err = tx.Accounts(ctx); err != nil {
		return nil, err
	}
	if s.sources, err = tx.Sources(ctx); err != nil {
		return nil, err
	}
	heads, err := tx.Heads(ctx)
	if err != nil {
		return nil, err
	}
	for _, h := range heads {
		s.heads[h.SourceID] = append(s.heads[h.SourceID], h)
	}
	covered, err := tx.Coverage(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, c := range current(covered) {
		s.listed[c.SourceID] = s.listed[c.SourceID] || c.Basis == outlay.CoveredByMembership
		if k := c.SourceID + " " + c.SubAccountID; surer(c.Basis, s.coverage[k].Basis) {
			s.coverage[k] = c
		}
	}
	if s.looks, err = lookTasks(ctx, tx); err != nil {
		return nil, err
	}
	ops, err := tx.Operations(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, o := range ops {
		if o.Status.Active() {
			s.runs[o.SourceID] = o
		}
	}
	for name, p := range d.Providers {
		s.about[name] = p.About()
	}
	return s, nil
}

// memberGrace is how long a member may be absent from lists that name others before it counts as gone: a list may have
// been read in part.
const memberGrace = 24 * time.Hour

// current leaves out members that the provider does not list any more: accounts that moved to another payer.
func current(covered []outlay.Coverage) []outlay.Coverage {
	newest := map[string]time.Time{}
	for _, c := range covered {
		if c.Basis == outlay.CoveredByMembership && c.SeenAt.After(newest[c.SourceID]) {
			newest[c.SourceID] = c.SeenAt
		}
	}
	return slices.DeleteFunc(slices.Clone(covered), func(c outlay.Coverage) bool {
		return c.Basis == outlay.CoveredByMembership && newest[c.SourceID].Sub(c.SeenAt) > memberGrace
	})
}

// surer tells whether a basis says more than another: charges that were seen, then what the provider lists, then the rule.
func surer(a, b outlay.CoverageBasis) bool {
	order := []outlay.CoverageBasis{"", outlay.CoveredByRule, outlay.CoveredByMembership, outlay.CoveredBySeen}
	return slices.Index(order, a) > slices.Index(order, b)
}

// cover writes down which sub accounts occur in published charges, as far as that is news.
func (s *state) cover(ctx context.Context, tx outlay.Tx, orgID string, now time.Time) error {
	for sourceID, heads := range s.heads {
		for _, h := range heads {
			for _, sub := range h.SubAccounts {
				key := sourceID + " " + sub.ID
				if sub.ID == "" || s.coverage[key].Basis == outlay.CoveredBySeen {
					continue
				}
				c := outlay.Coverage{OrgID: orgID, SourceID: sourceID, SubAccountID: sub.ID, Name: sub.Name, Basis: outlay.CoveredBySeen, SeenAt: now}
				if err := tx.PutCoverage(ctx, c); err != nil {
					return fmt.Errorf("write coverage: %w", err)
				}
				s.coverage[key] = c
			}
		}
	}
	return nil
}

// facts gathers what the status of one account is rolled up from.
func (s *state) facts(a outlay.CloudAccount, now time.Time) Facts {
	info := s.about[a.Provider]
	f := Facts{
		Now: now, Title: info.Title, FirstData: info.FirstData, Late: info.StaleAfter(), Previous: a.Status, NextLook: next(s.looks[a.ID], now), Every: s.looks[a.ID].Every,
		Looked: a.Status.Status != "" && a.Status.Status != outlay.Checking || axis(a.Status.Axes, AxisCredential).State == outlay.AxisGood,
	}
	if f.Title == "" {
		f.Title = string(a.Provider)
	}
	for _, src := range s.sources {
		if src.Provider == a.Provider {
			f.Sources = append(f.Sources, s.sourceFacts(src, a))
		}
	}
	return f
}

// next is when an account is looked at after now: a look that is due is under way.
func next(t outlay.Task, now time.Time) time.Time {
	if t.NextAt.After(now) || t.Subject == "" {
		return t.NextAt
	}
	return now.Add(t.Every)
}

func (s *state) sourceFacts(src outlay.Source, a outlay.CloudAccount) SourceFacts {
	f := SourceFacts{
		ID: src.ID, OwnerID: src.AccountID, Own: src.AccountID == a.ID, Wanted: src.Desired == outlay.Present,
		Made: src.Origin != outlay.OriginCreated, Published: slices.ContainsFunc(s.heads[src.ID], holdsCharges),
	}
	for _, owner := range s.accounts {
		if owner.ID == src.AccountID {
			f.OwnerName = owner.Name
		}
	}
	for _, r := range src.Resources {
		f.Made = f.Made || exists(r)
		if r.State == outlay.StateMissing {
			f.Missing = append(f.Missing, r.Name)
		}
	}
	if run, ok := s.runs[src.ID]; ok {
		f.Running = run.Status != outlay.OpWaiting
		if run.Status == outlay.OpWaiting && run.Problem != nil {
			f.Waits = run.Problem.Message
			f.Asks, f.AskedAt = run.Problem.Manual != nil, run.Problem.Since
		}
	}
	f.Ended, f.Imported = ended(src), src.Origin == outlay.OriginImported
	id := a.Identity.AccountID
	if f.Basis = s.basis(src, a.Identity); f.Basis != "" {
		f.Member = true
	}
	for _, h := range s.heads[src.ID] {
		f.reach(h, id)
	}
	return f
}

// holdsCharges tells whether there is a charge in a published month: a first delivery may be empty.
func holdsCharges(h outlay.Head) bool { return !h.DataThrough.IsZero() }

// basis says how we know that an account is covered by a source; "" when nothing says so. The rule holds only as long as
// neither the source's members nor the account's own payer could be read. A source on an account that is not the one
// invoiced brings that account's costs alone, whatever scope the others share with it.
func (s *state) basis(src outlay.Source, is outlay.Identity) outlay.CoverageBasis {
	if is.AccountID == "" {
		return ""
	}
	found := s.coverage[src.ID+" "+is.AccountID].Basis
	if found == outlay.CoveredByRule && (s.listed[src.ID] || !unplaced(is)) {
		found = ""
	}
	if surer(outlay.CoveredByMembership, found) && src.Scope.IsPayer && src.Scope.ID != "" && src.Scope.ID == is.Scope.ID {
		return outlay.CoveredByMembership
	}
	return found
}

// ended says in a few words why a source delivers no more.
func ended(src outlay.Source) string {
	if src.Origin == outlay.OriginImported {
		return "its export is not read any more"
	}
	for _, r := range src.Resources {
		if r.State == outlay.StateAbandoned {
			return "the set-up was given up"
		}
	}
	return "billing was deprovisioned"
}

// reach adds what one published period says about the account: its own charges where it has any, or those of the
// whole source for the source's owner.
func (f *SourceFacts) reach(h outlay.Head, accountID string) {
	through, counts := h.DataThrough, f.Own
	for _, sub := range h.SubAccounts {
		if accountID != "" && sub.ID == accountID {
			f.Covers, counts = true, true
			if !f.Own && !sub.To.IsZero() {
				through = sub.To
			}
		}
	}
	if !counts {
		return
	}
	if through.After(f.DataThrough) {
		f.DataThrough = through
	}
	if h.DeliveredAt.After(f.DeliveredAt) {
		f.DeliveredAt = h.DeliveredAt
	}
}

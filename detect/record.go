package detect

import (
	"context"
	"fmt"
	"slices"
	"time"

	"outlay"
)

// notSeen marks a ledger row whose resource was not found by the last look. The second time in a row it is missing.
const notSeen = "not found by the last look"

// record writes down what a look found. A look that found out nothing writes only that, and since when.
func (v *visit) record(ctx context.Context) error {
	err := v.Store.ForOrg(ctx, v.orgID, func(tx outlay.Tx) error {
		for i := range v.sources {
			if err := v.recordSource(ctx, tx, &v.sources[i]); err != nil {
				return err
			}
		}
		return v.recordAccount(ctx, tx)
	})
	if err != nil {
		return err
	}
	for _, s := range v.sources {
		if err := v.repair(ctx, s); err != nil {
			return err
		}
	}
	v.Wake()
	return nil
}

// recordAccount writes the axes of the look on the account as it is now: others may have changed it meanwhile.
func (v *visit) recordAccount(ctx context.Context, tx outlay.Tx) error {
	a, err := tx.Account(ctx, v.account.ID)
	if err != nil {
		return err
	}
	now := v.Clock.Now()
	if v.failed == nil {
		a.Status.CouldNotCheckSince, a.Status.CouldNotCheckWhy = time.Time{}, ""
	} else {
		if a.Status.CouldNotCheckSince.IsZero() {
			a.Status.CouldNotCheckSince = now
		}
		a.Status.CouldNotCheckWhy = outlay.AsError(v.failed).Message
	}
	if a.Identity.AccountID == "" || a.Identity.AccountID == v.account.Identity.AccountID {
		a.Identity = v.account.Identity
	}
	a.Status.Axes, a.Status.Notes = v.axes(a.Status.Axes), v.notes(a.Status.Notes)
	return tx.PutAccount(ctx, a)
}

// recordSource brings the ledger, the coverage and the list of deliveries up to what was seen.
func (v *visit) recordSource(ctx context.Context, tx outlay.Tx, s *source) error {
	if err := v.recordReading(ctx, tx, s); err != nil {
		return err
	}
	if err := s.meanwhile(ctx, tx); err != nil || !s.observed {
		return err
	}
	if s.Origin == outlay.OriginImported {
		if err := v.recordImported(ctx, tx, s); err != nil {
			return err
		}
	} else if !s.busy { // a run keeps its ledger itself
		for _, row := range s.Resources {
			if err := v.recordResource(ctx, tx, s, row); err != nil {
				return err
			}
		}
	}
	if err := v.recordTags(ctx, tx, s); err != nil {
		return err
	}
	if err := v.recordLeftovers(ctx, tx, s); err != nil {
		return err
	}
	if err := v.recordMembers(ctx, tx, s); err != nil {
		return err
	}
	if err := v.resume(ctx, tx, s); err != nil {
		return err
	}
	for _, delivery := range s.deliveries {
		if err := v.recordDelivery(ctx, tx, s, delivery); err != nil {
			return err
		}
	}
	return nil
}

// meanwhile finds out what happened to the source since it was loaded: a look takes a while. What a run that began
// meanwhile wrote down is newer than what this look saw, and of a source that is not wanted any more nothing is kept.
func (s *source) meanwhile(ctx context.Context, tx outlay.Tx) error {
	is, err := tx.Source(ctx, s.ID)
	if err != nil {
		return err
	}
	ops, err := tx.Operations(ctx, s.ID)
	if err != nil {
		return err
	}
	s.busy = s.busy || len(ops) != s.runs
	if is.Desired != outlay.Present {
		s.observed, s.left = false, nil
	}
	return nil
}

// recordLeftovers lists what carries our marks and is not in our ledger, as after a restore of an older database. A
// person decides; nothing deletes it by itself (reliability.md §3.4).
func (v *visit) recordLeftovers(ctx context.Context, tx outlay.Tx, s *source) error {
	if s.Origin == outlay.OriginImported {
		return nil // what stands there is somebody else's, whatever its marks say
	}
	for _, live := range s.seen.Resources {
		known := slices.ContainsFunc(s.Resources, func(r outlay.Resource) bool { return r.Name == live.Name })
		if s.busy || known || len(live.Owner) == 0 || live.State == outlay.StateForeign {
			continue
		}
		live.OrgID, live.SourceID, live.State, live.Origin = v.orgID, s.ID, outlay.StateUnknown, outlay.PreExisting
		live.LastSeen, live.LastError = v.Clock.Now(), "carries our marks, but we have no record of making it"
		if err := tx.PutResource(ctx, live); err != nil {
			return fmt.Errorf("list a leftover: %w", err)
		}
	}
	return nil
}

// recordDelivery makes a new delivery due for loading; one that is known already is not.
func (v *visit) recordDelivery(ctx context.Context, tx outlay.Tx, s *source, delivery outlay.Delivery) error {
	now := v.Clock.Now()
	unit, fresh, err := tx.AddUnit(ctx, outlay.Unit{
		OrgID: v.orgID, ID: outlay.NewID("unt"), SourceID: s.ID, Period: delivery.Period,
		Delivery: delivery, State: outlay.UnitWaiting, SeenAt: now,
	})
	if err != nil {
		return fmt.Errorf("note a delivery: %w", err)
	}
	if !fresh {
		return nil
	}
	return tx.PutTask(ctx, outlay.Task{OrgID: v.orgID, Kind: TaskIngest, Subject: unit.ID, NextAt: now})
}

// recordResource brings one ledger row up to what was seen. What a run is about to make stays as it is.
func (v *visit) recordResource(ctx context.Context, tx outlay.Tx, s *source, row outlay.Resource) error {
	change, differs := s.change(row.Key())
	live, there := s.seen.Find(row.Kind, row.Name)
	before := row.State
	switch {
	case there:
		row.LastSeen = v.Clock.Now()
		if row.State != outlay.StateUnknown {
			row.LastError = ""
		}
		if live.Properties != nil {
			row.Properties = live.Properties
		}
		if differs && change.Hold != "" {
			row.LastError = change.Hold
		}
		if !differs && settledState(row.State) {
			row.State = outlay.StateVerified
		}
	case differs && change.Hold != "":
		row.LastError = change.Hold
	case differs && change.Action == outlay.ActionCreate && exists(row) && s.unread() == nil:
		if row.LastError == notSeen {
			row.State = outlay.StateMissing
		}
		row.LastError = notSeen
	default:
		return nil
	}
	if before != row.State {
		v.Log.InfoContext(ctx, "resource changed", "org", v.orgID, "source", s.ID, "resource", row.Key(), "from", before, "to", row.State)
	}
	s.note(row)
	return tx.PutResource(ctx, row)
}

// settledState tells whether a row in this state becomes verified by being seen as wanted.
func settledState(s outlay.ResourceState) bool {
	switch s {
	case outlay.StateCreated, outlay.StateVerified, outlay.StateMissing, outlay.StateWaiting:
		return true
	}
	return false
}

// note keeps the row that was written beside what was loaded, for the axes.
func (s *source) note(row outlay.Resource) {
	for i := range s.Resources {
		if s.Resources[i].Key() == row.Key() {
			s.Resources[i] = row
		}
	}
}

func (s *source) change(key string) (outlay.Change, bool) {
	for _, c := range s.left {
		if c.Key() == key {
			return c, true
		}
	}
	return outlay.Change{}, false
}

// repair hands those changes that may be made without asking to an operation. While another holds the scope, the next
// look tries again.
func (v *visit) repair(ctx context.Context, s source) error {
	var plan outlay.Plan
	for _, c := range s.left {
		if c.Auto && c.Hold == "" {
			plan.Changes = append(plan.Changes, c)
		}
	}
	if len(plan.Changes) == 0 || s.busy {
		return nil
	}
	err := v.Store.ForOrg(ctx, v.orgID, func(tx outlay.Tx) error {
		_, err := tx.AddOperation(ctx, outlay.Operation{
			OrgID: v.orgID, ID: outlay.NewID("run"), Kind: outlay.OpReconcile, SourceID: s.ID, AccountID: v.account.ID,
			Provider: s.Provider, ScopeID: s.Scope.ID, Status: outlay.OpQueued, Plan: plan, PlanHash: plan.Hash(), CreatedAt: v.Clock.Now(),
		})
		return err
	})
	if outlay.CodeOf(err) == outlay.CodeConflict {
		return nil
	}
	return err
}

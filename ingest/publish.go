package ingest

import (
	"context"
	"fmt"
	"slices"

	"outlay"
)

// publish moves the head in one conditional statement, together with everything that must agree with it. errOlder
// when a version at least as new is on show, errTaken when this attempt no longer owns the unit.
func (g *Ingest) publish(ctx context.Context, l *load, h outlay.Head) error {
	return g.o.Store.ForOrg(ctx, h.OrgID, func(tx outlay.Tx) error {
		u, err := tx.Unit(ctx, l.unit.ID)
		if outlay.CodeOf(err) == outlay.CodeNotFound {
			return errTaken
		}
		if err != nil {
			return err
		}
		if u.State != outlay.UnitLoading || u.Attempts != l.unit.Attempts {
			return errTaken
		}
		h.PublishedAt = g.o.Clock.Now()
		if err := tx.Publish(ctx, h); err != nil {
			if outlay.CodeOf(err) == outlay.CodeConflict {
				return errOlder
			}
			return err
		}
		u.State, u.Problem, u.Proof, u.LoadedAt = outlay.UnitPublished, nil, &h.Proof, h.PublishedAt
		if err := tx.PutUnit(ctx, u); err != nil {
			return err
		}
		if err := supersede(ctx, tx, u); err != nil {
			return err
		}
		if err := cover(ctx, tx, h); err != nil {
			return err
		}
		return g.ensureTidy(ctx, tx, h.OrgID)
	})
}

// supersede ends the units of the same period that are older than what was published, and their tasks.
func supersede(ctx context.Context, tx outlay.Tx, published outlay.Unit) error {
	units, err := tx.Units(ctx, published.SourceID)
	if err != nil {
		return err
	}
	for _, u := range units {
		if u.Period != published.Period || u.ID == published.ID || u.State == outlay.UnitSuperseded || u.Delivery.Version.After(published.Delivery.Version) {
			continue
		}
		waits := u.State == outlay.UnitWaiting
		u.State = outlay.UnitSuperseded
		if err := tx.PutUnit(ctx, u); err != nil {
			return err
		}
		if waits {
			if err := tx.DeleteTask(ctx, TaskIngest, u.ID); err != nil && outlay.CodeOf(err) != outlay.CodeNotFound {
				return err
			}
		}
	}
	return nil
}

// cover notes the sub accounts whose charges were seen: they are what makes an account Provisioned.
func cover(ctx context.Context, tx outlay.Tx, h outlay.Head) error {
	for _, s := range h.SubAccounts {
		if s.ID == "" {
			continue
		}
		c := outlay.Coverage{OrgID: h.OrgID, SourceID: h.SourceID, SubAccountID: s.ID, Name: s.Name, Basis: outlay.CoveredBySeen, SeenAt: h.PublishedAt}
		if err := tx.PutCoverage(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// finish does what follows a publish. Each part may be done twice; a crash between them is repaired by the task's next
// turn.
func (g *Ingest) finish(ctx context.Context, l *load) error {
	u := l.unit
	if err := g.align(ctx, outlay.Partition{OrgID: u.OrgID, SourceID: u.SourceID, Period: u.Period}); err != nil {
		return err
	}
	g.o.Points(pointAligned)
	g.tell(ctx, u.OrgID)
	g.o.Points(pointTold)
	if err := g.sweepUnit(u.OrgID, u.ID); err != nil {
		return err
	}
	g.o.Points(pointCleaned)
	return nil
}

// tell refreshes what depends on the charges. The charges are published already: a failure is for the log, and for the
// next look to repair.
func (g *Ingest) tell(ctx context.Context, orgID string) {
	if err := g.o.Published(ctx, orgID); err != nil {
		g.o.Log.Warn("refresh after a publish", "org", orgID, "err", err)
	}
}

// alignTries bounds how often align chases a head that moves.
const alignTries = 20

// align makes the lake's current snapshot hold what the head names. Two loads of a period may commit to the lake in
// another order than they publish; whoever commits or publishes looks afterwards, so the last one leaves them equal.
func (g *Ingest) align(ctx context.Context, p outlay.Partition) error {
	for range alignTries {
		var head *outlay.Head
		err := g.o.Store.ReadOrg(ctx, p.OrgID, func(tx outlay.Tx) (err error) {
			head, err = headOf(ctx, tx, p.SourceID, p.Period)
			return err
		})
		if err != nil {
			return fmt.Errorf("comparing the lake with what is published: %w", err)
		}
		if head == nil {
			head = &outlay.Head{Generation: outlay.NewID("gen")} // a period without a head is empty
		}
		there, err := g.o.Lake.Files(ctx, 0, p)
		if err != nil {
			return fmt.Errorf("comparing the lake with what is published: %w", err)
		}
		if slices.Equal(paths(there), paths(head.Files)) {
			return nil
		}
		if _, err := g.o.Lake.Replace(ctx, p, head.Generation, head.Files); err != nil {
			return fmt.Errorf("bringing the lake to what is published: %w", err)
		}
	}
	return outlay.Errorf(outlay.CodeUnavailable, "It is tried again by itself.", "%s of source %s changes too fast", p.Period, p.SourceID)
}

func paths(files []outlay.DataFile) []string {
	out := make([]string, 0, len(files))
	for _, f := range files {
		out = append(out, f.Path)
	}
	slices.Sort(out)
	return out
}

package ingest

import (
	"context"
	"fmt"

	"outlay"
)

// RemoveHistory makes everything that was loaded of a source disappear: its heads, its waiting units and its files. A load that is under way cannot publish any more. A crash between the parts is repaired
// by doing it again, or by Tidy.
func (g *Ingest) RemoveHistory(ctx context.Context, orgID, sourceID string) error {
	err := g.o.Store.ForOrg(ctx, orgID, func(tx outlay.Tx) error {
		if err := tx.DeleteHeads(ctx, sourceID); err != nil {
			return err
		}
		if err := retire(ctx, tx, sourceID); err != nil {
			return err
		}
		return tx.Append(ctx, outlay.Entry{
			OrgID: orgID, At: g.o.Clock.Now(), Actor: "system", ActorName: "Outlay", Action: "costs:remove-history", Object: "source " + sourceID, Result: "ok",
		})
	})
	if err != nil {
		return fmt.Errorf("removing the history of source %s: %w", sourceID, err)
	}
	g.o.Points(pointHistoryForgotten)
	if err := g.o.Lake.Remove(ctx, orgID, sourceID); err != nil {
		return err
	}
	g.o.Points(pointHistoryRemoved)
	g.tell(ctx, orgID)
	return nil
}

// retire ends a source's units and their tasks. A load under way finds its unit superseded and does not publish.
func retire(ctx context.Context, tx outlay.Tx, sourceID string) error {
	units, err := tx.Units(ctx, sourceID)
	if err != nil {
		return err
	}
	for _, u := range units {
		task := u.State == outlay.UnitWaiting || u.State == outlay.UnitLoading
		u.State = outlay.UnitSuperseded
		if err := tx.PutUnit(ctx, u); err != nil {
			return err
		}
		if !task {
			continue
		}
		if err := tx.DeleteTask(ctx, TaskIngest, u.ID); err != nil && outlay.CodeOf(err) != outlay.CodeNotFound {
			return err
		}
	}
	return nil
}

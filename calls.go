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

type meterKey struct{}

type meter struct{ queries, bytes atomic.Int64 }

// Metered is what reading a source's data cost in one calendar month: queries and the bytes that the provider bills.
type Metered struct {
	OrgID, SourceID string
	Month           Period
	Queries, Bytes  int64
}

// WithMeter returns a context in which billed reads are counted, and the count so far.
func WithMeter(ctx context.Context) (context.Context, func() (queries, bytes int64)) {
	m := new(meter)
	return context.WithValue(ctx, meterKey{}, m), func() (int64, int64) { return m.queries.Load(), m.bytes.Load() }
}

// CountBilled counts one query that the provider bills, with the bytes that it bills for. A provider calls it once per
// query that ran, failed ones included where they are billed.
func CountBilled(ctx context.Context, bytes int64) {
	if m, ok := ctx.Value(meterKey{}).(*meter); ok {
		m.queries.Add(1)
		m.bytes.Add(bytes)
	}
}

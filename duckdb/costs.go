package duckdb

import (
	"context"
	"time"

	"outlay"
)

// Options is what Costs needs.
type Options struct {
	// Heads gives an organization's published heads and a number that changes whenever one of them does.
	Heads func(ctx context.Context, orgID string) (heads []outlay.Head, version int64, err error)
	// CacheDir receives the serving databases. It holds nothing that the lake does not: it may be deleted at any time.
	CacheDir    string
	MemoryLimit int64 // of the engine, in bytes; 0 means 1 GiB
	Threads     int   // and queries at once; 0 means the number of cores
	Clock       outlay.Clock
}

// Costs answers queries over published charges. It implements outlay.CostStore.
type Costs struct{ opts Options }

// Open prepares the engine. Close releases it.
func Open(o Options) (*Costs, error) { return &Costs{opts: o}, nil }

// Query implements outlay.CostStore.
func (c *Costs) Query(ctx context.Context, orgID string, q outlay.Query) (outlay.Answer, error) {
	return outlay.Answer{}, outlay.Errorf(outlay.CodeInternal, "", "queries are not built yet")
}

// Values implements outlay.CostStore.
func (c *Costs) Values(ctx context.Context, orgID string, d outlay.Dimension, from, to time.Time, limit int) ([]outlay.Value, error) {
	return nil, outlay.Errorf(outlay.CodeInternal, "", "queries are not built yet")
}

// Close releases the engine.
func (c *Costs) Close() error { return nil }

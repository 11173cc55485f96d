package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	engine "github.com/duckdb/duckdb-go/v2"

	"outlay"
)

// Options is what Costs needs.
type Options struct {
	// Heads gives an organization's published heads and a number that changes whenever one of them does.
	Heads func(ctx context.Context, orgID string) (heads []outlay.Head, version int64, err error)
	// CacheDir receives the serving databases; this process must have it alone. It holds nothing that the lake does
	// not: Open clears it.
	CacheDir    string
	MemoryLimit int64 // of the engine, in bytes; 0 means 1 GiB
	Threads     int   // of the engine, and queries at once; 0 means the number of cores
	Clock       outlay.Clock
	// LakeOnly answers every question from the lake's files: to measure what the rollups save, and to hold them
	// against the lake.
	LakeOnly bool
}

// Costs answers queries over published charges. It implements outlay.CostStore.
type Costs struct {
	opts   Options
	dir    string
	db     *sql.DB
	gens   generations
	builds flights
	asks   flights
	kept   results
	serial atomic.Int64  // of serving databases, so that two never share a name
	slots  chan struct{} // admission: as many queries at once as the engine has threads
	lake   chan struct{} // and one over the lake's own files
}

// Open prepares the engine. Close releases it.
func Open(o Options) (*Costs, error) {
	dir, err := filepath.Abs(filepath.Join(o.CacheDir, "serving"))
	if err != nil {
		return nil, fmt.Errorf("finding the serving folder: %w", err)
	}
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return nil, diskOr(err, "clearing the serving folder")
	}
	threads := cmp.Or(o.Threads, runtime.NumCPU())
	db, err := openEngine(context.Background(), []string{
		fmt.Sprintf("SET memory_limit='%dMiB'", cmp.Or(o.MemoryLimit, defaultMemory)>>20), fmt.Sprintf("SET threads=%d", threads),
		"SET temp_directory=" + text(filepath.Join(dir, "spill")), "SET preserve_insertion_order=true", "SET lock_configuration=true",
	})
	if err != nil {
		return nil, err
	}
	db.SetMaxIdleConns(threads + 2)
	c := &Costs{opts: o, dir: dir, db: db, slots: make(chan struct{}, threads), lake: make(chan struct{}, 1)}
	c.gens.orgs = map[string]*generation{}
	return c, nil
}

// Close releases the engine and removes the serving databases.
func (c *Costs) Close() error { return errors.Join(c.db.Close(), os.RemoveAll(c.dir)) }

// Refresh makes the organization's serving database ready, so that the next query need not wait for it. Call it after
// a publish.
func (c *Costs) Refresh(ctx context.Context, orgID string) error {
	_, release, err := c.acquireCurrent(ctx, orgID)
	if err != nil {
		return err
	}
	release()
	return nil
}

// acquireCurrent is acquire, again when heads move meanwhile.
func (c *Costs) acquireCurrent(ctx context.Context, orgID string) (*generation, func(), error) {
	for {
		g, release, err := c.acquire(ctx, orgID)
		if errors.Is(err, errMoved) && ctx.Err() == nil {
			continue
		}
		return g, release, err
	}
}

// Query implements outlay.CostStore. The rows of an answer are shared with other callers: do not change their slices.
func (c *Costs) Query(ctx context.Context, orgID string, q outlay.Query) (outlay.Answer, error) {
	asked, err := check(q)
	if err != nil {
		return outlay.Answer{}, err
	}
	g, release, err := c.acquireCurrent(ctx, orgID)
	if err != nil {
		return outlay.Answer{}, err
	}
	defer release()
	answer := outlay.Answer{DataFrom: g.from, DataTo: g.to, Overlaps: slices.Clone(g.overlaps)}
	rows, err := c.rows(ctx, g, asked)
	if err != nil {
		return outlay.Answer{}, err
	}
	answer.Rows = slices.Clone(rows)
	return answer, nil
}

// rows answers a question over one generation, from what is kept if it can.
func (c *Costs) rows(ctx context.Context, g *generation, q question) ([]outlay.Row, error) {
	id, err := json.Marshal(q.Query)
	if err != nil {
		return nil, fmt.Errorf("naming the query: %w", err)
	}
	key := g.hash + " " + string(id)
	if kept, ok := c.kept.get(key); ok {
		return kept.([]outlay.Row), nil
	}
	done, err := c.asks.do(ctx, key, func(ctx context.Context) (any, error) {
		// The asker may leave before the answer comes: the generation is held for the asking itself.
		c.gens.mu.Lock()
		release := c.hold(g)
		c.gens.mu.Unlock()
		defer release()
		rows, err := c.ask(ctx, g, q)
		if err == nil {
			c.kept.put(key, rows, len(rows))
		}
		return rows, err
	})
	if err != nil {
		return nil, err
	}
	return done.([]outlay.Row), nil
}

// queryLimit ends a query that takes longer than anybody waits for.
const queryLimit = 2 * time.Minute

// ask runs a question on the smallest table that has its columns.
func (c *Costs) ask(ctx context.Context, g *generation, q question) ([]outlay.Row, error) {
	ctx, cancel := context.WithTimeout(ctx, queryLimit)
	defer cancel()
	r, rolled := rollupFor(q.columns())
	t := servingTable(g.serving, r)
	if !rolled || c.opts.LakeOnly {
		files := g.lakeFiles(q)
		if len(files) == 0 {
			return nil, nil
		}
		t = lakeTable(g.schema, files)
		if err := enter(ctx, c.lake); err != nil {
			return nil, err
		}
		defer func() { <-c.lake }()
	}
	s, err := q.compile(t)
	if err != nil {
		return nil, err
	}
	if err := enter(ctx, c.slots); err != nil {
		return nil, err
	}
	defer func() { <-c.slots }()
	rows, err := c.run(ctx, s, len(q.group))
	if err != nil {
		return nil, err
	}
	return rows, c.name(ctx, g, q.group, rows)
}

// enter waits for a place among those that may ask at once.
func enter(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return outlay.Errorf(outlay.CodeUnavailable, "Ask again in a moment.", "too many questions are being answered")
	}
}

// lakeFiles are the data files that can hold rows of the question.
func (s *serving) lakeFiles(q question) []string {
	var out []string
	for _, h := range s.heads {
		var from, to time.Time
		for _, a := range h.SubAccounts {
			if from.IsZero() || a.From.Before(from) {
				from = a.From
			}
			if a.To.After(to) {
				to = a.To
			}
		}
		if !q.To.IsZero() && !from.Before(q.To) || !q.From.IsZero() && to.Before(q.From) {
			continue
		}
		for _, f := range h.Files {
			out = append(out, f.Path)
		}
	}
	return out
}

// run reads a statement's rows.
func (c *Costs) run(ctx context.Context, s statement, groups int) ([]outlay.Row, error) {
	rows, err := c.db.QueryContext(ctx, s.sql, s.args...)
	if err != nil {
		return nil, engineFailure(err, "asking the engine")
	}
	defer func() { _ = rows.Close() }()
	var out []outlay.Row
	var bucket *time.Time
	var sums [4]engine.Decimal
	for rows.Next() {
		r := outlay.Row{Keys: make([]string, groups), Names: make([]string, groups)}
		targets := []any{&bucket}
		for i := range groups {
			targets = append(targets, &r.Keys[i])
		}
		targets = append(targets, &r.Currency, &r.Charges)
		for i := range sums {
			targets = append(targets, &sums[i])
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("reading an answer: %w", err)
		}
		if bucket != nil {
			r.Bucket = bucket.UTC()
		}
		for i, d := range sums {
			r.Amounts[i] = outlay.NewAmount(d.Value, int(d.Scale), r.Currency)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, engineFailure(err, "reading an answer")
	}
	return out, nil
}

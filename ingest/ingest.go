// Package ingest takes one delivery into the lake: fetch, check, normalise, prove, publish. What it publishes is a whole
// version of a billing month or nothing; a process that dies anywhere leaves the version before on show, and garbage
// that is collected later (reliability.md §4).
package ingest

import (
	"context"
	"log/slog"
	"time"

	"outlay"
	"outlay/operation"
)

// Kinds of tasks that this room does.
const (
	TaskIngest = "ingest" // Subject is a unit
	TaskTidy   = "tidy"   // Subject is the organization
)

// Lake is where published files lie. A partition is replaced whole or not at all.
type Lake interface {
	// Stage makes a new folder for a generation's files.
	Stage(ctx context.Context, orgID, sourceID, generation string) (dir string, err error)
	// Replace swaps a partition's files in one commit and returns the snapshot; repeating it is safe.
	Replace(ctx context.Context, p outlay.Partition, generation string, files []outlay.DataFile) (snapshot int64, err error)
	// Files lists a partition's files in a snapshot, by path; 0 is the current one.
	Files(ctx context.Context, snapshot int64, p outlay.Partition) ([]outlay.DataFile, error)
	// Partitions lists what the current snapshot holds.
	Partitions(ctx context.Context, orgID string) ([]outlay.Partition, error)
	// Remove empties a source's partitions and deletes its files.
	Remove(ctx context.Context, orgID, sourceID string) error
	// Collect forgets what no head names and nobody may still be reading.
	Collect(ctx context.Context, orgID string, keep []outlay.Head) error
}

// Options says what an Ingest works with. Store, Lake, Parser, Staging and Clock have no default.
type Options struct {
	Store     outlay.Store
	Providers map[outlay.ProviderName]outlay.Provider
	Lake      Lake
	Parser    outlay.Parser
	// Staging is a folder for fetched files. It belongs to this installation alone.
	Staging string
	Clock   outlay.Clock
	Log     *slog.Logger
	// Points is called at every point where a crash matters (see Points); tests kill the process there.
	Points func(name string)
	// Published is called after the charges of an organization changed: statuses depend on them. Its failure is
	// logged; the next look repairs what it left.
	Published func(ctx context.Context, orgID string) error
	// Free tells how many bytes a folder's disk has left; nil asks the system.
	Free func(dir string) (int64, error)
	// MemoryLimit and Threads bound the parser's engine; 0 leaves them to the parser.
	MemoryLimit int64
	Threads     int
}

// Ingest loads deliveries and imports. It is safe for concurrent use, and so are several processes on one store and lake.
type Ingest struct {
	o Options
}

// New makes an Ingest.
func New(o Options) *Ingest {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Points == nil {
		o.Points = func(string) {}
	}
	if o.Published == nil {
		o.Published = func(context.Context, string) error { return nil }
	}
	if o.Free == nil {
		o.Free = freeSpace
	}
	return &Ingest{o: o}
}

// Register makes a worker do this room's tasks.
func (g *Ingest) Register(w *operation.Worker) {
	w.HandleTask(TaskIngest, g.Load)
	w.HandleTask(TaskTidy, func(ctx context.Context, t outlay.Task) (time.Duration, error) {
		return 0, g.Tidy(ctx, t.OrgID)
	})
}

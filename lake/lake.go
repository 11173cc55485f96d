// Package lake keeps Iceberg tables of FOCUS Parquet: one namespace per organization, one table of charges in it, and
// a billing period of a source that is replaced whole or not at all.
//
// The head in the control plane's store says which version of a period queries trust; the table says the same to any
// other engine that reads Iceberg. A commit here makes a version readable by its snapshot, and nothing more: it is
// the head that publishes it.
package lake

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/apache/iceberg-go"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"

	"outlay"
)

// Options says where a lake lives and how long it remembers.
type Options struct {
	// DB holds the catalog: which metadata file of a table is the current one. On SQLite it has one connection.
	DB *sql.DB
	// Dialect is "sqlite" or "postgres".
	Dialect string
	// Warehouse is the folder of data and metadata. It is made when absent.
	Warehouse string
	Clock     outlay.Clock
	Log       *slog.Logger
	// Keep is how long a superseded version stays readable; 7 days when zero (reliability.md §4.1 rule 6).
	Keep time.Duration
	// Grace is how long files that no snapshot names are left alone, because a load may be under way; 24 hours when
	// zero.
	Grace time.Duration
}

// Lake is the charges of every organization of an installation. It is safe for concurrent use, and so are several
// processes on one catalog and warehouse.
type Lake struct {
	catalog   *sqlcat.Catalog
	warehouse string
	clock     outlay.Clock
	log       *slog.Logger
	keep      time.Duration
	grace     time.Duration

	mu    sync.Mutex
	turns map[string]*sync.Mutex // by organization: our own writers wait here instead of losing races
}

// Open opens the lake, and makes the folder and the catalog's tables when they are absent.
func Open(ctx context.Context, o Options) (*Lake, error) {
	dir, err := filepath.Abs(o.Warehouse)
	if err != nil {
		return nil, fmt.Errorf("opening the lake: %w", err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("opening the lake: %w", err)
	}
	catalog, err := sqlcat.NewCatalog("outlay", o.DB, sqlcat.SupportedDialect(o.Dialect), iceberg.Properties{"warehouse": location(dir)})
	if err != nil {
		return nil, fmt.Errorf("opening the lake's catalog: %w", err)
	}
	l := &Lake{catalog: catalog, warehouse: dir, clock: o.Clock, log: o.Log, keep: o.Keep, grace: o.Grace, turns: map[string]*sync.Mutex{}}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.keep == 0 {
		l.keep = 7 * 24 * time.Hour
	}
	if l.grace == 0 {
		l.grace = 24 * time.Hour
	}
	// Two processes that start at once on PostgreSQL may both try to create the tables; the second try finds them.
	if err := l.catalog.CreateSQLTables(ctx); err != nil {
		if err = l.catalog.CreateSQLTables(ctx); err != nil {
			return nil, fmt.Errorf("making the lake's catalog: %w", err)
		}
	}
	return l, nil
}

// turn is the lock of an organization's writers in this process.
func (l *Lake) turn(orgID string) *sync.Mutex {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turns[orgID] == nil {
		l.turns[orgID] = &sync.Mutex{}
	}
	return l.turns[orgID]
}

// safeName is what may become the name of a folder: our own ids, and nothing that climbs out of the warehouse.
var safeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`)

func checkNames(names ...string) error {
	for _, n := range names {
		if !safeName.MatchString(n) {
			return outlay.Errorf(outlay.CodeInvalid, "Use the ids that Outlay made.", "%q cannot name a folder of the lake", n)
		}
	}
	return nil
}

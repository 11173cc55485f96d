// Package sqldb keeps the control plane's state in SQLite (one node) or PostgreSQL (more): every query is written once
// for both. Tenant rows are reached through ForOrg and ReadOrg and nowhere else; the pools are not exported. On
// PostgreSQL every transaction works as a role that row level security binds, so that a forgotten filter shows nothing.
package sqldb

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"sync"

	"outlay"
)

// Store is an open database. It implements outlay.Store.
type Store struct {
	dialect dialect
	// write is where changes go: one connection on SQLite. read may be the same pool.
	write, read *sql.DB
	// role is what a PostgreSQL transaction becomes before anything else; "" to stay what signed in.
	role string
	log  *slog.Logger

	// The Iceberg catalog's database is opened when it is first asked for.
	openCatalog func(ctx context.Context) (*sql.DB, error)
	catalogLock sync.Mutex
	catalog     *sql.DB
}

var _ outlay.Store = (*Store)(nil)

// dialect names a kind of database as iceberg-go and goose name it.
type dialect string

const (
	sqlite   dialect = "sqlite"
	postgres dialect = "postgres"
)

// Open opens 'sqlite:PATH' (made when it is absent, readable by its owner only) or 'postgres://…', and brings its tables
// up to date. CodeInvalid for any other address, CodeUnavailable when a server does not answer.
func Open(ctx context.Context, url string, log *slog.Logger) (*Store, error) {
	switch {
	case strings.HasPrefix(url, "sqlite:") && len(url) > len("sqlite:"):
		return openSQLite(ctx, strings.TrimPrefix(url, "sqlite:"), log)
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return openPostgres(ctx, url, log)
	}
	// The address may hold a password: it is not repeated.
	return nil, outlay.Errorf(outlay.CodeInvalid, "Write sqlite:PATH or postgres://USER@HOST/DATABASE.", "this is not the address of a database that Outlay knows")
}

// Catalog is the database for the SQL catalog of the lake's Iceberg tables, and its dialect: "sqlite" (a file
// catalog.db beside ours, one connection) or "postgres" (the same database). The store closes it.
func (s *Store) Catalog(ctx context.Context) (*sql.DB, string, error) {
	s.catalogLock.Lock()
	defer s.catalogLock.Unlock()
	if s.catalog == nil {
		db, err := s.openCatalog(ctx)
		if err != nil {
			return nil, "", err
		}
		s.catalog = db
	}
	return s.catalog, string(s.dialect), nil
}

// Install returns what belongs to the installation.
func (s *Store) Install() outlay.Install { return &install{store: s} }

// Close closes every pool; running transactions fail.
func (s *Store) Close() error {
	s.catalogLock.Lock()
	defer s.catalogLock.Unlock()
	err := s.write.Close()
	for _, db := range []*sql.DB{s.read, s.catalog} {
		if db == nil || db == s.write {
			continue
		}
		if e := db.Close(); err == nil {
			err = e
		}
	}
	if err != nil {
		return failed("closing the database", err)
	}
	return nil
}

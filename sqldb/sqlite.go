package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"outlay"
)

// readers is how many SQLite reads may run beside each other and beside the one writer (WAL).
const readers = 8

func openSQLite(ctx context.Context, path string, log *slog.Logger) (*Store, error) {
	write, err := sqliteFile(ctx, path, url.Values{"_txlock": {"immediate"}})
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	if err := migrate(ctx, sqlite, write, log); err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read, err := sqliteFile(ctx, path, url.Values{"_pragma": {"query_only(1)"}})
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return &Store{dialect: sqlite, write: write, read: read, log: log, openCatalog: func(ctx context.Context) (*sql.DB, error) {
		db, err := sqliteFile(ctx, filepath.Join(filepath.Dir(path), "catalog.db"), url.Values{})
		if err == nil {
			db.SetMaxOpenConns(1) // iceberg-go's catalog needs it on SQLite (test-infrastructure.md R7)
		}
		return db, err
	}}, nil
}

// sqliteFile opens a database file with the settings that all of ours share. Commits are flushed to the disk
// (synchronous FULL): an intent that is lost in a power cut would leave a cloud resource that nobody knows of.
func sqliteFile(ctx context.Context, path string, with url.Values) (*sql.DB, error) {
	if err := privateFile(path); err != nil {
		return nil, err
	}
	with["_pragma"] = append([]string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}, with["_pragma"]...)
	address := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: with.Encode()}
	db, err := sql.Open("sqlite", address.String())
	if err == nil {
		err = db.PingContext(ctx)
	}
	if err != nil {
		return nil, outlay.Errorf(outlay.CodeUnavailable, "Check that the file is a SQLite database and that its folder is writable.", "opening the database %s: %w", path, err)
	}
	return db, nil
}

// privateFile makes the file and its folder readable by their owner only; SQLite gives its journal the same mode.
func privateFile(path string) error {
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		var f *os.File
		if f, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); err == nil {
			err = f.Close()
		} else if errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	if err != nil {
		return outlay.Errorf(outlay.CodeUnavailable, "Choose a folder that Outlay may write to.", "making the database %s: %w", path, err)
	}
	return nil
}

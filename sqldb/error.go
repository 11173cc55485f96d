package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	sqlitedriver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"outlay"
)

// failed gives a database error its code. doing says what was being done: "reading the users".
func failed(doing string, err error) error {
	if e, ok := errors.AsType[*outlay.Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), isInterrupted(err):
		return outlay.Errorf(outlay.CodeUnavailable, "Try again.", "%s was cut short: %w", doing, err)
	case isUnique(err):
		return outlay.Errorf(outlay.CodeConflict, "Look at what exists, then try again.", "%s: it exists already: %w", doing, err)
	case isReference(err):
		return outlay.Errorf(outlay.CodeNotFound, "", "%s: it refers to something that does not exist: %w", doing, err)
	case isLostRace(err):
		return outlay.Errorf(outlay.CodeUnavailable, "Try again in a moment.", "%s: the database was busy: %w", doing, err)
	case isFull(err):
		return outlay.Errorf(outlay.CodeUnavailable, "Make room on the database's disk; Outlay goes on by itself.", "%s: the database cannot write: %w", doing, err)
	case isDown(err):
		e := outlay.Errorf(outlay.CodeUnavailable, "Check that the database runs; Outlay goes on by itself.", "%s: the database did not answer: %w", doing, err)
		e.Outcome = outlay.Unknown
		return e
	}
	return outlay.Errorf(outlay.CodeInternal, "Look at the server's log.", "%s: %w", doing, err)
}

// notFound is the answer for an absent and for a foreign id alike.
func notFound(what string) error {
	return outlay.Errorf(outlay.CodeNotFound, "Check the id: it is not in your organization.", "there is no such %s", what)
}

// sqliteCode is SQLite's extended result code of an error, or 0.
func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlitedriver.Error](err); ok {
		return e.Code()
	}
	return 0
}

func isUnique(err error) bool {
	code := sqliteCode(err)
	return sqlState(err) == "23505" || code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

func isReference(err error) bool {
	return sqlState(err) == "23503" || sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}

// isLostRace tells whether the transaction was refused only because of another one: doing it again can help. These are
// SQLite's BUSY and LOCKED in all their forms, and PostgreSQL's serialization_failure and deadlock_detected.
func isLostRace(err error) bool {
	base := sqliteCode(err) & 0xff
	state := sqlState(err)
	return base == sqlite3.SQLITE_BUSY || base == sqlite3.SQLITE_LOCKED || state == "40001" || state == "40P01"
}

// isInterrupted tells whether the statement was stopped from outside: SQLITE_INTERRUPT, query_canceled.
func isInterrupted(err error) bool {
	return sqliteCode(err)&0xff == sqlite3.SQLITE_INTERRUPT || sqlState(err) == "57014"
}

// isFull tells whether the disk is full, or may only be read.
func isFull(err error) bool {
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		return true
	}
	return sqlState(err) == "53100" // disk_full
}

// isDown tells whether the server is away, going away or full of connections.
func isDown(err error) bool {
	state := sqlState(err)
	if strings.HasPrefix(state, "08") || strings.HasPrefix(state, "57P") || state == "53300" {
		return true
	}
	_, network := errors.AsType[net.Error](err)
	_, connect := errors.AsType[*pgconn.ConnectError](err)
	return network || connect || errors.Is(err, sql.ErrConnDone) || pgconn.Timeout(err)
}

package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"outlay"
)

// attempts is how often a transaction that lost a race is run in all.
const attempts = 6

// ForOrg runs fn in one read-write transaction of the organization. Writers of one organization go one after another, on
// PostgreSQL by a lock that the transaction holds, so that what fn reads stays true until it has written.
func (s *Store) ForOrg(ctx context.Context, orgID string, fn func(outlay.Tx) error) error {
	return s.forOrg(ctx, orgID, func(t *tx) error { return fn(t) })
}

func (s *Store) forOrg(ctx context.Context, orgID string, fn func(*tx) error) error {
	if orgID == "" {
		return noOrganization()
	}
	return s.transact(ctx, begin{db: s.write, org: orgID, lock: true}, func(q querier) error { return fn(&tx{q: q, org: orgID}) })
}

// ReadOrg is ForOrg in a read-only transaction, on one snapshot.
func (s *Store) ReadOrg(ctx context.Context, orgID string, fn func(outlay.Tx) error) error {
	if orgID == "" {
		return noOrganization()
	}
	return s.transact(ctx, begin{db: s.read, org: orgID, readOnly: true}, func(q querier) error { return fn(&tx{q: q, org: orgID}) })
}

func noOrganization() error {
	return outlay.Errorf(outlay.CodeInternal, "Look at the server's log.", "a tenant's rows were asked for without an organization")
}

// begin says what kind of transaction to begin.
type begin struct {
	db       *sql.DB
	org      string // "" for the installation's tables: tenant tables then look empty
	lock     bool   // keep other writers of org out
	readOnly bool
}

// transact runs fn in a transaction, again when it lost a race, and returns fn's error as it is.
func (s *Store) transact(ctx context.Context, b begin, fn func(querier) error) error {
	for attempt := 1; ; attempt++ {
		err := s.once(ctx, b, fn)
		if err == nil || !isLostRace(err) || attempt == attempts {
			return err
		}
		wait := time.Duration(1+rand.IntN(10<<attempt)) * time.Millisecond
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

func (s *Store) once(ctx context.Context, b begin, fn func(querier) error) (err error) {
	options := &sql.TxOptions{}
	if b.readOnly {
		options.ReadOnly = true
		if s.dialect == postgres {
			options.Isolation = sql.LevelRepeatableRead // one snapshot for all its queries, as on SQLite
		}
	}
	t, err := b.db.BeginTx(ctx, options)
	if err != nil {
		return failed("beginning a transaction", err)
	}
	defer func() { // also when fn panics
		if e := t.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) && err == nil {
			err = failed("rolling back", e)
		}
	}()
	if s.dialect == postgres {
		if err := s.enter(ctx, t, b); err != nil {
			return failed("entering the organization", err)
		}
	}
	if err := fn(t); err != nil {
		return err
	}
	if err := t.Commit(); err != nil {
		return failed("committing", err)
	}
	return nil
}

// enter makes the transaction work as the bound role on rows of the organization only, until it ends.
func (s *Store) enter(ctx context.Context, t *sql.Tx, b begin) error {
	query := `SELECT set_config('app.org_id', $1, true), CASE WHEN $2 = '' THEN '' ELSE set_config('role', $2, true) END`
	if b.lock {
		query += `, pg_advisory_xact_lock(hashtextextended($1, 0))`
	}
	_, err := t.ExecContext(ctx, query, b.org, s.role)
	return err
}

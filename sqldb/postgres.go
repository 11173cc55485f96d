package sqldb

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"outlay"
)

// appRole is the role that row level security binds; role.sql makes it.
const appRole = "outlay_app"

//go:embed role.sql
var roleSQL string

// connections is how many connections a server takes at most: a few replicas fit into PostgreSQL's default of 100.
const connections = 20

func openPostgres(ctx context.Context, url string, log *slog.Logger) (*Store, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Write postgres://USER@HOST/DATABASE.", "the address of the PostgreSQL database cannot be read") // its text may hold a password
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(outlay.Errorf(outlay.CodeUnavailable, "Check that PostgreSQL runs and lets Outlay in.", "opening the database: %w", err), db.Close())
	}
	s := &Store{dialect: postgres, write: db, read: db, log: log, openCatalog: func(ctx context.Context) (*sql.DB, error) {
		return stdlib.OpenDB(*config), nil
	}}
	if err := migrate(ctx, postgres, db, log); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if s.role, err = workRole(ctx, db, log); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// rights is what PostgreSQL says about who signed in.
type rights struct {
	above  bool // superuser or BYPASSRLS: row level security would not bind it
	member bool // may become appRole, which has its grants
}

// workRole finds out as whom to work: appRole where we may make or use it, else the role that signed in, which FORCE ROW
// LEVEL SECURITY binds even as the owner of the tables. A role that nothing binds is refused.
func workRole(ctx context.Context, db *sql.DB, log *slog.Logger) (string, error) {
	r, err := readRights(ctx, db)
	if err == nil && !r.member {
		if err = makeRole(ctx, db); err != nil && sqlState(err) == "42501" { // insufficient_privilege
			log.InfoContext(ctx, "the database user may not make a role of its own for Outlay; row level security binds the user itself")
			err = nil
		}
		if err == nil {
			r, err = readRights(ctx, db)
		}
	}
	switch {
	case err != nil:
		return "", failed("preparing the database role", err)
	case r.member:
		return appRole, nil
	case r.above:
		return "", outlay.Errorf(outlay.CodeForbidden, "Let Outlay sign in as a role that is neither superuser nor BYPASSRLS, or that may create roles.",
			"row level security would not bind the database user")
	}
	return "", nil
}

func readRights(ctx context.Context, db *sql.DB) (rights, error) {
	const query = `SELECT
		(SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user),
		COALESCE((SELECT pg_has_role(current_user, oid, 'MEMBER') AND NOT EXISTS (
			SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = ANY ($1)
				AND NOT has_table_privilege(oid, format('%I.%I', schemaname, tablename), 'SELECT'))
			FROM pg_roles WHERE rolname = $2), false)`
	var r rights
	err := db.QueryRowContext(ctx, query, tables(), appRole).Scan(&r.above, &r.member)
	return r, err
}

// makeRole runs role.sql. A lock keeps two starting servers from granting at once, which PostgreSQL would refuse.
func makeRole(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit there is nothing to roll back
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", appRole); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, roleSQL); err != nil {
		return err
	}
	return tx.Commit()
}

// sqlState is PostgreSQL's five-letter code of an error, or "".
func sqlState(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

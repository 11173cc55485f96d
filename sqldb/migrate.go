package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"outlay"
)

//go:embed migration
var migrations embed.FS

// migrate brings the tables up to date, each migration in one transaction. On PostgreSQL a session lock lets one of
// several starting servers do it while the others wait.
func migrate(ctx context.Context, d dialect, db *sql.DB, log *slog.Logger) error {
	files, err := fs.Sub(migrations, "migration/"+string(d))
	if err != nil {
		return failed("reading the migrations", err)
	}
	kind, options := goose.DialectSQLite3, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if d == postgres {
		// Asks for the lock every second, for five minutes.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return failed("making the migration lock", err)
		}
		kind, options = goose.DialectPostgres, append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(kind, db, files, options...)
	if err != nil {
		return failed("reading the migrations", err)
	}
	if err := refuseNewer(ctx, provider); err != nil {
		return err
	}
	done, err := provider.Up(ctx)
	if err != nil {
		return failed("bringing the database up to date", err)
	}
	for _, m := range done {
		log.InfoContext(ctx, "database migrated", "migration", m.Source.Path, "took", m.Duration)
	}
	return nil
}

// refuseNewer keeps an old program from working on tables that a newer one has changed.
func refuseNewer(ctx context.Context, p *goose.Provider) error {
	has, ours, err := p.GetVersions(ctx)
	if err != nil {
		return failed("reading the version of the database", err)
	}
	if has > ours {
		return outlay.Errorf(outlay.CodeInvalid, "Start the newer version of Outlay, or restore the backup that was made before the upgrade.",
			"the database was changed by a newer version of Outlay (its migration %d, this program knows %d)", has, ours)
	}
	return nil
}

package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"outlay"
	"outlay/outlaytest"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	noise := filepath.Join(dir, "noise.db")
	if err := os.WriteFile(noise, []byte(strings.Repeat("this is not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]outlay.Code{
		"":                                outlay.CodeInvalid,
		"sqlite:":                         outlay.CodeInvalid,
		"mysql://u:hunter2@h/d":           outlay.CodeInvalid,
		"postgres://u:hunter2@h:notaport": outlay.CodeInvalid,
		"postgres://u:hunter2@127.0.0.1:1/d?connect_timeout=5": outlay.CodeUnavailable,
		"sqlite:" + noise:            outlay.CodeUnavailable,
		"sqlite:" + noise + "/below": outlay.CodeUnavailable,
	} {
		s, err := Open(t.Context(), address, quiet())
		if s != nil || outlay.CodeOf(err) != want {
			t.Errorf("%s: %v (%s), want %s", address, err, outlay.CodeOf(err), want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password of %s is in the error: %v", address, err)
		}
	}
}

// TestSQLiteFiles wants files that only their owner reads, whatever the name of their folder.
func TestSQLiteFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new folder", "50% & more?#ü")
	s := mustOpen(t, "sqlite:"+filepath.Join(dir, "state.db"))
	twoTenants(t, s)
	db, kind, err := s.Catalog(t.Context())
	if err != nil || kind != "sqlite" {
		t.Fatal(kind, err)
	}
	exec(t, db, `CREATE TABLE x (y TEXT)`)
	found := map[string]bool{}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		found[d.Name()] = true
		return err
	})
	if err != nil || !found["state.db"] || !found["catalog.db"] {
		t.Errorf("files: %v, %v", found, err)
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		for _, db := range []*sql.DB{s.write, s.read} {
			if got := texts(t, db, `PRAGMA `+pragma); got[0] != want {
				t.Errorf("%s is %s, want %s", pragma, got[0], want)
			}
		}
	}
}

// TestReopen wants what was written to be there, and a second start to change nothing.
func TestReopen(t *testing.T) {
	for name, address := range map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "s.db"), "postgres": outlaytest.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			first, err := Open(t.Context(), address, quiet())
			if err != nil {
				t.Fatal(err)
			}
			twoTenants(t, first)
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			second := mustOpen(t, address)
			orgs, err := second.Install().Organizations(t.Context())
			if err != nil || len(orgs) != 2 {
				t.Errorf("after a restart: %v, %v", orgs, err)
			}
			// A newer program was here.
			exec(t, second.write, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, `+map[string]string{"sqlite": "1", "postgres": "true"}[name]+`)`)
			if _, err := Open(t.Context(), address, quiet()); outlay.CodeOf(err) != outlay.CodeInvalid || !strings.Contains(err.Error(), "newer version") {
				t.Errorf("an old program on new tables: %v", err)
			}
		})
	}
}

// TestStartTogether starts five servers on one empty database: one migrates, all work.
func TestStartTogether(t *testing.T) {
	address := outlaytest.Postgres(t)
	var all sync.WaitGroup
	for i := range 5 {
		all.Go(func() {
			s, err := Open(context.Background(), address, quiet())
			if err == nil {
				err = errors.Join(s.Install().PutMeta(t.Context(), fmt.Sprint(i), "x"), s.Close())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestCatalog(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		db, kind, err := s.Catalog(t.Context())
		if err != nil || kind != string(s.dialect) {
			t.Fatal(kind, err)
		}
		again, _, err := s.Catalog(t.Context())
		if err != nil || again != db {
			t.Error("asked twice, the catalog is two databases", err)
		}
		exec(t, db, `CREATE TABLE iceberg_tables (name TEXT)`)
		exec(t, db, `INSERT INTO iceberg_tables VALUES ('x')`)
		if s.dialect == sqlite && db.Stats().MaxOpenConnections != 1 {
			t.Error("iceberg-go needs one connection on SQLite")
		}
		// What we work as has no business there.
		err = s.transact(t.Context(), begin{db: s.read, readOnly: true}, func(q querier) error {
			_, err := list(t.Context(), q, say("reading", `SELECT name FROM iceberg_tables`), scalar[string])
			return err
		})
		if err == nil {
			t.Error("a transaction of ours reads the catalog's tables")
		}
	})
}

// TestLostRaceIsRunAgain has a transaction lose with an error that the database really made, twice and for ever.
func TestLostRaceIsRunAgain(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		twoTenants(t, s)
		ctx := t.Context()
		lose := func(q querier) error {
			_, err := q.ExecContext(ctx, `DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$`)
			return err
		}
		if s.dialect == sqlite { // a writer that does not wait, beside the transaction that holds the lock
			var file string
			if err := s.write.QueryRow(`SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&file); err != nil {
				t.Fatal(err)
			}
			other, err := sqliteFile(ctx, file, url.Values{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = other.Close() })
			other.SetMaxOpenConns(1)
			exec(t, other, `PRAGMA busy_timeout = 0`)
			lose = func(querier) error {
				_, err := other.ExecContext(ctx, `DELETE FROM meta`)
				return err
			}
		}
		for _, losses := range []int{2, 1000} {
			runs := 0
			err := s.forOrg(ctx, "org_a", func(x *tx) error {
				runs++
				if err := x.PutGroup(ctx, outlay.Group{ID: fmt.Sprint("grp_", runs)}); err != nil {
					return err
				}
				if runs <= losses {
					return failed("losing", lose(x.q))
				}
				return nil
			})
			if losses == 2 && (err != nil || runs != 3) || losses > attempts && (outlay.CodeOf(err) != outlay.CodeUnavailable || runs != attempts) {
				t.Errorf("lost %d times: %d runs, %v", losses, runs, err)
			}
		}
		if got := texts(t, s.write, `SELECT id FROM groups ORDER BY id`); len(got) != 2 || got[1] != "grp_3" {
			t.Errorf("what lost runs wrote stayed: %v", got)
		}
	})
}

// TestDeadlock has transactions of two organizations take two e-mail addresses crosswise: PostgreSQL ends one, it is run
// again, and exactly one of each address is taken.
func TestDeadlock(t *testing.T) {
	s := mustOpen(t, outlaytest.Postgres(t))
	twoTenants(t, s)
	ctx := t.Context()
	var both, all sync.WaitGroup
	both.Add(2)
	for i, org := range []string{"org_a", "org_b"} {
		all.Go(func() {
			emails := []string{"x@example.com", "y@example.com"}
			met := false
			err := s.ForOrg(ctx, org, func(tx outlay.Tx) error {
				if err := tx.PutUser(ctx, outlay.User{ID: "one", Email: emails[i]}); err != nil {
					return err
				}
				if !met { // each holds one address before it asks for the other
					met = true
					both.Done()
					both.Wait()
				}
				return tx.PutUser(ctx, outlay.User{ID: "two", Email: emails[1-i]})
			})
			if err != nil && outlay.CodeOf(err) != outlay.CodeConflict {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := texts(t, s.write, `SELECT org_id FROM logins WHERE email IN ('x@example.com', 'y@example.com')`); len(got) != 2 || got[0] != got[1] {
		t.Errorf("the addresses went to %v, want both to one", got)
	}
}

// TestTwoServers has two stores on one SQLite file count together, as a server and a command beside it would.
func TestTwoServers(t *testing.T) {
	address := "sqlite:" + filepath.Join(t.TempDir(), "s.db")
	stores := []*Store{mustOpen(t, address), mustOpen(t, address)}
	twoTenants(t, stores[0])
	const each = 60
	var all sync.WaitGroup
	for i, s := range stores {
		all.Go(func() {
			for n := range each {
				err := s.ForOrg(t.Context(), "org_a", func(tx outlay.Tx) error {
					return tx.Publish(t.Context(), outlay.Head{SourceID: "src_1", Period: outlay.Period(fmt.Sprint(i)), Version: time.UnixMicro(int64(n) + 1)})
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := texts(t, stores[0].write, `SELECT version FROM head_versions`); got[0] != fmt.Sprint(2*each+1) {
		t.Errorf("counted to %s, want %d", got[0], 2*each+1)
	}
}

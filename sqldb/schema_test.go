package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"outlay"
	"outlay/outlaytest"
)

// both runs a test on a store of each kind.
func both(t *testing.T, run func(t *testing.T, s *Store)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		run(t, mustOpen(t, "sqlite:"+filepath.Join(t.TempDir(), "state.db")))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		run(t, mustOpen(t, outlaytest.Postgres(t)))
	})
}

func mustOpen(t *testing.T, address string) *Store {
	t.Helper()
	s, err := Open(context.Background(), address, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// texts reads the first column of a query, as who signed in, past every door.
func texts(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	all, err := list(t.Context(), db, say("test", query, args...), scalar[string])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// exec runs a statement as who signed in, past every door.
func exec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// TestSchema holds every table there is to the rule: a tenant's table, with org_id, composite keys and row level
// security, or on the reviewed list.
func TestSchema(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		tables := map[dialect]string{
			sqlite:   `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
			postgres: `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`,
		}
		want := append(append(tenantTables(), installTables()...), "goose_db_version")
		slices.Sort(want)
		if got := texts(t, s.write, tables[s.dialect]); !slices.Equal(got, want) {
			t.Fatalf("tables: %v\nwant %v: name a new one in tenantTables or, after a review, in installTables", got, want)
		}
		for _, table := range tenantTables() {
			if s.dialect == sqlite {
				sqliteTenant(t, s.write, table)
			} else {
				postgresTenant(t, s.write, table)
			}
		}
	})
}

func sqliteTenant(t *testing.T, db *sql.DB, table string) {
	t.Helper()
	if got := texts(t, db, `SELECT name FROM pragma_table_info($1) WHERE name = 'org_id' AND "notnull" = 1`, table); len(got) != 1 {
		t.Errorf("%s has no org_id NOT NULL", table)
	}
	key := texts(t, db, `SELECT name FROM pragma_table_info($1) WHERE pk = 1`, table)
	if len(key) > 0 && key[0] != "org_id" || len(key) == 0 && table != "memberships" { // memberships has a unique index instead
		t.Errorf("the primary key of %s begins with %v", table, key)
	}
	references := texts(t, db, `SELECT "table" || ':' || group_concat("from") FROM pragma_foreign_key_list($1) GROUP BY id`, table)
	checkReferences(t, table, references)
}

func postgresTenant(t *testing.T, db *sql.DB, table string) {
	t.Helper()
	const secured = `SELECT relname FROM pg_class WHERE oid = $1::regclass AND relrowsecurity AND relforcerowsecurity
		AND EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid)
		AND EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'org_id' AND attnotnull)`
	if got := texts(t, db, secured, table); len(got) != 1 {
		t.Errorf("%s lacks org_id NOT NULL, a policy, or ENABLE and FORCE of row level security", table)
	}
	const references = `SELECT confrelid::regclass::text || ':' || (SELECT string_agg(attname, ',' ORDER BY n)
			FROM unnest(conkey) WITH ORDINALITY AS k(num, n) JOIN pg_attribute ON attrelid = conrelid AND attnum = num)
		FROM pg_constraint WHERE contype = 'f' AND conrelid = $1::regclass`
	checkReferences(t, table, texts(t, db, references, table))
	const first = `SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0] WHERE indrelid = $1::regclass AND indisprimary`
	if key := texts(t, db, first, table); len(key) > 0 && key[0] != "org_id" || len(key) == 0 && table != "memberships" {
		t.Errorf("the primary key of %s begins with %v", table, key)
	}
}

// checkReferences wants each foreign key to name the organization first, and one to the organizations themselves.
func checkReferences(t *testing.T, table string, references []string) {
	t.Helper()
	owned := false
	for _, r := range references {
		target, columns, _ := strings.Cut(r, ":")
		owned = owned || target == "organizations" && columns == "org_id"
		if target != "organizations" && !strings.HasPrefix(columns, "org_id,") {
			t.Errorf("%s refers to %s by %s: another organization's row would do", table, target, columns)
		}
	}
	if !owned {
		t.Errorf("%s belongs to no organization (%v)", table, references)
	}
}

// twoTenants makes org_a, which has a row in every tenant table, and org_b, which has none.
func twoTenants(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	for _, id := range []string{"org_a", "org_b"} {
		if err := s.Install().AddOrganization(ctx, outlay.Organization{ID: id, Name: id}); err != nil {
			t.Fatal(err)
		}
	}
	steps := []func(outlay.Tx) error{
		func(tx outlay.Tx) error { return tx.PutUser(ctx, outlay.User{ID: "usr_1", Email: "a@example.com"}) },
		func(tx outlay.Tx) error { return tx.PutGroup(ctx, outlay.Group{ID: "grp_1"}) },
		func(tx outlay.Tx) error {
			return tx.PutMembership(ctx, outlay.Membership{UserID: "usr_1", GroupID: "grp_1", Role: outlay.RoleLead})
		},
		func(tx outlay.Tx) error {
			return tx.PutToken(ctx, outlay.APIToken{ID: "tok_1", UserID: "usr_1", Hash: "h"})
		},
		func(tx outlay.Tx) error { return tx.PutAccount(ctx, outlay.CloudAccount{ID: "acc_1", Name: "main"}) },
		func(tx outlay.Tx) error {
			return tx.PutSource(ctx, outlay.Source{ID: "src_1", AccountID: "acc_1", Desired: outlay.Absent})
		},
		func(tx outlay.Tx) error {
			return tx.PutCoverage(ctx, outlay.Coverage{SourceID: "src_1", SubAccountID: "1"})
		},
		func(tx outlay.Tx) error {
			_, err := tx.AddOperation(ctx, outlay.Operation{ID: "op_1", SourceID: "src_1"})
			return err
		},
		func(tx outlay.Tx) error { return tx.PutStep(ctx, outlay.Step{OperationID: "op_1"}, 0) },
		func(tx outlay.Tx) error { return tx.PutResource(ctx, outlay.Resource{SourceID: "src_1"}) },
		func(tx outlay.Tx) error {
			_, _, err := tx.AddUnit(ctx, outlay.Unit{ID: "unt_1", SourceID: "src_1"})
			return err
		},
		func(tx outlay.Tx) error { return tx.Publish(ctx, outlay.Head{SourceID: "src_1", UnitID: "unt_1"}) },
		func(tx outlay.Tx) error { return tx.PutTask(ctx, outlay.Task{Kind: "look", Subject: "acc_1"}) },
		func(tx outlay.Tx) error { return tx.Append(ctx, outlay.Entry{Action: "x"}) },
		func(tx outlay.Tx) error {
			return tx.AddMetered(ctx, outlay.Metered{SourceID: "src_1", Month: "2026-10", Queries: 1})
		},
		func(tx outlay.Tx) error {
			return tx.PutLabel(ctx, outlay.LabelMeaning{Provider: "nimbus", Tag: "User", Value: "a-b"})
		},
	}
	for i, step := range steps {
		if err := s.ForOrg(ctx, "org_a", step); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	for _, table := range tenantTables() {
		if got := texts(t, s.write, `SELECT org_id FROM `+table); !slices.Equal(got, []string{"org_a"}) {
			t.Fatalf("%s: rows of %v, want one of org_a", table, got)
		}
	}
}

// TestForgottenFilter asks without org_id, within another organization and within none: PostgreSQL shows and touches
// nothing.
func TestForgottenFilter(t *testing.T) {
	s := mustOpen(t, outlaytest.Postgres(t))
	twoTenants(t, s)
	ctx := t.Context()
	for _, org := range []string{"org_b", ""} {
		for _, table := range tenantTables() {
			err := s.transact(ctx, begin{db: s.write, org: org}, func(q querier) error {
				rows, err := list(ctx, q, say("reading", `SELECT org_id FROM `+table), scalar[string])
				if err != nil || len(rows) != 0 {
					t.Errorf("in %q, %s shows %v, %v", org, table, rows, err)
				}
				if table == "audit_entries" {
					return nil // may not be changed at all: TestAuditIsAppendOnly
				}
				n, err := run(ctx, q, say("changing", `UPDATE `+table+` SET org_id = org_id`))
				if err != nil || n != 0 {
					t.Errorf("in %q, %d rows of %s were changed, %v", org, n, table, err)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
	// Nor can a row be put into, or moved to, another organization.
	for _, query := range []string{
		`INSERT INTO groups (org_id, id, name, created_at) VALUES ('org_b', 'grp_x', '', 0)`,
		`UPDATE groups SET org_id = 'org_b'`,
	} {
		err := s.transact(ctx, begin{db: s.write, org: "org_a"}, func(q querier) error { _, err := run(ctx, q, say("writing", query)); return err })
		if sqlState(err) != "42501" {
			t.Errorf("%s: %v, want refused by the policy", query, err)
		}
	}
	if got := texts(t, s.write, `SELECT org_id FROM groups`); !slices.Equal(got, []string{"org_a"}) {
		t.Errorf("groups of %v", got)
	}
}

// TestWorkRole proves as whom transactions work, and that a connection goes back to the pool as nobody.
func TestWorkRole(t *testing.T) {
	s := mustOpen(t, outlaytest.Postgres(t))
	ctx := t.Context()
	s.write.SetMaxOpenConns(1)
	twoTenants(t, s)
	const bound = `SELECT concat_ws(' ', current_user, rolsuper OR rolbypassrls OR rolcanlogin, EXISTS (SELECT 1 FROM pg_class WHERE relowner = pg_roles.oid),
		current_setting('app.org_id', true)) FROM pg_roles WHERE rolname = current_user`
	for _, b := range []begin{{org: "org_a", lock: true}, {org: "org_a", readOnly: true}, {}, {readOnly: true}} {
		b.db = s.write
		var got string
		err := s.transact(ctx, b, func(q querier) (err error) {
			got, err = first(ctx, q, say("who", bound), scalar[string])
			return err
		})
		if want := "outlay_app f f " + b.org; err != nil || got != want {
			t.Errorf("%+v works as %q, %v; want %q", b, got, err, want)
		}
	}
	if got := texts(t, s.write, `SELECT concat_ws(' ', current_user, current_setting('app.org_id', true))`); got[0] != "outlay " && got[0] != "outlay" {
		t.Errorf("a connection kept %q", got[0])
	}
	for table, want := range map[string]string{"audit_entries": "INSERT,SELECT", "organizations": "INSERT,SELECT,UPDATE", "goose_db_version": "SELECT", "heads": "DELETE,INSERT,SELECT,UPDATE"} {
		const grants = `SELECT string_agg(privilege_type, ',' ORDER BY privilege_type) FROM information_schema.role_table_grants WHERE grantee = 'outlay_app' AND table_name = $1`
		if got := texts(t, s.write, grants, table); got[0] != want {
			t.Errorf("outlay_app may %s on %s, want %s", got[0], table, want)
		}
	}
}

// TestLogins opens the database as users of several powers.
func TestLogins(t *testing.T) {
	address := outlaytest.Postgres(t)
	admin := mustOpen(t, address)
	name := "login_" + strings.TrimPrefix(outlay.NewID(""), "_")
	database := texts(t, admin.write, `SELECT current_database()`)[0]
	t.Cleanup(func() {
		for _, q := range []string{`REASSIGN OWNED BY %[1]s TO outlay`, `DROP OWNED BY %[1]s`, `DROP ROLE %[1]s`} {
			if _, err := admin.write.ExecContext(context.Background(), fmt.Sprintf(q, name)); err != nil {
				t.Error(err)
			}
		}
	})
	as := strings.Replace(address, "outlay@", name+"@", 1)
	openAs := func() error {
		s, err := Open(t.Context(), as, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		return s.ForOrg(t.Context(), "org_a", func(tx outlay.Tx) error {
			_, err := tx.Users(t.Context())
			return err
		})
	}

	// A stranger: it may sign in, and nothing else.
	exec(t, admin.write, `CREATE ROLE `+name+` LOGIN`)
	if err := openAs(); err == nil {
		t.Error("a user without any grant opened the store")
	}
	// A member of the role: works, though it owns nothing and may make nothing.
	exec(t, admin.write, `GRANT outlay_app TO `+name)
	if err := openAs(); err != nil {
		t.Errorf("a member of the role: %v", err)
	}
	// Above row level security and without the role: refused.
	exec(t, admin.write, `REVOKE outlay_app FROM `+name)
	exec(t, admin.write, `ALTER ROLE `+name+` BYPASSRLS`)
	exec(t, admin.write, `GRANT SELECT ON ALL TABLES IN SCHEMA public TO `+name)
	if err := openAs(); outlay.CodeOf(err) != outlay.CodeForbidden {
		t.Errorf("a user above row level security: %v", err)
	}
	// The owner of the tables without the right to make roles: FORCE binds it.
	exec(t, admin.write, `ALTER ROLE `+name+` NOBYPASSRLS`)
	exec(t, admin.write, fmt.Sprintf(`ALTER DATABASE %s OWNER TO %s`, database, name))
	for _, table := range append(tables(), "goose_db_version") {
		exec(t, admin.write, fmt.Sprintf(`ALTER TABLE %s OWNER TO %s`, table, name))
	}
	twoTenants(t, admin)
	owner := mustOpen(t, as)
	if owner.role != "" {
		t.Errorf("the owner works as %q", owner.role)
	}
	err := owner.transact(t.Context(), begin{db: owner.read, org: "org_b", readOnly: true}, func(q querier) error {
		rows, err := list(t.Context(), q, say("reading", `SELECT org_id FROM users`), scalar[string])
		if len(rows) != 0 {
			t.Errorf("the owner sees %v", rows)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	err = owner.ReadOrg(t.Context(), "org_a", func(tx outlay.Tx) error {
		users, err := tx.Users(t.Context())
		if len(users) != 1 {
			t.Errorf("the owner does not see its own organization: %v", users)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

package sqldb

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"outlay"
)

// TestAuditIsAppendOnly tries to change the log in the database, as the owner of its tables and as the role we work as.
func TestAuditIsAppendOnly(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		writeAudit(t, s, 3)
		queries := []string{`UPDATE audit_entries SET detail = ''`, `DELETE FROM audit_entries`}
		if s.dialect == postgres {
			queries = append(queries, `TRUNCATE audit_entries`)
		}
		for _, query := range queries {
			if _, err := s.write.ExecContext(t.Context(), query); err == nil {
				t.Errorf("the owner: %s went through", query)
			}
			err := s.forOrg(t.Context(), "org_a", func(x *tx) error { _, err := run(t.Context(), x.q, say("changing", query)); return err })
			if err == nil {
				t.Errorf("in a transaction of ours: %s went through", query)
			}
			if s.dialect == postgres && sqlState(err) != "42501" {
				t.Errorf("in a transaction of ours: %s: %v, want no privilege", query, err)
			}
		}
		if n, err := verifyAudit(t, s); n != 3 || err != nil {
			t.Errorf("%d entries, %v", n, err)
		}
	})
}

func writeAudit(t *testing.T, s *Store, entries int) {
	t.Helper()
	if err := s.Install().AddOrganization(t.Context(), outlay.Organization{ID: "org_a", Name: "A"}); err != nil {
		t.Fatal(err)
	}
	err := s.ForOrg(t.Context(), "org_a", func(tx outlay.Tx) error {
		for i := range entries {
			e := outlay.Entry{At: time.UnixMicro(int64(i) + 1), Actor: fmt.Sprint("usr_", i), ActorName: "n", Addr: "a", Action: "x", Object: "o", Result: "ok", Detail: fmt.Sprint(i)}
			if err := tx.Append(t.Context(), e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func verifyAudit(t *testing.T, s *Store) (n int, broken error) {
	t.Helper()
	if err := s.ReadOrg(t.Context(), "org_a", func(tx outlay.Tx) error { n, broken = tx.VerifyAudit(t.Context()); return nil }); err != nil {
		t.Fatal(err)
	}
	return n, broken
}

// edits are changes to a log of entries lines that somebody who owns the database could make.
func edits(entries int) []string {
	var out []string
	for seq := 1; seq <= entries; seq++ {
		for _, column := range []string{"id", "actor", "actor_name", "addr", "action", "object", "result", "detail", "hash"} {
			out = append(out, fmt.Sprintf(`UPDATE audit_entries SET %[1]s = %[1]s || 'x' WHERE seq = %[2]d`, column, seq))
		}
		out = append(out,
			fmt.Sprintf(`UPDATE audit_entries SET at = at + 1 WHERE seq = %d`, seq),
			fmt.Sprintf(`UPDATE audit_entries SET actor_name = actor_name || addr, addr = '' WHERE seq = %d`, seq), // moved from field to field
			fmt.Sprintf(`DELETE FROM audit_entries WHERE seq = %d`, seq),
			fmt.Sprintf(`DELETE FROM audit_entries WHERE seq >= %d`, seq), // cut at the end
			fmt.Sprintf(`INSERT INTO audit_entries SELECT org_id, %d, id || 'y', at, actor, actor_name, addr, action, object, result, detail, hash FROM audit_entries WHERE seq = %d`, entries+1, seq),
		)
	}
	for seq := 1; seq < entries; seq++ { // two lines change places
		out = append(out, fmt.Sprintf(`UPDATE audit_entries SET seq = -seq WHERE seq IN (%[1]d, %[2]d);
			UPDATE audit_entries SET seq = CASE seq WHEN -%[1]d THEN %[2]d ELSE %[1]d END WHERE seq < 0`, seq, seq+1))
	}
	return append(out, `UPDATE audit_entries SET seq = seq + 100`, `UPDATE audit_tips SET entries = entries - 1`, `UPDATE audit_tips SET hash = ''`, `DELETE FROM audit_tips`)
}

// TestAuditShowsEveryEdit makes each edit with the triggers off, and wants VerifyAudit to notice, and to be content again
// after the edit is undone.
func TestAuditShowsEveryEdit(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		const entries = 6
		writeAudit(t, s, entries)
		off := map[dialect][]string{
			sqlite:   {`DROP TRIGGER audit_entries_update`, `DROP TRIGGER audit_entries_delete`},
			postgres: {`ALTER TABLE audit_entries DISABLE TRIGGER USER`},
		}
		for _, query := range off[s.dialect] {
			exec(t, s.write, query)
		}
		for _, copied := range []string{"audit_entries", "audit_tips"} {
			exec(t, s.write, `CREATE TABLE kept_`+copied+` AS SELECT * FROM `+copied)
		}
		all := edits(entries)
		for _, edit := range all {
			exec(t, s.write, edit)
			if _, broken := verifyAudit(t, s); broken == nil {
				t.Errorf("not noticed: %s", edit)
			}
			for _, copied := range []string{"audit_entries", "audit_tips"} {
				exec(t, s.write, `DELETE FROM `+copied)
				exec(t, s.write, `INSERT INTO `+copied+` SELECT * FROM kept_`+copied)
			}
			if n, broken := verifyAudit(t, s); n != entries || broken != nil {
				t.Fatalf("after undoing: %d, %v", n, broken)
			}
		}
		t.Logf("%d edits", len(all))
		if slices.Contains(all, "") {
			t.Error("an empty edit proves nothing")
		}
	})
}

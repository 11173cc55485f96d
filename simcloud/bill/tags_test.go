package bill

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOnlyActiveTagKeysOccur(t *testing.T) {
	db := openDB(t)
	s := demo()
	s.Tagged = []string{"User", "SessionID", "CostCenter", "Pool"}
	s.ActiveSince = map[string]time.Time{
		"SessionID": time.Date(2026, 10, 11, 6, 0, 0, 0, time.UTC), // so from the 12th on
		"Pool":      time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC),  // after this month
		"User":      time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC),
	}
	keys := func(w written) []string {
		return w.ask("SELECT k, min(ChargePeriodStart)::DATE::VARCHAR FROM (SELECT unnest(map_keys(Tags)) AS k, ChargePeriodStart FROM bill) GROUP BY 1 ORDER BY 1")
	}
	if d := cmp.Diff([]string{"user_cost_center|2026-10-01", "user_session_i_d|2026-10-12", "user_user|2026-10-01"}, keys(write(t, db, s))); d != "" {
		t.Error(d)
	}
	s.Tagged, s.TagPrefix, s.ActiveSince = []string{"GroupID", "Name"}, "user:", nil
	if d := cmp.Diff([]string{"user:GroupID|2026-10-01", "user:Name|2026-10-01"}, keys(write(t, db, s))); d != "" {
		t.Error(d)
	}
	s.Tagged = nil
	if got := keys(write(t, db, s)); len(got) != 0 {
		t.Errorf("without an active key: %v", got)
	}
}

func TestTagsTellOneStory(t *testing.T) {
	s := demo()
	s.Users, s.Projects, s.Pools, s.Groups = []string{"ann", "bob", "o'neill"}, []string{"p1", "p2"}, []string{"cpu"}, []string{"g1"}
	w := write(t, openDB(t), s)
	if got := w.one("SELECT string_agg(DISTINCT Tags['user_user'], ' ' ORDER BY Tags['user_user']), string_agg(DISTINCT Tags['user_pool'], ' '), string_agg(DISTINCT Tags['user_group_i_d'], ' ') FROM bill"); got != "ann bob o'neill|cpu|g1" {
		t.Error(got)
	}
	if got := w.one("SELECT max(u), max(d) FROM (SELECT count(DISTINCT Tags['user_user']) AS u, count(DISTINCT Tags['user_date']) AS d FROM bill WHERE Tags['user_session_i_d'] IS NOT NULL GROUP BY Tags['user_session_i_d'])"); got != "1|1" {
		t.Errorf("users and dates of a session: %s", got)
	}
	w.none("a session that begins after its charge", "Tags['user_session_i_d'] IS NOT NULL AND Tags['user_date']::DATE > ChargePeriodStart")
	w.none("one resource in two accounts", "ResourceId IN (SELECT ResourceId FROM bill WHERE ResourceId IS NOT NULL GROUP BY 1 HAVING count(DISTINCT SubAccountId) > 1)")
}

func TestNamesAreDistinctAndGrow(t *testing.T) {
	for _, kind := range []string{"user", "group", "project", "pool"} {
		many := Names(kind, 3000)
		sorted := slices.Clone(many)
		slices.Sort(sorted)
		if n := len(slices.Compact(sorted)); n != 3000 {
			t.Errorf("%s: %d of 3,000 names are distinct", kind, n)
		}
		if !slices.Equal(Names(kind, 5), many[:5]) {
			t.Errorf("%s: fewer names are not the first of more", kind)
		}
	}
}

package duckdb

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

// day is the start of a day.
func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// small is a bill that is easy to add in the head.
func small() []charge {
	return []charge{
		usage("2026-09-28", "1", "SubAccountName", "Old name", "RegionId", "north", "RegionName", "Far North", "Tags", `{"Project":"p1","User":"ann","SessionID":"s1"}`, "ResourceId", "res-1", "ResourceName", "web"),
		usage("2026-10-01", "10", "SubAccountName", "New name", "RegionId", "north", "RegionName", "Far North", "Tags", `{"Project":"p1","User":"bob"}`, "ResourceId", "res-1", "ResourceName", "web"),
		usage("2026-10-05", "20.5", "SubAccountName", "New name", "ServiceName", "Storage", "Tags", `{"Project":"p2"}`, "ResourceId", "res-2", "ResourceName", ""),
		usage("2026-10-06", "-3", "SubAccountName", "New name", "ChargeCategory", "Credit"),
		usage("2026-10-06", "0.000000000000000001", "SubAccountId", "acct-2", "BillingCurrency", "EUR"),
	}
}

// TestQuery answers the questions of the dashboard over a small bill.
func TestQuery(t *testing.T) {
	store, _ := storeOf(t, headsOf("src_1", outlay.OriginFiles, parseHere(t, job(t, file(t, "bill.csv", csvText(small()...)))))...)
	project, user, session := outlay.TagDimension("Project"), outlay.TagDimension("User"), outlay.TagDimension("SessionID")
	only := func(d outlay.Dimension, values ...string) outlay.Filter {
		return outlay.Filter{Dimension: d, Values: values}
	}
	not := func(d outlay.Dimension, values ...string) outlay.Filter {
		return outlay.Filter{Dimension: d, Values: values, Not: true}
	}
	cases := []struct {
		name  string
		query outlay.Query
		want  []string
	}{
		{"totals", outlay.Query{}, []string{"-  EUR 1 0.000000000000000001", "-  USD 4 28.5"}},
		{"by day and service", outlay.Query{Every: outlay.EveryDay, GroupBy: []outlay.Dimension{outlay.ByService}, From: day("2026-10-01"), To: day("2026-10-06")},
			[]string{"2026-10-01 Compute USD 1 10", "2026-10-05 Storage USD 1 20.5"}},
		{"weeks begin on Monday", outlay.Query{Every: outlay.EveryWeek, Filters: []outlay.Filter{only(outlay.BySubAccount, "acct-1")}},
			[]string{"2026-09-28  USD 2 11", "2026-10-05  USD 2 17.5"}},
		{"months", outlay.Query{Every: outlay.EveryMonth}, []string{"2026-09-01  USD 1 1", "2026-10-01  EUR 1 0.000000000000000001", "2026-10-01  USD 3 27.5"}},
		{"untagged is a row of its own", outlay.Query{GroupBy: []outlay.Dimension{project}},
			[]string{"-  EUR 1 0.000000000000000001", "-  USD 1 -3", "- p1 USD 2 11", "- p2 USD 1 20.5"}},
		{"no value", outlay.Query{Filters: []outlay.Filter{only(project, "")}}, []string{"-  EUR 1 0.000000000000000001", "-  USD 1 -3"}},
		{"not", outlay.Query{Filters: []outlay.Filter{not(project, "p1", "")}}, []string{"-  USD 1 20.5"}},
		{"not what does not occur", outlay.Query{Filters: []outlay.Filter{not(project, "p9")}}, []string{"-  EUR 1 0.000000000000000001", "-  USD 4 28.5"}},
		{"only what does not occur", outlay.Query{Filters: []outlay.Filter{only(project, "p9")}}, nil},
		{"filters are joined by and", outlay.Query{Filters: []outlay.Filter{only(project, "p1"), only(user, "ann")}}, []string{"-  USD 1 1"}},
		{"any of", outlay.Query{AnyOf: []outlay.Filter{only(user, "ann"), only(project, "p2")}}, []string{"-  USD 2 21.5"}},
		{"any of, within a filter", outlay.Query{AnyOf: []outlay.Filter{only(user, "ann", "bob")}, Filters: []outlay.Filter{only(outlay.ByPeriod, "2026-10")}}, []string{"-  USD 1 10"}},
		{"sessions", outlay.Query{GroupBy: []outlay.Dimension{session}, Filters: []outlay.Filter{not(session, "")}}, []string{"- s1 USD 1 1"}},
		{"resources", outlay.Query{GroupBy: []outlay.Dimension{outlay.ByResource}, Limit: 2, OrderBy: outlay.Billed}, []string{"- res-2 USD 1 20.5", "- res-1 USD 2 11"}},
		{"what no rollup has together", outlay.Query{GroupBy: []outlay.Dimension{outlay.ByResource, user}, From: day("2026-10-01"), To: day("2026-10-02")}, []string{"- res-1|bob USD 1 10"}},
		{"no value, from the lake", outlay.Query{GroupBy: []outlay.Dimension{session}, Filters: []outlay.Filter{only(outlay.ByResource, ""), not(outlay.ByCategory, "Credit")}},
			[]string{"-  EUR 1 0.000000000000000001"}},
		{"largest first", outlay.Query{GroupBy: []outlay.Dimension{outlay.ByService}, Limit: 1}, []string{"- Storage USD 1 20.5"}},
		{"by source and period", outlay.Query{GroupBy: []outlay.Dimension{outlay.BySource, outlay.ByPeriod}},
			[]string{"- src_1|2026-09 USD 1 1", "- src_1|2026-10 EUR 1 0.000000000000000001", "- src_1|2026-10 USD 3 27.5"}},
		{"a value with a quote", outlay.Query{Filters: []outlay.Filter{only(user, `x' OR 1=1 --`)}}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			answer := ask(t, store, c.query)
			if d := cmp.Diff(c.want, lines(answer)); d != "" {
				t.Error(d)
			}
			if answer.DataFrom != day("2026-09-28") || answer.DataTo != day("2026-10-07") {
				t.Errorf("data from %s to %s", answer.DataFrom, answer.DataTo)
			}
			if d := cmp.Diff(c.want, lines(ask(t, store, c.query))); d != "" {
				t.Errorf("the second time:\n%s", d)
			}
		})
	}
}

// TestNames tells what people call things: the newest name.
func TestNames(t *testing.T) {
	store, _ := storeOf(t, headsOf("src_1", outlay.OriginFiles, parseHere(t, job(t, file(t, "bill.csv", csvText(small()...)))))...)
	cases := map[outlay.Dimension][]outlay.Value{
		outlay.BySubAccount: {{Key: "acct-1", Name: "New name"}, {Key: "acct-2", Name: "acct-2"}},
		outlay.ByRegion:     {{Key: "", Name: ""}, {Key: "north", Name: "Far North"}},
		outlay.ByResource:   {{Key: "res-2", Name: "res-2"}, {Key: "res-1", Name: "web"}, {Key: "", Name: ""}},
		outlay.ByProvider:   {{Key: "Nimbus", Name: "Nimbus"}},
	}
	for d, want := range cases {
		got, err := store.Values(context.Background(), "org_1", d, time.Time{}, time.Time{}, 10)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", d, diff)
		}
	}
	if got, err := store.Values(context.Background(), "org_1", outlay.ByService, day("2026-10-01"), day("2026-11-01"), 1); err != nil || len(got) != 1 || got[0].Key != "Storage" {
		t.Errorf("%v, %v", got, err)
	}
}

// TestBadQueries names the field at fault.
func TestBadQueries(t *testing.T) {
	store, _ := storeOf(t)
	cases := map[string]outlay.Query{
		"groupBy": {GroupBy: []outlay.Dimension{"colour"}},
		"filters": {Filters: []outlay.Filter{{Dimension: outlay.ByService}}},
		"anyOf":   {AnyOf: []outlay.Filter{{Dimension: "tag:Colour", Values: []string{"x"}}}},
		"every":   {Every: "hour"},
		"from":    {From: day("2026-10-01").Add(time.Hour)},
		"to":      {From: day("2026-10-02"), To: day("2026-10-01")},
		"limit":   {Limit: -1},
		"orderBy": {OrderBy: "Cost"},
	}
	for field, q := range cases {
		_, err := store.Query(context.Background(), "org_1", q)
		if e := outlay.AsError(err); err == nil || e.Code != outlay.CodeInvalid || e.Field != field {
			t.Errorf("%s: %+v", field, err)
		}
	}
	three := outlay.Query{GroupBy: []outlay.Dimension{outlay.ByService, outlay.ByRegion, outlay.ByScope}}
	if _, err := store.Query(context.Background(), "org_1", three); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("three groups: %v", err)
	}
}

// TestNothingPublished answers with nothing, for an organization without heads and for another's.
func TestNothingPublished(t *testing.T) {
	store, _ := storeOf(t, headsOf("src_1", outlay.OriginFiles, parseHere(t, job(t, file(t, "bill.csv", csvText(small()...)))))...)
	empty, _ := storeOf(t, outlay.Head{SourceID: "src_1", Period: "2026-10", Generation: "gen_1"})
	if a := ask(t, empty, outlay.Query{}); len(a.Rows) != 0 {
		t.Errorf("an empty month: %+v", a)
	}
	for _, q := range []outlay.Query{{}, {GroupBy: []outlay.Dimension{outlay.ByResource, outlay.TagDimension("User")}}} {
		a, err := store.Query(context.Background(), "org_2", q)
		if err != nil || len(a.Rows) != 0 || !a.DataFrom.IsZero() || !a.DataTo.IsZero() {
			t.Errorf("%+v: %+v, %v", q, a, err)
		}
	}
}

// TestOverlap counts a sub account once however many sources deliver it.
func TestOverlap(t *testing.T) {
	parsed := func(source string, charges ...charge) []outlay.ParsedPeriod {
		j := job(t, file(t, "bill.csv", csvText(charges...)))
		j.SourceID = source
		return parseHere(t, j)
	}
	created := headsOf("src_b", outlay.OriginCreated, parsed("src_b", usage("2026-10-01", "1"), usage("2026-10-01", "5", "SubAccountId", "")))
	files := headsOf("src_a", outlay.OriginFiles, parsed("src_a", usage("2026-10-01", "2", "ProviderName", "NIMBUS"), usage("2026-10-02", "3", "SubAccountId", "acct-9"),
		usage("2026-09-01", "7"), usage("2026-10-01", "6", "SubAccountId", "", "BillingAccountId", "payer-2")))
	same := headsOf("src_c", outlay.OriginFiles, parsed("src_c", usage("2026-10-02", "30", "SubAccountId", "acct-9")))
	store, _ := storeOf(t, append(append(created, files...), same...)...)
	want := []string{
		"- acct-1 USD 1 7", "-  USD 2 11", "- acct-1 USD 1 1", "- acct-9 USD 1 3",
	}
	q := outlay.Query{GroupBy: []outlay.Dimension{outlay.BySubAccount}, Every: outlay.EveryMonth}
	a := ask(t, store, q)
	for i := range want {
		want[i] = map[bool]string{true: "2026-09-01", false: "2026-10-01"}[i == 0] + want[i][1:]
	}
	if d := cmp.Diff(want, lines(a)); d != "" {
		t.Error(d)
	}
	overlaps := []outlay.Overlap{{SubAccountID: "acct-1", Period: "2026-10", Winner: "src_b", Loser: "src_a"}, {SubAccountID: "acct-9", Period: "2026-10", Winner: "src_a", Loser: "src_c"}}
	if d := cmp.Diff(overlaps, a.Overlaps); d != "" {
		t.Error(d)
	}
	q.Filters = []outlay.Filter{{Dimension: outlay.ByResource, Values: []string{""}}, {Dimension: outlay.TagDimension("Name"), Values: []string{""}}}
	if d := cmp.Diff(want, lines(ask(t, store, q))); d != "" {
		t.Errorf("from the lake:\n%s", d)
	}
}

// TestOrderOfOverlap: what delivers wins over what does not any more, whatever the ids; files come last.
func TestOrderOfOverlap(t *testing.T) {
	order := []struct {
		source  string
		origin  outlay.SourceOrigin
		removed bool
	}{
		{"src_e", outlay.OriginCreated, false}, {"src_d", outlay.OriginImported, false}, {"src_b", outlay.OriginCreated, true}, {"src_c", outlay.OriginImported, true}, {"src_a", outlay.OriginFiles, false},
	}
	var heads []outlay.Head
	for i, o := range order {
		j := job(t, file(t, "bill.csv", csvText(usage("2026-10-01", strconv.Itoa(i+1)))))
		j.SourceID = o.source
		fresh := headsOf(o.source, o.origin, parseHere(t, j))
		for k := range fresh {
			fresh[k].Removed = o.removed
		}
		heads = append(heads, fresh...)
	}
	for i := range order {
		store, _ := storeOf(t, heads[i:]...)
		if d := cmp.Diff([]string{"-  USD 1 " + strconv.Itoa(i+1)}, lines(ask(t, store, outlay.Query{}))); d != "" {
			t.Errorf("without the first %d (-want +got):\n%s", i, d)
		}
	}
}

// TestPublish shows new heads at the next query, keeps no old serving database, and never mixes two sets of heads, while
// many ask at once.
func TestPublish(t *testing.T) {
	bill := func(cost string) []outlay.Head {
		return headsOf("src_1", outlay.OriginFiles, parseHere(t, job(t, file(t, "bill.csv", csvText(usage("2026-10-01", cost), usage("2026-10-02", cost))))))
	}
	versions := [][]outlay.Head{bill("1"), bill("10"), bill("100")}
	for i := range versions {
		versions[i][0].Generation = "gen_" + string(rune('a'+i))
	}
	var mu sync.Mutex
	now := 0
	read := func(context.Context, string) ([]outlay.Head, int64, error) {
		mu.Lock()
		defer mu.Unlock()
		return versions[now%len(versions)], int64(now), nil
	}
	cache := t.TempDir()
	store, err := Open(Options{Heads: read, CacheDir: cache, Threads: 2, Clock: outlay.SystemClock{}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 25 {
				a, err := store.Query(context.Background(), "org_1", outlay.Query{Limit: 1 + i*25 + n})
				if err != nil || len(a.Rows) != 1 {
					t.Errorf("%+v, %v", a, err)
					return
				}
				if got := a.Rows[0].Amounts[0].String(); got != "2" && got != "20" && got != "200" {
					t.Errorf("a sum of no version: %s", got)
				}
			}
		})
	}
	for range 8 {
		mu.Lock()
		now++
		mu.Unlock()
		if err := store.Refresh(context.Background(), "org_1"); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	mu.Lock()
	now = 2
	mu.Unlock()
	if got := lines(ask(t, store, outlay.Query{})); got[0] != "-  USD 2 200" {
		t.Errorf("the newest: %v", got)
	}
	left, err := filepath.Glob(filepath.Join(cache, "serving", "*.duckdb*"))
	if err != nil || len(left) != 1 {
		t.Errorf("serving databases: %v, %v", left, err)
	}
}

// TestCancel gives up when the asker does, and still answers the next one.
func TestCancel(t *testing.T) {
	store, _ := storeOf(t, headsOf("src_1", outlay.OriginFiles, parseHere(t, job(t, file(t, "bill.csv", csvText(small()...)))))...)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := store.Query(ctx, "org_1", outlay.Query{}); err == nil {
		t.Error("a cancelled query was answered")
	}
	if got := lines(ask(t, store, outlay.Query{})); len(got) != 2 {
		t.Errorf("%v", got)
	}
}

// TestOpenClears removes what an earlier process left.
func TestOpenClears(t *testing.T) {
	cache := t.TempDir()
	old := filepath.Join(cache, "serving", "7.duckdb")
	if err := os.MkdirAll(filepath.Dir(old), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(old, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := Open(Options{CacheDir: cache, Clock: outlay.SystemClock{}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("still there: %v", err)
	}
}

// TestNoRollup leaves nothing attached when the serving database cannot be made, and makes it once it can.
func TestNoRollup(t *testing.T) {
	periods := parseHere(t, job(t, file(t, "bill.csv", csvText(usage("2026-10-01", "1")))))
	c, _ := storeOf(t, headsOf("src_1", outlay.OriginCreated, periods)...)
	hidden := periods[0].Rollups[1] + ".hidden"
	if err := os.Rename(periods[0].Rollups[1], hidden); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := c.Query(t.Context(), "org_1", outlay.Query{}); err == nil {
			t.Fatal("there is an answer without a rollup")
		}
	}
	var attached int
	if err := c.db.QueryRow("SELECT count(*) FROM duckdb_databases() WHERE path IS NOT NULL").Scan(&attached); err != nil || attached != 0 {
		t.Errorf("%d databases stay attached, %v", attached, err)
	}
	left, err := filepath.Glob(filepath.Join(c.dir, "*.duckdb*"))
	if err != nil || len(left) > 0 {
		t.Errorf("files stay: %v, %v", left, err)
	}
	if err := os.Rename(hidden, periods[0].Rollups[1]); err != nil {
		t.Fatal(err)
	}
	if got := lines(ask(t, c, outlay.Query{})); len(got) != 1 {
		t.Errorf("rows %v", got)
	}
}

// TestEnter does not wait for ever for a place.
func TestEnter(t *testing.T) {
	places := make(chan struct{}, 1)
	if err := enter(t.Context(), places); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := enter(ctx, places); outlay.CodeOf(err) != outlay.CodeUnavailable {
		t.Errorf("got %v", err)
	}
}

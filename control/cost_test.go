package control_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/control"
	"outlay/outlaytest"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func charge(date, service, user, cost string) outlaytest.Charge {
	return outlaytest.Charge{Day: day(date), Cost: cost, Values: map[outlay.Dimension]string{outlay.ByService: service, outlay.TagDimension("User"): user, outlay.ByProvider: "Nimbus"}}
}

func costs(t *testing.T, h *house, a outlay.Actor, query string) control.CostView {
	t.Helper()
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	r, err := control.ParseCostRequest(q)
	if err != nil {
		t.Fatal(err)
	}
	v, err := h.Costs(t.Context(), a, r)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestTotalsAgree draws random bills and queries and holds chart, table, other and CSV against each other, to the last
// digit.
func TestTotalsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var rows outlaytest.Charges
	for range 800 {
		d := day("2026-08-01").AddDate(0, 0, rng.IntN(114)).Format(time.DateOnly)
		rows = append(rows, charge(d, fmt.Sprintf("service %02d", rng.IntN(14)), []string{"", "ada", "otto"}[rng.IntN(3)], fmt.Sprintf("%d.%018d", rng.IntN(50)-5, rng.Int64N(1e18))))
	}
	h := newHouse(t, rows)
	groups := []string{"service", "tag:User", "provider"}
	ranges := []string{"mtd", "30d", "90d", "365d", "all", "last-month"}
	for i := range 20 {
		query := fmt.Sprintf("range=%s&group=%s&measure=%s", ranges[i%len(ranges)], groups[i%len(groups)], outlay.Measures()[i%4])
		if i%3 == 0 {
			query += "&f=tag:User:ada&f=tag:User:"
		}
		if i%5 == 0 {
			query += "&every=week"
		}
		v := costs(t, h, h.admin, query)
		chart, table := outlay.Amount{}, outlay.Amount{}
		for _, b := range v.Buckets {
			chart = chart.Add(b.Total)
		}
		for _, r := range v.Rows {
			table = table.Add(r.Total)
		}
		text := &strings.Builder{}
		if err := control.WriteCSV(text, control.CostTable(v)); err != nil {
			t.Fatal(err)
		}
		csv := sumCSV(t, text.String())
		if got := []string{chart.String(), table.String(), csv.String()}; got[0] != v.Total.Total.String() || got[1] != got[0] || got[2] != got[0] {
			t.Errorf("%s: total %s, chart, table and CSV %v", query, v.Total.Total, got)
		}
		if v.Measures[v.Measure].String() != v.Total.Total.String() {
			t.Errorf("%s: measure total %s, view total %s", query, v.Measures[v.Measure], v.Total.Total)
		}
	}
}

func sumCSV(t *testing.T, text string) outlay.Amount {
	t.Helper()
	sum := outlay.Amount{}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
		cells := strings.Split(line, ",")
		a, err := outlay.ParseAmount(cells[len(cells)-2], cells[len(cells)-1])
		if err != nil {
			t.Fatal(err)
		}
		sum = sum.Add(a)
	}
	return sum
}

// TestThirteenServices: nine have a place of their own, the others are merged, what has no value stands before Other,
// and a filter never changes a colour.
func TestThirteenServices(t *testing.T) {
	var rows outlaytest.Charges
	for i := range 13 {
		rows = append(rows, charge("2026-11-05", fmt.Sprintf("s%02d", i), "ada", fmt.Sprintf("%d", 100-i)))
	}
	rows = append(rows, charge("2026-11-05", "", "ada", "500"))
	h := newHouse(t, rows)
	v := costs(t, h, h.admin, "")
	var names []string
	for _, r := range v.Rows {
		names = append(names, fmt.Sprintf("%s/%d", r.Name, r.Series))
	}
	want := []string{"s00/0", "s01/1", "s02/2", "s03/3", "s04/4", "s05/5", "s06/6", "s07/7", "s08/8", "No Service/9", "Other/9"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if n := len(v.Rows[10].Members); n != 4 {
		t.Errorf("Other has %d members, want 4", n)
	}
	v = costs(t, h, h.admin, "f=service:s11&f=service:s02")
	if v.Rows[0].Name != "s02" || v.Rows[0].Series != 2 || v.Rows[1].Name != "s11" || v.Rows[1].Series != 9 {
		t.Errorf("a filter recoloured: %+v", v.Rows)
	}
}

// TestScopes: what a role may see is a filter that no request can lift.
func TestScopes(t *testing.T) {
	rows := outlaytest.Charges{charge("2026-11-05", "a", "ada", "1"), charge("2026-11-05", "a", "otto", "2"), charge("2026-11-05", "b", "", "4")}
	rows[1].Values[outlay.TagDimension("GroupID")] = "marine"
	h := newHouse(t, rows)
	org := h.admin.OrgID
	cases := map[string]struct {
		actor outlay.Actor
		query string
		want  string
	}{
		"finance sees all":            {outlay.Actor{OrgID: org, UserID: "u", Roles: []outlay.Role{outlay.RoleFinance}}, "", "7"},
		"a member sees his own":       {outlay.Actor{OrgID: org, UserID: "u", Handle: "ada", Roles: []outlay.Role{outlay.RoleMember}}, "", "1"},
		"a member cannot widen it":    {outlay.Actor{OrgID: org, UserID: "u", Handle: "ada", Roles: []outlay.Role{outlay.RoleMember}}, "f=tag:User:otto", "0"},
		"a lead sees his group's too": {outlay.Actor{OrgID: org, UserID: "u", Handle: "ada", LeadOf: []string{"marine"}}, "", "3"},
		"a member without a handle":   {outlay.Actor{OrgID: org, UserID: "u", Roles: []outlay.Role{outlay.RoleMember}}, "", "0"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := costs(t, h, c.actor, c.query).Total.Total.String(); got != c.want {
				t.Errorf("total %s, want %s", got, c.want)
			}
		})
	}
	_, err := h.Costs(t.Context(), outlay.Actor{}, control.CostRequest{})
	wantCode(t, err, outlay.CodeUnauthenticated)
}

// TestPreviousPeriod compares a month to date with the same days of the month before.
func TestPreviousPeriod(t *testing.T) {
	rows := outlaytest.Charges{charge("2026-10-02", "a", "", "10"), charge("2026-10-30", "a", "", "99"), charge("2026-11-02", "a", "", "15"), charge("2026-11-03", "b", "", "-2")}
	h := newHouse(t, rows)
	v := costs(t, h, h.admin, "")
	if v.HasPrevious {
		t.Fatal("without a published head nothing is known to be that old")
	}
	publish(t, h, "2026-10")
	v = costs(t, h, h.admin, "")
	if v.Total.Previous.String() != "10" || v.Total.Change.String() != "3" || *v.Total.Percent != 30 {
		t.Errorf("total %+v", v.Total)
	}
	if !strings.HasPrefix(v.Headline, "a moved most: +$5.00 against 1–22 Oct") {
		t.Errorf("headline %q", v.Headline)
	}
	if v.Buckets[1].Previous.String() != "10" {
		t.Errorf("the second day's previous figure is %s, want 10", v.Buckets[1].Previous)
	}
}

// publish records a head, as loading would.
func publish(t *testing.T, h *house, period outlay.Period) {
	t.Helper()
	ctx := t.Context()
	src := outlay.Source{OrgID: h.admin.OrgID, ID: "src-1", Name: "files", Origin: outlay.OriginFiles, Desired: outlay.Present, CreatedAt: now()}
	unit := outlay.Unit{OrgID: h.admin.OrgID, ID: "unit-" + string(period), SourceID: src.ID, Period: period, Delivery: outlay.Delivery{Period: period, Version: now(), Token: "t"}, State: outlay.UnitPublished, SeenAt: now()}
	head := outlay.Head{OrgID: h.admin.OrgID, SourceID: src.ID, Origin: src.Origin, Period: period, UnitID: unit.ID, Version: now(), Generation: "g1", DataThrough: period.End(), DeliveredAt: now(), PublishedAt: now()}
	err := h.store.ForOrg(ctx, h.admin.OrgID, func(tx outlay.Tx) error {
		if err := tx.PutSource(ctx, src); err != nil {
			return err
		}
		if _, _, err := tx.AddUnit(ctx, unit); err != nil {
			return err
		}
		return tx.Publish(ctx, head)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCurrencies: they are named, never added.
func TestCurrencies(t *testing.T) {
	rows := outlaytest.Charges{charge("2026-11-02", "a", "", "15"), charge("2026-11-02", "a", "", "15"), charge("2026-11-03", "b", "", "7")}
	rows[2].Currency = "EUR"
	h := newHouse(t, rows)
	v := costs(t, h, h.admin, "")
	if v.Currency != "USD" || v.Total.Total.String() != "30" || len(v.Others) != 2 {
		t.Errorf("currency %s, total %s, all %v", v.Currency, v.Total.Total, v.Others)
	}
	if v = costs(t, h, h.admin, "currency=EUR"); v.Total.Total.String() != "7" || len(v.Rows) != 1 {
		t.Errorf("EUR: total %s, rows %d", v.Total.Total, len(v.Rows))
	}
}

// TestCostRequest reads and writes URLs, and names the field at fault.
func TestCostRequest(t *testing.T) {
	q, _ := url.ParseQuery("range=30d&group=tag:User&f=service:Amazon+S3&f=service:EC2&f=-region:x&f=tag:User:")
	r, err := control.ParseCostRequest(q)
	if err != nil {
		t.Fatal(err)
	}
	want := []outlay.Filter{{Dimension: "service", Values: []string{"Amazon S3", "EC2"}}, {Dimension: "region", Not: true, Values: []string{"x"}}, {Dimension: "tag:User", Values: []string{""}}}
	if diff := cmp.Diff(want, r.Filters); diff != "" {
		t.Errorf("filters (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(q, r.Query()); diff != "" {
		t.Errorf("back to a URL (-want +got):\n%s", diff)
	}
	for query, field := range map[string]string{"range=tomorrow": "range", "group=colour": "group", "measure=Cost": "measure", "f=service": "f", "f=tag:Colour:x": "f", "every=hour": "every", "compare=x": "compare"} {
		q, _ := url.ParseQuery(query)
		_, err := control.ParseCostRequest(q)
		if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeInvalid || e.Field != field || e.Fix == "" {
			t.Errorf("%s: %v does not name the field %s and a way out", query, err, field)
		}
	}
	h := newHouse(t, nil)
	for query, field := range map[string]string{"from=x&to=2026-11-01": "from", "from=2026-11-02&to=2026-11-01": "to", "from=0001-01-01&to=9999-12-31&every=week": "to"} {
		q, _ := url.ParseQuery(query)
		r, err := control.ParseCostRequest(q)
		if err == nil {
			_, err = h.Costs(t.Context(), h.admin, r)
		}
		if e := outlay.AsError(err); e == nil || e.Field != field {
			t.Errorf("%s: %v does not name the field %s", query, err, field)
		}
	}
}

func FuzzCostRequest(f *testing.F) {
	f.Add("range=30d&f=tag:User:ada&f=-region:x")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		r, err := control.ParseCostRequest(q)
		if err != nil {
			return
		}
		again, err := control.ParseCostRequest(r.Query())
		if err != nil {
			t.Fatalf("%q became %q, which cannot be read: %v", text, r.Query().Encode(), err)
		}
		if diff := cmp.Diff(r, again); diff != "" && r.Range != "custom" {
			t.Errorf("%q (-first +again):\n%s", text, diff)
		}
	})
}

// TestCSVDefused: text that a spreadsheet would run is disarmed, figures stay.
func TestCSVDefused(t *testing.T) {
	table := outlay.Table{Columns: []outlay.Column{{Name: "name"}, {Name: "cost", Right: true}}}
	for _, name := range []string{"=1+1", "+x", "-x", "@x", "\tx", "＝x", "plain", ""} {
		table.Add(name, "-12.34")
	}
	text := &strings.Builder{}
	if err := control.WriteCSV(text, table); err != nil {
		t.Fatal(err)
	}
	want := "name,cost\n'=1+1,-12.34\n'+x,-12.34\n'-x,-12.34\n'@x,-12.34\n'\tx,-12.34\n'＝x,-12.34\nplain,-12.34\n,-12.34\n"
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMoney(t *testing.T) {
	for amount, want := range map[string]string{"1234567.891": "$1,234,567.89", "-12.3": "−$12.30", "0": "$0.00", "-0.001": "$0.00", "0.005": "$0.00", "0.015": "$0.02", "999.999": "$1,000.00"} {
		if got := control.Money(outlay.MustAmount(amount, "USD")); got != want {
			t.Errorf("%s is %q, want %q", amount, got, want)
		}
	}
	if got := control.Money(outlay.MustAmount("1234", "SEK")); got != "1,234.00 SEK" {
		t.Errorf("SEK: %q", got)
	}
}

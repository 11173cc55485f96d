package web

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/outlaytest"
)

var (
	exactCell = regexp.MustCompile(`data-exact="([^"]+)"`)
	chartData = regexp.MustCompile(`(?s)<script type="application/json">(.*?)</script>`)
)

func add(t *testing.T, sum outlay.Amount, figure string) outlay.Amount {
	t.Helper()
	a, err := outlay.ParseAmount(figure, "USD")
	if err != nil {
		t.Fatal(err)
	}
	return sum.Add(a)
}

// TestTotals compares chart, table, CSV and JSON of many views, to the last digit (the chart to the cent of each part).
func TestTotals(t *testing.T) {
	h := newHouse(t, someCharges(fixedNow()))
	h.seed()
	b := h.signIn(outlay.RoleAdmin)
	for _, query := range []string{
		"", "?range=30d", "?range=90d&every=week&group=tag:User", "?range=last-month&group=region", "?group=tag:Project&measure=ListCost", "?range=7d&f=service:Nimbus+Compute", "?f=-service:Nimbus+Compute",
		"?f=tag:User:", "?range=custom&from=2026-11-19&to=2026-11-19", "?group=category", "?range=all&every=month", "?compare=none&other=open", "?range=ytd&f=category:Credit",
	} {
		t.Run(query, func(t *testing.T) {
			page := b.page("/costs" + query)
			cells := exactCell.FindAllStringSubmatch(page, -1)
			if len(cells) < 3 {
				t.Fatalf("no table:\n%s", page)
			}
			total := add(t, outlay.Amount{}, cells[0][1])
			table := outlay.Amount{}
			for _, c := range cells[2:] { // the strip's figure and the total row come first
				table = add(t, table, c[1])
			}
			if strings.Contains(query, "other=open") {
				table = add(t, table, "-"+parts(t, page)) // members of Other are shown beside their sum
			}
			if cells[1][1] != cells[0][1] || table.Cmp(total) != 0 {
				t.Errorf("strip %s, total row %s, rows %s", cells[0][1], cells[1][1], table)
			}
			if sum := csvSum(t, b.page("/costs.csv"+query)); sum.Cmp(total) != 0 {
				t.Errorf("CSV %s, table %s", sum, total)
			}
			if sum := jsonSum(t, b.page("/costs.json"+query)); sum.Cmp(total) != 0 {
				t.Errorf("JSON %s, table %s", sum, total)
			}
			chartSum(t, page, total)
		})
	}
}

// parts sums the rows that are members of Other.
func parts(t *testing.T, page string) string {
	t.Helper()
	sum := outlay.Amount{}
	for _, row := range strings.Split(page, "<tr")[1:] {
		if strings.Contains(row, `class="part"`) {
			sum = add(t, sum, exactCell.FindStringSubmatch(row)[1])
		}
	}
	if sum.IsZero() {
		t.Error("Other was not expanded")
	}
	return sum.String()
}

func csvSum(t *testing.T, text string) outlay.Amount {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	sum := outlay.Amount{}
	for _, row := range rows[1:] {
		sum = add(t, sum, row[4])
	}
	return sum
}

func jsonSum(t *testing.T, text string) outlay.Amount {
	t.Helper()
	var v struct {
		Rows []struct{ Values []outlay.Amount }
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	sum := outlay.Amount{}
	for _, r := range v.Rows {
		for _, a := range r.Values {
			sum = sum.Add(a)
		}
	}
	return sum
}

func chartSum(t *testing.T, page string, total outlay.Amount) {
	t.Helper()
	var data struct{ B []struct{ T int64 } }
	if err := json.Unmarshal([]byte(chartData.FindStringSubmatch(page)[1]), &data); err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, b := range data.B {
		sum += b.T
	}
	if off := sum - cents(total); off > int64(len(data.B)) || off < -int64(len(data.B)) {
		t.Errorf("the chart's bars add up to %d cents, the table to %s", sum, total)
	}
}

// TestCostsPage looks at the words of the dashboard.
func TestCostsPage(t *testing.T) {
	h := newHouse(t, someCharges(fixedNow()))
	h.seed()
	b := h.signIn(outlay.RoleAdmin)
	wants(t, b.page("/costs"), "All accounts · effective cost in USD · UTC days", "Data complete through <b>20 Nov</b>", "1 of 1 source on time", "Month to date", "against", "1–22 Oct", "Without an owner tag", "1–22 Nov 2026", "Nimbus Compute moved most", "Still arriving", "<cost-chart", "Nimbus Compute", "Other, 4 more")
	wants(t, b.page("/costs?other=open&group=service"), `aria-expanded="true"`, "Nimbus Names", "$0.0000")
	wants(t, b.page("/costs?group=tag:User"), "s10", "No User tag")
	wants(t, b.page("/costs?range=90d"), "No data before 1 Sep 2026") // what heads say, not charges
	wants(t, b.page("/costs?f=service:Nothing"), "No costs for these filters", "Clear the last filter")
	wants(t, b.page("/costs?f=service:Nimbus+SQL&f=-tag:User:"), `value="service:Nimbus SQL" checked`, "Service: Nimbus SQL", "User: any")
	if a := b.get("/costs?range=nonsense"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Use mtd") {
		t.Errorf("a bad range: %d %s", a.status, a.body)
	}
	if a := b.get("/costs?fd=service&fop=not&fv=Nimbus+SQL&range=7d"); a.header.Get("Location") != "/costs?f=-service%3ANimbus+SQL&range=7d" {
		t.Errorf("Add filter leads to %q", a.header.Get("Location"))
	}
	a := b.get("/costs?range=mtd&every=&group=tag:User&measure=EffectiveCost&compare=prev&fd=&fop=is&fv=", "HX-Request", "true", "HX-Request-Type", "partial")
	if got := a.header.Get("HX-Push-Url"); got != "/costs?group=tag%3AUser" {
		t.Errorf("the address becomes %q", got)
	}
	lacks(t, a.body, "<html")
	wants(t, b.page("/costs?range=custom"), `value="2026-10-24"`, `value="2026-11-22"`, "24 Oct–22 Nov 2026")
	wants(t, b.page("/costs/values?fd=service"), `<option value="Nimbus Compute">`)
}

// TestEmptyCosts tells the empty states apart, and gives nobody a link that he may not open.
func TestEmptyCosts(t *testing.T) {
	h := newHouse(t, nil)
	h.people()
	wants(t, h.signIn(outlay.RoleAdmin).page("/costs"), "No cloud account yet", `href="/accounts"`)
	lacks(t, h.signIn(outlay.RoleMember).page("/costs"), `href="/accounts"`, `href="/data-health"`)
}

// TestScope shows a member his own costs and nobody else's, on the page, in CSV and in JSON.
func TestScope(t *testing.T) {
	h := newHouse(t, someCharges(fixedNow()))
	h.seed()
	b := h.signIn(outlay.RoleMember) // handle s.petrov
	for _, path := range []string{"/costs?group=tag:User", "/costs.csv?group=tag:User", "/costs.json?group=tag:User", "/costs/values?fd=tag:User"} {
		text := b.page(path)
		wants(t, text, "s.petrov")
		lacks(t, text, "m.okafor", "j.lindqvist")
	}
	wants(t, b.page("/costs"), "Your own costs")
}

// TestHostileTags puts markup and formulas into every value that somebody else can choose.
func TestHostileTags(t *testing.T) {
	const evil = `"><img src=x onerror=alert(1)><button hx-post=/users>x</button></script>`
	now := fixedNow().Truncate(24 * time.Hour)
	h := newHouse(t, outlaytest.Charges{oneCharge(now, evil, evil, "12.5", "Usage"), oneCharge(now, "=1+cmd|' /C calc'!A0", `{{.}}`, "3", "Usage")})
	h.seed()
	b := h.signIn(outlay.RoleAdmin)
	for _, path := range []string{"/costs", "/costs?group=tag:User", "/costs?f=tag:User:" + url.QueryEscape(evil), "/costs/values?fd=tag:User", "/costs?f=service:" + url.QueryEscape(evil+"none")} {
		lacks(t, b.page(path), "<img", "<button hx-post=/users", "onerror=alert(1)>")
	}
	wants(t, b.page("/costs.csv"), `'=1+cmd`)
}

// TestCurrencies never adds two currencies: one is shown, the other can be chosen.
func TestCurrencies(t *testing.T) {
	now := fixedNow().Truncate(24 * time.Hour)
	other := oneCharge(now, "Nimbus Compute", "", "70.25", "Usage")
	other.Currency = "SEK"
	h := newHouse(t, outlaytest.Charges{oneCharge(now, "Nimbus Compute", "", "12.5", "Usage"), oneCharge(now, "Nimbus Compute", "", "-20", "Credit"), other})
	h.seed()
	b := h.signIn(outlay.RoleAdmin)
	wants(t, b.page("/costs"), `<select name="currency"`, "SEK", "−$7.50")
	wants(t, b.page("/costs?currency=SEK"), "effective cost in SEK", "70.25 SEK", `data-post=" SEK"`)
}

func TestMoney(t *testing.T) {
	for figure, want := range map[string]string{"0": "$0.00", "1234567.891": "$1,234,567.89", "-0.5": "−$0.50", "0.004217": "$0.0042", "-0.0000099": "−$0.0000099", "0.005": "$0.0050", "0.006": "$0.01"} {
		if got := money(outlay.MustAmount(figure, "USD")); got != want {
			t.Errorf("%s: %s, want %s", figure, got, want)
		}
	}
	if got := money(outlay.MustAmount("0.001", "SEK")); got != "0.0010 SEK" {
		t.Error(got)
	}
	up, down := 33.64, -1234.5
	for _, c := range []struct {
		p    *float64
		want change
	}{{nil, change{"flat", "–"}}, {&up, change{"up", "+33.6%"}}, {&down, change{"down", "−1,234.5%"}}, {new(0.01), change{"flat", "0.0%"}}} {
		if got := delta(c.p); got != c.want {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
}

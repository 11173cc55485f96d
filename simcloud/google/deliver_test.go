package google_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"

	"outlay/simcloud/google"
)

// clock is a clock that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// on makes a world with a dataset in a location and an export of a kind into it.
func on(t *testing.T, o google.Options, kind, location string) *world {
	t.Helper()
	w := newWorld(t, o)
	c := w.as("outlay", "*")
	if err := c.bq.Dataset(dataset).Create(t.Context(), &bigquery.DatasetMetadata{Location: location}); err != nil {
		t.Fatal(err)
	}
	if err := w.Export(payer, kind, host, dataset); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestLocationDecidesTheHistory(t *testing.T) {
	for location, want := range map[string]string{"US": "2026-10", "EU": "2026-10", "europe-west4": "2026-11"} {
		w := on(t, google.Options{RowsPerMonth: 60, DataLag: time.Nanosecond}, google.Detailed, location)
		w.deliver(4)
		if location == "europe-west4" { // from the day of enabling, which is not over
			if got := w.Filled(payer, google.Detailed); got != "" {
				t.Errorf("%s: filled up to %s on the first day", location, got)
			}
			continue
		}
		if got := w.Ask(host, dataset, google.TableName(google.Detailed, payer), "SELECT strftime(min(usage_start_time), '%Y-%m') FROM TABLE"); got != want {
			t.Errorf("%s: the history begins in %s, want %s", location, got, want)
		}
	}
}

func TestTheFillComesOldestFirst(t *testing.T) {
	w := on(t, google.Options{RowsPerMonth: 90, FillTicks: 3}, google.Focus, "US")
	var days []string
	for range 5 {
		w.deliver(1)
		days = append(days, w.Filled(payer, google.Focus))
	}
	if want := []string{"2026-10-11", "2026-10-22", "2026-10-31", "2026-11-14", "2026-11-14"}; !slices.Equal(days, want) {
		t.Errorf("the fill went %v, want %v", days, want)
	}
}

func TestRestatementsOnlyAdd(t *testing.T) {
	at := &clock{noon()}
	w := on(t, google.Options{RowsPerMonth: 300, RestateEvery: -1, Now: at.now}, google.Detailed, "US")
	name := google.TableName(google.Detailed, payer)
	w.deliver(4)
	before := w.Ask(host, dataset, name, "SELECT count(*) FROM TABLE WHERE invoice.month = '202610'")
	for range 12 {
		w.Restate(payer, "2026-10")
	}
	later := at.now().Add(time.Hour)
	if err := w.Deliver(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	for what, query := range map[string]string{
		"more rows":                         "SELECT count(*) > " + before + " FROM TABLE WHERE invoice.month = '202610'",
		"all of them exported later":        "SELECT count(*) = " + before + " FROM TABLE WHERE invoice.month = '202610' AND export_time < TIMESTAMP '2026-11-16 12:30:00'",
		"negative ones":                     "SELECT count(*) >= 12 FROM TABLE WHERE cost < 0 AND export_time > TIMESTAMP '2026-11-16 12:30:00'",
		"in the partition of their arrival": "SELECT count(*) > 0 FROM TABLE WHERE invoice.month = '202610' AND _PARTITIONTIME = TIMESTAMP '2026-11-16'",
	} {
		if got := w.Ask(host, dataset, name, query); got != "true" {
			t.Errorf("%s: %s", what, got)
		}
	}
	want, err := w.Totals(t.Context(), payer, google.Detailed, "2026-10")
	if err != nil {
		t.Fatal(err)
	}
	if got := w.Ask(host, dataset, name, "SELECT sum(cost::DECIMAL(38,9)) = "+want.Cost+" FROM TABLE WHERE invoice.month = '202610'"); got != "true" {
		t.Errorf("the sum is not %s", want.Cost)
	}
}

func TestAnExportStops(t *testing.T) {
	w := on(t, google.Options{RowsPerMonth: 60, FillTicks: 1}, google.Standard, "US")
	rows := func() int64 {
		for _, l := range w.Live() {
			if l.Kind == "table" {
				return l.Rows
			}
		}
		return 0
	}
	w.SetAccess(host, dataset, map[string]any{"role": "OWNER", "specialGroup": "projectOwners"})
	w.deliver(2)
	if rows() != 0 {
		t.Error("it was delivered without Google's writer in the access list")
	}
	w.Disable(payer, google.Standard)
	if err := w.Export(payer, google.Standard, host, dataset); err != nil {
		t.Fatal(err)
	}
	w.deliver(1)
	first := rows()
	w.Disable(payer, google.Standard)
	w.deliver(2)
	if rows() != first || first == 0 {
		t.Errorf("%d rows, then %d", first, rows())
	}
	w.RemoveTable(host, dataset, google.TableName(google.Standard, payer))
	w.RemoveDataset(host, dataset)
	if len(w.Live()) != 0 {
		t.Errorf("left: %+v", w.Live())
	}
}

func TestTwoYearsOfFocus(t *testing.T) {
	at := &clock{time.Date(2024, 11, 16, 12, 0, 0, 0, time.UTC)}
	w := on(t, google.Options{RowsPerMonth: 60, FillTicks: 1, Now: at.now, RestateEvery: -1}, google.Focus, "US")
	oldest := func() string {
		return w.Ask(host, google.LinkedDataset(payer, "US"), google.TableName(google.Focus, payer), "SELECT strftime(min(BillingPeriodStart), '%Y-%m') FROM TABLE")
	}
	for range 2 {
		if err := w.Deliver(t.Context(), at.at); err != nil {
			t.Fatal(err)
		}
	}
	if got := oldest(); got != "2024-10" {
		t.Errorf("the history begins in %s", got)
	}
	at.at = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)
	if err := w.Deliver(t.Context(), at.at); err != nil {
		t.Fatal(err)
	}
	if got := oldest(); got != "2024-12" {
		t.Errorf("two years later it begins in %s", got)
	}
}

func TestExportsThatTheConsoleRefuses(t *testing.T) {
	w := newWorld(t, google.Options{})
	w.AddProject("nf-sandbox", "Sandbox", "")
	w.PlantDataset("nf-sandbox", "d", "US", nil)
	for _, c := range []struct{ account, kind, project, dataset, want string }{
		{"999999-999999-999999", google.Detailed, host, dataset, "no open billing account"},
		{payer, "monthly", host, dataset, "which kind"},
		{payer, google.Detailed, "nowhere", dataset, "no project"},
		{payer, google.Detailed, "nf-sandbox", "d", "Billing is not enabled"},
		{payer, google.Detailed, host, "nothing", "no dataset"},
	} {
		if err := w.Export(c.account, c.kind, c.project, c.dataset); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

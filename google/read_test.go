package google

import (
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/duckdb"
	cloud "outlay/simcloud/google"
)

// TestReadAllKinds takes each kind of export all the way: turned on, listed, fetched, parsed; the totals are those that
// the generator reckons with whole numbers.
func TestReadAllKinds(t *testing.T) {
	for _, kind := range []exportKind{exportDetailed, exportStandard, exportFocus} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t, cloud.Options{FillTicks: 1, RestateEvery: 1})
			w.s.Spec.Fields[fieldExport] = string(kind)
			w.up()
			w.export(kind, 2)
			list := w.deliveries()
			if len(list) != 2 || list[0].Period != "2026-10" || list[1].Period != "2026-11" {
				t.Fatalf("deliveries: %+v", list)
			}
			for _, d := range list {
				ctx, metered := outlay.WithMeter(t.Context())
				files, err := w.p.Fetch(ctx, w.a, w.s, d, t.TempDir())
				if err != nil {
					t.Fatal(err)
				}
				if n, bytes := metered(); n != 1 || bytes < 10<<20 {
					t.Errorf("%d queries with %d bytes were counted", n, bytes)
				}
				want, err := w.Totals(t.Context(), payer, string(kind), string(d.Period))
				if err != nil {
					t.Fatal(err)
				}
				parsed := parse(t, w.p, d, files)
				if d.Rows != want.Rows || parsed.Proof.Rows != want.Rows {
					t.Errorf("%s: %d rows listed, %d parsed, %d delivered", d.Period, d.Rows, parsed.Proof.Rows, want.Rows)
				}
				for measure, text := range map[outlay.Measure]string{outlay.Billed: want.Net, outlay.Contracted: want.Cost, outlay.List: want.List} {
					got, sum := outlay.MustAmount(parsed.Proof.Read["USD"][measure], ""), outlay.MustAmount(text, "")
					if got.Cmp(sum) != 0 {
						t.Errorf("%s: %s is %s, want %s", d.Period, measure, got, sum)
					}
				}
				checkFocus(t, parsed.Files[0].Path)
			}
			if got := notes(w.plan(whole()), "warn"); strings.Contains(got, "BilledCost") {
				t.Errorf("a doubt where none is: %s", got)
			}
		})
	}
}

// parse reads fetched files as the product does.
func parse(t *testing.T, p *Provider, d outlay.Delivery, files []string) outlay.ParsedPeriod {
	t.Helper()
	mapping, err := p.Mapping(d.Format)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := duckdb.Child{Command: []string{os.Args[0], "parse"}}.Parse(t.Context(), outlay.ParseJob{
		OrgID: "org_1", SourceID: "src_1", Files: files, Mapping: mapping, Period: d.Period, OutDir: t.TempDir(), Generation: "gen_1", Threads: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed) != 1 {
		t.Fatalf("%d periods", len(parsed))
	}
	return parsed[0]
}

// checkFocus looks at the written rows by a way of its own.
func checkFocus(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, check := range []struct{ what, query, want string }{
		{"categories of charges", "SELECT string_agg(DISTINCT ChargeCategory, ' ' ORDER BY ChargeCategory) LIKE '%Usage%' FROM f", "true"},
		{"rows without an account", "SELECT count(*) FROM f WHERE SubAccountId IS NULL OR SubAccountId = ''", "0"},
		{"a user on some row", "SELECT count(tag_User) > 0 FROM f", "true"},
		{"service categories", "SELECT count(DISTINCT ServiceCategory) > 2 FROM f", "true"},
		{"issuer", "SELECT string_agg(DISTINCT InvoiceIssuerName, ' ') FROM f", "Google Cloud"},
		{"rows outside of the billing month", "SELECT count(DISTINCT BillingPeriodStart) FROM f", "1"},
		{"credits that count", "SELECT count(*) > 0 FROM f WHERE BilledCost < ContractedCost", "true"},
		{"committed usage", "SELECT count(*) > 0 FROM f WHERE PricingCategory = 'Committed'", "true"},
	} {
		var got any
		if err := db.QueryRow(strings.Replace(check.query, "FROM f", fmt.Sprintf("FROM read_parquet('%s')", file), 1)).Scan(&got); err != nil {
			t.Fatalf("%s: %v", check.what, err)
		}
		if fmt.Sprint(got) != check.want {
			t.Errorf("%s: %v, want %s", check.what, got, check.want)
		}
	}
}

// TestTokens asks the billed token query only when the table moved, and gives another token for each month that did.
func TestTokens(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1, RestateEvery: -1})
	w.up()
	w.export(exportDetailed, 1)
	first := w.deliveries()
	ran := w.calls("bigquery.jobs.insert")
	if again := w.deliveries(); w.calls("bigquery.jobs.insert") != ran || again[0].Token != first[0].Token {
		t.Errorf("the table did not move: %d queries, then %d", ran, w.calls("bigquery.jobs.insert"))
	}
	w.Restate(payer, "2026-10")
	w.deliver(1)
	second := w.deliveries()
	if w.calls("bigquery.jobs.insert") != ran+2 { // one dry, one billed
		t.Errorf("%d queries, then %d", ran, w.calls("bigquery.jobs.insert"))
	}
	if second[0].Token == first[0].Token || !second[0].Version.After(first[0].Version) || second[0].Rows <= first[0].Rows {
		t.Errorf("October before and after late rows:\n%+v\n%+v", first[0], second[0])
	}
	if _, err := w.p.Fetch(t.Context(), w.a, w.s, first[0], t.TempDir()); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("fetching what is not there any more: %v", err)
	}
}

// TestVanishedRows gives a month of which rows vanished a later version, though no row is newer.
func TestVanishedRows(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1, RestateEvery: -1})
	w.up()
	w.export(exportDetailed, 1)
	first := w.deliveries()
	w.clock.add(1e9)
	w.Alter(hosting, w.name(), exportDetailed.table(payer), "DELETE FROM TABLE WHERE invoice.month = '202610' AND cost_type = 'tax'")
	second := w.deliveries()
	if second[0].Token == first[0].Token || !second[0].Version.After(first[0].Version) {
		t.Errorf("before and after:\n%+v\n%+v", first[0], second[0])
	}
	w.deliver(1) // other months move
	if third := w.deliveries(); third[0].Token != second[0].Token || !third[0].Version.Equal(second[0].Version) {
		t.Errorf("a month that stayed as it was:\n%+v\n%+v", second[0], third[0])
	}
}

// TestOddMonths tells of rows that break the identity of the FOCUS export, as long as they do, whatever other months say.
func TestOddMonths(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1, RestateEvery: -1})
	w.s.Spec.Fields[fieldExport] = string(exportFocus)
	w.up()
	w.export(exportFocus, 1)
	linked := cloud.LinkedDataset(payer, "US")
	read := func() string {
		w.clock.add(time.Second)
		for _, d := range w.deliveries() {
			if _, err := w.p.Fetch(t.Context(), w.a, w.s, d, t.TempDir()); err != nil {
				t.Fatal(err)
			}
		}
		return notes(w.plan(outlay.Look{}), "warn")
	}
	w.Alter(hosting, linked, exportFocus.table(payer), "UPDATE TABLE SET BilledCost = BilledCost + 1 WHERE BillingPeriodStart < TIMESTAMP '2026-11-01'")
	if got := read(); !strings.Contains(got, "rows of 2026-10, BilledCost") {
		t.Errorf("an odd month: %q", got)
	}
	w.Alter(hosting, linked, exportFocus.table(payer), "UPDATE TABLE SET BilledCost = BilledCost - 1 WHERE BillingPeriodStart < TIMESTAMP '2026-11-01'")
	if got := read(); strings.Contains(got, "BilledCost") {
		t.Errorf("all is well: %q", got)
	}
}

// TestEarlyRow reads a month whole of which a row came long before it begins.
func TestEarlyRow(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1, RestateEvery: -1})
	w.up()
	w.export(exportDetailed, 1)
	w.Alter(hosting, w.name(), exportDetailed.table(payer), "UPDATE TABLE SET _PARTITIONTIME = TIMESTAMP '2026-07-01' WHERE rowid = (SELECT min(rowid) FROM TABLE WHERE invoice.month = '202611')")
	for _, d := range w.deliveries() {
		before := w.calls("bigquery.jobs.insert")
		files, err := w.p.Fetch(t.Context(), w.a, w.s, d, t.TempDir())
		if err != nil {
			t.Fatalf("%s: %v", d.Period, err)
		}
		if got := parse(t, w.p, d, files).Proof.Rows; got != d.Rows {
			t.Errorf("%s: %d rows of %d", d.Period, got, d.Rows)
		}
		if n := w.calls("bigquery.jobs.insert") - before; n != map[outlay.Period]int{"2026-10": 2, "2026-11": 4}[d.Period] {
			t.Errorf("%s took %d jobs", d.Period, n)
		}
	}
}

// TestOtherExport reads the export that is asked for now, not the one that was asked for before.
func TestOtherExport(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1})
	w.up()
	w.export(exportDetailed, 1)
	w.s.Resources = append(w.s.Resources, w.observe(outlay.Look{Kinds: []outlay.ResourceKind{kindTable}}).Resources...)
	w.s.Spec.Fields[fieldExport] = string(exportFocus)
	if list := w.deliveries(); len(list) != 0 {
		t.Errorf("before FOCUS is on: %+v", list)
	}
	w.export(exportFocus, 1)
	if list := w.deliveries(); len(list) == 0 || list[0].Format != string(exportFocus) {
		t.Errorf("FOCUS is asked for: %+v", list)
	}
}

// TestCap refuses a query above the cap before it costs anything, and names the field to raise.
func TestCap(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1})
	w.up()
	w.export(exportDetailed, 1)
	d := w.deliveries()[0]
	ses, err := w.p.session(t.Context(), w.a)
	if err != nil {
		t.Fatal(err)
	}
	table, _, err := w.p.locate(t.Context(), ses, w.a, w.s)
	if err != nil {
		t.Fatal(err)
	}
	st, err := monthStatement(table, d.Period)
	if err != nil {
		t.Fatal(err)
	}
	q := querier{ses: ses, project: hosting, location: table.Location, cap: 1000}
	ctx, metered := outlay.WithMeter(t.Context())
	_, err = q.run(ctx, st, "reading")
	if e := outlay.AsError(err); e.Code != outlay.CodeInvalid || e.Field != fieldCap || !strings.Contains(e.Fix, "Read cap") {
		t.Errorf("a query above the cap: %v", err)
	}
	if n, _ := metered(); n != 0 {
		t.Error("a refused query was counted")
	}
	w.Fault(cloud.Fault{Match: "bigquery.jobs.insert", Skip: 1, Kind: cloud.Answer, Status: 400, Code: "bytesBilledLimitExceeded", Message: "Query exceeded limit for bytes billed"})
	if _, err := w.p.Fetch(t.Context(), w.a, w.s, d, t.TempDir()); outlay.AsError(err).Field != fieldCap {
		t.Errorf("Google's own refusal: %v", err)
	}
	w.s.Spec.Fields[fieldCap] = "many"
	if _, err := w.p.Plan(w.s, w.observe(outlay.Look{})); outlay.AsError(err).Field != fieldCap {
		t.Errorf("a cap that is none: %v", err)
	}
}

// TestGoneTable tells a table that vanished from one that is not there yet.
func TestGoneTable(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1})
	w.up()
	w.export(exportDetailed, 1)
	row, _ := w.observe(outlay.Look{}).Find(kindTable, exportDetailed.table(payer))
	w.s.Resources = append(w.s.Resources, row)
	w.RemoveTable(hosting, w.name(), row.Name)
	for _, err := range w.p.Deliveries(t.Context(), w.a, w.s) {
		if outlay.CodeOf(err) != outlay.CodeNotFound {
			t.Errorf("a table that vanished: %v", err)
		}
	}
}

// TestFocusExpires leaves out a month that is older than Google surely keeps.
func TestFocusExpires(t *testing.T) {
	table := fullTable(exportFocus)
	now := noonOf(t)
	for month, want := range map[string]bool{"202611": true, "202412": true, "202411": false, "202301": false} {
		_, use, err := table.delivery([]string{month, "2026-11-01T00:00:00Z", "3", "1.5"}, now)
		if err != nil || use != want {
			t.Errorf("%s is taken: %v (%v), want %v", month, use, err, want)
		}
	}
	short := fullTable(exportDetailed)
	short.Expires = 60 * 24 * time.Hour // since 17 September
	for month, want := range map[string]bool{"202611": true, "202610": true, "202609": false} {
		if _, use, err := short.delivery([]string{month, "2026-11-01T00:00:00Z", "3", "1.5"}, now); err != nil || use != want {
			t.Errorf("%s, of which rows may be gone, is taken: %v (%v)", month, use, err)
		}
	}
	if _, use, _ := fullTable(exportDetailed).delivery([]string{"202301", "2026-11-01T00:00:00Z", "3", "1.5"}, now); !use {
		t.Error("the detailed export keeps every month")
	}
	for _, row := range [][]string{{"", "2026-11-01T00:00:00Z", "3", "1"}, {"202611", "", "3", "1"}, {"202611", "2026-11-01T00:00:00Z", "x", "1"}, {"202611"}} {
		if _, _, err := table.delivery(row, now); err == nil {
			t.Errorf("%q was taken for a month", row)
		}
	}
}

// TestExisting lists what stands already, and reads it as an import, changing nothing.
func TestExisting(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1})
	w.SetService(hosting, servBigQ, true)
	w.PlantDataset(hosting, "finance", "EU", nil, "figures")
	for _, kind := range []exportKind{exportDetailed, exportFocus} {
		if err := w.Export(payer, string(kind), hosting, "finance"); err != nil {
			t.Fatal(err)
		}
	}
	w.deliver(2)
	list, err := w.p.Existing(t.Context(), w.a, map[string]string{fieldProject: hosting})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.ID+" "+e.Format+" "+e.Region+" "+e.Why+e.Ours+e.Scope.ID)
	}
	slices.Sort(names)
	want := []string{
		hosting + ".finance." + exportDetailed.table(payer) + " detailed EU " + payer,
		hosting + "." + cloud.LinkedDataset(payer, "EU") + "." + exportFocus.table(payer) + " focus EU " + payer,
	}
	slices.Sort(want)
	if strings.Join(names, "\n") != strings.Join(want, "\n") {
		t.Fatalf("existing exports:\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
	w.a.Identity = w.observe(outlay.Look{}).Identity
	before := w.Live()
	for _, e := range list {
		w.s = &outlay.Source{OrgID: "org_1", ID: "src_2", Provider: Name, AccountID: "acc_1", Origin: outlay.OriginImported, Spec: &outlay.Spec{Region: e.Region, Fields: e.Fields}}
		if plan := w.plan(whole()); len(plan.Changes) != 0 || plan.Blocked() != "" {
			t.Errorf("%s: %+v", e.ID, plan)
		}
		d := w.deliveries()
		if len(d) != 2 || d[0].Format != e.Format {
			t.Fatalf("%s: deliveries %+v", e.ID, d)
		}
		if _, err := w.p.Fetch(t.Context(), w.a, w.s, d[0], t.TempDir()); err != nil {
			t.Errorf("%s: %v", e.ID, err)
		}
		if _, err := w.p.Apply(t.Context(), w.a, w.s, outlay.Change{Action: outlay.ActionDelete, Kind: kindDataset, Name: "finance"}); outlay.CodeOf(err) != outlay.CodeConflict {
			t.Errorf("a change of an import: %v", err)
		}
		w.s.Spec = nil
		if plan := w.plan(whole()); len(plan.Changes) != 0 {
			t.Errorf("toward nothing: %+v", plan.Changes)
		}
	}
	if fmt.Sprint(before) != fmt.Sprint(w.Live()) {
		t.Error("something was touched")
	}
}

// TestImportedMembers lists the projects of the billing account that an imported export is about, not those of the one that
// pays for the account's own project.
func TestImportedMembers(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1})
	w.s.Origin = outlay.OriginImported
	w.s.Spec.Fields = map[string]string{fieldProject: hosting, fieldDataset: "finance", fieldTable: exportDetailed.table(another)}
	if seen := w.observe(whole()); len(seen.Members) != 0 || seen.Unknown["members"] == "" {
		t.Errorf("without permission on the other billing account: %v", seen.Members)
	}
	w.Grant(w.email, "billingAccounts/"+another, "billing.resourceAssociations.list")
	if seen := w.observe(whole()); len(seen.Members) != 1 || seen.Members[0].AccountID != "lib-catalogue" {
		t.Errorf("members: %v, unknown: %v", seen.Members, seen.Unknown)
	}
}

// TestExistingUnreadable says of an export that cannot be read why.
func TestExistingUnreadable(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1})
	w.SetService(hosting, servBigQ, true)
	w.PlantDataset(hosting, "finance", "US", nil)
	if err := w.Export(payer, string(exportDetailed), hosting, "finance"); err != nil {
		t.Fatal(err)
	}
	w.deliver(1)
	for _, permission := range []string{"bigquery.tables.getData", "bigquery.tables.get"} {
		w.Revoke(w.email, permission)
		list, err := w.p.Existing(t.Context(), w.a, nil)
		if err != nil || len(list) != 1 || !strings.Contains(list[0].Why, "BigQuery Data Viewer") {
			t.Errorf("without %s: %+v (%v)", permission, list, err)
		}
		w.Restore(w.email)
	}
}

func noonOf(t *testing.T) time.Time {
	t.Helper()
	return time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)
}

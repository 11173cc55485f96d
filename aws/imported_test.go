package aws

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/duckdb"
	cloud "outlay/simcloud/aws"

	"github.com/google/go-cmp/cmp"
)

// theirs are exports of every kind that somebody set up before we came.
func theirs() map[string]cloud.Setup {
	out := map[string]cloud.Setup{
		"focus-parquet": {Table: tableFocus12}, "focus-csv": {Table: tableFocus12, CSV: true, CreateNew: true}, "focus-old": {Table: tableFocus10},
		"cur2-parquet": {Table: tableCUR2, CreateNew: true, Split: true}, "cur2-csv": {Table: tableCUR2, CSV: true},
		"cur-csv-new": {CSV: true, CreateNew: true}, "cur-csv": {CSV: true}, "cur-parquet": {CreateNew: true}, "cur-athena": {Athena: true},
	}
	for name, s := range out {
		s.Account, s.Region, s.Bucket, s.Prefix, s.Name = payerAccount, "eu-west-1", "finance-bills", "billing/all", name
		out[name] = s
	}
	return out
}

func (w *world) existing() map[string]outlay.Existing {
	w.t.Helper()
	list, err := w.p.Existing(context.Background(), w.a, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]outlay.Existing{}
	for _, e := range list {
		out[e.Name] = e
	}
	return out
}

// read imports an export: a source of its own that only reads.
func (w *world) read(e outlay.Existing) *outlay.Source {
	return &outlay.Source{OrgID: "org_1", ID: "src_" + e.Name, Provider: Name, AccountID: "acc_1", Origin: outlay.OriginImported, Spec: &outlay.Spec{Region: e.Region, Fields: e.Fields}}
}

// TestImportedExportsHoldTheSameTotals imports every kind of export that AWS has: found, read and mapped, their totals
// must be those of our own FOCUS export, to the last digit.
func TestImportedExportsHoldTheSameTotals(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 300, HistoryMonths: 1, TagsReachBack: true, ExportQuota: 50})
	w.SeeTags(outlay.TagKeys()...)
	w.up()
	setups := theirs()
	for _, s := range setups {
		w.SetUp(s)
	}
	before := untouched(w.Snapshot())
	w.deliver()
	found := w.existing()
	if len(found) != len(setups)+1 {
		t.Fatalf("found %v", slices.Sorted(maps.Keys(found)))
	}
	want := w.totals(w.s, w.t.TempDir())
	for name := range setups {
		e := found[name]
		if e.Why != "" || e.Ours != "" || !strings.HasPrefix(e.Detail, "s3://finance-bills/billing/all/"+name+"/ · daily") {
			t.Errorf("%s: %+v", name, e)
		}
		s := w.read(e)
		got := w.totals(s, t.TempDir())
		exact := want.measures(outlay.Measures()...)
		if name == "focus-old" || strings.HasPrefix(name, "focus") {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s differs (-ours +theirs):\n%s", name, diff)
			}
			continue
		}
		if diff := cmp.Diff(exact, got.measures(outlay.Measures()...)); diff != "" {
			t.Errorf("%s: totals differ (-ours +theirs):\n%s", name, diff)
		}
		if diff := cmp.Diff(want.users, got.users); diff != "" {
			t.Errorf("%s: costs by user differ (-ours +theirs):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff(before, untouched(w.Snapshot())); diff != "" {
		t.Errorf("something was changed by reading:\n%s", diff)
	}
	if e := found[w.p.namesOf(w.s, w.a.Identity).Export]; e.Ours != "src_1" {
		t.Errorf("ours is not known as ours: %+v", e)
	}
}

// untouched is what must stay as it is: everything but what AWS itself delivers.
func untouched(all []cloud.Live) []cloud.Live {
	for i := range all {
		all[i].Objects = nil
	}
	return all
}

// sums are what came out of a source's deliveries, all months together.
type sums struct {
	Billed, Effective, List, Contracted string
	users                               map[string]string // effective cost by the tag User
	accounts                            map[string]string
}

func (s sums) measures(which ...outlay.Measure) map[outlay.Measure]string {
	all := map[outlay.Measure]string{outlay.Billed: s.Billed, outlay.Effective: s.Effective, outlay.List: s.List, outlay.Contracted: s.Contracted}
	out := map[outlay.Measure]string{}
	for _, m := range which {
		out[m] = all[m]
	}
	return out
}

// Equal compares everything; cmp uses it.
func (s sums) Equal(o sums) bool {
	return s.Billed == o.Billed && s.Effective == o.Effective && s.List == o.List && s.Contracted == o.Contracted && maps.Equal(s.users, o.users) && maps.Equal(s.accounts, o.accounts)
}

// totals fetches a source's deliveries and reads them through their mapping.
func (w *world) totals(s *outlay.Source, dir string) sums {
	w.t.Helper()
	var paths []string
	for d, err := range w.p.Deliveries(w.t.Context(), w.a, s) {
		if err != nil {
			w.t.Fatalf("%s: %v", s.ID, err)
		}
		paths = append(paths, w.parsed(s, d, dir)...)
	}
	if len(paths) < 2 {
		w.t.Fatalf("%s: only %d months", s.ID, len(paths))
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	from := fmt.Sprintf("FROM read_parquet(['%s'])", strings.Join(paths, "','"))
	out := sums{users: map[string]string{}, accounts: map[string]string{}}
	err = db.QueryRow("SELECT CAST(sum(BilledCost) AS VARCHAR), CAST(sum(EffectiveCost) AS VARCHAR), CAST(sum(ListCost) AS VARCHAR), CAST(sum(ContractedCost) AS VARCHAR) "+from).
		Scan(&out.Billed, &out.Effective, &out.List, &out.Contracted)
	if err != nil {
		w.t.Fatal(err)
	}
	for column, into := range map[string]map[string]string{"tag_User": out.users, "SubAccountId": out.accounts} {
		w.sumsBy(db, "SELECT COALESCE("+column+", ''), CAST(sum(EffectiveCost) AS VARCHAR) "+from+" GROUP BY 1", into)
	}
	return out
}

// sumsBy reads rows of a key and a sum.
func (w *world) sumsBy(db *sql.DB, query string, into map[string]string) {
	w.t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var key, sum string
		if err := rows.Scan(&key, &sum); err != nil {
			w.t.Fatal(err)
		}
		into[key] = sum
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
}

// parsed are the written files of one delivery.
func (w *world) parsed(s *outlay.Source, d outlay.Delivery, dir string) []string {
	w.t.Helper()
	files, err := w.p.Fetch(w.t.Context(), w.a, s, d, w.t.TempDir())
	if err != nil {
		w.t.Fatalf("%s: fetch %s: %v", s.ID, d.Period, err)
	}
	mapping, err := w.p.Mapping(d.Format)
	if err != nil {
		w.t.Fatal(err)
	}
	parsed, err := duckdb.Child{Command: []string{os.Args[0], "parse"}}.Parse(w.t.Context(), outlay.ParseJob{
		OrgID: "org_1", SourceID: s.ID, Files: files, Mapping: mapping, Period: d.Period, OutDir: dir, Generation: "gen_" + string(d.Period), Threads: 1,
	})
	if err != nil || len(parsed) != 1 {
		w.t.Fatalf("%s: parse %s: %v", s.ID, d.Period, err)
	}
	if diff := cmp.Diff(parsed[0].Proof.Read, parsed[0].Proof.Written); diff != "" || parsed[0].Proof.Rounded != 0 {
		w.t.Errorf("%s: %d figures were rounded, sums differ: %s", s.ID, parsed[0].Proof.Rounded, diff)
	}
	var out []string
	for _, f := range parsed[0].Files {
		path := f.Path
		if !strings.HasPrefix(path, "/") {
			path = dir + "/" + path
		}
		out = append(out, path)
	}
	return out
}

// TestImportedIsNeverChanged observes, plans and tries to apply: an imported source gives no change and takes none.
func TestImportedIsNeverChanged(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 60, ExportQuota: 50})
	var arns []string
	for _, s := range theirs() {
		arns = append(arns, w.SetUp(s))
	}
	w.deliver()
	before := w.Snapshot()
	for name, e := range w.existing() {
		w.s = w.read(e)
		for _, spec := range []*outlay.Spec{w.s.Spec, nil} {
			w.s.Spec = &outlay.Spec{Region: e.Region, Fields: e.Fields}
			seen := w.observe(whole())
			if len(seen.Unknown) != 0 || len(seen.Missing()) != 0 || len(seen.Resources) != 2 || seen.Resources[0].Origin != outlay.PreExisting || seen.Resources[0].Owner != nil {
				t.Errorf("%s: %+v", name, seen)
			}
			if st := seen.Resources[0].Properties[propStatus]; st != statusHealthy {
				t.Errorf("%s: status %q", name, st)
			}
			w.s.Spec, w.s.CostFiles = spec, outlay.DeleteCostFiles
			plan, err := w.p.Plan(w.s, seen)
			if err != nil || len(plan.Changes) != 0 || plan.Blocked() != "" {
				t.Errorf("%s: plan %+v (%v)", name, plan, err)
			}
		}
		for _, kind := range []outlay.ResourceKind{kindBucket, kindExport, kindObjects, kindPolicy} {
			for _, action := range []outlay.ChangeAction{outlay.ActionCreate, outlay.ActionUpdate, outlay.ActionDelete} {
				if _, err := w.p.Apply(t.Context(), w.a, w.s, outlay.Change{Action: action, Kind: kind, Name: e.Name}); outlay.CodeOf(err) != outlay.CodeConflict {
					t.Errorf("%s %s: %v", action, kind, err)
				}
			}
		}
	}
	if diff := cmp.Diff(before, w.Snapshot()); diff != "" {
		t.Errorf("something was changed:\n%s", diff)
	}
	for _, arn := range arns {
		w.RemoveExport(arn)
		w.RemoveReport(arn)
	}
	seen := w.observe(whole())
	if len(seen.Notes) != 0 {
		t.Errorf("without a wish nothing is said: %+v", seen.Notes)
	}
}

// TestImportedHealth tells of an export that broke, moved or went away after it was imported.
func TestImportedHealth(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 60, ExportQuota: 50})
	setups := theirs()
	arn := map[string]string{}
	for _, name := range []string{"cur2-parquet", "cur-csv"} {
		arn[name] = w.SetUp(setups[name])
	}
	w.deliver()
	found := w.existing()
	said := func(name string) string {
		w.s = w.read(found[name])
		plan, err := w.p.Plan(w.s, w.observe(whole()))
		if err != nil {
			t.Fatal(err)
		}
		return notes(plan, "warn")
	}
	for _, name := range []string{"cur2-parquet", "cur-csv"} {
		if text := said(name); text != "" {
			t.Errorf("%s: %s", name, text)
		}
	}
	w.Unhealthy(arn["cur2-parquet"], "BILL_OWNER_CHANGED")
	if text := said("cur2-parquet"); !strings.Contains(text, "UNHEALTHY (BILL_OWNER_CHANGED)") {
		t.Errorf("unhealthy: %q", text)
	}
	w.Unhealthy(arn["cur2-parquet"], "")
	w.Deny(w.role, "s3:ListBucket")
	if text := said("cur2-parquet"); !strings.Contains(text, "s3:ListBucket") || !strings.Contains(text, "finance-bills") {
		t.Errorf("unreadable: %q", text)
	}
	w.Undeny(w.role)
	moved := setups["cur-csv"]
	w.RemoveReport(arn["cur-csv"])
	if text := said("cur-csv"); !strings.Contains(text, "does not exist any more") {
		t.Errorf("gone: %q", text)
	}
	moved.Prefix = "elsewhere"
	w.SetUp(moved)
	if text := said("cur-csv"); !strings.Contains(text, "was changed since it was imported") {
		t.Errorf("moved: %q", text)
	}
	w.RemoveBucket("finance-bills")
	if err := w.Deliver(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if text := said("cur-csv"); !strings.Contains(text, "ERROR_NO_BUCKET") || !strings.Contains(text, "finance-bills does not exist") {
		t.Errorf("without a bucket: %q", text)
	}
}

// TestImportedNeedsLittle asks for no more than reading takes, and names what of it is missing.
func TestImportedNeedsLittle(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 60, ExportQuota: 50})
	for _, name := range []string{"cur2-parquet", "cur-csv"} {
		w.SetUp(theirs()[name])
	}
	w.deliver()
	found := w.existing()
	reading := document{Version: "2012-10-17", Statement: []grant{
		{Effect: "Allow", Action: []string{"organizations:*", "iam:*", "bcm-data-exports:GetExport", "cur:DescribeReportDefinitions"}, Resource: "*"},
		{Effect: "Allow", Action: []string{"s3:ListBucket"}, Resource: "arn:aws:s3:::finance-bills"},
		{Effect: "Allow", Action: []string{"s3:GetObject"}, Resource: "arn:aws:s3:::finance-bills/*"},
	}}
	for _, name := range []string{"cur2-parquet", "cur-csv"} {
		w.Allow(w.role, reading.String())
		w.s = w.read(found[name])
		if seen := w.observe(whole()); len(seen.Missing()) != 0 || len(seen.Unknown) != 0 || len(seen.Permissions) != 5 {
			t.Errorf("%s: %+v, unknown %v", name, seen.Missing(), seen.Unknown)
		}
		for d, err := range w.p.Deliveries(t.Context(), w.a, w.s) {
			if _, fetchErr := w.p.Fetch(t.Context(), w.a, w.s, d, t.TempDir()); err != nil || fetchErr != nil {
				t.Errorf("%s: %v, %v", name, err, fetchErr)
			}
		}
		w.Deny(w.role, "s3:GetObject")
		if missing := w.observe(whole()).Missing(); len(missing) != 1 || missing[0].Action != "s3:GetObject" {
			t.Errorf("%s: missing %+v", name, missing)
		}
		w.Undeny(w.role)
	}
}

// TestExistingSaysWhyNot lists what cannot be imported, and says what to do about it.
func TestExistingSaysWhyNot(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 60, ExportQuota: 50})
	setups := theirs()
	zipped := setups["cur-csv"]
	zipped.Name, zipped.Zip = "cur-zip", true
	w.SetUp(zipped)
	w.SetUp(setups["cur2-csv"])
	w.PlantExport(payerAccount, "two-columns", "finance-bills")
	found := w.existing()
	for name, want := range map[string]string{"cur-zip": "compression to GZIP", "two-columns": "leaves out columns", "cur2-csv": ""} {
		if why := found[name].Why; (want == "") != (why == "") || !strings.Contains(why, want) {
			t.Errorf("%s: %q", name, why)
		}
	}
	w.Deny(w.role, "s3:ListBucket")
	if why := w.existing()["cur2-csv"].Why; !strings.Contains(why, "s3:ListBucket") {
		t.Errorf("unreadable: %q", why)
	}
	w.Undeny(w.role)
	w.Deny(w.role, "cur:DescribeReportDefinitions")
	found = w.existing()
	if why := found["Cost and usage reports (legacy)"].Why; !strings.Contains(why, "cur:DescribeReportDefinitions") || found["cur2-csv"].Why != "" {
		t.Errorf("reports not listed: %q", why)
	}
	w.Undeny(w.role)
	w.Deny(w.role, "bcm-data-exports:ListExports")
	found = w.existing()
	if why := found["Data exports"].Why; !strings.Contains(why, "bcm-data-exports:ListExports") || found["cur-zip"].Why == "" {
		t.Errorf("exports not listed: %q", why)
	}
}

// TestImportedFieldsAreChecked refuses fields that no list gave.
func TestImportedFieldsAreChecked(t *testing.T) {
	good := location{Bucket: "bills", Region: "eu-west-1", Prefix: "a/b", Export: "cur", Account: payerAccount, Format: formatCUR2, Files: filesCSV}
	at, err := importedLocation(&outlay.Source{Origin: outlay.OriginImported, Spec: &outlay.Spec{Fields: good.fields()}})
	if err != nil || at != good {
		t.Errorf("%+v: %v", at, err)
	}
	for field, value := range map[string]string{
		fieldType: "other", fieldBucket: "a/b", fieldName: "a/../b", fieldPrefix: "a/../b", fieldRegion: "http://x", fieldOwner: "me", fieldFiles: "exe", fieldFormat: "focus-9",
	} {
		f := good.fields()
		f[field] = value
		_, err := importedLocation(&outlay.Source{Origin: outlay.OriginImported, Spec: &outlay.Spec{Fields: f}})
		if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeInvalid || e.Field != field {
			t.Errorf("%s = %q: %v", field, value, err)
		}
	}
	if _, err := importedLocation(&outlay.Source{Origin: outlay.OriginImported}); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("no fields: %v", err)
	}
}

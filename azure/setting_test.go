package azure

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"outlay"
	cloud "outlay/simcloud/azure"

	"github.com/google/go-cmp/cmp"
)

// TestInheritance turns tag inheritance on where somebody asked for it, once, and leaves it on.
func TestInheritance(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.up()
	if len(w.Only("tag-inheritance")) != 0 {
		t.Fatal("it was turned on unasked")
	}
	w.s.Spec.Fields[fieldInherit] = choiceYes
	plan := w.plan(whole())
	if diff := cmp.Diff([]string{"update azure/tag-inheritance"}, todo(plan)); diff != "" || !strings.Contains(notes(plan, "warn"), "everybody") {
		t.Fatalf("plan (-want +got):\n%s\n%+v", diff, plan.Notes)
	}
	for range 2 {
		if err := w.run(plan); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.calls("Settings_CreateOrUpdate"); n != 1 {
		t.Errorf("it was turned on %d times", n)
	}
	if again := w.plan(whole()); len(todo(again)) != 0 {
		t.Errorf("still to do: %v", todo(again))
	}
	if err := w.run(w.down(outlay.DeleteCostFiles)); err != nil {
		t.Fatal(err)
	}
	if left := w.Snapshot(); len(left) != 1 || left[0].Kind != "tag-inheritance" {
		t.Errorf("left: %+v", left)
	}
}

// TestCommonProviders registers also what nearly every subscription has.
func TestCommonProviders(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.SetProvider(testSub, storageProvider, "NotRegistered")
	w.Deny(w.app, registerAction(storageProvider))
	seen := w.observe(whole())
	if missing := seen.Missing(); len(missing) != 1 || missing[0].Action != registerAction(storageProvider) {
		t.Errorf("missing: %+v", missing)
	}
	w.Undeny(w.app)
	w.up()
	if state := w.Provider(testSub, storageProvider); state != stateRegistered {
		t.Errorf("%s is %s", storageProvider, state)
	}
}

// TestRegisteredByHand: whatever was chosen, a registration that is there is not asked for again (the seed's product
// fails of it).
func TestRegisteredByHand(t *testing.T) {
	for _, choice := range []string{registerCheck, choiceYes, choiceNo} {
		w := newWorld(t, quotaEnterprise, cloud.Options{})
		w.SetProvider(testSub, exportsProvider, stateRegistered)
		w.s.Spec.Fields[fieldRegister] = choice
		w.up()
		if n := w.calls("Providers_Register"); n != 0 {
			t.Errorf("%s: registered %d times", choice, n)
		}
		w.stands()
	}
	// Registered by somebody else between plan and run.
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	plan := w.plan(whole())
	w.SetProvider(testSub, exportsProvider, stateRegistered)
	if err := w.run(plan); err != nil || w.calls("Providers_Register") != 0 {
		t.Errorf("%d registrations (%v)", w.calls("Providers_Register"), err)
	}
}

// clock is a clock that a test sets.
type clock struct{ at time.Time }

func (c *clock) Now() time.Time { return c.at }

// TestLastMonthOnceMore asks for the month before on the days after Azure has stopped to rewrite it by itself, once on
// each, and only for exports that are old enough to have had it.
func TestLastMonthOnceMore(t *testing.T) {
	at := &clock{time.Date(2026, 10, 20, 8, 0, 0, 0, time.UTC)}
	w := newWorld(t, quotaEnterprise, cloud.Options{Now: at.Now, RowsPerMonth: 20, HistoryMonths: 2})
	o := w.options()
	o.Clock = at
	w.p = New(o)
	w.up()
	for i := range w.s.Resources {
		w.s.Resources[i].IntentAt = at.at // the test's ledger goes by the machine's clock
	}
	if got := w.autos(); len(got) != 0 {
		t.Errorf("in its first month: %v", got)
	}
	for _, row := range []struct {
		day  int
		want int
	}{{1, 0}, {5, 0}, {6, 1}, {7, 0}, {11, 0}, {12, 1}, {13, 0}, {28, 0}} {
		at.at = time.Date(2026, 11, row.day, 9, 0, 0, 0, time.UTC)
		w.p = New(o) // the token of the day before has expired
		if err := w.Run(context.Background(), at.at); err != nil {
			t.Fatal(err)
		}
		got := w.autos()
		if len(got) == 1 { // what Azure refused is asked for again at the next look
			w.s.Resources = append(w.s.Resources, outlay.Resource{Kind: kindBackfill, Name: got[0].Name, State: outlay.StateWaiting, Origin: outlay.PreExisting})
			got = w.autos()
			w.s.Resources = w.s.Resources[:len(w.s.Resources)-1]
		}
		if len(got) != row.want {
			t.Errorf("on day %d: %v", row.day, got)
		}
		for _, c := range got {
			if c.To["from"] != "2026-10-01" || c.To["to"] != "2026-10-31" {
				t.Errorf("asks for %v", c.To)
			}
			if err := w.apply(c); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := w.calls("Exports_Run"); n != 3 {
		t.Errorf("%d runs were asked for, want the first and two of October", n)
	}
}

// TestNoLateRunOfABillingProfile: Azure lets no app run an export there, so that none is due.
func TestNoLateRunOfABillingProfile(t *testing.T) {
	for _, row := range []struct {
		sc   *scene
		want bool
	}{{fresh().done(), true}, {fresh(fieldScope, scopeProfile, fieldScopeID, "aaaa:bbbb_2019-05-31/PROF-1").done(), false}} {
		o := &observer{p: row.sc.p, s: row.sc.s, n: row.sc.n, seen: &row.sc.seen}
		o.due(export{resource: outlay.Resource{Name: row.sc.n.Export, Created: noon().AddDate(0, -2, 0)}})
		due := slices.ContainsFunc(row.sc.seen.Resources, func(r outlay.Resource) bool { return r.Kind == kindBackfill })
		if due != row.want {
			t.Errorf("%s: due %v", row.sc.n.Scope, due)
		}
	}
}

// autos are the changes that the hourly look makes by itself.
func (w *world) autos() []outlay.Change {
	w.t.Helper()
	return slices.DeleteFunc(w.plan(outlay.Look{}).Changes, func(c outlay.Change) bool { return !c.Auto || c.Action == outlay.ActionKeep })
}

// TestImportedExport reports how somebody else's export stands, and changes nothing.
func TestImportedExport(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.PlantGroup(testSub, "theirs", "westeurope")
	w.PlantAccount(testSub, "theirs", "theirsaccount", "westeurope")
	id := w.PlantExport(subScope, "monthly", typeFocus, "Parquet", "theirsaccount", "cost")
	w.s = theirSource()
	before := w.Snapshot()
	seen := w.observe(whole())
	export, ok := seen.Find(kindExport, "monthly")
	if !ok || export.State != outlay.StateCreated || len(export.Owner) != 0 || export.Properties[propSchedule] != scheduleDaily || len(seen.Unknown) != 0 {
		t.Errorf("seen: %+v %v", export, seen.Unknown)
	}
	var tested []string
	for _, p := range seen.Permissions {
		tested = append(tested, p.Action)
	}
	if diff := cmp.Diff([]string{actSubscriptionRead, actPermissionsRead, actBlobsRead, actExportRead}, tested); diff != "" || len(seen.Notes) != 0 {
		t.Errorf("permissions (-want +got):\n%s\nnotes: %v", diff, seen.Notes)
	}
	w.SetSchedule(id, "Inactive")
	if seen := w.observe(outlay.Look{}); len(seen.Notes) != 1 || !strings.Contains(seen.Notes[0].Text, "inactive") {
		t.Errorf("at rest: %v", seen.Notes)
	}
	w.SetSchedule(id, "Active")
	w.Suspend(id, "StorageGone")
	if seen := w.observe(outlay.Look{}); len(seen.Notes) != 1 || !strings.Contains(seen.Notes[0].Text, "suspended") {
		t.Errorf("suspended: %v", seen.Notes)
	}
	w.Suspend(id, "")
	w.RemoveExport(id)
	seen = w.observe(whole())
	if export, _ := seen.Find(kindExport, "monthly"); export.State != outlay.StateMissing || len(seen.Notes) == 0 {
		t.Errorf("gone: %+v %+v", export, seen.Notes)
	}
	for _, spec := range []*outlay.Spec{w.s.Spec, nil} {
		w.s.Spec = spec
		if plan := w.plan(whole()); len(plan.Changes) != 0 {
			t.Errorf("plan: %+v", plan.Changes)
		}
	}
	if after := w.Snapshot(); len(after) != len(before)-1 {
		t.Errorf("something was changed: %+v", after)
	}
}

// TestImportedPlace takes names of an import only as far as they are names.
func TestImportedPlace(t *testing.T) {
	p := New(Options{})
	fields := func(change, to string) *outlay.Source {
		f := map[string]string{importScope: "subscriptions/" + testSub, importExport: "monthly", importAmortized: "monthly-amortized", importContainer: "cost", importRoot: "/theirs/", importStorage: subScope + "/resourceGroups/theirs/providers/Microsoft.Storage/storageAccounts/theirsaccount"}
		f[change] = to
		return &outlay.Source{Origin: outlay.OriginImported, Spec: &outlay.Spec{Fields: f}}
	}
	at, err := p.place(fields(importDataset, typeActual))
	if err != nil || at.AccountURL != "https://theirsaccount.blob.core.windows.net/" || len(at.Exports) != 2 || at.Exports[0].Root != "theirs" || at.Exports[1].Dataset != typeAmortized {
		t.Errorf("place: %+v (%v)", at, err)
	}
	for field, bad := range map[string]string{importScope: "subscriptions/x?y", importExport: "a b", importAmortized: "../x", importContainer: "c#d", importStorage: "x/../../y"} {
		if _, err := p.place(fields(field, bad)); outlay.CodeOf(err) != outlay.CodeInvalid {
			t.Errorf("%s %q: %v", field, bad, err)
		}
	}
	for _, missing := range []string{importExport, importContainer, importStorage} {
		if _, err := p.place(fields(missing, "")); outlay.CodeOf(err) != outlay.CodeInvalid {
			t.Errorf("without %s: %v", missing, err)
		}
	}
	if _, err := p.place(&outlay.Source{Origin: outlay.OriginCreated}); outlay.CodeOf(err) != outlay.CodeNotFound {
		t.Errorf("not provisioned: %v", err)
	}
}

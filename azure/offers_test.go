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

// exported lists the exports of a world by data set, as seen.
func (w *world) exported() map[string]outlay.Resource {
	w.t.Helper()
	out := map[string]outlay.Resource{}
	for _, r := range w.observe(outlay.Look{}).Resources {
		if r.Kind == kindExport {
			out[r.Properties[propDataset]] = r
		}
	}
	return out
}

// TestFallback orders what an offer has: FOCUS, else the two older sets side by side without a person's step, else
// usage alone.
func TestFallback(t *testing.T) {
	for quota, want := range map[string][]string{
		quotaEnterprise: {typeFocus}, quotaPayAsYouGo: {typeUsage}, "CSP_2015-05-01": {typeActual, typeAmortized}, "MSDN_2014-09-01": {typeActual, typeAmortized}, "Internal_2014-09-01": {typeUsage},
	} {
		t.Run(quota, func(t *testing.T) {
			w := newWorld(t, quota, cloud.Options{})
			w.up()
			w.byItself()
			got := w.exported()
			if diff := cmp.Diff(want, sortedKeys(got)); diff != "" {
				t.Fatalf("data sets (-want +got):\n%s", diff)
			}
			for set, r := range got {
				format := map[string]string{typeFocus: "Parquet"}[set]
				if r.Properties[propFormat] != orElse(format, "Csv") {
					t.Errorf("%s is %s", set, r.Properties[propFormat])
				}
			}
			if n := w.calls("Exports_Run"); n != len(want) {
				t.Errorf("%d runs were asked for", n)
			}
			if again := w.plan(whole()); len(todo(again)) != 0 {
				t.Errorf("still to do: %v", todo(again))
			}
			w.placed(want)
			if err := w.run(w.down(outlay.DeleteCostFiles)); err != nil {
				t.Fatal(err)
			}
			if left := w.Snapshot(); len(left) != 0 {
				t.Errorf("left behind: %+v", left)
			}
		})
	}
}

// byItself does what the hourly look may do without asking.
func (w *world) byItself() {
	w.t.Helper()
	plan := w.plan(outlay.Look{})
	plan.Changes = slices.DeleteFunc(plan.Changes, func(c outlay.Change) bool { return !c.Auto })
	if err := w.run(plan); err != nil {
		w.t.Fatal(err)
	}
}

// placed checks that deliveries are looked for where the exports write.
func (w *world) placed(sets []string) {
	w.t.Helper()
	at, err := w.p.place(w.s)
	if err != nil {
		w.t.Fatal(err)
	}
	account := w.one("storage-account").Name
	if at.Container != account || at.AccountURL != w.url+"/blob/"+account+"/" || !strings.EqualFold(at.Scope, "subscriptions/"+testSub) || at.StorageID != w.one("storage-account").ID {
		w.t.Errorf("place: %+v", at)
	}
	var got []string
	for _, e := range at.Exports {
		got = append(got, e.Dataset)
		if e.Root != map[bool]string{true: amortizedRoot, false: mainRoot}[e.Dataset == typeAmortized] || !strings.HasSuffix(e.ID, "/exports/"+e.Name) {
			w.t.Errorf("export: %+v", e)
		}
	}
	if diff := cmp.Diff(sets, got); diff != "" {
		w.t.Errorf("exports in place (-want +got):\n%s", diff)
	}
}

// TestChosenDataset takes what a person chose, and nothing else: a refusal is then said, not worked around.
func TestChosenDataset(t *testing.T) {
	for choice, want := range map[string][]string{datasetFocus: {typeFocus}, datasetPair: {typeActual, typeAmortized}, datasetUsage: {typeUsage}} {
		w := newWorld(t, quotaEnterprise, cloud.Options{})
		w.s.Spec.Fields[fieldDataset] = choice
		w.up()
		if diff := cmp.Diff(want, sortedKeys(w.exported())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", choice, diff)
		}
	}
	w := newWorld(t, quotaPayAsYouGo, cloud.Options{})
	w.s.Spec.Fields[fieldDataset] = datasetFocus
	err := w.run(w.plan(whole()))
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeInvalid || e.Outcome != outlay.DefinitelyNot || !strings.Contains(e.Message, "FocusCost") {
		t.Errorf("FOCUS of an offer without it: %v", err)
	}
	if len(w.Only("export")) != 0 {
		t.Errorf("exports: %+v", w.Only("export"))
	}
}

// TestIdentityGivenUp: the storage account was made for an export with an identity, which Azure then refused; asked for
// without one, the run goes through all the same.
func TestIdentityGivenUp(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.s.Spec.Fields[fieldIdentity] = identitySystem
	ready := w.plan(whole())
	w.Deny(w.app, actAssignmentsWrite)
	if e := outlay.AsError(w.run(ready)); e == nil || e.Code != outlay.CodeForbidden {
		t.Fatalf("with an identity: %v", e)
	}
	w.s.Spec.Fields[fieldIdentity] = identityNone
	plan := w.plan(whole())
	if diff := cmp.Diff([]string{"update azure/storage-account", "create azure/export", "create azure/first-run"}, todo(plan)); diff != "" {
		t.Fatalf("plan (-want +got):\n%s", diff)
	}
	if err := w.run(plan); err != nil {
		t.Fatal(err)
	}
	if again := w.plan(whole()); len(todo(again)) != 0 || w.one("export").Text == "" {
		t.Errorf("still to do: %v", todo(again))
	}
}

// TestScopes provisions at every kind of scope.
func TestScopes(t *testing.T) {
	const profile = "aaaa1111-0000-4000-a000-000000000000:bbbb2222-0000-4000-a000-000000000000_2019-05-31/PROF-1"
	for _, row := range []struct {
		kind, id string
		sets     []string
		members  int
		runs     int
	}{
		{scopeSubscription, "", []string{typeFocus}, 1, 1},
		{scopeGroup, "physics", []string{typeFocus}, 1, 1},
		{scopeManagement, "north", []string{typeUsage}, 2, 1},
		{scopeEnrolment, "8608480", []string{typeFocus}, 2, 1},
		{scopeProfile, profile, []string{typeFocus}, 2, 0},
	} {
		t.Run(row.kind, func(t *testing.T) {
			w := newWorld(t, quotaEnterprise, cloud.Options{})
			w.AddSubscription(testTenant, otherSub, "library", quotaEnterprise)
			w.widen(row.kind, row.id)
			w.s.Spec.Fields[fieldScope], w.s.Spec.Fields[fieldScopeID] = row.kind, row.id
			plan := w.plan(whole())
			if plan.Blocked() != "" {
				t.Fatal(plan.Blocked())
			}
			if got := w.observe(outlay.Look{Members: true, Kinds: []outlay.ResourceKind{}}); len(got.Members) != row.members || len(got.Unknown) != 0 {
				t.Errorf("members: %+v %v", got.Members, got.Unknown)
			}
			if err := w.run(plan); err != nil {
				t.Fatal(err)
			}
			got := w.exported()
			if diff := cmp.Diff(row.sets, sortedKeys(got)); diff != "" {
				t.Errorf("data sets (-want +got):\n%s", diff)
			}
			if scope := scopeOfExport(w.one("export").ID); !strings.EqualFold(scope, w.s.Scope.ID) || scopeKind(scope) != row.kind {
				t.Errorf("the export is at %s, the source at %s", scope, w.s.Scope.ID)
			}
			if n := w.calls("Exports_Run"); n != row.runs {
				t.Errorf("%d runs were asked for, want %d", n, row.runs)
			}
			if again := w.plan(whole()); len(todo(again)) != 0 {
				t.Errorf("still to do: %v", todo(again))
			}
			if err := w.run(w.down(outlay.DeleteCostFiles)); err != nil {
				t.Fatal(err)
			}
			for _, l := range w.Snapshot() {
				if !l.Foreign {
					t.Errorf("left behind: %+v", l)
				}
			}
		})
	}
}

// widen makes a scope that holds both subscriptions, with a role of the app at it.
func (w *world) widen(kind, id string) {
	scope := subScope
	switch kind {
	case scopeGroup:
		w.PlantGroup(testSub, id, "westeurope")
		return
	case scopeManagement:
		w.AddManagementGroup(testTenant, id, "Northfield", "")
		w.SetParent(testSub, id)
		w.SetParent(otherSub, id)
		scope = "/providers/Microsoft.Management/managementGroups/" + id
	case scopeEnrolment:
		scope = w.AddEnrolment(testTenant, id, "Northfield", testSub, otherSub)
	case scopeProfile:
		account, profile, _ := strings.Cut(id, "/")
		scope = w.AddBillingProfile(testTenant, account, profile, "Northfield", testSub, otherSub)
	}
	w.Grant(w.app, scope, "Microsoft.CostManagement/*", "Microsoft.Management/*", "Microsoft.Billing/*", actPermissionsRead)
}

// TestParseScope is the table of what a person may enter.
func TestParseScope(t *testing.T) {
	for _, row := range []struct{ kind, text, want string }{
		{"", "", "subscriptions/" + testSub},
		{scopeSubscription, "anything", "subscriptions/" + testSub},
		{scopeGroup, "my-group_1.(x)", "subscriptions/" + testSub + "/resourceGroups/my-group_1.(x)"},
		{scopeGroup, "/SUBSCRIPTIONS/" + strings.ToUpper(testSub) + "/RESOURCEGROUPS/x/", "subscriptions/" + testSub + "/resourceGroups/x"},
		{scopeManagement, " north ", "providers/Microsoft.Management/managementGroups/north"},
		{scopeManagement, "/providers/microsoft.management/managementgroups/north", "providers/Microsoft.Management/managementGroups/north"},
		{scopeEnrolment, "8608480", "providers/Microsoft.Billing/billingAccounts/8608480"},
		{scopeEnrolment, "/providers/Microsoft.Billing/billingAccounts/8608480/departments/42", "providers/Microsoft.Billing/billingAccounts/8608480/departments/42"},
		{scopeProfile, "a:b_2019-05-31/P", "providers/Microsoft.Billing/billingAccounts/a:b_2019-05-31/billingProfiles/P"},
		{scopeProfile, "/providers/Microsoft.Billing/billingAccounts/a:b_2019-05-31/billingProfiles/P/invoiceSections/S", "providers/Microsoft.Billing/billingAccounts/a:b_2019-05-31/billingProfiles/P/invoiceSections/S"},
		{scopeGroup, "", ""}, {scopeGroup, "../x", ""}, {scopeGroup, "a/b", ""}, {scopeGroup, "subscriptions/" + otherSub + "/resourceGroups/x", ""},
		{scopeManagement, "", ""}, {scopeManagement, "a?b", ""}, {scopeEnrolment, "12a", ""}, {scopeEnrolment, "8608480/../x", ""},
		{scopeProfile, "P", ""}, {scopeProfile, "a/b/c", ""}, {scopeProfile, "a?/b", ""}, {"galaxy", "x", ""},
	} {
		got, err := parseScope(row.kind, row.text, testSub)
		if got.ID != row.want || (err == nil) != (row.want != "") {
			t.Errorf("%s %q: %q (%v)", row.kind, row.text, got.ID, err)
		}
		if err == nil && row.kind != "" && scopeKind("/"+got.ID) != row.kind {
			t.Errorf("%q is taken for a %s", got.ID, scopeKind(got.ID))
		}
	}
}

// FuzzScope: whatever is entered, a scope never leaves its form.
func FuzzScope(f *testing.F) {
	for _, s := range []string{"x", "/providers/Microsoft.Billing/billingAccounts/1", "a:b/c", "..", "a?b#c", "%2e%2e/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, kind := range []string{scopeGroup, scopeManagement, scopeEnrolment, scopeProfile} {
			got, err := parseScope(kind, s, testSub)
			if err == nil && (scopeKind(got.ID) != kind || strings.ContainsAny(got.ID, "?#% ") || strings.Contains(got.ID, "/../")) {
				t.Errorf("%s %q became %q", kind, s, got.ID)
			}
		}
	})
}

// deliver lets the runs that were asked for take place.
func (w *world) deliver() {
	w.t.Helper()
	if err := w.Deliver(context.Background(), time.Now()); err != nil {
		w.t.Fatal(err)
	}
}

// TestBackfill asks for past months, one after the other, and never twice.
func TestBackfill(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{HistoryMonths: 4, RowsPerMonth: 20})
	w.up()
	spec := *w.s.Spec
	now := w.p.opts.Clock.Now().UTC()
	first := outlay.PeriodOf(now).Start().AddDate(0, -3, 0)
	w.s.Spec = &outlay.Spec{Region: spec.Region, Fields: map[string]string{fieldBackfill: string(outlay.PeriodOf(first))}}
	plan, err := w.p.Plan(w.s, outlay.Observation{At: now, Identity: w.a.Identity})
	if err != nil || len(plan.Changes) != 3 {
		t.Fatalf("plan: %+v (%v)", plan, err)
	}
	w.s.Spec = &spec
	for _, c := range plan.Changes {
		// The run before is still under way: one at a time.
		runs := w.calls("Exports_Run")
		short, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
		_, err := w.p.Apply(short, w.a, w.s, c)
		cancel()
		if outlay.CodeOf(err) != outlay.CodeUnavailable || w.calls("Exports_Run") != runs {
			t.Errorf("beside another run: %v", err)
		}
		w.deliver()
		if err := w.apply(c); err != nil {
			t.Fatal(err)
		}
		if err := w.apply(c); err != nil { // asked for already: no second run, be it still under way
			t.Fatal(err)
		}
	}
	// After an attempt whose outcome is not known, its run may come into the history yet.
	unsure := plan.Changes[0]
	unsure.Name = backfillName(outlay.PeriodOf(first), w.one("export").Name, now.Add(time.Hour))
	w.s.Resources = append(w.s.Resources, outlay.Resource{Kind: kindBackfill, Name: unsure.Name, State: outlay.StateIntended, NotBefore: now.Add(time.Hour)})
	w.deliver()
	short, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
	defer cancel()
	if _, err := w.p.Apply(short, w.a, w.s, unsure); outlay.CodeOf(err) != outlay.CodeUnavailable {
		t.Errorf("before the run of the last attempt would be seen: %v", err)
	}
	w.s.Resources = w.s.Resources[:len(w.s.Resources)-1]
	if n := w.calls("Exports_Run"); n != 4 {
		t.Errorf("%d runs were asked for, want the first and one for each month", n)
	}
	if again := w.plan(outlay.Look{}); len(todo(again)) != 0 {
		t.Errorf("still to do: %v", todo(again))
	}
}

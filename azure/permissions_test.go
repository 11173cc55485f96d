package azure

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"outlay"
	cloud "outlay/simcloud/azure"

	"github.com/google/go-cmp/cmp"
)

// TestMissingOneByOne takes each permission away in turn. The look must name exactly it and offer a role with it, the
// plan must name it, and a run that goes on all the same must fail naming it, or, for a soft one, succeed without.
func TestMissingOneByOne(t *testing.T) {
	source := &outlay.Source{Desired: outlay.Present, Spec: &outlay.Spec{Fields: map[string]string{fieldInherit: choiceYes, fieldIdentity: identitySystem}}}
	for _, n := range needsOf(source) {
		if n.action == registerAction(storageProvider) || n.action == registerAction(costProvider) {
			continue // needed only where they are not registered, see TestCommonProviders
		}
		t.Run(n.action, func(t *testing.T) {
			w := newWorld(t, quotaEnterprise, cloud.Options{})
			w.s.Spec.Fields = source.Spec.Fields
			ready := w.plan(whole())
			w.Deny(w.app, n.action)
			if n.action == actSubscriptionRead {
				w.blind(n)
				return
			}
			seen := w.observe(whole())
			if missing := seen.Missing(); len(missing) != 1 || missing[0].Action != n.action || strings.Count(seen.Policy, `"`+n.action+`"`) != 1 {
				t.Fatalf("missing: %+v, policy %s", missing, seen.Policy)
			}
			plan, err := w.p.Plan(w.s, seen)
			if err != nil {
				t.Fatal(err)
			}
			w.named(plan, n)
			w.goOn(ready, n)
		})
	}
}

// blind is a credential that does not even see its subscription: the look itself says so.
func (w *world) blind(n need) {
	w.t.Helper()
	_, err := w.p.Observe(w.t.Context(), w.a, w.s, whole())
	if e := outlay.AsError(err); e == nil || len(e.Needs) != 1 || e.Needs[0].Action != n.action {
		w.t.Errorf("the look ended with %v", err)
	}
}

// named checks that the plan's notes name the action at the right level, and no other action.
func (w *world) named(plan outlay.Plan, n need) {
	w.t.Helper()
	level := "block"
	if n.soft && n.action != actProvidersRead && n.action != actPermissionsRead { // those two are said in their own words
		level = "warn"
	}
	all := ""
	for _, note := range plan.Notes {
		all += note.Text + "\n"
	}
	if n.action != actPermissionsRead && !strings.Contains(notes(plan, level), n.action) {
		w.t.Errorf("no %s note names it: %+v", level, plan.Notes)
	}
	for _, other := range allActions() {
		whole := strings.ReplaceAll(all, n.action, "")
		if other != n.action && !strings.HasPrefix(n.action, other) && strings.Contains(whole, other) {
			w.t.Errorf("the notes name %s, too: %s", other, all)
		}
	}
}

// goOn runs a plan that was made while nothing was missing.
func (w *world) goOn(ready outlay.Plan, n need) {
	w.t.Helper()
	w.a.Identity.Scope = w.s.Scope
	err := w.run(ready)
	if n.action == actProvidersRead { // registered blindly: the order of the export is repeated until Azure knows
		if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeUnavailable || e.Outcome != outlay.DefinitelyNot || e.RetryAfter == 0 || w.calls("Providers_Register") != 1 {
			w.t.Errorf("the run ended with %v", err)
		}
		return
	}
	without := []string{actBlobsRead, actPermissionsRead, actExportAct} // not called on the way up, or only one of two that Azure takes
	if n.soft || slices.Contains(without, n.action) {
		if err != nil {
			w.t.Errorf("the run needs it: %v", err)
		}
		return
	}
	e := outlay.AsError(err)
	if e == nil || e.Code != outlay.CodeForbidden || len(e.Needs) != 1 || e.Needs[0].Action != n.action || e.Outcome != outlay.DefinitelyNot {
		w.t.Errorf("the run ended with %v", err)
	}
}

// TestMissingOneByOneDown does the same on the way down: with the files deleted each permission blocks, with the files
// kept only those that keeping needs.
func TestMissingOneByOneDown(t *testing.T) {
	keeps := needsOf(&outlay.Source{Desired: outlay.Present, CostFiles: outlay.KeepCostFiles})
	for _, n := range needsOf(&outlay.Source{Desired: outlay.Present, CostFiles: outlay.DeleteCostFiles}) {
		t.Run(n.action, func(t *testing.T) {
			w := newWorld(t, quotaEnterprise, cloud.Options{})
			w.up()
			w.s.Spec, w.s.CostFiles = nil, ""
			ready := w.down(outlay.DeleteCostFiles)
			w.Deny(w.app, n.action)
			if n.action == actSubscriptionRead {
				w.blind(n)
				return
			}
			w.s.CostFiles = ""
			seen := w.observe(outlay.Look{Contents: true, Permissions: true})
			if missing := seen.Missing(); len(missing) != 1 || missing[0].Action != n.action || strings.Count(seen.Policy, `"`+n.action+`"`) != 1 {
				t.Fatalf("missing: %+v", missing)
			}
			for _, choice := range []outlay.CostFiles{outlay.DeleteCostFiles, outlay.KeepCostFiles} {
				w.s.CostFiles = choice
				plan, err := w.p.Plan(w.s, seen)
				if err != nil {
					t.Fatal(err)
				}
				kept := slices.ContainsFunc(keeps, func(k need) bool { return k.action == n.action })
				named := strings.Contains(notes(plan, "block"), n.action)
				if named != (!n.soft && (kept || choice == outlay.DeleteCostFiles)) {
					t.Errorf("%s: blocked by it: %v (%+v)", choice, named, plan.Notes)
				}
			}
			w.s.CostFiles = outlay.DeleteCostFiles
			e := outlay.AsError(w.run(ready))
			if n.soft != (e == nil) || e != nil && (e.Code != outlay.CodeForbidden || len(e.Needs) != 1 || e.Needs[0].Action != n.action) {
				t.Errorf("the run ended with %v", e)
			}
		})
	}
}

// TestLeastPrivilege goes the whole way up and down with only the published role.
func TestLeastPrivilege(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.Revoke(w.app, subScope)
	w.Grant(w.app, subScope, allActions()...)
	plan := w.plan(whole())
	if missing := w.observe(whole()).Missing(); len(missing) != 0 || len(plan.Notes) != 0 {
		t.Errorf("missing %+v, notes %+v", missing, plan.Notes)
	}
	if err := w.run(plan); err != nil {
		t.Fatal(err)
	}
	w.stands()
	w.remove()
}

// TestReader looks and reads with the published reader's role alone, once everything stands; it can change nothing.
func TestReader(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{RowsPerMonth: 20})
	w.s.Spec.Fields[fieldInherit] = choiceYes
	w.up()
	w.deliver()
	w.Revoke(w.app, subScope)
	w.Grant(w.app, subScope, readerActions()...)
	seen := w.observe(outlay.Look{Members: true, Contents: true, Tags: true})
	if plan := w.plan(outlay.Look{}); len(seen.Unknown) != 0 || len(todo(plan)) != 0 || len(plan.Notes) != 0 {
		t.Errorf("unknown %v, to do %v, notes %v", seen.Unknown, todo(plan), plan.Notes)
	}
	all := w.deliveries()
	if len(all) == 0 {
		t.Fatal("nothing is delivered")
	}
	if _, err := w.fetch(all[0]); err != nil {
		t.Error(err)
	}
	before := w.Snapshot()
	for _, c := range w.down(outlay.DeleteCostFiles).Changes {
		if c.Action == outlay.ActionKeep {
			continue
		}
		if _, err := w.p.Apply(t.Context(), w.a, w.s, c); outlay.CodeOf(err) != outlay.CodeForbidden && outlay.CodeOf(err) != outlay.CodeConflict {
			t.Errorf("%s %s ended with %v", c.Action, c.Kind, err)
		}
	}
	if diff := cmp.Diff(before, w.Snapshot()); diff != "" {
		t.Errorf("it changed something:\n%s", diff)
	}
}

// TestGroupRole goes down with roles at the resource group alone, as after the provisioner's role was taken away.
func TestGroupRole(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.up()
	w.Revoke(w.app, subScope)
	w.Grant(w.app, subScope, actSubscriptionRead, actPermissionsRead, "Microsoft.CostManagement/*")
	w.Grant(w.app, w.one("resource-group").ID, "*", actBlobsRead)
	plan := w.down(outlay.DeleteCostFiles)
	if missing := w.observe(whole()).Missing(); len(missing) != 0 || plan.Blocked() != "" {
		t.Fatalf("missing %+v, blocked %q", missing, plan.Blocked())
	}
	if err := w.run(plan); err != nil {
		t.Error(err)
	}
}

// TestPermissionsUnknown leaves permissions unknown where they cannot be asked for, but for those that the look's own
// reads tell; and where only a role with a condition would grant them.
func TestPermissionsUnknown(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.Deny(w.app, actPermissionsRead, actExportRead)
	states := states(w.observe(whole()))
	if states[actGroupWrite] != outlay.PermissionUnknown || states[actExportRead] != outlay.PermissionDenied || states[actGroupRead] != outlay.PermissionGranted || states[actPermissionsRead] != outlay.PermissionDenied {
		t.Errorf("states: %v", states)
	}
	w.Undeny(w.app)
	w.Revoke(w.app, subScope)
	w.Grant(w.app, subScope, "*/read", "Microsoft.Resources/*", "Microsoft.Storage/*", "Microsoft.CostManagement*", actBlobsRead)
	w.GrantRole(w.app, subScope, cloud.Role{Name: "delegated", Actions: []string{"Microsoft.Authorization/roleAssignments/*"}, Condition: "((!(ActionMatches{'…'})))"})
	states = statesOf(w)
	if states[actAssignmentsWrite] != outlay.PermissionUnknown {
		t.Errorf("under a condition: %v", states[actAssignmentsWrite])
	}
	if plan := w.plan(whole()); plan.Blocked() != "" {
		t.Errorf("unknown is not missing: %s", plan.Blocked())
	}
}

func statesOf(w *world) map[string]outlay.PermissionState { return states(w.observe(whole())) }

func states(seen outlay.Observation) map[string]outlay.PermissionState {
	out := map[string]outlay.PermissionState{}
	for _, p := range seen.Permissions {
		out[p.Action] = p.State
	}
	return out
}

// TestDecide evaluates role entries as Azure does.
func TestDecide(t *testing.T) {
	contributor := entry{Actions: []string{"*"}, NotActions: []string{"Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"}}
	for name, row := range map[string]struct {
		entries []entry
		action  string
		want    outlay.PermissionState
	}{
		"nothing":                        {nil, actGroupRead, outlay.PermissionDenied},
		"everything":                     {[]entry{{Actions: []string{"*"}}}, actGroupWrite, outlay.PermissionGranted},
		"everything but data":            {[]entry{{Actions: []string{"*"}}}, actBlobsRead, outlay.PermissionDenied},
		"data":                           {[]entry{{DataActions: []string{"Microsoft.Storage/*/read"}}}, actBlobsRead, outlay.PermissionGranted},
		"not that data":                  {[]entry{{DataActions: []string{"*"}, NotDataActions: []string{strings.ToUpper(actBlobsRead)}}}, actBlobsRead, outlay.PermissionDenied},
		"letter case":                    {[]entry{{Actions: []string{"microsoft.resources/SUBSCRIPTIONS/read"}}}, actSubscriptionRead, outlay.PermissionGranted},
		"a star in the middle":           {[]entry{{Actions: []string{"Microsoft.Storage/*/read"}}}, actContainerRead, outlay.PermissionGranted},
		"a star at the beginning":        {[]entry{{Actions: []string{"*/read"}}}, actExportRead, outlay.PermissionGranted},
		"two stars":                      {[]entry{{Actions: []string{"Microsoft.*/exports/*"}}}, actExportRun, outlay.PermissionGranted},
		"a star that does not fit":       {[]entry{{Actions: []string{"Microsoft.Storage/*/write"}}}, actContainerRead, outlay.PermissionDenied},
		"a prefix is no pattern":         {[]entry{{Actions: []string{"Microsoft.Resources/subscriptions"}}}, actSubscriptionRead, outlay.PermissionDenied},
		"contributor, a write":           {[]entry{contributor}, actAccountWrite, outlay.PermissionGranted},
		"contributor, an assignment":     {[]entry{contributor}, actAssignmentsWrite, outlay.PermissionDenied},
		"taken by one, given by another": {[]entry{contributor, {Actions: []string{actAssignmentsWrite}}}, actAssignmentsWrite, outlay.PermissionGranted},
		"only with a condition":          {[]entry{{Actions: []string{"*"}, Condition: "x"}}, actGroupRead, outlay.PermissionUnknown},
		"with and without a condition":   {[]entry{{Actions: []string{"*"}, Condition: "x"}, {Actions: []string{"*/read"}}}, actGroupRead, outlay.PermissionGranted},
	} {
		if got, why := decide(row.entries, row.action); got != row.want || (why == "") != (got == outlay.PermissionGranted) {
			t.Errorf("%s: %s (%s), want %s", name, got, why, row.want)
		}
	}
}

// FuzzFits compares the matching with a slow one that is plainly right.
func FuzzFits(f *testing.F) {
	for _, seed := range [][2]string{{"*", ""}, {"a*b", "ab"}, {"a*b*a", "aba"}, {"*a*", "bab"}, {"a", "ab"}, {"aa*a", "aa"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 12 || len(s) > 12 {
			return
		}
		if got, want := fits(pattern, s), fitsSlowly(pattern, s); got != want {
			t.Errorf("fits(%q, %q) = %v", pattern, s, got)
		}
	})
}

func fitsSlowly(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	if pattern[0] == '*' {
		for i := 0; i <= len(s); i++ {
			if fitsSlowly(pattern[1:], s[i:]) {
				return true
			}
		}
		return false
	}
	return s != "" && s[0] == pattern[0] && fitsSlowly(pattern[1:], s[1:])
}

func TestRolesGolden(t *testing.T) {
	golden(t, "role/provisioner.json", ProvisionerRole(testSub)+"\n")
	golden(t, "role/reader.json", ReaderRole(testSub)+"\n")
	missing := missingRole([]outlay.Permission{
		{Action: actGroupWrite, Resource: subScope}, {Action: actBlobsRead, Resource: subScope + "/resourceGroups/outlay-x"}, {Action: actGroupWrite, Resource: subScope},
		{Action: actExportWrite, Resource: "/providers/Microsoft.Management/managementGroups/north"},
	})
	golden(t, "role/missing.json", missing+"\n")
	for _, text := range []string{ProvisionerRole("{subscription_id}"), missing} {
		if !json.Valid([]byte(text)) {
			t.Errorf("not JSON: %s", text)
		}
	}
	if missingRole(nil) != "" {
		t.Error("a role for nothing")
	}
}

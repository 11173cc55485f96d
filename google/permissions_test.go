package google

import (
	"slices"
	"strings"
	"testing"

	"outlay"
	cloud "outlay/simcloud/google"

	"github.com/google/go-cmp/cmp"
)

// TestEachPermission takes the permissions away one by one: exactly that one is named, and in the role to paste.
func TestEachPermission(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.s.Spec.Fields[fieldFast] = yes
	w.SetService(hosting, servBigQ, true)
	w.plan(whole())
	// These two are asked before anything is tested: the look itself is refused, or says what it cannot read.
	early := []string{"resourcemanager.projects.get"}
	for _, n := range append(projectNeeds(w.s, false), billingNeeds()...) {
		if slices.Contains(early, n.action) {
			continue
		}
		t.Run(n.action, func(t *testing.T) {
			w.Revoke(w.email, n.action)
			defer w.Restore(w.email)
			seen := w.observe(whole())
			var missing []string
			for _, m := range seen.Missing() {
				missing = append(missing, m.Action)
			}
			if diff := cmp.Diff([]string{n.action}, missing); diff != "" {
				t.Fatalf("missing (-want +got):\n%s", diff)
			}
			if strings.Count(seen.Policy, n.action) != 1 || strings.Count(seen.Policy, "\n- ")+strings.Count(seen.Policy, "# on ") != 1 {
				t.Errorf("the policy: %s", seen.Policy)
			}
			plan, err := w.p.Plan(w.s, seen)
			if err != nil {
				t.Fatal(err)
			}
			level := "block"
			if n.soft {
				level = "warn"
			}
			if got := notes(plan, level); !strings.Contains(got, n.action) {
				t.Errorf("%s notes: %s", level, got)
			}
			if n.soft && plan.Blocked() != "" {
				t.Errorf("a soft permission blocks: %s", plan.Blocked())
			}
		})
	}
	w.Revoke(w.email, early...)
	_, err := w.p.Observe(t.Context(), w.a, w.s, whole())
	if e := outlay.AsError(err); e.Code != outlay.CodeForbidden || len(e.Needs) != 1 || e.Needs[0].Action != early[0] {
		t.Errorf("without %s: %v", early[0], err)
	}
}

// TestFocusPermissions asks for no permission to make, change or delete a dataset where Google makes it, and finds the
// export with no more than the reader has.
func TestFocusPermissions(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1})
	w.SetService(hosting, servBigQ, true)
	w.s.Spec.Fields[fieldExport] = string(exportFocus)
	w.vault["acc_1/"+fieldKeyJSON] = string(w.AddServiceAccount(hosting, "outlay", "resourcemanager.projects.get", "serviceusage.services.get", "serviceusage.services.enable", "bigquery.jobs.create"))
	plan := w.plan(whole())
	if got := plan.Blocked(); got != "" {
		t.Errorf("blocked: %s", got)
	}
	if got := notes(plan, "warn"); strings.Contains(got, "datasets.create") || strings.Contains(got, "delete") {
		t.Errorf("notes: %s", got)
	}
	if err := w.Export(payer, string(exportFocus), hosting, ""); err != nil {
		t.Fatal(err)
	}
	w.deliver(1)
	w.Grant(w.email, "datasets/"+hosting+"."+cloud.LinkedDataset(payer, "US"), "bigquery.datasets.get", "bigquery.tables.list", "bigquery.tables.get", "bigquery.tables.getData")
	seen := w.observe(whole())
	row, ok := seen.Find(kindTable, exportFocus.table(payer))
	if !ok || seen.Unknown[string(kindDataset)] != "" {
		t.Errorf("the table was not found; unknown: %v", seen.Unknown)
	}
	w.s.Resources = []outlay.Resource{row}
	w.s.Spec, w.s.CostFiles = nil, ""
	if plan := w.plan(whole()); plan.Blocked() != "" {
		t.Errorf("on the way down: %s", plan.Blocked())
	}
}

// TestTablePermission tests reading on the table itself, once there is one.
func TestTablePermission(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1})
	w.up()
	w.export(exportDetailed, 1)
	w.Revoke(w.email, "bigquery.tables.getData")
	seen := w.observe(whole())
	missing := seen.Missing()
	if len(missing) != 1 || missing[0].Action != "bigquery.tables.getData" || !strings.HasSuffix(missing[0].Resource, exportDetailed.table(payer)) {
		t.Errorf("missing: %+v", missing)
	}
	if !strings.Contains(seen.Policy, "# on projects/"+hosting+"/datasets/") {
		t.Errorf("the policy: %s", seen.Policy)
	}
}

// TestReaderIsEnough goes on with the least that watching and reading need: a role on the dataset, and running queries.
func TestReaderIsEnough(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1})
	w.up()
	w.export(exportDetailed, 1)
	w.vault["acc_1/"+fieldKeyJSON] = string(w.AddServiceAccount(hosting, "outlay", "resourcemanager.projects.get", "bigquery.jobs.create"))
	d := w.deliveries()
	if len(d) == 0 {
		t.Fatal("nothing was listed")
	}
	if _, err := w.p.Fetch(t.Context(), w.a, w.s, d[0], t.TempDir()); err != nil {
		t.Error(err)
	}
	if _, ok := w.observe(outlay.Look{}).Find(kindTable, exportDetailed.table(payer)); !ok {
		t.Error("the table was not found")
	}
}

// TestRefusedCall names the permission of a call that is refused in the middle of a run.
func TestRefusedCall(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	plan := w.plan(whole())
	if err := w.apply(plan.Changes[0]); err != nil {
		t.Fatal(err)
	}
	w.Revoke(w.email, "bigquery.datasets.create")
	e := outlay.AsError(w.apply(plan.Changes[1]))
	if e.Code != outlay.CodeForbidden || e.Outcome != outlay.DefinitelyNot || len(e.Needs) != 1 || e.Needs[0].Action != "bigquery.datasets.create" || !strings.Contains(e.Fix, "bigquery.datasets.create") {
		t.Errorf("%+v", e)
	}
}

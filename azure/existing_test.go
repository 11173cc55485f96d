package azure

import (
	"context"
	"strings"
	"testing"

	"outlay"
	cloud "outlay/simcloud/azure"

	"github.com/google/go-cmp/cmp"
)

// existing lists a scope's exports by name.
func (w *world) existing(fields map[string]string) map[string]outlay.Existing {
	w.t.Helper()
	list, err := w.p.Existing(context.Background(), w.a, fields)
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]outlay.Existing{}
	for _, e := range list {
		out[e.Name] = e
	}
	return out
}

// theirs is a subscription in which somebody set up exports of each kind before.
func theirs(t *testing.T) *world {
	w := newWorld(t, quotaEnterprise, cloud.Options{RowsPerMonth: 60})
	w.SetProvider(testSub, exportsProvider, stateRegistered)
	w.PlantGroup(testSub, "finance", "westeurope")
	w.PlantAccount(testSub, "finance", "theircosts", "westeurope")
	w.PlantExport(subScope, "focus", typeFocus, "Parquet", "theircosts", "bills")
	w.PlantExport(subScope, "actual", typeActual, "Csv", "theircosts", "bills")
	w.PlantExport(subScope, "amortized", typeAmortized, "Csv", "theircosts", "bills")
	return w
}

func TestExistingExports(t *testing.T) {
	w := theirs(t)
	w.PlantExport(subScope, "prices", "PriceSheet", "Csv", "theircosts", "bills")
	w.up()
	all := w.existing(nil)
	got := map[string]string{}
	for name, e := range all {
		if e.Ours != "" {
			name = "ours"
		}
		got[name] = e.Title + ", " + e.Format + ", " + e.Ours + ", " + e.Why
		if e.Scope.ID != "subscriptions/"+testSub || e.ID == "" || !strings.Contains(e.Detail, "/") {
			t.Errorf("%s: %+v", name, e)
		}
	}
	want := map[string]string{
		"focus":                "FOCUS cost export 1.2-preview, focus-cost, , ",
		"actual":               "Actual cost export, actual-cost, , ",
		"amortized":            "Amortized cost export, amortized-cost, , ",
		"actual and amortized": "Actual and amortized cost exports, actual-amortized, , ",
		"prices":               "Export of PriceSheet, , , It holds no charges. Outlay reads exports of FOCUS, actual cost, amortized cost and usage.",
		"ours":                 got["ours"],
	}
	if diff := cmp.Diff(want, got); diff != "" || !strings.Contains(got["ours"], "src_1") {
		t.Errorf("exports (-want +got):\n%s", diff)
	}
}

// TestExistingThatCannotBeRead says why, and what to do.
func TestExistingThatCannotBeRead(t *testing.T) {
	w := theirs(t)
	w.Deny(w.app, actBlobsRead)
	if why := w.existing(nil)["focus"].Why; !strings.Contains(why, "Storage Blob Data Reader") {
		t.Errorf("without the right to read: %q", why)
	}
	w.Undeny(w.app, actBlobsRead)
	w.Deny(w.app, actAccountRead) // not needed for reading
	if why := w.existing(nil)["focus"].Why; why != "" {
		t.Errorf("without the right to look at the storage account: %q", why)
	}
	w.Undeny(w.app, actAccountRead)
	w.SetAccount("theircosts", "publicNetworkAccess", "Disabled")
	if all := w.existing(nil); len(all) != 3 || !strings.Contains(all["focus"].Why, "firewall") || strings.Contains(all["focus"].Why, "Give it the role") {
		t.Errorf("behind a firewall: %+v", all)
	}
	w.SetAccount("theircosts", "publicNetworkAccess", "Enabled")
	w.Fault(cloud.Fault{Match: "Container_ListBlobs", Kind: cloud.ResetBefore, Times: -1})
	if all := w.existing(nil); len(all) != 3 || !strings.Contains(all["focus"].Why, "does not answer") {
		t.Errorf("without its storage account: %+v", all)
	}
	w.ClearFaults()
	w.RemoveContainer("theircosts", "bills")
	if why := w.existing(nil)["focus"].Why; !strings.Contains(why, "does not exist") {
		t.Errorf("without its container: %q", why)
	}
	w.Deny(w.app, actExportRead)
	_, err := w.p.Existing(t.Context(), w.a, nil)
	if e := outlay.AsError(err); e.Code != outlay.CodeForbidden || len(e.Needs) != 1 || e.Needs[0].Action != actExportRead {
		t.Errorf("without the right to list: %v", err)
	}
	if _, err := w.p.Existing(t.Context(), w.a, map[string]string{fieldScope: scopeEnrolment, fieldScopeID: "no number"}); outlay.AsError(err).Field != fieldScopeID {
		t.Errorf("a scope that is none: %v", err)
	}
}

// TestImportedExportsAreReadAndNeverChanged reads each kind of import and looks at what the cloud was asked.
func TestImportedExportsAreReadAndNeverChanged(t *testing.T) {
	w := theirs(t)
	w.deliverAt(day)
	before := w.Snapshot()
	for name, e := range w.existing(nil) {
		if e.Why != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			w.s = &outlay.Source{OrgID: "org_1", ID: "src_2", Provider: Name, AccountID: "acc_1", Origin: outlay.OriginImported, Desired: outlay.Present, Scope: e.Scope, Spec: &outlay.Spec{Region: e.Region, Fields: e.Fields}}
			if changes := todo(w.plan(whole())); len(changes) != 0 {
				t.Errorf("the plan changes %v", changes)
			}
			all := w.deliveries()
			if len(all) == 0 {
				t.Fatal("nothing is delivered")
			}
			d := all[len(all)-1]
			if d.Format != e.Format || d.Period != "2026-11" {
				t.Errorf("delivery %+v", d)
			}
			files, err := w.fetch(d)
			if err != nil {
				t.Fatal(err)
			}
			if parsed := parse(t, d.Format, files...); parsed[0].Proof.Rows != d.Rows {
				t.Errorf("%d rows of %d", parsed[0].Proof.Rows, d.Rows)
			}
			w.s.Spec, w.s.CostFiles = nil, outlay.DeleteCostFiles
			seen, err := w.p.Observe(t.Context(), w.a, w.s, outlay.Look{})
			if err != nil {
				t.Fatal(err)
			}
			plan, err := w.p.Plan(w.s, seen)
			if err != nil || len(todo(plan)) != 0 {
				t.Errorf("taking it down plans %v, %v", todo(plan), err)
			}
		})
	}
	if diff := cmp.Diff(before, w.Snapshot()); diff != "" {
		t.Errorf("the cloud changed:\n%s", diff)
	}
	for _, r := range w.Requests() {
		if _, verb, _ := strings.Cut(r.Operation, "_"); r.Service != "entra" && !strings.HasPrefix(verb, "Get") && !strings.HasPrefix(verb, "List") {
			t.Errorf("a request that is no read: %s %s", r.Operation, r.Path)
		}
	}
}

package azure

import (
	"testing"

	"outlay"
	cloud "outlay/simcloud/azure"

	"github.com/google/go-cmp/cmp"
)

func upSteps() []string {
	return []string{
		"update azure/provider-registration", "create azure/resource-group", "create azure/storage-account", "create azure/container", "create azure/export", "create azure/first-run",
	}
}

func downSteps() []string {
	return []string{"delete azure/export", "delete azure/storage-account", "delete azure/resource-group"}
}

// TestUpDown goes the whole way: the plan, what stands after it, the same again without any effect, and back.
func TestUpDown(t *testing.T) {
	for name, o := range map[string]cloud.Options{"plain": {}, "202 and 204": {RunAccepted: true, DeleteNoContent: true, Polls: 3}, "slow": {Polls: 4}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, quotaEnterprise, o)
			plan := w.plan(whole())
			if diff := cmp.Diff(upSteps(), todo(plan)); diff != "" {
				t.Fatalf("plan (-want +got):\n%s", diff)
			}
			if missing := w.observe(whole()).Missing(); len(missing) != 0 || len(plan.Notes) != 0 {
				t.Errorf("missing %+v, notes %+v", missing, plan.Notes)
			}
			if err := w.run(plan); err != nil {
				t.Fatal(err)
			}
			w.stands()
			if again := w.plan(whole()); len(todo(again)) != 0 {
				t.Errorf("a second plan wants %v", todo(again))
			}
			w.repeat(plan)
			w.remove()
		})
	}
}

// stands checks what was made.
func (w *world) stands() {
	w.t.Helper()
	want := map[string]string{tagManaged: "outlay", tagInstallation: "ins_test", tagOrganization: "org_1", tagSource: "src_1", tagOperation: "op_1"}
	for _, kind := range []string{"resource-group", "storage-account", "container"} {
		if diff := cmp.Diff(want, marks(w.one(kind).Tags)); diff != "" {
			w.t.Errorf("marks of the %s (-want +got):\n%s", kind, diff)
		}
	}
	export := w.one("export")
	if diff := cmp.Diff(want, parseDescription(export.Text)); diff != "" || !export.Active {
		w.t.Errorf("marks of the export (-want +got):\n%s (active: %v)", diff, export.Active)
	}
	if state := w.Provider(testSub, exportsProvider); state != stateRegistered {
		w.t.Errorf("the registration is %s", state)
	}
	if n := w.calls("Exports_Run"); n != 1 {
		w.t.Errorf("%d runs were asked for", n)
	}
	w.one("role-assignment")
}

// repeat makes every change once more: nothing may come of it.
func (w *world) repeat(plan outlay.Plan) {
	w.t.Helper()
	before := w.Snapshot()
	runs, registered := w.calls("Exports_Run"), w.calls("Providers_Register")
	for _, c := range plan.Changes {
		if c.Action == outlay.ActionKeep {
			continue
		}
		if _, err := w.p.Apply(w.t.Context(), w.a, w.s, c); err != nil {
			w.t.Errorf("applying %s again: %v", c.Key(), err)
		}
	}
	if diff := cmp.Diff(before, w.Snapshot()); diff != "" {
		w.t.Errorf("applying twice changed something (-once +twice):\n%s", diff)
	}
	if w.calls("Exports_Run") != runs || w.calls("Providers_Register") != registered {
		w.t.Error("applying twice ran or registered twice")
	}
}

func (w *world) remove() {
	w.t.Helper()
	plan := w.down(outlay.DeleteCostFiles)
	if diff := cmp.Diff(downSteps(), todo(plan)); diff != "" {
		w.t.Fatalf("plan down (-want +got):\n%s\n%+v", diff, plan.Notes)
	}
	if err := w.run(plan); err != nil {
		w.t.Fatal(err)
	}
	if left := w.Snapshot(); len(left) != 0 {
		w.t.Errorf("left behind: %+v", left)
	}
	if state := w.Provider(testSub, exportsProvider); state != stateRegistered {
		w.t.Errorf("deprovisioning touched the registration: %s", state)
	}
	if err := w.run(plan); err != nil {
		w.t.Errorf("deleting what is gone: %v", err)
	}
}

// TestKeep keeps what was delivered: only the export goes, and its identity loses its access.
func TestKeep(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{RowsPerMonth: 50})
	w.up()
	account := w.one("storage-account").Name
	w.PlantBlob(account, account, mainRoot+"/x/20261101-20261130/run/part_0_0001.snappy.parquet", []byte("PAR1"))
	plan := w.down(outlay.KeepCostFiles)
	if diff := cmp.Diff([]string{"delete azure/export"}, todo(plan)); diff != "" {
		t.Fatalf("plan (-want +got):\n%s", diff)
	}
	if len(notes(plan, "warn")) != 0 {
		t.Errorf("a choice is no warning: %+v", plan.Notes)
	}
	if err := w.run(plan); err != nil {
		t.Fatal(err)
	}
	if len(w.Only("export")) != 0 || len(w.Only("role-assignment")) != 0 {
		t.Errorf("left: %+v", w.Snapshot())
	}
	if got := w.one("container").Blobs; len(got) != 1 {
		t.Errorf("files: %v", got)
	}
	again := w.down(outlay.DeleteCostFiles)
	if err := w.run(again); err != nil {
		t.Fatal(err)
	}
	if left := w.Snapshot(); len(left) != 0 {
		t.Errorf("left behind: %+v", left)
	}
}

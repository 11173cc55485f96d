package google

import (
	"slices"
	"strings"
	"testing"

	"outlay"
	cloud "outlay/simcloud/google"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/bigquery/v2"
)

// patchExpiration sets a default expiration of 30 days, as somebody in the console might.
func patchExpiration(t *testing.T, w *world) {
	t.Helper()
	ses, err := w.p.session(t.Context(), w.a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ses.bigquery.Datasets.Patch(hosting, w.name(), &bigquery.Dataset{DefaultTableExpirationMs: 30 * 24 * 3600_000}).Context(t.Context()).Do(); err != nil {
		t.Fatal(err)
	}
}

// TestDownDelete deletes what Google exported and the dataset, after the reminder that only a person stops the export.
func TestDownDelete(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.up()
	w.export(exportDetailed, 1)
	w.PlantDataset(hosting, "somebody_elses", "US", nil, "figures")
	undecided := w.down("")
	if !strings.Contains(undecided.Blocked(), "deleted or kept") {
		t.Errorf("without a choice: %+v", undecided.Notes)
	}
	plan := w.down(outlay.DeleteCostFiles)
	if diff := cmp.Diff([]string{"manual google/export-table", "delete google/tables", "delete google/dataset"}, todo(plan)); diff != "" {
		t.Fatalf("the plan (-want +got):\n%s", diff)
	}
	if got := notes(plan, "warn"); !strings.Contains(got, "in the last 24 hours") {
		t.Errorf("notes: %s", got)
	}
	if err := w.run(plan); err != nil {
		t.Fatal(err)
	}
	if _, there := w.live(); there {
		t.Error("the dataset is still there")
	}
	for _, l := range w.Live() {
		if l.Kind == "dataset" && l.Name == hosting+".somebody_elses" {
			if err := w.run(plan); err != nil { // twice is the same as once
				t.Error(err)
			}
			return
		}
	}
	t.Error("somebody else's dataset is gone")
}

// TestDownKeep leaves the dataset with Google's writer, and takes our entry and labels away.
func TestDownKeep(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.up()
	w.export(exportDetailed, 1)
	plan := w.down(outlay.KeepCostFiles)
	if diff := cmp.Diff([]string{"manual google/export-table", "update google/dataset-access"}, todo(plan)); diff != "" {
		t.Fatalf("the plan (-want +got):\n%s", diff)
	}
	for range 2 {
		if err := w.run(plan); err != nil {
			t.Fatal(err)
		}
	}
	d, ok := w.live()
	if !ok || len(d.Labels) != 0 || slices.ContainsFunc(d.Access, func(e map[string]any) bool { return e["userByEmail"] == w.email }) {
		t.Errorf("the dataset: %+v", d)
	}
	if !slices.ContainsFunc(d.Access, func(e map[string]any) bool { return e["userByEmail"] == writer }) {
		t.Errorf("Google's writer is gone: %v", d.Access)
	}
}

// TestDownForeignTable keeps a dataset into which somebody put a table or a view of their own, planned or put there later.
func TestDownForeignTable(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.up()
	w.export(exportDetailed, 1)
	clean := w.down(outlay.DeleteCostFiles)
	w.PlantTable(hosting, w.name(), "my_budget")
	err := w.run(clean)
	if outlay.CodeOf(err) != outlay.CodeConflict || !strings.Contains(err.Error(), "my_budget") {
		t.Errorf("a table that came later: %v", err)
	}
	plan := w.plan(whole())
	if slices.ContainsFunc(todo(plan), func(s string) bool { return strings.HasPrefix(s, "delete") }) || !strings.Contains(notes(plan, "warn"), "1 table or view") {
		t.Errorf("the plan: %v\n%s", todo(plan), notes(plan, "warn"))
	}
	tables := 0
	for _, l := range w.Live() {
		if l.Kind == "table" && strings.HasPrefix(l.Name, hosting+"."+w.name()) {
			tables++
		}
	}
	if tables != 2 {
		t.Errorf("%d tables are left, want both", tables)
	}
}

// TestDownOtherAccount keeps the export of another billing account that somebody pointed at our dataset.
func TestDownOtherAccount(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.up()
	w.export(exportDetailed, 1)
	clean := w.down(outlay.DeleteCostFiles)
	if err := w.Export(another, string(exportStandard), hosting, w.name()); err != nil {
		t.Fatal(err)
	}
	w.deliver(1)
	if err := w.run(clean); outlay.CodeOf(err) != outlay.CodeConflict || !strings.Contains(err.Error(), exportStandard.table(another)) {
		t.Errorf("a table of another billing account: %v", err)
	}
	plan := w.plan(whole())
	if slices.ContainsFunc(todo(plan), func(s string) bool { return strings.HasPrefix(s, "delete") }) || !strings.Contains(notes(plan, "warn"), "1 table or view that is not of this set-up") {
		t.Errorf("the plan: %v\n%s", todo(plan), notes(plan, "warn"))
	}
}

// TestServiceOff holds that a dataset is not absent because BigQuery was turned off: going down waits for a look at it, and
// the way up turns BigQuery on before anything else.
func TestServiceOff(t *testing.T) {
	for _, kind := range []exportKind{exportDetailed, exportFocus} {
		w := newWorld(t, cloud.Options{FillTicks: 1})
		w.s.Spec.Fields[fieldExport] = string(kind)
		w.up()
		w.export(kind, 1)
		row, ok := w.observe(outlay.Look{}).Find(kindTable, kind.table(payer))
		if !ok {
			t.Fatal("no table")
		}
		w.s.Resources = append(w.s.Resources, row)
		w.SetService(hosting, servBigQ, false)
		again := w.plan(whole())
		if diff := cmp.Diff([]string{"update google/services"}, todo(again)); diff != "" || again.Blocked() != "" {
			t.Errorf("%s: the way up (-want +got):\n%s%s", kind, diff, again.Blocked())
		}
		down := w.down(outlay.DeleteCostFiles)
		if got := down.Blocked(); !strings.Contains(got, "turn "+servBigQ+" on") {
			t.Errorf("%s: the way down: %q, %v", kind, got, todo(down))
		}
		w.SetService(hosting, servBigQ, true)
		if got := w.plan(whole()).Blocked(); got != "" {
			t.Errorf("%s: with BigQuery on: %s", kind, got)
		}
	}
}

// TestDownLateTable deletes the tables again when Google writes between the two deletions.
func TestDownLateTable(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.up()
	w.export(exportDetailed, 1)
	plan := w.down(outlay.DeleteCostFiles)
	if err := w.apply(plan.Changes[1]); err != nil {
		t.Fatal(err)
	}
	w.deliver(1)
	err := w.apply(plan.Changes[2])
	if outlay.CodeOf(err) != outlay.CodeUnavailable {
		t.Fatalf("a late delivery: %v", err)
	}
	for _, c := range plan.Changes[1:3] {
		if err := w.apply(c); err != nil {
			t.Fatal(err)
		}
	}
	if _, there := w.live(); there {
		t.Error("the dataset is still there")
	}
}

// TestDownAnother keeps a dataset of our name and with our labels that is not the very one we made.
func TestDownAnother(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.up()
	d, _ := w.live()
	w.RemoveDataset(hosting, w.name())
	w.clock.add(1e9)
	w.PlantDataset(hosting, w.name(), "US", d.Labels)
	plan := w.down(outlay.DeleteCostFiles)
	if slices.ContainsFunc(todo(plan), func(s string) bool { return strings.HasPrefix(s, "delete") }) || !strings.Contains(notes(plan, "warn"), "another one than Outlay created") {
		t.Errorf("the plan: %v\n%s", todo(plan), notes(plan, "warn"))
	}
}

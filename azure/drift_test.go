package azure

import (
	"strings"
	"testing"
	"time"

	"outlay"
	cloud "outlay/simcloud/azure"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v2"
	"github.com/google/go-cmp/cmp"
)

// TestDrift changes what was made by somebody else's hand: the plan shows the difference, and repairs it.
func TestDrift(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(w *world, account, export string)
		want  []string
		diff  string // a setting that the change names
	}{
		"public blobs":         {func(w *world, a, _ string) { w.SetAccount(a, "allowBlobPublicAccess", true) }, []string{"update azure/storage-account"}, propPublic},
		"old TLS":              {func(w *world, a, _ string) { w.SetAccount(a, "minimumTlsVersion", "TLS1_0") }, []string{"update azure/storage-account"}, propTLS},
		"a schedule at rest":   {func(w *world, _, e string) { w.SetSchedule(e, "Inactive") }, []string{"update azure/export"}, propSchedule},
		"suspended":            {func(w *world, _, e string) { w.Suspend(e, "StorageAccountNotFound") }, []string{"update azure/export"}, propSchedule},
		"another timeframe":    {func(w *world, _, e string) { w.order(e, "TheLastMonth") }, []string{"update azure/export"}, propFrame},
		"the export gone":      {func(w *world, _, e string) { w.RemoveExport(e) }, []string{"create azure/export", "create azure/first-run"}, propTarget},
		"the container gone":   {func(w *world, a, _ string) { w.RemoveContainer(a, a) }, []string{"create azure/container"}, propPublic},
		"unregistered":         {func(w *world, _, _ string) { w.SetProvider(testSub, exportsProvider, "NotRegistered") }, []string{"update azure/provider-registration"}, propState},
		"everything in a mess": {func(w *world, a, e string) { w.RemoveExport(e); w.RemoveAccount(a) }, []string{"create azure/storage-account", "create azure/container", "create azure/export", "create azure/first-run"}, propRegion},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, quotaEnterprise, cloud.Options{})
			w.up()
			w.plan(outlay.Look{})
			row.spoil(w, w.one("storage-account").Name, w.one("export").ID)
			plan := w.plan(whole())
			if diff := cmp.Diff(row.want, todo(plan)); diff != "" {
				t.Fatalf("plan (-want +got):\n%s\n%+v", diff, plan.Notes)
			}
			for _, c := range plan.Changes {
				if c.Action == outlay.ActionKeep {
					continue
				}
				if c.To[row.diff] == "" && c.Kind == plan.Changes[0].Kind {
					t.Errorf("the change does not say %s: %+v", row.diff, c)
				}
			}
			if err := w.run(plan); err != nil && name != "suspended" {
				t.Fatal(err)
			}
			if name == "suspended" { // waking it takes Azure's own mind
				return
			}
			if again := w.plan(whole()); len(todo(again)) != 0 {
				t.Errorf("after the repair: %v", todo(again))
			}
		})
	}
}

// order changes the timeframe of an export, as somebody does in the portal.
func (w *world) order(id string, frame armcostmanagement.TimeframeType) {
	w.t.Helper()
	ses, err := w.p.session(w.a)
	if err != nil {
		w.t.Fatal(err)
	}
	client, err := ses.exports()
	if err != nil {
		w.t.Fatal(err)
	}
	live, err := client.Get(w.t.Context(), scopeOfExport(id), lastSegment(id), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	live.Export.Properties.Definition.Timeframe = &frame
	live.Export.Properties.Schedule.RecurrencePeriod.From = to(time.Now().Add(time.Hour))
	if _, err := client.CreateOrUpdate(w.t.Context(), scopeOfExport(id), lastSegment(id), live.Export, nil); err != nil {
		w.t.Fatal(err)
	}
}

// TestLetterCase: the same settings in another letter case are no drift.
func TestLetterCase(t *testing.T) {
	for _, sc := range []*scene{fresh().done(), fresh(fieldDataset, datasetPair).done()} {
		for i := range sc.seen.Resources {
			for k, v := range sc.seen.Resources[i].Properties {
				if k != propDataset && k != propState { // read by themselves
					sc.seen.Resources[i].Properties[k] = strings.ToUpper(v)
				}
			}
		}
		plan, err := sc.changes()
		if err != nil || len(todo(plan)) != 0 {
			t.Errorf("to do: %v (%v)", todo(plan), err)
		}
	}
	live := armcostmanagement.Export{
		Identity:   &armcostmanagement.SystemAssignedServiceIdentity{Type: to(armcostmanagement.SystemAssignedServiceIdentityType("systemassigned"))},
		Properties: &armcostmanagement.ExportProperties{Definition: &armcostmanagement.ExportDefinition{Type: to(armcostmanagement.ExportType("focuscost"))}},
	}
	if r := exportResource(live, noon()); r.Properties[propDataset] != typeFocus || r.Properties[propIdentity] != identitySystem || r.Properties[propFrame] != frameMonth || r.Properties[propGrain] != grainDaily {
		t.Errorf("read as %v", r.Properties)
	}
}

// TestFailedRunSaysWhy passes on what Azure says of a run that failed, whichever of two exports it is of.
func TestFailedRunSaysWhy(t *testing.T) {
	at := noon()
	ended := func(name, status string, submitted time.Time, why *armcostmanagement.ErrorDetails) export {
		return export{resource: outlay.Resource{Name: name, Properties: map[string]string{propSchedule: scheduleDaily}}, runs: runsOf([]*armcostmanagement.ExportRun{{
			Properties: &armcostmanagement.ExportRunProperties{Status: to(armcostmanagement.ExecutionStatus(status)), SubmittedTime: &submitted, Error: why},
		}})}
	}
	why := &armcostmanagement.ErrorDetails{Code: to("FailedDestination"), Message: to("The storage account refuses the write.")}
	sc := fresh(fieldDataset, datasetPair).done()
	*sc.find(kindFirstRun) = outlay.Resource{Kind: "x"}
	o := &observer{p: sc.p, s: sc.s, n: sc.n, seen: &sc.seen}
	o.firstRun([]export{ended(sc.n.Export, "Failed", at, why), ended(sc.n.Amortized, "Completed", at.Add(time.Minute), nil)})
	plan, err := sc.changes()
	if err != nil || !strings.Contains(notes(plan, "warn"), "ended as Failed: The storage account refuses the write. Azure tries again") {
		t.Errorf("notes %v (%v)", plan.Notes, err)
	}
	o.health(ended("theirs", "Timeout", at, nil))
	if last := sc.seen.Notes[len(sc.seen.Notes)-1]; last.Text != "The last run of the export theirs ended as Timeout." {
		t.Errorf("note %q", last.Text)
	}
}

// TestContainerKeepsItsMetadata: making a container private again takes nothing from it that somebody noted there.
func TestContainerKeepsItsMetadata(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.up()
	n := w.p.namesOf(w.s, w.a.Identity)
	ses, err := w.p.session(w.a)
	if err != nil {
		t.Fatal(err)
	}
	client, err := ses.containers()
	if err != nil {
		t.Fatal(err)
	}
	noted := metadata(w.p.ourTags(w.s, "op_1"))
	noted["purpose"] = to("audit of 2026")
	if _, err := client.Update(t.Context(), n.Group, n.Account, n.Container, armstorage.BlobContainer{ContainerProperties: &armstorage.ContainerProperties{Metadata: noted}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := w.apply(outlay.Change{Action: outlay.ActionUpdate, Kind: kindContainer, Name: n.Container, To: map[string]string{propPublic: off}}); err != nil {
		t.Fatal(err)
	}
	if tags := w.one("container").Tags; tags["purpose"] != "audit of 2026" || len(tags) != 6 || w.calls("BlobContainers_Update") != 2 {
		t.Errorf("metadata: %v", tags)
	}
}

// TestBlockedDelivery warns of settings that keep deliveries out, and leaves them.
func TestBlockedDelivery(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.up()
	account := w.one("storage-account").Name
	w.SetAccount(account, "publicNetworkAccess", "Disabled")
	w.SetAccount(account, "allowedCopyScope", "AAD")
	plan := w.plan(whole())
	if warned := notes(plan, "warn"); len(todo(plan)) != 0 || !strings.Contains(warned, "network access") || !strings.Contains(warned, "AAD") {
		t.Errorf("to do %v, warned %q", todo(plan), warned)
	}
}

// TestForeign meets things of our names that are not ours: they block, and nothing in them is touched.
func TestForeign(t *testing.T) {
	for _, kind := range []outlay.ResourceKind{kindGroup, kindAccount, kindContainer, kindExport} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t, quotaEnterprise, cloud.Options{})
			ready := w.plan(whole())
			n := w.p.namesOf(w.s, w.a.Identity)
			if kind != kindGroup {
				if err := w.apply(ready.Changes[0]); err != nil {
					t.Fatal(err)
				}
				if err := w.apply(ready.Changes[1]); err != nil {
					t.Fatal(err)
				}
			}
			switch kind {
			case kindGroup:
				w.PlantGroup(testSub, n.Group, "westeurope")
			case kindAccount:
				w.PlantAccount(testSub, n.Group, n.Account, "westeurope")
			case kindContainer:
				if err := w.apply(ready.Changes[2]); err != nil {
					t.Fatal(err)
				}
				w.PlantContainer(n.Account, n.Container)
			case kindExport:
				for _, c := range ready.Changes[2:4] {
					if err := w.apply(c); err != nil {
						t.Fatal(err)
					}
				}
				w.PlantExport(n.Scope, n.Export, typeFocus, "Parquet", n.Account, "theirs")
			}
			before := w.Snapshot()
			if plan := w.plan(whole()); !strings.Contains(plan.Blocked(), "not made by Outlay") {
				t.Errorf("blocked: %q", plan.Blocked())
			}
			for _, c := range ready.Changes {
				if c.Kind != kind {
					continue
				}
				if _, err := w.p.Apply(t.Context(), w.a, w.s, c); outlay.CodeOf(err) != outlay.CodeConflict {
					t.Errorf("applied over it: %v", err)
				}
			}
			if diff := cmp.Diff(before, w.Snapshot()); diff != "" {
				t.Errorf("something was touched:\n%s", diff)
			}
		})
	}
}

// TestForeignInside plants what is not ours in what is: it stays with what is around it, and the rest goes.
func TestForeignInside(t *testing.T) {
	for name, row := range map[string]struct {
		plant func(w *world, group, account string)
		want  []string
	}{
		"a file":      {func(w *world, _, a string) { w.PlantBlob(a, a, "theirs/notes.txt", []byte("x")) }, []string{"delete azure/export"}},
		"a container": {func(w *world, _, a string) { w.PlantContainer(a, "theirs") }, []string{"delete azure/export", "delete azure/container"}},
		"a resource":  {func(w *world, g, _ string) { w.PlantAccount(testSub, g, "theirsaccount", "westeurope") }, []string{"delete azure/export", "delete azure/storage-account"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, quotaEnterprise, cloud.Options{})
			w.up()
			clean := w.down(outlay.DeleteCostFiles)
			row.plant(w, w.one("resource-group").Name, w.one("storage-account").Name)
			plan := w.plan(whole())
			if diff := cmp.Diff(row.want, todo(plan)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			if !strings.Contains(notes(plan, "warn"), "that Outlay did not put there") {
				t.Errorf("notes: %+v", plan.Notes)
			}
			// The plan that was confirmed before: it stops at what came in between.
			if err := w.run(clean); outlay.CodeOf(err) != outlay.CodeConflict {
				t.Errorf("the older plan ended with %v", err)
			}
			found := false
			for _, l := range w.Snapshot() {
				found = found || l.Name == "theirsaccount" || l.Name == "theirs" || l.Blobs["theirs/notes.txt"] != ""
			}
			if !found {
				t.Error("it was deleted")
			}
		})
	}
}

// TestMadeAgain deletes nothing that only looks like ours: the same names and marks, made at another time.
func TestMadeAgain(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.up()
	for i := range w.s.Resources {
		if r := &w.s.Resources[i]; !r.Created.IsZero() {
			r.Created = r.Created.Add(-time.Hour)
			r.IntentAt = r.IntentAt.Add(-time.Hour)
		}
	}
	plan := w.down(outlay.DeleteCostFiles)
	for _, step := range todo(plan) {
		if strings.Contains(step, "storage-account") || strings.Contains(step, "export") || strings.Contains(step, "group") {
			t.Errorf("the plan says %s", step)
		}
	}
}

// TestVersionMeanwhile saves the export under our hand: nothing is overwritten that we have not seen.
func TestVersionMeanwhile(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.up()
	export := w.one("export").ID
	w.SetSchedule(export, "Inactive")
	plan := w.plan(whole())
	w.Fault(cloud.Fault{Match: "Exports_CreateOrUpdate", Kind: cloud.Answer, Status: 412, Code: "PreconditionFailed", Message: "The eTag does not match."})
	if err := w.run(plan); outlay.CodeOf(err) != outlay.CodeConflict || outlay.AsError(err).Outcome != outlay.DefinitelyNot {
		t.Errorf("an older version: %v", err)
	}
	if err := w.run(plan); err != nil {
		t.Errorf("read again: %v", err)
	}
	// A create never replaces what somebody made since the look.
	w2 := newWorld(t, quotaEnterprise, cloud.Options{})
	ready := w2.plan(whole())
	for _, c := range ready.Changes[:4] {
		if err := w2.apply(c); err != nil {
			t.Fatal(err)
		}
	}
	n := w2.p.namesOf(w2.s, w2.a.Identity)
	w2.Fault(cloud.Fault{Match: "Exports_Get", Kind: cloud.Answer, Status: 404, Code: "404", Message: "not found"})
	w2.PlantExport(n.Scope, n.Export, typeFocus, "Parquet", n.Account, "theirs")
	before := w2.Snapshot()
	if err := w2.apply(ready.Changes[4]); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("created over somebody's: %v", err)
	}
	if diff := cmp.Diff(before, w2.Snapshot()); diff != "" {
		t.Errorf("it was replaced:\n%s", diff)
	}
}

package google

import (
	"slices"
	"strings"
	"testing"

	"outlay"
	cloud "outlay/simcloud/google"

	"github.com/google/go-cmp/cmp"
)

// TestUp provisions from nothing, does the person's step, and finds it done.
func TestUp(t *testing.T) {
	w := newWorld(t, cloud.Options{SlowEnable: 3, EnableLag: 0})
	plan := w.up()
	want := []string{"update google/services", "create google/dataset", "update google/dataset-access", "manual google/export-table"}
	if diff := cmp.Diff(want, todo(plan)); diff != "" {
		t.Fatalf("the plan (-want +got):\n%s", diff)
	}
	d, ok := w.live()
	if !ok || d.Location != "US" || d.Labels[labelSource] != "src_1" || d.Labels[labelOperation] != "op_1" {
		t.Fatalf("the dataset: %+v", d)
	}
	if !slices.ContainsFunc(d.Access, func(e map[string]any) bool { return e["role"] == "READER" && e["userByEmail"] == w.email }) || len(d.Access) < 5 {
		t.Errorf("the access list: %v", d.Access)
	}
	if !slices.Contains(w.Services(hosting), servBigQ) {
		t.Error("BigQuery is off")
	}
	again := w.plan(whole())
	if diff := cmp.Diff([]string{"manual google/export-table"}, todo(again)); diff != "" {
		t.Errorf("before the person's step (-want +got):\n%s", diff)
	}
	in := again.Changes[len(again.Changes)-1].Manual
	values := map[string]string{}
	for _, v := range in.Values {
		values[v.Title] = v.Value
	}
	if diff := cmp.Diff(map[string]string{"Billing account": payer, "Export": "Detailed usage cost", "Project": hosting, "Dataset": w.name(), "Location": "US"}, values); diff != "" {
		t.Errorf("what to copy (-want +got):\n%s", diff)
	}
	if in.Link != w.url+"/console/billing/"+payer+"/export" || !strings.Contains(in.Who, "Billing Account Costs Manager") {
		t.Errorf("the instruction: %+v", in)
	}
	w.export(exportDetailed, 0)
	if got := todo(w.plan(whole())); len(got) != 0 {
		t.Errorf("with Google's writer in the access list: %v", got)
	}
	if got := w.deliveries(); len(got) != 0 {
		t.Errorf("before the first data: %v", got)
	}
	w.deliver(1)
	seen := w.observe(outlay.Look{})
	table, ok := seen.Find(kindTable, exportDetailed.table(payer))
	if !ok || table.Properties[propDataset] != w.name() || len(seen.Unknown) > 0 {
		t.Errorf("the table: %+v, unknown: %v", table, seen.Unknown)
	}
	if got := notes(w.plan(outlay.Look{}), "info"); !strings.Contains(got, "still be filling in last month") {
		t.Errorf("notes while Google fills in: %s", got)
	}
}

// TestIdentity binds to the project, names the billing account, and lists its projects.
func TestIdentity(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	seen := w.observe(whole())
	want := outlay.BillingScope{ID: payer, Name: "Northfield", IsPayer: true}
	if seen.Identity.AccountID != hosting || seen.Identity.Principal != w.email || seen.Identity.Scope != want {
		t.Errorf("identity: %+v", seen.Identity)
	}
	var members []string
	for _, m := range seen.Members {
		members = append(members, m.AccountID)
	}
	if diff := cmp.Diff([]string{"nf-genomics", hosting}, members); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	w.a.Identity = seen.Identity
	w.Grant(w.email, "projects/nf-genomics", "resourcemanager.projects.get")
	w.a.Credential.Values[fieldProjectID] = "nf-genomics"
	if _, err := w.p.Observe(t.Context(), w.a, nil, outlay.Look{}); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("another project under a bound account: %v", err)
	}
}

// TestMembersUnreadable says that who shares the bill is not known, and goes on.
func TestMembersUnreadable(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.Revoke(w.email, "billing.resourceAssociations.list", "billing.accounts.get")
	plan := w.plan(whole())
	seen := w.observe(whole())
	if seen.Unknown["members"] == "" || seen.Members != nil {
		t.Errorf("members: %v, unknown: %v", seen.Members, seen.Unknown)
	}
	if plan.Blocked() != "" || !strings.Contains(notes(plan, "info"), "one set-up serves every project") || seen.Identity.Scope.ID != payer {
		t.Errorf("the plan: %+v", plan.Notes)
	}
}

// TestSandbox refuses a project without billing, as the account and as the host, and one that is not active.
func TestSandbox(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.s.Spec.Fields[fieldProject] = sandbox
	for _, permission := range []string{"*"} {
		w.Grant(w.email, "projects/"+sandbox, permission)
	}
	if got := w.plan(whole()).Blocked(); !strings.Contains(got, sandbox) || !strings.Contains(got, "60 days") {
		t.Errorf("a host without billing: %q", got)
	}
	own := newWorld(t, cloud.Options{})
	own.vault["acc_1/"+fieldKeyJSON] = string(own.AddServiceAccount(sandbox, "outlay", "*"))
	own.a.Credential.Values[fieldProjectID] = sandbox
	if got := own.plan(whole()).Blocked(); !strings.Contains(got, sandbox) {
		t.Errorf("an account without billing: %q", got)
	}
	own.SetProject(sandbox, "DELETE_REQUESTED", nil)
	if _, err := own.p.Observe(t.Context(), own.a, nil, outlay.Look{}); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("a project that is being deleted: %v", err)
	}
}

// TestRegion warns of what a single region costs, and freezes the region once a dataset stands.
func TestRegion(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.s.Spec.Region = "europe-west3"
	if got := notes(w.plan(whole()), "warn"); !strings.Contains(got, "no earlier day ever comes") {
		t.Errorf("notes: %s", got)
	}
	w.up()
	w.s.Spec.Region = "US"
	if _, err := w.p.Plan(w.s, w.observe(whole())); outlay.CodeOf(err) != outlay.CodeConflict || outlay.AsError(err).Field != "region" {
		t.Errorf("another region: %v", err)
	}
	w.s.Spec.Region = "mars-north1"
	if _, err := w.p.Plan(w.s, w.observe(whole())); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("no region: %v", err)
	}
	org := newWorld(t, cloud.Options{})
	org.AllowRegions(hosting, "europe-west3")
	org.SetService(hosting, servBigQ, true)
	err := org.run(org.plan(whole()))
	if outlay.CodeOf(err) != outlay.CodeInvalid || outlay.AsError(err).Field != "region" || !strings.Contains(err.Error(), "organization policy") {
		t.Errorf("a region that a policy forbids: %v", err)
	}
}

// TestWrongLocation stops at a dataset that somebody made anew in another place.
func TestWrongLocation(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.up()
	d, _ := w.live()
	w.RemoveDataset(hosting, w.name())
	w.PlantDataset(hosting, w.name(), "EU", d.Labels)
	if got := w.plan(whole()).Blocked(); !strings.Contains(got, "is in EU, not in US") {
		t.Errorf("the plan: %q", got)
	}
}

// TestServiceWakes holds that a service that is still waking up is tried again, not refused.
func TestServiceWakes(t *testing.T) {
	w := newWorld(t, cloud.Options{EnableLag: 1})
	plan := w.plan(whole())
	if err := w.apply(plan.Changes[0]); err != nil {
		t.Fatal(err)
	}
	err := w.apply(plan.Changes[1])
	if e := outlay.AsError(err); err == nil || e.Code != outlay.CodeUnavailable || e.Outcome != outlay.DefinitelyNot || !strings.Contains(e.Message, servBigQ) {
		t.Fatalf("a service that wakes up: %v", err)
	}
	if err := w.apply(plan.Changes[1]); err != nil {
		t.Error(err)
	}
	if err := w.apply(plan.Changes[0]); err != nil { // again: nothing is off, nothing is asked for
		t.Error(err)
	}
	if n := w.calls("serviceusage.services.batchEnable"); n != 1 {
		t.Errorf("services were turned on %d times", n)
	}
}

// TestWrongExport tells a person who turned on something else what it was, and keeps waiting.
func TestWrongExport(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.up()
	w.export(exportStandard, 1)
	plan := w.plan(whole())
	if got := notes(plan, "warn"); !strings.Contains(got, "receives the Standard usage cost export, but Detailed usage cost was asked for") {
		t.Errorf("notes: %s", got)
	}
	if diff := cmp.Diff([]string{"manual google/export-table"}, todo(plan)); diff != "" {
		t.Errorf("the plan (-want +got):\n%s", diff)
	}
	w.export(exportDetailed, 1)
	if plan = w.plan(whole()); notes(plan, "warn") != "" || len(todo(plan)) != 0 {
		t.Errorf("with both of them: %s, %v", notes(plan, "warn"), todo(plan))
	}
	other := newWorld(t, cloud.Options{})
	other.up()
	if err := other.Export(another, string(exportDetailed), hosting, other.name()); err != nil {
		t.Fatal(err)
	}
	other.deliver(1)
	plan = other.plan(whole())
	if got := notes(plan, "warn"); !strings.Contains(got, another) || !slices.Contains(todo(plan), "manual google/export-table") {
		t.Errorf("the export of another billing account: %s, %v", got, todo(plan))
	}
}

// TestEtagRace merges the access list though somebody else writes it at the same moment, and keeps their entry.
func TestEtagRace(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	plan := w.plan(whole())
	for _, c := range plan.Changes[:2] {
		if err := w.apply(c); err != nil {
			t.Fatal(err)
		}
	}
	w.export(exportDetailed, 0) // Google's writer comes into the list
	w.Fault(cloud.Fault{Match: "bigquery.datasets.patch", Kind: cloud.Answer, Status: 412, Code: "conditionNotMet", Message: "Precondition check failed."})
	if err := w.apply(plan.Changes[2]); err != nil {
		t.Fatal(err)
	}
	d, _ := w.live()
	has := func(email string) bool {
		return slices.ContainsFunc(d.Access, func(e map[string]any) bool {
			return e["userByEmail"] == email && (email == writer || e["role"] == "READER")
		})
	}
	if !has(writer) || !has(w.email) || w.calls("bigquery.datasets.patch") != 2 {
		t.Errorf("the access list after a race: %v", d.Access)
	}
}

// TestForeignDataset leaves a dataset of our name alone that does not bear our marks.
func TestForeignDataset(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.SetService(hosting, servBigQ, true)
	w.observe(whole())
	w.PlantDataset(hosting, w.name(), "US", nil)
	before := w.Live()
	if got := w.plan(whole()).Blocked(); !strings.Contains(got, "was not made by Outlay") {
		t.Errorf("the plan: %q", got)
	}
	for _, c := range []outlay.Change{{Action: outlay.ActionCreate, Kind: kindDataset}, {Action: outlay.ActionUpdate, Kind: kindAccess}, {Action: outlay.ActionUpdate, Kind: kindDataset}} {
		c.Name = w.name()
		if err := w.apply(c); outlay.CodeOf(err) != outlay.CodeConflict {
			t.Errorf("%s %s: %v", c.Action, c.Kind, err)
		}
	}
	w.s.Spec, w.s.CostFiles = nil, outlay.DeleteCostFiles
	for _, kind := range []outlay.ResourceKind{kindTables, kindDataset} {
		if err := w.apply(outlay.Change{Action: outlay.ActionDelete, Kind: kind, Name: w.name()}); outlay.CodeOf(err) != outlay.CodeConflict {
			t.Errorf("delete %s: %v", kind, err)
		}
	}
	if diff := cmp.Diff(before, w.Live()); diff != "" {
		t.Errorf("something was touched:\n%s", diff)
	}
}

// TestExpiration takes away a default expiration that somebody set, by which rows would vanish.
func TestExpiration(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.up()
	patchExpiration(t, w)
	plan := w.plan(whole())
	if !slices.Contains(todo(plan), "update google/dataset") {
		t.Fatalf("the plan: %v", todo(plan))
	}
	if err := w.run(plan); err != nil {
		t.Fatal(err)
	}
	if got := todo(w.plan(whole())); slices.Contains(got, "update google/dataset") {
		t.Errorf("after the repair: %v", got)
	}
}

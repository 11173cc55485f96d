package control_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/control"
	"outlay/detect"
	"outlay/outlaytest"
)

// looking makes the house's worker do the looks, too.
func (h *house) looking(t *testing.T) *detect.Detector {
	t.Helper()
	d := detect.New(detect.Options{Store: h.store, Providers: map[outlay.ProviderName]outlay.Provider{"nimbus": h.nimbus}, Clock: h.clock})
	d.Register(h.worker)
	return d
}

func (h *house) detail(t *testing.T, name string) control.AccountDetail {
	t.Helper()
	d, err := h.Account(t.Context(), h.admin, name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// provisioned runs a provisioning to its end.
func (h *house) provisioned(t *testing.T, name string) control.RunView {
	t.Helper()
	run, err := h.Provision(t.Context(), h.admin, control.ProvisionRequest{AccountID: name, Spec: spec()})
	if err != nil {
		t.Fatal(err)
	}
	h.work(t)
	return h.run(t, run.ID)
}

func (h *house) run(t *testing.T, id string) control.RunView {
	t.Helper()
	v, err := h.Run(t.Context(), h.admin, id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// audited tells whether the audit log has an entry with all the words.
func (h *house) audited(t *testing.T, words ...string) bool {
	t.Helper()
	entries, err := h.Audit(t.Context(), h.admin, 0)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(entries, func(e outlay.Entry) bool {
		text := e.Action + " " + e.Object + " " + e.Result + " " + e.Detail
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	})
}

// TestWaitingForAPerson: the run says what to do, with every value; it goes on when the hourly look, or a person, finds
// it done; after a day it is said again.
func TestWaitingForAPerson(t *testing.T) {
	for name, done := range map[string]func(*house, string) error{
		"the hourly look": func(h *house, _ string) error { h.clock.Add(time.Hour); return nil },
		"check now":       func(h *house, _ string) error { return h.CheckNow(t.Context(), h.admin, "prod") },
		"try again":       func(h *house, run string) error { _, err := h.Resume(t.Context(), h.admin, run); return err },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, nil)
			h.looking(t)
			h.nimbus.ByHand = true
			h.account(t, "prod", "t-1")
			run := h.provisioned(t, "prod")
			p := run.Problem
			if run.Status != outlay.OpWaiting || p == nil || p.Manual == nil || !strings.HasPrefix(p.Message, "Waiting for you: ") || len(p.Manual.Values) != 1 || p.Manual.Link == "" {
				t.Fatalf("the run is %s: %+v", run.Status, p)
			}
			if d := h.detail(t, "prod"); d.Status.Status != outlay.Unprovisioned || !strings.Contains(d.Status.Reason, "Waiting for you: ") || strings.Contains(d.Status.Reason, "Reminder") {
				t.Errorf("%s: %q", d.Status.Status, d.Status.Reason)
			}
			h.clock.Add(25 * time.Hour)
			h.work(t)
			if run = h.run(t, run.ID); !strings.Contains(run.Reminder, "since 10:00 UTC, 22 Nov 2026") {
				t.Errorf("the reminder of the run is %q", run.Reminder)
			}
			if d := h.detail(t, "prod"); !strings.Contains(d.Status.Reason, "Reminder: this has waited since 10:00 UTC, 22 Nov 2026") {
				t.Errorf("the reminder of the account is in %q", d.Status.Reason)
			}
			h.nimbus.Linked = true
			if err := done(h, run.ID); err != nil {
				t.Fatal(err)
			}
			h.work(t)
			if run = h.run(t, run.ID); run.Status != outlay.OpDone || run.Reminder != "" {
				t.Errorf("the run is %s, %+v", run.Status, run.Problem)
			}
		})
	}
}

// TestLookResumes: the look itself has the run go on, before the run's own hour has come.
func TestLookResumes(t *testing.T) {
	h := newHouse(t, nil)
	h.looking(t)
	h.nimbus.ByHand = true
	acc := h.account(t, "prod", "t-1")
	run := h.provisioned(t, "prod")
	h.nimbus.Linked = true
	err := h.store.ForOrg(t.Context(), h.admin.OrgID, func(tx outlay.Tx) error {
		return tx.PutTask(t.Context(), outlay.Task{OrgID: h.admin.OrgID, Kind: "look", Subject: acc.ID, NextAt: h.clock.Now(), Every: time.Hour})
	})
	if err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if run = h.run(t, run.ID); run.Status != outlay.OpDone {
		t.Errorf("the run is %s, next at %s", run.Status, run.NextAt)
	}
}

// TestDeprovisionByHand: what only a person can do is said, and the removal does not wait for it. An undo of the waiting
// run works the same way.
func TestDeprovisionByHand(t *testing.T) {
	for _, undo := range []bool{false, true} {
		h := newHouse(t, nil)
		ctx := t.Context()
		h.nimbus.ByHand = true
		h.account(t, "prod", "t-1")
		run := h.provisioned(t, "prod")
		var err error
		if undo {
			run, err = h.Undo(ctx, h.admin, run.ID)
		} else {
			run, err = h.Deprovision(ctx, h.admin, control.DeprovisionRequest{AccountID: "prod", CostFiles: outlay.DeleteCostFiles, Confirm: "prod"})
		}
		if err != nil {
			t.Fatal(err)
		}
		h.work(t)
		run = h.run(t, run.ID)
		if run.Status != outlay.OpDone || len(h.nimbus.Exists) != 0 || len(run.ByHand) != 1 || run.ByHand[0].Detail == "" {
			t.Errorf("undo %t: %s, %+v, left %v, by hand %+v", undo, run.Status, run.Problem, h.nimbus.Exists, run.ByHand)
		}
		if d := h.detail(t, "prod"); d.SetUpHere || len(d.Resources) != 0 && d.Resources[0].State != outlay.StateDeleted {
			t.Errorf("undo %t: set up %t, resources %+v", undo, d.SetUpHere, d.Resources)
		}
	}
}

// TestImportExport: an existing export is read and never touched, from list to the end of it.
func TestImportExport(t *testing.T) {
	h := newHouse(t, nil)
	h.looking(t)
	ctx := t.Context()
	broken := outlay.Existing{ID: "nimbus:old", Name: "old", Title: "Feed", Fields: map[string]string{"feed": "old"}, Why: "It has no costs in it. Choose another."}
	h.nimbus.Exports = []outlay.Existing{{ID: "nimbus:theirs", Name: "theirs", Title: "Feed", Fields: map[string]string{"feed": "theirs"}}, broken}
	h.account(t, "prod", "t-1")
	h.account(t, "other", "t-2")
	all, err := h.ListExisting(ctx, h.admin, "prod", map[string]string{"archive": "deep"})
	if err != nil || len(all) != 2 || !all[0].Importable() || all[1].Importable() {
		t.Fatalf("%+v, %v", all, err)
	}
	if d := cmp.Diff(map[string]string{"archive": "deep"}, h.nimbus.Asked); d != "" {
		t.Error(d)
	}
	_, err = h.ListExisting(ctx, h.admin, "prod", map[string]string{"colour": "red"})
	wantCode(t, err, outlay.CodeInvalid)
	for id, code := range map[string]outlay.Code{"nimbus:old": outlay.CodeConflict, "nimbus:none": outlay.CodeNotFound} {
		_, err = h.ImportExport(ctx, h.admin, control.ImportExportRequest{AccountID: "prod", ExistingID: id})
		wantCode(t, err, code)
	}
	src, err := h.ImportExport(ctx, h.admin, control.ImportExportRequest{AccountID: "prod", ExistingID: "nimbus:theirs"})
	if err != nil || src.Name != "theirs" || src.Origin != outlay.OriginImported {
		t.Fatalf("%+v, %v", src, err)
	}
	_, err = h.ImportExport(ctx, h.admin, control.ImportExportRequest{AccountID: "prod", ExistingID: "nimbus:theirs"})
	wantCode(t, err, outlay.CodeConflict)
	h.work(t)
	d := h.detail(t, "prod")
	if !d.SetUpHere || d.Created || !d.CanProvision || d.CanDeprovision || len(d.Imports) != 1 || len(d.Read) != 1 || len(d.Resources) != 0 {
		t.Errorf("the account: %+v", d)
	}
	if !h.audited(t, "billing:provision", "account prod", "nimbus:theirs") {
		t.Error("the import is not in the audit log")
	}
	wantCode(t, h.RemoveAccount(ctx, h.admin, "prod"), outlay.CodeConflict)
	_, err = h.PlanDeprovision(ctx, h.admin, "prod")
	if e := outlay.AsError(err); e == nil || !strings.Contains(e.Fix, "outlay billing stop-reading theirs") {
		t.Errorf("deprovisioning an import: %+v", e)
	}
	stopReading(t, h, src)
}

func stopReading(t *testing.T, h *house, src control.SourceView) {
	t.Helper()
	ctx := t.Context()
	v, err := h.PlanStopReading(ctx, h.admin, "theirs")
	if err != nil || !strings.Contains(v.Text, "the export stays") || !slices.Equal(v.Losing, []string{"prod"}) {
		t.Errorf("%+v, %v", v, err)
	}
	wantCode(t, h.StopReading(ctx, h.admin, control.StopReadingRequest{SourceID: src.ID, Confirm: "prod"}), outlay.CodeInvalid)
	before := len(h.nimbus.Calls)
	if err := h.StopReading(ctx, h.admin, control.StopReadingRequest{SourceID: "theirs", Confirm: "theirs"}); err != nil {
		t.Fatal(err)
	}
	if made := h.nimbus.Calls[before:]; len(made) != 0 {
		t.Errorf("stopping made calls: %v", made)
	}
	if slices.ContainsFunc(h.nimbus.Calls, func(c string) bool { return strings.HasPrefix(c, "apply") }) {
		t.Errorf("an import was changed: %v", h.nimbus.Calls)
	}
	wantCode(t, h.StopReading(ctx, h.admin, control.StopReadingRequest{SourceID: src.ID, Confirm: "theirs"}), outlay.CodeConflict)
	if err := h.RemoveAccount(ctx, h.admin, "prod"); err != nil {
		t.Error(err)
	}
}

// TestSeveralImports: other exports of one account may be read beside the first, and a set-up beside them; another
// account of the same scope need not.
func TestSeveralImports(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	feed := func(name string) outlay.Existing {
		return outlay.Existing{ID: "nimbus:" + name, Name: name, Fields: map[string]string{"feed": name}, Scope: outlay.BillingScope{ID: h.nimbus.Scope, IsPayer: true}}
	}
	h.nimbus.Exports = []outlay.Existing{feed("one"), feed("two"), feed("prod")}
	h.account(t, "prod", "t-1")
	h.account(t, "other", "t-2")
	for _, name := range []string{"one", "two"} {
		if _, err := h.ImportExport(ctx, h.admin, control.ImportExportRequest{AccountID: "prod", ExistingID: "nimbus:" + name}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := h.ImportExport(ctx, h.admin, control.ImportExportRequest{AccountID: "other", ExistingID: "nimbus:prod"})
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeConflict || !strings.Contains(e.Message, "already set up through prod") {
		t.Errorf("%+v", e)
	}
	plan, err := h.Plan(ctx, h.admin, control.PlanRequest{AccountID: "prod", Spec: spec()})
	if err != nil || plan.Blocked != "" || len(plan.Notes) != 2 || !strings.Contains(plan.Notes[0].Text, "nothing is added twice") {
		t.Errorf("%q, %+v, %v", plan.Blocked, plan.Notes, err)
	}
	if run := h.provisioned(t, "prod"); run.Status != outlay.OpDone {
		t.Errorf("the run is %s, %+v", run.Status, run.Problem)
	}
	src, err := h.ImportExport(ctx, h.admin, control.ImportExportRequest{AccountID: "prod", ExistingID: "nimbus:prod"})
	if err != nil || src.Name != "prod-prod" { // the set-up has the account's name already
		t.Errorf("%q, %v", src.Name, err)
	}
	v, err := h.PlanDeprovision(ctx, h.admin, "prod")
	if err != nil || v.Only || !strings.Contains(v.Text, "is still read") {
		t.Errorf("%+v, %v", v.Text, err)
	}
}

// TestAbandon: nothing is called, everything is listed by name, and the account can go afterwards.
func TestAbandon(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	h.account(t, "prod", "t-1")
	_, err := h.PlanAbandon(ctx, h.admin, "prod")
	wantCode(t, err, outlay.CodeConflict)
	h.nimbus.ByHand = true // the run waits: it is ended by it
	run := h.provisioned(t, "prod")
	err = h.RemoveAccount(ctx, h.admin, "prod")
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeConflict || !strings.Contains(e.Fix, "outlay billing deprovision prod") || !strings.Contains(e.Fix, "outlay billing abandon prod") {
		t.Errorf("removing the owner: %+v", e)
	}
	before, standing := len(h.nimbus.Calls), len(h.nimbus.Exists)
	v, err := h.PlanAbandon(ctx, h.admin, "prod")
	if err != nil || len(v.Behind) != 2 || v.Run != run.ID {
		t.Fatalf("%+v, %v", v, err)
	}
	_, err = h.Abandon(ctx, h.admin, control.AbandonRequest{AccountID: "prod", Confirm: "other"})
	wantCode(t, err, outlay.CodeInvalid)
	got, err := h.Abandon(ctx, h.admin, control.AbandonRequest{AccountID: "prod", Confirm: "prod"})
	if err != nil || len(got.Behind) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if len(h.nimbus.Calls) != before || len(h.nimbus.Exists) != standing {
		t.Errorf("calls %v, exists %v", h.nimbus.Calls[before:], h.nimbus.Exists)
	}
	for _, r := range h.detail(t, "prod").Resources {
		if r.State != outlay.StateAbandoned {
			t.Errorf("%s is %s", r.Name, r.State)
		}
	}
	if run = h.run(t, run.ID); run.Status != outlay.OpFailed || run.Problem.Manual != nil {
		t.Errorf("the run is %s, %+v", run.Status, run.Problem)
	}
	if !h.audited(t, "billing:deprovision", "account prod", "nimbus/vault "+got.Behind[1].Name, "nimbus/feed "+got.Behind[0].Name) {
		t.Error("what stays behind is not in the audit log")
	}
	h.nimbus.ByHand = false
	if run := h.provisioned(t, "prod"); run.Status != outlay.OpDone || len(h.nimbus.Exists) != 4 {
		t.Errorf("a new set-up: %s, %d things", run.Status, len(h.nimbus.Exists))
	}
	if _, err = h.Abandon(ctx, h.admin, control.AbandonRequest{AccountID: "prod", Confirm: "prod"}); err != nil {
		t.Fatal(err)
	}
	if err := h.RemoveAccount(ctx, h.admin, "prod"); err != nil {
		t.Error(err)
	}
}

// TestDriftAndRepair: what was changed and what is gone is shown setting by setting, and the shown plan repairs it.
func TestDriftAndRepair(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	h.account(t, "prod", "t-1")
	h.provisioned(t, "prod")
	v, err := h.Drift(ctx, h.admin, "prod")
	if err != nil || len(v.Lines) != 0 || v.Hash != "" {
		t.Fatalf("%+v, %v", v, err)
	}
	for key, r := range h.nimbus.Exists {
		if r.Kind == "nimbus/feed" {
			delete(h.nimbus.Exists, key)
			continue
		}
		r.Properties = map[string]string{"lock": "off"}
		h.nimbus.Exists[key] = r
	}
	h.clock.Add(time.Hour) // what was seen for a form is not taken for the truth
	v, err = h.Drift(ctx, h.admin, "prod")
	if err != nil || len(v.Lines) != 2 || v.Hash == "" {
		t.Fatalf("%+v, %v", v, err)
	}
	if d := cmp.Diff([]control.DriftField{{Name: "lock", Is: "off", Want: "on"}}, v.Lines[0].Fields); d != "" || v.Lines[0].State != "changed" || v.Lines[1].State != "missing" {
		t.Errorf("%s, %s: %s", v.Lines[0].State, v.Lines[1].State, d)
	}
	_, err = h.Repair(ctx, h.admin, "prod", "another plan", "")
	wantCode(t, err, outlay.CodeConflict)
	run, err := h.Repair(ctx, h.admin, "prod", v.Hash, "k")
	if err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if run = h.run(t, run.ID); run.Status != outlay.OpDone || len(h.nimbus.Exists) != 2 {
		t.Errorf("the repair is %s, %+v; exists %v", run.Status, run.Problem, h.nimbus.Exists)
	}
	if v, err = h.Drift(ctx, h.admin, "prod"); err != nil || len(v.Lines) != 0 {
		t.Errorf("after the repair: %+v, %v", v.Lines, err)
	}
}

// TestImportDrift: an imported export that is gone is shown, and nothing offers to repair it.
func TestImportDrift(t *testing.T) {
	h := newHouse(t, nil)
	h.looking(t)
	ctx := t.Context()
	h.nimbus.Exports = []outlay.Existing{{ID: "nimbus:theirs", Name: "theirs", Fields: map[string]string{"feed": "theirs"}}}
	h.account(t, "prod", "t-1")
	if _, err := h.ImportExport(ctx, h.admin, control.ImportExportRequest{AccountID: "prod", ExistingID: "nimbus:theirs"}); err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if v, err := h.Drift(ctx, h.admin, "prod"); err != nil || len(v.Lines) != 0 {
		t.Errorf("%+v, %v", v, err)
	}
	h.nimbus.Exports = nil
	h.clock.Add(time.Hour)
	h.work(t)
	if d := h.detail(t, "prod"); d.Read[0].State == outlay.StateMissing {
		t.Error("one look was enough")
	}
	h.clock.Add(time.Hour)
	h.work(t)
	d := h.detail(t, "prod")
	if d.Read[0].State != outlay.StateMissing || !d.Drifted || !strings.Contains(d.Status.Reason, "theirs is gone. It was set up by somebody else") {
		t.Errorf("%s, %q", d.Read[0].State, d.Status.Reason)
	}
	v, err := h.Drift(ctx, h.admin, "prod")
	if err != nil || len(v.Lines) != 1 || v.Lines[0].State != "missing" || v.Hash != "" || v.Why == "" {
		t.Errorf("%+v, %v", v, err)
	}
	_, err = h.Repair(ctx, h.admin, "prod", "", "")
	wantCode(t, err, outlay.CodeConflict)
}

// TestSetUpBesideImports: the account speaks of what it set up and of what it reads, and of what the looks had to say.
func TestSetUpBesideImports(t *testing.T) {
	h := newHouse(t, nil)
	h.looking(t)
	ctx := t.Context()
	h.nimbus.Exports = []outlay.Existing{outlaytest.Feed("one"), outlaytest.Feed("two")}
	h.nimbus.ImportNotes = []outlay.Note{{Level: "info", Text: "It has no tags."}}
	h.account(t, "prod", "t-1")
	ids := map[string]string{}
	for _, name := range []string{"one", "two"} {
		src, err := h.ImportExport(ctx, h.admin, control.ImportExportRequest{AccountID: "prod", ExistingID: "nimbus:" + name})
		if err != nil {
			t.Fatal(err)
		}
		ids[src.ID] = name
		h.clock.Add(time.Minute) // the older one comes first
	}
	h.work(t)
	line := func() outlay.Axis {
		axes := h.detail(t, "prod").Status.Axes
		return axes[slices.IndexFunc(axes, func(x outlay.Axis) bool { return x.Name == "infrastructure" })]
	}
	if got := line(); got.State != outlay.AxisGood || strings.Contains(got.Reason, "one") || !strings.HasSuffix(got.Reason, "The existing export two is read, too.") {
		t.Errorf("two imports: %s, %q", got.State, got.Reason)
	}
	h.provisioned(t, "prod")
	h.clock.Add(time.Hour)
	h.work(t)
	want := "2 resources, all as planned. The existing export one is read, too. The existing export two is read, too."
	if got := line(); got.State != outlay.AxisGood || got.Reason != want {
		t.Errorf("a set-up and two imports: %s, %q", got.State, got.Reason)
	}
	notes := h.detail(t, "prod").Status.Notes
	if len(notes) != 2 || ids[notes[0].SourceID] != "one" || ids[notes[1].SourceID] != "two" || notes[0].Text != "It has no tags." {
		t.Errorf("notes %+v", notes)
	}
	h.nimbus.Exports = h.nimbus.Exports[:1]
	for range 2 {
		h.clock.Add(time.Hour)
		h.work(t)
	}
	if got := line(); got.State != outlay.AxisBad || !strings.Contains(got.Reason, "2 resources, all as planned. The existing export one is read, too. The existing export two is read, too: the feed does not exist any more. Outlay does not repair it.") {
		t.Errorf("an import that is gone: %s, %q", got.State, got.Reason)
	}
	v, err := h.Drift(ctx, h.admin, "prod")
	if err != nil || len(v.Lines) != 1 || v.Lines[0].Title != "two" || v.Hash != "" || v.Why == "" {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestRotationProvesIdentity: a credential of another account, or one that cannot sign in, does not replace the old one.
func TestRotationProvesIdentity(t *testing.T) {
	h := newHouse(t, nil)
	h.looking(t)
	ctx := t.Context()
	h.account(t, "prod", "t-1")
	h.work(t)
	rotate := func(tenant string) error {
		_, err := h.RotateCredential(ctx, h.admin, "prod", control.RotateRequest{Kind: "key", Values: map[string]string{"tenant": tenant}, Secrets: map[string]outlay.Secret{"key": outlay.NewSecret("k")}})
		return err
	}
	stays := func(why string) {
		t.Helper()
		if d := h.detail(t, "prod"); d.CredentialKind != "trust" || d.CredentialValues["tenant"] != "t-1" {
			t.Errorf("%s: the credential is %s %v", why, d.CredentialKind, d.CredentialValues)
		}
	}
	wantCode(t, rotate("t-2"), outlay.CodeConflict)
	stays("another account")
	h.nimbus.Scopes = map[string]string{"t-1": "scope-9"}
	wantCode(t, rotate("t-1"), outlay.CodeConflict)
	stays("another scope")
	h.nimbus.Scopes, h.nimbus.Refuse = nil, outlay.Errorf(outlay.CodeForbidden, "", "the key is not known")
	wantCode(t, rotate("t-1"), outlay.CodeForbidden)
	stays("no sign-in")
	if !h.audited(t, "accounts:write", "forbidden", "a new credential was refused") {
		t.Error("the refusal is not in the audit log")
	}
	h.nimbus.Refuse = nil
	if err := rotate("t-1"); err != nil {
		t.Fatal(err)
	}
	if d := h.detail(t, "prod"); d.CredentialKind != "key" || d.Identifier != "t-1" {
		t.Errorf("%s, %s", d.CredentialKind, d.Identifier)
	}
}

// TestTwoPayers: each account follows the source of its own scope; nobody speaks for the other.
func TestTwoPayers(t *testing.T) {
	h := newHouse(t, nil)
	h.looking(t)
	ctx := t.Context()
	h.nimbus.Scopes = map[string]string{"t-1": "scope-1", "t-2": "scope-1", "t-8": "scope-2", "t-9": "scope-2"}
	h.nimbus.Members = map[string][]outlay.Member{"scope-1": {{AccountID: "t-1"}, {AccountID: "t-2"}}, "scope-2": {{AccountID: "t-8"}, {AccountID: "t-9"}}}
	for name, tenant := range map[string]string{"east": "t-1", "east-dev": "t-2", "west": "t-8", "west-dev": "t-9"} {
		h.account(t, name, tenant)
	}
	h.work(t)
	plan, err := h.Plan(ctx, h.admin, control.PlanRequest{AccountID: "east", Spec: spec()})
	if err != nil || !strings.Contains(plan.Intro, "once for the billing scope scope-1. The other Nimbus account picks") {
		t.Errorf("%q, %v", plan.Intro, err)
	}
	h.provisioned(t, "east")
	if run := h.provisioned(t, "west"); run.Status != outlay.OpDone {
		t.Fatalf("the second payer: %s, %+v", run.Status, run.Problem)
	}
	h.clock.Add(time.Hour)
	h.work(t)
	for name, owner := range map[string]string{"east-dev": "east", "west-dev": "west", "east": "", "west": ""} {
		if d := h.detail(t, name); d.FollowsName != owner || owner != "" && d.Status.Basis != outlay.CoveredByMembership {
			t.Errorf("%s follows %q by %q, want %q", name, d.FollowsName, d.Status.Basis, owner)
		}
	}
	v, err := h.PlanDeprovision(ctx, h.admin, "west")
	if err != nil || v.Only || !slices.Equal(v.Losing, []string{"west", "west-dev"}) || !strings.Contains(v.Text, "east is also set up") {
		t.Errorf("%v, %q, %v", v.Losing, v.Text, err)
	}
}

// TestByTheRule: where nobody can say who is invoiced together, the seed's rule holds, and is said to be no more than
// that. An account that is known to be invoiced otherwise does not follow by it.
func TestByTheRule(t *testing.T) {
	h := newHouse(t, nil)
	h.looking(t)
	h.nimbus.UnknownMembers = true
	h.nimbus.Scopes = map[string]string{"t-2": "", "t-3": "scope-3", "t-4": "tenants/t-4"}
	for name, tenant := range map[string]string{"prod": "t-1", "dev": "t-2", "elsewhere": "t-3", "itself": "t-4"} {
		h.account(t, name, tenant)
	}
	h.work(t)
	h.provisioned(t, "prod")
	h.clock.Add(time.Hour)
	h.work(t)
	h.clock.Add(time.Hour)
	h.work(t)
	for _, name := range []string{"dev", "itself"} {
		d := h.detail(t, name)
		if d.FollowsName != "prod" || d.Status.Basis != outlay.CoveredByRule || !strings.Contains(d.Status.Reason, "by the rule that one set-up serves every Nimbus account") {
			t.Errorf("%s follows %q by %q: %q", name, d.FollowsName, d.Status.Basis, d.Status.Reason)
		}
	}
	if d := h.detail(t, "elsewhere"); d.FollowsName != "" {
		t.Errorf("an account of another payer follows %s", d.FollowsName)
	}
	h.nimbus.UnknownMembers = false
	h.nimbus.Members = map[string][]outlay.Member{"scope-1": {{AccountID: "t-1"}}}
	h.clock.Add(time.Hour)
	h.work(t)
	h.clock.Add(time.Hour)
	h.work(t)
	if d := h.detail(t, "dev"); d.FollowsName != "" {
		t.Errorf("the members were read, and dev is none of them, but it follows %s by %q", d.FollowsName, d.Status.Basis)
	}
}

// TestReading: what a look's reading cost is added up and priced exactly.
func TestReading(t *testing.T) {
	h := newHouse(t, nil)
	h.looking(t)
	h.account(t, "prod", "t-1")
	h.provisioned(t, "prod")
	for range 2 {
		h.clock.Add(time.Hour)
		h.work(t)
	}
	all, err := h.Sources(t.Context(), h.admin)
	if err != nil || len(all) != 1 || all[0].Reading == nil {
		t.Fatalf("%+v, %v", all, err)
	}
	r := *all[0].Reading
	want := "Reading cost this month: 3 queries, 3.0 GiB billed, about $0.02"
	if r.Text != want || r.Cost.String() != "0.018310546875" {
		t.Errorf("%q, %s; want %q", r.Text, r.Cost, want)
	}
	if d := h.detail(t, "prod"); d.Reading == nil || d.Reading.Text != want {
		t.Errorf("the account says %+v", d.Reading)
	}
}

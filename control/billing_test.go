package control_test

import (
	"strings"
	"testing"

	"outlay"
	"outlay/control"
)

func spec() outlay.Spec { return outlay.Spec{Region: "north-1"} }

// TestProvisionStory walks plan, run, second account, deprovision and provision again, with the sentences of the seed.
func TestProvisionStory(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	prod, other := h.account(t, "prod", "t-1"), h.account(t, "research", "t-2")
	h.bind(t, other.ID)
	plan, err := h.Plan(ctx, h.admin, control.PlanRequest{AccountID: prod.ID, Spec: spec()})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Changes) != 2 || plan.Blocked != "" || !strings.Contains(plan.Intro, "The other Nimbus account picks up the data by itself") {
		t.Fatalf("plan %+v", plan)
	}
	if len(h.nimbus.Exists) != 0 {
		t.Fatal("a plan made something")
	}
	run, err := h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: prod.ID, Spec: spec(), PlanHash: plan.Hash, IdemKey: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: prod.ID, Spec: spec(), PlanHash: plan.Hash, IdemKey: "k1"})
	if err != nil || again.ID != run.ID {
		t.Errorf("the same key twice: run %s then %s, %v", run.ID, again.ID, err)
	}
	_, err = h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: other.ID, Spec: spec(), IdemKey: "k1"})
	wantCode(t, err, outlay.CodeInvalid)
	_, err = h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: other.ID, Spec: spec()})
	wantCode(t, err, outlay.CodeConflict)
	h.work(t)
	if run, err = h.Run(ctx, h.admin, run.ID); err != nil || run.Status != outlay.OpDone {
		t.Fatalf("the run is %s, %v, %+v", run.Status, err, run.Problem)
	}
	if len(h.nimbus.Exists) != 2 || run.After == "" {
		t.Errorf("exists %v, after %q", h.nimbus.Exists, run.After)
	}
	deprovisionStory(t, h, prod)
}

// bind records what a look finds: who invoices the account.
func (h *house) bind(t *testing.T, id string) {
	t.Helper()
	err := h.store.ForOrg(t.Context(), h.admin.OrgID, func(tx outlay.Tx) error {
		acc, err := tx.Account(t.Context(), id)
		if err != nil {
			return err
		}
		acc.Identity = outlay.Identity{AccountID: acc.Credential.Values["tenant"], Scope: outlay.BillingScope{ID: h.nimbus.Scope}}
		return tx.PutAccount(t.Context(), acc)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func deprovisionStory(t *testing.T, h *house, prod control.AccountView) {
	t.Helper()
	ctx := t.Context()
	v, err := h.PlanDeprovision(ctx, h.admin, "prod")
	if err != nil {
		t.Fatal(err)
	}
	if v.Heading != "Both Nimbus accounts will stop getting cost data" || !strings.Contains(v.Text, "prod is the only Nimbus account here with billing set up. research reads its costs through it.") {
		t.Errorf("%q: %q", v.Heading, v.Text)
	}
	if len(v.Delete) != 2 || len(v.Keep) != 2 {
		t.Errorf("delete %d, keep %d changes", len(v.Delete), len(v.Keep))
	}
	_, err = h.Deprovision(ctx, h.admin, control.DeprovisionRequest{AccountID: "prod", Confirm: "prod"})
	wantCode(t, err, outlay.CodeInvalid)
	_, err = h.Deprovision(ctx, h.admin, control.DeprovisionRequest{AccountID: "prod", CostFiles: outlay.DeleteCostFiles, Confirm: "research"})
	wantCode(t, err, outlay.CodeInvalid)
	wantCode(t, h.RemoveAccount(ctx, h.admin, prod.ID), outlay.CodeConflict)
	run, err := h.Deprovision(ctx, h.admin, control.DeprovisionRequest{AccountID: "prod", CostFiles: outlay.DeleteCostFiles, Confirm: "prod"})
	if err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if run, err = h.Run(ctx, h.admin, run.ID); err != nil || run.Status != outlay.OpDone || len(h.nimbus.Exists) != 0 {
		t.Fatalf("the run is %s, %v, %+v; left: %v", run.Status, err, run.Problem, h.nimbus.Exists)
	}
	_, err = h.PlanDeprovision(ctx, h.admin, "prod")
	wantCode(t, err, outlay.CodeConflict)
	if d, err := h.Account(ctx, h.admin, "prod"); err != nil || d.CanDeprovision || !d.CanProvision {
		t.Errorf("after deprovisioning: may deprovision %t, may provision %t, %v", d.CanDeprovision, d.CanProvision, err)
	}
	if _, err := h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: "prod", Spec: spec()}); err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if len(h.nimbus.Exists) != 2 {
		t.Errorf("provisioning again made %d things, want 2", len(h.nimbus.Exists))
	}
}

// TestDoubleClick: the same request without a key, while its run is under way, is that run; another one is refused.
func TestDoubleClick(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	h.account(t, "prod", "t-1")
	first, err := h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: "prod", Spec: spec()})
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: "prod", Spec: spec()})
	if err != nil || again.ID != first.ID {
		t.Errorf("%s then %s, %v", first.ID, again.ID, err)
	}
	_, err = h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: "prod", Spec: outlay.Spec{Region: "south-1"}})
	wantCode(t, err, outlay.CodeConflict)
	h.work(t)
	if again, err = h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: "prod", Spec: spec()}); err != nil || again.ID == first.ID {
		t.Errorf("after the run had ended: %s again, %v", again.ID, err)
	}
}

// TestMissingPermission: the plan names it with the policy; a run that loses it midway waits and resumes at that step.
func TestMissingPermission(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	h.account(t, "prod", "t-1")
	h.nimbus.Missing["feed:create"] = true
	plan, err := h.Plan(ctx, h.admin, control.PlanRequest{AccountID: "prod", Spec: spec()})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan.Blocked, "feed:create") || !strings.Contains(plan.Policy, "feed:create") {
		t.Errorf("blocked %q, policy %q", plan.Blocked, plan.Policy)
	}
	_, err = h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: "prod", Spec: spec()})
	wantCode(t, err, outlay.CodeConflict)
	h.nimbus.Missing["feed:create"] = false
	run, err := h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: "prod", Spec: spec()})
	if err != nil {
		t.Fatal(err)
	}
	h.nimbus.Missing["feed:create"] = true
	h.work(t)
	if run, err = h.Run(ctx, h.admin, run.ID); err != nil || run.Status != outlay.OpWaiting || run.Problem == nil || run.Problem.Needs[0].Action != "feed:create" {
		t.Fatalf("the run is %s, %v, %+v", run.Status, err, run.Problem)
	}
	h.nimbus.Missing["feed:create"] = false
	if _, err = h.Resume(ctx, h.admin, run.ID); err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if run, err = h.Run(ctx, h.admin, run.ID); err != nil || run.Status != outlay.OpDone || len(h.nimbus.Exists) != 2 {
		t.Errorf("after Resume the run is %s, %v, %+v; exists %v", run.Status, err, run.Problem, h.nimbus.Exists)
	}
}

// TestHalfFailedThenDeprovisionThenProvision is the seed's own way out: deprovision, then provision again.
func TestHalfFailedThenDeprovisionThenProvision(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	h.account(t, "prod", "t-1")
	run, err := h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: "prod", Spec: spec()})
	if err != nil {
		t.Fatal(err)
	}
	h.nimbus.Missing["feed:create"] = true
	h.work(t)
	if run, _ = h.Run(ctx, h.admin, run.ID); run.Status != outlay.OpWaiting || len(h.nimbus.Exists) != 1 {
		t.Fatalf("the run is %s with %d things made", run.Status, len(h.nimbus.Exists))
	}
	if _, err = h.Undo(ctx, h.admin, run.ID); err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if len(h.nimbus.Exists) != 0 {
		t.Errorf("undo left %v", h.nimbus.Exists)
	}
	if d, err := h.Account(ctx, h.admin, "prod"); err != nil || d.Created || d.CanDeprovision || len(d.Kept) != 0 {
		t.Errorf("after the undo nothing is set up: created %t, kept %v, %v", d.Created, d.Kept, err)
	}
	h.nimbus.Missing["feed:create"] = false
	if _, err = h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: "prod", Spec: spec()}); err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if len(h.nimbus.Exists) != 2 {
		t.Errorf("provisioning again made %d things, want 2", len(h.nimbus.Exists))
	}
}

// TestOnlyAdministratorsProvision: every other role is refused, and the refusal is written down.
func TestOnlyAdministratorsProvision(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	acc := h.account(t, "prod", "t-1")
	for _, role := range outlay.Roles() {
		if role == outlay.RoleAdmin {
			continue
		}
		a := outlay.Actor{OrgID: h.admin.OrgID, UserID: "usr-x", Roles: []outlay.Role{role}}
		_, err := h.Plan(ctx, a, control.PlanRequest{AccountID: acc.ID, Spec: spec()})
		wantCode(t, err, outlay.CodeForbidden)
		_, err = h.Provision(ctx, a, control.ProvisionRequest{AccountID: acc.ID, Spec: spec()})
		wantCode(t, err, outlay.CodeForbidden)
		_, err = h.Deprovision(ctx, a, control.DeprovisionRequest{AccountID: acc.ID, CostFiles: outlay.KeepCostFiles, Confirm: "prod"})
		wantCode(t, err, outlay.CodeForbidden)
		_, err = h.AddAccount(ctx, a, control.AddAccountRequest{Name: "new-one", Provider: "nimbus", Kind: "trust", Values: map[string]string{"tenant": "x"}})
		wantCode(t, err, outlay.CodeForbidden)
	}
	entries, err := h.Audit(ctx, h.admin, 100)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, e := range entries {
		if e.Result == string(outlay.CodeForbidden) {
			refused++
		}
	}
	if refused != 4*(len(outlay.Roles())-1) {
		t.Errorf("%d refusals are written down, want %d", refused, 4*(len(outlay.Roles())-1))
	}
}

// TestForeignIsAbsent: an administrator of another organization gets the same answer as for what does not exist.
func TestForeignIsAbsent(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	acc := h.account(t, "prod", "t-1")
	run, err := h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: acc.ID, Spec: spec()})
	if err != nil {
		t.Fatal(err)
	}
	stranger := h.organization(t, "org-2")
	for _, id := range []string{acc.ID, "acc_absent"} {
		_, err = h.Account(ctx, stranger, id)
		wantCode(t, err, outlay.CodeNotFound)
		wantCode(t, h.CheckNow(ctx, stranger, id), outlay.CodeNotFound)
		wantCode(t, h.RemoveAccount(ctx, stranger, id), outlay.CodeNotFound)
		_, err = h.Plan(ctx, stranger, control.PlanRequest{AccountID: id, Spec: spec()})
		wantCode(t, err, outlay.CodeNotFound)
	}
	_, err = h.Run(ctx, stranger, run.ID)
	wantCode(t, err, outlay.CodeNotFound)
	_, err = h.Resume(ctx, stranger, run.ID)
	wantCode(t, err, outlay.CodeNotFound)
	if all, err := h.Accounts(ctx, stranger); err != nil || len(all) != 0 {
		t.Errorf("a stranger lists %v, %v", all, err)
	}
}

// TestSpecIsChecked: a bad form names its field.
func TestSpecIsChecked(t *testing.T) {
	h := newHouse(t, nil)
	h.account(t, "prod", "t-1")
	for field, bad := range map[string]outlay.Spec{
		"region": {Region: "moon-1"}, "colour": {Region: "north-1", Fields: map[string]string{"colour": "red"}}, "tags": {Region: "north-1", Tags: []string{"Colour"}},
	} {
		_, err := h.Plan(t.Context(), h.admin, control.PlanRequest{AccountID: "prod", Spec: bad})
		if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeInvalid || e.Field != field {
			t.Errorf("%v does not name %s", err, field)
		}
	}
}

// TestCredentials: secrets are sealed, ours are made, rotation keeps the external id.
func TestCredentials(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	acc := h.account(t, "prod", "t-1")
	external := acc.CredentialValues["external_id"]
	if len(external) != 43 {
		t.Errorf("external id %q is not 32 bytes of base64url", external)
	}
	const canary = "canary-SECRET-4711"
	if _, err := h.RotateCredential(ctx, h.admin, acc.ID, control.RotateRequest{Kind: "key", Values: map[string]string{"tenant": "t-1"}, Secrets: map[string]outlay.Secret{"key": outlay.NewSecret(canary)}}); err != nil {
		t.Fatal(err)
	}
	err := h.store.ReadOrg(ctx, h.admin.OrgID, func(tx outlay.Tx) error {
		stored, err := tx.Account(ctx, acc.ID)
		if err != nil {
			return err
		}
		if sealed := string(stored.Credential.Sealed["key"]); sealed == "" || strings.Contains(sealed, canary) {
			t.Errorf("sealed is %q", sealed)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.AddAccount(ctx, h.admin, control.AddAccountRequest{Name: "second", Provider: "nimbus", Kind: "key", Values: map[string]string{"tenant": "t"}})
	if e := outlay.AsError(err); e == nil || e.Field != "key" {
		t.Errorf("%v does not name the missing secret", err)
	}
	_, err = h.AddAccount(ctx, h.admin, control.AddAccountRequest{Name: "prod", Provider: "nimbus", Kind: "trust", Values: map[string]string{"tenant": "t"}})
	wantCode(t, err, outlay.CodeConflict)
	_, err = h.AddAccount(ctx, h.admin, control.AddAccountRequest{Name: "Prod!", Provider: "nimbus", Kind: "trust", Values: map[string]string{"tenant": "t"}})
	wantCode(t, err, outlay.CodeInvalid)
}

// TestWatchRun yields changes until the run ends.
func TestWatchRun(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	h.account(t, "prod", "t-1")
	run, err := h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: "prod", Spec: spec()})
	if err != nil {
		t.Fatal(err)
	}
	var last control.RunView
	for v, err := range h.WatchRun(ctx, h.admin, run.ID) {
		if err != nil {
			t.Fatal(err)
		}
		if last.ID == "" {
			h.work(t)
		}
		last = v
	}
	if last.Status != outlay.OpDone || last.Done != last.Total || last.Total == 0 {
		t.Errorf("the last view is %s, %d of %d", last.Status, last.Done, last.Total)
	}
}

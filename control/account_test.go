package control_test

import (
	"strings"
	"testing"

	"outlay"
	"outlay/control"
)

// TestFieldsAreChecked: what does not fit is refused before anything is stored, by the field's name.
func TestFieldsAreChecked(t *testing.T) {
	h := newHouse(t, nil)
	for _, row := range []struct {
		field, fix string
		request    control.AddAccountRequest
	}{
		{"tenant", "t-1", control.AddAccountRequest{Kind: "trust", Values: map[string]string{"tenant": "No such"}}},
		{"tenant", "t-1", control.AddAccountRequest{Kind: "trust", Values: map[string]string{"tenant": "t-1\n"}}},
		{"tennant", "Leave", control.AddAccountRequest{Kind: "trust", Values: map[string]string{"tenant": "t-1", "tennant": "t-2"}}},
		{"kee", "Leave", control.AddAccountRequest{Kind: "key", Values: map[string]string{"tenant": "t-1"}, Secrets: map[string]outlay.Secret{"key": outlay.NewSecret("k"), "kee": outlay.NewSecret("k")}}},
		{"key", "Leave", control.AddAccountRequest{Kind: "key", Values: map[string]string{"tenant": "t-1", "key": "in the clear"}}},
		{"kind", "Use trust or key", control.AddAccountRequest{Kind: "handshake", Values: map[string]string{"tenant": "t-1"}}},
	} {
		row.request.Name, row.request.Provider = "prod", "nimbus"
		_, err := h.AddAccount(t.Context(), h.admin, row.request)
		if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeInvalid || e.Field != row.field || !strings.Contains(e.Fix, row.fix) {
			t.Errorf("%+v: %+v, want field %s", row.request, e, row.field)
		}
	}
	if all, err := h.Accounts(t.Context(), h.admin); err != nil || len(all) != 0 {
		t.Errorf("stored %v, %v", all, err)
	}
}

// TestByName: whatever one does with an account, its name will do.
func TestByName(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	h.account(t, "prod", "t-1")
	if v, err := h.RotateCredential(ctx, h.admin, "prod", control.RotateRequest{Kind: "trust", Values: map[string]string{"tenant": "t-2"}}); err != nil || v.CredentialValues["tenant"] != "t-2" {
		t.Errorf("replaced: %v, %v", v.CredentialValues, err)
	}
	if err := h.CheckNow(ctx, h.admin, "prod"); err != nil {
		t.Error(err)
	}
	if err := h.RemoveAccount(ctx, h.admin, "prod"); err != nil {
		t.Error(err)
	}
	wantCode(t, h.RemoveAccount(ctx, h.admin, "prod"), outlay.CodeNotFound)
}

// TestAlreadyThrough: the words tell a set-up on the account that is invoiced, whose data reaches everybody, from one
// on a member, whose data reaches nobody else.
func TestAlreadyThrough(t *testing.T) {
	for member, want := range map[bool]string{false: "there is nothing to do here", true: "Deprovision billing there first"} {
		h := newHouse(t, nil)
		ctx := t.Context()
		h.nimbus.Member = member
		h.account(t, "first", "t-1")
		h.account(t, "second", "t-2")
		if _, err := h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: "first", Spec: spec()}); err != nil {
			t.Fatal(err)
		}
		h.work(t)
		plan, err := h.Plan(ctx, h.admin, control.PlanRequest{AccountID: "second", Spec: spec()})
		if err != nil || !strings.Contains(plan.Blocked, "already set up through first") || !strings.Contains(plan.Blocked, want) {
			t.Errorf("member %t: %q, %v", member, plan.Blocked, err)
		}
	}
}

// TestKeptFiles: files that were kept do not offer a deprovisioning that is then refused.
func TestKeptFiles(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	h.account(t, "prod", "t-1")
	if _, err := h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: "prod", Spec: spec()}); err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if d, err := h.Account(ctx, h.admin, "prod"); err != nil || !d.CanDeprovision || d.CanProvision {
		t.Errorf("set up: may deprovision %t, may provision %t, %v", d.CanDeprovision, d.CanProvision, err)
	}
	err := h.store.ForOrg(ctx, h.admin.OrgID, func(tx outlay.Tx) error {
		sources, err := tx.Sources(ctx)
		if err != nil {
			return err
		}
		sources[0].Desired = outlay.Absent // what a run that keeps the files leaves, its resources still in the ledger
		return tx.PutSource(ctx, sources[0])
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := h.Account(ctx, h.admin, "prod")
	if err != nil || d.CanDeprovision || !d.CanProvision || len(d.Resources) == 0 {
		t.Errorf("kept: may deprovision %t, may provision %t, %d resources, %v", d.CanDeprovision, d.CanProvision, len(d.Resources), err)
	}
}

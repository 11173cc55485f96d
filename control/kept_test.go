package control_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/control"
)

// deprovisioned removes an account's set-up and keeps the files.
func (h *house) deprovisioned(t *testing.T, name string) {
	t.Helper()
	run, err := h.Deprovision(t.Context(), h.admin, control.DeprovisionRequest{AccountID: name, CostFiles: outlay.KeepCostFiles, Confirm: name})
	if err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if run = h.run(t, run.ID); run.Status != outlay.OpDone {
		t.Fatalf("the run is %s, %+v", run.Status, run.Problem)
	}
}

// standing lists what exists, by kind.
func (h *house) standing() []string {
	var out []string
	for _, r := range h.nimbus.Exists {
		out = append(out, string(r.Kind))
	}
	slices.Sort(out)
	return out
}

// TestDeleteKept: what was kept is offered for deletion, beside a new set-up that is left alone, and then it is no more.
func TestDeleteKept(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	h.account(t, "prod", "t-1")
	_, err := h.PlanDeleteKept(ctx, h.admin, "prod")
	wantCode(t, err, outlay.CodeConflict)
	h.provisioned(t, "prod")
	_, err = h.PlanDeleteKept(ctx, h.admin, "prod") // a living set-up is not what was kept
	wantCode(t, err, outlay.CodeConflict)
	h.deprovisioned(t, "prod")
	h.provisioned(t, "prod")
	d := h.detail(t, "prod")
	if len(d.Kept) != 1 || len(d.Kept[0].Resources) != 1 || !d.CanDeleteKept || !d.CanDeprovision {
		t.Fatalf("kept %+v, may delete it %t", d.Kept, d.CanDeleteKept)
	}
	v, err := h.PlanDeleteKept(ctx, h.admin, d.Kept[0].SourceID)
	if err != nil || v.Blocked != "" || len(v.Delete) != 1 || v.Name != "prod" || len(v.Losing) != 0 {
		t.Fatalf("%+v, %v", v, err)
	}
	_, err = h.DeleteKept(ctx, h.admin, control.DeleteKeptRequest{SourceID: "prod", Confirm: "other"})
	wantCode(t, err, outlay.CodeInvalid)
	_, err = h.DeleteKept(ctx, h.admin, control.DeleteKeptRequest{SourceID: "prod", Confirm: "prod", PlanHash: "another"})
	wantCode(t, err, outlay.CodeConflict)
	request := control.DeleteKeptRequest{SourceID: "prod", Confirm: "prod", PlanHash: v.Hash, IdemKey: "k"}
	run, err := h.DeleteKept(ctx, h.admin, request)
	if err != nil || run.Title != "Delete what was kept" {
		t.Fatalf("%q, %v", run.Title, err)
	}
	if again, err := h.DeleteKept(ctx, h.admin, request); err != nil || again.ID != run.ID {
		t.Errorf("the same key twice: %s then %s, %v", run.ID, again.ID, err)
	}
	h.work(t)
	if run = h.run(t, run.ID); run.Status != outlay.OpDone {
		t.Fatalf("the run is %s, %+v", run.Status, run.Problem)
	}
	if diff := cmp.Diff([]string{"nimbus/feed", "nimbus/vault"}, h.standing()); diff != "" {
		t.Errorf("what stands (-want +got):\n%s", diff)
	}
	if d = h.detail(t, "prod"); len(d.Kept) != 0 || d.CanDeleteKept || !d.Created || d.SourceID == v.SourceID {
		t.Errorf("afterwards: kept %+v, created %t", d.Kept, d.Created)
	}
	if !h.audited(t, "billing:deprovision", "account prod", run.ID) || !h.audited(t, "cloud:delete nimbus/vault", "ok") {
		t.Error("the deletion is not in the audit log")
	}
}

// TestDeleteKeptRefused: what lost its marks stays, with the reason; what a person gave up is not offered; who may not
// deprovision may not do this; another organization sees none of it.
func TestDeleteKeptRefused(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	h.account(t, "prod", "t-1")
	h.provisioned(t, "prod")
	h.deprovisioned(t, "prod")
	id := h.detail(t, "prod").Kept[0].SourceID
	for _, role := range outlay.Roles()[1:] {
		a := outlay.Actor{OrgID: h.admin.OrgID, UserID: "usr-x", Roles: []outlay.Role{role}}
		_, err := h.PlanDeleteKept(ctx, a, id)
		wantCode(t, err, outlay.CodeForbidden)
		_, err = h.DeleteKept(ctx, a, control.DeleteKeptRequest{SourceID: id, Confirm: "prod"})
		wantCode(t, err, outlay.CodeForbidden)
	}
	stranger := h.organization(t, "org-2")
	_, err := h.PlanDeleteKept(ctx, stranger, id)
	wantCode(t, err, outlay.CodeNotFound)
	for key, r := range h.nimbus.Exists {
		r.Owner["outlay-organization-id"] = "org-9" // the source's mark alone is not enough
		h.nimbus.Exists[key] = r
	}
	h.nimbus.Refuses = true
	v, err := h.PlanDeleteKept(ctx, h.admin, id)
	if err != nil || !strings.Contains(v.Blocked, "Nothing of it can be deleted: vault-"+id+". Kept: it is not ours. Delete it by hand in Nimbus") {
		t.Errorf("%q, %v", v.Blocked, err)
	}
	_, err = h.DeleteKept(ctx, h.admin, control.DeleteKeptRequest{SourceID: id, Confirm: "prod"})
	wantCode(t, err, outlay.CodeConflict)
	h.nimbus.Refuses = false
	run, err := h.DeleteKept(ctx, h.admin, control.DeleteKeptRequest{SourceID: id, Confirm: "prod"})
	if err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if run = h.run(t, run.ID); run.Status != outlay.OpWaiting || !strings.Contains(run.Problem.Message, "left alone") || len(h.nimbus.Exists) != 1 {
		t.Errorf("the run is %s, %+v", run.Status, run.Problem)
	}
	// It holds nothing up: billing can be provisioned, given up, and the account removed.
	if again := h.provisioned(t, "prod"); again.Status != outlay.OpDone {
		t.Errorf("provisioning beside it: %s, %+v", again.Status, again.Problem)
	}
	if _, err := h.Abandon(ctx, h.admin, control.AbandonRequest{AccountID: "prod", Confirm: "prod"}); err != nil {
		t.Fatal(err)
	}
	if kept := h.detail(t, "prod").Kept; len(kept) != 0 {
		t.Errorf("what was given up, or is not ours, is offered: %+v", kept)
	}
	if err := h.RemoveAccount(ctx, h.admin, "prod"); err != nil {
		t.Fatal(err)
	}
	if run = h.run(t, run.ID); run.Status != outlay.OpFailed {
		t.Errorf("after the account is gone the run is %s", run.Status)
	}
}

// TestRemoveAccountLeavesKept: what was kept is named in the audit log when nobody can delete it any more.
func TestRemoveAccountLeavesKept(t *testing.T) {
	h := newHouse(t, nil)
	h.account(t, "prod", "t-1")
	h.provisioned(t, "prod")
	h.deprovisioned(t, "prod")
	id := h.detail(t, "prod").Kept[0].SourceID
	if err := h.RemoveAccount(t.Context(), h.admin, "prod"); err != nil {
		t.Fatal(err)
	}
	if !h.audited(t, "accounts:write", "account prod", "removed; left in Nimbus: nimbus/vault vault-"+id) {
		t.Error("what stays behind is not in the audit log")
	}
}

// TestDeleteKeptAgain: a deletion that waits makes way for one that is asked for anew; what is gone by hand is written
// down as gone; with two removed set-ups one has to be named.
func TestDeleteKeptAgain(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	h.account(t, "prod", "t-1")
	for range 2 {
		h.provisioned(t, "prod")
		h.deprovisioned(t, "prod")
		h.clock.Add(time.Minute)
	}
	kept := h.detail(t, "prod").Kept
	_, err := h.PlanDeleteKept(ctx, h.admin, "prod")
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeConflict || !strings.Contains(e.Fix, kept[0].SourceID) || !strings.Contains(e.Fix, kept[1].SourceID) {
		t.Errorf("%+v", e)
	}
	h.nimbus.Missing["vault:create"] = true
	request := control.DeleteKeptRequest{SourceID: kept[0].SourceID, Confirm: "prod"}
	first, err := h.DeleteKept(ctx, h.admin, request)
	if err != nil {
		t.Fatal(err)
	}
	h.work(t)
	h.nimbus.Missing["vault:create"] = false
	for key, r := range h.nimbus.Exists {
		if r.Owner["outlay-source-id"] == kept[0].SourceID {
			delete(h.nimbus.Exists, key)
		}
	}
	v, err := h.PlanDeleteKept(ctx, h.admin, kept[0].SourceID)
	if err != nil || v.Blocked != "" || len(v.Delete) != 0 || !strings.Contains(v.Text, "Nothing of it stands in Nimbus any more") {
		t.Errorf("%q, %q, %v", v.Blocked, v.Text, err)
	}
	second, err := h.DeleteKept(ctx, h.admin, request)
	if err != nil || second.ID == first.ID {
		t.Fatalf("%s then %s, %v", first.ID, second.ID, err)
	}
	h.work(t)
	if first, second = h.run(t, first.ID), h.run(t, second.ID); first.Status != outlay.OpFailed || second.Status != outlay.OpDone {
		t.Errorf("the first is %s, the second %s, %+v", first.Status, second.Status, second.Problem)
	}
	if kept = h.detail(t, "prod").Kept; len(kept) != 1 || len(h.nimbus.Exists) != 1 {
		t.Errorf("kept %+v, exists %v", kept, h.nimbus.Exists)
	}
}

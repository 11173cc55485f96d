package control_test

import (
	"context"
	"slices"
	"testing"

	"outlay"
	"outlay/control"
)

// forgets notes which sources it is told to forget.
type forgets struct {
	noImport
	told *[]string
}

func (f forgets) RemoveHistory(_ context.Context, _, sourceID string) error {
	*f.told = append(*f.told, sourceID)
	return nil
}

// TestRemoveHistory: imports and removed set-ups only, by whoever may, with the name typed.
func TestRemoveHistory(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	var told []string
	h.Control = control.New(h.deps(forgets{told: &told}))
	acc := h.account(t, "prod", "t-1")
	publish(t, h, "2026-10") // of src-1, named files
	for id, desired := range map[string]outlay.Desired{"src-old": outlay.Absent, "src-live": outlay.Present} {
		src := outlay.Source{OrgID: h.admin.OrgID, ID: id, Name: id, Provider: "nimbus", AccountID: acc.ID, Scope: outlay.BillingScope{ID: "s"}, Origin: outlay.OriginCreated, Desired: desired, CreatedAt: now()}
		if err := h.store.ForOrg(ctx, h.admin.OrgID, func(tx outlay.Tx) error { return tx.PutSource(ctx, src) }); err != nil {
			t.Fatal(err)
		}
	}
	finance := outlay.Actor{OrgID: h.admin.OrgID, UserID: "usr-f", Roles: []outlay.Role{outlay.RoleFinance}}
	member := outlay.Actor{OrgID: h.admin.OrgID, UserID: "usr-m", Roles: []outlay.Role{outlay.RoleMember}}
	stranger := h.organization(t, "org-2")
	for _, c := range []struct {
		actor       outlay.Actor
		name, typed string
		want        outlay.Code
	}{
		{member, "files", "files", outlay.CodeForbidden},
		{finance, "files", "other", outlay.CodeInvalid},
		{finance, "src-old", "src-old", outlay.CodeForbidden},
		{stranger, "files", "files", outlay.CodeNotFound},
		{h.admin, "src-live", "src-live", outlay.CodeConflict},
		{h.admin, "absent", "absent", outlay.CodeNotFound},
		{finance, "files", "files", ""},
		{h.admin, "src-old", "src-old", ""},
	} {
		wantCode(t, h.RemoveHistory(ctx, c.actor, c.name, c.typed), c.want)
	}
	if want := []string{"src-1", "src-old"}; !slices.Equal(told, want) {
		t.Errorf("forgotten are %v, want %v", told, want)
	}
}

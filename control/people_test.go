package control_test

import (
	"sync"
	"testing"

	"outlay"
	"outlay/control"
)

func (h *house) person(t *testing.T, email string, role outlay.Role, group string) control.UserView {
	t.Helper()
	u, err := h.AddUser(t.Context(), h.admin, control.AddUserRequest{Email: email, Password: outlay.NewSecret("long enough"), Role: role, GroupID: group})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestPeople(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	if _, err := h.AddGroup(ctx, h.admin, "marine"); err != nil {
		t.Fatal(err)
	}
	u := h.person(t, "Ada@Example.org", outlay.RoleLead, "marine")
	if u.Email != "ada@example.org" || u.Handle != "ada" {
		t.Errorf("user %+v", u)
	}
	for field, r := range map[string]control.AddUserRequest{
		"email": {Email: "nobody", Role: outlay.RoleMember}, "role": {Email: "a@b.example", Role: "king"}, "group": {Email: "a@b.example", Role: outlay.RoleLead},
	} {
		_, err := h.AddUser(ctx, h.admin, r)
		if e := outlay.AsError(err); e == nil || e.Field != field {
			t.Errorf("%v does not name %s", err, field)
		}
	}
	_, err := h.AddUser(ctx, h.admin, control.AddUserRequest{Email: "ada@example.org", Password: outlay.NewSecret("long enough"), Role: outlay.RoleMember})
	wantCode(t, err, outlay.CodeConflict)
	if err := h.SetRole(ctx, h.admin, u.ID, outlay.RoleAuditor, ""); err != nil {
		t.Fatal(err)
	}
	all, err := h.Users(ctx, h.admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range all {
		if x.ID == u.ID && (len(x.Roles) != 1 || x.Roles[0].Role != outlay.RoleAuditor) {
			t.Errorf("roles %+v", x.Roles)
		}
	}
}

// TestLastAdministrator: no order of demotions, at once or one by one, leaves an organization without one.
func TestLastAdministrator(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	wantCode(t, h.SetRole(ctx, h.admin, h.admin.UserID, outlay.RoleMember, ""), outlay.CodeConflict)
	wantCode(t, h.DisableUser(ctx, h.admin, h.admin.UserID, true), outlay.CodeConflict)
	second := h.person(t, "second@example.org", outlay.RoleAdmin, "")
	for range 20 {
		var wait sync.WaitGroup
		for _, id := range []string{h.admin.UserID, second.ID} {
			wait.Go(func() { _ = h.DisableUser(ctx, h.admin, id, true) })
		}
		wait.Wait()
		all, err := h.Users(ctx, h.admin)
		if err != nil {
			t.Fatal(err)
		}
		usable := 0
		for _, u := range all {
			if !u.Disabled {
				usable++
			}
		}
		if usable != 1 {
			t.Fatalf("%d administrators can sign in, want 1", usable)
		}
		for _, u := range all {
			if err := h.DisableUser(ctx, h.admin, u.ID, false); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestTokens: shown once, never wider than their creator, revoked by their owner or an administrator.
func TestTokens(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	member := outlay.Actor{OrgID: h.admin.OrgID, UserID: h.person(t, "m@example.org", outlay.RoleMember, "").ID, Roles: []outlay.Role{outlay.RoleMember}}
	v, text, err := h.CreateToken(ctx, member, control.CreateTokenRequest{Name: "script", Actions: []outlay.Action{outlay.CostsRead}})
	if err != nil || text.Empty() {
		t.Fatal(err)
	}
	if v.ExpiresAt.Sub(v.CreatedAt).Hours() != 90*24 {
		t.Errorf("expires %v after", v.ExpiresAt.Sub(v.CreatedAt))
	}
	_, _, err = h.CreateToken(ctx, member, control.CreateTokenRequest{Name: "wide", Actions: []outlay.Action{outlay.BillingProvision}})
	wantCode(t, err, outlay.CodeInvalid)
	_, _, err = h.CreateToken(ctx, member, control.CreateTokenRequest{Name: "eternal", Days: 4000})
	wantCode(t, err, outlay.CodeInvalid)
	limited := member
	limited.Scopes = []outlay.Action{outlay.TokensOwn}
	if v, _, err = h.CreateToken(ctx, limited, control.CreateTokenRequest{Name: "child"}); err != nil || len(v.Actions) != 1 {
		t.Errorf("a limited token made %v, %v", v.Actions, err)
	}
	other := outlay.Actor{OrgID: h.admin.OrgID, UserID: "usr-other", Roles: []outlay.Role{outlay.RoleMember}}
	wantCode(t, h.RevokeToken(ctx, other, v.ID), outlay.CodeNotFound)
	if err := h.RevokeToken(ctx, h.admin, v.ID); err != nil {
		t.Error(err)
	}
	if all, err := h.Tokens(ctx, member); err != nil || len(all) != 1 {
		t.Errorf("tokens left: %v, %v", all, err)
	}
}

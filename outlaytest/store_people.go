package outlaytest

import (
	"context"
	"testing"

	"outlay"
)

func person(org, id, email string) outlay.User {
	return outlay.User{OrgID: org, ID: id, Email: email, Name: "Name of " + id, Handle: "handle-" + id, Password: "$argon2id$v=19$…", Disabled: true, CreatedAt: noon(), LastLogin: after(1)}
}

func putUser(o tenant, u outlay.User) {
	o.t.Helper()
	o.write(func(ctx context.Context, tx outlay.Tx) error { return tx.PutUser(ctx, u) })
}

func storePeople(t *testing.T, s outlay.Store) {
	o := newTenant(t, s, "org_a")
	same(t, "organization", outlay.Organization{ID: "org_a", Name: "Organization org_a", CreatedAt: noon()}, read(o, func(ctx context.Context, tx outlay.Tx) (outlay.Organization, error) { return tx.Organization(ctx) }))

	ann := filled(t, person(o.id, "usr_ann", "ann@example.com"))
	bob := outlay.User{OrgID: o.id, ID: "usr_bob", Email: "bob@example.com", Name: "A Bob"} // no times, no password
	putUser(o, outlay.User{ID: ann.ID})                                                     // bare first: then every field must be updated
	putUser(o, ann)
	putUser(o, bob)
	same(t, "user", ann, read(o, func(ctx context.Context, tx outlay.Tx) (outlay.User, error) { return tx.User(ctx, ann.ID) }))
	same(t, "users by name", []outlay.User{bob, ann}, read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.User, error) { return tx.Users(ctx) }))
	_ = o.refuse(outlay.CodeNotFound, func(ctx context.Context, tx outlay.Tx) error { _, err := tx.User(ctx, "usr_nobody"); return err })

	login(t, s, "ANN@example.com", "org_a", "usr_ann")
	ann.Email, ann.Disabled = "ann.b@example.com", false
	putUser(o, ann)
	login(t, s, "ann.b@example.com", "org_a", "usr_ann")
	noLogin(t, s, "ann@example.com")

	// An address is unique over the whole installation, in any letter case, and a refused user leaves nothing behind.
	o2 := newTenant(t, s, "org_b")
	for _, in := range []tenant{o, o2} {
		_ = in.refuse(outlay.CodeConflict, func(ctx context.Context, tx outlay.Tx) error {
			return tx.PutUser(ctx, person(in.id, "usr_new", "BOB@example.com"))
		})
		_ = in.refuse(outlay.CodeNotFound, func(ctx context.Context, tx outlay.Tx) error { _, err := tx.User(ctx, "usr_new"); return err })
	}
	login(t, s, "bob@example.com", "org_a", "usr_bob")
	// An address that was given up is free for everybody.
	putUser(o2, person(o2.id, "usr_new", "ann@example.com"))
	login(t, s, "ann@example.com", "org_b", "usr_new")
	// People who sign in elsewhere may have none.
	putUser(o2, person(o2.id, "usr_x", ""))
	putUser(o2, person(o2.id, "usr_y", ""))
	noLogin(t, s, "")
}

func login(t *testing.T, s outlay.Store, email, org, id string) {
	t.Helper()
	gotOrg, gotID, err := s.Install().UserByEmail(t.Context(), email)
	if err != nil || gotOrg != org || gotID != id {
		t.Errorf("login %q leads to %q %q (%v), want %q %q", email, gotOrg, gotID, err, org, id)
	}
}

func noLogin(t *testing.T, s outlay.Store, email string) {
	t.Helper()
	if org, id, err := s.Install().UserByEmail(t.Context(), email); outlay.CodeOf(err) != outlay.CodeNotFound {
		t.Errorf("login %q leads to %q %q (%v), want not_found", email, org, id, err)
	}
}

func storeGroups(t *testing.T, s outlay.Store) {
	o := newTenant(t, s, "org_a")
	putUser(o, person(o.id, "usr_ann", "ann@example.com"))
	putUser(o, person(o.id, "usr_bob", "bob@example.com"))
	physics := filled(t, outlay.Group{OrgID: o.id, ID: "grp_p", Name: "Physics", CreatedAt: noon()})
	art := outlay.Group{OrgID: o.id, ID: "grp_a", Name: "Brt", CreatedAt: noon()}
	o.write(func(ctx context.Context, tx outlay.Tx) error {
		for _, g := range []outlay.Group{physics, art} {
			if err := tx.PutGroup(ctx, g); err != nil {
				return err
			}
		}
		art.Name = "Art"
		return tx.PutGroup(ctx, art)
	})
	groups := func(ctx context.Context, tx outlay.Tx) ([]outlay.Group, error) { return tx.Groups(ctx) }
	same(t, "groups by name", []outlay.Group{art, physics}, read(o, groups))

	admin := outlay.Membership{OrgID: o.id, UserID: "usr_ann", Role: outlay.RoleAdmin}
	lead := filled(t, outlay.Membership{OrgID: o.id, UserID: "usr_ann", GroupID: "grp_p", Role: outlay.RoleLead})
	member := outlay.Membership{OrgID: o.id, UserID: "usr_bob", GroupID: "grp_p", Role: outlay.RoleMember}
	put := func(m outlay.Membership) func(context.Context, outlay.Tx) error {
		return func(ctx context.Context, tx outlay.Tx) error { return tx.PutMembership(ctx, m) }
	}
	for _, m := range []outlay.Membership{admin, lead, member, admin, lead} { // twice is once
		o.write(put(m))
	}
	of := func(id string) []outlay.Membership {
		return read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.Membership, error) { return tx.Memberships(ctx, id) })
	}
	same(t, "everybody", []outlay.Membership{admin, lead, member}, of(""))
	same(t, "one user", []outlay.Membership{member}, of("usr_bob"))
	o.write(func(ctx context.Context, tx outlay.Tx) error { return tx.DeleteMembership(ctx, admin) })
	same(t, "the other role stays", []outlay.Membership{lead}, of("usr_ann"))
	_ = o.refuse(outlay.CodeNotFound, put(outlay.Membership{UserID: "usr_nobody", Role: outlay.RoleAdmin}))
	_ = o.refuse(outlay.CodeNotFound, put(outlay.Membership{UserID: "usr_ann", GroupID: "grp_none", Role: outlay.RoleLead}))
}

func storeTokens(t *testing.T, s outlay.Store) {
	o := newTenant(t, s, "org_a")
	putUser(o, person(o.id, "usr_ann", "ann@example.com"))
	putUser(o, person(o.id, "usr_bob", "bob@example.com"))
	ci := filled(t, outlay.APIToken{OrgID: o.id, ID: "tok_ci", UserID: "usr_ann", Name: "CI", Hash: "aa", Actions: []outlay.Action{outlay.CostsRead},
		CreatedAt: noon(), ExpiresAt: after(60), LastUsed: after(5)})
	all := outlay.APIToken{OrgID: o.id, ID: "tok_all", UserID: "usr_ann", Name: "all", Hash: "bb", CreatedAt: after(1)}
	put := func(k outlay.APIToken) func(context.Context, outlay.Tx) error {
		return func(ctx context.Context, tx outlay.Tx) error { return tx.PutToken(ctx, k) }
	}
	o.write(put(outlay.APIToken{ID: ci.ID, UserID: "usr_bob"})) // bare first: then every field must be updated
	o.write(put(all))
	o.write(put(ci))
	tokens := func(ctx context.Context, tx outlay.Tx) ([]outlay.APIToken, error) { return tx.Tokens(ctx) }
	got := read(o, tokens)
	same(t, "tokens, oldest first", []outlay.APIToken{ci, all}, got)
	if got[1].Actions != nil {
		t.Error("a token without limits came back with limits: nil and empty are two things")
	}
	byHash := func(hash, want string) {
		t.Helper()
		org, id, err := s.Install().TokenByHash(t.Context(), hash)
		if want == "" && outlay.CodeOf(err) != outlay.CodeNotFound || want != "" && (err != nil || org != o.id || id != want) {
			t.Errorf("hash %q leads to %q %q (%v), want %q", hash, org, id, err, want)
		}
	}
	byHash("aa", "tok_ci")
	ci.Hash = "cc"
	o.write(put(ci))
	byHash("aa", "")
	byHash("cc", "tok_ci")
	_ = o.refuse(outlay.CodeConflict, put(outlay.APIToken{ID: "tok_thief", UserID: "usr_ann", Hash: "bb"}))
	_ = o.refuse(outlay.CodeNotFound, put(outlay.APIToken{ID: "tok_x", UserID: "usr_nobody", Hash: "dd"}))
	o.write(func(ctx context.Context, tx outlay.Tx) error { return tx.DeleteToken(ctx, "tok_ci") })
	byHash("cc", "")
	_ = o.refuse(outlay.CodeNotFound, func(ctx context.Context, tx outlay.Tx) error { return tx.DeleteToken(ctx, "tok_ci") })
	same(t, "what is left", []outlay.APIToken{all}, read(o, tokens))
}

package control

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"time"

	"outlay"
)

// UserView is a person as others see him.
type UserView struct {
	ID        string           `json:"id"`
	Email     string           `json:"email"`
	Name      string           `json:"name"`
	Handle    string           `json:"handle"`
	Roles     []MembershipView `json:"roles"`
	Disabled  bool             `json:"disabled"`
	LastLogin time.Time        `json:"lastLogin,omitzero"`
	CreatedAt time.Time        `json:"createdAt,omitzero"`
}

// MembershipView is one role of a person.
type MembershipView struct {
	Role    outlay.Role `json:"role"`
	GroupID string      `json:"groupId,omitempty"`
	Group   string      `json:"group,omitempty"`
}

// AddUserRequest invites a person.
type AddUserRequest struct {
	Email, Name string
	Handle      string // value of the tag User; "" takes the part of the e-mail before the @
	Password    outlay.Secret
	Role        outlay.Role
	GroupID     string // for group:lead and member
}

// Organization is the actor's organization.
func (c *Control) Organization(ctx context.Context, a outlay.Actor) (outlay.Organization, error) {
	var org outlay.Organization
	if err := a.Must(outlay.SelfRead); err != nil {
		return org, err
	}
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) (err error) { org, err = tx.Organization(ctx); return err })
	return org, err
}

// Users lists the organization's people by name.
func (c *Control) Users(ctx context.Context, a outlay.Actor) ([]UserView, error) {
	if err := a.Must(outlay.PeopleRead); err != nil {
		return nil, err
	}
	var out []UserView
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		users, err := tx.Users(ctx)
		if err != nil {
			return err
		}
		groups, err := tx.Groups(ctx)
		if err != nil {
			return err
		}
		members, err := tx.Memberships(ctx, "")
		if err != nil {
			return err
		}
		for _, u := range users {
			v := UserView{ID: u.ID, Email: u.Email, Name: u.Name, Handle: u.Handle, Disabled: u.Disabled, LastLogin: u.LastLogin, CreatedAt: u.CreatedAt}
			for _, m := range members {
				if m.UserID == u.ID {
					v.Roles = append(v.Roles, MembershipView{Role: m.Role, GroupID: m.GroupID, Group: groupName(groups, m.GroupID)})
				}
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

func groupName(groups []outlay.Group, id string) string {
	for _, g := range groups {
		if g.ID == id {
			return g.Name
		}
	}
	return id
}

// AddUser adds a person with a first password.
func (c *Control) AddUser(ctx context.Context, a outlay.Actor, r AddUserRequest) (UserView, error) {
	if err := c.must(ctx, a, outlay.PeopleWrite, "user "+r.Email); err != nil {
		return UserView{}, err
	}
	addr, err := mail.ParseAddress(r.Email)
	if err != nil {
		return UserView{}, outlay.Errorf(outlay.CodeInvalid, "Write an address as name@example.org.", "%q is not an e-mail address", r.Email).InField("email")
	}
	if err := checkRole(r.Role, r.GroupID); err != nil {
		return UserView{}, err
	}
	hash, err := c.deps.Passwords.HashPassword(r.Password)
	if err != nil {
		return UserView{}, err
	}
	u := outlay.User{OrgID: a.OrgID, ID: outlay.NewID("usr"), Email: strings.ToLower(addr.Address), Name: strings.TrimSpace(r.Name), Handle: r.Handle, Password: hash, CreatedAt: c.deps.Clock.Now()}
	if u.Handle == "" {
		u.Handle, _, _ = strings.Cut(u.Email, "@")
	}
	if u.Name == "" {
		u.Name = u.Handle
	}
	err = c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		if err := tx.PutUser(ctx, u); err != nil {
			return err
		}
		if err := tx.PutMembership(ctx, outlay.Membership{OrgID: a.OrgID, UserID: u.ID, GroupID: r.GroupID, Role: r.Role}); err != nil {
			return err
		}
		return c.note(ctx, tx, a, outlay.PeopleWrite, "user "+u.Email, "added as "+string(r.Role))
	})
	return UserView{ID: u.ID, Email: u.Email, Name: u.Name, Handle: u.Handle, Roles: []MembershipView{{Role: r.Role, GroupID: r.GroupID}}, CreatedAt: u.CreatedAt}, err
}

func checkRole(role outlay.Role, groupID string) error {
	if !slices.Contains(outlay.Roles(), role) {
		return outlay.Errorf(outlay.CodeInvalid, "Use org:admin, org:finance, group:lead, member or auditor.", "there is no role %q", role).InField("role")
	}
	if role == outlay.RoleLead && groupID == "" {
		return outlay.Errorf(outlay.CodeInvalid, "Choose the group.", "a group:lead leads a group").InField("group")
	}
	if role != outlay.RoleLead && role != outlay.RoleMember && groupID != "" {
		return outlay.Errorf(outlay.CodeInvalid, "Leave the group out.", "%s is a role in the whole organization", role).InField("group")
	}
	return nil
}

// SetRole gives a person one role instead of those he has. The organization keeps an administrator who can sign in.
func (c *Control) SetRole(ctx context.Context, a outlay.Actor, userID string, role outlay.Role, groupID string) error {
	if err := c.must(ctx, a, outlay.PeopleWrite, "user "+userID); err != nil {
		return err
	}
	if err := checkRole(role, groupID); err != nil {
		return err
	}
	return c.changePerson(ctx, a, userID, "role "+string(role), func(tx outlay.Tx, _ *outlay.User) error {
		old, err := tx.Memberships(ctx, userID)
		if err != nil {
			return err
		}
		for _, m := range old {
			if err := tx.DeleteMembership(ctx, m); err != nil {
				return err
			}
		}
		return tx.PutMembership(ctx, outlay.Membership{OrgID: a.OrgID, UserID: userID, GroupID: groupID, Role: role})
	})
}

// DisableUser stops a person from signing in, or lets him again. His sessions and tokens end with the next request.
func (c *Control) DisableUser(ctx context.Context, a outlay.Actor, userID string, disabled bool) error {
	if err := c.must(ctx, a, outlay.PeopleWrite, "user "+userID); err != nil {
		return err
	}
	what := "enabled"
	if disabled {
		what = "disabled"
	}
	return c.changePerson(ctx, a, userID, what, func(_ outlay.Tx, u *outlay.User) error { u.Disabled = disabled; return nil })
}

// changePerson is the one door for changes that could lock everybody out (reliability.md M6).
func (c *Control) changePerson(ctx context.Context, a outlay.Actor, userID, what string, change func(outlay.Tx, *outlay.User) error) error {
	return c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		u, err := tx.User(ctx, userID)
		if err != nil {
			return err
		}
		if err := change(tx, &u); err != nil {
			return err
		}
		if err := tx.PutUser(ctx, u); err != nil {
			return err
		}
		if err := keepsAdmin(ctx, tx); err != nil {
			return err
		}
		return c.note(ctx, tx, a, outlay.PeopleWrite, "user "+u.Email, what)
	})
}

func keepsAdmin(ctx context.Context, tx outlay.Tx) error {
	users, err := tx.Users(ctx)
	if err != nil {
		return err
	}
	members, err := tx.Memberships(ctx, "")
	if err != nil {
		return err
	}
	if outlay.Administered(users, members) {
		return nil
	}
	return outlay.Errorf(outlay.CodeConflict, "Make somebody else org:admin first.", "the organization would have no administrator left")
}

// Groups lists the groups by name.
func (c *Control) Groups(ctx context.Context, a outlay.Actor) ([]outlay.Group, error) {
	if err := a.Must(outlay.PeopleRead); err != nil {
		return nil, err
	}
	var out []outlay.Group
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) (err error) { out, err = tx.Groups(ctx); return err })
	return out, err
}

// AddGroup adds a group. Its id is the value of the tag GroupID, so a person may choose it.
func (c *Control) AddGroup(ctx context.Context, a outlay.Actor, name string) (outlay.Group, error) {
	g := outlay.Group{OrgID: a.OrgID, ID: strings.TrimSpace(name), Name: strings.TrimSpace(name), CreatedAt: c.deps.Clock.Now()}
	if err := c.must(ctx, a, outlay.PeopleWrite, "group "+name); err != nil {
		return g, err
	}
	if g.ID == "" || len(g.ID) > 128 {
		return g, outlay.Errorf(outlay.CodeInvalid, "Use 1 to 128 characters.", "the group's name does not fit").InField("name")
	}
	err := c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		if err := tx.PutGroup(ctx, g); err != nil {
			return err
		}
		return c.note(ctx, tx, a, outlay.PeopleWrite, "group "+g.Name, "added")
	})
	return g, err
}

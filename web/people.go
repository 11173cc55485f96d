package web

import (
	"net/http"
	"slices"
	"strings"

	"outlay"
	"outlay/control"
)

type usersBody struct {
	Users    []userLine
	Groups   []outlay.Group
	Roles    []roleOption
	MayWrite bool
	Self     string
	Form     userForm
}

// userLine is a person as the list's forms need him.
type userLine struct{ control.UserView }

// Is tells whether the person has a role, in whichever group.
func (u userLine) Is(r outlay.Role) bool {
	return slices.ContainsFunc(u.Roles, func(m control.MembershipView) bool { return m.Role == r })
}

// In tells whether the person has a role in a group.
func (u userLine) In(groupID string) bool {
	return slices.ContainsFunc(u.Roles, func(m control.MembershipView) bool { return m.GroupID == groupID })
}

type userForm struct{ Email, Name, Handle, Role, GroupID string }

type roleOption struct {
	Role outlay.Role
	Note string
}

// roleOptions says what each role is, in the order of the table of roles.
func roleOptions() []roleOption {
	notes := map[outlay.Role]string{
		outlay.RoleAdmin: "everything; the only one that provisions", outlay.RoleFinance: "all costs and imports",
		outlay.RoleLead: "the costs of one group", outlay.RoleMember: "own costs", outlay.RoleAuditor: "reads everything, the audit log included",
	}
	var out []roleOption
	for _, r := range outlay.Roles() {
		out = append(out, roleOption{r, notes[r]})
	}
	return out
}

// users lists people and groups.
func (s *site) users(c *call) error {
	return s.showUsers(c, userForm{Role: string(outlay.RoleMember)}, nil, http.StatusOK)
}

func (s *site) showUsers(c *call, f userForm, e *outlay.Error, status int) error {
	b := usersBody{Roles: roleOptions(), MayWrite: c.actor.May(outlay.PeopleWrite), Self: c.actor.UserID, Form: f}
	list, err := s.Control.Users(c.r.Context(), c.actor)
	if err != nil {
		return err
	}
	for _, u := range list {
		b.Users = append(b.Users, userLine{u})
	}
	if b.Groups, err = s.Control.Groups(c.r.Context(), c.actor); err != nil {
		return err
	}
	return s.show(c, "users", page{Title: "Users and groups", Active: "/users", Status: status, Error: e, Body: b})
}

func (s *site) addUser(c *call) error {
	f := userForm{Email: text(c, "email"), Name: text(c, "name"), Handle: text(c, "handle"), Role: text(c, "role"), GroupID: text(c, "group")}
	_, err := s.Control.AddUser(c.r.Context(), c.actor, control.AddUserRequest{
		Email: f.Email, Name: f.Name, Handle: f.Handle, Password: outlay.NewSecret(c.r.PostFormValue("password")), Role: outlay.Role(f.Role), GroupID: f.GroupID,
	})
	return s.afterUsers(c, f, err)
}

func text(c *call, name string) string { return strings.TrimSpace(c.r.PostFormValue(name)) }

func (s *site) setRole(c *call) error {
	err := s.Control.SetRole(c.r.Context(), c.actor, c.r.PathValue("id"), outlay.Role(text(c, "role")), text(c, "group"))
	return s.afterUsers(c, userForm{Role: string(outlay.RoleMember)}, err)
}

func (s *site) disableUser(c *call) error {
	err := s.Control.DisableUser(c.r.Context(), c.actor, c.r.PathValue("id"), text(c, "disabled") == "yes")
	return s.afterUsers(c, userForm{Role: string(outlay.RoleMember)}, err)
}

func (s *site) addGroup(c *call) error {
	_, err := s.Control.AddGroup(c.r.Context(), c.actor, text(c, "group-name"))
	return s.afterUsers(c, userForm{Role: string(outlay.RoleMember)}, err)
}

func (s *site) afterUsers(c *call, f userForm, err error) error {
	if err == nil {
		return redirect(c, "/users")
	}
	e, status, err := formProblem(c, err)
	if err != nil {
		return err
	}
	return s.showUsers(c, f, e, status)
}

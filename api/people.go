package api

import (
	"context"
	"net/http"

	"outlay"
	"outlay/control"
)

type me struct {
	UserID       string          `json:"userId"`
	Name         string          `json:"name"`
	Organization string          `json:"organization"`
	Roles        []outlay.Role   `json:"roles"`
	LeadOf       []string        `json:"leadOf,omitempty"`
	Actions      []outlay.Action `json:"actions" doc:"what this session or token may do"`
}

type login struct {
	Body struct {
		Email    string `json:"email"`
		Password string `json:"password"`
		Name     string `json:"name,omitempty" doc:"what to call the token"`
		Days     int    `json:"days,omitempty" doc:"how long it lives; default 90"`
	}
}

type newToken struct {
	Token  string            `json:"token" doc:"shown once"`
	Detail control.TokenView `json:"detail"`
}

type tokenBody struct {
	Body struct {
		Name    string          `json:"name"`
		Actions []outlay.Action `json:"actions,omitempty"`
		Days    int             `json:"days,omitempty"`
	}
}

type userBody struct {
	Body struct {
		Email    string      `json:"email"`
		Name     string      `json:"name,omitempty"`
		Handle   string      `json:"handle,omitempty" doc:"value of the tag User"`
		Password string      `json:"password"`
		Role     outlay.Role `json:"role"`
		GroupID  string      `json:"groupId,omitempty"`
	}
}

type roleBody struct {
	ByID
	Body struct {
		Role    outlay.Role `json:"role"`
		GroupID string      `json:"groupId,omitempty"`
	}
}

type disabledBody struct {
	ByID
	Body struct {
		Disabled bool `json:"disabled"`
	}
}

func (s *service) people() {
	c := s.Control
	add(s, route{http.MethodPost, "/login", "login", public, "Sign in with e-mail and password; answers an API token", http.StatusCreated}, s.login)
	add(s, route{http.MethodGet, "/me", "who-am-i", outlay.SelfRead, "Who is asking, and what that may do", 0}, s.me)
	add(s, route{http.MethodGet, "/users", "list-users", outlay.PeopleRead, "People", 0},
		func(ctx context.Context, a outlay.Actor, _ *struct{}) (*body[[]control.UserView], error) {
			return ok(c.Users(ctx, a))
		})
	add(s, route{http.MethodPost, "/users", "add-user", outlay.PeopleWrite, "Add a person", http.StatusCreated},
		func(ctx context.Context, a outlay.Actor, in *userBody) (*body[control.UserView], error) {
			b := in.Body
			return ok(c.AddUser(ctx, a, control.AddUserRequest{Email: b.Email, Name: b.Name, Handle: b.Handle, Password: outlay.NewSecret(b.Password), Role: b.Role, GroupID: b.GroupID}))
		})
	add(s, route{http.MethodPut, "/users/{id}/role", "set-role", outlay.PeopleWrite, "Give a person a role", http.StatusNoContent},
		func(ctx context.Context, a outlay.Actor, in *roleBody) (*empty, error) {
			return done(c.SetRole(ctx, a, in.ID, in.Body.Role, in.Body.GroupID))
		})
	add(s, route{http.MethodPut, "/users/{id}/disabled", "disable-user", outlay.PeopleWrite, "Stop a person from signing in, or let him again", http.StatusNoContent},
		func(ctx context.Context, a outlay.Actor, in *disabledBody) (*empty, error) {
			return done(c.DisableUser(ctx, a, in.ID, in.Body.Disabled))
		})
	add(s, route{http.MethodGet, "/groups", "list-groups", outlay.PeopleRead, "Groups", 0},
		func(ctx context.Context, a outlay.Actor, _ *struct{}) (*body[[]outlay.Group], error) {
			return ok(c.Groups(ctx, a))
		})
	add(s, route{http.MethodPost, "/groups", "add-group", outlay.PeopleWrite, "Add a group", http.StatusCreated},
		func(ctx context.Context, a outlay.Actor, in *struct {
			Body struct {
				Name string `json:"name"`
			}
		}) (*body[outlay.Group], error) {
			return ok(c.AddGroup(ctx, a, in.Body.Name))
		})
	add(s, route{http.MethodGet, "/tokens", "list-tokens", outlay.TokensOwn, "API tokens", 0},
		func(ctx context.Context, a outlay.Actor, _ *struct{}) (*body[[]control.TokenView], error) {
			return ok(c.Tokens(ctx, a))
		})
	add(s, route{http.MethodPost, "/tokens", "create-token", outlay.TokensOwn, "Create an API token", http.StatusCreated},
		func(ctx context.Context, a outlay.Actor, in *tokenBody) (*body[newToken], error) {
			v, text, err := c.CreateToken(ctx, a, control.CreateTokenRequest{Name: in.Body.Name, Actions: in.Body.Actions, Days: in.Body.Days})
			return ok(newToken{Token: text.Reveal(), Detail: v}, err)
		})
	add(s, route{http.MethodDelete, "/tokens/{id}", "revoke-token", outlay.TokensOwn, "Revoke an API token", http.StatusNoContent},
		func(ctx context.Context, a outlay.Actor, in *ByID) (*empty, error) {
			return done(c.RevokeToken(ctx, a, in.ID))
		})
	add(s, route{http.MethodGet, "/audit", "list-audit", outlay.AuditRead, "The audit log, newest first", 0},
		func(ctx context.Context, a outlay.Actor, in *struct {
			Limit int `query:"limit" default:"100" minimum:"1" maximum:"1000"`
		}) (*body[[]outlay.Entry], error) {
			return ok(c.Audit(ctx, a, in.Limit))
		})
}

// login answers a token for a person's password, so that the command line never stores the password itself.
func (s *service) login(ctx context.Context, nobody outlay.Actor, in *login) (*body[newToken], error) {
	a, err := s.Auth.Login(ctx, in.Body.Email, outlay.NewSecret(in.Body.Password), nobody.Addr)
	if err != nil {
		return nil, err
	}
	if in.Body.Name == "" {
		in.Body.Name = "command line"
	}
	v, text, err := s.Control.CreateToken(ctx, a, control.CreateTokenRequest{Name: in.Body.Name, Days: in.Body.Days})
	return ok(newToken{Token: text.Reveal(), Detail: v}, err)
}

func (s *service) me(ctx context.Context, a outlay.Actor, _ *struct{}) (*body[me], error) {
	org, err := s.Control.Organization(ctx, a)
	if err != nil {
		return nil, err
	}
	m := me{UserID: a.UserID, Name: a.Name, Organization: org.Name, Roles: a.Roles, LeadOf: a.LeadOf}
	for _, action := range outlay.Actions() {
		if a.May(action) {
			m.Actions = append(m.Actions, action)
		}
	}
	return ok(m, nil)
}

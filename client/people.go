package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"outlay"
	"outlay/control"
)

// Sources lists the sources with their periods: data health.
func (c *Client) Sources(ctx context.Context) ([]control.SourceView, error) {
	return call[[]control.SourceView](ctx, c, http.MethodGet, "/sources", nil)
}

// RemoveHistory removes what was loaded of an import or of a removed set-up; confirm is its name.
func (c *Client) RemoveHistory(ctx context.Context, source, confirm string) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, "/sources/"+url.PathEscape(source)+"/remove-history", map[string]any{"confirm": confirm})
	return err
}

// Users lists the organization's people.
func (c *Client) Users(ctx context.Context) ([]control.UserView, error) {
	return call[[]control.UserView](ctx, c, http.MethodGet, "/users", nil)
}

// NewUser is what AddUser sends.
type NewUser struct {
	Email    string      `json:"email"`
	Name     string      `json:"name,omitempty"`
	Handle   string      `json:"handle,omitempty"` // value of the tag User
	Password string      `json:"password"`
	Role     outlay.Role `json:"role"`
	GroupID  string      `json:"groupId,omitempty"`
}

// AddUser adds a person.
func (c *Client) AddUser(ctx context.Context, u NewUser) (control.UserView, error) {
	return call[control.UserView](ctx, c, http.MethodPost, "/users", u)
}

// SetRole gives a person one role instead of those he has.
func (c *Client) SetRole(ctx context.Context, userID string, role outlay.Role, groupID string) error {
	_, err := call[struct{}](ctx, c, http.MethodPut, "/users/"+url.PathEscape(userID)+"/role", map[string]any{"role": role, "groupId": groupID})
	return err
}

// DisableUser stops a person from signing in, or lets him again.
func (c *Client) DisableUser(ctx context.Context, userID string, disabled bool) error {
	_, err := call[struct{}](ctx, c, http.MethodPut, "/users/"+url.PathEscape(userID)+"/disabled", map[string]any{"disabled": disabled})
	return err
}

// Groups lists the groups.
func (c *Client) Groups(ctx context.Context) ([]outlay.Group, error) {
	return call[[]outlay.Group](ctx, c, http.MethodGet, "/groups", nil)
}

// AddGroup adds a group.
func (c *Client) AddGroup(ctx context.Context, name string) (outlay.Group, error) {
	return call[outlay.Group](ctx, c, http.MethodPost, "/groups", map[string]any{"name": name})
}

// Tokens lists API tokens.
func (c *Client) Tokens(ctx context.Context) ([]control.TokenView, error) {
	return call[[]control.TokenView](ctx, c, http.MethodGet, "/tokens", nil)
}

// CreateToken makes an API token; its text comes once.
func (c *Client) CreateToken(ctx context.Context, name string, actions []string, days int) (control.TokenView, outlay.Secret, error) {
	in := map[string]any{"name": name, "days": days}
	if len(actions) > 0 {
		in["actions"] = actions
	}
	out, err := call[struct {
		Token  string            `json:"token"`
		Detail control.TokenView `json:"detail"`
	}](ctx, c, http.MethodPost, "/tokens", in)
	return out.Detail, outlay.NewSecret(out.Token), err
}

// RevokeToken ends an API token.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, "/tokens/"+url.PathEscape(id), nil)
	return err
}

// Audit lists the newest entries of the audit log.
func (c *Client) Audit(ctx context.Context, limit int) ([]outlay.Entry, error) {
	return call[[]outlay.Entry](ctx, c, http.MethodGet, fmt.Sprintf("/audit?limit=%d", limit), nil)
}

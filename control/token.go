package control

import (
	"context"
	"slices"
	"time"

	"outlay"
)

// TokenView is an API token as its owner sees it, without the secret.
type TokenView struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Actions   []outlay.Action `json:"actions,omitempty"` // empty: everything its creator may
	Owner     string          `json:"owner"`
	CreatedAt time.Time       `json:"createdAt,omitzero"`
	ExpiresAt time.Time       `json:"expiresAt,omitzero"`
	LastUsed  time.Time       `json:"lastUsed,omitzero"`
}

// CreateTokenRequest asks for a token.
type CreateTokenRequest struct {
	Name    string
	Actions []outlay.Action // none: everything its creator may
	Days    int             // 0 means 90; at most 366
}

// Tokens lists the actor's tokens; an administrator sees everybody's.
func (c *Control) Tokens(ctx context.Context, a outlay.Actor) ([]TokenView, error) {
	if err := a.Must(outlay.TokensOwn); err != nil {
		return nil, err
	}
	var out []TokenView
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		tokens, err := tx.Tokens(ctx)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			if t.UserID != a.UserID && !a.May(outlay.PeopleWrite) {
				continue
			}
			v := TokenView{ID: t.ID, Name: t.Name, Actions: t.Actions, Owner: t.UserID, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsed: t.LastUsed}
			if u, err := tx.User(ctx, t.UserID); err == nil {
				v.Owner = u.Name
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// CreateToken makes a token; its text is returned once and never again.
func (c *Control) CreateToken(ctx context.Context, a outlay.Actor, r CreateTokenRequest) (TokenView, outlay.Secret, error) {
	if err := c.must(ctx, a, outlay.TokensOwn, "token "+r.Name); err != nil {
		return TokenView{}, outlay.Secret{}, err
	}
	if r.Name == "" {
		return TokenView{}, outlay.Secret{}, outlay.Errorf(outlay.CodeInvalid, "Say what it is for.", "the token has no name").InField("name")
	}
	if r.Days == 0 {
		r.Days = 90
	}
	if r.Days < 1 || r.Days > 366 {
		return TokenView{}, outlay.Secret{}, outlay.Errorf(outlay.CodeInvalid, "Use 1 to 366 days.", "a token cannot live %d days", r.Days).InField("days")
	}
	for _, action := range r.Actions {
		if !slices.Contains(outlay.Actions(), action) || !a.May(action) {
			return TokenView{}, outlay.Secret{}, outlay.Errorf(outlay.CodeInvalid, "Choose among what you may do yourself.", "a token of yours cannot do %q", action).InField("actions")
		}
	}
	if len(r.Actions) == 0 {
		r.Actions = a.Scopes // a limited token makes no wider one; a person's has no limits of its own
	}
	id, text, hash := c.deps.Passwords.MintToken()
	now := c.deps.Clock.Now()
	t := outlay.APIToken{OrgID: a.OrgID, ID: id, UserID: a.UserID, Name: r.Name, Hash: hash, Actions: r.Actions, CreatedAt: now, ExpiresAt: now.AddDate(0, 0, r.Days)}
	err := c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		if err := tx.PutToken(ctx, t); err != nil {
			return err
		}
		return c.note(ctx, tx, a, outlay.TokensOwn, "token "+t.Name, "created")
	})
	return TokenView{ID: t.ID, Name: t.Name, Actions: t.Actions, Owner: a.Name, CreatedAt: now, ExpiresAt: t.ExpiresAt}, outlay.NewSecret(text), err
}

// RevokeToken ends a token of one's own; an administrator ends anybody's.
func (c *Control) RevokeToken(ctx context.Context, a outlay.Actor, id string) error {
	if err := c.must(ctx, a, outlay.TokensOwn, "token "+id); err != nil {
		return err
	}
	return c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		tokens, err := tx.Tokens(ctx)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			if t.ID == id && (t.UserID == a.UserID || a.May(outlay.PeopleWrite)) {
				if err := tx.DeleteToken(ctx, id); err != nil {
					return err
				}
				return c.note(ctx, tx, a, outlay.TokensOwn, "token "+t.Name, "revoked")
			}
		}
		return outlay.Errorf(outlay.CodeNotFound, "List your tokens.", "there is no token %q of yours", id)
	})
}

// Audit lists the newest entries of the audit log.
func (c *Control) Audit(ctx context.Context, a outlay.Actor, limit int) ([]outlay.Entry, error) {
	if err := a.Must(outlay.AuditRead); err != nil {
		return nil, err
	}
	var out []outlay.Entry
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) (err error) { out, err = tx.Entries(ctx, limit); return err })
	return out, err
}

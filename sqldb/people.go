package sqldb

import (
	"context"
	"strings"

	"outlay"
)

const organizationColumns = `id, name, created_at`

func scanOrganization(r row) (o outlay.Organization, err error) {
	err = r.Scan(&o.ID, &o.Name, when{&o.CreatedAt})
	return o, err
}

// Organization is the tenant itself.
func (t *tx) Organization(ctx context.Context) (outlay.Organization, error) {
	return find(ctx, t.q, say("reading the organization", `SELECT `+organizationColumns+` FROM organizations WHERE id = $1`, t.org), "organization", scanOrganization)
}

const userColumns = `org_id, id, email, name, handle, password, disabled, created_at, last_login`

func scanUser(r row) (u outlay.User, err error) {
	err = r.Scan(&u.OrgID, &u.ID, &u.Email, &u.Name, &u.Handle, &u.Password, truth{&u.Disabled}, when{&u.CreatedAt}, when{&u.LastLogin})
	return u, err
}

// User is one user.
func (t *tx) User(ctx context.Context, id string) (outlay.User, error) {
	return find(ctx, t.q, say("reading the user", `SELECT `+userColumns+` FROM users WHERE org_id = $1 AND id = $2`, t.org, id), "user", scanUser)
}

// Users lists the users by name.
func (t *tx) Users(ctx context.Context) ([]outlay.User, error) {
	return list(ctx, t.q, say("reading the users", `SELECT `+userColumns+` FROM users WHERE org_id = $1 ORDER BY name, id`, t.org), scanUser)
}

// PutUser stores a user and the login that leads to it.
func (t *tx) PutUser(ctx context.Context, u outlay.User) error {
	const put = `INSERT INTO users (` + userColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (org_id, id) DO UPDATE SET email = excluded.email, name = excluded.name, handle = excluded.handle,
			password = excluded.password, disabled = excluded.disabled, created_at = excluded.created_at, last_login = excluded.last_login`
	_, err := run(ctx, t.q, say("storing the user", put, t.org, u.ID, u.Email, u.Name, u.Handle, u.Password, flag(u.Disabled), micros(u.CreatedAt), micros(u.LastLogin)))
	if err != nil {
		return err
	}
	email := loginKey(u.Email)
	const forget = `DELETE FROM logins WHERE org_id = $1 AND user_id = $2 AND email <> $3`
	if _, err := run(ctx, t.q, say("changing the login", forget, t.org, u.ID, email)); err != nil || email == "" {
		return err
	}
	// The row of somebody else, of this or another organization, is left alone; then nothing was touched.
	const add = `INSERT INTO logins (email, org_id, user_id) VALUES ($1, $2, $3)
		ON CONFLICT (email) DO UPDATE SET user_id = excluded.user_id WHERE logins.org_id = excluded.org_id AND logins.user_id = excluded.user_id`
	n, err := run(ctx, t.q, say("changing the login", add, email, t.org, u.ID))
	if err == nil && n == 0 {
		err = outlay.Errorf(outlay.CodeConflict, "Choose another e-mail address.", "the e-mail address %s is taken", email).InField("email")
	}
	return err
}

// loginKey is an e-mail address as the index of logins spells it.
func loginKey(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

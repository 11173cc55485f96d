package sqldb

import (
	"context"

	"outlay"
)

const tokenColumns = `org_id, id, user_id, name, hash, actions, created_at, expires_at, last_used`

func scanToken(r row) (k outlay.APIToken, err error) {
	err = r.Scan(&k.OrgID, &k.ID, &k.UserID, &k.Name, &k.Hash, fromJSON{&k.Actions}, when{&k.CreatedAt}, when{&k.ExpiresAt}, when{&k.LastUsed})
	return k, err
}

// Tokens lists the API tokens, oldest first.
func (t *tx) Tokens(ctx context.Context) ([]outlay.APIToken, error) {
	return list(ctx, t.q, say("reading the API tokens", `SELECT `+tokenColumns+` FROM api_tokens WHERE org_id = $1 ORDER BY created_at, id`, t.org), scanToken)
}

// PutToken stores a token and the hash that leads to it.
func (t *tx) PutToken(ctx context.Context, k outlay.APIToken) error {
	const put = `INSERT INTO api_tokens (` + tokenColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (org_id, id) DO UPDATE SET user_id = excluded.user_id, name = excluded.name, hash = excluded.hash,
			actions = excluded.actions, created_at = excluded.created_at, expires_at = excluded.expires_at, last_used = excluded.last_used`
	_, err := run(ctx, t.q, say("storing the API token", put, t.org, k.ID, k.UserID, k.Name, k.Hash, asJSON{k.Actions}, micros(k.CreatedAt), micros(k.ExpiresAt), micros(k.LastUsed)))
	if err != nil {
		return err
	}
	const forget = `DELETE FROM token_hashes WHERE org_id = $1 AND token_id = $2 AND hash <> $3`
	if _, err := run(ctx, t.q, say("changing the token's hash", forget, t.org, k.ID, k.Hash)); err != nil || k.Hash == "" {
		return err
	}
	const add = `INSERT INTO token_hashes (hash, org_id, token_id) VALUES ($1, $2, $3)
		ON CONFLICT (hash) DO UPDATE SET token_id = excluded.token_id WHERE token_hashes.org_id = excluded.org_id AND token_hashes.token_id = excluded.token_id`
	n, err := run(ctx, t.q, say("changing the token's hash", add, k.Hash, t.org, k.ID))
	if err == nil && n == 0 {
		err = outlay.Errorf(outlay.CodeConflict, "Make a new token.", "this token exists already")
	}
	return err
}

// DeleteToken removes a token and its hash; CodeNotFound when there is none.
func (t *tx) DeleteToken(ctx context.Context, id string) error {
	n, err := run(ctx, t.q, say("removing the API token", `DELETE FROM api_tokens WHERE org_id = $1 AND id = $2`, t.org, id))
	if err == nil && n == 0 {
		err = notFound("API token")
	}
	return err
}

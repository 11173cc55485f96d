package sqldb

import (
	"context"
	"errors"

	"outlay"
)

const accountColumns = `org_id, id, name, provider, credential, identity, status, created_at`

func scanAccount(r row) (a outlay.CloudAccount, err error) {
	err = r.Scan(&a.OrgID, &a.ID, &a.Name, &a.Provider, fromJSON{&a.Credential}, fromJSON{&a.Identity}, fromJSON{&a.Status}, when{&a.CreatedAt})
	return a, err
}

// Account is one cloud account.
func (t *tx) Account(ctx context.Context, id string) (outlay.CloudAccount, error) {
	const query = `SELECT ` + accountColumns + ` FROM cloud_accounts WHERE org_id = $1 AND id = $2 AND removed = 0`
	return find(ctx, t.q, say("reading the cloud account", query, t.org, id), "cloud account", scanAccount)
}

// Accounts lists the cloud accounts by name.
func (t *tx) Accounts(ctx context.Context) ([]outlay.CloudAccount, error) {
	const query = `SELECT ` + accountColumns + ` FROM cloud_accounts WHERE org_id = $1 AND removed = 0 ORDER BY name`
	return list(ctx, t.q, say("reading the cloud accounts", query, t.org), scanAccount)
}

// PutAccount stores an account. One that was removed does not come back: a look that was under way meanwhile gets
// CodeConflict.
func (t *tx) PutAccount(ctx context.Context, a outlay.CloudAccount) error {
	const taken = `SELECT id FROM cloud_accounts WHERE org_id = $1 AND name = $2 AND id <> $3 AND removed = 0`
	_, err := first(ctx, t.q, say("looking for the account's name", taken, t.org, a.Name, a.ID), scalar[string])
	if err == nil {
		return outlay.Errorf(outlay.CodeConflict, "Choose another name.", "a cloud account named %s exists already", a.Name).InField("name")
	}
	if !errors.Is(err, errNone) {
		return err
	}
	const put = `INSERT INTO cloud_accounts (` + accountColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (org_id, id) DO UPDATE SET name = excluded.name, provider = excluded.provider, credential = excluded.credential,
			identity = excluded.identity, status = excluded.status, created_at = excluded.created_at
		WHERE cloud_accounts.removed = 0`
	n, err := run(ctx, t.q, say("storing the cloud account", put, t.org, a.ID, a.Name, a.Provider, asJSON{a.Credential}, asJSON{a.Identity}, asJSON{a.Status}, micros(a.CreatedAt)))
	if err == nil && n == 0 {
		err = outlay.Errorf(outlay.CodeConflict, "Add it again.", "the cloud account %s was removed", a.Name)
	}
	return err
}

// DeleteAccount removes an account and its secrets. A bare row stays for the operations and sources that refer to it.
func (t *tx) DeleteAccount(ctx context.Context, id string) error {
	const wanted = `SELECT name FROM sources WHERE org_id = $1 AND account_id = $2 AND desired = 'present' ORDER BY name`
	source, err := first(ctx, t.q, say("looking for the account's sources", wanted, t.org, id), scalar[string])
	if err == nil {
		return outlay.Errorf(outlay.CodeConflict, "Deprovision the source first.", "the cloud account owns the source %s", source)
	}
	if !errors.Is(err, errNone) {
		return err
	}
	const active = `SELECT id FROM operations WHERE org_id = $1 AND account_id = $2 AND status IN ('queued', 'running', 'waiting')`
	operation, err := first(ctx, t.q, say("looking for the account's operations", active, t.org, id), scalar[string])
	if err == nil {
		return outlay.Errorf(outlay.CodeConflict, "Wait for the operation to end, or end it.", "the operation %s on the cloud account is active", operation)
	}
	if !errors.Is(err, errNone) {
		return err
	}
	const remove = `UPDATE cloud_accounts SET removed = 1, credential = NULL, status = NULL WHERE org_id = $1 AND id = $2 AND removed = 0`
	n, err := run(ctx, t.q, say("removing the cloud account", remove, t.org, id))
	if err == nil && n == 0 {
		err = notFound("cloud account")
	}
	return err
}

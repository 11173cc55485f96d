package sqldb

import (
	"context"
	"errors"

	"outlay"
)

// install is the installation's tables. Its transactions enter no organization: on PostgreSQL every tenant table looks
// empty to them.
type install struct{ store *Store }

var _ outlay.Install = (*install)(nil)

func (i *install) read(ctx context.Context, fn func(querier) error) error {
	return i.store.transact(ctx, begin{db: i.store.read, readOnly: true}, fn)
}

func (i *install) write(ctx context.Context, fn func(querier) error) error {
	return i.store.transact(ctx, begin{db: i.store.write}, fn)
}

// Organizations lists the tenants by name.
func (i *install) Organizations(ctx context.Context) (out []outlay.Organization, err error) {
	err = i.read(ctx, func(q querier) error {
		out, err = list(ctx, q, say("reading the organizations", `SELECT `+organizationColumns+` FROM organizations ORDER BY name, id`), scanOrganization)
		return err
	})
	return out, err
}

// AddOrganization makes a tenant; CodeConflict when its id is taken.
func (i *install) AddOrganization(ctx context.Context, o outlay.Organization) error {
	const add = `INSERT INTO organizations (` + organizationColumns + `) VALUES ($1, $2, $3)`
	return i.write(ctx, func(q querier) error {
		_, err := run(ctx, q, say("adding the organization", add, o.ID, o.Name, micros(o.CreatedAt)))
		return err
	})
}

// Meta reads a small value.
func (i *install) Meta(ctx context.Context, key string) (value string, err error) {
	err = i.read(ctx, func(q querier) error {
		value, err = first(ctx, q, say("reading "+key, `SELECT value FROM meta WHERE key = $1`, key), scalar[string])
		if errors.Is(err, errNone) {
			return nil
		}
		return err
	})
	return value, err
}

// PutMeta stores a small value.
func (i *install) PutMeta(ctx context.Context, key, value string) error {
	const put = `INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`
	return i.write(ctx, func(q querier) error {
		_, err := run(ctx, q, say("storing "+key, put, key, value))
		return err
	})
}

package sqldb

import (
	"context"

	"outlay"
)

const resourceColumns = `org_id, source_id, kind, name, state, origin, provider_id, created, intent_at, not_before, last_seen, operation_id, properties, owner, objects, bytes, foreigners, last_error`

const resourceSelect = `SELECT org_id, source_id, kind, name, state, origin, provider_id, created, intent_at, not_before, last_seen,
	COALESCE(operation_id, ''), properties, owner, objects, bytes, foreigners, last_error FROM resources`

func scanResource(r row) (x outlay.Resource, err error) {
	err = r.Scan(&x.OrgID, &x.SourceID, &x.Kind, &x.Name, &x.State, &x.Origin, &x.ProviderID, when{&x.Created}, when{&x.IntentAt}, when{&x.NotBefore},
		when{&x.LastSeen}, &x.OperationID, fromJSON{&x.Properties}, fromJSON{&x.Owner}, &x.Objects, &x.Bytes, &x.Foreign, &x.LastError)
	return x, err
}

// Resources is the ledger of a source, or of all with "".
func (t *tx) Resources(ctx context.Context, sourceID string) ([]outlay.Resource, error) {
	const where = ` WHERE org_id = $1 AND ($2 = '' OR source_id = $2) ORDER BY source_id, kind, name`
	return list(ctx, t.q, say("reading the resources", resourceSelect+where, t.org, sourceID), scanResource)
}

// PutResource stores a line of the ledger.
func (t *tx) PutResource(ctx context.Context, x outlay.Resource) error {
	const put = `INSERT INTO resources (` + resourceColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT (org_id, source_id, kind, name) DO UPDATE SET state = excluded.state, origin = excluded.origin, provider_id = excluded.provider_id,
			created = excluded.created, intent_at = excluded.intent_at, not_before = excluded.not_before, last_seen = excluded.last_seen,
			operation_id = excluded.operation_id, properties = excluded.properties, owner = excluded.owner, objects = excluded.objects,
			bytes = excluded.bytes, foreigners = excluded.foreigners, last_error = excluded.last_error`
	_, err := run(ctx, t.q, say("storing the resource", put, t.org, x.SourceID, x.Kind, x.Name, x.State, x.Origin, x.ProviderID, micros(x.Created),
		micros(x.IntentAt), micros(x.NotBefore), micros(x.LastSeen), optional(x.OperationID), asJSON{x.Properties}, asJSON{x.Owner},
		x.Objects, x.Bytes, x.Foreign, x.LastError))
	return err
}

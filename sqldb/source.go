package sqldb

import (
	"context"
	"errors"

	"outlay"
)

const sourceColumns = `org_id, id, name, provider, account_id, scope_id, scope_name, scope_payer, origin, spec, cost_files, desired, created_at`

const sourceSelect = `SELECT org_id, id, name, provider, COALESCE(account_id, ''), scope_id, scope_name, scope_payer, origin, spec, cost_files, desired, created_at FROM sources`

func scanSource(r row) (s outlay.Source, err error) {
	err = r.Scan(&s.OrgID, &s.ID, &s.Name, &s.Provider, &s.AccountID, &s.Scope.ID, &s.Scope.Name, truth{&s.Scope.IsPayer}, &s.Origin,
		fromJSON{&s.Spec}, &s.CostFiles, &s.Desired, when{&s.CreatedAt})
	return s, err
}

// Source is one source with its resources.
func (t *tx) Source(ctx context.Context, id string) (outlay.Source, error) {
	s, err := find(ctx, t.q, say("reading the source", sourceSelect+` WHERE org_id = $1 AND id = $2`, t.org, id), "source", scanSource)
	if err != nil {
		return s, err
	}
	s.Resources, err = t.Resources(ctx, id)
	return s, err
}

// Sources lists the sources with their resources, oldest first.
func (t *tx) Sources(ctx context.Context) ([]outlay.Source, error) {
	sources, err := list(ctx, t.q, say("reading the sources", sourceSelect+` WHERE org_id = $1 ORDER BY created_at, id`, t.org), scanSource)
	if err != nil {
		return nil, err
	}
	resources, err := t.Resources(ctx, "")
	if err != nil {
		return nil, err
	}
	of := map[string][]outlay.Resource{}
	for _, r := range resources {
		of[r.SourceID] = append(of[r.SourceID], r)
	}
	for i := range sources {
		sources[i].Resources = of[sources[i].ID]
	}
	return sources, nil
}

// PutSource stores a source without its resources.
func (t *tx) PutSource(ctx context.Context, s outlay.Source) error {
	if s.Origin == outlay.OriginCreated && s.Desired == outlay.Present {
		if err := t.onlyWanted(ctx, s); err != nil {
			return err
		}
	}
	const put = `INSERT INTO sources (` + sourceColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (org_id, id) DO UPDATE SET name = excluded.name, provider = excluded.provider, account_id = excluded.account_id,
			scope_id = excluded.scope_id, scope_name = excluded.scope_name, scope_payer = excluded.scope_payer, origin = excluded.origin,
			spec = excluded.spec, cost_files = excluded.cost_files, desired = excluded.desired, created_at = excluded.created_at`
	_, err := run(ctx, t.q, say("storing the source", put, t.org, s.ID, s.Name, s.Provider, optional(s.AccountID), s.Scope.ID, s.Scope.Name,
		flag(s.Scope.IsPayer), s.Origin, asJSON{s.Spec}, s.CostFiles, s.Desired, micros(s.CreatedAt)))
	return err
}

// onlyWanted refuses a second wanted source of ours on a billing scope, naming the first.
func (t *tx) onlyWanted(ctx context.Context, s outlay.Source) error {
	const query = `SELECT name FROM sources WHERE org_id = $1 AND provider = $2 AND scope_id = $3 AND origin = 'created' AND desired = 'present' AND id <> $4`
	name, err := first(ctx, t.q, say("looking for the scope's source", query, t.org, s.Provider, s.Scope.ID, s.ID), scalar[string])
	if errors.Is(err, errNone) {
		return nil
	}
	if err != nil {
		return err
	}
	return outlay.Errorf(outlay.CodeConflict, "Use the source that is there: every account of the billing scope finds the data by it.",
		"the billing scope %s is provisioned already, by the source %s", s.Scope.ID, name)
}

func scanCoverage(r row) (c outlay.Coverage, err error) {
	err = r.Scan(&c.OrgID, &c.SourceID, &c.SubAccountID, &c.Name, &c.Basis, when{&c.SeenAt})
	return c, err
}

// Coverage lists what sources cover: one row per (source, sub account, basis), because being a member and having been
// seen are two facts, and one must not overwrite the other.
func (t *tx) Coverage(ctx context.Context, sourceID string) ([]outlay.Coverage, error) {
	const query = `SELECT org_id, source_id, sub_account_id, name, basis, seen_at FROM coverage
		WHERE org_id = $1 AND ($2 = '' OR source_id = $2) ORDER BY source_id, sub_account_id, basis`
	return list(ctx, t.q, say("reading the coverage", query, t.org, sourceID), scanCoverage)
}

// PutCoverage stores one fact.
func (t *tx) PutCoverage(ctx context.Context, c outlay.Coverage) error {
	const put = `INSERT INTO coverage (org_id, source_id, sub_account_id, name, basis, seen_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (org_id, source_id, sub_account_id, basis) DO UPDATE SET name = excluded.name, seen_at = excluded.seen_at`
	_, err := run(ctx, t.q, say("storing the coverage", put, t.org, c.SourceID, c.SubAccountID, c.Name, c.Basis, micros(c.SeenAt)))
	return err
}

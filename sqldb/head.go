package sqldb

import (
	"context"
	"errors"

	"outlay"
)

const headColumns = `org_id, source_id, period, provider, origin, unit_id, version, generation, snapshot, files, rollups, proof, sub_accounts, data_through, delivered_at, published_at, previous`

const headSelect = `SELECT org_id, source_id, period, provider, origin, COALESCE(unit_id, ''), version, generation, snapshot, files, rollups, proof,
	sub_accounts, data_through, delivered_at, published_at, previous FROM heads`

func scanHead(r row) (h outlay.Head, err error) {
	err = r.Scan(&h.OrgID, &h.SourceID, &h.Period, &h.Provider, &h.Origin, &h.UnitID, when{&h.Version}, &h.Generation, &h.Snapshot, fromJSON{&h.Files},
		fromJSON{&h.Rollups}, fromJSON{&h.Proof}, fromJSON{&h.SubAccounts}, when{&h.DataThrough}, when{&h.DeliveredAt}, when{&h.PublishedAt}, fromJSON{&h.Previous})
	return h, err
}

// Heads lists what is published, by source and period.
func (t *tx) Heads(ctx context.Context) ([]outlay.Head, error) {
	return list(ctx, t.q, say("reading the heads", headSelect+` WHERE org_id = $1 ORDER BY source_id, period`, t.org), scanHead)
}

// Publish moves a head forward in one conditional statement. Where the caller names no Previous, the proof that is
// replaced becomes it.
func (t *tx) Publish(ctx context.Context, h outlay.Head) error {
	const put = `INSERT INTO heads (` + headColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (org_id, source_id, period) DO UPDATE SET provider = excluded.provider, origin = excluded.origin, unit_id = excluded.unit_id,
			version = excluded.version, generation = excluded.generation, snapshot = excluded.snapshot, files = excluded.files,
			rollups = excluded.rollups, proof = excluded.proof, sub_accounts = excluded.sub_accounts, data_through = excluded.data_through,
			delivered_at = excluded.delivered_at, published_at = excluded.published_at, previous = COALESCE(excluded.previous, heads.proof)
		WHERE heads.version < excluded.version`
	n, err := run(ctx, t.q, say("publishing the period", put, t.org, h.SourceID, h.Period, h.Provider, h.Origin, optional(h.UnitID), micros(h.Version),
		h.Generation, h.Snapshot, asJSON{h.Files}, asJSON{h.Rollups}, asJSON{h.Proof}, asJSON{h.SubAccounts}, micros(h.DataThrough),
		micros(h.DeliveredAt), micros(h.PublishedAt), asJSON{h.Previous}))
	if err != nil {
		return err
	}
	if n == 0 {
		return outlay.Errorf(outlay.CodeConflict, "Nothing needs to be done.", "a version of %s that is as new or newer is published already", h.Period)
	}
	return t.raiseHeadsVersion(ctx)
}

// DeleteHeads takes a source's charges off the dashboard.
func (t *tx) DeleteHeads(ctx context.Context, sourceID string) error {
	n, err := run(ctx, t.q, say("removing the heads", `DELETE FROM heads WHERE org_id = $1 AND source_id = $2`, t.org, sourceID))
	if err != nil || n == 0 {
		return err
	}
	return t.raiseHeadsVersion(ctx)
}

func (t *tx) raiseHeadsVersion(ctx context.Context) error {
	const raise = `INSERT INTO head_versions (org_id, version) VALUES ($1, 1)
		ON CONFLICT (org_id) DO UPDATE SET version = head_versions.version + 1`
	_, err := run(ctx, t.q, say("raising the version of the heads", raise, t.org))
	return err
}

// HeadsVersion counts the changes of heads; 0 before the first.
func (t *tx) HeadsVersion(ctx context.Context) (int64, error) {
	v, err := first(ctx, t.q, say("reading the version of the heads", `SELECT version FROM head_versions WHERE org_id = $1`, t.org), scalar[int64])
	if errors.Is(err, errNone) {
		return 0, nil
	}
	return v, err
}

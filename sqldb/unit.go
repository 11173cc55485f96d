package sqldb

import (
	"context"
	"time"

	"outlay"
)

const unitColumns = `org_id, id, source_id, period, version, token, delivery, state, attempts, problem, proof, seen_at, loaded_at`

const unitSelect = `SELECT org_id, id, source_id, period, delivery, state, attempts, problem, proof, seen_at, loaded_at FROM units`

func scanUnit(r row) (u outlay.Unit, err error) {
	err = r.Scan(&u.OrgID, &u.ID, &u.SourceID, &u.Period, fromJSON{&u.Delivery}, &u.State, &u.Attempts, fromJSON{&u.Problem}, fromJSON{&u.Proof},
		when{&u.SeenAt}, when{&u.LoadedAt})
	return u, err
}

// Unit is one unit.
func (t *tx) Unit(ctx context.Context, id string) (outlay.Unit, error) {
	return find(ctx, t.q, say("reading the unit", unitSelect+` WHERE org_id = $1 AND id = $2`, t.org, id), "unit", scanUnit)
}

// Units lists units, newest version first.
func (t *tx) Units(ctx context.Context, sourceID string) ([]outlay.Unit, error) {
	const where = ` WHERE org_id = $1 AND ($2 = '' OR source_id = $2) ORDER BY version DESC, period DESC, id`
	return list(ctx, t.q, say("reading the units", unitSelect+where, t.org, sourceID), scanUnit)
}

// AddUnit makes a unit wait to be loaded, unless it is known.
func (t *tx) AddUnit(ctx context.Context, u outlay.Unit) (outlay.Unit, bool, error) {
	u = stored(u)
	u.State = outlay.UnitWaiting
	const add = `INSERT INTO units (` + unitColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (org_id, source_id, period, version, token) DO NOTHING`
	n, err := run(ctx, t.q, say("adding the unit", add, t.org, u.ID, u.SourceID, u.Period, micros(u.Delivery.Version), u.Delivery.Token, asJSON{u.Delivery},
		u.State, u.Attempts, asJSON{u.Problem}, asJSON{u.Proof}, micros(u.SeenAt), micros(u.LoadedAt)))
	if err != nil {
		return outlay.Unit{}, false, err
	}
	const same = ` WHERE org_id = $1 AND source_id = $2 AND period = $3 AND version = $4 AND token = $5`
	known, err := find(ctx, t.q, say("reading the unit", unitSelect+same, t.org, u.SourceID, u.Period, micros(u.Delivery.Version), u.Delivery.Token), "unit", scanUnit)
	return known, n == 1, err
}

// PutUnit stores how far loading got; CodeNotFound when there is no such unit. Source, period, version and token stay.
func (t *tx) PutUnit(ctx context.Context, u outlay.Unit) error {
	u = stored(u)
	const put = `UPDATE units SET delivery = $3, state = $4, attempts = $5, problem = $6, proof = $7, seen_at = $8, loaded_at = $9
		WHERE org_id = $1 AND id = $2`
	n, err := run(ctx, t.q, say("storing the unit", put, t.org, u.ID, asJSON{u.Delivery}, u.State, u.Attempts, asJSON{u.Problem}, asJSON{u.Proof},
		micros(u.SeenAt), micros(u.LoadedAt)))
	if err == nil && n == 0 {
		err = notFound("unit")
	}
	return err
}

// stored is u as it will be read again: the version of its delivery in whole microseconds of UTC, like the column.
func stored(u outlay.Unit) outlay.Unit {
	u.Delivery.Version = u.Delivery.Version.UTC().Truncate(time.Microsecond)
	return u
}

package sqldb

import (
	"context"
	"time"
)

// operationKind is the kind of an operation's row in the index of due work; no task may bear it.
const operationKind = "operation"

// makeDue sets when a subject is due, and leaves a lease as it is.
func (t *tx) makeDue(ctx context.Context, kind, subject string, at time.Time) error {
	const put = `INSERT INTO due (org_id, kind, subject, next_at, lease_owner, lease_until, moved) VALUES ($1, $2, $3, $4, '', 0, 1)
		ON CONFLICT (org_id, kind, subject) DO UPDATE SET next_at = excluded.next_at, moved = 1`
	_, err := run(ctx, t.q, say("setting when it is due", put, t.org, kind, subject, micros(at)))
	return err
}

// handBack is makeDue that ends the lease too.
func (t *tx) handBack(ctx context.Context, kind, subject string, at time.Time) error {
	const put = `INSERT INTO due (org_id, kind, subject, next_at, lease_owner, lease_until, moved) VALUES ($1, $2, $3, $4, '', 0, 0)
		ON CONFLICT (org_id, kind, subject) DO UPDATE SET next_at = excluded.next_at, lease_owner = '', lease_until = 0, moved = 0`
	_, err := run(ctx, t.q, say("setting when it is due", put, t.org, kind, subject, micros(at)))
	return err
}

// neverDue takes a subject out of the index.
func (t *tx) neverDue(ctx context.Context, kind, subject string) error {
	_, err := run(ctx, t.q, say("ending the work", `DELETE FROM due WHERE org_id = $1 AND kind = $2 AND subject = $3`, t.org, kind, subject))
	return err
}

// lease says who takes work, as of when, and until when.
type lease struct {
	owner      string
	now, until time.Time
}

// take leases a subject that is still due and not leased; false when somebody was first.
func (t *tx) take(ctx context.Context, kind, subject string, l lease) (bool, error) {
	const query = `UPDATE due SET lease_owner = $4, lease_until = $5, moved = 0
		WHERE org_id = $1 AND kind = $2 AND subject = $3 AND next_at <= $6 AND lease_until <= $6`
	n, err := run(ctx, t.q, say("taking the work", query, t.org, kind, subject, l.owner, micros(l.until), micros(l.now)))
	return n == 1, err
}

// extend moves the end of a lease that its owner still holds. One that was handed back stays free.
func (t *tx) extend(ctx context.Context, kind, subject string, l lease) error {
	const query = `UPDATE due SET lease_until = $5 WHERE org_id = $1 AND kind = $2 AND subject = $3 AND lease_owner = $4`
	_, err := run(ctx, t.q, say("renewing the lease", query, t.org, kind, subject, l.owner, micros(l.until)))
	return err
}

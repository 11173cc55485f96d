package sqldb

import (
	"context"
	"errors"
	"time"
)

// forgetAfter is how long a failed sign-in counts.
const forgetAfter = 24 * time.Hour

// place is where an index leads: an organization and an id in it.
type place struct{ org, id string }

func scanPlace(r row) (p place, err error) {
	err = r.Scan(&p.org, &p.id)
	return p, err
}

// UserByEmail finds who signs in with an address.
func (i *install) UserByEmail(ctx context.Context, email string) (orgID, userID string, err error) {
	p, err := i.lookUp(ctx, say("looking for the login", `SELECT org_id, user_id FROM logins WHERE email = $1`, loginKey(email)), "user")
	return p.org, p.id, err
}

// TokenByHash finds an API token.
func (i *install) TokenByHash(ctx context.Context, hash string) (orgID, tokenID string, err error) {
	p, err := i.lookUp(ctx, say("looking for the token", `SELECT org_id, token_id FROM token_hashes WHERE hash = $1`, hash), "API token")
	return p.org, p.id, err
}

func (i *install) lookUp(ctx context.Context, s statement, what string) (p place, err error) {
	err = i.read(ctx, func(q querier) error {
		p, err = find(ctx, q, s, what, scanPlace)
		return err
	})
	return p, err
}

// failures is a count of failed sign-ins and when the last was.
type failures struct {
	count int
	last  time.Time
}

func scanFailures(r row) (f failures, err error) {
	err = r.Scan(&f.count, when{&f.last})
	return f, err
}

// Attempts counts the failures of a key; none is 0 and no time.
func (i *install) Attempts(ctx context.Context, key string) (int, time.Time, error) {
	var f failures
	err := i.read(ctx, func(q querier) (err error) {
		f, err = first(ctx, q, say("reading failed sign-ins", `SELECT failures, last FROM login_failures WHERE key = $1`, key), scanFailures)
		if errors.Is(err, errNone) {
			return nil
		}
		return err
	})
	return f.count, f.last, err
}

// Fail counts one more failure, and forgets those of any key that are a day old.
func (i *install) Fail(ctx context.Context, key string, at time.Time) error {
	const add = `INSERT INTO login_failures (key, failures, last) VALUES ($1, 1, $2)
		ON CONFLICT (key) DO UPDATE SET failures = login_failures.failures + 1, last = excluded.last`
	return i.write(ctx, func(q querier) error {
		old := micros(at.Add(-forgetAfter))
		if _, err := run(ctx, q, say("forgetting failed sign-ins", `DELETE FROM login_failures WHERE last < $1`, old)); err != nil {
			return err
		}
		_, err := run(ctx, q, say("counting a failed sign-in", add, key, micros(at)))
		return err
	})
}

// Succeed forgets the failures of a key.
func (i *install) Succeed(ctx context.Context, key string) error {
	return i.write(ctx, func(q querier) error {
		_, err := run(ctx, q, say("forgetting failed sign-ins", `DELETE FROM login_failures WHERE key = $1`, key))
		return err
	})
}

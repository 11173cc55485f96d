package sqldb

import (
	"context"
	"errors"
	"time"

	"outlay"
)

// sessions keeps signed-in browsers. Tokens arrive hashed (scs with HashTokenInStore) and are stored as they come.
// Expiry is measured on the machine's clock, as scs measures it.
type sessions struct {
	install *install
	clock   outlay.Clock
}

// Sessions keeps server-side sessions.
func (i *install) Sessions() outlay.Sessions {
	return &sessions{install: i, clock: outlay.SystemClock{}}
}

// FindCtx reads a session that has not expired.
func (s *sessions) FindCtx(ctx context.Context, token string) (b []byte, found bool, err error) {
	const query = `SELECT data FROM sessions WHERE token = $1 AND expiry > $2`
	err = s.install.read(ctx, func(q querier) error {
		b, err = first(ctx, q, say("reading the session", query, token, micros(s.clock.Now())), scalar[[]byte])
		if errors.Is(err, errNone) {
			return nil
		}
		found = err == nil
		return err
	})
	return b, found, err
}

// CommitCtx stores a session, and sweeps those that have expired.
func (s *sessions) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	const put = `INSERT INTO sessions (token, data, expiry) VALUES ($1, $2, $3)
		ON CONFLICT (token) DO UPDATE SET data = excluded.data, expiry = excluded.expiry`
	if b == nil {
		b = []byte{}
	}
	return s.install.write(ctx, func(q querier) error {
		if _, err := run(ctx, q, say("sweeping sessions", `DELETE FROM sessions WHERE expiry <= $1`, micros(s.clock.Now()))); err != nil {
			return err
		}
		_, err := run(ctx, q, say("storing the session", put, token, b, micros(expiry)))
		return err
	})
}

// DeleteCtx ends a session; one that is not there is no error.
func (s *sessions) DeleteCtx(ctx context.Context, token string) error {
	return s.install.write(ctx, func(q querier) error {
		_, err := run(ctx, q, say("ending the session", `DELETE FROM sessions WHERE token = $1`, token))
		return err
	})
}

// session is one signed-in browser.
type session struct {
	token string
	data  []byte
}

func scanSession(r row) (x session, err error) {
	err = r.Scan(&x.token, &x.data)
	return x, err
}

// AllCtx reads every session that has not expired, by token.
func (s *sessions) AllCtx(ctx context.Context) (map[string][]byte, error) {
	var all []session
	err := s.install.read(ctx, func(q querier) (err error) {
		all, err = list(ctx, q, say("reading the sessions", `SELECT token, data FROM sessions WHERE expiry > $1`, micros(s.clock.Now())), scanSession)
		return err
	})
	out := make(map[string][]byte, len(all))
	for _, x := range all {
		out[x.token] = x.data
	}
	return out, err
}

// Find is FindCtx without a context.
func (s *sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (s *sessions) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete is DeleteCtx without a context.
func (s *sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

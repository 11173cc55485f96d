package sqldb

import "context"

// Single tells whether one server is all that may work on this store: SQLite is for one node (reliability.md §0.1 a).
func (s *Store) Single() bool { return s.dialect == sqlite }

// FreeLeases makes leased work due again, for a server that knows itself to be the only one: whoever held a lease was
// killed. Fences are raised with the next claim as always, so a holder that lives after all can write nothing. On
// PostgreSQL it does nothing, because others may be at work; there a lease runs out.
func (s *Store) FreeLeases(ctx context.Context) error {
	if !s.Single() {
		return nil
	}
	return (&install{store: s}).write(ctx, func(q querier) error {
		_, err := run(ctx, q, say("freeing the leases of a killed server", `UPDATE due SET lease_until = 0 WHERE lease_until > 0`))
		return err
	})
}

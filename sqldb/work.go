package sqldb

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"outlay"
)

// subject is one line of the index of due work.
type subject struct {
	org, kind, id string
	nextAt        int64
}

func scanSubject(r row) (s subject, err error) {
	err = r.Scan(&s.org, &s.kind, &s.id, &s.nextAt)
	return s, err
}

// candidates is how many due subjects are looked at together: workers that look at once each find one.
const candidates = 16

// errTaken says that somebody else was first.
var errTaken = errors.New("taken")

// claim takes the longest due subject of any of the kinds, and calls raise within the same transaction of its
// organization. The index is read without a lock; the lease is one conditional statement, so that each subject goes to
// one worker however many look.
func (i *install) claim(ctx context.Context, kinds []string, l lease, raise func(*tx, subject) error) (bool, error) {
	for {
		due, err := i.due(ctx, kinds, l.now)
		if err != nil || len(due) == 0 {
			return false, err
		}
		for _, s := range due {
			err := i.store.forOrg(ctx, s.org, func(t *tx) error {
				won, err := t.take(ctx, s.kind, s.id, l)
				if err == nil && !won {
					err = errTaken
				}
				if err != nil {
					return err
				}
				return raise(t, s)
			})
			if !errors.Is(err, errTaken) {
				return err == nil, err
			}
		}
	}
}

// due lists what is due and not leased, longest first.
func (i *install) due(ctx context.Context, kinds []string, now time.Time) (all []subject, err error) {
	const query = `SELECT org_id, kind, subject, next_at FROM due WHERE kind = $1 AND next_at <= $2 AND lease_until <= $2
		ORDER BY next_at, org_id, subject LIMIT $3`
	err = i.read(ctx, func(q querier) error {
		all = nil
		for _, kind := range kinds {
			some, err := list(ctx, q, say("looking for due work", query, kind, micros(now), candidates), scanSubject)
			if err != nil {
				return err
			}
			all = append(all, some...)
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b subject) int { return cmp.Compare(a.nextAt, b.nextAt) })
	return all, err
}

// ClaimOperation leases one due operation.
func (i *install) ClaimOperation(ctx context.Context, owner string, now, until time.Time) (*outlay.Operation, error) {
	var o outlay.Operation
	found, err := i.claim(ctx, []string{operationKind}, lease{owner, now, until}, func(t *tx, s subject) error {
		const raise = `UPDATE operations SET fence = fence + 1 WHERE org_id = $1 AND id = $2`
		_, err := run(ctx, t.q, say("raising the fence", raise, t.org, s.id))
		if err == nil {
			o, err = t.Operation(ctx, s.id)
		}
		return err
	})
	if !found {
		return nil, err
	}
	return &o, nil
}

// ClaimTask leases one due task.
func (i *install) ClaimTask(ctx context.Context, kinds []string, owner string, now, until time.Time) (*outlay.Task, error) {
	var k outlay.Task
	kinds = slices.DeleteFunc(slices.Clone(kinds), func(kind string) bool { return kind == operationKind })
	found, err := i.claim(ctx, kinds, lease{owner, now, until}, func(t *tx, s subject) error {
		const raise = `UPDATE tasks SET fence = fence + 1 WHERE org_id = $1 AND kind = $2 AND subject = $3`
		_, err := run(ctx, t.q, say("raising the fence", raise, t.org, s.kind, s.id))
		if err == nil {
			k, err = t.task(ctx, s.kind, s.id)
		}
		return err
	})
	if !found {
		return nil, err
	}
	return &k, nil
}

// RenewOperation extends the lease of an operation that its fence still holds, and notes it in o.
func (i *install) RenewOperation(ctx context.Context, o *outlay.Operation, until time.Time) error {
	err := i.store.forOrg(ctx, o.OrgID, func(t *tx) error {
		now, err := t.Operation(ctx, o.ID)
		if err == nil && now.Fence != o.Fence {
			err = t.refusedWrite(ctx, o.ID, o.Fence)
		}
		if err != nil {
			return err
		}
		return t.extend(ctx, operationKind, o.ID, lease{owner: o.LeaseOwner, until: until})
	})
	if err == nil {
		o.LeaseUntil = until
	}
	return err
}

// RenewTask extends the lease of a task that its fence still holds, and notes it in k.
func (i *install) RenewTask(ctx context.Context, k *outlay.Task, until time.Time) error {
	err := i.store.forOrg(ctx, k.OrgID, func(t *tx) error {
		now, err := t.task(ctx, k.Kind, k.Subject)
		if outlay.CodeOf(err) == outlay.CodeNotFound || err == nil && now.Fence != k.Fence {
			err = lostTask(k)
		}
		if err != nil {
			return err
		}
		return t.extend(ctx, k.Kind, k.Subject, lease{owner: k.LeaseOwner, until: until})
	})
	if err == nil {
		k.LeaseUntil = until
	}
	return err
}

// FinishTask releases a task.
func (i *install) FinishTask(ctx context.Context, k *outlay.Task) error {
	return i.store.forOrg(ctx, k.OrgID, func(t *tx) error { return t.finishTask(ctx, *k) })
}

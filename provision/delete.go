package provision

import (
	"context"
	"errors"
	"fmt"

	"outlay"
	"outlay/operation"
)

// errNotOurs stops a deletion that one of the two locks forbids.
func errNotOurs(name, why string) *outlay.Error {
	return outlay.Errorf(outlay.CodeConflict, "Remove it by hand if it should go, then try again.", "%s is left alone: %s", name, why)
}

// delete removes what is ours twice over: by the ledger's row, read in the transaction right before the call, and by
// the marks on the live resource, read right after that (reliability.md P1).
func (j *job) delete(ctx context.Context, i int, c outlay.Change) error {
	gone := false
	return j.run.Mutate(ctx, i, operation.Mutation{
		Action: fmt.Sprintf("cloud:%s %s", c.Action, c.Kind),
		Object: c.Name,
		Intent: func(tx outlay.Tx) error {
			if err := j.reload(ctx, tx); err != nil {
				return err
			}
			lock, err := j.lock(c)
			if err != nil {
				return err
			}
			if lock.Key() != c.Key() || lock.State == outlay.StateDeleted {
				return nil
			}
			lock.State = outlay.StateDeleting
			return j.put(ctx, tx, lock)
		},
		Do: func(ctx context.Context) (err error) {
			if gone, err = j.vanished(ctx, c); err != nil || gone {
				return err
			}
			_, err = j.provider.Apply(ctx, &j.account, &j.source, c)
			return err
		},
		Record: func(tx outlay.Tx, callErr error) (string, error) {
			if callErr != nil {
				return "", errors.Join(callErr, j.undeleted(ctx, tx, i, c, callErr))
			}
			if row, ok := j.row(c.Key()); ok {
				row.State, row.LastSeen, row.LastError = outlay.StateDeleted, j.Clock.Now(), ""
				if err := j.put(ctx, tx, row); err != nil {
					return "", err
				}
			}
			if gone {
				return "Was gone already", nil
			}
			return orElse(c.Detail, c.Name), nil
		},
	})
}

// lock is the ledger row that allows a deletion, or why there is none.
func (j *job) lock(c outlay.Change) (outlay.Resource, error) {
	lock, ok := c.Lock(j.source.Resources)
	switch {
	case !ok:
		return lock, errNotOurs(c.Name, "our ledger does not say that we made it")
	case lock.State == outlay.StateAbandoned:
		return lock, errNotOurs(c.Name, "a person gave it up")
	}
	return lock, nil
}

// vanished tells whether what is to be deleted is surely gone; an error when it is there and not ours.
func (j *job) vanished(ctx context.Context, c outlay.Change) (bool, error) {
	lock, err := j.lock(c)
	if err != nil {
		return false, err
	}
	if lock.State == outlay.StateDeleted {
		return true, nil
	}
	live, err := j.resolve(ctx, outlay.Change{Kind: lock.Kind, Name: lock.Name, Settle: c.Settle}, lock)
	if wait, foreign := errors.AsType[*operation.Wait](err); foreign {
		return false, errNotOurs(c.Name, wait.Problem.Message)
	}
	return live == nil, err
}

// undeleted records a failed deletion. What was emptied before may have filled again (a late delivery), so the
// earlier deletions of the same name are due again.
func (j *job) undeleted(ctx context.Context, tx outlay.Tx, i int, c outlay.Change, callErr error) error {
	if row, ok := j.row(c.Key()); ok && row.State == outlay.StateDeleting {
		row.LastError = outlay.AsError(callErr).Message
		if err := j.put(ctx, tx, row); err != nil {
			return err
		}
	}
	for k, s := range j.steps[:i] {
		if s.role == roleChange && s.change.Action == outlay.ActionDelete && s.change.Name == c.Name && j.run.Done(k) {
			if err := j.run.Reopen(ctx, tx, k); err != nil {
				return err
			}
		}
	}
	return nil
}

package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"outlay"
	"outlay/operation"
)

// create makes what is not there, after a look where an earlier attempt may have made it.
func (j *job) create(ctx context.Context, i int, c outlay.Change) error {
	row, _ := j.row(c.Key())
	found, looked := j.found[c.Key()]
	if !looked && !row.IntentAt.IsZero() {
		var err error
		if found, err = j.resolve(ctx, c, row); err != nil {
			return errors.Join(err, j.run.Note(ctx, i, operation.ProblemOf(err, "").Message))
		}
	}
	if found != nil {
		return j.take(ctx, i, c, *found, outlay.CreatedByUs)
	}
	err := j.apply(ctx, i, c, func(row outlay.Resource) outlay.Resource {
		if row.IntentAt.IsZero() || row.State == outlay.StateDeleted {
			row.IntentAt = j.Clock.Now() // of the first attempt: an early one may still come into effect
		}
		// Whether it really is ours is decided by its marks and its age, whenever it matters (rule 6).
		row.State, row.Origin, row.OperationID = outlay.StateIntended, outlay.CreatedByUs, j.op.ID
		row.NotBefore = j.Clock.Now().Add(j.Settle(c.Kind, c.Settle))
		return row
	})
	if outlay.CodeOf(err) != outlay.CodeConflict || ctx.Err() != nil {
		return err
	}
	// 'Exists already' does not say whose it is.
	row, _ = j.row(c.Key())
	live, lookErr := j.resolve(ctx, c, row)
	if lookErr != nil || live == nil {
		return errors.Join(lookErr, err)
	}
	return j.take(ctx, i, c, *live, outlay.CreatedByUs)
}

// update changes settings of what is there; repeating it is harmless.
func (j *job) update(ctx context.Context, i int, c outlay.Change) error {
	return j.apply(ctx, i, c, func(row outlay.Resource) outlay.Resource {
		switch row.State {
		case outlay.StateCreated, outlay.StateVerified:
		default:
			row.State, row.IntentAt = outlay.StateIntended, j.Clock.Now()
		}
		if row.OperationID == "" {
			row.OperationID = j.op.ID
		}
		return row
	})
}

// apply does one change of the plan between its intent and its record.
func (j *job) apply(ctx context.Context, i int, c outlay.Change, intend func(outlay.Resource) outlay.Resource) error {
	var made outlay.Resource
	return j.run.Mutate(ctx, i, operation.Mutation{
		Action: fmt.Sprintf("cloud:%s %s", c.Action, c.Kind),
		Object: c.Name,
		Intent: func(tx outlay.Tx) error {
			if err := j.reload(ctx, tx); err != nil {
				return err
			}
			return j.put(ctx, tx, intend(j.rowFor(c)))
		},
		Do: func(ctx context.Context) (err error) {
			made, err = j.provider.Apply(ctx, &j.account, &j.source, c)
			return err
		},
		Record: func(tx outlay.Tx, callErr error) (string, error) {
			row := j.rowFor(c)
			if callErr != nil {
				return j.refuse(ctx, tx, c, row, callErr)
			}
			origin := outlay.CreatedByUs
			if c.Action != outlay.ActionCreate {
				origin = orElse(row.Origin, outlay.PreExisting) // a setting is not a thing that we could delete
			}
			return doneText(c, made), j.put(ctx, tx, j.recorded(row, made, origin))
		},
	})
}

// refuse records a failed call. What surely did not happen goes back to planned; what may have happened stays
// intended, with a new settle window.
func (j *job) refuse(ctx context.Context, tx outlay.Tx, c outlay.Change, row outlay.Resource, callErr error) (string, error) {
	e := outlay.AsError(callErr)
	if j.settling(c.Name) && (e.Code == outlay.CodeConflict || e.Code == outlay.CodeNotFound) && c.Action == outlay.ActionUpdate {
		e = outlay.Errorf(outlay.CodeUnavailable, "", "%s cannot be seen everywhere yet: %w", c.Name, e)
		callErr = e
	}
	row.LastError = e.Message
	passes := c.Soft && !e.Code.Retryable() && e.Outcome != outlay.Unknown
	if passes {
		row.Properties = refused(row.Properties, e.Code)
	}
	if row.State == outlay.StateIntended {
		switch {
		case passes:
			row.State = outlay.StateWaiting
		case e.Outcome == outlay.Unknown || e.Code == outlay.CodeConflict:
			row.NotBefore = j.Clock.Now().Add(j.Settle(c.Kind, c.Settle))
		default:
			row.State = outlay.StatePlanned
		}
	}
	if err := j.put(ctx, tx, row); err != nil {
		return "", err
	}
	if passes {
		return "Not done: " + e.Message + ". The hourly look tries again.", nil
	}
	return "", callErr
}

// refused adds to a row's properties why a change of it that may fail was not made.
func refused(properties map[string]string, why outlay.Code) map[string]string {
	out := maps.Clone(properties)
	if out == nil {
		out = map[string]string{}
	}
	out[outlay.PropRefused] = string(why)
	return out
}

// settling tells whether something of a name was made so recently that not everybody sees it yet.
func (j *job) settling(name string) bool {
	for _, r := range j.source.Resources {
		if r.Name == name && r.Origin == outlay.CreatedByUs && j.Clock.Now().Before(r.NotBefore) {
			return true
		}
	}
	return false
}

// take records what is there already: ours from an attempt that was cut off, or adopted by a person's confirmed plan.
// It makes no call.
func (j *job) take(ctx context.Context, i int, c outlay.Change, live outlay.Resource, origin outlay.ResourceOrigin) error {
	return j.run.Mutate(ctx, i, operation.Mutation{
		Action: fmt.Sprintf("cloud:%s %s", c.Action, c.Kind),
		Object: c.Name,
		Intent: func(outlay.Tx) error { return nil },
		Do:     func(context.Context) error { return nil },
		Record: func(tx outlay.Tx, _ error) (string, error) {
			return c.Name + " was there already", j.put(ctx, tx, j.recorded(j.rowFor(c), live, origin))
		},
	})
}

// adopt takes over what we did not make, because the person confirmed a plan that says so. It is never deleted by us.
func (j *job) adopt(ctx context.Context, i int, c outlay.Change) error {
	seen, err := j.observe(ctx, outlay.Look{Kinds: []outlay.ResourceKind{c.Kind}})
	if err != nil {
		return err
	}
	live, ok := seen.Find(c.Kind, c.Name)
	if !ok {
		return orUnread(seen, c.Kind, outlay.Errorf(outlay.CodeNotFound, "Start again and confirm a new plan.", "%s is not there any more", c.Name))
	}
	return j.take(ctx, i, c, live, outlay.Adopted)
}

func orUnread(seen outlay.Observation, kind outlay.ResourceKind, otherwise error) error {
	if err := unread(seen, kind); err != nil {
		return err
	}
	return otherwise
}

// hold records that a change cannot be made yet, and why; the hourly look tries it.
func (j *job) hold(ctx context.Context, c outlay.Change) error {
	return j.run.Ledger(ctx, func(tx outlay.Tx) error {
		row := j.rowFor(c)
		if row.State == outlay.StateCreated || row.State == outlay.StateVerified {
			return nil
		}
		row.State, row.LastError, row.Origin = outlay.StateWaiting, c.Hold, orElse(row.Origin, outlay.PreExisting)
		return j.put(ctx, tx, row)
	})
}

// rowFor is the ledger row of a change's resource, or a new one.
func (j *job) rowFor(c outlay.Change) outlay.Resource {
	if row, ok := j.row(c.Key()); ok {
		return row
	}
	return outlay.Resource{OrgID: j.op.OrgID, SourceID: j.op.SourceID, Kind: c.Kind, Name: c.Name, State: outlay.StatePlanned}
}

// recorded is a ledger row after its resource was made, changed or seen.
func (j *job) recorded(row, live outlay.Resource, origin outlay.ResourceOrigin) outlay.Resource {
	row.State, row.Origin = outlay.StateCreated, origin
	row.LastSeen, row.LastError = j.Clock.Now(), ""
	row.ProviderID = orElse(live.ProviderID, row.ProviderID)
	row.OperationID = orElse(row.OperationID, j.op.ID)
	if !live.Created.IsZero() {
		row.Created = live.Created
	}
	if live.Properties != nil {
		row.Properties = live.Properties
	}
	if live.Owner != nil {
		row.Owner = live.Owner
	}
	return row
}

func doneText(c outlay.Change, made outlay.Resource) string {
	if c.Detail != "" {
		return c.Detail
	}
	return orElse(made.Name, c.Name)
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

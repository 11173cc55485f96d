package provision

import (
	"context"
	"fmt"
	"slices"

	"outlay"
	"outlay/operation"
)

// publish is the last step: it looks once more at what was made or removed, writes that down, and has the hourly look
// go over the account at once.
func (j *job) publish(ctx context.Context) (string, error) {
	seen, err := j.survey(ctx)
	if err != nil {
		return "", err
	}
	if j.down() {
		return j.publishDown(ctx, seen)
	}
	verified := 0
	err = j.run.Ledger(ctx, func(tx outlay.Tx) error {
		if err := j.reload(ctx, tx); err != nil {
			return err
		}
		for _, row := range j.source.Resources {
			live, ok := seen.Find(row.Kind, row.Name)
			if !ok && row.Origin == outlay.CreatedByUs && row.State == outlay.StateCreated && j.changes(row) && unread(seen, row.Kind) == nil {
				return outlay.Errorf(outlay.CodeUnavailable, "", "%s was made, but cannot be seen yet", row.Name)
			}
			if !ok || row.State != outlay.StateCreated && row.State != outlay.StateVerified {
				continue
			}
			if row.Origin == outlay.CreatedByUs && !ours(live, row, j.source) {
				return errNotOurs(row.Name, "it lost the marks that say it is ours")
			}
			verified++
			row = j.recorded(row, live, row.Origin)
			row.State = outlay.StateVerified
			if err := tx.PutResource(ctx, row); err != nil {
				return err
			}
		}
		if j.op.Kind == outlay.OpReconcile {
			return nil // the look that asked for it comes back in its own time: a refusal must not go round in circles
		}
		return j.lookNow(ctx, tx)
	})
	return fmt.Sprintf("%d resources checked. %s", verified, j.provider.About().FirstData), err
}

// changes tells whether this run's plan is about a row's resource.
func (j *job) changes(row outlay.Resource) bool {
	return slices.ContainsFunc(j.op.Plan.Changes, func(c outlay.Change) bool { return c.Key() == row.Key() && c.Action != outlay.ActionKeep })
}

// survey looks at everything; a part that cannot be read is tried a few times and then left to the hourly look.
func (j *job) survey(ctx context.Context) (seen outlay.Observation, err error) {
	for range 3 {
		if seen, err = j.observe(ctx, outlay.Look{}); err != nil || len(seen.Unknown) == 0 {
			return seen, err
		}
		if err := j.run.Sleep(ctx, j.VerifyEvery); err != nil {
			return seen, err
		}
	}
	return seen, nil
}

// publishDown closes the ledger of what went, removes loaded history where that was asked for, and ends the source.
// A source of which something of ours is left (an undo of one run, say) stays wanted. What was surely refused, or turned
// out to be somebody else's, is not left: the next provisioning takes new names.
func (j *job) publishDown(ctx context.Context, seen outlay.Observation) (string, error) {
	detail := "Nothing of this run is left"
	if err := j.strays(ctx); err != nil {
		return "", err
	}
	if j.op.RemoveHistory {
		if err := j.removeHistory(ctx); err != nil {
			return "", err
		}
		detail += ", loaded history is removed"
	}
	return detail, j.run.Ledger(ctx, func(tx outlay.Tx) error {
		stored, err := tx.Source(ctx, j.op.SourceID)
		if err != nil {
			return err
		}
		left := false
		for _, row := range stored.Resources {
			if row, err = j.closed(ctx, tx, row, seen); err != nil {
				return err
			}
			left = left || row.Origin == outlay.CreatedByUs && unsettled(row.State) && !j.named(row)
		}
		if !left {
			stored.Desired, stored.Spec, stored.CostFiles = outlay.Absent, nil, j.op.CostFiles
			if err := tx.PutSource(ctx, stored); err != nil {
				return err
			}
		}
		return j.lookNow(ctx, tx)
	})
}

// strays looks for what is ours by the ledger but not in this run's plan: made by a run that was cut off, or not to be
// seen when the plan was made. It is not deleted, since nobody confirmed that, but it is not forgotten either.
func (j *job) strays(ctx context.Context) error {
	for _, row := range j.source.Resources {
		if row.Origin != outlay.CreatedByUs || row.IntentAt.IsZero() || !unsettled(row.State) || j.named(row) || !j.concerns(row) {
			continue
		}
		live, err := j.resolve(ctx, outlay.Change{Kind: row.Kind, Name: row.Name}, row)
		if err != nil {
			return err
		}
		if live != nil {
			return &operation.End{Problem: outlay.Problem{
				Code: outlay.CodeConflict, Message: row.Name + " appeared after the plan of this run was made", Fix: "Start the removal again: the new plan lists it.",
			}}
		}
		row.State = outlay.StateDeleted
		if err := j.run.Ledger(ctx, func(tx outlay.Tx) error { return tx.PutResource(ctx, row) }); err != nil {
			return err
		}
	}
	return nil
}

// unsettled tells whether a row in this state may stand for something that exists.
func unsettled(s outlay.ResourceState) bool {
	switch s {
	case outlay.StatePlanned, outlay.StateDeleted, outlay.StateForeign:
		return false
	}
	return true
}

// concerns tells whether the run is about what a row's operation made: an undo of another operation is not.
func (j *job) concerns(row outlay.Resource) bool {
	deletions := 0
	for _, c := range j.op.Plan.Changes {
		if c.Action != outlay.ActionDelete {
			continue
		}
		deletions++
		if lock, ok := c.Lock(j.source.Resources); ok && lock.OperationID == row.OperationID {
			return true
		}
	}
	return deletions == 0
}

// closed marks a row as deleted when its resource went with the one that contained it, such as the policy of a bucket.
func (j *job) closed(ctx context.Context, tx outlay.Tx, row outlay.Resource, seen outlay.Observation) (outlay.Resource, error) {
	if _, there := seen.Find(row.Kind, row.Name); there || row.State == outlay.StateDeleted || !j.deletes(row) {
		return row, nil
	}
	row.State, row.LastSeen = outlay.StateDeleted, j.Clock.Now()
	return row, tx.PutResource(ctx, row)
}

// deletes tells whether the plan deletes a resource of the row's name.
func (j *job) deletes(row outlay.Resource) bool {
	for _, c := range j.op.Plan.Changes {
		if c.Name == row.Name && c.Action == outlay.ActionDelete {
			return true
		}
	}
	return false
}

// named tells whether the plan mentions the row's name at all: what it keeps, the person has seen.
func (j *job) named(row outlay.Resource) bool {
	for _, c := range j.op.Plan.Changes {
		if c.Name == row.Name {
			return true
		}
	}
	return false
}

func (j *job) removeHistory(ctx context.Context) error {
	if j.RemoveHistory != nil {
		return j.RemoveHistory(ctx, j.op.OrgID, j.op.SourceID)
	}
	return j.run.Ledger(ctx, func(tx outlay.Tx) error { return tx.DeleteHeads(ctx, j.op.SourceID) })
}

// lookNow makes the look at the account due at once, and keeps its interval.
func (j *job) lookNow(ctx context.Context, tx outlay.Tx) error {
	task := outlay.Task{OrgID: j.op.OrgID, Kind: "look", Subject: j.op.AccountID, Every: j.LookEvery}
	known, err := tx.Tasks(ctx)
	if err != nil {
		return err
	}
	for _, t := range known {
		if t.Kind == task.Kind && t.Subject == task.Subject && t.Every > 0 {
			task.Every = t.Every
		}
	}
	task.NextAt = j.Clock.Now()
	return tx.PutTask(ctx, task)
}

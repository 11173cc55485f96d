package provision

import (
	"context"
	"fmt"

	"outlay"
	"outlay/operation"
)

// manual looks whether a person has done what no API offers: the provider's own plan, made from what is seen now, no
// longer asks for it. Until then the run waits, with the instruction of this moment.
func (j *job) manual(ctx context.Context, s step) (string, error) {
	c := s.change
	seen, err := j.observe(ctx, outlay.Look{})
	if err != nil {
		return "", err
	}
	if err := unread(seen, c.Kind); err != nil {
		return "", err
	}
	left, err := j.provider.Plan(&j.source, seen)
	if err != nil {
		return "", err
	}
	for _, x := range left.Changes {
		if x.Key() == c.Key() && x.Action != outlay.ActionKeep {
			ask := c // as it was confirmed, unless the provider words it for this moment
			if x.Action == outlay.ActionManual && x.Manual != nil {
				ask = x
			}
			return "", j.waitForPerson(ctx, s, ask)
		}
	}
	return j.handDone(ctx, c, seen)
}

// handDone records what a person made: it is there and watched from now on, but it is not ours to delete.
func (j *job) handDone(ctx context.Context, c outlay.Change, seen outlay.Observation) (string, error) {
	live, there := seen.Find(c.Kind, c.Name)
	err := j.run.Ledger(ctx, func(tx outlay.Tx) error {
		row := j.recorded(j.rowFor(c), live, outlay.PreExisting)
		if !there {
			row.State = outlay.StateWaiting // seen by its effect, not itself yet: the hourly look finds it
		}
		return j.put(ctx, tx, row)
	})
	return orElse(live.LastError, "Done: "+orElse(c.Title, c.Name)), err
}

// waitForPerson is why the run waits now. The hourly look resumes it, and so does a person.
func (j *job) waitForPerson(ctx context.Context, s step, c outlay.Change) error {
	p := outlay.Problem{
		Code: outlay.CodeConflict, Message: fmt.Sprintf("Waiting for you: %s", orElse(c.Title, c.Name)), Fix: c.Detail, Step: s.line.Title, Manual: c.Manual, Since: j.Clock.Now(),
	}
	if p.Manual == nil {
		p.Manual = &outlay.Instruction{Text: c.Detail}
	}
	if before := j.run.Before(); before != nil && !before.Since.IsZero() {
		p.Since = before.Since
	}
	err := j.run.Ledger(ctx, func(tx outlay.Tx) error {
		row := j.rowFor(c)
		row.State, row.LastError, row.Origin = outlay.StateWaiting, p.Message, orElse(row.Origin, outlay.PreExisting)
		row.OperationID = orElse(row.OperationID, j.op.ID)
		return j.put(ctx, tx, row)
	})
	if err != nil {
		return err
	}
	return &operation.Wait{Problem: p}
}

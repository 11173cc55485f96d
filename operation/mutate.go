package operation

import (
	"context"
	"errors"

	"outlay"
)

// Mutation is one change outside, between its intent and its outcome.
type Mutation struct {
	// Action and Object name the call in the audit log: "cloud:create …", and what it is done to.
	Action, Object string
	// Intent writes down what is about to happen, in one transaction with the step and the audit entry. An error ends
	// the step before any call.
	Intent func(tx outlay.Tx) error
	// Do makes the call; its context ends before the lease does.
	Do func(ctx context.Context) error
	// Record writes down what came of it, in one transaction with the step and the audit entry. It may return another
	// error than the call's, or nil to let a refusal pass, and what to show.
	Record func(tx outlay.Tx, callErr error) (detail string, err error)
}

// Mutate does step i: intent, effect, record, in that order, with a point at each place where a crash matters
// (reliability.md §3.2). After an error the step is open; the next attempt looks before it repeats.
func (r *Run) Mutate(ctx context.Context, i int, m Mutation) error {
	r.current = i
	point := r.lines[i].Point
	r.w.Points(point + ".before_intent")
	if err := r.intend(ctx, i, m); err != nil {
		return err
	}
	r.w.Points(point + ".after_intent")
	call, cancel := r.Deadline(ctx)
	if lost(call, nil) {
		return errLost
	}
	counted, calls := outlay.WithCalls(call)
	callErr := m.Do(counted)
	cancel()
	r.w.Points(point + ".sent")
	r.steps[i].Calls += calls()
	if lost(ctx, callErr) {
		return errLost // another worker looks before it repeats
	}
	r.w.Points(point + ".before_record")
	if err := r.record(ctx, i, m, callErr); err != nil {
		return err
	}
	r.progressed = true
	r.w.Points(point + ".after_record")
	return nil
}

func (r *Run) intend(ctx context.Context, i int, m Mutation) error {
	r.steps[i].StartedAt = r.w.Clock.Now()
	r.steps[i].State = outlay.StepRunning
	err := r.Ledger(ctx, func(tx outlay.Tx) error {
		if err := m.Intent(tx); err != nil {
			return err
		}
		if err := tx.Append(ctx, r.entry(m, "intent", "")); err != nil {
			return err
		}
		return tx.PutStep(ctx, r.steps[i], r.op.Fence)
	})
	if err != nil && !lost(ctx, err) && !errors.Is(err, errStopped) {
		return errors.Join(err, r.fail(ctx, i, err))
	}
	return err
}

// record commits the outcome. It goes on when the process is told to stop: the call was made, so its outcome is kept.
func (r *Run) record(ctx context.Context, i int, m Mutation, callErr error) error {
	last, cancel := parting(ctx)
	defer cancel()
	var stepErr error
	err := r.ledger(last, func(tx outlay.Tx, _ *outlay.Operation) error {
		var detail string
		detail, stepErr = m.Record(tx, callErr)
		step := r.steps[i]
		if step.State = outlay.StepDone; stepErr != nil {
			step.State = failedState(stepErr)
			detail = ProblemOf(stepErr, "").Message
		} else {
			step.EndedAt = r.w.Clock.Now()
		}
		step.Detail = orElse(detail, step.Detail)
		r.steps[i] = step
		result := "ok"
		if callErr != nil {
			result = string(outlay.CodeOf(callErr))
		}
		if err := tx.Append(last, r.entry(m, result, step.Detail)); err != nil {
			return err
		}
		return tx.PutStep(last, step, r.op.Fence)
	})
	if err != nil {
		return err
	}
	return stepErr
}

func (r *Run) entry(m Mutation, result, detail string) outlay.Entry {
	return outlay.Entry{
		OrgID: r.op.OrgID, At: r.w.Clock.Now(), Actor: orElse(r.op.CreatedBy, "system"), ActorName: r.actor,
		Action: m.Action, Object: m.Object, Result: result, Detail: detail,
	}
}

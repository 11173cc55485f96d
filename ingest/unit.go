package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"outlay"
)

// begin reads what a load needs and writes down that it is under way. The state it returns says what to do: loading
// means go on, published means only the work after a publish is left, anything else means there is nothing to do.
func (g *Ingest) begin(ctx context.Context, t outlay.Task) (*load, outlay.UnitState, error) {
	var l load
	var state outlay.UnitState
	err := g.o.Store.ForOrg(ctx, t.OrgID, func(tx outlay.Tx) error {
		l, state = load{}, ""
		if err := l.read(ctx, tx, t.Subject); err != nil {
			return err
		}
		u := &l.unit
		switch {
		case u.State != outlay.UnitWaiting && u.State != outlay.UnitLoading:
		case l.previous != nil && !l.previous.Version.Before(u.Delivery.Version):
			u.State, u.Problem = outlay.UnitSuperseded, nil
		case u.Attempts >= maxAttempts:
			u.State = outlay.UnitQuarantined
			if u.Problem == nil {
				u.Problem = &outlay.Problem{Code: outlay.CodeInternal, Message: fmt.Sprintf("Outlay stopped %d times while it loaded this delivery.", u.Attempts), Fix: "Look at the server's log; the next delivery is tried by itself."}
			}
		default:
			u.State, u.Attempts = outlay.UnitLoading, u.Attempts+1
		}
		state = u.State
		if state == outlay.UnitPublished {
			return nil
		}
		return tx.PutUnit(ctx, *u)
	})
	if outlay.CodeOf(err) == outlay.CodeNotFound {
		return nil, "", nil // the unit or its source went away: so does the task
	}
	if err != nil {
		return nil, "", fmt.Errorf("beginning to load unit %s: %w", t.Subject, err)
	}
	if state != outlay.UnitLoading {
		return &l, state, nil
	}
	provider, ok := g.o.Providers[l.source.Provider]
	if !ok {
		_, err := g.settle(ctx, &l, outlay.Errorf(outlay.CodeInternal, "Start a version of Outlay that knows this provider.", "there is no provider %q here", l.source.Provider))
		return nil, "", err
	}
	l.provider = provider
	return &l, state, nil
}

// read fills l from the store.
func (l *load) read(ctx context.Context, tx outlay.Tx, unitID string) error {
	var err error
	if l.unit, err = tx.Unit(ctx, unitID); err != nil {
		return err
	}
	if l.source, err = tx.Source(ctx, l.unit.SourceID); err != nil {
		return err
	}
	if l.account, err = tx.Account(ctx, l.source.AccountID); err != nil {
		return err
	}
	if l.previous, err = headOf(ctx, tx, l.unit.SourceID, l.unit.Period); err != nil {
		return err
	}
	units, err := tx.Units(ctx, l.unit.SourceID)
	if err != nil {
		return err
	}
	for _, u := range units { // newest version first
		if u.Period == l.unit.Period && u.Delivery.Version.Before(l.unit.Delivery.Version) {
			l.before = &u
			break
		}
	}
	return nil
}

func headOf(ctx context.Context, tx outlay.Tx, sourceID string, p outlay.Period) (*outlay.Head, error) {
	heads, err := tx.Heads(ctx)
	if err != nil {
		return nil, err
	}
	for _, h := range heads {
		if h.SourceID == sourceID && h.Period == p {
			return &h, nil
		}
	}
	return nil, nil
}

// errTaken means that another worker took the unit over, or that its history was removed: this attempt is void.
var errTaken = errors.New("the unit was taken over")

// errOlder means that a version at least as new is on show.
var errOlder = errors.New("a newer version is published")

// alarmAfter is when a delivery that waits becomes a matter for a person (reliability.md §4.3).
const alarmAfter = 48 * time.Hour

// verdict is what becomes of a unit after a failed attempt.
type verdict struct {
	state   outlay.UnitState
	counted bool // the attempt counts toward quarantine
	next    time.Duration
	err     error // for the worker to back off; nil when next says when, or never
}

// judge decides from the failure alone (reliability.md §4.3).
func judge(err error, attempts int) verdict {
	v := verdict{state: outlay.UnitWaiting}
	code := outlay.CodeOf(err)
	switch {
	case errors.Is(err, errOlder):
		return verdict{state: outlay.UnitSuperseded}
	case errors.Is(err, errEmpty): // the last version stays; a second empty delivery in a row is believed
		return verdict{state: outlay.UnitWaiting, counted: true}
	case outOfSpace(err):
		v.next = untilDiskSpace
	case code == outlay.CodeConflict, code == outlay.CodeNotFound: // it moved, or is not whole yet
		v.next = untilNextLook
	case code.Retryable(), code == outlay.CodeForbidden, code == outlay.CodeUnauthenticated:
		v.err = err
	case attempts >= maxAttempts:
		return verdict{state: outlay.UnitQuarantined, counted: true}
	default:
		v.counted, v.err = true, err
	}
	return v
}

// settle writes down why an attempt failed. What is on show stays.
func (g *Ingest) settle(ctx context.Context, l *load, cause error) (time.Duration, error) {
	p := outlay.Partition{OrgID: l.unit.OrgID, SourceID: l.unit.SourceID, Period: l.unit.Period}
	if errors.Is(cause, errTaken) {
		return 0, g.align(ctx, p) // this attempt may have changed the lake after its owner
	}
	v := judge(cause, l.unit.Attempts)
	if l.source.Desired == outlay.Absent && v.state == outlay.UnitWaiting && !outlay.CodeOf(cause).Retryable() {
		v = verdict{state: outlay.UnitSuperseded, counted: true} // the source was removed: nobody brings it any more
	}
	if ctx.Err() != nil { // the server stops, or the lease is lost: neither speaks against the delivery
		v = verdict{state: outlay.UnitWaiting, err: context.Cause(ctx)}
		cause = nil
	}
	if outOfSpace(cause) && outlay.CodeOf(cause) != outlay.CodeUnavailable { // not yet told as what it is
		cause = diskFull(cause)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := g.o.Store.ForOrg(ctx, l.unit.OrgID, func(tx outlay.Tx) error {
		u, err := tx.Unit(ctx, l.unit.ID)
		if err != nil || u.State != outlay.UnitLoading || u.Attempts != l.unit.Attempts {
			return err // another attempt owns it now
		}
		u.State, u.Proof = v.state, l.unit.Proof
		if !v.counted {
			u.Attempts--
		}
		if cause != nil && v.state != outlay.UnitSuperseded {
			u.Problem = problemOf(cause, l.unit, v)
			if late := g.o.Clock.Now().Sub(u.SeenAt); late > alarmAfter {
				u.Problem.Fix = strings.TrimSpace(u.Problem.Fix + fmt.Sprintf(" It has been waiting for %d hours: look at the export at the provider.", int(late.Hours())))
			}
		}
		return tx.PutUnit(ctx, u)
	})
	if err != nil {
		return 0, fmt.Errorf("writing down why unit %s failed (%w): %w", l.unit.ID, cause, err)
	}
	if v.state == outlay.UnitSuperseded { // a loser may have changed the lake after the winner: put it right
		return 0, g.align(ctx, p)
	}
	return v.next, v.err
}

func problemOf(cause error, u outlay.Unit, v verdict) *outlay.Problem {
	e := outlay.AsError(cause)
	p := &outlay.Problem{Code: e.Code, Message: e.Message, Fix: e.Fix, Needs: e.Needs}
	if e.Code != outlay.CodeInternal {
		p.Message += ownCause(e)
	}
	if v.state == outlay.UnitQuarantined {
		p.Fix = fmt.Sprintf("It was tried %d times and is left alone now. The next delivery of %s is tried by itself.", u.Attempts, u.Period)
	}
	return p
}

// ownCause is what the causes of e add to its message, where Outlay itself worded them. What a provider's client says,
// often a whole answer with its headers, is for the log.
func ownCause(e *outlay.Error) string {
	inner, ok := errors.AsType[*outlay.Error](e.Err)
	if !ok {
		return ""
	}
	return ": " + inner.Message + ownCause(inner)
}

package aws

import (
	"context"

	"outlay"
)

// applier makes one change.
type applier struct {
	p   *Provider
	ses session
	a   *outlay.CloudAccount
	s   *outlay.Source
	c   outlay.Change
	n   names
}

// Apply makes one change. Each change reads before it writes, so that applying it twice is the same as once, and a
// resource that is not ours stops it.
func (p *Provider) Apply(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source, c outlay.Change) (outlay.Resource, error) {
	if isImported(s) {
		return outlay.Resource{}, &outlay.Error{
			Code: outlay.CodeConflict, Outcome: outlay.NeverSent, Message: "this source reads an export that somebody else set up; Outlay changes nothing of it",
			Fix: "Change the export in the AWS console.",
		}
	}
	ses, err := p.session(ctx, a)
	if err != nil {
		return outlay.Resource{}, err
	}
	id := a.Identity
	if id.AccountID == "" {
		if id, err = p.whoami(ctx, ses, a); err != nil {
			return outlay.Resource{}, err
		}
	}
	w := &applier{p: p, ses: ses, a: a, s: s, c: c, n: p.namesOf(s, id)}
	r, err := w.apply(ctx)
	if err != nil {
		return outlay.Resource{}, failure(err, call{Doing: c.Title})
	}
	r.OrgID, r.SourceID, r.Kind, r.Name = s.OrgID, s.ID, c.Kind, c.Name
	r.LastSeen = p.opts.Clock.Now()
	return r, nil
}

func (w *applier) apply(ctx context.Context) (outlay.Resource, error) {
	if w.c.Action == outlay.ActionDelete {
		switch w.c.Kind {
		case kindExport:
			return w.deleteExport(ctx)
		case kindObjects:
			return w.deleteObjects(ctx)
		case kindBucket:
			return w.deleteBucket(ctx)
		}
		return outlay.Resource{}, w.impossible()
	}
	switch w.c.Kind {
	case kindBucket:
		return w.createBucket(ctx)
	case kindAccess:
		return w.inBucket(ctx, w.setAccess)
	case kindSettings:
		return w.inBucket(ctx, w.setSettings)
	case kindPolicy:
		return w.inBucket(ctx, w.setPolicy)
	case kindExport:
		if w.c.Action == outlay.ActionUpdate {
			return w.updateExport(ctx)
		}
		return w.createExport(ctx)
	case kindTag:
		return w.activateTag(ctx)
	case kindBackfill:
		return w.startBackfill(ctx)
	}
	return outlay.Resource{}, w.impossible()
}

func (w *applier) impossible() error {
	return outlay.Errorf(outlay.CodeInvalid, "Make a new plan.", "%s %s is not something that can be done", w.c.Action, w.c.Kind)
}

// operation is the run that made the resource's intent: the ledger row has it, or the change brings it along.
func (w *applier) operation() string {
	for _, r := range w.s.Resources {
		if r.Key() == w.c.Key() && r.OperationID != "" {
			return r.OperationID
		}
	}
	return w.c.To["operation"]
}

// notOurs is what stops a change at a resource of our name that does not bear our marks.
func notOurs(what, name string) error {
	return &outlay.Error{
		Code: outlay.CodeConflict, Outcome: outlay.DefinitelyNot, Message: "the " + what + " " + name + " is not the one that Outlay made here; nothing was changed",
		Fix: "Look at it in the AWS console. Outlay does not touch what it did not create.",
	}
}

package google

import (
	"context"
	"time"

	"outlay"

	"google.golang.org/api/serviceusage/v1"
)

// applier makes one change.
type applier struct {
	p   *Provider
	ses session
	a   *outlay.CloudAccount
	s   *outlay.Source
	c   outlay.Change
	n   names
	id  outlay.Identity
}

// Apply makes one change. Each change reads before it writes, so that applying it twice is the same as once, and a
// dataset that is not ours stops it.
func (p *Provider) Apply(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source, c outlay.Change) (outlay.Resource, error) {
	if isImported(s) {
		return outlay.Resource{}, &outlay.Error{
			Code: outlay.CodeConflict, Outcome: outlay.NeverSent, Message: "this source reads an export that somebody else set up; Outlay changes nothing of it",
			Fix: "Change the export in the Google Cloud console.",
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
	if id.Principal == "" {
		if id.Principal, err = p.principal(ctx, a); err != nil {
			return outlay.Resource{}, err
		}
	}
	w := &applier{p: p, ses: ses, a: a, s: s, c: c, n: p.namesOf(s, id), id: id}
	r, err := w.apply(ctx)
	if err != nil {
		return outlay.Resource{}, failure(err, call{Doing: c.Title})
	}
	r.OrgID, r.SourceID, r.Kind, r.Name = s.OrgID, s.ID, c.Kind, c.Name
	r.LastSeen = p.opts.Clock.Now()
	return r, nil
}

func (w *applier) apply(ctx context.Context) (outlay.Resource, error) {
	switch {
	case w.c.Action == outlay.ActionDelete && w.c.Kind == kindTables:
		return w.deleteTables(ctx)
	case w.c.Action == outlay.ActionDelete && w.c.Kind == kindDataset:
		return w.deleteDataset(ctx)
	case w.c.Action == outlay.ActionUpdate && w.c.Kind == kindServices:
		return w.enable(ctx)
	case w.c.Action == outlay.ActionCreate && w.c.Kind == kindDataset:
		return w.createDataset(ctx)
	case w.c.Action == outlay.ActionUpdate && w.c.Kind == kindDataset:
		return w.keepTables(ctx)
	case w.c.Action == outlay.ActionUpdate && w.c.Kind == kindAccess && w.s.Spec == nil:
		return w.withdraw(ctx)
	case w.c.Action == outlay.ActionUpdate && w.c.Kind == kindAccess:
		return w.letIn(ctx)
	}
	return outlay.Resource{}, outlay.Errorf(outlay.CodeInvalid, "Make a new plan.", "%s %s is not something that can be done", w.c.Action, w.c.Kind)
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

// notOurs is what stops a change at a dataset of our name that does not bear our marks.
func notOurs(name string) error {
	return &outlay.Error{
		Code: outlay.CodeConflict, Outcome: outlay.DefinitelyNot, Message: "the dataset " + name + " is not the one that Outlay made here; nothing was changed",
		Fix: "Look at it in the Google Cloud console. Outlay does not touch what it did not create.",
	}
}

// looks is how often a long-running operation is looked at before the step that checks the outcome takes over.
const looks = 10

// enable turns on what is off, in one call that turns on all or none. It is never turned off again.
func (w *applier) enable(ctx context.Context) (outlay.Resource, error) {
	parent := "projects/" + w.n.Project
	wanted := neededServices(wantsFast(w.s))
	on, err := w.ses.servicesOf(ctx, w.n.Project, wanted)
	if err != nil {
		return outlay.Resource{}, err
	}
	var off []string
	for _, s := range wanted {
		if on[s] == serviceOff {
			off = append(off, s)
		}
	}
	r := outlay.Resource{State: outlay.StateCreated, ProviderID: parent, Properties: on}
	if len(off) == 0 {
		return r, nil
	}
	c := call{Action: "serviceusage.services.enable", Resource: parent, Doing: "turning services on"}
	op, err := w.ses.services.Services.BatchEnable(parent, &serviceusage.BatchEnableServicesRequest{ServiceIds: off}).Context(ctx).Do()
	if err != nil {
		return outlay.Resource{}, failure(err, c)
	}
	for _, s := range off {
		on[s] = serviceOn
	}
	return r, w.await(ctx, op, c)
}

// await looks at a long-running operation until it is done, or for long enough. The noop operation of Google is done from
// the start and cannot be asked for.
func (w *applier) await(ctx context.Context, op *serviceusage.Operation, c call) error {
	for range looks {
		if op.Error != nil {
			return &outlay.Error{Code: outlay.CodeConflict, Outcome: outlay.DefinitelyNot, Message: c.Doing + ": " + clip(op.Error.Message, 300), Fix: "Look at APIs & Services in the Google Cloud console."}
		}
		if op.Done {
			return nil
		}
		if err := pause(ctx, w.p.opts.Poll); err != nil {
			return failure(err, c)
		}
		next, err := w.ses.services.Operations.Get(op.Name).Context(ctx).Do()
		if err != nil {
			err = failure(err, call{Action: "serviceusage.operations.get", Resource: c.Resource, Doing: "waiting until services are on"})
			if isRefusal(err) {
				return nil // whoever may not see the operation sees the services themselves, in the next step
			}
			return err
		}
		op = next
	}
	return nil
}

// pause waits for d, or until the call is given up.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

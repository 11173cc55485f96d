package azure

import (
	"context"
	"time"

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
	if s.Origin == outlay.OriginImported {
		return outlay.Resource{}, outlay.Errorf(outlay.CodeInvalid, "", "an imported export is never changed")
	}
	ses, err := p.session(a)
	if err != nil {
		return outlay.Resource{}, err
	}
	id := a.Identity
	if id.AccountID == "" {
		if id, err = p.whoami(ctx, ses, a, s); err != nil {
			return outlay.Resource{}, err
		}
	}
	if id.Scope, err = scopeOf(a, s, ses.subscription); err != nil {
		return outlay.Resource{}, err
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
		case kindContainer:
			return w.deleteContainer(ctx)
		case kindAccount:
			return w.deleteAccount(ctx)
		case kindGroup:
			return w.deleteGroup(ctx)
		}
		return outlay.Resource{}, w.impossible()
	}
	switch w.c.Kind {
	case kindRegistration:
		return w.register(ctx)
	case kindGroup:
		return w.createGroup(ctx)
	case kindAccount:
		return w.putAccount(ctx)
	case kindContainer:
		return w.putContainer(ctx)
	case kindExport:
		return w.putExport(ctx)
	case kindFirstRun:
		return w.firstRun(ctx)
	case kindBackfill:
		return w.runMonth(ctx)
	case kindInheritance:
		return w.setInheritance(ctx)
	}
	return outlay.Resource{}, w.impossible()
}

func (w *applier) impossible() error {
	return outlay.Errorf(outlay.CodeInvalid, "Make a new plan.", "%s %s is not something that can be done", w.c.Action, w.c.Kind)
}

// row is the ledger's row of the change's resource.
func (w *applier) row() outlay.Resource {
	for _, r := range w.s.Resources {
		if r.Key() == w.c.Key() {
			return r
		}
	}
	return outlay.Resource{}
}

// tags are the marks that a resource is born with. The run that made the intent is in the ledger row.
func (w *applier) tags() map[string]string { return w.p.ourTags(w.s, w.row().OperationID) }

// notOurs is what stops a change at a resource of our name that does not bear our marks.
func notOurs(what, name string) error {
	return &outlay.Error{
		Code: outlay.CodeConflict, Outcome: outlay.DefinitelyNot, Message: "the " + what + " " + name + " is not the one that Outlay made here; nothing was changed",
		Fix: "Look at it in the Azure portal. Outlay does not touch what it did not create.",
	}
}

// goneMeanwhile is what stops a repair of something that is not there any more.
func goneMeanwhile(what, name string) error {
	return &outlay.Error{
		Code: outlay.CodeConflict, Outcome: outlay.DefinitelyNot, Message: "the " + what + " " + name + " does not exist",
		Fix: "Make a new plan: it creates it again.",
	}
}

// pause waits between two looks at something that Azure takes its time for, at least as long as it asked for.
func (p *Provider) pause(ctx context.Context, asked time.Duration) error {
	t := time.NewTimer(max(p.opts.Poll, asked))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// register registers the subscription for a resource provider and waits until that is so, as far as this call's time
// goes. Azure's call is the same when repeated; it is not made where it is registered, or about to be. Who may register
// without being allowed to look does not wait: the export's order is repeated for as long as Azure does not know.
func (w *applier) register(ctx context.Context) (outlay.Resource, error) {
	done := outlay.Resource{State: outlay.StateCreated, Origin: outlay.PreExisting, ProviderID: "/subscriptions/" + w.n.Subscription + "/providers/" + w.c.Name}
	done.Properties = map[string]string{propState: stateRegistered}
	state, err := w.ses.registrationState(ctx, w.c.Name)
	if isRefusal(err) {
		_, err = w.ses.register(ctx, w.c.Name)
		return done, err
	}
	if err != nil {
		return outlay.Resource{}, err
	}
	if state != stateRegistered && state != stateRegistering {
		if state, err = w.ses.register(ctx, w.c.Name); err != nil {
			return outlay.Resource{}, err
		}
	}
	limited, cancel := withMargin(ctx)
	defer cancel()
	for state != stateRegistered {
		if w.p.pause(limited, 0) != nil {
			return outlay.Resource{}, &outlay.Error{
				Code: outlay.CodeUnavailable, Outcome: outlay.DefinitelyNot, Message: w.c.Name + " is still being registered", Fix: byItself, RetryAfter: 2 * w.p.opts.Poll,
			}
		}
		if state, err = w.ses.registrationState(ctx, w.c.Name); err != nil {
			return outlay.Resource{}, err
		}
	}
	return done, nil
}

// withMargin ends a little before the call has to: what is found out by then is still told.
func withMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithTimeout(ctx, 4*time.Minute)
	}
	left := time.Until(end)
	return context.WithTimeout(ctx, left-min(left/4, 5*time.Second))
}

func (ses session) register(ctx context.Context, namespace string) (string, error) {
	client, err := ses.providers()
	if err != nil {
		return "", err
	}
	got, err := client.Register(ctx, namespace, nil)
	if err != nil {
		return "", failure(err, call{Action: registerAction(namespace), Resource: "/subscriptions/" + ses.subscription, Doing: "registering " + namespace})
	}
	return text(got.RegistrationState), nil
}

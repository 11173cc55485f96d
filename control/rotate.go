package control

import (
	"context"

	"outlay"
)

// RotateRequest replaces an account's credential.
type RotateRequest struct {
	Kind    string
	Values  map[string]string
	Secrets map[string]outlay.Secret
}

// RotateCredential replaces the credential of an account, found by id or name. The account stays bound to what it was
// bound to: the new credential signs in first and has to prove the same identity, or the old one stays.
func (c *Control) RotateCredential(ctx context.Context, a outlay.Actor, id string, r RotateRequest) (AccountView, error) {
	if err := c.must(ctx, a, outlay.AccountsWrite, "account "+id); err != nil {
		return AccountView{}, err
	}
	var old outlay.CloudAccount
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) (err error) { old, err = c.accountIn(ctx, tx, id); return err })
	if err != nil {
		return AccountView{}, err
	}
	candidate := old
	if err := c.setCredential(&candidate, r.Kind, r.Values, r.Secrets); err != nil {
		return AccountView{}, err
	}
	if err := c.prove(ctx, &candidate); err != nil {
		return AccountView{}, c.refusedRotation(ctx, a, old, err)
	}
	var acc outlay.CloudAccount
	err = c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) (err error) {
		if acc, err = tx.Account(ctx, old.ID); err != nil {
			return err
		}
		if acc.Credential.Version != old.Credential.Version {
			return outlay.Errorf(outlay.CodeConflict, "Look at the account, then try again.", "the credential of %s was replaced by somebody else meanwhile", acc.Name)
		}
		acc.Credential = candidate.Credential
		if err := tx.PutAccount(ctx, acc); err != nil {
			return err
		}
		if err := tx.PutTask(ctx, outlay.Task{OrgID: a.OrgID, Kind: "look", Subject: acc.ID, NextAt: c.deps.Clock.Now(), Every: c.LookEvery}); err != nil {
			return err
		}
		return c.note(ctx, tx, a, outlay.AccountsWrite, "account "+acc.Name, "credential replaced, signed in by "+r.Kind)
	})
	if err != nil {
		return AccountView{}, err
	}
	c.seen.forget(acc.ID)
	c.wake()
	return c.accountView(acc, []outlay.CloudAccount{acc}, nil, nil), nil
}

// prove signs in with the candidate's credential and holds who that is against what the account is bound to. An account
// that was never signed in to is bound to nothing yet: its first look binds it.
func (c *Control) prove(ctx context.Context, candidate *outlay.CloudAccount) error {
	bound := candidate.Identity
	if bound.AccountID == "" {
		return nil
	}
	p, err := c.provider(candidate.Provider)
	if err != nil {
		return err
	}
	seen, err := p.Observe(ctx, candidate, &outlay.Source{OrgID: candidate.OrgID, Provider: candidate.Provider, AccountID: candidate.ID}, outlay.Look{Kinds: []outlay.ResourceKind{}})
	if err != nil {
		return err
	}
	is := seen.Identity
	switch {
	case is.AccountID == "":
		return outlay.Errorf(outlay.CodeUnavailable, "Try again; the old credential stays until then.", "could not find out which account the new credential belongs to")
	case is.AccountID != bound.AccountID:
		return outlay.Errorf(outlay.CodeConflict, "Give it a credential of "+bound.AccountID+", or add the other account under its own name. The old credential stays.",
			"the new credential belongs to %s, but %s is bound to %s", is.AccountID, candidate.Name, bound.AccountID)
	case is.Scope.ID != "" && bound.Scope.ID != "" && is.Scope.ID != bound.Scope.ID:
		return outlay.Errorf(outlay.CodeConflict, "Give it a credential that sees the same billing scope, or add it under another name. The old credential stays.",
			"the new credential is invoiced through %s, but %s is bound to %s", is.Scope.ID, candidate.Name, bound.Scope.ID)
	}
	return nil
}

// refusedRotation writes down that a credential was offered and not taken, and returns why.
func (c *Control) refusedRotation(ctx context.Context, a outlay.Actor, acc outlay.CloudAccount, why error) error {
	e := outlay.Entry{
		OrgID: a.OrgID, At: c.deps.Clock.Now(), Actor: a.UserID, ActorName: a.Name, Addr: a.Addr, Action: string(outlay.AccountsWrite), Object: "account " + acc.Name,
		Result: string(outlay.CodeOf(why)), Detail: "a new credential was refused: " + outlay.AsError(why).Message,
	}
	if err := c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error { return tx.Append(ctx, e) }); err != nil {
		c.deps.Log.ErrorContext(ctx, "could not write the audit log", "error", err)
	}
	return why
}

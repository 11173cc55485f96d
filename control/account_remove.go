package control

import (
	"context"

	"outlay"
)

// RemoveAccount forgets an account, found by id or name, and its credential. It is refused while the account owns a
// billing set-up, and says what the person can do about that.
func (c *Control) RemoveAccount(ctx context.Context, a outlay.Actor, id string) error {
	if err := c.must(ctx, a, outlay.AccountsWrite, "account "+id); err != nil {
		return err
	}
	return c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		acc, err := c.accountIn(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := c.ownsNothing(ctx, tx, acc); err != nil {
			return err
		}
		detail, err := c.leaveKept(ctx, tx, acc)
		if err != nil {
			return err
		}
		if err := tx.DeleteAccount(ctx, acc.ID); err != nil {
			return err
		}
		if err := tx.DeleteTask(ctx, "look", acc.ID); err != nil {
			return err
		}
		return c.note(ctx, tx, a, outlay.AccountsWrite, "account "+acc.Name, detail)
	})
}

// leaveKept ends the waiting deletions of what removed set-ups of the account kept, since nobody can sign in for them any
// more, and says what stays behind.
func (c *Control) leaveKept(ctx context.Context, tx outlay.Tx, acc outlay.CloudAccount) (string, error) {
	sources, err := tx.Sources(ctx)
	if err != nil {
		return "", err
	}
	names := ""
	for _, s := range sources {
		if s.AccountID != acc.ID {
			continue
		}
		for _, r := range kept(s) {
			names += ", " + string(r.Kind) + " " + r.Name
		}
		ops, err := tx.Operations(ctx, s.ID)
		if err != nil {
			return "", err
		}
		for i, o := range ops {
			if o.Kind != outlay.OpDeleteKept {
				continue
			}
			if err := c.endWaiting(ctx, tx, &ops[i], "ended: the account was removed"); err != nil {
				return "", err
			}
		}
	}
	if names == "" {
		return "removed", nil
	}
	return "removed; left in " + c.title(acc.Provider) + ": " + names[2:], nil
}

// ownsNothing refuses while the account owns a source, with the ways out.
func (c *Control) ownsNothing(ctx context.Context, tx outlay.Tx, acc outlay.CloudAccount) error {
	sources, err := tx.Sources(ctx)
	if err != nil {
		return err
	}
	for _, s := range sources {
		switch {
		case s.AccountID != acc.ID || s.Desired != outlay.Present:
		case s.Origin == outlay.OriginImported:
			return outlay.Errorf(outlay.CodeConflict, "Stop reading it first: outlay billing stop-reading "+s.Name+". The export itself stays as it is.",
				"%s reads the existing export %s", acc.Name, s.Name)
		default:
			return outlay.Errorf(outlay.CodeConflict, "Deprovision billing, which removes what Outlay made in "+c.title(acc.Provider)+" (outlay billing deprovision "+acc.Name+"), or abandon it, which leaves everything there (outlay billing abandon "+acc.Name+").",
				"%s owns a billing set-up", acc.Name)
		}
	}
	return nil
}

package provision

import (
	"context"
	"fmt"
	"time"

	"outlay"
	"outlay/operation"
)

// observe looks, within the lease.
func (j *job) observe(ctx context.Context, look outlay.Look) (outlay.Observation, error) {
	call, cancel := j.run.Deadline(ctx)
	defer cancel()
	return j.provider.Observe(call, &j.account, &j.source, look)
}

// bind checks that the credential is still the account that it was bound to, and binds it at first use. Who is invoiced
// matters to what is set up; what is removed is in the account, whoever pays for it now.
func (j *job) bind(ctx context.Context) (string, error) {
	look := outlay.Look{Kinds: []outlay.ResourceKind{}}
	if j.down() {
		look = outlay.Look{}
	}
	seen, err := j.observe(ctx, look)
	if err != nil {
		return "", err
	}
	bound, is := j.account.Identity, seen.Identity
	switch {
	case is.AccountID == "":
		return "", outlay.Errorf(outlay.CodeUnavailable, "", "could not find out which account the credential belongs to")
	case bound.AccountID != "" && bound.AccountID != is.AccountID:
		return "", outlay.Errorf(outlay.CodeConflict, "Store the credential of account "+bound.AccountID+" again, or add the other account under its own name.",
			"the credential now belongs to account %s, but %s is bound to account %s", is.AccountID, j.account.Name, bound.AccountID)
	case !j.down() && j.op.ScopeID != "" && is.Scope.ID != "" && is.Scope.ID != j.op.ScopeID:
		return "", outlay.Errorf(outlay.CodeConflict, "Start again and confirm a new plan.",
			"account %s is now invoiced through %s, but this run was confirmed for %s", is.AccountID, is.Scope.ID, j.op.ScopeID)
	}
	detail := "Signed in to account " + is.AccountID
	if j.down() {
		detail += fmt.Sprintf("; %d resources found", len(seen.Resources))
	}
	if bound.AccountID != "" {
		return detail, nil
	}
	j.account.Identity = is
	return detail, j.run.Ledger(ctx, func(tx outlay.Tx) error {
		a, err := tx.Account(ctx, j.account.ID)
		if err != nil {
			return err
		}
		a.Identity = is
		return tx.PutAccount(ctx, a)
	})
}

// look is the read before a create: nothing there, or ours from an attempt that was cut off.
func (j *job) look(ctx context.Context, c outlay.Change) (string, error) {
	row, _ := j.row(c.Key())
	found, err := j.resolve(ctx, c, row)
	if err != nil {
		return "", err
	}
	j.found[c.Key()] = found
	if found == nil {
		return "None of this name yet", nil
	}
	return c.Name + " is there already, made by us", nil
}

// resolve finds out whether a resource that may have been made is there. 'Not found' counts only once the settle
// window of the last intent has passed, and twice (rule 5); until then it keeps looking.
func (j *job) resolve(ctx context.Context, c outlay.Change, row outlay.Resource) (*outlay.Resource, error) {
	gap := max(j.Settle(c.Kind, c.Settle)/4, 10*time.Millisecond)
	for absent := 0; ; {
		seen, err := j.observe(ctx, outlay.Look{Kinds: []outlay.ResourceKind{c.Kind}})
		if err != nil {
			return nil, err
		}
		if live, ok := seen.Find(c.Kind, c.Name); ok {
			if !ours(live, row, j.source) {
				return nil, j.foreign(ctx, row, live)
			}
			return &live, nil
		}
		if err := unread(seen, c.Kind); err != nil {
			return nil, err
		}
		if row.IntentAt.IsZero() {
			return nil, nil
		}
		if !j.Clock.Now().Before(row.NotBefore) {
			absent++
		}
		if absent >= 2 {
			return nil, nil
		}
		if err := j.run.Sleep(ctx, gap); err != nil {
			return nil, err
		}
	}
}

// unread is why a look that found nothing of a kind proves nothing: that part could not be read.
func unread(seen outlay.Observation, kind outlay.ResourceKind) error {
	why, ok := seen.Unknown[string(kind)]
	if !ok {
		return nil
	}
	return outlay.Errorf(outlay.CodeUnavailable, "", "could not look: %s", why)
}

// foreign records that a resource of our name is not ours, and stops: it is never touched.
func (j *job) foreign(ctx context.Context, row, live outlay.Resource) error {
	if row.Name == "" {
		row = outlay.Resource{OrgID: j.op.OrgID, SourceID: j.op.SourceID, Kind: live.Kind, Name: live.Name}
	}
	row.State, row.LastSeen = outlay.StateForeign, j.Clock.Now()
	row.LastError = "carries our name but not our marks"
	err := j.run.Ledger(ctx, func(tx outlay.Tx) error { return j.put(ctx, tx, row) })
	if err != nil {
		return err
	}
	return &operation.Wait{Problem: outlay.Problem{
		Code:    outlay.CodeConflict,
		Message: fmt.Sprintf("%s exists and is not ours; nothing was changed", live.Name),
		Fix:     "Stop and undo this run, then provision again: that takes new names.",
	}}
}

// verify waits until a resource is as wanted, for a bounded time.
func (j *job) verify(ctx context.Context, i int, c outlay.Change) (string, error) {
	until := j.Clock.Now().Add(j.VerifyFor)
	check := j.settled(c)
	for {
		detail, fine, err := check(ctx)
		if err != nil || fine {
			return detail, err
		}
		if !j.Clock.Now().Before(until) {
			return "", &operation.Wait{Problem: outlay.Problem{
				Code: outlay.CodeUnavailable, Message: detail, Fix: "Nothing to do: this is looked at again every hour. Check now looks at once.",
			}}
		}
		if err := j.run.Note(ctx, i, detail); err != nil {
			return "", err
		}
		if err := j.run.Sleep(ctx, j.VerifyEvery); err != nil {
			return "", err
		}
	}
}

// settled is the check that a change has come into effect: after a deletion it must be gone twice with nothing more
// arriving between; after anything else a plan from what is seen must no longer ask for it.
func (j *job) settled(c outlay.Change) func(ctx context.Context) (detail string, fine bool, err error) {
	if c.Action != outlay.ActionDelete {
		return func(ctx context.Context) (string, bool, error) { return j.asWanted(ctx, c) }
	}
	quiet, last := 0, ""
	return func(ctx context.Context) (string, bool, error) {
		seen, err := j.observe(ctx, outlay.Look{Contents: true})
		if err != nil {
			return "", false, err
		}
		if _, ok := seen.Find(c.Kind, c.Name); ok || len(seen.Unknown) > 0 {
			quiet, last = 0, ""
			return c.Name + " is still listed", false, nil
		}
		contents := ""
		for _, r := range seen.Resources {
			contents += fmt.Sprintf("%s %d %d;", r.Key(), r.Objects, r.Bytes)
		}
		if quiet++; contents != last {
			quiet, last = 1, contents
		}
		return "Gone, and nothing arrives any more", quiet >= 2, nil
	}
}

// asWanted asks the provider's own plan whether anything is left to do for a change.
func (j *job) asWanted(ctx context.Context, c outlay.Change) (string, bool, error) {
	seen, err := j.observe(ctx, outlay.Look{})
	if err != nil {
		return "", false, err
	}
	if err := unread(seen, c.Kind); err != nil {
		return "", false, err
	}
	if _, ok := seen.Find(c.Kind, c.Name); !ok {
		return c.Name + " is not there yet", false, nil
	}
	left, err := j.provider.Plan(&j.source, seen)
	if err != nil {
		return "", false, err
	}
	for _, x := range left.Changes {
		if x.Key() == c.Key() && x.Action != outlay.ActionKeep {
			return fmt.Sprintf("%s is not as wanted yet: %s", c.Name, x.Detail), false, nil
		}
	}
	return c.Name + " is as wanted", true, nil
}

package control

import (
	"context"
	"fmt"

	"outlay"
)

// AbandonRequest gives a set-up up.
type AbandonRequest struct {
	AccountID string // id or name
	Confirm   string // the account's name, typed
}

// AbandonView is what stays behind when a set-up is given up.
type AbandonView struct {
	AccountID string   `json:"accountId"`
	Name      string   `json:"name"`     // to be typed
	Provider  string   `json:"provider"` // title
	Identity  string   `json:"identity"`
	Heading   string   `json:"heading"`
	Text      string   `json:"text"`
	Losing    []string `json:"losing"` // names of the accounts that lose new data
	// Behind is every resource that may stand in the provider still, by name.
	Behind []ResourceView `json:"behind"`
	Months int            `json:"months"` // of loaded history, which stays
	// Run is the run that is ended by it; "" when none is active.
	Run string `json:"run,omitempty"`
}

// PlanAbandon lists what would stay behind. It makes no call to the provider: it works without any credential.
func (c *Control) PlanAbandon(ctx context.Context, a outlay.Actor, idOrName string) (AbandonView, error) {
	if err := c.must(ctx, a, outlay.BillingPlan, "account "+idOrName); err != nil {
		return AbandonView{}, err
	}
	s, err := c.owned(ctx, a, idOrName)
	if err != nil {
		return AbandonView{}, err
	}
	return c.abandonView(ctx, a, s)
}

// owned reads an account with the set-up that it owns.
func (c *Control) owned(ctx context.Context, a outlay.Actor, idOrName string) (setting, error) {
	s, err := c.neighbours(ctx, a, idOrName)
	if err != nil {
		return s, err
	}
	for _, src := range s.sources {
		if src.AccountID == s.account.ID && src.Origin == outlay.OriginCreated && src.Desired == outlay.Present {
			s.source = src
		}
	}
	if s.source.ID == "" {
		return s, c.nothingOwned(s)
	}
	err = c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		ops, err := tx.Operations(ctx, s.source.ID)
		for i, o := range ops {
			if o.Status.Active() {
				s.active = &ops[i]
			}
		}
		return err
	})
	return s, err
}

// nothingOwned says why there is nothing to remove or to give up, and what the person may have meant.
func (c *Control) nothingOwned(s setting) error {
	if imports := s.imports(); len(imports) > 0 {
		return outlay.Errorf(outlay.CodeConflict, "Stop reading it: outlay billing stop-reading "+imports[0].Name+". The export itself stays as it is.",
			"%s has no billing set up by Outlay; it reads the existing export %s", s.account.Name, imports[0].Name)
	}
	return outlay.Errorf(outlay.CodeConflict, "There is nothing to remove.", "%s has no billing set up", s.account.Name)
}

func (c *Control) abandonView(ctx context.Context, a outlay.Actor, s setting) (AbandonView, error) {
	title := c.title(s.account.Provider)
	v := AbandonView{AccountID: s.account.ID, Name: s.account.Name, Provider: title, Identity: s.account.Identity.AccountID, Heading: fmt.Sprintf("Outlay gives up what it set up on %s", s.account.Name)}
	for _, r := range s.source.Resources {
		if staysBehind(r) {
			v.Behind = append(v.Behind, ResourceView{Kind: r.Kind, Name: r.Name, State: r.State, Origin: r.Origin, ID: r.ProviderID, Detail: r.LastError, CreatedAt: r.Created, LastSeen: r.LastSeen})
		}
	}
	_, _, v.Losing, _ = c.consequences(s)
	v.Text = fmt.Sprintf("Nothing is deleted in %s. What is listed stays there and goes on costing what it costs; Outlay will never touch it again, not even to remove it.", title)
	if len(v.Losing) == 1 {
		v.Text += fmt.Sprintf(" %s stops getting cost data.", v.Losing[0])
	} else {
		v.Text += fmt.Sprintf(" %s stop getting cost data.", join(v.Losing))
	}
	v.Text += " What is loaded here stays readable."
	if s.active != nil {
		v.Run = s.active.ID
		v.Text += " The run that is not finished ends."
	}
	var err error
	v.Months, err = c.months(ctx, a, s.source.ID)
	return v, err
}

// staysBehind tells whether a ledger row may stand for something of ours in the provider: what was begun counts, since
// nobody looks any more.
func staysBehind(r outlay.Resource) bool {
	if r.Origin == outlay.PreExisting || r.IntentAt.IsZero() && r.Origin != outlay.Adopted {
		return false
	}
	switch r.State {
	case outlay.StatePlanned, outlay.StateDeleted, outlay.StateForeign, outlay.StateAbandoned:
		return false
	}
	return true
}

// Abandon gives a set-up up without touching the provider: for when the credential is lost, or somebody else takes over.
// Everything that stays behind is written down by name. Afterwards the account can be removed.
func (c *Control) Abandon(ctx context.Context, a outlay.Actor, r AbandonRequest) (AbandonView, error) {
	if err := c.must(ctx, a, outlay.BillingDeprovision, "account "+r.AccountID); err != nil {
		return AbandonView{}, err
	}
	s, err := c.owned(ctx, a, r.AccountID)
	if err != nil {
		return AbandonView{}, err
	}
	if err := typed(r.Confirm, s.account.Name); err != nil {
		return AbandonView{}, err
	}
	v, err := c.abandonView(ctx, a, s)
	if err != nil {
		return v, err
	}
	err = c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		v.Behind = nil
		return c.abandon(ctx, tx, a, s, &v)
	})
	if err != nil {
		return v, err
	}
	c.seen.forget(s.account.ID)
	c.wake()
	return v, nil
}

// abandon ends the active run first, so that nothing is made after the list was written.
func (c *Control) abandon(ctx context.Context, tx outlay.Tx, a outlay.Actor, s setting, v *AbandonView) error {
	ops, err := tx.Operations(ctx, s.source.ID)
	if err != nil {
		return err
	}
	for _, o := range ops {
		if !o.Status.Active() {
			continue
		}
		o.Status, o.EndedAt = outlay.OpFailed, c.deps.Clock.Now()
		o.Problem = &outlay.Problem{Code: outlay.CodeConflict, Message: "ended: the set-up was given up"}
		if err := tx.PutOperation(ctx, o); err != nil {
			return err
		}
	}
	stored, err := tx.Source(ctx, s.source.ID)
	if err != nil {
		return err
	}
	names := ""
	for _, row := range stored.Resources {
		if !staysBehind(row) {
			continue
		}
		row.State, row.LastError = outlay.StateAbandoned, ""
		if err := tx.PutResource(ctx, row); err != nil {
			return err
		}
		v.Behind = append(v.Behind, ResourceView{Kind: row.Kind, Name: row.Name, State: row.State, Origin: row.Origin, ID: row.ProviderID, CreatedAt: row.Created, LastSeen: row.LastSeen})
		names += ", " + string(row.Kind) + " " + row.Name
	}
	if names == "" {
		names = ", nothing stays behind"
	}
	return c.endSource(ctx, tx, a, s.account, stored, "set-up abandoned; left in "+c.title(s.account.Provider)+": "+names[2:])
}

package control

import (
	"context"
	"slices"

	"outlay"
)

// Account is everything about one account, found by id or name.
func (c *Control) Account(ctx context.Context, a outlay.Actor, idOrName string) (AccountDetail, error) {
	var d AccountDetail
	if err := a.Must(outlay.AccountsRead); err != nil {
		return d, err
	}
	var accounts []outlay.CloudAccount
	var sources []outlay.Source
	var ops []outlay.Operation
	var heads []outlay.Head
	var metered []outlay.Metered
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) (err error) {
		if metered, err = tx.Metered(ctx); err != nil {
			return err
		}
		if accounts, err = tx.Accounts(ctx); err != nil {
			return err
		}
		if sources, err = tx.Sources(ctx); err != nil {
			return err
		}
		if ops, err = tx.Operations(ctx, ""); err != nil {
			return err
		}
		heads, err = tx.Heads(ctx)
		return err
	})
	if err != nil {
		return d, err
	}
	acc, err := findAccount(accounts, idOrName)
	if err != nil {
		return d, err
	}
	spent, err := c.monthToDate(ctx, a.OrgID)
	if err != nil {
		return d, err
	}
	d.AccountView = c.accountView(acc, accounts, sources, spent)
	if p, ok := c.providers[acc.Provider]; ok {
		d.Info = p.About()
	}
	for _, other := range accounts {
		if other.Provider == acc.Provider && other.ID != acc.ID {
			d.Others = append(d.Others, other.Name)
		}
	}
	c.fillDetail(a, &d, acc, sources, ops, heads)
	for _, s := range sources {
		if s.AccountID == acc.ID {
			d.Reading = d.Reading.and(c.reading(s, metered))
		}
	}
	return d, nil
}

func (c *Control) fillDetail(a outlay.Actor, d *AccountDetail, acc outlay.CloudAccount, sources []outlay.Source, ops []outlay.Operation, heads []outlay.Head) {
	names := map[string]string{}
	for _, s := range sources {
		names[s.ID] = s.Name
		if s.AccountID != acc.ID || s.Desired == outlay.Draft {
			continue
		}
		for _, r := range s.Resources {
			d.addResource(s, r)
		}
		if len(kept(s)) > 0 {
			d.Kept = append(d.Kept, keptView(s))
		}
	}
	for _, o := range ops {
		if o.AccountID != acc.ID {
			continue
		}
		v := c.runView(o, nil, acc.Name)
		d.Runs = append(d.Runs, v)
		if o.Status.Active() && (d.ActiveRun == nil || d.ActiveRun.Kind == outlay.OpDeleteKept) {
			d.ActiveRun, d.Missing, d.Policy = &v, nil, ""
			if o.Problem != nil {
				d.Missing, d.Policy = o.Problem.Needs, o.Problem.Policy
			}
		}
	}
	for _, h := range heads {
		if h.SourceID == acc.Status.Via || h.SourceID == d.SourceID || slices.ContainsFunc(d.Imports, func(r SourceRef) bool { return r.ID == h.SourceID }) {
			d.Heads = append(d.Heads, headView(h, names[h.SourceID]))
		}
	}
	slices.SortFunc(d.Heads, func(x, y HeadView) int { return -compareText(string(x.Period), string(y.Period)) })
	held := d.ActiveRun != nil && d.ActiveRun.Kind != outlay.OpDeleteKept
	d.CanProvision = a.May(outlay.BillingProvision) && !held && !d.Created
	d.CanImport = a.May(outlay.BillingProvision)
	d.CanDeprovision = a.May(outlay.BillingDeprovision) && d.Created && (!held || d.ActiveRun.Status == outlay.OpWaiting)
	d.CanDeleteKept = a.May(outlay.BillingDeprovision) && len(d.Kept) > 0
	for _, x := range acc.Status.Axes {
		d.Drifted = d.Drifted || d.SetUpHere && x.Name == "infrastructure" && x.State == outlay.AxisBad
	}
}

// addResource sorts a ledger row into what stands in the provider and the tags that are to be turned on.
func (d *AccountDetail) addResource(s outlay.Source, r outlay.Resource) {
	gone := r.State == outlay.StateDeleted || r.State == outlay.StatePlanned || r.Origin == outlay.PreExisting && r.State != outlay.StateUnknown
	if s.Desired == outlay.Absent && gone {
		return
	}
	v := resourceView(r)
	if slices.Contains(outlay.TagKeys(), r.Name) && s.Desired == outlay.Absent {
		return // tags stay on when billing is removed; nothing of ours stands there
	}
	if s.Spec != nil && slices.Contains(s.Spec.Tags, r.Name) {
		v.Tag = standing(r).State
		d.Tags = append(d.Tags, v)
		return
	}
	if s.Origin == outlay.OriginImported {
		d.Read = append(d.Read, v)
		return
	}
	d.Resources = append(d.Resources, v)
}

func resourceView(r outlay.Resource) ResourceView {
	v := ResourceView{Kind: r.Kind, Name: r.Name, State: r.State, Origin: r.Origin, ID: r.ProviderID, Detail: r.LastError, CreatedAt: r.Created, LastSeen: r.LastSeen}
	if v.CreatedAt.IsZero() {
		v.CreatedAt = r.IntentAt
	}
	return v
}

func findAccount(all []outlay.CloudAccount, idOrName string) (outlay.CloudAccount, error) {
	for _, acc := range all {
		if acc.ID == idOrName || acc.Name == idOrName {
			return acc, nil
		}
	}
	return outlay.CloudAccount{}, outlay.Errorf(outlay.CodeNotFound, "List the accounts to see which there are.", "there is no cloud account %q", idOrName)
}

package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"outlay"
)

var accountName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,38}[a-z0-9]$`)

// AddAccountRequest is what the form of a new cloud account holds.
type AddAccountRequest struct {
	Name     string
	Provider outlay.ProviderName
	Kind     string // one of the provider's credential kinds
	Values   map[string]string
	Secrets  map[string]outlay.Secret
}

// Accounts lists the organization's cloud accounts by name.
func (c *Control) Accounts(ctx context.Context, a outlay.Actor) ([]AccountView, error) {
	if err := a.Must(outlay.AccountsRead); err != nil {
		return nil, err
	}
	var accounts []outlay.CloudAccount
	var sources []outlay.Source
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) (err error) {
		if accounts, err = tx.Accounts(ctx); err != nil {
			return err
		}
		sources, err = tx.Sources(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	spent, err := c.monthToDate(ctx, a.OrgID)
	if err != nil {
		return nil, err
	}
	out := make([]AccountView, 0, len(accounts))
	for _, acc := range accounts {
		out = append(out, c.accountView(acc, accounts, sources, spent))
	}
	return out, nil
}

// monthToDate sums effective cost of this month per sub account, one amount per currency.
func (c *Control) monthToDate(ctx context.Context, org string) (map[string][]outlay.Amount, error) {
	from := outlay.PeriodOf(c.deps.Clock.Now()).Start()
	answer, err := c.deps.Costs.Query(ctx, org, outlay.Query{From: from, To: from.AddDate(0, 1, 0), GroupBy: []outlay.Dimension{outlay.BySubAccount}})
	if err != nil {
		return nil, err
	}
	out := map[string][]outlay.Amount{}
	for _, r := range answer.Rows {
		out[r.Keys[0]] = append(out[r.Keys[0]], r.Amounts[outlay.Effective.Index()])
	}
	return out, nil
}

func (c *Control) accountView(acc outlay.CloudAccount, all []outlay.CloudAccount, sources []outlay.Source, spent map[string][]outlay.Amount) AccountView {
	v := AccountView{
		ID: acc.ID, Name: acc.Name, Provider: acc.Provider, ProviderTitle: c.title(acc.Provider), Identifier: acc.Identity.AccountID, Principal: acc.Identity.Principal,
		ScopeID: acc.Identity.Scope.ID, ScopeName: acc.Identity.Scope.Name, IsPayer: acc.Identity.Scope.IsPayer, Status: acc.Status,
		CredentialKind: acc.Credential.Kind, CredentialValues: acc.Credential.Values, CredentialUpdatedAt: acc.Credential.UpdatedAt, CreatedAt: acc.CreatedAt,
		MonthToDate: spent[acc.Identity.AccountID],
	}
	if p, ok := c.providers[acc.Provider]; ok {
		for _, k := range p.About().CredentialKinds {
			if k.Kind == acc.Credential.Kind {
				v.CredentialTitle, v.CredentialWarning = k.Title, k.Warning
			}
		}
	}
	for _, s := range sources {
		if s.AccountID != acc.ID || s.Desired != outlay.Present {
			continue
		}
		v.SetUpHere = true
		if s.Origin == outlay.OriginCreated {
			v.Created, v.SourceID = true, s.ID
			continue
		}
		v.Imports = append(v.Imports, SourceRef{s.ID, s.Name})
		if v.SourceID == "" {
			v.SourceID = s.ID
		}
	}
	v.Status.Axes = withImports(acc, v.Created, sources)
	if id := acc.Status.OwnerID; id != "" && id != acc.ID {
		v.FollowsID = id
		for _, other := range all {
			if other.ID == id {
				v.FollowsName = other.Name
			}
		}
	}
	return v
}

// withImports has the line about infrastructure speak of every source of the account: the look's own finding is about the
// set-up that we made, or about the first of the exports that are read.
func withImports(acc outlay.CloudAccount, created bool, sources []outlay.Source) []outlay.Axis {
	read := setting{account: acc, sources: sources}.imports()
	if !created && len(read) > 0 {
		read = read[1:]
	}
	axes := slices.Clone(acc.Status.Axes)
	i := slices.IndexFunc(axes, func(x outlay.Axis) bool { return x.Name == "infrastructure" })
	if i < 0 {
		return axes
	}
	for _, src := range read {
		bad, text := importHealth(src)
		if axes[i].Reason += " " + text; bad {
			axes[i].State = outlay.AxisBad
		}
	}
	return axes
}

// importHealth says how an existing export stood when it was last looked at.
func importHealth(src outlay.Source) (bad bool, text string) {
	if len(src.Resources) == 0 {
		return false, "The existing export " + src.Name + " is read, too; it was not looked at yet."
	}
	for _, r := range src.Resources {
		if r.State == outlay.StateMissing || r.LastError != "" {
			return true, fmt.Sprintf("The existing export %s is read, too: %s. Outlay does not repair it.", src.Name, strings.TrimSuffix(cmp.Or(r.LastError, r.Name+" is gone"), "."))
		}
	}
	return false, "The existing export " + src.Name + " is read, too."
}

// AddAccount stores a cloud account with its credential sealed, and has it looked at right away.
func (c *Control) AddAccount(ctx context.Context, a outlay.Actor, r AddAccountRequest) (AccountView, error) {
	if err := c.must(ctx, a, outlay.AccountsWrite, "account "+r.Name); err != nil {
		return AccountView{}, err
	}
	if !accountName.MatchString(r.Name) {
		return AccountView{}, outlay.Errorf(outlay.CodeInvalid, "Use 3 to 40 lower-case letters, digits and dashes, a letter first.", "the name %q does not fit", r.Name).InField("name")
	}
	now := c.deps.Clock.Now()
	acc := outlay.CloudAccount{OrgID: a.OrgID, ID: outlay.NewID("acc"), Name: r.Name, Provider: r.Provider, CreatedAt: now}
	acc.Status = outlay.BillingStatus{Status: outlay.Checking, Reason: "We are looking for cost data.", At: now, Since: now}
	if err := c.setCredential(&acc, r.Kind, r.Values, r.Secrets); err != nil {
		return AccountView{}, err
	}
	err := c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		others, err := tx.Accounts(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(others, func(x outlay.CloudAccount) bool { return x.Name == acc.Name }) {
			return outlay.Errorf(outlay.CodeConflict, "Choose another name.", "there is an account %q already", acc.Name).InField("name")
		}
		if err := tx.PutAccount(ctx, acc); err != nil {
			return err
		}
		if err := tx.PutTask(ctx, outlay.Task{OrgID: a.OrgID, Kind: "look", Subject: acc.ID, NextAt: now, Every: c.LookEvery}); err != nil {
			return err
		}
		return c.note(ctx, tx, a, outlay.AccountsWrite, "account "+acc.Name, "added, signed in by "+r.Kind)
	})
	if err != nil {
		return AccountView{}, err
	}
	c.wake()
	return c.accountView(acc, []outlay.CloudAccount{acc}, nil, nil), nil
}

// CheckNow has an account looked at without waiting for the hour. A run of the account that waits for a person looks at
// once, too.
func (c *Control) CheckNow(ctx context.Context, a outlay.Actor, id string) error {
	if err := c.must(ctx, a, outlay.BillingCheck, "account "+id); err != nil {
		return err
	}
	err := c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		acc, err := c.accountIn(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := tx.PutTask(ctx, outlay.Task{OrgID: a.OrgID, Kind: "look", Subject: acc.ID, NextAt: c.deps.Clock.Now(), Every: c.LookEvery}); err != nil {
			return err
		}
		if err := c.resumeAsking(ctx, tx, acc.ID); err != nil {
			return err
		}
		return c.note(ctx, tx, a, outlay.BillingCheck, "account "+acc.Name, "look requested")
	})
	c.wake()
	return err
}

// resumeAsking makes a run that waits for a person due: it looks whether he has done his part.
func (c *Control) resumeAsking(ctx context.Context, tx outlay.Tx, accountID string) error {
	ops, err := tx.Operations(ctx, "")
	if err != nil {
		return err
	}
	for _, o := range ops {
		if o.AccountID != accountID || o.Status != outlay.OpWaiting || o.Problem == nil || o.Problem.Manual == nil {
			continue
		}
		o.NextAt = c.deps.Clock.Now()
		if err := tx.PutOperation(ctx, o); err != nil && outlay.CodeOf(err) != outlay.CodeConflict {
			return err
		}
	}
	return nil
}

// accountIn finds an account by id or name.
func (c *Control) accountIn(ctx context.Context, tx outlay.Tx, idOrName string) (outlay.CloudAccount, error) {
	acc, err := tx.Account(ctx, idOrName)
	if e, ok := errors.AsType[*outlay.Error](err); ok && e.Code == outlay.CodeNotFound {
		all, err := tx.Accounts(ctx)
		if err != nil {
			return acc, err
		}
		return findAccount(all, idOrName)
	}
	return acc, err
}

func compareText(a, b string) int {
	if a < b {
		return -1
	} else if a > b {
		return 1
	}
	return 0
}

// seenFor is how long an observation made for a plan may be shown again while a person fills in the form.
const seenFor = time.Minute

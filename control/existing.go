package control

import (
	"context"
	"maps"
	"slices"

	"outlay"
)

// ExistingView is an export that stands already in a provider, and whether it can be imported.
type ExistingView struct {
	outlay.Existing
	// Source is the source that reads it already; nil when none does.
	Source *SourceRef `json:"source,omitempty"`
}

// Importable tells whether it can be imported now.
func (v ExistingView) Importable() bool { return v.Why == "" && v.Source == nil }

// ImportExportRequest asks for an existing export to be read.
type ImportExportRequest struct {
	AccountID  string
	ExistingID string            // the provider's own id of the export
	Fields     map[string]string // as for ListExisting
}

// ListExisting lists the exports that an account's credential can see. fields are the provider's ImportFields.
func (c *Control) ListExisting(ctx context.Context, a outlay.Actor, idOrName string, fields map[string]string) ([]ExistingView, error) {
	if err := c.must(ctx, a, outlay.BillingPlan, "account "+idOrName); err != nil {
		return nil, err
	}
	s, err := c.neighbours(ctx, a, idOrName)
	if err != nil {
		return nil, err
	}
	return c.existing(ctx, s, fields)
}

func (c *Control) existing(ctx context.Context, s setting, fields map[string]string) ([]ExistingView, error) {
	p, err := c.provider(s.account.Provider)
	if err != nil {
		return nil, err
	}
	if fields, err = checkFields(p.About().ImportFields, fields); err != nil {
		return nil, err
	}
	found, err := p.Existing(ctx, &s.account, fields)
	if err != nil {
		return nil, err
	}
	out := make([]ExistingView, 0, len(found))
	for _, e := range found {
		v := ExistingView{Existing: e}
		for _, src := range s.sources {
			if src.Desired == outlay.Present && (src.ID == e.Ours && src.Origin == outlay.OriginCreated || readsSame(src, s.account.Provider, e)) {
				v.Source = &SourceRef{src.ID, src.Name}
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// readsSame tells whether an imported source reads this very export.
func readsSame(src outlay.Source, provider outlay.ProviderName, e outlay.Existing) bool {
	return src.Origin == outlay.OriginImported && src.Provider == provider && src.Spec != nil && maps.Equal(src.Spec.Fields, e.Fields)
}

// neighbours reads an account with the sources and accounts around it. It makes no draft.
func (c *Control) neighbours(ctx context.Context, a outlay.Actor, idOrName string) (setting, error) {
	var s setting
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) (err error) {
		s = setting{}
		if s.account, err = c.accountIn(ctx, tx, idOrName); err != nil {
			return err
		}
		all, err := tx.Accounts(ctx)
		if err != nil {
			return err
		}
		for _, o := range all {
			if o.Provider == s.account.Provider && o.ID != s.account.ID {
				s.others = append(s.others, o)
			}
		}
		s.sources, err = tx.Sources(ctx)
		return err
	})
	return s, err
}

// ImportExport makes a source of an existing export and has it looked at at once. The export is read, never changed and
// never destroyed.
func (c *Control) ImportExport(ctx context.Context, a outlay.Actor, r ImportExportRequest) (SourceView, error) {
	if err := c.must(ctx, a, outlay.BillingProvision, "account "+r.AccountID); err != nil {
		return SourceView{}, err
	}
	s, err := c.neighbours(ctx, a, r.AccountID)
	if err != nil {
		return SourceView{}, err
	}
	all, err := c.existing(ctx, s, r.Fields)
	if err != nil {
		return SourceView{}, err
	}
	i := slices.IndexFunc(all, func(v ExistingView) bool { return v.ID == r.ExistingID })
	if i < 0 {
		return SourceView{}, outlay.Errorf(outlay.CodeNotFound, "List them: outlay billing existing "+s.account.Name, "%s sees no export %q", s.account.Name, r.ExistingID).InField("existing")
	}
	if err := importable(s, all[i]); err != nil {
		return SourceView{}, err
	}
	return c.addImport(ctx, a, s, all[i])
}

// importable refuses what cannot be read, is read already, or would bring another account's costs a second time.
func importable(s setting, v ExistingView) error {
	switch {
	case v.Why != "":
		return outlay.Errorf(outlay.CodeConflict, v.Why, "%s cannot be imported", v.Name).InField("existing")
	case v.Source != nil:
		return outlay.Errorf(outlay.CodeConflict, "There is nothing to do: its costs arrive by that source.", "%s is read already, by the source %s", v.Name, v.Source.Name).InField("existing")
	}
	if why := alreadyThrough(s, outlay.Observation{Identity: outlay.Identity{Scope: scopeOf(s.account, v.Existing)}}); why != "" {
		return outlay.Errorf(outlay.CodeConflict, "Nothing was changed.", "%s", why).InField("existing")
	}
	return nil
}

// scopeOf is the billing scope of an export; the account's own when it names none.
func scopeOf(acc outlay.CloudAccount, e outlay.Existing) outlay.BillingScope {
	if e.Scope.ID != "" {
		return e.Scope
	}
	return acc.Identity.Scope
}

func (c *Control) addImport(ctx context.Context, a outlay.Actor, s setting, v ExistingView) (SourceView, error) {
	now := c.deps.Clock.Now()
	src := outlay.Source{
		OrgID: a.OrgID, ID: outlay.NewID("src"), Provider: s.account.Provider, AccountID: s.account.ID, Scope: scopeOf(s.account, v.Existing), Origin: outlay.OriginImported,
		Spec: &outlay.Spec{Region: v.Region, Fields: v.Fields}, Desired: outlay.Present, CreatedAt: now,
	}
	err := c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		all, err := tx.Sources(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(x outlay.Source) bool {
			return x.Desired == outlay.Present && readsSame(x, src.Provider, v.Existing)
		}) {
			return outlay.Errorf(outlay.CodeConflict, "There is nothing to do.", "%s was imported by somebody else meanwhile", v.Name).InField("existing")
		}
		src.Name = freeName(all, v.Name, s.account.Name)
		if err := tx.PutSource(ctx, src); err != nil {
			return err
		}
		if err := tx.PutTask(ctx, outlay.Task{OrgID: a.OrgID, Kind: "look", Subject: s.account.ID, NextAt: now, Every: c.LookEvery}); err != nil {
			return err
		}
		return c.note(ctx, tx, a, outlay.BillingProvision, "account "+s.account.Name, "imported the existing export "+v.ID+" as "+src.Name)
	})
	if err != nil {
		return SourceView{}, err
	}
	c.wake()
	return c.sourceView(src, append([]outlay.CloudAccount{s.account}, s.others...), nil, nil), nil
}

// freeName is what a source is called: the export's name, with the account's in front where another has it.
func freeName(all []outlay.Source, name, account string) string {
	taken := func(n string) bool {
		return slices.ContainsFunc(all, func(s outlay.Source) bool { return s.Name == n && s.Desired != outlay.Draft })
	}
	out := name
	for taken(out) {
		out = account + "-" + out
	}
	return out
}

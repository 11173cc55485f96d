package control

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"outlay"
)

// PlanRequest asks what provisioning would change.
type PlanRequest struct {
	AccountID string // id or name
	Spec      outlay.Spec
}

// seenCache keeps observations while a person fills in a form: each takes a dozen calls to the provider.
type seenCache struct {
	mu *sync.Mutex
	at map[string]seenEntry
}

type seenEntry struct {
	seen outlay.Observation
	at   time.Time
}

func (s seenCache) get(key string, now time.Time) (outlay.Observation, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.at[key]
	return e.seen, ok && now.Sub(e.at) < seenFor
}

func (s seenCache) put(key string, seen outlay.Observation, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.at, func(_ string, e seenEntry) bool { return now.Sub(e.at) >= seenFor }) // nobody asks for these again
	s.at[key] = seenEntry{seen, now}
}

func (s seenCache) forget(accountID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.at {
		if strings.HasPrefix(key, accountID+" ") {
			delete(s.at, key)
		}
	}
}

// setting is what a plan is made from.
type setting struct {
	account outlay.CloudAccount
	source  outlay.Source
	others  []outlay.CloudAccount // of the same provider
	sources []outlay.Source
	active  *outlay.Operation
	// ending says why the active run ends with the request, when it waits; "" leaves it.
	ending string
}

// imports are the existing exports that are read through the account.
func (s setting) imports() []outlay.Source {
	var out []outlay.Source
	for _, src := range s.sources {
		if src.AccountID == s.account.ID && src.Origin == outlay.OriginImported && src.Desired == outlay.Present {
			out = append(out, src)
		}
	}
	return out
}

// load reads an account, its source (the wanted one that we made, else a draft, else a new draft) and its neighbours.
func (c *Control) load(ctx context.Context, a outlay.Actor, idOrName string) (setting, error) {
	var s setting
	err := c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		acc, err := c.accountIn(ctx, tx, idOrName)
		if err != nil {
			return err
		}
		all, err := tx.Accounts(ctx)
		if err != nil {
			return err
		}
		sources, err := tx.Sources(ctx)
		if err != nil {
			return err
		}
		s = setting{account: acc, sources: sources}
		for _, o := range all {
			if o.Provider == acc.Provider && o.ID != acc.ID {
				s.others = append(s.others, o)
			}
		}
		ops, err := tx.Operations(ctx, "")
		if err != nil {
			return err
		}
		for i, o := range ops {
			if o.AccountID == acc.ID && o.Status.Active() && o.Kind != outlay.OpReconcile && o.Kind != outlay.OpDeleteKept {
				s.active = &ops[i]
			}
		}
		if s.source, err = c.sourceOf(ctx, tx, acc, sources); err != nil {
			return err
		}
		return nil
	})
	return s, err
}

func (c *Control) sourceOf(ctx context.Context, tx outlay.Tx, acc outlay.CloudAccount, sources []outlay.Source) (outlay.Source, error) {
	var draft *outlay.Source
	for i, s := range sources {
		if s.AccountID != acc.ID || s.Origin != outlay.OriginCreated {
			continue
		}
		if s.Desired == outlay.Present {
			return s, nil
		}
		if s.Desired == outlay.Draft {
			draft = &sources[i]
		}
	}
	if draft != nil {
		return *draft, nil
	}
	s := outlay.Source{OrgID: acc.OrgID, ID: outlay.NewID("src"), Name: acc.Name, Provider: acc.Provider, AccountID: acc.ID, Scope: acc.Identity.Scope, Origin: outlay.OriginCreated, Desired: outlay.Draft, CreatedAt: c.deps.Clock.Now()}
	return s, tx.PutSource(ctx, s)
}

// observe looks at the provider, or takes the look made within the last minute; fresh forces a new one.
func (c *Control) observe(ctx context.Context, s *setting, look outlay.Look, fresh bool) (outlay.Observation, error) {
	p, err := c.provider(s.account.Provider)
	if err != nil {
		return outlay.Observation{}, err
	}
	key := fmt.Sprintf("%s %s %v %v", s.account.ID, s.source.ID, look, s.source.Spec)
	if seen, ok := c.seen.get(key, c.deps.Clock.Now()); ok && !fresh {
		s.source.Scope = seen.Identity.Scope
		return seen, nil
	}
	seen, err := p.Observe(ctx, &s.account, &s.source, look)
	if err != nil {
		return seen, err
	}
	if bound := s.account.Identity.AccountID; bound != "" && seen.Identity.AccountID != "" && bound != seen.Identity.AccountID {
		return seen, outlay.Errorf(outlay.CodeConflict, "Give this account a credential of "+bound+", or add another account.", "%s is bound to %s, and its credential now belongs to %s", s.account.Name, bound, seen.Identity.AccountID)
	}
	s.source.Scope = seen.Identity.Scope
	c.seen.put(key, seen, c.deps.Clock.Now())
	return seen, nil
}

// Plan shows what provisioning would change, with final names. It changes nothing in the provider.
func (c *Control) Plan(ctx context.Context, a outlay.Actor, r PlanRequest) (PlanView, error) {
	if err := c.must(ctx, a, outlay.BillingPlan, "account "+r.AccountID); err != nil {
		return PlanView{}, err
	}
	_, v, err := c.plan(ctx, a, r, false)
	return v, err
}

func (c *Control) plan(ctx context.Context, a outlay.Actor, r PlanRequest, fresh bool) (setting, PlanView, error) {
	s, err := c.load(ctx, a, r.AccountID)
	if err != nil {
		return s, PlanView{}, err
	}
	p, err := c.provider(s.account.Provider)
	if err != nil {
		return s, PlanView{}, err
	}
	spec, err := checkSpec(p.About(), r.Spec)
	if err != nil {
		return s, PlanView{}, err
	}
	s.source.Spec = &spec
	seen, err := c.observe(ctx, &s, outlay.Look{Permissions: true, Members: true, Tags: len(spec.Tags) > 0}, fresh)
	if err != nil {
		return s, PlanView{}, err
	}
	plan, err := p.Plan(&s.source, seen)
	if err != nil {
		return s, PlanView{}, err
	}
	plan.Notes = append(plan.Notes, alsoRead(s)...)
	v := c.planView(s, plan, seen)
	v.Spec, v.Running, v.Intro, v.Command = spec, p.About().Running, c.intro(s, p.About()), provisionCommand(s.account, p.About(), spec)
	if why := alreadyThrough(s, seen); why != "" && v.Blocked == "" {
		v.Blocked = why
	}
	if s.active != nil {
		v.Blocked = "A run on this account is not finished: " + s.active.ID + "."
	}
	return s, v, nil
}

func (c *Control) planView(s setting, plan outlay.Plan, seen outlay.Observation) PlanView {
	return PlanView{
		AccountID: s.account.ID, SourceID: s.source.ID, Changes: plan.Changes, Notes: plan.Notes, Hash: plan.Hash(), Blocked: plan.Blocked(),
		Permissions: seen.Permissions, Policy: seen.Policy, CheckedAt: seen.At, seen: seen,
	}
}

// alsoRead warns of exports of the same scope that are read through the account already: the costs would arrive twice,
// and count once.
func alsoRead(s setting) []outlay.Note {
	var out []outlay.Note
	for _, src := range s.imports() {
		if src.Scope.ID == s.source.Scope.ID {
			out = append(out, outlay.Note{Level: "warn", Text: fmt.Sprintf("This account reads the existing export %s already. Where both deliver a month, one of them counts and the other is shown as an overlap; nothing is added twice.", src.Name)})
		}
	}
	return out
}

// alreadyThrough says which account's wanted source is on the same billing scope, and what to do about it: a set-up on
// the account that is invoiced brings everybody's costs, one on a member its own alone (clouds.md §2.3).
func alreadyThrough(s setting, seen outlay.Observation) string {
	for _, src := range s.sources {
		if src.Provider != s.account.Provider || src.Desired != outlay.Present || src.AccountID == s.account.ID || src.Scope.ID != seen.Identity.Scope.ID {
			continue
		}
		for _, o := range s.others {
			if o.ID != src.AccountID {
				continue
			}
			if src.Scope.IsPayer {
				return fmt.Sprintf("Billing for this scope is already set up through %s. Its data reaches this account within the hour; there is nothing to do here.", o.Name)
			}
			return fmt.Sprintf("Billing for this scope is already set up through %s, which is not the account that is invoiced, so it brings that account's costs alone. Deprovision billing there first; then provision it here.", o.Name)
		}
	}
	return ""
}

// intro is the head of the provision page (ui.md §3.1). It counts only accounts that this scope can cover.
func (c *Control) intro(s setting, info outlay.ProviderInfo) string {
	once := fmt.Sprintf("You do this once for %s in this organization.", info.Title)
	n := 0
	for _, o := range s.others {
		if o.Identity.Scope.ID == "" || o.Identity.Scope.ID == s.source.Scope.ID {
			n++
		}
	}
	if n < len(s.others) {
		once = fmt.Sprintf("You do this once for the billing scope %s.", s.source.Scope.ID)
	}
	switch n {
	case 0:
		return once
	case 1:
		return once + fmt.Sprintf(" The other %s account picks up the data by itself, within the hour after it first arrives.", info.Title)
	}
	return once + fmt.Sprintf(" The other %d %s accounts pick up the data by themselves, within the hour after it first arrives.", n, info.Title)
}

// checkSpec fills defaults and refuses what the form does not offer.
func checkSpec(info outlay.ProviderInfo, spec outlay.Spec) (outlay.Spec, error) {
	if spec.Region == "" && len(info.Regions) > 0 {
		spec.Region = info.Regions[0].ID
	}
	if (len(info.Regions) > 0 || spec.Region != "") && !slices.ContainsFunc(info.Regions, func(r outlay.Region) bool { return r.ID == spec.Region }) {
		return spec, outlay.Errorf(outlay.CodeInvalid, "Choose one of the regions that the form lists.", "%q is not a region for billing in %s", spec.Region, info.Title).InField("region")
	}
	fields, err := checkFields(info.Fields, spec.Fields)
	if err != nil {
		return spec, err
	}
	for _, key := range spec.Tags {
		if !slices.Contains(outlay.TagKeys(), key) {
			return spec, outlay.Errorf(outlay.CodeInvalid, "Use one of "+strings.Join(outlay.TagKeys(), ", ")+".", "%q is not one of the nine tags", key).InField("tags")
		}
	}
	if spec.Fields = fields; !needsActivation(info) {
		spec.Tags = nil // there is nothing to turn on, whatever a command's default says
	}
	return spec, nil
}

// checkFields fills the defaults of a form's fields and refuses what it does not offer.
func checkFields(asked []outlay.ProviderField, given map[string]string) (map[string]string, error) {
	fields := map[string]string{}
	for _, f := range asked {
		value := strings.TrimSpace(given[f.Name])
		if value == "" {
			value = f.Default
		}
		if value == "" && !f.Optional {
			return nil, missing(f)
		}
		if err := fits(f, value); err != nil {
			return nil, err
		}
		if value != "" {
			fields[f.Name] = value
		}
	}
	for name := range given {
		if !slices.ContainsFunc(asked, func(f outlay.ProviderField) bool { return f.Name == name }) {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Leave the field out.", "there is no field %q", name).InField(name)
		}
	}
	return fields, nil
}

func provisionCommand(acc outlay.CloudAccount, info outlay.ProviderInfo, spec outlay.Spec) string {
	text := fmt.Sprintf("outlay billing provision %s --region %s", acc.Name, spec.Region)
	for _, name := range sortedKeys(spec.Fields) {
		text += fmt.Sprintf(" --set %s=%s", name, spec.Fields[name])
	}
	if len(spec.Tags) == 0 && needsActivation(info) {
		text += " --tags=false"
	}
	return text
}

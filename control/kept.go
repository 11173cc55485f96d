package control

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"outlay"
)

// KeptView is a removed set-up of which something stands in the provider still, because its files were to be kept.
type KeptView struct {
	SourceID string `json:"sourceId"` // for PlanDeleteKept and DeleteKept
	// Resources are ours by the ledger, as they were last seen.
	Resources []ResourceView `json:"resources"`
	CreatedAt time.Time      `json:"createdAt,omitzero"` // of the set-up
}

// DeleteKeptRequest confirms the deletion of what a deprovisioning kept. Confirm has no default.
type DeleteKeptRequest struct {
	// SourceID is the removed set-up; or its account, by id or name, where only one of its set-ups left anything.
	SourceID      string
	RemoveHistory bool
	Confirm       string // the account's name, typed
	PlanHash      string // "" takes the plan of this moment
	IdemKey       string
}

// kept are the ledger rows of a removed set-up that are ours and may stand still. What a person gave up is not ours to
// touch any more.
func kept(s outlay.Source) []outlay.Resource {
	if s.Origin != outlay.OriginCreated || s.Desired != outlay.Absent {
		return nil
	}
	var out []outlay.Resource
	for _, r := range s.Resources {
		if r.Origin == outlay.CreatedByUs && staysBehind(r) {
			out = append(out, r)
		}
	}
	return out
}

func keptView(s outlay.Source) KeptView {
	v := KeptView{SourceID: s.ID, CreatedAt: s.CreatedAt}
	for _, r := range kept(s) {
		v.Resources = append(v.Resources, resourceView(r))
	}
	return v
}

// PlanDeleteKept shows what deleting it would remove, and how much lies in it. ref is as DeleteKeptRequest.SourceID.
func (c *Control) PlanDeleteKept(ctx context.Context, a outlay.Actor, ref string) (DeprovisionView, error) {
	if err := c.must(ctx, a, outlay.BillingPlan, "source "+ref); err != nil {
		return DeprovisionView{}, err
	}
	s, err := c.removed(ctx, a, ref)
	if err != nil {
		return DeprovisionView{}, err
	}
	return c.deleteKeptView(ctx, a, s)
}

// removed finds the removed set-up that something is left of, with its account and the run that deletes it.
func (c *Control) removed(ctx context.Context, a outlay.Actor, ref string) (setting, error) {
	var s setting
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		s = setting{}
		all, err := tx.Sources(ctx)
		if err != nil {
			return err
		}
		if s.account, all, err = c.meant(ctx, tx, all, ref); err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(src outlay.Source) bool { return len(kept(src)) == 0 })
		if len(all) == 0 {
			return outlay.Errorf(outlay.CodeConflict, "There is nothing to delete.", "nothing of a removed set-up is left on %s", s.account.Name)
		}
		if len(all) > 1 {
			return outlay.Errorf(outlay.CodeConflict, "Name one: "+idsText(all)+".", "%d removed set-ups left something on %s", len(all), s.account.Name)
		}
		s.source = all[0]
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

// meant is the account that ref names, and its sources, or the one source that ref is the id of.
func (c *Control) meant(ctx context.Context, tx outlay.Tx, all []outlay.Source, ref string) (outlay.CloudAccount, []outlay.Source, error) {
	for _, src := range all {
		if src.ID == ref && src.AccountID != "" {
			acc, err := c.accountIn(ctx, tx, src.AccountID)
			return acc, []outlay.Source{src}, err
		}
	}
	acc, err := c.accountIn(ctx, tx, ref)
	return acc, slices.DeleteFunc(all, func(src outlay.Source) bool { return src.AccountID != acc.ID }), err
}

func idsText(all []outlay.Source) string {
	var ids []string
	for _, src := range all {
		ids = append(ids, src.ID)
	}
	return strings.Join(ids, " or ")
}

func (c *Control) deleteKeptView(ctx context.Context, a outlay.Actor, s setting) (DeprovisionView, error) {
	v := DeprovisionView{Name: s.account.Name, Identity: s.account.Identity.AccountID}
	p, err := c.provider(s.account.Provider)
	if err != nil {
		return v, err
	}
	s.source.Spec, s.source.CostFiles = nil, outlay.DeleteCostFiles
	seen, err := c.observe(ctx, &s, outlay.Look{Contents: true, Permissions: true}, true)
	if err != nil {
		return v, err
	}
	plan, err := p.Plan(&s.source, seen)
	if err != nil {
		return v, err
	}
	v.PlanView, v.Delete, v.Contents = c.planView(s, plan, seen), plan.Changes, contents(seen)
	tellSizes(v.Delete, v.Contents)
	title := c.title(s.account.Provider)
	v.Heading = fmt.Sprintf("What was kept of %s is deleted", s.account.Name)
	v.Text = fmt.Sprintf("Billing was removed here, and its delivered cost files stayed in %s. No account loses new data by this. What is loaded here stays readable, unless you also remove it.", title)
	switch going, why := deletable(s.source, seen, plan); {
	case going || v.Blocked != "":
	case why != "":
		v.Blocked = fmt.Sprintf("Nothing of it can be deleted: %s Delete it by hand in %s if it should go, then come back: Outlay writes down that it is gone.", why, title)
	default:
		v.Text = fmt.Sprintf("Nothing of it stands in %s any more. The run looks once more, and writes that down.", title)
	}
	if s.active != nil && s.active.Status != outlay.OpWaiting {
		v.Blocked = "A run on it is not finished: " + s.active.ID + "."
	}
	v.Command = "outlay billing delete-kept " + s.account.Name + " --plan"
	v.Months, err = c.months(ctx, a, s.source.ID)
	return v, err
}

// deletable tells whether a plan deletes anything, and if not, why what is ours by the ledger stays; "" when nothing of
// it is there.
func deletable(src outlay.Source, seen outlay.Observation, plan outlay.Plan) (going bool, why string) {
	for _, r := range kept(src) {
		unread, blind := seen.Unknown[string(r.Kind)]
		if _, there := seen.Find(r.Kind, r.Name); there {
			why = orText(why, r.Name+" is left alone.")
		} else if blind {
			why = orText(why, r.Name+" could not be looked at: "+unread)
		}
	}
	for _, change := range plan.Changes {
		if change.Action == outlay.ActionDelete {
			return true, ""
		}
		if _, there := seen.Find(change.Kind, change.Name); there && change.Action == outlay.ActionKeep && change.Detail != "" {
			why = change.Name + ". " + change.Detail + "."
		}
	}
	return false, why
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// DeleteKept queues the run that deletes what a deprovisioning kept, by the same proofs of ownership as a deprovisioning.
// It may run beside whatever else works on the account; one that waits already is ended first.
func (c *Control) DeleteKept(ctx context.Context, a outlay.Actor, r DeleteKeptRequest) (RunView, error) {
	if err := c.must(ctx, a, outlay.BillingDeprovision, "source "+r.SourceID); err != nil {
		return RunView{}, err
	}
	hash := requestHash("delete kept", r.SourceID, r.RemoveHistory)
	if again, ok, err := c.sameRun(ctx, a, r.IdemKey, hash); ok || err != nil {
		return again, err
	}
	s, err := c.removed(ctx, a, r.SourceID)
	if err != nil {
		return RunView{}, err
	}
	if err := typed(r.Confirm, s.account.Name); err != nil {
		return RunView{}, err
	}
	v, err := c.deleteKeptView(ctx, a, s)
	if err != nil {
		return RunView{}, err
	}
	if v.Blocked != "" {
		return RunView{}, outlay.Errorf(outlay.CodeConflict, "Nothing was changed. What would be deleted, and what stands in the way: "+v.Command, "%s", v.Blocked)
	}
	if r.PlanHash != "" && r.PlanHash != v.Hash {
		return RunView{}, outlay.Errorf(outlay.CodeConflict, "Look at the new list and confirm it.", "what would be deleted has changed since you saw it")
	}
	op := outlay.Operation{
		OrgID: a.OrgID, ID: outlay.NewID("run"), Kind: outlay.OpDeleteKept, SourceID: s.source.ID, AccountID: s.account.ID, Provider: s.account.Provider, ScopeID: outlay.KeptScope(s.source.ID),
		Status: outlay.OpQueued, IdemKey: r.IdemKey, RequestHash: hash, Plan: outlay.Plan{Changes: v.Delete, Notes: v.Notes}, PlanHash: v.Hash, CostFiles: outlay.DeleteCostFiles,
		RemoveHistory: r.RemoveHistory, CreatedBy: a.UserID, CreatedAt: c.deps.Clock.Now(),
	}
	s.ending = "ended: the deletion was asked for again"
	return c.queue(ctx, a, s, op, outlay.BillingDeprovision)
}

package control

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"

	"outlay"
)

// DeprovisionRequest confirms a deprovisioning. CostFiles and Confirm have no default.
type DeprovisionRequest struct {
	AccountID     string
	CostFiles     outlay.CostFiles
	RemoveHistory bool
	Confirm       string // the account's name, typed
	PlanHash      string // "" takes the plan of this moment
	IdemKey       string
}

// PlanDeprovision shows what deprovisioning would remove and who loses what.
func (c *Control) PlanDeprovision(ctx context.Context, a outlay.Actor, idOrName string) (DeprovisionView, error) {
	if err := c.must(ctx, a, outlay.BillingPlan, "account "+idOrName); err != nil {
		return DeprovisionView{}, err
	}
	s, err := c.load(ctx, a, idOrName)
	if err != nil {
		return DeprovisionView{}, err
	}
	return c.deprovisionView(ctx, a, s)
}

func (c *Control) deprovisionView(ctx context.Context, a outlay.Actor, s setting) (DeprovisionView, error) {
	v := DeprovisionView{Name: s.account.Name, Identity: s.account.Identity.AccountID}
	if s.source.Desired != outlay.Present {
		return v, c.nothingOwned(s)
	}
	p, err := c.provider(s.account.Provider)
	if err != nil {
		return v, err
	}
	s.source.Spec = nil
	seen, err := c.observe(ctx, &s, outlay.Look{Contents: true, Permissions: true}, true)
	if err != nil {
		return v, err
	}
	for _, choice := range []outlay.CostFiles{outlay.DeleteCostFiles, outlay.KeepCostFiles} {
		s.source.CostFiles = choice
		plan, err := p.Plan(&s.source, seen)
		if err != nil {
			return v, err
		}
		if choice == outlay.DeleteCostFiles {
			v.Delete, v.PlanView = plan.Changes, c.planView(s, plan, seen)
		} else {
			v.Keep = plan.Changes
		}
	}
	v.Contents = contents(seen)
	tellSizes(v.Delete, v.Contents)
	tellSizes(v.Keep, v.Contents)
	v.Changes = v.Delete
	if s.active != nil && s.active.Status != outlay.OpWaiting {
		v.Blocked = "A run on this account is not finished: " + s.active.ID + "."
	}
	v.Heading, v.Text, v.Losing, v.Only = c.consequences(s)
	v.Command = "outlay billing deprovision " + s.account.Name + " --plan"
	v.Months, err = c.months(ctx, a, s.source.ID)
	return v, err
}

// contents tells how much lies in what was seen.
func contents(seen outlay.Observation) []ContentView {
	var out []ContentView
	for _, r := range seen.Resources {
		if r.Objects+r.Bytes+r.Foreign > 0 {
			out = append(out, ContentView{r.Key(), r.Objects, r.Bytes, r.Foreign, contentText(r)})
		}
	}
	return out
}

// tellSizes says what was counted where the provider's own plan does not.
func tellSizes(changes []outlay.Change, counted []ContentView) {
	for i, c := range changes {
		for _, x := range counted {
			if x.Key == c.Key() && c.Holds == "" {
				changes[i].Holds = x.Text
			}
		}
	}
}

func contentText(r outlay.Resource) string {
	text := humanize.Bytes(uint64(r.Bytes))
	if r.Objects > 0 {
		text = countText(r.Objects, "object", "objects") + ", " + text
	}
	if r.Foreign > 0 {
		text += "; " + countText(r.Foreign, "is", "are") + " not ours and left alone"
	}
	return text
}

// consequences are the words of the deprovision warning: who stops getting cost data (ui.md §3.2, seed clause 23).
func (c *Control) consequences(s setting) (heading, text string, losing []string, only bool) {
	title := c.title(s.account.Provider)
	names := map[string]string{s.account.ID: s.account.Name}
	followers := []string{}
	for _, o := range s.others {
		names[o.ID] = o.Name
		expects := s.source.Scope.IsPayer && o.Identity.Scope.ID == s.source.Scope.ID || o.Status.OwnerID == s.account.ID
		if o.Status.Via == s.source.ID || o.Status.Via == "" && expects {
			followers = append(followers, o.Name)
		}
	}
	losing = append([]string{s.account.Name}, followers...)
	for _, src := range s.sources {
		if src.Provider == s.account.Provider && src.Desired == outlay.Present && src.ID != s.source.ID {
			heading = fmt.Sprintf("%s stops delivering", s.account.Name)
			text = fmt.Sprintf("%s is also set up, so %s costs of its billing scope keep arriving through it.", names[src.AccountID], title)
			if src.AccountID == s.account.ID {
				text = fmt.Sprintf("The existing export %s is still read, so the %s costs in it keep arriving.", src.Name, title)
			}
			if len(followers) > 0 {
				text += fmt.Sprintf(" %s read new costs through %s and stop getting them.", join(followers), s.account.Name)
			}
			return heading, text, losing, false
		}
	}
	text = fmt.Sprintf("%s is the only %s account here with billing set up.", s.account.Name, title)
	switch {
	case len(followers) == 0:
		heading = fmt.Sprintf("%s will stop getting cost data", s.account.Name)
	case len(followers) == len(s.others) && len(losing) == 2:
		heading = fmt.Sprintf("Both %s accounts will stop getting cost data", title)
	case len(followers) == len(s.others):
		heading = fmt.Sprintf("All %d %s accounts will stop getting cost data", len(losing), title)
	default:
		heading = fmt.Sprintf("%d %s accounts will stop getting cost data", len(losing), title)
	}
	if len(followers) == 1 {
		text += fmt.Sprintf(" %s reads its costs through it.", followers[0])
	} else if len(followers) > 1 {
		text += fmt.Sprintf(" %s read their costs through it.", join(followers))
	}
	return heading, text + " What is loaded here stays readable, unless you also remove it.", losing, true
}

func (c *Control) months(ctx context.Context, a outlay.Actor, sourceID string) (int, error) {
	n := 0
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		heads, err := tx.Heads(ctx)
		for _, h := range heads {
			if h.SourceID == sourceID {
				n++
			}
		}
		return err
	})
	return n, err
}

// Deprovision queues the run that removes what we made. A waiting run of the same account is ended first: its set-up
// is what is being removed.
func (c *Control) Deprovision(ctx context.Context, a outlay.Actor, r DeprovisionRequest) (RunView, error) {
	if err := c.must(ctx, a, outlay.BillingDeprovision, "account "+r.AccountID); err != nil {
		return RunView{}, err
	}
	return c.deprovision(ctx, a, r, "")
}

// deprovision queues the removal of everything, or, as an undo, of what one run made.
func (c *Control) deprovision(ctx context.Context, a outlay.Actor, r DeprovisionRequest, madeBy string) (RunView, error) {
	if r.CostFiles != outlay.KeepCostFiles && r.CostFiles != outlay.DeleteCostFiles {
		return RunView{}, outlay.Errorf(outlay.CodeInvalid, "Choose keep or delete; neither is the default.", "say what happens to the delivered cost files").InField("cost-files")
	}
	hash := requestHash("deprovision", r.AccountID, r.CostFiles, r.RemoveHistory)
	if again, ok, err := c.sameRun(ctx, a, r.IdemKey, hash); ok || err != nil {
		return again, err
	}
	s, err := c.load(ctx, a, r.AccountID)
	if err != nil {
		return RunView{}, err
	}
	if err := typed(r.Confirm, s.account.Name); err != nil {
		return RunView{}, err
	}
	v, err := c.deprovisionView(ctx, a, s)
	if err != nil {
		return RunView{}, err
	}
	if v.Blocked != "" {
		return RunView{}, outlay.Errorf(outlay.CodeConflict, "Nothing was changed. What would be removed, and what stands in the way: outlay billing deprovision "+s.account.Name+" --plan", "%s", v.Blocked)
	}
	if r.PlanHash != "" && r.PlanHash != v.Hash {
		return RunView{}, outlay.Errorf(outlay.CodeConflict, "Look at the new list and confirm it.", "what would be removed has changed since you saw it")
	}
	plan := outlay.Plan{Changes: v.Delete, Notes: v.Notes}
	if r.CostFiles == outlay.KeepCostFiles {
		plan.Changes = v.Keep
	}
	if undo := plan.MadeBy(madeBy, s.source.Resources); madeBy != "" && len(undo.Changes) < len(plan.Changes) {
		return RunView{}, outlay.Errorf(outlay.CodeConflict, "Deprovision the account to remove all of it.", "the run only changed what an earlier one had made")
	}
	op := outlay.Operation{
		OrgID: a.OrgID, ID: outlay.NewID("run"), Kind: outlay.OpDeprovision, SourceID: s.source.ID, AccountID: s.account.ID, Provider: s.account.Provider, ScopeID: s.source.Scope.ID,
		Status: outlay.OpQueued, IdemKey: r.IdemKey, RequestHash: hash, Plan: plan, PlanHash: plan.Hash(), CostFiles: r.CostFiles, RemoveHistory: r.RemoveHistory, CreatedBy: a.UserID, CreatedAt: c.deps.Clock.Now(),
	}
	s.source.CostFiles, s.ending = r.CostFiles, "ended: deprovisioning was asked for"
	return c.queue(ctx, a, s, op, outlay.BillingDeprovision)
}

// typed refuses what is not confirmed by its name.
func typed(confirm, name string) error {
	if confirm == name {
		return nil
	}
	return outlay.Errorf(outlay.CodeInvalid, "Type "+name+" to confirm.", "the name does not match").InField("confirm")
}

// endWaiting ends a waiting run, so that its scope is free.
func (c *Control) endWaiting(ctx context.Context, tx outlay.Tx, op *outlay.Operation, why string) error {
	if op == nil || why == "" {
		return nil
	}
	o, err := tx.Operation(ctx, op.ID)
	if err != nil || o.Status != outlay.OpWaiting {
		return err
	}
	o.Status, o.EndedAt = outlay.OpFailed, c.deps.Clock.Now()
	if o.Problem == nil {
		o.Problem = &outlay.Problem{Code: outlay.CodeConflict}
	}
	o.Problem.Message, o.Problem.Fix, o.Problem.Manual = why, "", nil
	return tx.PutOperation(ctx, o)
}

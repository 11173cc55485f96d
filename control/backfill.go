package control

import (
	"context"
	"maps"

	"outlay"
)

// FieldBackfill is the field of a Spec that asks a provider to write today's tags into past months, from a month on. It
// is set by Backfill alone, never by the provision form: a backfill applies to every key of the payer, those of other
// tools included, so it never happens without a person's wish.
const FieldBackfill = "backfill"

// BackfillRequest asks for today's tags in past months.
type BackfillRequest struct {
	AccountID string
	From      outlay.Period
	IdemKey   string
}

// Backfill queues a run that asks the provider to write the tags that are on today into the months from From on.
func (c *Control) Backfill(ctx context.Context, a outlay.Actor, r BackfillRequest) (RunView, error) {
	if err := c.must(ctx, a, outlay.BillingProvision, "account "+r.AccountID); err != nil {
		return RunView{}, err
	}
	hash := requestHash("backfill", r.AccountID, r.From)
	if again, ok, err := c.sameRun(ctx, a, r.IdemKey, hash); ok || err != nil {
		return again, err
	}
	if _, err := outlay.ParsePeriod(string(r.From)); err != nil {
		return RunView{}, outlay.AsError(err).InField("from")
	}
	s, err := c.load(ctx, a, r.AccountID)
	if err != nil {
		return RunView{}, err
	}
	if s.source.Desired != outlay.Present || s.source.Spec == nil {
		return RunView{}, outlay.Errorf(outlay.CodeConflict, "Provision billing first.", "%s has no billing set up", s.account.Name)
	}
	p, err := c.provider(s.account.Provider)
	if err != nil {
		return RunView{}, err
	}
	wanted := s.source
	spec := *wanted.Spec
	spec.Fields = maps.Clone(spec.Fields)
	if spec.Fields == nil {
		spec.Fields = map[string]string{}
	}
	spec.Fields[FieldBackfill] = string(r.From)
	wanted.Spec = &spec
	plan, err := p.Plan(&wanted, outlay.Observation{At: c.deps.Clock.Now(), Identity: s.account.Identity})
	if err != nil {
		return RunView{}, err
	}
	if why := plan.Blocked(); why != "" {
		return RunView{}, outlay.Errorf(outlay.CodeConflict, "Ask through that account.", "%s", why)
	}
	op := outlay.Operation{
		OrgID: a.OrgID, ID: outlay.NewID("run"), Kind: outlay.OpBackfill, SourceID: s.source.ID, AccountID: s.account.ID, Provider: s.account.Provider, ScopeID: s.source.Scope.ID,
		Status: outlay.OpQueued, IdemKey: r.IdemKey, RequestHash: hash, Plan: plan, PlanHash: plan.Hash(), CreatedBy: a.UserID, CreatedAt: c.deps.Clock.Now(),
	}
	return c.queue(ctx, a, s, op, outlay.BillingProvision)
}

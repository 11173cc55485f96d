package control

import (
	"context"
	"slices"
	"strings"

	"outlay"
)

// ActivateTagsRequest asks for keys to be turned on at an account's billing set-up.
type ActivateTagsRequest struct {
	AccountID string   // id or name
	Keys      []string // beside those that were asked for already; nil means all nine
	PlanHash  string   // the plan that the person saw; "" takes the plan of this moment
	IdemKey   string
}

// PlanActivation shows what turning keys on would change. It changes nothing in the provider.
func (c *Control) PlanActivation(ctx context.Context, a outlay.Actor, r ActivateTagsRequest) (PlanView, error) {
	if err := c.must(ctx, a, outlay.BillingPlan, "account "+r.AccountID); err != nil {
		return PlanView{}, err
	}
	name, spec, err := c.activation(ctx, a, r)
	if err != nil {
		return PlanView{}, err
	}
	v, err := c.Plan(ctx, a, PlanRequest{AccountID: r.AccountID, Spec: spec})
	v.Intro, v.Command = "", strings.Join(append([]string{"outlay tags activate", name}, r.Keys...), " ")
	return v, err
}

// ActivateTags queues the run that turns keys on. It is the set-up's own plan with more tags in it: what is as it
// should be stays, and what differs is shown before.
func (c *Control) ActivateTags(ctx context.Context, a outlay.Actor, r ActivateTagsRequest) (RunView, error) {
	if err := c.must(ctx, a, outlay.BillingProvision, "account "+r.AccountID); err != nil {
		return RunView{}, err
	}
	_, spec, err := c.activation(ctx, a, r)
	if err != nil {
		return RunView{}, err
	}
	return c.Provision(ctx, a, ProvisionRequest{AccountID: r.AccountID, Spec: spec, PlanHash: r.PlanHash, IdemKey: r.IdemKey})
}

// activation is the account's name and what its set-up asks for with the keys added, in the order of the nine.
func (c *Control) activation(ctx context.Context, a outlay.Actor, r ActivateTagsRequest) (string, outlay.Spec, error) {
	keys, err := tagKeysOf(r.Keys)
	if err != nil {
		return "", outlay.Spec{}, err
	}
	var acc outlay.CloudAccount
	var sources []outlay.Source
	err = c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) (err error) {
		if acc, err = c.accountIn(ctx, tx, r.AccountID); err != nil {
			return err
		}
		sources, err = tx.Sources(ctx)
		return err
	})
	if err != nil {
		return "", outlay.Spec{}, err
	}
	i := slices.IndexFunc(sources, func(s outlay.Source) bool {
		return s.AccountID == acc.ID && s.Desired == outlay.Present && s.Spec != nil && s.Origin == outlay.OriginCreated
	})
	if i < 0 {
		return acc.Name, outlay.Spec{}, outlay.Errorf(outlay.CodeConflict, "Provision billing there first: outlay billing provision "+acc.Name, "%s has no billing set-up of ours", acc.Name)
	}
	if !needsActivation(c.about(acc.Provider)) {
		return acc.Name, outlay.Spec{}, outlay.Errorf(outlay.CodeConflict, "Put the tags on resources; their charges carry them.", "%s needs no activation of tags", c.title(acc.Provider))
	}
	spec := *sources[i].Spec
	wanted := slices.Concat(spec.Tags, keys)
	spec.Tags = slices.DeleteFunc(outlay.TagKeys(), func(k string) bool { return !slices.Contains(wanted, k) })
	return acc.Name, spec, nil
}

// tagKeysOf reads keys in any spelling; none means all nine.
func tagKeysOf(list []string) ([]string, error) {
	if len(list) == 0 {
		return outlay.TagKeys(), nil
	}
	var out []string
	for _, key := range list {
		tag, err := tagKeyOf(key)
		if err != nil {
			return nil, err
		}
		out = append(out, tag)
	}
	return out, nil
}

// tagKeyOf is the one of the nine that a key spells: group-id is GroupID.
func tagKeyOf(key string) (string, error) {
	for _, tag := range outlay.TagKeys() {
		if outlay.FoldTag(tag) == outlay.FoldTag(key) {
			return tag, nil
		}
	}
	fix := "Use one of " + strings.Join(outlay.TagKeys(), ", ") + "."
	if near, ok := outlay.NearTag(key); ok {
		fix = "Did you mean " + near + "?"
	}
	return "", outlay.Errorf(outlay.CodeInvalid, fix, "%q is not one of the nine tags", key).InField("tags")
}

package control

import (
	"context"
	"maps"
	"slices"
	"strings"

	"outlay"
)

// DriftView compares a set-up with what stands in the provider now.
type DriftView struct {
	AccountID   string              `json:"accountId"`
	AccountName string              `json:"accountName"`
	SourceID    string              `json:"sourceId"`
	Origin      outlay.SourceOrigin `json:"origin"`
	Lines       []DriftLine         `json:"lines"` // empty: all as planned
	Notes       []outlay.Note       `json:"notes,omitempty"`
	// Unread names what could not be looked at, and why: nothing is known of it.
	Unread map[string]string `json:"unread,omitempty"`
	// Hash is the plan that a repair would run; "" where there is nothing to repair, or nothing that we may.
	Hash string `json:"hash,omitempty"`
	// Why says why it cannot be repaired; "" when it can, or when nothing has to be.
	Why  string      `json:"why,omitempty"`
	Spec outlay.Spec `json:"spec"`
}

// DriftLine is one resource that is not as planned.
type DriftLine struct {
	Kind   outlay.ResourceKind `json:"kind"`
	Name   string              `json:"name"`
	Title  string              `json:"title"`
	State  string              `json:"state"` // missing, changed, new, by hand
	Detail string              `json:"detail,omitempty"`
	Fields []DriftField        `json:"fields,omitempty"`
}

// DriftField is one setting: as it is, and as it should be.
type DriftField struct {
	Name string `json:"name"`
	Is   string `json:"is"`
	Want string `json:"want"`
}

// Drift looks at the provider now and shows, setting by setting, what is not as planned. It changes nothing.
func (c *Control) Drift(ctx context.Context, a outlay.Actor, idOrName string) (DriftView, error) {
	if err := c.must(ctx, a, outlay.BillingPlan, "account "+idOrName); err != nil {
		return DriftView{}, err
	}
	s, err := c.owned(ctx, a, idOrName)
	if err != nil && len(s.imports()) > 0 {
		v := DriftView{AccountID: s.account.ID, AccountName: s.account.Name, SourceID: s.imports()[0].ID, Origin: outlay.OriginImported, Unread: map[string]string{}}
		c.importDrift(ctx, s, &v)
		return v, nil
	}
	if err != nil {
		return DriftView{}, err
	}
	v := DriftView{AccountID: s.account.ID, AccountName: s.account.Name, SourceID: s.source.ID, Origin: s.source.Origin}
	if s.source.Spec == nil {
		return v, outlay.Errorf(outlay.CodeConflict, "Wait until the run has ended.", "the set-up of %s is being removed", s.account.Name)
	}
	made := s.source.Resources
	_, plan, err := c.plan(ctx, a, PlanRequest{AccountID: s.account.ID, Spec: *s.source.Spec}, false)
	if err != nil {
		return v, err
	}
	v.Notes, v.Why, v.Spec, v.Unread = plan.Notes, plan.Blocked, plan.Spec, map[string]string{}
	maps.Copy(v.Unread, plan.seen.Unknown)
	for _, change := range plan.Changes {
		if change.Action == outlay.ActionKeep || change.Hold != "" || change.Auto {
			continue
		}
		v.Lines = append(v.Lines, driftLine(change, made, plan.seen))
	}
	if len(v.Lines) > 0 && v.Why == "" {
		v.Hash = plan.Hash
	}
	c.importDrift(ctx, s, &v)
	return v, nil
}

// driftLine says what a change that is still wanted means for people.
func driftLine(c outlay.Change, made []outlay.Resource, seen outlay.Observation) DriftLine {
	line := DriftLine{Kind: c.Kind, Name: c.Name, Title: c.Title, Detail: c.Detail, State: "changed"}
	known := slices.ContainsFunc(made, func(r outlay.Resource) bool { return r.Key() == c.Key() && r.State != outlay.StatePlanned })
	live, there := seen.Find(c.Kind, c.Name)
	switch {
	case c.Action == outlay.ActionManual:
		line.State = "by hand"
		return line
	case c.Action == outlay.ActionCreate && known:
		line.State = "missing"
		return line
	case c.Action == outlay.ActionCreate:
		line.State = "new"
		return line
	}
	for _, name := range slices.Sorted(maps.Keys(c.To)) {
		is, told := c.From[name]
		if !told && there {
			is = live.Properties[name]
		}
		if is != c.To[name] {
			line.Fields = append(line.Fields, DriftField{name, is, c.To[name]})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.From)) {
		if _, also := c.To[name]; !also {
			line.Fields = append(line.Fields, DriftField{name, c.From[name], ""})
		}
	}
	return line
}

// importDrift adds what is wrong with existing exports that are read. Nothing of them is ours to repair. One that cannot
// be looked at hides no other.
func (c *Control) importDrift(ctx context.Context, s setting, v *DriftView) {
	own := len(v.Lines)
	for _, src := range s.imports() {
		s.source = src
		seen, err := c.observe(ctx, &s, outlay.Look{}, false)
		if err != nil {
			v.Unread[src.Name] = outlay.AsError(err).Message
			continue
		}
		maps.Copy(v.Unread, seen.Unknown)
		for _, r := range seen.Resources {
			line := DriftLine{Kind: r.Kind, Name: r.Name, Title: src.Name, State: "changed", Detail: r.LastError}
			if r.State == outlay.StateMissing {
				line.State = "missing"
			} else if r.LastError == "" {
				continue
			}
			if v.Hash != "" {
				line.Detail = strings.TrimPrefix(line.Detail+"; a repair leaves it: it was set up by somebody else", "; ")
			}
			v.Lines = append(v.Lines, line)
		}
		v.Notes = append(v.Notes, seen.Notes...)
	}
	if len(v.Lines) > own && v.Hash == "" {
		v.Why = orText(v.Why, "It was set up by somebody else, so Outlay does not repair it.")
	}
}

// Repair queues the run that makes a set-up as it was planned again: a provisioning of the same wish, by the plan that
// the person saw. planHash "" takes the plan of this moment.
func (c *Control) Repair(ctx context.Context, a outlay.Actor, idOrName, planHash, idemKey string) (RunView, error) {
	if err := c.must(ctx, a, outlay.BillingProvision, "account "+idOrName); err != nil {
		return RunView{}, err
	}
	s, err := c.owned(ctx, a, idOrName)
	if err != nil {
		return RunView{}, err
	}
	if s.source.Spec == nil {
		return RunView{}, outlay.Errorf(outlay.CodeConflict, "Wait until the run has ended.", "the set-up of %s is being removed", s.account.Name)
	}
	return c.Provision(ctx, a, ProvisionRequest{AccountID: s.account.ID, Spec: *s.source.Spec, PlanHash: planHash, IdemKey: idemKey})
}

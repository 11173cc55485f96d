package outlaytest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

// up looks, plans and makes the changes. at gives the fault of a step, and may be nil.
func (l *life) up(at func(step string) *strike) {
	plan := l.look(stepFirstLook, nil, nil)
	for _, c := range plan.Changes {
		l.change(c, at)
	}
}

// others looks once with each other kind of credential.
func (l *life) others() {
	for i := range l.world.Others {
		l.otherLook(i, nil)
	}
}

func (l *life) otherLook(i int, hit *strike) {
	was := l.world.Account
	l.world.Account = l.world.Others[i]
	name := stepFirstLook + " by " + l.world.Account.Credential.Kind
	l.look(name, hit, l.todo[name])
	l.world.Account = was
}

// read looks at what stands, lists and fetches.
func (l *life) read(at func(step string) *strike) {
	hit := func(step string) *strike {
		if at == nil {
			return nil
		}
		return at(step)
	}
	l.look(stepLook, nil, nil)
	if err := l.world.Deliver(); err != nil {
		l.t.Fatal(err)
	}
	l.look(stepLook, hit(stepLook), nil)
	l.existing(hit(stepExisting))
	l.list(hit(stepList))
	l.fetch(hit(stepFetch))
}

// down removes everything.
func (l *life) down(at func(step string) *strike) {
	if l.world.Fill != nil {
		l.world.Fill()
	}
	s := l.world.Source
	s.Spec, s.CostFiles = nil, outlay.DeleteCostFiles
	plan := l.look(stepLookDown, nil, nil)
	for i, c := range plan.Changes {
		l.change(c, at)
		l.gone(c, plan.Changes[i+1:])
	}
	if l.world.Rest == nil {
		return
	}
	if rest := l.world.Rest(); len(rest) > 0 {
		l.t.Errorf("left behind is %v", rest)
	}
}

// look observes and plans, and gives the plan of a look without faults. What a faulted look sees must not lead to more
// than want: a part that could not be read is unknown, and never absent or different.
func (l *life) look(name string, hit *strike, want []string) outlay.Plan {
	l.forget()
	var plan outlay.Plan
	l.step(name, hit, func(ctx context.Context) error {
		seen, err := l.world.Provider.Observe(ctx, l.world.Account, l.world.Source, outlay.Look{Permissions: true, Members: true, Contents: true, Tags: true})
		if err != nil {
			return err
		}
		if l.world.Account.Identity.AccountID == "" && len(seen.Unknown) == 0 {
			l.world.Account.Identity, l.world.Source.Scope = seen.Identity, seen.Identity.Scope
		}
		l.verify(seen)
		if plan, err = l.world.Provider.Plan(l.world.Source, seen); err != nil {
			return err
		}
		if hit != nil {
			l.noLies(name, *hit, seen, plan, want)
		}
		return nil
	})
	if hit == nil {
		l.todo[name] = todoOf(plan)
		if name == stepLook && len(l.todo[name]) > 0 {
			l.t.Errorf("right after provisioning a look wants %v", l.todo[name])
		}
		if blocked := plan.Blocked(); blocked != "" {
			l.t.Errorf("%s: the plan is blocked: %s", name, blocked)
		}
	}
	return plan
}

// verify notes in the ledger what was seen, as the end of a run and the hourly look do.
func (l *life) verify(seen outlay.Observation) {
	for i := range l.world.Source.Resources {
		row := &l.world.Source.Resources[i]
		if _, there := seen.Find(row.Kind, row.Name); there && row.State == outlay.StateCreated {
			row.State = outlay.StateVerified
		}
	}
}

func (l *life) noLies(name string, hit strike, seen outlay.Observation, plan outlay.Plan, want []string) {
	for _, todo := range todoOf(plan) {
		if !slices.Contains(want, todo) {
			l.say(name, hit, "the plan wants to %s; unknown are %v", todo, seen.Unknown)
		}
	}
	for _, r := range seen.Resources {
		if r.State == outlay.StateForeign || r.State == outlay.StateMissing && name == stepLook { // at first, missing is true
			l.say(name, hit, "%s is taken for %s", r.Key(), r.State)
		}
	}
}

// todoOf lists what a plan would do, less what waits.
func todoOf(p outlay.Plan) []string {
	var out []string
	for _, c := range p.Changes {
		if c.Action != outlay.ActionKeep && c.Hold == "" {
			out = append(out, string(c.Action)+" "+c.Key())
		}
	}
	return out
}

// change makes one change with the ledger that the engine would keep: an intent before, the outcome after.
func (l *life) change(c outlay.Change, at func(step string) *strike) {
	if c.Action == outlay.ActionKeep || c.Hold != "" {
		return
	}
	if c.Action == outlay.ActionManual {
		if l.world.Manual == nil {
			l.t.Errorf("nobody does what %s asks for", c.Key())
		} else if err := l.world.Manual(c); err != nil {
			l.t.Errorf("doing by hand what %s asks for: %v", c.Key(), err)
		}
		return
	}
	name := "change " + string(c.Action) + " " + c.Key()
	var hit *strike
	if at != nil {
		hit = at(name)
	}
	row := l.intend(c)
	attempts := 0
	l.step(name, hit, func(ctx context.Context) error {
		r, err := l.world.Provider.Apply(ctx, l.world.Account, l.world.Source, c)
		if attempts++; attempts > 1 && c.Action == outlay.ActionCreate && outlay.CodeOf(err) == outlay.CodeConflict {
			r, err = l.made(ctx, c, err)
		}
		if err != nil {
			return err
		}
		if row != nil {
			row.State, row.ProviderID, row.Properties = r.State, orElse(r.ProviderID, row.ProviderID), r.Properties
			if !r.Created.IsZero() {
				row.Created = r.Created
			}
		}
		return nil
	})
	l.settle(c)
}

// made finds what an earlier attempt made though its answer was lost, as the engine does when told 'exists already'.
func (l *life) made(ctx context.Context, c outlay.Change, conflict error) (outlay.Resource, error) {
	seen, err := l.world.Provider.Observe(ctx, l.world.Account, l.world.Source, outlay.Look{Kinds: []outlay.ResourceKind{c.Kind}})
	if err != nil {
		return outlay.Resource{}, err
	}
	if r, there := seen.Find(c.Kind, c.Name); there && r.State != outlay.StateForeign {
		return r, nil
	}
	return outlay.Resource{}, conflict
}

// gone notes in the ledger what a deletion took with it, as the engine does by the name: what no later change names.
func (l *life) gone(c outlay.Change, later []outlay.Change) {
	for i := range l.world.Source.Resources {
		r := &l.world.Source.Resources[i]
		named := slices.ContainsFunc(later, func(x outlay.Change) bool { return x.Key() == r.Key() && x.Action != outlay.ActionKeep })
		if c.Action == outlay.ActionDelete && r.Name == c.Name && !named {
			r.State = outlay.StateDeleted
		}
	}
}

// settle is the read step after a change: a few looks, until the resource is there.
func (l *life) settle(c outlay.Change) {
	if c.Verify == "" || c.Action == outlay.ActionDelete {
		return
	}
	for range 5 {
		seen, err := l.world.Provider.Observe(context.Background(), l.world.Account, l.world.Source, outlay.Look{Kinds: []outlay.ResourceKind{c.Kind}})
		if err != nil {
			continue
		}
		l.verify(seen)
		if r, there := seen.Find(c.Kind, c.Name); there && r.State != outlay.StateMissing && r.State != outlay.StateWaiting {
			return
		}
	}
}

// intend is the ledger's row of a change.
func (l *life) intend(c outlay.Change) *outlay.Resource {
	s := l.world.Source
	for i := range s.Resources {
		if s.Resources[i].Key() == c.Key() {
			return &s.Resources[i]
		}
	}
	if c.Action == outlay.ActionDelete {
		return nil
	}
	origin := outlay.CreatedByUs
	if c.Action != outlay.ActionCreate {
		origin = outlay.PreExisting // a setting is not a thing that we could delete
	}
	s.Resources = append(s.Resources, outlay.Resource{ // rows handed out before may point at an older slice: their steps are over
		Kind: c.Kind, Name: c.Name, State: outlay.StateIntended, Origin: origin, IntentAt: l.now(), OperationID: "op_1",
	})
	return &s.Resources[len(s.Resources)-1]
}

func (l *life) now() time.Time {
	if l.world.Now != nil {
		return l.world.Now()
	}
	return time.Now().UTC()
}

// list reads which deliveries there are; under a fault it is the same list or an error, never a shorter one.
func (l *life) list(hit *strike) {
	l.forget()
	l.step(stepList, hit, func(ctx context.Context) error {
		var found []outlay.Delivery
		for d, err := range l.world.Provider.Deliveries(ctx, l.world.Account, l.world.Source) {
			if err != nil {
				return err
			}
			found = append(found, d)
		}
		if l.first == nil {
			l.first = found
		}
		if len(found) == 0 || len(found) != len(l.first) || found[0].Token != l.first[0].Token {
			return fmt.Errorf("the list came out as %d deliveries of %d", len(found), len(l.first))
		}
		return nil
	})
}

// existing lists the exports that stand; under a fault it is the same list, or an error, or it says what
// could not be read.
func (l *life) existing(hit *strike) {
	l.forget()
	l.step(stepExisting, hit, func(ctx context.Context) error {
		found, err := l.world.Provider.Existing(ctx, l.world.Account, nil)
		if err != nil {
			return err
		}
		if l.standing == nil {
			l.standing = found
		}
		explained := slices.ContainsFunc(found, func(e outlay.Existing) bool { return e.Why != "" })
		if diff := cmp.Diff(l.standing, found); diff != "" && !explained {
			return fmt.Errorf("the exports that stand came out otherwise, and nothing says why (-clean +faulted):\n%s", diff)
		}
		return nil
	})
}

// forget makes the provider one that remembers nothing of earlier reads: what it keeps would hide calls.
func (l *life) forget() {
	if l.world.Fresh != nil {
		l.world.Provider = l.world.Fresh()
	}
}

// fetch reads the newest delivery; under a fault it is the same bytes or an error.
func (l *life) fetch(hit *strike) {
	if len(l.first) == 0 {
		l.list(nil)
	}
	l.forget()
	l.step(stepFetch, hit, func(ctx context.Context) error {
		paths, err := l.world.Provider.Fetch(ctx, l.world.Account, l.world.Source, l.first[len(l.first)-1], l.t.TempDir())
		if err != nil {
			return err
		}
		content, err := contentOf(paths)
		if err != nil {
			return err
		}
		if l.files == nil {
			l.files = content
		}
		if !slices.Equal(content, l.files) {
			return fmt.Errorf("a damaged delivery passed for a whole one")
		}
		return nil
	})
}

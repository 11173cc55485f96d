package detect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"outlay"
)

// The names of the axes, in the order of BillingStatus.Axes.
const (
	AxisCredential     = "credential"
	AxisInfrastructure = "infrastructure"
	AxisExport         = "export"
	AxisTags           = "tags"
	AxisData           = "data"
)

// tagsAgain is how often tags that are all on are read again: the reads are paid on some providers.
const tagsAgain = 7 * 24 * time.Hour

// visit is one look at one account.
type visit struct {
	*Detector
	orgID    string
	account  outlay.CloudAccount
	provider outlay.Provider
	sources  []source
	// failed is why the look found out nothing, or not all; it says nothing about the data.
	failed error
}

// source is one source of the account with what the look found of it.
type source struct {
	outlay.Source
	busy       bool // a run works on it or waits
	runs       int  // how many runs of it there ever were
	running    bool
	asks       *outlay.Operation // the run that waits for a person; nil when none does
	look       outlay.Look
	seen       outlay.Observation
	observed   bool
	left       []outlay.Change // what a plan from here would change
	compared   bool            // left is known
	deliveries []outlay.Delivery
	listed     bool  // the deliveries were read to the end
	listErr    error // why not
	// queries and bytes are what listing them cost, where the provider bills for reading.
	queries, bytes int64
}

// look does one look. Failures that pass by themselves are tried again soon; others wait for the next look.
func (d *Detector) look(ctx context.Context, t outlay.Task) (time.Duration, error) {
	v := &visit{Detector: d, orgID: t.OrgID}
	if err := v.load(ctx, t.Subject); err != nil {
		if outlay.CodeOf(err) == outlay.CodeNotFound {
			return 0, d.forget(ctx, t)
		}
		return 0, err
	}
	if v.provider == nil {
		v.failed = outlay.Errorf(outlay.CodeInvalid, "", "this installation has no provider %q", v.account.Provider)
	} else {
		v.observe(ctx)
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx) // cut off: nothing is known
	}
	if err := v.record(ctx); err != nil {
		return 0, fmt.Errorf("record a look: %w", err)
	}
	if err := d.refresh(ctx, t.OrgID, t.Subject); err != nil {
		return 0, err
	}
	if v.failed != nil && outlay.CodeOf(v.failed).Retryable() {
		return 0, v.failed
	}
	for _, s := range v.sources {
		if s.running {
			return min(d.Every, time.Minute), nil // while a run works, its end is worth another look
		}
	}
	return 0, nil
}

// forget ends the looks at an account that is gone.
func (d *Detector) forget(ctx context.Context, t outlay.Task) error {
	return d.Store.ForOrg(ctx, t.OrgID, func(tx outlay.Tx) error { return tx.DeleteTask(ctx, t.Kind, t.Subject) })
}

// load reads the account and the sources that it owns.
func (v *visit) load(ctx context.Context, accountID string) error {
	return v.Store.ReadOrg(ctx, v.orgID, func(tx outlay.Tx) (err error) {
		if v.account, err = tx.Account(ctx, accountID); err != nil {
			return err
		}
		v.provider = v.Providers[v.account.Provider]
		all, err := tx.Sources(ctx)
		if err != nil {
			return err
		}
		v.sources = nil
		for _, s := range all {
			if s.AccountID != accountID || s.Desired != outlay.Present {
				continue
			}
			own := source{Source: s}
			ops, err := tx.Operations(ctx, s.ID)
			if err != nil {
				return err
			}
			own.runs = len(ops)
			for _, o := range ops {
				own.busy = own.busy || o.Status.Active()
				own.running = own.running || o.Status == outlay.OpQueued || o.Status == outlay.OpRunning
				if o.Status == outlay.OpWaiting && o.Problem != nil && o.Problem.Manual != nil {
					own.asks = &o
				}
			}
			v.sources = append(v.sources, own)
		}
		return nil
	})
}

// observe makes the calls of the look. It goes on from source to source as long as the credential is what it should be:
// that one source cannot be observed keeps nothing from the others.
func (v *visit) observe(ctx context.Context) {
	if len(v.sources) == 0 {
		seen, err := v.call(ctx, &outlay.Source{OrgID: v.orgID, Provider: v.account.Provider, AccountID: v.account.ID}, outlay.Look{Kinds: []outlay.ResourceKind{}})
		if err == nil {
			err = v.bound(seen.Identity)
		}
		v.failed = err
		return
	}
	for i := range v.sources {
		s := &v.sources[i]
		s.look = outlay.Look{Members: true, Tags: v.wantsTags(s.Source)}
		var err error
		if s.seen, err = v.call(ctx, &s.Source, s.look); err != nil {
			v.failed = err
			if ctx.Err() != nil || outlay.CodeOf(err) == outlay.CodeUnauthenticated {
				return
			}
			continue
		}
		is := s.seen.Identity
		if s.Origin == outlay.OriginImported && v.account.Identity.Scope.ID != "" {
			is.Scope = v.account.Identity.Scope // an export may be about another scope than the account's own
		}
		if err := v.bound(is); err != nil {
			v.failed = err
			return
		}
		s.observed = true
		if err := s.unread(); err != nil {
			v.failed = err
		}
		if err := s.compare(v.provider); err != nil {
			v.failed = err
		}
		v.list(ctx, s)
	}
}

func (v *visit) call(ctx context.Context, s *outlay.Source, look outlay.Look) (outlay.Observation, error) {
	limited, cancel := context.WithTimeout(ctx, v.Timeout)
	defer cancel()
	seen, err := v.provider.Observe(limited, &v.account, s, look)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		err = outlay.Errorf(outlay.CodeUnavailable, "", "the look took longer than %s", v.Timeout)
	}
	return seen, err
}

// bound checks that the credential is still the account that it was bound to, and binds it at first use.
func (v *visit) bound(is outlay.Identity) error {
	was := v.account.Identity
	switch {
	case is.AccountID == "":
		return outlay.Errorf(outlay.CodeUnavailable, "", "could not find out which account the credential belongs to")
	case was.AccountID != "" && was.AccountID != is.AccountID:
		return outlay.Errorf(outlay.CodeConflict, "Store the credential of account "+was.AccountID+" again.",
			"the credential now belongs to account %s, not to %s", is.AccountID, was.AccountID)
	}
	if is.Scope.ID == "" {
		is.Scope = was.Scope // could not be read this time
	}
	v.account.Identity = is
	return nil
}

// compare finds what a plan from here would still change. What was not looked at is no difference.
func (s *source) compare(p outlay.Provider) error {
	if s.Spec == nil || s.Origin != outlay.OriginCreated || s.unread() != nil {
		return nil
	}
	plan, err := p.Plan(&s.Source, s.seen)
	if err != nil {
		return err
	}
	for _, c := range plan.Changes {
		if c.Action == outlay.ActionKeep || c.Auto && !s.look.Tags && !s.saw(c.Kind) {
			continue
		}
		s.left = append(s.left, c)
	}
	s.compared = true
	return nil
}

// saw tells whether the look found anything of a kind.
func (s *source) saw(kind outlay.ResourceKind) bool {
	return slices.ContainsFunc(s.seen.Resources, func(r outlay.Resource) bool { return r.Kind == kind })
}

// list reads which deliveries there are. A source that is not made yet has none.
func (v *visit) list(ctx context.Context, s *source) {
	if s.Origin == outlay.OriginCreated && !slices.ContainsFunc(s.Resources, exists) {
		return
	}
	limited, cancel := context.WithTimeout(ctx, v.Timeout)
	defer cancel()
	limited, billed := outlay.WithMeter(limited)
	defer func() { s.queries, s.bytes = billed() }()
	for delivery, err := range v.provider.Deliveries(limited, &v.account, &s.Source) {
		if err != nil {
			s.listErr = err
			if v.failed == nil && outlay.CodeOf(err) != outlay.CodeNotFound {
				v.failed = err
			}
			return
		}
		s.deliveries = append(s.deliveries, delivery)
	}
	s.listed = true
}

// exists tells whether the ledger says that a resource was made.
func exists(r outlay.Resource) bool {
	return r.State == outlay.StateCreated || r.State == outlay.StateVerified
}

// unread is why the look proves nothing about what it did not find of the source: a kind of its resources could not be
// read. What else could not be read (the scope's members, say) is not part of the source.
func (s *source) unread() error {
	var why []string
	for _, part := range slices.Sorted(maps.Keys(s.seen.Unknown)) {
		if slices.ContainsFunc(s.Resources, func(r outlay.Resource) bool { return string(r.Kind) == part }) {
			why = append(why, s.seen.Unknown[part])
		}
	}
	if len(why) == 0 {
		return nil
	}
	return outlay.Errorf(outlay.CodeForbidden, "", "could not read everything (%s)", strings.Join(why, "; "))
}

func axis(axes []outlay.Axis, name string) outlay.Axis {
	for _, a := range axes {
		if a.Name == name {
			return a
		}
	}
	return outlay.Axis{Name: name}
}

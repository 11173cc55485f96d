package aws

import (
	"context"
	"slices"

	"outlay"
)

// observer collects what one look finds.
type observer struct {
	p    *Provider
	ses  session
	a    *outlay.CloudAccount
	s    *outlay.Source
	look outlay.Look
	n    names
	seen *outlay.Observation
	// failed are the errors behind seen.Unknown.
	failed map[string]error
}

// Observe looks at the account, and with a source at its resources. A part that could not be read is in Unknown: a
// refusal or a throttled call never counts as absence.
func (p *Provider) Observe(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source, look outlay.Look) (outlay.Observation, error) {
	ses, err := p.session(ctx, a)
	if err != nil {
		return outlay.Observation{}, err
	}
	id, err := p.whoami(ctx, ses, a)
	if err != nil {
		return outlay.Observation{}, err
	}
	seen := outlay.Observation{At: p.opts.Clock.Now(), Identity: id, Unknown: map[string]string{}}
	o := &observer{p: p, ses: ses, a: a, s: s, look: look, seen: &seen, failed: map[string]error{}}
	o.whose(ctx)
	switch {
	case isImported(s):
		o.n = p.namesOf(s, seen.Identity)
		o.imported(ctx)
	case s != nil:
		o.n = p.namesOf(s, seen.Identity)
		o.bucket(ctx)
		o.export(ctx)
		o.tags(ctx)
	}
	if look.Permissions {
		o.permissions(ctx)
		o.externalID(ctx)
	}
	return seen, nil
}

// unknown notes that a part could not be read.
func (o *observer) unknown(part string, err error) {
	o.seen.Unknown[part], o.failed[part] = outlay.AsError(err).Message, err
}

func (o *observer) note(level, text string) {
	o.seen.Notes = append(o.seen.Notes, outlay.Note{Level: level, Text: text})
}

// wants tells whether the look asks for any of the kinds.
func (o *observer) wants(kinds ...outlay.ResourceKind) bool {
	return slices.ContainsFunc(kinds, o.look.Wants)
}

// names tells whether the look asks for a kind by name: for the ones that are not read unless asked for.
func (o *observer) names(kind outlay.ResourceKind) bool { return slices.Contains(o.look.Kinds, kind) }

// add notes a resource of the source with what the ledger knows of its origin.
func (o *observer) add(r outlay.Resource) {
	r.OrgID, r.SourceID, r.LastSeen = o.s.OrgID, o.s.ID, o.seen.At
	if r.State == "" {
		r.State = outlay.StateCreated
	}
	for _, row := range o.s.Resources {
		if row.Kind == r.Kind && row.Name == r.Name && row.State != outlay.StateDeleted {
			r.Origin, r.IntentAt, r.OperationID = row.Origin, row.IntentAt, row.OperationID
		}
	}
	o.seen.Resources = append(o.seen.Resources, r)
}

// whose finds out who is invoiced, as long as that is not known or somebody asks, and the members when asked.
func (o *observer) whose(ctx context.Context) {
	id := &o.seen.Identity
	if id.Scope.ID == "" || o.look.Permissions || o.look.Members {
		if err := o.p.place(ctx, o.ses, id); err != nil {
			if o.look.Permissions || o.look.Members {
				o.unknown("organization", err)
			}
			if id.Scope.ID == "" { // until it is known, the account stands for itself
				id.Scope = outlay.BillingScope{ID: id.AccountID, Name: "AWS account " + id.AccountID}
			}
		}
	}
	if !o.look.Members {
		return
	}
	if id.Extra[extraKind] == "" { // it may well be a payer: that it stands alone is not known
		o.unknown("members", o.failed["organization"])
		return
	}
	if !id.Scope.IsPayer || id.Extra[extraKind] == standalone {
		o.seen.Members = []outlay.Member{{AccountID: id.AccountID}}
		return
	}
	members, err := o.p.members(ctx, o.ses)
	if err != nil {
		o.unknown("members", err)
		return
	}
	o.seen.Members = members
}

// externalID blocks provisioning through a role that lets others in.
func (o *observer) externalID(ctx context.Context) {
	if o.a.Credential.Kind != kindRole {
		return
	}
	block, err := o.p.enforcesExternalID(ctx, o.a, o.ses.Partition)
	switch {
	case err != nil:
		o.unknown("external-id", err)
	case block != "":
		o.note("block", block)
	}
}

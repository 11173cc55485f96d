package azure

import (
	"context"
	"fmt"
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

// Observe looks at the subscription, and with a source at its resources. A part that could not be read is in Unknown: a
// refusal or a throttled call never counts as absence.
func (p *Provider) Observe(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source, look outlay.Look) (outlay.Observation, error) {
	ses, err := p.session(a)
	if err != nil {
		return outlay.Observation{}, err
	}
	id, err := p.whoami(ctx, ses, a, s)
	if err != nil {
		return outlay.Observation{}, err
	}
	seen := outlay.Observation{At: p.opts.Clock.Now().UTC(), Identity: id, Unknown: map[string]string{}}
	o := &observer{p: p, ses: ses, a: a, s: s, look: look, seen: &seen, failed: map[string]error{}}
	o.state()
	if s != nil {
		o.n = p.namesOf(s, id)
		o.resources(ctx)
	}
	if look.Permissions {
		o.permissions(ctx)
	}
	if look.Members {
		o.members(ctx)
	}
	return seen, nil
}

// state blocks provisioning in a subscription that Azure does not let work.
func (o *observer) state() {
	switch state := o.seen.Identity.Extra[extraState]; state {
	case "", "Enabled":
	case "Warned", "PastDue":
		o.note("warn", fmt.Sprintf("Azure reports the subscription as %s: pay its bill, or it will be disabled.", state))
	default:
		o.note("block", fmt.Sprintf("Azure reports the subscription as %s. Enable it in the Azure portal, then check again.", state))
	}
}

// resources looks at what the source consists of, from the outside in.
func (o *observer) resources(ctx context.Context) {
	if o.s.Origin == outlay.OriginImported {
		o.imported(ctx)
		return
	}
	if o.wants(kindRegistration) {
		o.registrations(ctx)
	}
	if o.wants(kindGroup) {
		o.group(ctx)
	}
	if o.wants(kindAccount) {
		o.account(ctx)
	}
	if o.wants(kindContainer) {
		o.container(ctx)
	}
	if o.wants(kindExport, kindFirstRun, kindBackfill) {
		o.exports(ctx)
	}
	if o.wants(kindInheritance) {
		o.inheritance(ctx)
	}
	if o.look.Contents {
		o.contents(ctx)
	}
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

// group looks for the resource group.
func (o *observer) group(ctx context.Context) {
	client, err := o.ses.groups()
	if err != nil {
		o.unknown(string(kindGroup), err)
		return
	}
	got, err := client.Get(ctx, o.n.Group, nil)
	if isGone(err) {
		return
	}
	if err != nil {
		o.unknown(string(kindGroup), failure(err, call{Action: actGroupRead, Resource: o.n.groupID(), Doing: "looking for the resource group"}))
		return
	}
	r := outlay.Resource{Kind: kindGroup, Name: o.n.Group, ProviderID: o.n.groupID(), Owner: marks(texts(got.Tags)), Properties: map[string]string{propRegion: region(text(got.Location))}}
	if !o.p.ours(o.s, r.Owner) {
		r.State = outlay.StateForeign
	}
	o.add(r)
}

// inheritance looks at the setting, which only matters to whom asked for it.
func (o *observer) inheritance(ctx context.Context) {
	asked := o.s.Spec != nil && o.s.Spec.Fields[fieldInherit] == choiceYes
	if _, had := ledgerRow(o.s, kindInheritance); !asked && !had {
		return
	}
	r, err := o.ses.inheritance(ctx, o.n.Scope)
	if err != nil {
		o.unknown(string(kindInheritance), err)
		return
	}
	o.add(r)
}

package google

import (
	"context"
	"slices"
	"strings"

	"outlay"
)

// The properties of resources.
const (
	propProject    = "project"
	propLocation   = "location"
	propExpiration = "default expiration"
	propReader     = "reader"
	propWriter     = "Google's writer"
	propDataset    = "dataset"
	propTable      = "table"
	propExport     = "export"
	propWritten    = "last written"

	never       = "never"
	present     = "in the access list"
	recently    = "in the last 24 hours"
	serviceOn   = "on"
	serviceOff  = "off"
	servBigQ    = "bigquery.googleapis.com"
	servBilling = "cloudbilling.googleapis.com"
	servProject = "cloudresourcemanager.googleapis.com"
)

// neededServices are those that reading and provisioning call (clouds.md §4.3 step 2).
func neededServices(fast bool) []string {
	list := []string{servBigQ, servBilling, servProject}
	if fast {
		list = append(list, "bigquerystorage.googleapis.com")
	}
	return list
}

// observer collects what one look finds.
type observer struct {
	p     *Provider
	ses   session
	a     *outlay.CloudAccount
	s     *outlay.Source
	look  outlay.Look
	n     names
	seen  *outlay.Observation
	off   bool     // BigQuery is off in the project that hosts
	table tableRef // the table that is read; zero while none was found
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
	o := &observer{p: p, ses: ses, a: a, s: s, look: look, seen: &seen}
	if id.Scope.ID == "" || look.Permissions || look.Members {
		if err := o.place(ctx); err != nil {
			o.unknown("billing", err)
		}
	}
	if look.Members {
		o.members(ctx)
	}
	switch {
	case isImported(s):
		o.imported(ctx)
	case s != nil:
		o.n = p.namesOf(s, seen.Identity)
		o.host(ctx)
		o.services(ctx)
		o.dataset(ctx)
	}
	if look.Permissions {
		o.permissions(ctx)
	}
	return seen, nil
}

// unknown notes that a part could not be read.
func (o *observer) unknown(part string, err error) {
	o.seen.Unknown[part] = outlay.AsError(err).Message
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

// host looks whether the project that hosts has billing, where that is another project than the account's.
func (o *observer) host(ctx context.Context) {
	if !o.look.Permissions || o.n.Project == o.seen.Identity.AccountID || o.s.Spec == nil {
		return
	}
	info, err := o.billingOf(ctx, o.n.Project)
	switch {
	case err != nil:
		o.unknown("host", err)
	case !info.BillingEnabled:
		o.note("block", sandboxText(o.n.Project))
	}
}

func sandboxText(project string) string {
	return "The project " + project + " has no billing account, or a closed one. In such a project BigQuery deletes tables after 60 days, and Google exports nothing into it. Link it to a billing account first, or choose another project."
}

// services looks which of the needed services are on.
func (o *observer) services(ctx context.Context) {
	if !o.wants(kindServices) {
		return
	}
	on, err := o.ses.servicesOf(ctx, o.n.Project, neededServices(o.fast()))
	if err != nil {
		o.unknown(string(kindServices), err)
		return
	}
	o.off = on[servBigQ] == serviceOff
	o.add(outlay.Resource{Kind: kindServices, Name: o.n.Project, ProviderID: "projects/" + o.n.Project, Properties: on})
}

func (o *observer) fast() bool { return wantsFast(o.s) }

func wantsFast(s *outlay.Source) bool {
	return s != nil && s.Spec != nil && s.Spec.Fields[fieldFast] == yes
}

func wantsFocus(s *outlay.Source) bool {
	return s != nil && s.Spec != nil && exportKind(s.Spec.Fields[fieldExport]) == exportFocus
}

// servicesOf tells of each service whether it is on.
func (ses session) servicesOf(ctx context.Context, project string, services []string) (map[string]string, error) {
	parent := "projects/" + project
	full := make([]string, len(services))
	for i, s := range services {
		full[i] = parent + "/services/" + s
	}
	out, err := ses.services.Services.BatchGet(parent).Names(full...).Context(ctx).Do()
	if err != nil {
		return nil, failure(err, call{Action: "serviceusage.services.get", Resource: parent, Doing: "looking which services are on"})
	}
	on := map[string]string{}
	for _, s := range services {
		on[s] = serviceOff
	}
	for _, s := range out.Services {
		if _, name, ok := strings.Cut(s.Name, "/services/"); ok && s.State == "ENABLED" {
			on[name] = serviceOn
		}
	}
	return on, nil
}

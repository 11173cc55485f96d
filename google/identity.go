package google

import (
	"context"
	"strings"

	"outlay"

	"google.golang.org/api/bigquery/v2"
	"google.golang.org/api/cloudbilling/v1"
)

// What Identity.Extra remembers.
const (
	extraNumber  = "project-number"
	extraName    = "project-name"
	extraSandbox = "sandbox" // yes: the project has no billing
)

// whoami looks at the project that the account stands for, and refuses a credential that is now another project's
// (reliability.md M11): the project's number never changes, its id could be given away.
func (p *Provider) whoami(ctx context.Context, ses session, a *outlay.CloudAccount) (outlay.Identity, error) {
	project, err := ses.projects.Projects.Get("projects/" + ses.project).Context(ctx).Do()
	if err != nil {
		return outlay.Identity{}, failure(err, call{Action: "resourcemanager.projects.get", Resource: "projects/" + ses.project, Doing: "looking at the project " + ses.project})
	}
	id := outlay.Identity{AccountID: project.ProjectId, Scope: a.Identity.Scope, Extra: map[string]string{}}
	for k, v := range a.Identity.Extra {
		id.Extra[k] = v
	}
	number := strings.TrimPrefix(project.Name, "projects/")
	if was := a.Identity.Extra[extraNumber]; was != "" && was != number {
		return outlay.Identity{}, outlay.Errorf(outlay.CodeConflict, "Add the project as an account of its own.",
			"the project %s is now number %s, but this account is bound to number %s", project.ProjectId, number, was)
	}
	if bound := a.Identity.AccountID; bound != "" && bound != id.AccountID {
		return outlay.Identity{}, outlay.Errorf(outlay.CodeConflict, "Store a credential for project "+bound+", or add project "+id.AccountID+" as an account of its own.",
			"the credential is for project %s, but this account is bound to %s", id.AccountID, bound)
	}
	if project.State != "ACTIVE" {
		return outlay.Identity{}, outlay.Errorf(outlay.CodeConflict, "Restore the project in the Google Cloud console, or use another one.",
			"the project %s is not active: %s", project.ProjectId, project.State)
	}
	id.Extra[extraNumber], id.Extra[extraName] = number, project.DisplayName
	if id.Principal, err = p.principal(ctx, a); err != nil {
		return outlay.Identity{}, err
	}
	return id, nil
}

// place finds out which billing account pays for the project. A project that none pays for is in BigQuery's sandbox,
// where tables expire after 60 days (clouds.md §4.3).
func (o *observer) place(ctx context.Context) error {
	id := &o.seen.Identity
	info, err := o.billingOf(ctx, id.AccountID)
	if err != nil {
		return err
	}
	billing := strings.TrimPrefix(info.BillingAccountName, "billingAccounts/")
	delete(id.Extra, extraSandbox)
	if !info.BillingEnabled {
		id.Extra[extraSandbox] = yes
	}
	if !billingText.MatchString(billing) {
		id.Scope = outlay.BillingScope{}
		return nil
	}
	id.Scope = outlay.BillingScope{ID: billing, Name: "Billing account " + billing, IsPayer: true}
	account, err := o.ses.billing.BillingAccounts.Get("billingAccounts/" + billing).Context(ctx).Do()
	if err == nil && account.DisplayName != "" {
		id.Scope.Name = account.DisplayName
	}
	err = failure(err, call{Action: "billing.accounts.get", Resource: "billingAccounts/" + billing, Doing: "reading the billing account"})
	if err != nil && !isRefusal(err) && outlay.CodeOf(err) != outlay.CodeNotFound {
		return err // the name is a nicety; a refusal to tell it is no failure
	}
	return nil
}

func (o *observer) billingOf(ctx context.Context, project string) (*cloudbilling.ProjectBillingInfo, error) {
	info, err := o.ses.billing.Projects.GetBillingInfo("projects/" + project).Context(ctx).Do()
	return info, failure(err, call{Action: "resourcemanager.projects.get", Resource: "projects/" + project, Doing: "looking for the billing account of project " + project})
}

// members lists the projects that the billing account pays for: of an imported export, the one that it is about, which may
// be another than pays for the account's own project.
func (o *observer) members(ctx context.Context) {
	id := o.seen.Identity
	billing := id.Scope.ID
	if isImported(o.s) {
		if t, err := importedTable(o.s); err == nil {
			_, billing = readTableName(t.Table)
		}
	}
	if billing == "" {
		o.unknown("members", outlay.Errorf(outlay.CodeUnavailable, "", "the billing account is not known"))
		return
	}
	parent := "billingAccounts/" + billing
	var found []outlay.Member
	err := o.ses.billing.BillingAccounts.Projects.List(parent).Context(ctx).Pages(ctx, func(page *cloudbilling.ListProjectBillingInfoResponse) error {
		for _, b := range page.ProjectBillingInfo {
			m := outlay.Member{AccountID: b.ProjectId}
			if b.ProjectId == id.AccountID {
				m.Name = id.Extra[extraName]
			}
			found = append(found, m)
		}
		return nil
	})
	if err != nil {
		o.unknown("members", failure(err, call{Action: "billing.resourceAssociations.list", Resource: parent, Doing: "listing the projects of the billing account"}))
		return
	}
	o.seen.Members = found
}

// namesPrincipal tells whether an entry of an access list is about a service account, whatever it lets it do.
func namesPrincipal(e *bigquery.DatasetAccess, principal string) bool {
	return principal != "" && (strings.EqualFold(e.UserByEmail, principal) || strings.EqualFold(e.IamMember, "serviceAccount:"+principal))
}

// isOurReader tells whether an entry of an access list lets a service account read, by our doing.
func isOurReader(e *bigquery.DatasetAccess, principal string) bool {
	return (e.Role == "READER" || e.Role == "roles/bigquery.dataViewer") && strings.EqualFold(e.UserByEmail, principal) && principal != ""
}

func isWriter(e *bigquery.DatasetAccess) bool {
	return strings.EqualFold(e.UserByEmail, writer) || strings.EqualFold(e.IamMember, "serviceAccount:"+writer)
}

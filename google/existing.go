package google

import (
	"context"
	"fmt"
	"strings"

	"outlay"

	"google.golang.org/api/bigquery/v2"
)

// Existing lists the tables of billing exports in a project that this credential may see, in datasets of people and in
// those that Google made. Those that cannot be read say why.
func (p *Provider) Existing(ctx context.Context, a *outlay.CloudAccount, fields map[string]string) ([]outlay.Existing, error) {
	ses, err := p.session(ctx, a)
	if err != nil {
		return nil, err
	}
	if _, err := p.whoami(ctx, ses, a); err != nil {
		return nil, err
	}
	project := orElse(fields[fieldProject], ses.project)
	if !projectText.MatchString(project) {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Use the project ID of the Google Cloud console, not its name or number.", "%q is not a project ID", clip(project, 60)).InField(fieldProject)
	}
	datasets, err := ses.datasetsOf(ctx, project)
	if err != nil {
		return nil, err
	}
	var out []outlay.Existing
	for _, name := range datasets {
		found, err := p.existingIn(ctx, ses, project, name)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// existingIn lists the exports of one dataset. A dataset whose tables may not be listed is no reason to hide the others.
func (p *Provider) existingIn(ctx context.Context, ses session, project, dataset string) ([]outlay.Existing, error) {
	tables, err := ses.tablesOf(ctx, project, dataset)
	if isGone(err) || isRefusal(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	owner := ""
	var out []outlay.Existing
	for _, t := range tables {
		if kindOfTable(t.Name) == "" || t.Type != "TABLE" {
			continue
		}
		if out == nil {
			if owner, err = p.ownerOf(ctx, ses, project, dataset); err != nil {
				return nil, err
			}
		}
		e, err := ses.existing(ctx, tableRef{Project: project, Dataset: dataset, Table: t.Name})
		if err != nil {
			return nil, err
		}
		e.Ours = owner
		out = append(out, e)
	}
	return out, nil
}

// ownerOf is the source whose dataset it is by its labels; "" for somebody else's.
func (p *Provider) ownerOf(ctx context.Context, ses session, project, dataset string) (string, error) {
	d, err := ses.getDataset(ctx, project, dataset)
	if isGone(err) || isRefusal(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if d.Labels[labelManaged] != managedBy || d.Labels[labelInstallation] != p.opts.InstallationID {
		return "", nil
	}
	return d.Labels[labelSource], nil
}

// existing describes one table, and tests whether it can be read.
func (ses session) existing(ctx context.Context, t tableRef) (outlay.Existing, error) {
	kind, billing := readTableName(t.Table)
	e := outlay.Existing{
		ID: t.full(), Name: t.Table, Title: kind.title() + " export", Detail: t.Project + ":" + t.Dataset, Format: string(kind),
		Scope:  outlay.BillingScope{ID: billing, Name: "Billing account " + billing, IsPayer: true},
		Fields: map[string]string{fieldProject: t.Project, fieldDataset: t.Dataset, fieldTable: t.Table},
	}
	got, err := ses.getTable(ctx, t.Project, t.Dataset, t.Table)
	switch {
	case isGone(err) || isRefusal(err):
		e.Why = "This credential may not look at the table. Allow it BigQuery Data Viewer on the dataset " + t.Dataset + ", then look again."
		return e, nil
	case err != nil:
		return e, err
	}
	e.Region = got.Location
	e.Detail += fmt.Sprintf(" in %s · %d rows", got.Location, got.NumRows)
	e.Why, err = ses.readable(ctx, t)
	return e, err
}

// readable says what keeps this credential from reading a table; "" for nothing.
func (ses session) readable(ctx context.Context, t tableRef) (string, error) {
	resource := "projects/" + t.Project + "/datasets/" + t.Dataset + "/tables/" + t.Table
	out, err := ses.bigquery.Tables.TestIamPermissions(resource, &bigquery.TestIamPermissionsRequest{Permissions: []string{"bigquery.tables.getData"}}).Context(ctx).Do()
	if err != nil {
		err = failure(err, call{Action: "bigquery.tables.get", Resource: resource, Doing: "testing the permissions on the table"})
		if !isRefusal(err) {
			return "", err
		}
	}
	if err != nil || !strings.Contains(strings.Join(out.Permissions, " "), "bigquery.tables.getData") {
		return "This credential may not read the table's rows (bigquery.tables.getData). Allow it BigQuery Data Viewer on the dataset " + t.Dataset + ", then look again.", nil
	}
	return "", nil
}

package google

import (
	"context"
	"slices"
	"strings"

	"outlay"

	"google.golang.org/api/bigquery/v2"
	"google.golang.org/api/cloudbilling/v1"
	"google.golang.org/api/cloudresourcemanager/v3"
)

// need is one permission, and what for. The lack of a soft one is a warning.
type need struct {
	action, why string
	soft        bool
}

// projectNeeds are the permissions on the project that a source's way up, or down, takes; without a source, those of a
// new one. datasetGrant tells that the dataset stands already: what its own access list grants, the project does not
// know of (clouds.md §4.8), so that a lack there proves nothing. Without a dataset of our own, that of the FOCUS export
// being Google's, there is nothing to make, change or delete.
func projectNeeds(s *outlay.Source, datasetGrant bool) []need {
	up := s == nil || s.Spec != nil
	own := datasetGrant || up && !wantsFocus(s)
	seen := datasetGrant || !own
	list := []need{
		{"resourcemanager.projects.get", "looking at the project and its billing account", false},
		{"serviceusage.services.get", "seeing which services are on", false},
		{"bigquery.datasets.get", "checking the dataset", seen},
		{"bigquery.tables.list", "finding what Google exported", seen},
		{"bigquery.tables.get", "seeing whether anything new arrived", seen},
	}
	if own {
		list = append(list, need{"bigquery.datasets.update", "letting the reader into the dataset, and out of it again", datasetGrant})
	}
	if own && up {
		list = append(list, need{"bigquery.datasets.create", "creating the dataset", false})
	}
	if up {
		list = append(list,
			need{"serviceusage.services.list", "seeing which services are on", true},
			need{"serviceusage.services.enable", "turning services on", false},
			need{"serviceusage.operations.get", "waiting until a service is on", true},
			need{"bigquery.jobs.create", "running the queries that read the export", false})
	}
	if s != nil && s.Spec != nil && s.Spec.Fields[fieldFast] == yes {
		list = append(list,
			need{"bigquery.readsessions.create", "reading results through the Storage Read API", false},
			need{"bigquery.readsessions.getData", "reading results through the Storage Read API", false})
	}
	if own && (up || s.CostFiles != outlay.KeepCostFiles) {
		soft := datasetGrant || up
		list = append(list, need{"bigquery.tables.delete", "deleting what was exported, if that is asked for", soft}, need{"bigquery.datasets.delete", "deleting the dataset, if that is asked for", soft})
	}
	return list
}

// billingNeeds are soft: without them, which projects belong together stays unknown.
func billingNeeds() []need {
	return []need{
		{"billing.accounts.get", "reading the billing account's name", true},
		{"billing.resourceAssociations.list", "listing the projects that share the bill", true},
	}
}

// projectPermissions are those of the role to paste (clouds.md §4.8).
func projectPermissions() []string {
	var out []string
	for _, n := range projectNeeds(nil, false) {
		out = append(out, n.action)
	}
	return out
}

func billingPermissions() []string {
	var out []string
	for _, n := range billingNeeds() {
		out = append(out, n.action)
	}
	return out
}

// roleYAML is a custom role, ready for gcloud iam roles create or update.
func roleYAML(permissions []string) string {
	list := slices.Clone(permissions)
	slices.Sort(list)
	return "title: outlay billing provisioner\nstage: GA\nincludedPermissions:\n- " + strings.Join(slices.Compact(list), "\n- ") + "\n"
}

// permissions tests what the credential may do: on the project that hosts, on the billing account, and on the table once
// there is one. Google answers with the part of the list that is granted.
func (o *observer) permissions(ctx context.Context) {
	project := orElse(o.n.Project, o.seen.Identity.AccountID)
	_, standing := ledgerRow(o.s, kindDataset)
	o.test("projects/"+project, projectNeeds(o.s, standing), func(names []string) ([]string, error) {
		out, err := o.ses.projects.Projects.TestIamPermissions("projects/"+project, &cloudresourcemanager.TestIamPermissionsRequest{Permissions: names}).Context(ctx).Do()
		if err != nil {
			return nil, failure(err, call{Action: "resourcemanager.projects.get", Resource: "projects/" + project, Doing: "testing the permissions on the project"})
		}
		return out.Permissions, nil
	})
	if billing := o.seen.Identity.Scope.ID; billing != "" {
		o.test("billingAccounts/"+billing, billingNeeds(), func(names []string) ([]string, error) {
			out, err := o.ses.billing.BillingAccounts.TestIamPermissions("billingAccounts/"+billing, &cloudbilling.TestIamPermissionsRequest{Permissions: names}).Context(ctx).Do()
			if err != nil {
				return nil, failure(err, call{Action: "billing.accounts.get", Resource: "billingAccounts/" + billing, Doing: "testing the permissions on the billing account"})
			}
			return out.Permissions, nil
		})
	}
	if o.table.Table != "" {
		o.testTable(ctx)
	}
	o.seen.Policy = o.policy()
}

// testTable tests reading on the table itself. Google answers the same for a table that is not there, so only one that
// was seen is asked about.
func (o *observer) testTable(ctx context.Context) {
	t := o.table
	resource := "projects/" + t.Project + "/datasets/" + t.Dataset + "/tables/" + t.Table
	o.test(resource, []need{{"bigquery.tables.getData", "reading the exported charges", false}}, func(names []string) ([]string, error) {
		out, err := o.ses.bigquery.Tables.TestIamPermissions(resource, &bigquery.TestIamPermissionsRequest{Permissions: names}).Context(ctx).Do()
		if err != nil {
			return nil, failure(err, call{Action: "bigquery.tables.get", Resource: resource, Doing: "testing the permissions on the table"})
		}
		return out.Permissions, nil
	})
}

// test notes what one resource answers. Permissions that could not be tested are unknown, which is not missing.
func (o *observer) test(resource string, needs []need, ask func([]string) ([]string, error)) {
	names := make([]string, len(needs))
	for i, n := range needs {
		names[i] = n.action
	}
	granted, err := ask(names)
	if err != nil {
		o.note("info", "Permissions on "+resource+" could not be tested: "+outlay.AsError(err).Message+". A missing permission shows when the run comes to it.")
	}
	for _, n := range needs {
		p := outlay.Permission{Action: n.action, Resource: resource, For: n.why, State: outlay.PermissionUnknown}
		switch {
		case err == nil && slices.Contains(granted, n.action):
			p.State = outlay.PermissionGranted
		case err == nil:
			p.State, p.Why = outlay.PermissionDenied, "no role of this credential has it"
		}
		o.seen.Permissions = append(o.seen.Permissions, p)
	}
}

// policy is what to paste for what is missing: a custom role for the project, a sentence for anything else.
func (o *observer) policy() string {
	var project, other []string
	for _, m := range o.seen.Missing() {
		if strings.HasPrefix(m.Resource, "projects/") && !strings.Contains(m.Resource, "/datasets/") {
			project = append(project, m.Action)
		} else {
			other = append(other, "# on "+m.Resource+": "+m.Action)
		}
	}
	out := ""
	if len(project) > 0 {
		out = roleYAML(project)
	}
	if len(other) > 0 {
		out += strings.Join(other, "\n") + "\n"
	}
	return out
}

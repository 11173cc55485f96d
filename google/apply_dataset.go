package google

import (
	"context"
	"slices"

	"outlay"

	"google.golang.org/api/bigquery/v2"
)

// merges is how often a change of the dataset is tried again when somebody else was first.
const merges = 5

// createDataset makes the dataset with location, labels and description, and without a default expiration. One that
// exists is the engine's to judge, by its labels.
func (w *applier) createDataset(ctx context.Context) (outlay.Resource, error) {
	d, err := w.ses.bigquery.Datasets.Insert(w.n.Project, &bigquery.Dataset{
		DatasetReference: &bigquery.DatasetReference{ProjectId: w.n.Project, DatasetId: w.c.Name}, Location: w.n.Location, Labels: w.p.ourLabels(w.s, w.operation()),
		FriendlyName: "Billing export for Outlay", Description: "Google's billing export of account " + w.n.Billing + ", read by Outlay. Made by Outlay; deprovision there rather than deleting it here.",
	}).Context(ctx).Do()
	if err != nil {
		return outlay.Resource{}, failure(err, call{Action: "bigquery.datasets.create", Resource: "projects/" + w.n.Project, Doing: "creating the dataset " + w.c.Name})
	}
	if err := sound(d); err != nil {
		return outlay.Resource{}, err
	}
	return w.p.resourceOf(w.s, w.n.Project, d), nil
}

// change reads the dataset, has edit say what to write, and writes that under the etag of what was read. Whoever was
// faster makes it read again. Where edit gives nil there is nothing to write.
func (w *applier) change(ctx context.Context, edit func(*bigquery.Dataset) *bigquery.Dataset) (*bigquery.Dataset, error) {
	resource := "projects/" + w.n.Project + "/datasets/" + w.c.Name
	for try := 1; ; try++ {
		d, err := w.ses.getDataset(ctx, w.n.Project, w.c.Name)
		if err != nil {
			return nil, err
		}
		patch := edit(d)
		if patch == nil {
			return d, nil
		}
		put := w.ses.bigquery.Datasets.Patch(w.n.Project, w.c.Name, patch).AccessPolicyVersion(3).Context(ctx)
		put.Header().Set("If-Match", d.Etag)
		out, err := put.Do()
		if err == nil {
			return out, sound(out)
		}
		if !isStale(err) || try == merges {
			return nil, failure(err, call{Action: "bigquery.datasets.update", Resource: resource, Doing: "changing the dataset " + w.c.Name})
		}
	}
}

// mine tells whether a dataset bears our marks.
func (w *applier) mine(d *bigquery.Dataset) bool { return w.p.ours(w.s, marks(d.Labels)) }

// keepTables takes away a default expiration, by which exported rows would vanish.
func (w *applier) keepTables(ctx context.Context) (outlay.Resource, error) {
	foreign := false
	d, err := w.change(ctx, func(d *bigquery.Dataset) *bigquery.Dataset {
		if foreign = !w.mine(d); foreign || expirationText(d) == never {
			return nil
		}
		// Google documents 0 for the one and null for the other.
		return &bigquery.Dataset{ForceSendFields: []string{"DefaultTableExpirationMs"}, NullFields: []string{"DefaultPartitionExpirationMs"}}
	})
	return w.changed(d, foreign, err)
}

// letIn adds the reader to the access list. A write of the list replaces it whole, so everything that was read goes back
// as it was (clouds.md §4.3 step 5).
func (w *applier) letIn(ctx context.Context) (outlay.Resource, error) {
	foreign := false
	d, err := w.change(ctx, func(d *bigquery.Dataset) *bigquery.Dataset {
		foreign = !w.mine(d)
		if foreign || slices.ContainsFunc(d.Access, func(e *bigquery.DatasetAccess) bool { return isOurReader(e, w.id.Principal) }) {
			return nil
		}
		return &bigquery.Dataset{Access: append(slices.Clone(d.Access), &bigquery.DatasetAccess{Role: "READER", UserByEmail: w.id.Principal})}
	})
	r, err := w.changed(d, foreign, err)
	r.Properties = map[string]string{propReader: w.id.Principal}
	r.Owner = nil
	return r, err
}

// withdraw takes our entries and our labels away in one write. Whoever makes a dataset is put into its list as an owner:
// of one that we made, that entry goes as well. Without labels it was done before: nothing is left to do.
func (w *applier) withdraw(ctx context.Context) (outlay.Resource, error) {
	d, err := w.change(ctx, func(d *bigquery.Dataset) *bigquery.Dataset {
		if !w.mine(d) {
			return nil
		}
		made := w.p.mayDelete(w.s, w.p.resourceOf(w.s, w.n.Project, d)) == ""
		patch := &bigquery.Dataset{Access: slices.DeleteFunc(slices.Clone(d.Access), func(e *bigquery.DatasetAccess) bool {
			return isOurReader(e, w.id.Principal) || made && namesPrincipal(e, w.id.Principal)
		})}
		patch.ForceSendFields = []string{"Labels"}
		for k := range marks(d.Labels) {
			patch.NullFields = append(patch.NullFields, "Labels."+k)
		}
		return patch
	})
	if isGone(err) {
		return outlay.Resource{State: outlay.StateDeleted}, nil
	}
	r, err := w.changed(d, false, err)
	r.Owner, r.Properties = nil, nil
	return r, err
}

func (w *applier) changed(d *bigquery.Dataset, foreign bool, err error) (outlay.Resource, error) {
	if err != nil {
		return outlay.Resource{}, err
	}
	if foreign {
		return outlay.Resource{}, notOurs(w.c.Name)
	}
	return w.p.resourceOf(w.s, w.n.Project, d), nil
}

// doomed checks once more, right before something is deleted, that the dataset is ours by ledger, labels and age, and
// holds nothing but what Google's exports wrote (reliability.md M12). found is false when it is gone already.
func (w *applier) doomed(ctx context.Context) (tables []tableInfo, found bool, err error) {
	d, err := w.ses.getDataset(ctx, w.n.Project, w.c.Name)
	if isGone(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	why := w.p.mayDelete(w.s, w.p.resourceOf(w.s, w.n.Project, d))
	if why == "" && d.Type == "LINKED" {
		why = "it is a dataset that Google made"
	}
	if why == "" {
		if tables, err = w.ses.tablesOf(ctx, w.n.Project, w.c.Name); err != nil {
			return nil, false, err
		}
		if i := slices.IndexFunc(tables, func(t tableInfo) bool { return !w.n.owns(t) }); i >= 0 {
			why = "it holds " + clip(tables[i].Name, 100) + ", which is not of this set-up"
		}
	}
	if why != "" {
		return nil, false, &outlay.Error{
			Code: outlay.CodeConflict, Outcome: outlay.DefinitelyNot, Message: "the dataset " + w.c.Name + " is not deleted: " + why, Fix: "Deprovision again and keep the tables.",
		}
	}
	return tables, true, nil
}

// deleteTables deletes what Google's exports wrote, table by table.
func (w *applier) deleteTables(ctx context.Context) (outlay.Resource, error) {
	tables, found, err := w.doomed(ctx)
	if err != nil || !found {
		return outlay.Resource{State: outlay.StateDeleted}, err
	}
	for _, t := range tables {
		err := w.ses.bigquery.Tables.Delete(w.n.Project, w.c.Name, t.Name).Context(ctx).Do()
		if err != nil && !isGone(err) {
			return outlay.Resource{}, failure(err, call{Action: "bigquery.tables.delete", Resource: "projects/" + w.n.Project + "/datasets/" + w.c.Name, Doing: "deleting the table " + t.Name})
		}
	}
	return outlay.Resource{State: outlay.StateDeleted}, nil
}

// deleteDataset deletes the empty dataset. Google refuses one in which something arrived meanwhile; then the tables are
// deleted again first.
func (w *applier) deleteDataset(ctx context.Context) (outlay.Resource, error) {
	_, found, err := w.doomed(ctx)
	if err != nil || !found {
		return outlay.Resource{State: outlay.StateDeleted}, err
	}
	err = w.ses.bigquery.Datasets.Delete(w.n.Project, w.c.Name).Context(ctx).Do()
	if err != nil && !isGone(err) {
		return outlay.Resource{}, failure(err, call{Action: "bigquery.datasets.delete", Resource: "projects/" + w.n.Project + "/datasets/" + w.c.Name, Doing: "deleting the dataset " + w.c.Name})
	}
	return outlay.Resource{State: outlay.StateDeleted}, nil
}

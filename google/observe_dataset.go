package google

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"outlay"

	"google.golang.org/api/bigquery/v2"
)

// dataset looks at the dataset, its access list, what is in it, and the table of the export.
func (o *observer) dataset(ctx context.Context) {
	if !o.wants(kindDataset, kindAccess, kindTable, kindTables) {
		return
	}
	if o.off {
		o.hidden()
		return
	}
	var inside []tableInfo
	if ownsDataset(o.s, o.n) {
		var there, ok bool
		if inside, there, ok = o.own(ctx); !ok {
			return
		}
		if there && o.look.Contents && o.wants(kindTables) {
			o.contents(ctx, inside)
		}
	}
	if o.wants(kindTable) {
		o.export(ctx, inside)
	}
}

// own looks at the dataset of our name, and lists what is in it where that is asked for. ok is false where that is the end
// of the look: it could not be read, or is not ours.
func (o *observer) own(ctx context.Context) (inside []tableInfo, there, ok bool) {
	d, err := o.ses.getDataset(ctx, o.n.Project, o.n.Dataset)
	if isGone(err) {
		return nil, false, true
	}
	if err != nil {
		o.unread(err)
		return nil, false, false
	}
	if !o.addDataset(d) {
		return nil, true, false
	}
	if !o.wants(kindTable, kindTables) {
		return nil, true, true
	}
	if inside, err = o.ses.tablesOf(ctx, o.n.Project, o.n.Dataset); err != nil {
		o.unknown(string(kindTable), err)
		if o.look.Contents {
			o.unknown(string(kindTables), err)
		}
		return nil, true, false
	}
	return inside, true, true
}

// hidden is a look while BigQuery is off. Making the dataset comes after turning it on, so before that there is nothing of
// ours; later, what there is cannot be seen, which is not absence.
func (o *observer) hidden() {
	_, made := ledgerRow(o.s, kindDataset)
	if _, seen := ledgerRow(o.s, kindTable); made || seen {
		o.unread(outlay.Errorf(outlay.CodeUnavailable, "", "BigQuery is off in the project %s, so that its datasets cannot be seen; turn %s on there", o.n.Project, servBigQ))
	}
}

// unread notes that neither the dataset nor what hangs on it could be read.
func (o *observer) unread(err error) {
	for _, kind := range []outlay.ResourceKind{kindDataset, kindAccess, kindTable, kindTables} {
		if o.wants(kind) {
			o.unknown(string(kind), err)
		}
	}
}

// getDataset reads a dataset; version 3 of the access list has conditions in it, which a merge must not lose.
func (ses session) getDataset(ctx context.Context, project, dataset string) (*bigquery.Dataset, error) {
	d, err := ses.bigquery.Datasets.Get(project, dataset).AccessPolicyVersion(3).Context(ctx).Do()
	if err != nil {
		return nil, failure(err, call{Action: "bigquery.datasets.get", Resource: "projects/" + project + "/datasets/" + dataset, Doing: "looking at the dataset " + dataset})
	}
	return d, sound(d)
}

// sound refuses an answer that is no dataset: something between us and Google answered in its place.
func sound(d *bigquery.Dataset) error {
	if d.DatasetReference != nil {
		return nil
	}
	return &outlay.Error{Code: outlay.CodeUnavailable, Outcome: outlay.Unknown, Message: "Google's answer is no dataset", Fix: itself}
}

// resourceOf is a dataset as a resource.
func (p *Provider) resourceOf(s *outlay.Source, project string, d *bigquery.Dataset) outlay.Resource {
	created := time.UnixMilli(d.CreationTime).UTC()
	name := d.DatasetReference.DatasetId
	r := outlay.Resource{
		Kind: kindDataset, Name: name, ProviderID: datasetID(project, name, created), Created: created, State: outlay.StateCreated, Owner: marks(d.Labels),
		Properties: map[string]string{propProject: project, propLocation: d.Location, propExpiration: expirationText(d)},
	}
	if !p.ours(s, r.Owner) {
		r.State = outlay.StateForeign
	}
	return r
}

// expirationText says after how long the dataset's tables or their parts would vanish by themselves.
func expirationText(d *bigquery.Dataset) string {
	ms := d.DefaultTableExpirationMs
	if p := d.DefaultPartitionExpirationMs; p > 0 && (ms == 0 || p < ms) {
		ms = p
	}
	if ms <= 0 {
		return never
	}
	return fmt.Sprintf("after %s", days(time.Duration(ms)*time.Millisecond))
}

func days(d time.Duration) string {
	if n := int(d.Hours() / 24); n > 0 {
		return plural(n, "day", "days")
	}
	return d.String()
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// addDataset notes the dataset and, where it is ours, its access list.
func (o *observer) addDataset(d *bigquery.Dataset) (ours bool) {
	r := o.p.resourceOf(o.s, o.n.Project, d)
	if o.wants(kindDataset) {
		o.add(r)
	}
	if r.State == outlay.StateForeign {
		return false
	}
	access := map[string]string{}
	for _, e := range d.Access {
		switch {
		case isOurReader(e, o.seen.Identity.Principal):
			access[propReader] = o.seen.Identity.Principal
		case isWriter(e):
			access[propWriter] = present
		}
	}
	if o.wants(kindAccess) || o.wants(kindTable) {
		o.add(outlay.Resource{Kind: kindAccess, Name: r.Name, ProviderID: r.ProviderID, Properties: access})
	}
	return true
}

// tableInfo is a table as a list tells of it.
type tableInfo struct{ Name, Type string }

func (ses session) tablesOf(ctx context.Context, project, dataset string) ([]tableInfo, error) {
	var out []tableInfo
	err := ses.bigquery.Tables.List(project, dataset).MaxResults(1000).Pages(ctx, func(page *bigquery.TableList) error {
		for _, t := range page.Tables {
			if t != nil && t.TableReference != nil {
				out = append(out, tableInfo{t.TableReference.TableId, t.Type})
			}
		}
		return nil
	})
	return out, failure(err, call{Action: "bigquery.tables.list", Resource: "projects/" + project + "/datasets/" + dataset, Doing: "listing the tables of " + dataset})
}

// contents counts what would be deleted: tables that Google's exports write. Anything else keeps the dataset.
func (o *observer) contents(ctx context.Context, inside []tableInfo) {
	r := outlay.Resource{Kind: kindTables, Name: o.n.Dataset, Properties: map[string]string{}}
	for _, t := range inside {
		if !o.n.owns(t) {
			r.Foreign++
			continue
		}
		got, err := o.ses.getTable(ctx, o.n.Project, o.n.Dataset, t.Name)
		if isGone(err) {
			continue
		}
		if err != nil {
			o.unknown(string(kindTables), err)
			return
		}
		r.Objects++
		r.Bytes += got.NumBytes
		if o.seen.At.Sub(time.UnixMilli(int64(got.LastModifiedTime))) < 24*time.Hour {
			r.Properties[propWritten] = recently
		}
	}
	o.add(r)
}

// owns tells whether a table is one that Google's exports of the source's billing account write. Those of another billing
// account, which somebody pointed at our dataset, are not ours to delete.
func (n names) owns(t tableInfo) bool {
	kind, billing := readTableName(t.Name)
	return t.Type == "TABLE" && (kind != "" && billing == n.Billing || besides(t.Name))
}

func (ses session) getTable(ctx context.Context, project, dataset, table string) (*bigquery.Table, error) {
	t, err := ses.bigquery.Tables.Get(project, dataset, table).Context(ctx).Do()
	if err != nil {
		return nil, failure(err, call{Action: "bigquery.tables.get", Resource: "projects/" + project + "/datasets/" + dataset + "/tables/" + table, Doing: "looking at the table " + table})
	}
	return t, nil
}

package google

import (
	"context"
	"fmt"
	"strings"
	"time"

	"outlay"

	"google.golang.org/api/bigquery/v2"
)

// filling is how long Google takes to fill in the last month (clouds.md §4.3).
const filling = 5 * 24 * time.Hour

// place of a table: a dataset with what the list tells of it.
type place struct {
	dataset string
	linked  bool
	tables  []tableInfo
}

// export finds the table of the export that was asked for, and tells of exports that are not that one.
func (o *observer) export(ctx context.Context, inside []tableInfo) {
	places := []place{{dataset: o.n.Dataset, tables: inside}}
	linked, err := o.linked(ctx)
	if err != nil && o.n.Export == exportFocus {
		o.unknown(string(kindTable), err)
		return
	}
	places = append(places, linked...)
	found, instead := tableRef{}, []exportKind(nil)
	for _, at := range places {
		for _, t := range at.tables {
			kind, billing := readTableName(t.Name)
			switch {
			case kind == "" || t.Type != "TABLE":
			case o.n.Billing == "":
				o.unknown(string(kindTable), outlay.Errorf(outlay.CodeUnavailable, "", "the billing account of the project is not known, so no table can be told to be its"))
				return
			case kind == o.n.Export && billing == o.n.Billing:
				found = tableRef{Project: o.n.Project, Dataset: at.dataset, Table: t.Name, Kind: kind} // the linked one comes last and counts
			case !at.linked && billing != o.n.Billing:
				o.other(billing)
				o.note("warn", fmt.Sprintf("Dataset %s receives the export of another billing account, %s. This set-up reads that of %s. Turn the export on in the console for %s.", at.dataset, billing, o.n.Billing, o.n.Billing))
			case !at.linked:
				instead = append(instead, kind)
			}
		}
	}
	if found.Table != "" {
		o.addExport(ctx, found)
		return
	}
	for _, kind := range instead {
		o.other(string(kind))
		o.note("warn", fmt.Sprintf("Dataset %s receives the %s export, but %s was asked for. Turn %s on in the console, or provision again with %s.", o.n.Dataset, kind.title(), o.n.Export.title(), o.n.Export.title(), kind.title()))
	}
}

// other notes at the access list for what else Google's writer may be there: it then is no sign of the export asked for.
func (o *observer) other(what string) {
	for _, r := range o.seen.Resources {
		if r.Kind == kindAccess {
			r.Properties[propExport] = what
		}
	}
}

// linked lists the datasets that Google made for FOCUS exports of the billing account, where that is what is looked for.
func (o *observer) linked(ctx context.Context) ([]place, error) {
	if o.n.Export != exportFocus {
		return nil, nil
	}
	names, err := o.ses.datasetsOf(ctx, o.n.Project)
	if err != nil {
		return nil, err
	}
	var out []place
	for _, name := range names {
		if m := linkedText.FindStringSubmatch(name); m == nil || o.n.Billing != "" && strings.ReplaceAll(m[1], "_", "-") != o.n.Billing {
			continue
		}
		tables, err := o.ses.tablesOf(ctx, o.n.Project, name)
		if err != nil {
			return nil, err
		}
		out = append(out, place{dataset: name, linked: true, tables: tables})
	}
	return out, nil
}

// datasetsOf lists the datasets of a project that the credential may read.
func (ses session) datasetsOf(ctx context.Context, project string) ([]string, error) {
	var out []string
	err := ses.bigquery.Datasets.List(project).MaxResults(1000).Pages(ctx, func(page *bigquery.DatasetList) error {
		for _, d := range page.Datasets {
			if d != nil && d.DatasetReference != nil {
				out = append(out, d.DatasetReference.DatasetId)
			}
		}
		return nil
	})
	return out, failure(err, call{Action: "bigquery.datasets.get", Resource: "projects/" + project, Doing: "listing the datasets of " + project})
}

// addExport notes the table that is read, under the name that was planned.
func (o *observer) addExport(ctx context.Context, t tableRef) {
	got, err := o.ses.getTable(ctx, t.Project, t.Dataset, t.Table)
	if isGone(err) {
		return
	}
	if err != nil {
		o.unknown(string(kindTable), err)
		return
	}
	o.table = t.with(got)
	o.add(o.p.exportResource(o.n.Table, o.table, got))
	o.progress(o.table, got)
}

func (p *Provider) exportResource(name string, t tableRef, got *bigquery.Table) outlay.Resource {
	return outlay.Resource{
		Kind: kindTable, Name: name, ProviderID: "projects/" + t.Project + "/datasets/" + t.Dataset + "/tables/" + t.Table, Created: time.UnixMilli(got.CreationTime).UTC(),
		Properties: map[string]string{propProject: t.Project, propDataset: t.Dataset, propTable: t.Table, propLocation: got.Location, propExport: string(t.Kind)},
	}
}

// progress says how far Google is, and what reading found wrong.
func (o *observer) progress(t tableRef, got *bigquery.Table) {
	created := time.UnixMilli(got.CreationTime).UTC()
	switch {
	case got.NumRows == 0 && got.StreamingBuffer == nil:
		o.note("info", "The table "+t.Table+" is there, but still empty. First rows come some hours after the export was turned on.")
	case isMultiRegion(got.Location) && o.seen.At.Sub(created) < filling:
		o.note("info", "Google may still be filling in last month, oldest day first, until about "+created.Add(filling).Format("2 January")+". Totals of last month and this one grow until then.")
	}
	if got.ExpirationTime > 0 {
		o.note("warn", "BigQuery will delete the table "+t.Table+" on "+time.UnixMilli(got.ExpirationTime).UTC().Format("2 January 2006")+", because the dataset had a default expiration when the table was made. Take the table's expiration away in the Google Cloud console.")
	}
	if t.Expires > 0 && t.Kind != exportFocus { // of which Google says so itself
		o.note("warn", "BigQuery deletes rows of the table "+t.Table+" "+days(t.Expires)+" after they came. Months of which rows may be gone are not read any more; what was loaded stays. Take the table's partition expiration away in the Google Cloud console.")
	}
	if t.Kind == exportFocus && o.n.Location != "" && got.Location != o.n.Location {
		o.note("info", "Google made the FOCUS dataset in "+got.Location+", not in "+o.n.Location+". It is read there.")
	}
	if doubt := o.p.doubt(o.a, t); doubt != "" {
		o.note("warn", doubt)
	}
}

// with fills in what a query has to know of a table.
func (t tableRef) with(got *bigquery.Table) tableRef {
	t.Location, t.Partition = got.Location, noPartition
	if got.TimePartitioning != nil {
		t.Partition = got.TimePartitioning.Field
		t.Expires = time.Duration(got.TimePartitioning.ExpirationMs) * time.Millisecond
	}
	t.Columns = nil
	if got.Schema != nil {
		t.Columns = columnNames("", got.Schema.Fields)
	}
	return t
}

func columnNames(prefix string, fields []*bigquery.TableFieldSchema) []string {
	var out []string
	for _, f := range fields {
		name := prefix + strings.ToLower(f.Name)
		out = append(out, name)
		if f.Mode != "REPEATED" {
			out = append(out, columnNames(name+".", f.Fields)...)
		}
	}
	return out
}

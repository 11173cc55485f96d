package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports/types"
)

// The settings of an export that we own.
const (
	propTable       = "table"
	propColumns     = "columns"
	propGranularity = "granularity"
	propFormat      = "format"
	propMode        = "mode"
	propTarget      = "delivers to"
	propStatus      = "status"
	propRows        = "rows" // what cuts the rows down; there only where something does

	tableFocus12 = "FOCUS_1_2_AWS"
	tableFocus10 = "FOCUS_1_0_AWS"

	granularityDaily = "DAILY"
	statusHealthy    = "HEALTHY"
	allRows          = "all"
)

// exportDoor makes the calls on data exports.
type exportDoor struct {
	client *bcmdataexports.Client
	arn    string // of all exports of the account
}

func (ses session) exportDoor(n names) exportDoor {
	return exportDoor{client: ses.exports(), arn: "arn:" + n.Partition + ":bcm-data-exports:" + serviceRegion(n.Partition) + ":" + n.Account + ":export/*"}
}

func (d exportDoor) call(action, doing string) call {
	return call{Action: action, Resource: d.arn, Doing: doing}
}

// export looks for the source's export, and, while there is none or permissions are looked at, for the table that it
// would select from.
func (o *observer) export(ctx context.Context) {
	if !o.look.Wants(kindExport) {
		return
	}
	d := o.ses.exportDoor(o.n)
	found, err := o.exports(ctx, d)
	if err != nil {
		o.unknown(string(kindExport), err)
		return
	}
	for i, r := range found {
		if i == 0 {
			o.add(r)
			continue
		}
		o.note("warn", fmt.Sprintf("AWS holds a second export named %s (%s). Only %s is used; remove the other by hand if nobody needs it.", r.Name, r.ProviderID, found[0].ProviderID))
	}
	if o.look.Kinds == nil && (len(found) == 0 || o.look.Permissions) {
		o.table(ctx, d)
	}
}

// exports are the exports of our name, the one that is ours first: AWS accepts a name twice, so that a name alone
// says nothing (clouds.md §2.3 step 3).
func (o *observer) exports(ctx context.Context, d exportDoor) ([]outlay.Resource, error) {
	all, err := d.list(ctx)
	if err != nil {
		return nil, err
	}
	var arns []string
	for _, e := range all {
		if sdk.ToString(e.ExportName) == o.n.Export {
			arns = append(arns, sdk.ToString(e.ExportArn))
		}
	}
	row, _ := ledgerRow(o.s, kindExport)
	if row.Name == o.n.Export && row.ProviderID != "" && !slices.Contains(arns, row.ProviderID) {
		arns = append(arns, row.ProviderID) // a list may lag behind: to be sure, the one that we made is asked for itself
	}
	var found []outlay.Resource
	for _, id := range arns {
		r, ok, err := o.oneExport(ctx, d, id)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, r)
		}
	}
	rank := func(r outlay.Resource) int {
		switch {
		case r.State == outlay.StateForeign:
			return 2
		case r.ProviderID == row.ProviderID:
			return 0
		}
		return 1
	}
	slices.SortStableFunc(found, func(a, b outlay.Resource) int {
		if rank(a) != rank(b) {
			return rank(a) - rank(b)
		}
		return a.Created.Compare(b.Created)
	})
	return found, nil
}

// list is the account's exports, in AWS's order.
func (d exportDoor) list(ctx context.Context) ([]types.ExportReference, error) {
	var all []types.ExportReference
	pages := bcmdataexports.NewListExportsPaginator(d.client, &bcmdataexports.ListExportsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failure(err, call{Action: "bcm-data-exports:ListExports", Resource: "*", Doing: "listing the data exports"})
		}
		all = append(all, page.Exports...)
	}
	return all, nil
}

// read is an export as AWS describes it: its settings, its status and its age. def is nil when it does not exist.
func (d exportDoor) read(ctx context.Context, id string) (r outlay.Resource, def *types.Export, err error) {
	got, err := d.client.GetExport(ctx, &bcmdataexports.GetExportInput{ExportArn: &id})
	if isGone(err) {
		return outlay.Resource{}, nil, nil
	}
	if err != nil {
		return outlay.Resource{}, nil, failure(err, d.call("bcm-data-exports:GetExport", "reading the data export"))
	}
	if got.Export == nil {
		return outlay.Resource{}, nil, halfAnswer("reading the data export")
	}
	r = outlay.Resource{ProviderID: id, Properties: exportProperties(got.Export)}
	if st := got.ExportStatus; st != nil {
		r.Created = sdk.ToTime(st.CreatedAt).UTC()
		if r.Properties[propStatus] = string(st.StatusCode); st.StatusCode == types.ExportStatusCodeUnhealthy {
			r.Properties[propStatus] += " (" + string(st.StatusReason) + ")"
		}
	}
	return r, got.Export, nil
}

// oneExport reads an export and its tags; not found when it was deleted since it was listed.
func (o *observer) oneExport(ctx context.Context, d exportDoor, id string) (outlay.Resource, bool, error) {
	r, def, err := d.read(ctx, id)
	if err != nil || def == nil {
		return outlay.Resource{}, false, err
	}
	tags, err := d.tags(ctx, id)
	if isGone(err) {
		return outlay.Resource{}, false, nil
	}
	if err != nil {
		return outlay.Resource{}, false, err
	}
	r.Kind, r.Name, r.Owner = kindExport, sdk.ToString(def.Name), marks(tags)
	if !o.p.ours(o.s, r.Owner) {
		r.State = outlay.StateForeign
	}
	return r, true, nil
}

func (d exportDoor) tags(ctx context.Context, id string) (map[string]string, error) {
	tags := map[string]string{}
	in := &bcmdataexports.ListTagsForResourceInput{ResourceArn: &id}
	for {
		out, err := d.client.ListTagsForResource(ctx, in)
		if err != nil {
			return nil, failure(err, d.call("bcm-data-exports:ListTagsForResource", "reading the export's tags"))
		}
		for _, t := range out.ResourceTags {
			tags[sdk.ToString(t.Key)] = sdk.ToString(t.Value)
		}
		if sdk.ToString(out.NextToken) == "" {
			return tags, nil
		}
		in.NextToken = out.NextToken
	}
}

// exportProperties are an export's settings as text. Settings that AWS adds by itself are left out, or each look
// would find drift (clouds.md §2.3).
func exportProperties(e *types.Export) map[string]string {
	props := map[string]string{}
	if q := e.DataQuery; q != nil {
		query := sdk.ToString(q.QueryStatement)
		props[propColumns], props[propTable] = parseQuery(query)
		if part := onlyPart.FindString(query); part != "" {
			props[propRows] = clip(part, 200)
		}
		props[propGranularity] = q.TableConfigurations[props[propTable]]["TIME_GRANULARITY"]
	}
	if c := e.DestinationConfigurations; c != nil && c.S3Destination != nil {
		to := c.S3Destination
		props[propTarget] = target(sdk.ToString(to.S3Bucket), sdk.ToString(to.S3Prefix), sdk.ToString(to.S3Region))
		if out := to.S3OutputConfigurations; out != nil {
			props[propFormat], props[propMode] = string(out.Format), string(out.Overwrite)
		}
	}
	return props
}

func target(bucket, prefix, region string) string {
	return "s3://" + bucket + "/" + prefix + " in " + region
}

// parseQuery takes 'SELECT a, b FROM t' apart. Columns are spelled as we spell them, whatever the spaces between them.
func parseQuery(sql string) (columns, table string) {
	fields := strings.Fields(sql)
	from := slices.IndexFunc(fields, func(f string) bool { return strings.EqualFold(f, "FROM") })
	if from < 1 || from+1 >= len(fields) {
		return "", ""
	}
	return strings.Join(splitColumns(strings.Join(fields[1:from], " ")), ", "), fields[from+1]
}

// table finds the newest FOCUS table that AWS offers here, with its columns (clouds.md §2.3 step 1).
func (o *observer) table(ctx context.Context, d exportDoor) {
	var last error
	for _, name := range []string{tableFocus12, tableFocus10} {
		out, err := d.client.GetTable(ctx, &bcmdataexports.GetTableInput{
			TableName: &name, TableProperties: map[string]string{"TIME_GRANULARITY": granularityDaily},
		})
		if isGone(err) || isCode(err, "ValidationException") {
			last = failure(err, call{Action: "bcm-data-exports:GetTable", Resource: "*", Doing: "looking for the table " + name})
			continue
		}
		if err != nil {
			o.unknown(string(kindTable), failure(err, call{Action: "bcm-data-exports:GetTable", Resource: "*", Doing: "reading the columns of " + name}))
			return
		}
		var columns []string
		for _, c := range out.Schema {
			columns = append(columns, sdk.ToString(c.Name))
		}
		o.add(outlay.Resource{Kind: kindTable, Name: name, Origin: outlay.PreExisting, Properties: map[string]string{propColumns: strings.Join(columns, ", ")}})
		return
	}
	o.unknown(string(kindTable), last)
}

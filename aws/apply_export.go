package aws

import (
	"context"
	"strings"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports/types"
)

// createExport orders the export. AWS takes a name twice and has no token against it, so that we look first and never
// let the SDK repeat the call (clouds.md §2.3 step 3, reliability.md §3.1 rule 7).
func (w *applier) createExport(ctx context.Context) (outlay.Resource, error) {
	d := w.ses.exportDoor(w.n)
	if r, found, err := w.ourExport(ctx, d); err != nil || found {
		return r, err
	}
	tags := w.p.ourTags(w.s, w.operation())
	in := &bcmdataexports.CreateExportInput{Export: w.definition(w.c.To)}
	for _, k := range sortedKeys(tags) {
		in.ResourceTags = append(in.ResourceTags, types.ResourceTag{Key: sdk.String(k), Value: sdk.String(tags[k])})
	}
	out, err := d.client.CreateExport(ctx, in, func(o *bcmdataexports.Options) { o.Retryer = sdk.NopRetryer{} })
	if err != nil {
		return outlay.Resource{}, exportFailure(err, d.call("bcm-data-exports:CreateExport", "creating the data export"))
	}
	return outlay.Resource{State: outlay.StateCreated, ProviderID: sdk.ToString(out.ExportArn), Owner: marks(tags), Properties: exportProperties(in.Export)}, nil
}

// exportFailure is failure, but for the complaint about the bucket: AWS checks the bucket's policy at this moment, and
// a policy just written may not be known everywhere yet (clouds.md §2.3). Waiting helps.
func exportFailure(err error, c call) error {
	e := outlay.AsError(failure(err, c))
	_, text := apiCode(err)
	if !isCode(err, "ValidationException") || !strings.Contains(strings.ToLower(e.Message+" "+text), "bucket") {
		return e
	}
	return &outlay.Error{
		Code: outlay.CodeUnavailable, Outcome: outlay.DefinitelyNot, Err: err,
		Message: c.Doing + ": AWS does not accept the bucket's policy yet: " + clip(text, 300),
		Fix:     "Nothing to do for a few minutes: a new policy takes a while. If it stays, check the bucket's policy.",
	}
}

// definition is the whole export as AWS takes it.
func (w *applier) definition(want map[string]string) *types.Export {
	table := orElse(want[propTable], tableFocus12)
	columns := splitColumns(want[propColumns])
	if len(columns) == 0 {
		columns = focusColumns()
	}
	return &types.Export{
		Name: &w.c.Name, Description: sdk.String("Managed by Outlay, installation " + w.p.opts.InstallationID),
		DataQuery: &types.DataQuery{
			QueryStatement:      sdk.String("SELECT " + strings.Join(columns, ", ") + " FROM " + table),
			TableConfigurations: map[string]map[string]string{table: {"TIME_GRANULARITY": granularityDaily}},
		},
		DestinationConfigurations: &types.DestinationConfigurations{S3Destination: &types.S3Destination{
			S3Bucket: sdk.String(w.n.Bucket), S3Prefix: sdk.String(filesPrefix), S3Region: sdk.String(w.n.Region),
			S3OutputConfigurations: &types.S3OutputConfigurations{
				OutputType: types.S3OutputTypeCustom, Format: types.FormatOptionParquet, Compression: types.CompressionOptionParquet, Overwrite: types.OverwriteOptionOverwriteReport,
			},
		}},
		RefreshCadence: &types.RefreshCadence{Frequency: types.FrequencyOptionSynchronous},
	}
}

// ourExport finds the source's export when it is there: among those of its name, the one with our marks.
func (w *applier) ourExport(ctx context.Context, d exportDoor) (outlay.Resource, bool, error) {
	o := &observer{p: w.p, ses: w.ses, a: w.a, s: w.s, n: w.n, failed: map[string]error{}}
	o.n.Export = w.c.Name
	found, err := o.exports(ctx, d)
	if err != nil || len(found) == 0 {
		return outlay.Resource{}, false, err
	}
	if found[0].State == outlay.StateForeign {
		return outlay.Resource{}, false, notOurs("data export", w.c.Name)
	}
	found[0].State = outlay.StateCreated
	return found[0], true, nil
}

// updateExport brings an existing export back to its definition; AWS wants the whole of it, and keeps the table as it
// is.
func (w *applier) updateExport(ctx context.Context) (outlay.Resource, error) {
	d := w.ses.exportDoor(w.n)
	r, found, err := w.ourExport(ctx, d)
	if err != nil {
		return outlay.Resource{}, err
	}
	if !found {
		return outlay.Resource{}, &outlay.Error{
			Code: outlay.CodeConflict, Outcome: outlay.DefinitelyNot, Message: "the data export " + w.c.Name + " does not exist",
			Fix: "Make a new plan: it creates the export again.",
		}
	}
	want := map[string]string{propTable: r.Properties[propTable], propColumns: r.Properties[propColumns]}
	for k, v := range w.c.To {
		want[k] = v
	}
	def := w.definition(want)
	_, err = d.client.UpdateExport(ctx, &bcmdataexports.UpdateExportInput{ExportArn: &r.ProviderID, Export: def})
	if err != nil {
		return outlay.Resource{}, exportFailure(err, d.call("bcm-data-exports:UpdateExport", "repairing the data export"))
	}
	r.Properties = exportProperties(def)
	return r, nil
}

// deleteExport deletes the export that our ledger, its tags and its age say is ours. One that is gone is done.
func (w *applier) deleteExport(ctx context.Context) (outlay.Resource, error) {
	d := w.ses.exportDoor(w.n)
	live, found, err := w.ourExport(ctx, d)
	if err != nil || !found {
		return outlay.Resource{State: outlay.StateDeleted}, err
	}
	if why := w.p.mayDelete(w.s, live); why != "" {
		return outlay.Resource{}, &outlay.Error{
			Code: outlay.CodeConflict, Outcome: outlay.DefinitelyNot, Message: "the data export " + w.c.Name + " is not deleted: " + why,
			Fix: "Look at it in the AWS console. Outlay does not delete what it did not create.",
		}
	}
	_, err = d.client.DeleteExport(ctx, &bcmdataexports.DeleteExportInput{ExportArn: &live.ProviderID})
	if err != nil && !isGone(err) {
		return outlay.Resource{}, failure(err, d.call("bcm-data-exports:DeleteExport", "deleting the data export"))
	}
	return outlay.Resource{State: outlay.StateDeleted, ProviderID: live.ProviderID}, nil
}

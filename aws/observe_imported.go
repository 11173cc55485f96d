package aws

import (
	"context"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
)

// imported looks at an export that somebody else set up: whether it is there and healthy, and whether its bucket can be
// read. Nothing is compared with a wish, for nothing of it is ours. Its marks, if it bears any, belong to the source
// that made it and are not repeated here.
func (o *observer) imported(ctx context.Context) {
	at, err := importedLocation(o.s)
	if err != nil {
		o.unknown(string(kindExport), err)
		return
	}
	kind, read := kindExport, o.importedExport
	if at.Layout == layoutReport {
		kind, read = kindReport, o.importedReport
	}
	if o.look.Wants(kind) {
		r, err := read(ctx, at)
		if err != nil {
			o.unknown(string(kind), err)
		} else {
			o.addImported(kind, at.Export, r)
		}
	}
	if o.look.Wants(kindBucket) {
		o.importedBucket(ctx, at)
	}
}

func (o *observer) addImported(kind outlay.ResourceKind, name string, r outlay.Resource) {
	r.Kind, r.Name, r.Origin = kind, name, outlay.PreExisting
	o.add(r)
	switch {
	case r.State == outlay.StateMissing:
		o.note("warn", "The export "+name+" does not exist any more: nothing new will arrive. What was loaded stays.")
	case r.Properties[propStatus] != "" && r.Properties[propStatus] != statusHealthy:
		o.note("warn", "AWS reports the export "+name+" as "+r.Properties[propStatus]+". Whoever set it up has to repair it in the AWS console.")
	}
}

// importedExport reads the data export of an import.
func (o *observer) importedExport(ctx context.Context, at location) (outlay.Resource, error) {
	d := o.ses.exportDoor(o.n)
	id := o.s.Spec.Fields[fieldID]
	r, def, err := d.read(ctx, id)
	if err != nil || def == nil {
		return outlay.Resource{ProviderID: id, State: outlay.StateMissing}, err
	}
	if is := exportFound(def, id, o.n.Account).at; is != at {
		o.note("warn", "The export "+at.Export+" was changed since it was imported: it now delivers to "+r.Properties[propTarget]+" as "+orElse(is.Format, "something else")+". Import it again.")
	}
	return r, nil
}

// importedReport reads the definition of a legacy report.
func (o *observer) importedReport(ctx context.Context, at location) (outlay.Resource, error) {
	r := outlay.Resource{ProviderID: o.s.Spec.Fields[fieldID], State: outlay.StateMissing}
	all, err := o.ses.reportDefinitions(ctx)
	if err != nil {
		return r, err
	}
	for _, def := range all {
		if sdk.ToString(def.ReportName) != at.Export {
			continue
		}
		r.State = outlay.StateCreated
		r.Properties = map[string]string{
			propGranularity: string(def.TimeUnit), propFormat: string(def.Format) + " " + string(def.Compression), propMode: string(def.ReportVersioning),
			propTarget: target(sdk.ToString(def.S3Bucket), sdk.ToString(def.S3Prefix), string(def.S3Region)),
		}
		if st := def.ReportStatus; st != nil && st.LastStatus != "" {
			if r.Properties[propStatus] = string(st.LastStatus); st.LastStatus == "SUCCESS" {
				r.Properties[propStatus] = statusHealthy
			}
		}
		if is := reportFound(def, o.ses.Partition, o.n.Account).at; is != at {
			o.note("warn", "The report "+at.Export+" was changed since it was imported: it now delivers to "+r.Properties[propTarget]+" as "+r.Properties[propFormat]+". Import it again.")
		}
	}
	return r, nil
}

// importedBucket tells whether what is delivered can be listed.
func (o *observer) importedBucket(ctx context.Context, at location) {
	f := finder{p: o.p, ses: o.ses, account: o.n.Account, readable: map[string]string{}}
	r := outlay.Resource{Kind: kindBucket, Name: at.Bucket, Origin: outlay.PreExisting, ProviderID: "arn:" + o.ses.Partition + ":s3:::" + at.Bucket, Properties: map[string]string{propRegion: at.Region}}
	why, there, err := f.lookInto(ctx, at)
	switch {
	case err != nil:
		o.unknown(string(kindBucket), err)
		return
	case why != "":
		o.note("warn", why)
	}
	if !there {
		r.State = outlay.StateMissing
	}
	if there && why != "" {
		o.unknown(string(kindBucket), &outlay.Error{Code: outlay.CodeForbidden, Message: why})
		return
	}
	o.add(r)
}

// imported plans nothing: what somebody else set up is read, never changed and never destroyed.
func (pl *planner) imported() (outlay.Plan, error) {
	if pl.s.Spec != nil {
		pl.note("info", "This export was set up by somebody else. Outlay reads it and changes nothing of it.")
	}
	return pl.plan, nil
}

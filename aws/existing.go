package aws

import (
	"context"
	"slices"
	"strings"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// What an imported source remembers of its export: the fields of its Spec.
const (
	fieldType   = "type"   // typeExport or typeReport
	fieldID     = "id"     // the export's ARN
	fieldName   = "name"   // of the export or report: its files are called so
	fieldPrefix = "prefix" // folder in the bucket, without slashes at its ends; may be empty
	fieldRegion = "region" // of the bucket
	fieldOwner  = "owner"  // account of the bucket
	fieldFormat = "format"
	fieldFiles  = "files" // filesParquet or filesCSV

	typeExport   = "data-export"
	typeReport   = "cur-report"
	filesParquet = "parquet"
	filesCSV     = "csv"
)

// Existing lists the data exports and the older cost and usage reports of the account. Those that cannot be read say
// why. A list that AWS refuses is one line of the result, so that the other list is still of use.
func (p *Provider) Existing(ctx context.Context, a *outlay.CloudAccount, _ map[string]string) ([]outlay.Existing, error) {
	ses, err := p.session(ctx, a)
	if err != nil {
		return nil, err
	}
	id, err := p.whoami(ctx, ses, a)
	if err != nil {
		return nil, err
	}
	f := finder{p: p, ses: ses, account: id.AccountID, readable: map[string]string{}}
	exports, err := f.exports(ctx)
	if err != nil {
		if !isRefusal(err) {
			return nil, err
		}
		exports = []outlay.Existing{notListed("bcm-data-exports", "Data exports", err)}
	}
	reports, err := f.reports(ctx)
	if err != nil {
		if !isRefusal(err) {
			return nil, err
		}
		reports = []outlay.Existing{notListed("cur", "Cost and usage reports (legacy)", err)}
	}
	return append(exports, reports...), nil
}

// isRefusal tells whether a permission lacks. A credential that is not accepted is no such thing: it says nothing about
// what was asked for.
func isRefusal(err error) bool {
	return outlay.CodeOf(err) == outlay.CodeForbidden && len(outlay.AsError(err).Needs) > 0
}

// notListed stands for a whole list that AWS refused.
func notListed(id, title string, err error) outlay.Existing {
	e := outlay.AsError(err)
	return outlay.Existing{ID: id, Name: title, Title: title, Why: e.Message + ". " + e.Fix}
}

// finder looks for exports of one account.
type finder struct {
	p        *Provider
	ses      session
	account  string
	readable map[string]string // what was found out about a place: "" when it can be read, else why not
}

// exports are the data exports of the account, in AWS's order.
func (f finder) exports(ctx context.Context) ([]outlay.Existing, error) {
	d := f.ses.exportDoor(names{Account: f.account, Partition: f.ses.Partition})
	all, err := d.list(ctx)
	if err != nil {
		return nil, err
	}
	var out []outlay.Existing
	for _, x := range all {
		e, ok, err := f.export(ctx, d, sdk.ToString(x.ExportArn))
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, e)
		}
	}
	return out, nil
}

// export is one data export; not found when it was deleted since it was listed.
func (f finder) export(ctx context.Context, d exportDoor, id string) (outlay.Existing, bool, error) {
	_, def, err := d.read(ctx, id)
	if err != nil || def == nil {
		return outlay.Existing{}, false, err
	}
	tags, err := d.tags(ctx, id)
	if isGone(err) {
		return outlay.Existing{}, false, nil
	}
	if err != nil && !isRefusal(err) {
		return outlay.Existing{}, false, err
	}
	x := exportFound(def, id, f.account)
	e := x.existing()
	if tags[tagManaged] == managedBy && tags[tagInstallation] == f.p.opts.InstallationID {
		e.Ours = tags[tagSource]
	}
	if e.Why = x.why; e.Why == "" {
		e.Why, err = f.reads(ctx, x.at)
	}
	return e, true, err
}

// reads tells why a place cannot be read, "" when it can: the bucket must answer, and the folder must be listed.
func (f finder) reads(ctx context.Context, at location) (string, error) {
	place := at.Bucket + "/" + at.base()
	if why, known := f.readable[place]; known {
		return why, nil
	}
	why, _, err := f.lookInto(ctx, at)
	if err == nil {
		f.readable[place] = why
	}
	return why, err
}

// lookInto tells why a place cannot be read, "" when it can, and whether its bucket exists at all.
func (f finder) lookInto(ctx context.Context, at location) (why string, there bool, err error) {
	d := f.ses.door(names{Bucket: at.Bucket, Region: at.Region, Account: at.Account, Partition: f.ses.Partition})
	_, there, err = d.head(ctx)
	if err == nil && !there {
		return "Its bucket " + at.Bucket + " does not exist. Nothing is delivered any more.", false, nil
	}
	if err == nil {
		_, err = d.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: d.name, Prefix: sdk.String(at.base()), MaxKeys: sdk.Int32(1), ExpectedBucketOwner: d.owner})
		err = failure(err, d.call("s3:ListBucket", "listing what was delivered"))
	}
	switch code := outlay.CodeOf(err); {
	case err == nil:
		return "", true, nil
	case isRefusal(err):
		return "This credential may not read the bucket " + at.Bucket + ". Allow it s3:ListBucket on the bucket and s3:GetObject on " + at.base() + "*, then look again.", true, nil
	case code == outlay.CodeConflict, code == outlay.CodeInvalid, code == outlay.CodeNotFound:
		e := outlay.AsError(err)
		return strings.TrimSpace("Its bucket cannot be read: " + e.Message + ". " + e.Fix), true, nil
	}
	return "", true, err
}

// found is an export that was found, whatever service keeps it.
type found struct {
	at     location
	id     string
	title  string
	detail []string
	why    string
}

// existing is what a person sees of it, and what an import remembers.
func (x found) existing() outlay.Existing {
	e := outlay.Existing{
		ID: x.id, Name: x.at.Export, Title: x.title, Format: x.at.Format, Region: x.at.Region, Why: x.why,
		Detail: strings.Join(append([]string{"s3://" + x.at.Bucket + "/" + x.at.base()}, x.detail...), " · "),
		Fields: x.at.fields(),
	}
	e.Fields[fieldID] = x.id
	return e
}

// lacking lists the columns of need that have does not hold.
func lacking(need, have []string) []string {
	return slices.DeleteFunc(slices.Clone(need), func(c string) bool { return slices.Contains(have, c) })
}

package aws

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// What Fetch needs again of a delivery.
const (
	refManifest = "manifest"
	refETag     = "etag"
)

// Deliveries lists each month's current delivery, oldest month first, with one listing of the manifests' folder and
// nothing else (clouds.md §2.9). A delivery's files are named by its manifest, which Fetch reads.
func (p *Provider) Deliveries(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source) iter.Seq2[outlay.Delivery, error] {
	return func(yield func(outlay.Delivery, error) bool) {
		found, err := p.listDeliveries(ctx, a, s)
		if err != nil {
			yield(outlay.Delivery{}, err)
			return
		}
		for _, period := range slices.Sorted(maps.Keys(found)) {
			if !yield(found[period], nil) {
				return
			}
		}
	}
}

func (p *Provider) listDeliveries(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source) (map[outlay.Period]outlay.Delivery, error) {
	at, ses, err := p.reach(ctx, a, s)
	if err != nil {
		return nil, err
	}
	l := lister{s3: ses.s3(at.Region), at: at, arn: "arn:" + ses.Partition + ":s3:::" + at.Bucket, found: map[outlay.Period]outlay.Delivery{}}
	if at.Layout == layoutReport {
		return l.found, l.reports(ctx)
	}
	_, err = l.list(ctx, at.metadataPrefix(), "")
	return l.found, err
}

// lister finds manifests in one bucket.
type lister struct {
	s3    *s3.Client
	at    location
	arn   string // of the bucket, for messages
	found map[outlay.Period]outlay.Delivery
}

// list notes the manifests under a prefix, and gives the folders that lie there when there is a delimiter.
func (l lister) list(ctx context.Context, prefix, delimiter string) (folders []string, err error) {
	in := &s3.ListObjectsV2Input{Bucket: &l.at.Bucket, Prefix: &prefix, ExpectedBucketOwner: &l.at.Account}
	if delimiter != "" {
		in.Delimiter = &delimiter
	}
	pages := s3.NewListObjectsV2Paginator(l.s3, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failure(err, call{Action: "s3:ListBucket", Resource: l.arn, Doing: "listing what was delivered"})
		}
		for _, o := range page.Contents {
			d, ok := l.at.delivery(sdk.ToString(o.Key), sdk.ToString(o.ETag), sdk.ToTime(o.LastModified), sdk.ToInt64(o.Size))
			if old, had := l.found[d.Period]; ok && (!had || newer(d, old)) {
				l.found[d.Period] = d
			}
		}
		for _, f := range page.CommonPrefixes {
			folders = append(folders, sdk.ToString(f.Prefix))
		}
	}
	return folders, nil
}

// reports lists the months of a legacy report, whose manifests lie among its data files, and then each month's
// manifest by its name: to list everything would be to list every file of every assembly ever delivered.
func (l lister) reports(ctx context.Context) error {
	folders, err := l.list(ctx, l.at.base(), "/")
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if periodOfReport(strings.TrimSuffix(strings.TrimPrefix(folder, l.at.base()), "/")) == "" {
			continue
		}
		if _, err := l.list(ctx, folder+l.at.manifestName(), ""); err != nil {
			return err
		}
	}
	return nil
}

// delivery is the delivery of a manifest, when key is one: named exactly as the export's manifest, directly in a
// month's folder.
func (l location) delivery(key, etag string, modified time.Time, size int64) (outlay.Delivery, bool) {
	within, monthOf := l.metadataPrefix(), periodOfFolder
	if l.Layout == layoutReport {
		within, monthOf = l.base(), periodOfReport
	}
	rest, ours := strings.CutPrefix(key, within)
	folder, name, _ := strings.Cut(rest, "/")
	period := monthOf(folder)
	if !ours || name != l.manifestName() || period == "" {
		return outlay.Delivery{}, false
	}
	return outlay.Delivery{
		Period: period, Version: modified.UTC(), Format: l.Format, Rows: -1,
		Token: fmt.Sprintf("%s|%s|%s|%d", key, etag, modified.UTC().Format(time.RFC3339Nano), size),
		ID:    strings.Trim(etag, `"`),
		Ref:   map[string]string{refManifest: key, refETag: etag},
	}, true
}

// newer decides between the two spellings of a month's folder: the manifest that was written last; of two written in
// one second, always the same one.
func newer(a, b outlay.Delivery) bool {
	if !a.Version.Equal(b.Version) {
		return a.Version.After(b.Version)
	}
	return a.Token > b.Token
}

// reach locates a source's export and signs in to its account.
func (p *Provider) reach(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source) (location, session, error) {
	at, err := p.locate(a, s)
	if err != nil {
		return location{}, session{}, err
	}
	ses, err := p.session(ctx, a)
	return at, ses, err
}

// locate says where a source's export delivers: from the ledger, else from what was asked for.
func (p *Provider) locate(a *outlay.CloudAccount, s *outlay.Source) (location, error) {
	if isImported(s) {
		return importedLocation(s)
	}
	n := p.namesOf(s, a.Identity)
	at := location{Bucket: n.Bucket, Region: n.Region, Prefix: filesPrefix, Export: n.Export, Account: n.Account, Format: formatFocus12}
	if row, ok := ledgerRow(s, kindExport); ok && row.Properties[propTable] == tableFocus10 {
		at.Format = formatFocus10
	}
	if at.Bucket == "" || at.Region == "" || at.Account == "" {
		return location{}, outlay.Errorf(outlay.CodeConflict, "Provision billing first.", "nothing is known of a bucket of this source")
	}
	return at, nil
}

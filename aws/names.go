package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"strings"

	"outlay"
)

// What our names begin with, and the folder of the bucket that is ours.
const (
	bucketPrefix = "outlay"
	exportPrefix = "outlay-focus"
	filesPrefix  = "outlay" // S3Prefix; never "", for it is what protects other data (clouds.md §2.3)
)

// The ownership tags (clouds.md §1.3, architecture.md ruling 4).
const (
	tagManaged      = "managed-by"
	tagInstallation = "outlay:installation-id"
	tagOrganization = "outlay:organization-id"
	tagSource       = "outlay:source-id"
	tagOperation    = "outlay:operation-id"
	managedBy       = "outlay"
)

// unguessable is 12 characters that follow from the naming key, the source and the kind, and from nothing else: the
// same source finds its name again, and nobody outside can take it first (reliability.md §3.1 rule 2).
func (p *Provider) unguessable(s *outlay.Source, kind outlay.ResourceKind) string {
	mac := hmac.New(sha256.New, p.opts.NamingKey)
	mac.Write([]byte(s.OrgID + "\x00" + s.ID + "\x00" + string(kind)))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)))[:12]
}

// names are the final names of a source's resources.
type names struct {
	Account, Partition, Region string
	Bucket, Export             string
}

// namesOf takes the names from the ledger, else from what was asked for, else from the naming key. Where nothing says
// where the bucket is, Bucket is "".
func (p *Provider) namesOf(s *outlay.Source, id outlay.Identity) names {
	n := names{Account: id.AccountID, Partition: id.Extra[extraPartition]}
	if n.Partition == "" {
		n.Partition = "aws"
	}
	n.Export = exportPrefix + "-" + p.unguessable(s, kindExport)
	if row, ok := ledgerRow(s, kindExport); ok {
		n.Export = row.Name
	}
	if s.Spec != nil {
		n.Region = s.Spec.Region
		n.Bucket = s.Spec.Fields[fieldBucket]
	}
	if n.Bucket == "" && n.Region != "" {
		n.Bucket = p.bucketName(s, n)
	}
	if row, ok := ledgerRow(s, kindBucket); ok {
		n.Bucket = row.Name
		n.Region = regionOf(row, n.Region)
	}
	return n
}

// bucketName is a name in the account's own namespace, which nobody else can take, where the partition has such
// names; elsewhere an unguessable global one (reliability.md §3.1 rule 2).
func (p *Provider) bucketName(s *outlay.Source, n names) string {
	base := bucketPrefix + "-" + p.unguessable(s, kindBucket) + "-" + n.Account
	if n.Partition != "aws" {
		return base
	}
	return base + "-" + n.Region + "-an"
}

// accountRegional tells whether a bucket's name lies in the namespace of one account and region.
func accountRegional(n names) bool {
	return strings.HasSuffix(n.Bucket, "-"+n.Account+"-"+n.Region+"-an")
}

// regionOf is the region that a bucket's ledger row tells: by its settings, else by its name.
func regionOf(row outlay.Resource, otherwise string) string {
	if r := row.Properties[propRegion]; r != "" {
		return r
	}
	if m := regionInName.FindStringSubmatch(row.Name); m != nil {
		return m[1]
	}
	return otherwise
}

var (
	regionInName = regexp.MustCompile(`-[0-9]{12}-([a-z]{2}(?:-[a-z]+)+-[0-9])-an$`)
	validBucket  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)
	reservedName = regexp.MustCompile(`^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3|--table-s3)$`)
)

// checkBucketName refuses names that S3 refuses, and names that only another account could use.
func checkBucketName(n names) error {
	const fix = "Use 3 to 63 lower-case letters, digits and dashes, or leave the field empty."
	if !validBucket.MatchString(n.Bucket) || reservedName.MatchString(n.Bucket) {
		return outlay.Errorf(outlay.CodeInvalid, fix, "%q cannot be the name of a bucket", clip(n.Bucket, 80)).InField(fieldBucket)
	}
	if strings.HasSuffix(n.Bucket, "-an") && !accountRegional(n) {
		return outlay.Errorf(outlay.CodeInvalid, "A name that ends in -an must end in -"+n.Account+"-"+n.Region+"-an.", "%q is in the namespace of another account or region", n.Bucket).InField(fieldBucket)
	}
	return nil
}

// ledgerRow is the source's row of a kind that still stands for something: not merely planned, not deleted.
func ledgerRow(s *outlay.Source, kind outlay.ResourceKind) (outlay.Resource, bool) {
	if s == nil {
		return outlay.Resource{}, false
	}
	for _, r := range s.Resources {
		if r.Kind == kind && r.State != outlay.StatePlanned && r.State != outlay.StateDeleted {
			return r, true
		}
	}
	return outlay.Resource{}, false
}

// ourTags are the marks that a resource is born with.
func (p *Provider) ourTags(s *outlay.Source, operation string) map[string]string {
	tags := map[string]string{
		tagManaged: managedBy, tagInstallation: p.opts.InstallationID,
		tagOrganization: s.OrgID, tagSource: s.ID,
	}
	if operation != "" {
		tags[tagOperation] = operation
	}
	return tags
}

// marks keeps the tags that say whose a resource is.
func marks(tags map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range tags {
		if k == tagManaged || strings.HasPrefix(k, "outlay:") {
			out[k] = v
		}
	}
	return out
}

// ours tells whether a live resource carries the marks of this installation and source.
func (p *Provider) ours(s *outlay.Source, owner map[string]string) bool {
	want := p.ourTags(s, "")
	for k, v := range want {
		if owner[k] != v {
			return false
		}
	}
	return true
}

package aws

import (
	"regexp"
	"strings"

	"outlay"
)

// The ways in which AWS lays out what it delivers.
const (
	layoutExport = ""       // Data Exports: NAME/metadata/BILLING_PERIOD=…/NAME-Manifest.json (clouds.md §2.8)
	layoutReport = "report" // legacy reports: NAME/20261101-20261201/NAME-Manifest.json
)

// location is where an export delivers.
type location struct {
	Bucket, Region, Prefix, Export string
	Account                        string // who must own the bucket
	Format                         string
	Layout                         string
	Files                          string // filesParquet or filesCSV; "" is Parquet
}

// base is the folder that everything of the export is in, with a slash at its end.
func (l location) base() string {
	if l.Prefix == "" {
		return l.Export + "/"
	}
	return l.Prefix + "/" + l.Export + "/"
}

func (l location) metadataPrefix() string { return l.base() + "metadata/" }
func (l location) dataPrefix() string     { return l.base() + "data/" }

// manifestName is the one file of a month's folder that counts. The side file EXPORT-Manifest-FOCUS.json sorts before
// it, and copies lie in folders below (clouds.md §2.8).
func (l location) manifestName() string { return l.Export + "-Manifest.json" }

// ending is how the names of data files end.
func (l location) ending() string {
	if l.Files == filesCSV {
		return ".csv.gz"
	}
	return ".parquet"
}

// fields are what an imported source remembers of the place.
func (l location) fields() map[string]string {
	kind := typeExport
	if l.Layout == layoutReport {
		kind = typeReport
	}
	return map[string]string{
		fieldType: kind, fieldName: l.Export, fieldBucket: l.Bucket, fieldPrefix: l.Prefix, fieldRegion: l.Region, fieldOwner: l.Account,
		fieldFormat: l.Format, fieldFiles: l.Files,
	}
}

// What an import may name. Names come from AWS, but travel through a request on their way to us.
var (
	bucketText = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{1,253}$`)
	exportText = regexp.MustCompile(`^[0-9A-Za-z!\-_.*'()]{1,256}$`)
	prefixText = regexp.MustCompile(`^[0-9A-Za-z!\-_.*'()/]{0,256}$`)
	regionText = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]$`)
	ownerText  = regexp.MustCompile(`^[0-9]{12}$`)
)

// isImported tells whether a source reads an export that somebody else set up: it is never changed.
func isImported(s *outlay.Source) bool { return s != nil && s.Origin == outlay.OriginImported }

// importedLocation is where an imported export delivers, by the fields that Existing gave.
func importedLocation(s *outlay.Source) (location, error) {
	if s.Spec == nil {
		return location{}, badImport(fieldName, "it does not say what to read")
	}
	f := s.Spec.Fields
	at := location{
		Bucket: f[fieldBucket], Region: orElse(f[fieldRegion], s.Spec.Region), Prefix: strings.Trim(f[fieldPrefix], "/"), Export: f[fieldName],
		Account: f[fieldOwner], Format: f[fieldFormat], Files: orElse(f[fieldFiles], filesParquet),
	}
	if f[fieldType] == typeReport {
		at.Layout = layoutReport
	}
	for _, check := range []struct {
		field, value string
		fits         bool
	}{
		{fieldType, f[fieldType], f[fieldType] == typeExport || f[fieldType] == typeReport},
		{fieldBucket, at.Bucket, bucketText.MatchString(at.Bucket)},
		{fieldName, at.Export, exportText.MatchString(at.Export) && at.Export != "." && at.Export != ".."},
		{fieldPrefix, at.Prefix, prefixText.MatchString(at.Prefix) && !strings.Contains("/"+at.Prefix+"/", "/../")},
		{fieldRegion, at.Region, regionText.MatchString(at.Region)},
		{fieldOwner, at.Account, ownerText.MatchString(at.Account)},
		{fieldFiles, at.Files, at.Files == filesParquet || at.Files == filesCSV},
		{fieldFormat, at.Format, knownFormat(at.Format)},
	} {
		if !check.fits {
			return location{}, badImport(check.field, "%q is not a value for its "+check.field, clip(check.value, 80))
		}
	}
	return at, nil
}

func badImport(field, format string, args ...any) error {
	return outlay.Errorf(outlay.CodeInvalid, "List the existing exports and choose one of them again.", "the export cannot be imported: "+format, args...).InField(field)
}

package azure

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"outlay"
)

// Limits of a manifest (reliability.md M24, M27).
const (
	maxManifest  = 16 << 20
	maxDepth     = 32
	maxBlobName  = 1024
	manifestName = "manifest.json" // what the names of manifests end in; of the older API '_manifest.json'
)

// manifest is what we need of the file that an export writes beside its data (clouds.md §3.5). Whatever else stands in
// it is allowed. Counts may be null or 0 for 'not said'.
type manifest struct {
	ByteCount    *int64 `json:"byteCount"`
	BlobCount    *int64 `json:"blobCount"`
	DataRowCount *int64 `json:"dataRowCount"`
	ExportConfig struct {
		ExportName  string `json:"exportName"`
		ResourceID  string `json:"resourceId"`
		DataVersion string `json:"dataVersion"`
		Type        string `json:"type"`
	} `json:"exportConfig"`
	DeliveryConfig struct {
		ContainerURI   string `json:"containerUri"`
		RootFolderPath string `json:"rootFolderPath"`
	} `json:"deliveryConfig"`
	RunInfo struct {
		SubmittedTime string `json:"submittedTime"`
		RunID         string `json:"runId"`
		StartDate     string `json:"startDate"`
		EndDate       string `json:"endDate"`
	} `json:"runInfo"`
	Blobs []manifestBlob `json:"blobs"`
}

// manifestBlob is one data file of a manifest.
type manifestBlob struct {
	BlobName     string `json:"blobName"`
	ByteCount    *int64 `json:"byteCount"`
	DataRowCount *int64 `json:"dataRowCount"`
}

// parseManifest reads a manifest. A key that comes twice, or one of ours in another letter case, is refused: two
// readers would not agree on what such a manifest says (M27, architecture.md ruling 7).
func parseManifest(b []byte) (manifest, error) {
	if len(b) > maxManifest {
		return manifest{}, badManifest("it is larger than 16 MiB")
	}
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	d.UseNumber()
	w := manifestWalk{d: d, ours: manifestKeys()}
	if err := w.value(0); err != nil {
		return manifest{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return manifest{}, badManifest("something follows its end")
	}
	var m manifest
	if err := json.Unmarshal(bytes.TrimPrefix(b, []byte("\ufeff")), &m); err != nil {
		return manifest{}, badManifest("%v", err)
	}
	return m, nil
}

func badManifest(format string, args ...any) error {
	return outlay.Errorf(outlay.CodeInvalid, "Nothing of this delivery was loaded. The next run of the export replaces it; if that fails too, look at the manifest in the container.",
		"the manifest cannot be used: "+format, args...)
}

// manifestKeys are the keys whose spelling counts, by their lower case.
func manifestKeys() map[string]string {
	out := map[string]string{}
	for _, k := range []string{
		"byteCount", "blobCount", "dataRowCount", "exportConfig", "exportName", "resourceId", "dataVersion", "type", "deliveryConfig", "containerUri",
		"rootFolderPath", "runInfo", "submittedTime", "runId", "startDate", "endDate", "blobs", "blobName",
	} {
		out[strings.ToLower(k)] = k
	}
	return out
}

// manifestWalk goes through a whole manifest before anything of it is believed.
type manifestWalk struct {
	d    *json.Decoder
	ours map[string]string
}

// value walks one JSON value: no key twice, letter case aside, no key of ours spelled otherwise, not too deep.
func (w manifestWalk) value(depth int) error {
	if depth > maxDepth {
		return badManifest("it is nested more than %d deep", maxDepth)
	}
	token, err := w.d.Token()
	if err != nil {
		return badManifest("%v", err)
	}
	delim, _ := token.(json.Delim)
	if depth == 0 && delim != '{' {
		return badManifest("it is not an object")
	}
	seen := map[string]bool{}
	for (delim == '{' || delim == '[') && w.d.More() {
		if delim == '{' {
			if err := w.key(seen); err != nil {
				return err
			}
		}
		if err := w.value(depth + 1); err != nil {
			return err
		}
	}
	if delim == '{' || delim == '[' {
		if _, err := w.d.Token(); err != nil { // the closing one
			return badManifest("%v", err)
		}
	}
	return nil
}

func (w manifestWalk) key(seen map[string]bool) error {
	token, err := w.d.Token()
	if err != nil {
		return badManifest("%v", err)
	}
	key, _ := token.(string)
	fold := strings.ToLower(key)
	if seen[fold] {
		return badManifest("the key %q comes twice", clip(key, 60))
	}
	seen[fold] = true
	if name, ours := w.ours[fold]; ours && key != name {
		return badManifest("the key %q should be %q", clip(key, 60), name)
	}
	return nil
}

// isOf tells whether a manifest is of an export. Folders can be shared by exports whose names begin alike, and
// somebody can put a file there: what is not this export's is passed over.
func (m manifest) isOf(e exportPlace) bool {
	c := m.ExportConfig
	return strings.EqualFold(c.ExportName, e.Name) && (c.ResourceID == "" || strings.EqualFold(strings.Trim(c.ResourceID, "/"), strings.Trim(e.ID, "/")))
}

// isBare tells whether a manifest lists files and does not say of what run they are: those of the older API.
func (m manifest) isBare() bool {
	return m.ExportConfig.ExportName == "" && m.ExportConfig.ResourceID == "" && m.RunInfo.RunID == "" && m.RunInfo.SubmittedTime == "" && len(m.Blobs) > 0
}

// period is the month of the run. Times without a zone are UTC; the end is the last day, inclusive.
func (m manifest) period() (outlay.Period, error) {
	start, err := manifestTime(m.RunInfo.StartDate)
	if err != nil {
		return "", badManifest("its start %q is no time", clip(m.RunInfo.StartDate, 60))
	}
	end, err := manifestTime(m.RunInfo.EndDate)
	if err != nil {
		return "", badManifest("its end %q is no time", clip(m.RunInfo.EndDate, 60))
	}
	p := outlay.PeriodOf(start)
	if outlay.PeriodOf(end) != p || end.Before(start) {
		return "", badManifest("its run is from %s to %s, which is not within one month", start.Format(time.DateOnly), end.Format(time.DateOnly))
	}
	return p, nil
}

// submitted is when the run was asked for: the order of versions (architecture.md ruling 2).
func (m manifest) submitted() (time.Time, error) {
	t, err := manifestTime(m.RunInfo.SubmittedTime)
	if err != nil {
		return time.Time{}, badManifest("its time of submission %q is no time", clip(m.RunInfo.SubmittedTime, 60))
	}
	return t, nil
}

// isPart tells whether the run is of some days of its month, such as anybody may ask for in the Azure portal.
func (m manifest) isPart() bool {
	start, err := manifestTime(m.RunInfo.StartDate)
	end, errEnd := manifestTime(m.RunInfo.EndDate)
	submitted, errSubmitted := manifestTime(m.RunInfo.SubmittedTime)
	if errors.Join(err, errEnd, errSubmitted) != nil {
		return false // delivery says what is wrong
	}
	return !wholeMonth(start, end, submitted)
}

// wholeMonth tells whether a run from start to end, inclusive, holds all of its month that there was when it was
// submitted: its end is the month's last day or, of a month to date, about the day it was submitted on.
func wholeMonth(start, end, submitted time.Time) bool {
	last := time.Date(start.Year(), start.Month()+1, 0, 0, 0, 0, 0, time.UTC)
	return start.Day() == 1 && (!end.Before(last) || !end.Before(submitted.Truncate(24*time.Hour).AddDate(0, 0, -1)))
}

func manifestTime(s string) (time.Time, error) {
	var err error
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05", time.DateOnly} {
		var t time.Time
		if t, err = time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, err
}

// rows is how many rows the manifest promises; −1 when it does not say. 0 beside data is 'not said'.
func (m manifest) rows() int64 {
	var sum int64
	for _, b := range m.Blobs {
		if b.DataRowCount == nil || *b.DataRowCount <= 0 {
			sum = 0
			break
		}
		sum += *b.DataRowCount
	}
	if sum > 0 {
		return sum
	}
	if m.DataRowCount != nil && *m.DataRowCount > 0 {
		return *m.DataRowCount
	}
	return -1
}

// check compares a manifest with where the export delivers. Container and folder come from the ledger or the import,
// never from the manifest (architecture.md ruling 8): one that names others is refused.
func (m manifest) check(at place, e exportPlace) error {
	if uri := strings.TrimRight(m.DeliveryConfig.ContainerURI, "/"); uri != "" && !namesContainer(uri, lastSegment(at.StorageID), at.Container) {
		return badManifest("it names the container %q, which is not the export's", clip(uri, 200))
	}
	if root := strings.Trim(m.DeliveryConfig.RootFolderPath, "/"); root != "" && root != e.Root {
		return badManifest("it names the folder %q, which is not the export's", clip(root, 200))
	}
	seen := map[string]bool{}
	for _, b := range m.Blobs {
		if err := checkBlobName(b.BlobName, e.prefix()); err != nil {
			return err
		}
		if seen[b.BlobName] {
			return badManifest("%q is listed twice", clip(b.BlobName, 200))
		}
		seen[b.BlobName] = true
	}
	if n := m.BlobCount; n != nil && *n > 0 && *n != int64(len(m.Blobs)) {
		return badManifest("it counts %d files and lists %d", *n, len(m.Blobs))
	}
	return nil
}

// namesContainer tells whether an address is that of a container in a storage account. It is written as an URL of the
// container, or as the storage account's resource id.
func namesContainer(uri, account, container string) bool {
	parts := strings.FieldsFunc(uri, func(r rune) bool { return r == '/' || r == '.' || r == ':' })
	found := false
	for _, part := range parts {
		found = found || strings.EqualFold(part, account)
	}
	last := lastSegment(uri)
	return found && (last == container || strings.HasPrefix(uri, "/") && strings.EqualFold(last, account))
}

// prefix is the folder that everything of an export is in.
func (e exportPlace) prefix() string {
	if e.Root == "" {
		return e.Name + "/"
	}
	return e.Root + "/" + e.Name + "/"
}

// checkBlobName refuses names outside the export's folder, such as would leave it, and what is no data file.
func checkBlobName(name, prefix string) error {
	if name == "" || len(name) > maxBlobName || strings.ContainsRune(name, 0) {
		return badManifest("it names a file that Azure cannot have")
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." || part == "." || part == "" {
			return badManifest("%q leaves its folder", clip(name, 200))
		}
	}
	if !strings.HasPrefix(name, prefix) {
		return badManifest("%q is outside the export's folder", clip(name, 200))
	}
	if endingOf(name) == "" {
		return badManifest("%q is neither CSV nor Parquet", clip(name, 200))
	}
	return nil
}

// endingOf is how a copy of a data file is called; "" for what is none.
func endingOf(name string) string {
	for _, ending := range []string{".parquet", ".csv.gz", ".csv"} {
		if strings.HasSuffix(strings.ToLower(name), ending) {
			return ending
		}
	}
	return ""
}

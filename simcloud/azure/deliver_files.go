package azure

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"

	"outlay/simcloud"
	"outlay/simcloud/bill"
)

// cut is the SQL that copies rows [from, from+n) of a bill into one data file. A CSV has times as text.
func (j job) cut(whole, file string, from, n int64) string {
	columns, options := "* EXCLUDE (file_row_number)", "FORMAT parquet, COMPRESSION uncompressed"
	if j.snappy {
		options = "FORMAT parquet, COMPRESSION snappy"
	}
	if j.csv {
		options = "FORMAT csv, HEADER"
		var times []string
		for _, col := range bill.AzureColumns(j.spec) {
			if bill.AzureType(col) == "timestamp" {
				times = append(times, fmt.Sprintf("strftime(%[1]s, '%[2]s') AS %[1]s", col, bill.AzureCSVTime(j.spec)))
			}
		}
		columns += " REPLACE (" + strings.Join(times, ", ") + ")"
	}
	return fmt.Sprintf("COPY (SELECT %s FROM read_parquet(%s, file_row_number = true) WHERE file_row_number >= %d AND file_row_number < %d ORDER BY file_row_number) TO %s (%s)",
		columns, sqlText(whole), from, from+n, sqlText(file), options)
}

func sqlText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// finish is what Azure does to a file last: a CSV begins with a byte order mark, and may be compressed.
func (j job) finish(b []byte) ([]byte, error) {
	if !j.csv {
		return b, nil
	}
	b = append([]byte("\xef\xbb\xbf"), b...)
	if !j.gzip {
		return b, nil
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

// manifest is manifest.json (clouds.md §3.5).
type manifest struct {
	ManifestVersion string         `json:"manifestVersion"`
	ByteCount       int64          `json:"byteCount"`
	BlobCount       int            `json:"blobCount"`
	DataRowCount    int64          `json:"dataRowCount"`
	ExportConfig    object         `json:"exportConfig"`
	DeliveryConfig  object         `json:"deliveryConfig"`
	RunInfo         object         `json:"runInfo"`
	Blobs           []manifestBlob `json:"blobs"`
}

type manifestBlob struct {
	BlobName     string `json:"blobName"`
	ByteCount    int64  `json:"byteCount"`
	DataRowCount int64  `json:"dataRowCount"`
}

func (c *Cloud) newManifest(e *export, r *run) manifest {
	p := e.Properties
	partition := p.PartitionData != nil && *p.PartitionData
	return manifest{
		ManifestVersion: "2024-04-01",
		ExportConfig: object{
			"exportName": e.Name, "resourceId": e.id(), "dataVersion": p.Definition.version(), "apiVersion": "2025-03-01", "type": p.Definition.Type, "timeFrame": timeframe(e, r), "granularity": "Daily",
		},
		DeliveryConfig: object{
			"partitionData": partition, "dataOverwriteBehavior": p.Overwrite, "fileFormat": p.Format, "compressionMode": compressionWord(p.Compression),
			"containerUri":   p.DeliveryInfo.Destination.ResourceID + "/blobServices/default/containers/" + p.DeliveryInfo.Destination.Container,
			"rootFolderPath": p.DeliveryInfo.Destination.RootFolderPath,
		},
		RunInfo: object{
			"executionType": r.Kind, "submittedTime": wireTime(r.Submitted), "runId": r.ID, "startDate": r.From.Format("2006-01-02T15:04:05"), "endDate": r.To.Format("2006-01-02T15:04:05"),
		},
	}
}

// timeframe of a run that was asked for a period is Custom.
func timeframe(e *export, r *run) string {
	if r.Kind == "OnDemand" {
		return "Custom"
	}
	return e.Properties.Definition.Timeframe
}

// compressionWord is spelt in other letters there than in the API.
func compressionWord(c string) string {
	return map[string]string{"gzip": "GZip", "snappy": "Snappy", "": "None", "none": "None"}[strings.ToLower(c)]
}

// folders give the folder of all runs of a period, and that of one run.
func (c *Cloud) folders(e *export, r *run) (period, own string) {
	period = path.Join(e.Properties.DeliveryInfo.Destination.RootFolderPath, e.Name, r.From.Format("20060102")+"-"+r.To.Format("20060102")) + "/"
	if c.opt.FolderStamp {
		return period, period + r.Submitted.Format("200601021504") + "/" + r.ID + "/"
	}
	return period, period + r.ID + "/"
}

func (j job) fileName(n int) string {
	ending := "parquet"
	switch {
	case j.snappy:
		ending = "snappy.parquet"
	case j.csv && j.gzip:
		ending = "csv.gz"
	case j.csv:
		ending = "csv"
	}
	return fmt.Sprintf("part_%d_%04d.%s", 0, n, ending)
}

// put writes one run: data files, then, where it overwrites, the folders of earlier runs of the period go, and the
// manifest comes last. An export that went away meanwhile stops it.
func (c *Cloud) put(j job, files [][]byte, rows []int64, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, r := c.runOf(j)
	if r == nil {
		return nil
	}
	if code, message := c.obstacle(e); code != "" {
		r.Status, r.Code, r.Message, r.Ended = "Failed", code, message, now
		return simcloud.Save(c.opt.Dir, c.state)
	}
	ct := c.containerOf(e)
	period, own := c.folders(e, r)
	m := c.newManifest(e, r)
	for i, data := range files {
		name := own + j.fileName(i+1)
		if j.parts == 1 { // without partitioning, one file a run beside those of the others
			name = period + e.Name + "_" + r.ID + strings.TrimPrefix(j.fileName(1), "part_0_0001")
			r.File = name
		}
		if _, err := c.store(ct, name, data, now); err != nil {
			return err
		}
		m.Blobs = append(m.Blobs, manifestBlob{name, int64(len(data)), rows[i]})
		m.ByteCount, m.DataRowCount, m.BlobCount = m.ByteCount+int64(len(data)), m.DataRowCount+rows[i], m.BlobCount+1
	}
	if e.Properties.Overwrite == "OverwritePreviousReport" {
		c.clear(ct, period, own)
	}
	e.Through[string(j.spec.Period)] = j.spec.Through
	var err error
	if r.Pending, err = json.MarshalIndent(m, "", "  "); err != nil {
		return err
	}
	if c.state.Tear {
		c.state.Tear = false
		return simcloud.Save(c.opt.Dir, c.state)
	}
	if err := c.mend(e); err != nil {
		return err
	}
	return simcloud.Save(c.opt.Dir, c.state)
}

func (c *Cloud) runOf(j job) (*export, *run) {
	for _, e := range c.state.Exports {
		if e.id() != j.export {
			continue
		}
		for _, r := range e.Runs {
			if r.ID == j.run {
				return e, r
			}
		}
	}
	return nil, nil
}

func (c *Cloud) containerOf(e *export) *container {
	d := e.Properties.DeliveryInfo.Destination
	a := c.accountByID(d.ResourceID)
	if a == nil {
		return nil
	}
	return a.container(d.Container)
}

// clear removes what earlier runs of the period left.
func (c *Cloud) clear(ct *container, period, keep string) {
	for name := range ct.Blobs {
		if strings.HasPrefix(name, period) && !strings.HasPrefix(name, keep) {
			c.dropBlob(ct, name)
		}
	}
}

// mend writes the manifest of runs whose files are there.
func (c *Cloud) mend(e *export) error {
	for _, r := range e.Runs {
		ct := c.containerOf(e)
		if r.Pending == nil || ct == nil {
			continue
		}
		_, own := c.folders(e, r)
		if r.File == "" { // a run of one file has no manifest
			r.Manifest = own + "manifest.json"
			if _, err := c.store(ct, r.Manifest, r.Pending, c.opt.Now()); err != nil {
				return err
			}
		}
		r.Pending, r.Status, r.Ended = nil, "Completed", c.opt.Now()
	}
	return nil
}

// putEmpty writes a manifest that lists nothing.
func (c *Cloud) putEmpty(e *export, r *run) {
	m := c.newManifest(e, r)
	_, own := c.folders(e, r)
	c.mustStore(c.containerOf(e), own+"manifest.json", simcloud.JSON(m))
	r.Manifest = own + "manifest.json"
}

// TearNext makes the next run stop between removing the folder of the run before and writing its own manifest, which the
// next call of Deliver or Run makes up for: what a reader can meet under OverwritePreviousReport.
func (c *Cloud) TearNext() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Tear = true
	c.persist()
}

// SetRun changes the status of the last run of an export by its id, as a word that Azure has not documented.
func (c *Cloud) SetRun(id, status string) {
	c.change(id, func(e *export) {
		if r := e.lastRun(); r != nil {
			r.Status = status
		}
	})
}

package aws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"outlay/simcloud"
)

// manifest is EXPORT-Manifest.json. Its schema is not published: the five members that readers use are those of
// clouds.md §2.8, the rest stands for what they must not stumble over.
type manifest struct {
	ExecutionID           string           `json:"executionId"`
	ExportArn             string           `json:"exportArn"`
	Account               string           `json:"account"`
	BillingPeriod         manifestPeriod   `json:"billingPeriod"`
	Columns               []manifestColumn `json:"columns"`
	DataFiles             []string         `json:"dataFiles"`
	AdditionalOutputFiles []string         `json:"additionalOutputFiles"`
	Format                string           `json:"format"`
}

type manifestPeriod struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

type manifestColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// put writes one period into the bucket: data files first, decoys, the manifest last. An export or a permission that
// went away meanwhile stops it without an error, as AWS would stop.
func (c *Cloud) put(j job, files [][]byte, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.exportByARN(j.arn)
	if e == nil || c.destination(e, false) != "" {
		return nil
	}
	period := string(j.spec.Period)
	b := c.state.Buckets[e.Definition.DestinationConfigurations.S3Destination.S3Bucket]
	run := execution{c.state.UUID(), "DELIVERY_SUCCESS", "", now.UTC()}
	stamp := now.UTC().Format("20060102T150405Z") + "-" + run.ID
	folder := e.root() + "data/" + j.spelling + period + "/"
	if j.isNew {
		folder += stamp + "/"
	}
	m := manifest{
		ExecutionID: run.ID, ExportArn: e.ARN, Account: e.Account, Format: j.format, AdditionalOutputFiles: []string{},
		BillingPeriod: manifestPeriod{wireTime(j.spec.Period.Start()), wireTime(j.spec.Period.End())},
	}
	for _, col := range j.spec.Columns {
		m.Columns = append(m.Columns, manifestColumn{col, columnType(j.table, col)})
	}
	for i, data := range files {
		key := folder + j.fileName(i+1)
		if _, err := c.store(b, key, data, now); err != nil {
			return err
		}
		m.DataFiles = append(m.DataFiles, "s3://"+b.Name+"/"+key)
	}
	if c.state.Tear {
		c.state.Tear = false
		return simcloud.Save(c.opt.Dir, c.state)
	}
	if err := c.orphan(b, folder+j.fileName(len(files)+1), e.Revisions[period], now); err != nil {
		return err
	}
	if err := c.putManifests(b, e, j, m, stamp, now); err != nil {
		return err
	}
	e.recordDelivery(period, j.spec.Through, j.spec.Period.End(), run)
	return simcloud.Save(c.opt.Dir, c.state)
}

func (e *export) recordDelivery(period string, through, end time.Time, run execution) {
	if through.After(end) {
		through = end
	}
	if e.Through == nil {
		e.Through = map[string]time.Time{}
	}
	e.Through[period] = through
	e.Revisions[period]++
	e.Refreshed = run.Created
	e.Executions = append(e.Executions, run)
	if n := len(e.Executions); n > 200 {
		e.Executions = e.Executions[n-200:]
	}
}

func (j job) fileName(n int) string {
	ending := "snappy.parquet"
	if j.format == "TEXT_OR_CSV" {
		ending = "csv.gz"
	}
	return fmt.Sprintf("%s-%05d.%s", j.name, n, ending)
}

// orphan does to the file after the last one what overwrite mode does when an export shrinks: it stays behind, as it
// was or blanked. Nobody lists it.
func (c *Cloud) orphan(b *bucket, key string, revision int, now time.Time) error {
	if b.current(key) == nil || revision%4 != 0 {
		return nil
	}
	_, err := c.store(b, key, nil, now)
	return err
}

// putManifests writes the FOCUS side manifest and the copy under the run's folder, both decoys, and then the manifest
// that counts. Its time is later than that of the one before even on a clock faster than S3's seconds.
func (c *Cloud) putManifests(b *bucket, e *export, j job, m manifest, stamp string, now time.Time) error {
	period := string(j.spec.Period)
	body, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	side, err := json.Marshal(map[string]any{"schema": "FOCUS", "version": "1.2", "columns": m.Columns, "executionId": m.ExecutionID})
	if err != nil {
		return err
	}
	at := now.UTC().Truncate(time.Second)
	if last := e.Manifests[period]; !at.After(last) {
		at = last.Add(time.Second)
	}
	folder := e.root() + "metadata/" + j.spelling + period + "/"
	for _, f := range []struct {
		key  string
		body []byte
	}{
		{folder + j.name + "-Manifest-FOCUS.json", side},
		{folder + stamp + "/" + j.name + "-Manifest.json", body},
		{folder + j.name + "-Manifest.json", body},
	} {
		if _, err := c.store(b, f.key, f.body, at); err != nil {
			return err
		}
	}
	e.Manifests[period] = at
	c.forgetCopies(b, folder)
	return nil
}

// copiesKept is how many copies of a manifest stay: a demo delivers thousands of times.
const copiesKept = 5

// forgetCopies drops the oldest copies of a period's manifest.
func (c *Cloud) forgetCopies(b *bucket, folder string) {
	var copies []string
	for key := range b.Objects {
		if rest, ok := strings.CutPrefix(key, folder); ok && strings.Contains(rest, "/") {
			copies = append(copies, key)
		}
	}
	slices.Sort(copies) // the folder begins with the time
	for _, key := range copies[:max(0, len(copies)-copiesKept)] {
		c.dropVersion(b, key, "null")
	}
}

func (c *Cloud) exportByARN(arn string) *export {
	for _, e := range c.state.Exports {
		if e.ARN == arn {
			return e
		}
	}
	return nil
}

// deliverLate writes what was in flight when an export was deleted: one data file, if the policy still lets it in.
func (c *Cloud) deliverLate(now time.Time) {
	for _, e := range c.state.Late {
		if c.destination(e, false) != "" {
			continue
		}
		b := c.state.Buckets[e.Definition.DestinationConfigurations.S3Destination.S3Bucket]
		key := e.root() + "data/BILLING_PERIOD=" + now.UTC().Format("2006-01") + "/" + e.Definition.Name + "-00001.snappy.parquet"
		c.mustStore(b, key, []byte("PAR1"+strings.Repeat("\x00", 16)+"PAR1"))
	}
	c.state.Late = nil
}

// TearNext makes the next period that is delivered stop after its data files: in overwrite mode the manifest of the
// delivery before now lists files of this one, until the next Deliver (clouds.md §2.8).
func (c *Cloud) TearNext() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Tear = true
	c.persist()
}

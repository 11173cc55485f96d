package aws

import (
	"fmt"
	"strings"
	"time"

	"outlay/simcloud/bill"
)

// Setup is an export that somebody set up at the console long before we came, bucket and policy included. AWS delivers
// to it as to any other; nobody but its owner may touch it.
type Setup struct {
	Account, Region string
	Bucket, Prefix  string
	Name            string
	// Table is that of a data export: "FOCUS_1_2_AWS", "FOCUS_1_0_AWS", "COST_AND_USAGE_REPORT"; "" makes a legacy
	// cost and usage report.
	Table     string
	CSV       bool // otherwise Parquet
	CreateNew bool // otherwise each delivery overwrites the one before
	Athena    bool // legacy reports: laid out for Athena
	Zip       bool // legacy reports in CSV: ZIP instead of GZIP. Nothing is delivered.
	Split     bool // COST_AND_USAGE_REPORT: with split cost allocation
}

// SetUp makes a setup and gives its ARN. A bucket that is there already gets the policy added, as the console does.
func (c *Cloud) SetUp(s Setup) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.state.Buckets[s.Bucket]
	if b == nil {
		b = c.newBucket(s.Bucket, s.Account, s.Region)
		b.Foreign, b.Tags = true, map[string]string{"owner": "finance"}
	}
	b.Policy = fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["bcm-data-exports.amazonaws.com","billingreports.amazonaws.com"]},
"Action":["s3:PutObject","s3:GetBucketPolicy"],"Resource":["%[1]s","%[1]s/*"],"Condition":{"StringLike":{"aws:SourceAccount":"%[2]s",
"aws:SourceArn":["arn:%[3]s:cur:*:%[2]s:definition/*","arn:%[3]s:bcm-data-exports:*:%[2]s:export/*"]}}}]}`, c.bucketARN(b.Name), s.Account, c.opt.Partition)
	defer c.persist()
	if s.Table == "" {
		r := c.newReport(s.Account, s.report())
		r.Foreign = true
		c.state.Reports = append(c.state.Reports, r)
		return r.Run.ARN
	}
	e := c.setUpExport(s)
	c.state.Exports = append(c.state.Exports, e)
	return e.ARN
}

func (s Setup) report() reportDefinition {
	d := reportDefinition{
		ReportName: s.Name, TimeUnit: "DAILY", Format: "Parquet", Compression: "Parquet", AdditionalSchemaElements: []string{"RESOURCES"},
		S3Bucket: s.Bucket, S3Prefix: s.Prefix, S3Region: s.Region, ReportVersioning: s.overwrite(),
	}
	if s.CSV {
		d.Format, d.Compression = "textORcsv", "GZIP"
	}
	if s.Zip {
		d.Format, d.Compression = "textORcsv", "ZIP"
	}
	if s.Athena {
		d.AdditionalArtifacts = []string{"ATHENA"}
	}
	return d
}

func (s Setup) overwrite() string {
	if s.CreateNew {
		return "CREATE_NEW_REPORT"
	}
	return "OVERWRITE_REPORT"
}

func (c *Cloud) setUpExport(s Setup) *export {
	now := c.opt.Now().UTC().Truncate(time.Millisecond)
	e := &export{
		ARN: c.exportARN(s.Account, "export/"+s.Name+"-"+c.state.UUID()), Account: s.Account, Tags: map[string]string{"owner": "finance"}, Theirs: true,
		Created: now, Updated: now, Revisions: map[string]int{}, Manifests: map[string]time.Time{},
	}
	settings := map[string]string{"TIME_GRANULARITY": "DAILY"}
	columns := tableColumns(s.Table)
	if s.Table == tableReport {
		settings["INCLUDE_RESOURCES"] = "TRUE"
		columns = bill.ReportColumns()
	}
	if s.Split {
		settings["INCLUDE_SPLIT_COST_ALLOCATION_DATA"] = "TRUE"
	}
	d := &e.Definition
	d.Name, d.ExportArn, d.RefreshCadence.Frequency = s.Name, e.ARN, "SYNCHRONOUS"
	d.DataQuery = dataQuery{"SELECT " + strings.Join(columns, ", ") + " FROM " + s.Table, map[string]map[string]string{s.Table: settings}}
	to := &d.DestinationConfigurations.S3Destination
	to.S3Bucket, to.S3Prefix, to.S3Region = s.Bucket, s.Prefix, s.Region
	out := &to.S3OutputConfigurations
	out.OutputType, out.Format, out.Compression, out.Overwrite = "CUSTOM", "PARQUET", "PARQUET", s.overwrite()
	if s.CSV {
		out.Format, out.Compression = "TEXT_OR_CSV", "GZIP"
	}
	return e
}

// RemoveReport deletes a legacy report as somebody at the console would.
func (c *Cloud) RemoveReport(arn string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, r := range c.state.Reports {
		if r.Run.ARN == arn {
			c.state.Reports = append(c.state.Reports[:i:i], c.state.Reports[i+1:]...)
			break
		}
	}
	c.persist()
}

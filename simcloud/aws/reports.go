package aws

import (
	"net/http"
	"regexp"
	"slices"
	"time"
)

// report is a cost and usage report of the older kind. Run is what a delivery needs to know of any export: where it
// goes, and how far it came; it never stands among the exports.
type report struct {
	Definition reportDefinition
	Run        export
	Foreign    bool // set up by somebody else: nobody may touch it
}

// reportDefinition is the member ReportDefinition of the API, both ways.
type reportDefinition struct {
	ReportName               string
	TimeUnit                 string
	Format                   string // textORcsv or Parquet
	Compression              string // ZIP, GZIP or Parquet
	AdditionalSchemaElements []string
	S3Bucket                 string
	S3Prefix                 string
	S3Region                 string
	AdditionalArtifacts      []string      `json:",omitempty"`
	RefreshClosedReports     bool          `json:",omitempty"`
	ReportVersioning         string        `json:",omitempty"`
	ReportStatus             *reportStatus `json:",omitempty"`
}

type reportStatus struct {
	LastDelivery string `json:"lastDelivery,omitempty"`
	LastStatus   string `json:"lastStatus,omitempty"`
}

func reportOperations() map[string]operation {
	return map[string]operation{
		"DescribeReportDefinitions": {run: (*Cloud).describeReports},
		"PutReportDefinition":       {run: (*Cloud).putReport, changes: true},
		"DeleteReportDefinition":    {run: (*Cloud).deleteReport, changes: true},
	}
}

// reportARN is how policies name a report; the API itself knows names only.
func (c *Cloud) reportARN(account, name string) string {
	return "arn:" + c.opt.Partition + ":cur:" + exportRegion(c.opt.Partition) + ":" + account + ":definition/" + name
}

// atHome refuses callers at an endpoint that does not exist: the service has one region, which the SDK does not know
// (clouds.md §2.2).
func (c *Cloud) atHome(k *call) *refusal {
	if k.Region == exportRegion(c.opt.Partition) {
		return nil
	}
	return refuse(http.StatusBadRequest, "UnrecognizedClientException", "There is no cost and usage report service in %s", k.Region)
}

// reportsOf are the reports of an account.
func (c *Cloud) reportsOf(account string) []*report {
	return slices.DeleteFunc(slices.Clone(c.state.Reports), func(r *report) bool { return r.Run.Account != account })
}

func (c *Cloud) describeReports(k *call) (answer, *refusal) {
	if fail := c.atHome(k); fail != nil {
		return answer{}, fail
	}
	if fail := c.need(k, "cur:DescribeReportDefinitions", "*"); fail != nil {
		return answer{}, fail
	}
	var in pageRequest
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	page, next, fail := paged(c.reportsOf(k.Caller.Account), in.NextToken, in.MaxResults, 5)
	if fail != nil {
		return answer{}, fail
	}
	list := []reportDefinition{}
	for _, r := range page {
		list = append(list, r.shown())
	}
	return jsonAnswer(withNext(map[string]any{"ReportDefinitions": list}, next))
}

// shown is the definition with how the last delivery went.
func (r *report) shown() reportDefinition {
	d := r.Definition
	if n := len(r.Run.Executions); n > 0 {
		last := r.Run.Executions[n-1]
		d.ReportStatus = &reportStatus{LastDelivery: last.Created.UTC().Format("20060102T150405Z"), LastStatus: "SUCCESS"}
		if last.Status != "DELIVERY_SUCCESS" {
			d.ReportStatus.LastStatus = last.Reason
		}
	}
	return d
}

func (c *Cloud) putReport(k *call) (answer, *refusal) {
	if fail := c.atHome(k); fail != nil {
		return answer{}, fail
	}
	var in struct{ ReportDefinition reportDefinition }
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	d := in.ReportDefinition
	if fail := c.need(k, "cur:PutReportDefinition", c.reportARN(k.Caller.Account, d.ReportName)); fail != nil {
		return answer{}, fail
	}
	mine := c.reportsOf(k.Caller.Account)
	switch {
	case slices.ContainsFunc(mine, func(r *report) bool { return r.Definition.ReportName == d.ReportName }):
		return answer{}, refuse(http.StatusBadRequest, "DuplicateReportNameException", "A report named %s already exists.", d.ReportName)
	case len(mine) >= 10:
		return answer{}, refuse(http.StatusBadRequest, "ReportLimitReachedException", "You have reached the limit of 10 reports.")
	}
	if fail := d.check(); fail != nil {
		return answer{}, fail
	}
	r := c.newReport(k.Caller.Account, d)
	if why := c.reportDestination(r); why != "" {
		return answer{}, refuse(http.StatusBadRequest, "ValidationException", "%s", why)
	}
	c.state.Reports = append(c.state.Reports, r)
	return jsonAnswer(map[string]any{})
}

var reportName = regexp.MustCompile(`^[0-9A-Za-z!\-_.*'()]{1,256}$`)

// check refuses a definition that AWS would not take, whatever the bucket says.
func (d reportDefinition) check() *refusal {
	pair := d.Format + " " + d.Compression
	athena := slices.Contains(d.AdditionalArtifacts, "ATHENA")
	switch {
	case !reportName.MatchString(d.ReportName):
		return refuse(http.StatusBadRequest, "ValidationException", "The report name %q is not valid.", d.ReportName)
	case !slices.Contains([]string{"textORcsv GZIP", "textORcsv ZIP", "Parquet Parquet"}, pair):
		return refuse(http.StatusBadRequest, "ValidationException", "The format %s does not go with the compression %s.", d.Format, d.Compression)
	case !slices.Contains([]string{"HOURLY", "DAILY", "MONTHLY"}, d.TimeUnit):
		return refuse(http.StatusBadRequest, "ValidationException", "The time unit %q is not valid.", d.TimeUnit)
	case athena && (d.Format != "Parquet" || d.ReportVersioning != "OVERWRITE_REPORT" || len(d.AdditionalArtifacts) != 1):
		return refuse(http.StatusBadRequest, "ValidationException", "ATHENA needs the format Parquet and OVERWRITE_REPORT, alone.")
	}
	return nil
}

func (c *Cloud) newReport(account string, d reportDefinition) *report {
	r := &report{Definition: d}
	r.Run = export{ARN: c.reportARN(account, d.ReportName), Account: account, Created: c.opt.Now().UTC(), Revisions: map[string]int{}, Manifests: map[string]time.Time{}}
	to := &r.Run.Definition
	to.Name = d.ReportName
	at := &to.DestinationConfigurations.S3Destination
	at.S3Bucket, at.S3Prefix, at.S3Region = d.S3Bucket, d.S3Prefix, d.S3Region
	return r
}

// reportDestination tells what keeps a report from being written, "" for nothing.
func (c *Cloud) reportDestination(r *report) string {
	d := r.Definition
	b := c.state.Buckets[d.S3Bucket]
	if b == nil || b.Region != d.S3Region {
		return "Bucket " + d.S3Bucket + " does not exist in region " + d.S3Region
	}
	says := policySays(b.Policy, ask{
		action: "s3:PutObject", resource: c.bucketARN(b.Name) + "/" + r.Run.root() + "x", service: "billingreports.amazonaws.com",
		context: map[string]string{"aws:sourceaccount": r.Run.Account, "aws:sourcearn": r.Run.ARN, "aws:securetransport": "true"},
	})
	if says != allowed {
		return "Failed to verify customer bucket permission of " + d.S3Bucket
	}
	return ""
}

func (c *Cloud) deleteReport(k *call) (answer, *refusal) {
	if fail := c.atHome(k); fail != nil {
		return answer{}, fail
	}
	var in struct{ ReportName string }
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	arn := c.reportARN(k.Caller.Account, in.ReportName)
	if fail := c.need(k, "cur:DeleteReportDefinition", arn); fail != nil {
		return answer{}, fail
	}
	c.state.Reports = slices.DeleteFunc(c.state.Reports, func(r *report) bool { return r.Run.ARN == arn })
	return jsonAnswer(map[string]any{"ResponseMessage": "Deleted"}) // whether it was there or not
}

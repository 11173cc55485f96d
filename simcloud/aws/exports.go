package aws

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// export is a Data Exports export. There may be several of one name: AWS does not object (clouds.md §2.3).
type export struct {
	ARN        string
	Account    string
	Definition exportDefinition
	Tags       map[string]string
	Created    time.Time
	Updated    time.Time
	Refreshed  time.Time
	Executions []execution
	Reason     string               // why it is unhealthy for good, such as BILL_OWNER_CHANGED
	Hidden     int                  `json:",omitempty"` // reads that do not see it yet
	Revisions  map[string]int       // how often it was delivered, by period
	Manifests  map[string]time.Time // when its manifest was written, by period
	Through    map[string]time.Time // up to where its data reach, by period
	Deliveries int
	Foreign    bool // planted by a test: nobody may touch it
	Theirs     bool `json:",omitempty"` // set up by somebody else, and delivered to; nobody may touch it
}

// exportDefinition is the member Export of the API, both ways.
type exportDefinition struct {
	ExportArn                 string `json:",omitempty"`
	Name                      string
	Description               string `json:",omitempty"`
	DataQuery                 dataQuery
	DestinationConfigurations struct{ S3Destination s3Destination }
	RefreshCadence            struct{ Frequency string }
}

type dataQuery struct {
	QueryStatement      string
	TableConfigurations map[string]map[string]string `json:",omitempty"`
}

type s3Destination struct {
	S3Bucket, S3Prefix, S3Region string
	S3BucketOwner                string `json:",omitempty"`
	S3OutputConfigurations       struct{ OutputType, Format, Compression, Overwrite string }
}

type execution struct {
	ID      string
	Status  string
	Reason  string
	Created time.Time
}

func exportOperations() map[string]operation {
	return map[string]operation{
		"CreateExport":        {run: (*Cloud).createExport, changes: true},
		"UpdateExport":        {run: (*Cloud).updateExport, changes: true},
		"DeleteExport":        {run: (*Cloud).deleteExport, changes: true},
		"GetExport":           {run: (*Cloud).getExport},
		"ListExports":         {run: (*Cloud).listExports},
		"ListExecutions":      {run: (*Cloud).listExecutions},
		"GetExecution":        {run: (*Cloud).getExecution},
		"ListTables":          {run: (*Cloud).listTables},
		"GetTable":            {run: (*Cloud).getTable},
		"TagResource":         {run: (*Cloud).tagExport, changes: true},
		"UntagResource":       {run: (*Cloud).untagExport, changes: true},
		"ListTagsForResource": {run: (*Cloud).listExportTags},
	}
}

// exportRegion is where Data Exports lives in a partition (clouds.md §2.2).
func exportRegion(partition string) string {
	switch partition {
	case "aws-cn":
		return "cn-northwest-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	}
	return "us-east-1"
}

func (c *Cloud) exportARN(account, rest string) string {
	return "arn:" + c.opt.Partition + ":bcm-data-exports:" + exportRegion(c.opt.Partition) + ":" + account + ":" + rest
}

type resourceTag struct{ Key, Value string }

type createExportRequest struct {
	Export       exportDefinition
	ResourceTags []resourceTag
}

// createExport takes neither a client token nor offence at a name that exists.
func (c *Cloud) createExport(k *call) (answer, *refusal) {
	var in createExportRequest
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	d := in.Export
	table := tableOf(d.DataQuery.QueryStatement)
	if fail := c.mayCreate(k, table, len(in.ResourceTags) > 0); fail != nil {
		return answer{}, fail
	}
	if fail := d.check(table); fail != nil {
		return answer{}, fail
	}
	if n := c.countExports(k.Caller.Account, table); n >= c.opt.ExportQuota {
		return answer{}, refuse(http.StatusBadRequest, "ServiceQuotaExceededException", "You have reached the limit of %d exports of the table %s", c.opt.ExportQuota, table).
			with("QuotaCode", "L-5D1B2F5A").with("ServiceCode", "bcm-data-exports").with("ResourceType", "export")
	}
	e := &export{ARN: c.exportARN(k.Caller.Account, "export/"+d.Name+"-"+c.state.UUID()), Account: k.Caller.Account, Definition: d, Tags: map[string]string{}, Hidden: c.opt.ListLag, Revisions: map[string]int{}, Manifests: map[string]time.Time{}}
	if why := c.destination(e, true); why != "" {
		return answer{}, invalid("S3Bucket", "%s", why)
	}
	for _, t := range in.ResourceTags {
		e.Tags[t.Key] = t.Value
	}
	e.Definition.ExportArn = e.ARN
	e.Created = c.opt.Now().UTC().Truncate(time.Millisecond)
	e.Updated = e.Created
	c.state.Exports = append(c.state.Exports, e)
	return jsonAnswer(map[string]any{"ExportArn": e.ARN})
}

// mayCreate asks for the companion permission too: without cur:PutReportDefinition AWS refuses (clouds.md §2.3).
func (c *Cloud) mayCreate(k *call, table string, tagged bool) *refusal {
	account := k.Caller.Account
	for _, need := range []struct{ action, resource string }{
		{"bcm-data-exports:CreateExport", c.exportARN(account, "export/*")},
		{"bcm-data-exports:CreateExport", c.exportARN(account, "table/"+table)},
		{"cur:PutReportDefinition", "arn:" + c.opt.Partition + ":cur:" + exportRegion(c.opt.Partition) + ":" + account + ":definition/*"},
	} {
		if fail := c.need(k, need.action, need.resource); fail != nil {
			return fail
		}
	}
	if tagged {
		return c.need(k, "bcm-data-exports:TagResource", c.exportARN(account, "export/*"))
	}
	return nil
}

func (c *Cloud) countExports(account, table string) int {
	n := 0
	for _, e := range c.state.Exports {
		if e.Account == account && tableOf(e.Definition.DataQuery.QueryStatement) == table {
			n++
		}
	}
	return n
}

// invalid is a ValidationException about one field.
func invalid(field, format string, args ...any) *refusal {
	f := refuse(http.StatusBadRequest, "ValidationException", format, args...)
	return f.with("Reason", "fieldValidationFailed").with("Fields", []map[string]string{{"Name": field, "Message": f.message}})
}

var exportName = regexp.MustCompile(`^[0-9A-Za-z!\-_.*'()]{1,128}$`)

// check refuses a definition that AWS would not take, whatever the bucket says.
func (d exportDefinition) check(table string) *refusal {
	out := d.DestinationConfigurations.S3Destination.S3OutputConfigurations
	switch {
	case !exportName.MatchString(d.Name):
		return invalid("Name", "The export name %q is not valid.", d.Name)
	case out.Format+" "+out.Compression != "PARQUET PARQUET" && out.Format+" "+out.Compression != "TEXT_OR_CSV GZIP":
		return invalid("Compression", "The format %s does not go with the compression %s.", out.Format, out.Compression)
	case out.OutputType != "CUSTOM":
		return invalid("OutputType", "The output type %q is not valid.", out.OutputType)
	case out.Overwrite != "OVERWRITE_REPORT" && out.Overwrite != "CREATE_NEW_REPORT":
		return invalid("Overwrite", "The overwrite preference %q is not valid.", out.Overwrite)
	case d.RefreshCadence.Frequency != "SYNCHRONOUS":
		return invalid("Frequency", "The refresh frequency %q is not valid.", d.RefreshCadence.Frequency)
	}
	return d.DataQuery.check(table)
}

// destination tells what keeps an export from writing into its bucket, "" for nothing. A fresh policy may not be seen
// yet when an export is being created.
func (c *Cloud) destination(e *export, creating bool) string {
	d := e.Definition.DestinationConfigurations.S3Destination
	b := c.state.Buckets[d.S3Bucket]
	owner := orText(d.S3BucketOwner, e.Account)
	switch {
	case b == nil || b.Account != owner:
		return "S3 bucket " + d.S3Bucket + " does not exist or does not belong to account " + owner
	case b.Region != d.S3Region:
		return "S3 bucket " + d.S3Bucket + " is not in region " + d.S3Region
	}
	policy := b.Policy
	if creating && b.PolicyLag > 0 {
		b.PolicyLag--
		policy = b.PolicyBefore
	}
	says := policySays(policy, ask{
		action: "s3:PutObject", resource: c.bucketARN(b.Name) + "/" + e.root() + "data/x", service: "bcm-data-exports.amazonaws.com",
		context: map[string]string{"aws:sourceaccount": e.Account, "aws:sourcearn": e.ARN, "aws:securetransport": "true"},
	})
	if says != allowed {
		return "Data Exports lacks the permission s3:PutObject on S3 bucket " + d.S3Bucket + ". Check the bucket policy."
	}
	return ""
}

// root is where an export writes, with a slash at its end.
func (e *export) root() string {
	prefix := strings.Trim(e.Definition.DestinationConfigurations.S3Destination.S3Prefix, "/")
	if prefix != "" {
		prefix += "/"
	}
	return prefix + e.Definition.Name + "/"
}

// findExport finds an export of the caller's account by its ARN, and checks the permission.
func (c *Cloud) findExport(k *call, action, arn string) (*export, *refusal) {
	if fail := c.need(k, action, arn); fail != nil {
		return nil, fail
	}
	for _, e := range c.state.Exports {
		if e.ARN == arn && e.Account == k.Caller.Account && !c.hides(&e.Hidden) {
			return e, nil
		}
	}
	return nil, refuse(http.StatusBadRequest, "ResourceNotFoundException", "Export %s not found", arn).with("ResourceId", arn).with("ResourceType", "EXPORT")
}

func (c *Cloud) updateExport(k *call) (answer, *refusal) {
	var in struct {
		ExportArn string
		Export    exportDefinition
	}
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	e, fail := c.findExport(k, "bcm-data-exports:UpdateExport", in.ExportArn)
	if fail != nil {
		return answer{}, fail
	}
	was, table := e.Definition, tableOf(in.Export.DataQuery.QueryStatement)
	switch {
	case in.Export.Name != was.Name:
		return answer{}, invalid("Name", "The name of an export cannot be changed.")
	case table != tableOf(was.DataQuery.QueryStatement) || !sameSettings(in.Export.DataQuery.TableConfigurations, was.DataQuery.TableConfigurations):
		return answer{}, invalid("TableConfigurations", "The table and its configurations cannot be changed.")
	}
	if fail := in.Export.check(table); fail != nil {
		return answer{}, fail
	}
	next := *e
	next.Definition = in.Export
	if why := c.destination(&next, true); why != "" {
		return answer{}, invalid("S3Bucket", "%s", why)
	}
	in.Export.ExportArn = e.ARN
	e.Definition, e.Updated = in.Export, c.opt.Now().UTC().Truncate(time.Millisecond)
	return jsonAnswer(map[string]any{"ExportArn": e.ARN})
}

func sameSettings(a, b map[string]map[string]string) bool {
	return maps.EqualFunc(a, b, maps.Equal)
}

func (c *Cloud) deleteExport(k *call) (answer, *refusal) {
	var in struct{ ExportArn string }
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	e, fail := c.findExport(k, "bcm-data-exports:DeleteExport", in.ExportArn)
	if fail != nil {
		return answer{}, fail
	}
	c.state.Exports = slices.DeleteFunc(c.state.Exports, func(x *export) bool { return x == e })
	if c.opt.LateDelivery {
		c.state.Late = append(c.state.Late, e)
	}
	return jsonAnswer(map[string]any{"ExportArn": e.ARN})
}

// status is read from the bucket as it is now: a policy that was damaged shows at once.
func (c *Cloud) status(e *export) map[string]any {
	out := map[string]any{"StatusCode": "HEALTHY", "CreatedAt": wireTime(e.Created), "LastUpdatedAt": wireTime(e.Updated)}
	reason := e.Reason
	if reason == "" && c.destination(e, false) != "" {
		reason = "INSUFFICIENT_PERMISSION"
	}
	if reason != "" {
		out["StatusCode"], out["StatusReason"] = "UNHEALTHY", reason
	}
	if !e.Refreshed.IsZero() {
		out["LastRefreshedAt"] = wireTime(e.Refreshed)
	}
	return out
}

func (c *Cloud) getExport(k *call) (answer, *refusal) {
	var in struct{ ExportArn string }
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	e, fail := c.findExport(k, "bcm-data-exports:GetExport", in.ExportArn)
	if fail != nil {
		return answer{}, fail
	}
	return jsonAnswer(map[string]any{"Export": e.shown(), "ExportStatus": c.status(e)})
}

// shown is the definition as AWS gives it back: with the settings that were left at their defaults.
func (e *export) shown() exportDefinition {
	d := e.Definition
	table := tableOf(d.DataQuery.QueryStatement)
	config := map[string]string{}
	for _, p := range tableProperties(table) {
		config[p.Name] = p.Default
	}
	maps.Copy(config, d.DataQuery.TableConfigurations[table])
	d.DataQuery.TableConfigurations = map[string]map[string]string{table: config}
	return d
}

type pageRequest struct {
	NextToken  string
	MaxResults int
	ExportArn  string
}

func (c *Cloud) listExports(k *call) (answer, *refusal) {
	if fail := c.need(k, "bcm-data-exports:ListExports", "*"); fail != nil {
		return answer{}, fail
	}
	var in pageRequest
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	var all []*export
	for _, e := range c.state.Exports {
		if e.Account == k.Caller.Account && !c.hides(&e.Hidden) {
			all = append(all, e)
		}
	}
	page, next, fail := paged(all, in.NextToken, in.MaxResults, 100)
	if fail != nil {
		return answer{}, fail
	}
	list := []map[string]any{}
	for _, e := range page {
		list = append(list, map[string]any{"ExportArn": e.ARN, "ExportName": e.Definition.Name, "ExportStatus": c.status(e)})
	}
	return jsonAnswer(withNext(map[string]any{"Exports": list}, next))
}

func withNext(m map[string]any, next string) map[string]any {
	if next != "" {
		m["NextToken"] = next
	}
	return m
}

package google

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// job is one query. Its rows are in a table of their own, as BigQuery keeps results in an anonymous one.
type job struct {
	Project, Location, ID string
	request               string // requestId of jobs.query
	sql                   string
	dry                   bool
	columns               []column
	rows                  int64
	processed, billed     int64
	failed                *refusal
	created               time.Time
	looks                 int // looks that still find it running
	by                    string
}

func (j *job) key() string { return j.Project + ":" + j.Location + "." + j.ID }

// anonymous is the hidden dataset of query results.
const anonymous = "_simulated"

// results is the name of the anonymous table: dataset and table.
func (j *job) results() (dataset, table string) { return anonymous, "anon_" + j.ID }

func (j *job) physical() string { return quoted("results") + "." + quoted(j.key()) }

// queryBody is what jobs.query takes, and, inside configuration, what jobs.insert takes.
type queryBody struct {
	Query              string
	UseLegacySQL       *bool `json:"useLegacySql"`
	MaximumBytesBilled *json.Number
	DefaultDataset     struct{ ProjectID, DatasetID string }
	QueryParameters    []queryParameter
	DestinationTable   obj
	WriteDisposition   string

	// jobs.query only
	DryRun     bool
	Location   string
	MaxResults *int64
	RequestID  string
	Format     struct{ UseInt64Timestamp bool } `json:"formatOptions"`
}

type queryParameter struct {
	Name          string
	ParameterType struct {
		Type      string
		ArrayType struct{ Type string }
	}
	ParameterValue struct {
		Value       *string
		ArrayValues []struct{ Value *string }
	}
}

type jobBody struct {
	JobReference  struct{ ProjectID, JobID, Location string }
	Configuration struct {
		DryRun bool
		Query  *queryBody
	}
}

// newJob plans and runs a query. A refusal of the request itself comes back as such; what the query did wrong is in the job.
func (c *Cloud) newJob(k *call, p *project, in queryBody, id, location string) (*job, *refusal) {
	if in.UseLegacySQL == nil || *in.UseLegacySQL {
		return nil, refuse(http.StatusBadRequest, "invalid", "The simulated BigQuery knows GoogleSQL only; useLegacySql must be false.")
	}
	if len(in.DestinationTable) > 0 {
		return nil, refuse(http.StatusBadRequest, "invalid", "The simulated BigQuery does not write query results to tables.")
	}
	if fail := c.need(k, "bigquery.jobs.create", "projects/"+p.ID); fail != nil {
		return nil, fail
	}
	j := &job{Project: p.ID, ID: id, Location: location, sql: in.Query, dry: in.DryRun, request: in.RequestID, created: c.opt.Now().UTC(), looks: c.opt.JobLag, by: k.Caller.Email}
	if j.ID == "" {
		j.ID = "job_" + c.state.ID(24)
	}
	j.failed = c.runJob(k, j, in)
	j.Location = orText(j.Location, "US")
	k.job = j
	if j.dry {
		return j, nil
	}
	if c.jobs[j.key()] != nil {
		return nil, refuse(http.StatusConflict, "duplicate", "Already Exists: Job %s", j.key())
	}
	c.keep(j)
	return j, nil
}

// maxJobs bounds the results that are kept.
const maxJobs = 300

func (c *Cloud) keep(j *job) {
	c.jobs[j.key()], c.order = j, append(c.order, j.key())
	if len(c.order) <= maxJobs {
		return
	}
	old := c.jobs[c.order[0]]
	delete(c.jobs, c.order[0])
	c.order = slices.Clone(c.order[1:])
	if old.failed == nil {
		_ = c.exec(context.Background(), "DROP TABLE IF EXISTS "+old.physical()) // a leftover is dropped at the next start
	}
}

// runJob translates, checks, prices and runs.
func (c *Cloud) runJob(k *call, j *job, in queryBody) *refusal {
	params, fail := literals(in.QueryParameters)
	if fail != nil {
		return fail
	}
	reads := &reading{cloud: c, call: k, project: j.Project, fallback: in.DefaultDataset.DatasetID, location: j.Location}
	if p := in.DefaultDataset.ProjectID; p != "" {
		reads.project = p
	}
	t := &translation{resolve: reads.resolve, params: params, now: "TIMESTAMP " + sqlText(c.opt.Now().UTC().Format("2006-01-02 15:04:05.999999"))}
	duck, err := t.translate(in.Query)
	if reads.fail != nil {
		return reads.fail
	}
	if err != nil {
		return invalidQuery(err)
	}
	j.Location = orText(j.Location, orText(reads.location, "US"))
	j.processed, j.billed = reads.bytes(t.words)
	if j.columns, err = c.describe(context.Background(), duck); err != nil {
		return invalidQuery(err)
	}
	if err := named(j.columns); err != nil {
		return invalidQuery(err)
	}
	limit := int64(0)
	if in.MaximumBytesBilled != nil {
		limit, _ = strconv.ParseInt(strings.Trim(in.MaximumBytesBilled.String(), `"`), 10, 64) // not a number is no limit
	}
	if limit > 0 && j.billed > limit {
		billed := j.billed
		j.billed = 0
		return refuse(http.StatusBadRequest, "bytesBilledLimitExceeded", "Query exceeded limit for bytes billed: %d. %d or higher required.", limit, billed)
	}
	if j.dry {
		j.billed = 0
		return nil
	}
	return c.materialize(j, duck)
}

func (c *Cloud) materialize(j *job, duck string) *refusal {
	ctx := context.Background()
	err := c.exec(ctx, `CREATE SCHEMA IF NOT EXISTS "results"`, "CREATE OR REPLACE TABLE "+j.physical()+" AS SELECT * FROM ("+duck+"\n) AS q("+columnList(j.columns)+")")
	if err != nil {
		return invalidQuery(err)
	}
	if err := c.db.QueryRowContext(ctx, "SELECT count(*) FROM "+j.physical()).Scan(&j.rows); err != nil {
		return refuse(http.StatusServiceUnavailable, "backendError", "%s", err)
	}
	return nil
}

// plainName is what needs no quotes: any other name is an expression's, which BigQuery calls f0_, f1_ and so on.
var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// named gives columns without a name Google's; two of one name are refused, as BigQuery does.
func named(columns []column) error {
	seen := map[string]bool{}
	for i, c := range columns {
		if !plainName.MatchString(c.Name) {
			columns[i].Name = "f" + strconv.Itoa(i) + "_"
		}
		low := strings.ToLower(columns[i].Name)
		if seen[low] {
			return complain("Duplicate column names in the result are not supported. Found duplicate(s): %s", columns[i].Name)
		}
		seen[low] = true
	}
	return nil
}

func invalidQuery(err error) *refusal {
	f := refuse(http.StatusBadRequest, "invalidQuery", "%s", err)
	f.where = "query"
	return f
}

// reading resolves tables and remembers which were read.
type reading struct {
	cloud    *Cloud
	call     *call
	project  string
	fallback string // default dataset
	location string
	tables   []*table
	fail     *refusal
}

// resolve finds a table and checks location and permission. A dataset elsewhere is as good as none (clouds.md §4.5).
func (r *reading) resolve(name string) (string, error) {
	parts := strings.Split(name, ".")
	switch {
	case len(parts) == 1 && r.fallback != "":
		parts = []string{r.project, r.fallback, parts[0]}
	case len(parts) == 2:
		parts = append([]string{r.project}, parts...)
	case len(parts) == 1:
		r.fail = refuse(http.StatusBadRequest, "invalid", "Table \"%s\" must be qualified with a dataset (e.g. dataset.table).", name)
		return "", errors.New(r.fail.message)
	case len(parts) != 3:
		return "", complain("Invalid table name: `%s`", name)
	}
	text, fail := r.read(parts[0], parts[1], parts[2])
	if fail != nil {
		r.fail = fail
		return "", errors.New(fail.message)
	}
	return text, nil
}

func (r *reading) read(projectID, datasetID, tableID string) (string, *refusal) {
	c := r.cloud
	full := projectID + "." + datasetID
	d := c.state.Datasets[full]
	if d != nil && r.location == "" {
		r.location = d.Location
	}
	if d == nil || !strings.EqualFold(d.Location, r.location) {
		return "", refuse(http.StatusNotFound, "notFound", "Not found: Dataset %s:%s was not found in location %s", projectID, datasetID, orText(r.location, "US"))
	}
	if fail := c.need(r.call, "bigquery.tables.getData", "tables/"+full+"."+tableID); fail != nil {
		return "", fail
	}
	t := d.Tables[tableID]
	if t == nil {
		return "", refuse(http.StatusNotFound, "notFound", "Not found: Table %s:%s.%s was not found in location %s", projectID, datasetID, tableID, d.Location)
	}
	if !t.stored() {
		return "", refuse(http.StatusBadRequest, "invalid", "The simulated BigQuery holds no rows of %s.", tableID)
	}
	r.tables = append(r.tables, t)
	if t.Partition != "" {
		return physical(d, t), nil
	}
	if strings.Contains(r.call.sqlOf(), partitionTime) {
		return physical(d, t), nil
	}
	return "(SELECT * EXCLUDE (" + partitionTime + ") FROM " + physical(d, t) + ")", nil
}

// sqlOf is the statement in the body of a call.
func (k *call) sqlOf() string { return string(k.Body) }

// bytes prices a query: the columns that it mentions, ten mebibytes at least for each table, whole mebibytes.
func (r *reading) bytes(words map[string]bool) (processed, billed int64) {
	const mebi = 1 << 20
	for _, t := range r.tables {
		var width int64
		for _, col := range t.Columns {
			if words[strings.ToLower(col.Name)] {
				width += col.bytes()
			}
		}
		n := width * t.Rows
		processed += n
		billed += max(10*mebi, (n+mebi-1)/mebi*mebi)
	}
	return processed, billed
}

// literals turns query parameters into DuckDB literals.
func literals(params []queryParameter) (map[string]string, *refusal) {
	out := map[string]string{}
	for _, p := range params {
		if p.Name == "" {
			return nil, refuse(http.StatusBadRequest, "invalid", "The simulated BigQuery knows named parameters only.")
		}
		if p.ParameterType.Type == "ARRAY" {
			var items []string
			for _, v := range p.ParameterValue.ArrayValues {
				text, fail := oneLiteral(p.ParameterType.ArrayType.Type, v.Value)
				if fail != nil {
					return nil, fail
				}
				items = append(items, text)
			}
			out[p.Name] = "[" + strings.Join(items, ", ") + "]"
			continue
		}
		text, fail := oneLiteral(p.ParameterType.Type, p.ParameterValue.Value)
		if fail != nil {
			return nil, fail
		}
		out[p.Name] = text
	}
	return out, nil
}

func oneLiteral(google string, value *string) (string, *refusal) {
	typ, err := duckType(google)
	if err != nil {
		return "", refuse(http.StatusBadRequest, "invalid", "Invalid type of a query parameter: %s", google)
	}
	if value == nil {
		return "CAST(NULL AS " + typ + ")", nil
	}
	return "CAST(" + sqlText(*value) + " AS " + typ + ")", nil
}

// byLocation finds a job; in another location than its own it is not found.
func (c *Cloud) byLocation(project, location, id string) (*job, *refusal) {
	for _, key := range slices.Sorted(maps.Keys(c.jobs)) {
		j := c.jobs[key]
		if j.Project == project && j.ID == id && strings.EqualFold(j.Location, orText(location, j.Location)) {
			return j, nil
		}
	}
	return nil, refuse(http.StatusNotFound, "notFound", "Not found: Job %s:%s.%s", project, orText(location, "US"), id)
}

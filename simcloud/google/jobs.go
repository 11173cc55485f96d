package google

import (
	"net/http"
	"strconv"
	"strings"
)

func jobRoutes() []route {
	const all, one = "/bigquery/v2/projects/{p}/jobs", "/bigquery/v2/projects/{p}/jobs/{j}"
	return []route{
		on("bigquery.jobs.insert", "POST", all, (*Cloud).insertJob),
		on("bigquery.jobs.get", "GET", one, (*Cloud).getJob),
		on("bigquery.jobs.cancel", "POST", one+"/cancel", (*Cloud).cancelJob),
		on("bigquery.jobs.query", "POST", "/bigquery/v2/projects/{p}/queries", (*Cloud).query),
		on("bigquery.jobs.getQueryResults", "GET", "/bigquery/v2/projects/{p}/queries/{j}", (*Cloud).getQueryResults),
	}
}

// insertJob makes a job; what is wrong with its query is in the job, except that a dry run is refused at once.
func (c *Cloud) insertJob(k *call) (answer, *refusal) {
	var in jobBody
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	p, fail := c.bigQueryProject(k, "")
	if fail != nil {
		return answer{}, fail
	}
	if in.Configuration.Query == nil {
		return answer{}, refuse(http.StatusBadRequest, "invalid", "The simulated BigQuery runs query jobs only.")
	}
	q := *in.Configuration.Query
	q.DryRun = in.Configuration.DryRun
	j, fail := c.newJob(k, p, q, in.JobReference.JobID, canonicalOr(in.JobReference.Location))
	if fail != nil {
		return answer{}, fail
	}
	if j.dry && j.failed != nil {
		return answer{}, j.failed
	}
	return ok(j.wire(q))
}

func canonicalOr(location string) string {
	if location == "" {
		return ""
	}
	return canonical(location)
}

func (j *job) reference() obj {
	return obj{"projectId": j.Project, "jobId": j.ID, "location": j.Location}
}

func (j *job) state() string {
	if j.looks > 0 && !j.dry {
		return "RUNNING"
	}
	return "DONE"
}

// wire is a whole job.
func (j *job) wire(q queryBody) obj {
	dataset, table := j.results()
	query := obj{"query": q.Query, "useLegacySql": false, "destinationTable": obj{"projectId": j.Project, "datasetId": dataset, "tableId": table}}
	status := obj{"state": j.state()}
	if j.failed != nil && j.state() == "DONE" {
		e := obj{"reason": j.failed.code, "message": j.failed.message}
		if j.failed.where != "" {
			e["location"] = j.failed.where
		}
		status["errorResult"], status["errors"] = e, []any{e}
	}
	statistics := obj{"creationTime": millis(j.created), "startTime": millis(j.created), "totalBytesProcessed": text(j.processed)}
	statistics["query"] = obj{
		"totalBytesProcessed": text(j.processed), "totalBytesBilled": text(j.billed), "cacheHit": false, "statementType": "SELECT", "schema": obj{"fields": fields(j.columns)},
		"totalBytesProcessedAccuracy": "PRECISE",
	}
	if j.state() == "DONE" {
		statistics["endTime"] = millis(j.created)
	}
	return obj{
		"kind": "bigquery#job", "etag": "etag-" + j.ID, "id": j.key(), "jobReference": j.reference(), "user_email": j.by, "status": status, "statistics": statistics,
		"configuration": obj{"jobType": "QUERY", "dryRun": j.dry, "query": query},
	}
}

func text(n int64) string { return strconv.FormatInt(n, 10) }

func (c *Cloud) getJob(k *call) (answer, *refusal) {
	j, fail := c.jobOf(k)
	if fail != nil {
		return answer{}, fail
	}
	return ok(j.wire(queryBody{Query: j.sql}))
}

// jobOf finds the job in the path: the caller's own, or somebody's who may see all.
func (c *Cloud) jobOf(k *call) (*job, *refusal) {
	p, fail := c.bigQueryProject(k, "")
	if fail != nil {
		return nil, fail
	}
	j, fail := c.byLocation(p.ID, k.Query.Get("location"), k.parts[1])
	if fail != nil {
		return nil, fail
	}
	if j.by != k.Caller.Email {
		if fail := c.need(k, "bigquery.jobs.get", "projects/"+p.ID); fail != nil {
			return nil, fail
		}
	}
	j.looks = max(0, j.looks-1)
	return j, nil
}

func (c *Cloud) cancelJob(k *call) (answer, *refusal) {
	j, fail := c.jobOf(k)
	if fail != nil {
		return answer{}, fail
	}
	return ok(obj{"kind": "bigquery#jobCancelResponse", "job": j.wire(queryBody{Query: j.sql})})
}

// query is jobs.query: job and first page of results in one answer. The same requestId is the same job.
func (c *Cloud) query(k *call) (answer, *refusal) {
	var in queryBody
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	p, fail := c.bigQueryProject(k, "")
	if fail != nil {
		return answer{}, fail
	}
	j := c.byRequest(p.ID, in.RequestID)
	if j == nil {
		if j, fail = c.newJob(k, p, in, "", canonicalOr(in.Location)); fail != nil {
			return answer{}, fail
		}
	}
	if j.failed != nil {
		return answer{}, j.failed
	}
	out := obj{"kind": "bigquery#queryResponse", "jobReference": j.reference(), "schema": obj{"fields": fields(j.columns)}, "totalBytesProcessed": text(j.processed), "cacheHit": false, "totalBytesBilled": text(j.billed)}
	switch {
	case j.dry:
		out["jobComplete"] = true
		delete(out["jobReference"].(obj), "jobId") // a dry run leaves no job
		return ok(out)
	case j.state() == "RUNNING":
		return ok(obj{"kind": "bigquery#queryResponse", "jobReference": j.reference(), "jobComplete": false})
	}
	size := ""
	if in.MaxResults != nil {
		size = text(*in.MaxResults)
	}
	return c.page(j, out, size, "", in.Format.UseInt64Timestamp)
}

func (c *Cloud) byRequest(project, request string) *job {
	if request == "" {
		return nil
	}
	for _, j := range c.jobs {
		if j.Project == project && j.request == request {
			return j
		}
	}
	return nil
}

func (c *Cloud) getQueryResults(k *call) (answer, *refusal) {
	j, fail := c.jobOf(k)
	if fail != nil {
		return answer{}, fail
	}
	out := obj{"kind": "bigquery#getQueryResultsResponse", "jobReference": j.reference()}
	if j.state() == "RUNNING" {
		out["jobComplete"] = false
		return ok(out)
	}
	if j.failed != nil {
		return answer{}, j.failed
	}
	out["schema"], out["totalBytesProcessed"], out["cacheHit"] = obj{"fields": fields(j.columns)}, text(j.processed), false
	token := k.Query.Get("pageToken")
	if start := k.Query.Get("startIndex"); token == "" && start != "" {
		token = start
	}
	return c.page(j, out, k.Query.Get("maxResults"), token, k.Query.Get("formatOptions.useInt64Timestamp") == "true")
}

// page adds rows to an answer.
func (c *Cloud) page(j *job, out obj, size, token string, micros bool) (answer, *refusal) {
	n, start := int64(c.opt.PageRows), int64(0)
	if size != "" {
		v, err := strconv.ParseInt(size, 10, 64)
		if err != nil || v < 0 {
			return answer{}, refuse(http.StatusBadRequest, "invalid", "Invalid maxResults: %s", size)
		}
		n = min(n, v)
	}
	if token != "" {
		v, err := strconv.ParseInt(strings.TrimPrefix(token, "P"), 10, 64)
		if err != nil || v < 0 {
			return answer{}, refuse(http.StatusBadRequest, "invalid", "Invalid page token: %s", token)
		}
		start = v
	}
	rows, err := c.readRows(j, start, n, micros)
	if err != nil {
		return answer{}, refuse(http.StatusServiceUnavailable, "backendError", "%s", err)
	}
	out["jobComplete"], out["totalRows"], out["rows"] = true, text(j.rows), rows
	if next := start + int64(len(rows)); next < j.rows {
		out["pageToken"] = "P" + text(next)
	}
	return ok(out)
}

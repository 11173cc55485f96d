package google

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"outlay"

	"google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
)

// pageRows bounds a page of results; Google bounds its bytes as well.
const pageRows = 20000

// querier runs queries in one project, which pays for them, where the data are.
type querier struct {
	ses      session
	project  string
	location string
	cap      int64 // bytes that one query may be billed for
	poll     time.Duration
}

// maxQuery is how long Google lets a query run, so that one that nobody could cancel ends by itself.
const maxQuery = time.Hour

// answer is a query that is done: the columns, and the rows page by page.
type answer struct {
	q      querier
	job    string
	fields []*bigquery.TableFieldSchema
	page   []*bigquery.TableRow
	next   string
	read   int64 // bytes, out of tables rather than of BigQuery's cache
}

// run asks first what a query would read, which is free, and runs it only below the cap. What Google bills is counted
// once the query ran, whether its rows are read or not.
func (q querier) run(ctx context.Context, st statement, doing string) (*answer, error) {
	c := call{Action: "bigquery.jobs.create", Resource: "projects/" + q.project, Doing: doing}
	dry, err := q.insert(ctx, st, "")
	if err != nil {
		return nil, failure(err, c)
	}
	if dry.Statistics != nil && dry.Statistics.TotalBytesProcessed > q.cap {
		return nil, outlay.Errorf(outlay.CodeInvalid, capFix, "%s: the query would read %s, and the cap is %s", doing, gib(dry.Statistics.TotalBytesProcessed), gib(q.cap)).InField(fieldCap)
	}
	a := &answer{q: q, job: "outlay_" + strings.ToLower(rand.Text())}
	if err := a.start(ctx, st, c); err != nil {
		return nil, err
	}
	a.count(ctx)
	return a, nil
}

// start runs the query until its first page is there. The job's name is ours: one whose answer got lost is found again by
// it, rather than run and billed twice, and one that nobody waits for any more is cancelled.
func (a *answer) start(ctx context.Context, st statement, c call) error {
	job, err := a.q.insert(ctx, st, a.job)
	lost := failure(err, c)
	if e := outlay.AsError(lost); e != nil && (e.Outcome != outlay.Unknown || e.Code == outlay.CodeThrottled) {
		return lost
	}
	if err == nil && job.JobReference != nil && job.JobReference.Location != "" {
		a.q.location = job.JobReference.Location
	}
	err = a.wait(ctx)
	if lost != nil && isGone(err) {
		return lost
	}
	err = failure(err, c)
	if err != nil && outlay.CodeOf(err).Retryable() {
		a.cancel(ctx)
	}
	return err
}

// cancel ends a query that nobody waits for any more. That it was is not looked into: maxQuery ends it at the latest.
func (a *answer) cancel(ctx context.Context) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	put := a.q.ses.bigquery.Jobs.Cancel(a.q.project, a.job).Context(ctx)
	if a.q.location != "" {
		put = put.Location(a.q.location)
	}
	if out, err := put.Do(); err == nil && out.Job != nil {
		outlay.CountBilled(ctx, billed(out.Job))
	}
}

func gib(n int64) string { return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30)) }

// insert starts a query under a name; without one it asks what the query would read.
func (q querier) insert(ctx context.Context, st statement, name string) (*bigquery.Job, error) {
	standard := false
	config := &bigquery.JobConfigurationQuery{Query: st.sql, UseLegacySql: &standard, MaximumBytesBilled: q.cap}
	if len(st.params) > 0 {
		config.ParameterMode, config.QueryParameters = "NAMED", st.parameters()
	}
	out, err := q.ses.bigquery.Jobs.Insert(q.project, &bigquery.Job{
		JobReference:  &bigquery.JobReference{ProjectId: q.project, Location: q.location, JobId: name},
		Configuration: &bigquery.JobConfiguration{DryRun: name == "", Query: config, JobTimeoutMs: maxQuery.Milliseconds(), Labels: map[string]string{labelManaged: managedBy}},
	}).Context(ctx).Do()
	if err != nil {
		return nil, err
	}
	if out.Status != nil && out.Status.ErrorResult != nil {
		return nil, jobError(out.Status.ErrorResult)
	}
	return out, nil
}

// jobError is the failure of a job as if the call itself had failed.
func jobError(e *bigquery.ErrorProto) error {
	status := http.StatusBadRequest
	switch e.Reason {
	case "accessDenied", "quotaExceeded", "rateLimitExceeded", "jobRateLimitExceeded", "billingNotEnabled":
		status = http.StatusForbidden
	case "notFound":
		status = http.StatusNotFound
	case "backendError", "internalError", "jobBackendError", "jobInternalError", "tableUnavailable", "stopped":
		status = http.StatusServiceUnavailable
	}
	return &googleapi.Error{Code: status, Message: e.Message, Errors: []googleapi.ErrorItem{{Reason: e.Reason, Message: e.Message}}}
}

// wait gets the first page, as soon as there is one.
func (a *answer) wait(ctx context.Context) error {
	for {
		out, err := a.get(ctx, "")
		if err != nil {
			return err
		}
		if out.JobComplete {
			if out.Schema != nil {
				a.fields = out.Schema.Fields
			}
			a.page, a.next = out.Rows, out.PageToken
			if !out.CacheHit {
				a.read = out.TotalBytesProcessed
			}
			return nil
		}
		if err := pause(ctx, a.q.poll); err != nil {
			return err
		}
	}
}

func (a *answer) get(ctx context.Context, page string) (*bigquery.GetQueryResultsResponse, error) {
	get := a.q.ses.bigquery.Jobs.GetQueryResults(a.q.project, a.job).MaxResults(pageRows).TimeoutMs(10_000).FormatOptionsUseInt64Timestamp(true).Context(ctx)
	if a.q.location != "" {
		get = get.Location(a.q.location)
	}
	if page != "" {
		get = get.PageToken(page)
	}
	return get.Do()
}

// count asks what the query is billed for; an answer out of BigQuery's cache costs nothing. Where Google does not say, it
// is reckoned as Google does, in whole mebibytes and ten at least: a query that is paid for is not run again for that.
func (a *answer) count(ctx context.Context) {
	get := a.q.ses.bigquery.Jobs.Get(a.q.project, a.job).Context(ctx)
	if a.q.location != "" {
		get = get.Location(a.q.location)
	}
	const mebi = 1 << 20
	cost := max(10*mebi, (a.read+mebi-1)/mebi*mebi)
	if a.read == 0 {
		cost = 0
	}
	if job, err := get.Do(); err == nil {
		cost = billed(job)
	}
	outlay.CountBilled(ctx, cost)
}

// billed is what Google says that a job costs, in bytes.
func billed(job *bigquery.Job) int64 {
	if job.Statistics == nil || job.Statistics.Query == nil {
		return 0
	}
	return job.Statistics.Query.TotalBytesBilled
}

// rows yields each row as texts, nil for NULL, page by page. The slice is used again for the next row.
func (a *answer) rows(ctx context.Context, each func([]*string) error) error {
	row := make([]*string, len(a.fields))
	for {
		for _, r := range a.page {
			if r == nil || len(r.F) != len(a.fields) {
				return outlay.Errorf(outlay.CodeUnavailable, itself, "reading the answer of a query: a row has not the %d values that there are columns", len(a.fields))
			}
			for i, cell := range r.F {
				if cell == nil || a.fields[i] == nil {
					return outlay.Errorf(outlay.CodeUnavailable, itself, "reading the answer of a query: a value or a column is missing")
				}
				v, err := cellText(cell.V, a.fields[i].Type)
				if err != nil {
					return err
				}
				row[i] = v
			}
			if err := each(row); err != nil {
				return err
			}
		}
		if a.next == "" {
			return nil
		}
		out, err := a.get(ctx, a.next)
		if err != nil {
			return failure(err, call{Action: "bigquery.jobs.create", Resource: "projects/" + a.q.project, Doing: "reading the answer of a query"})
		}
		a.page, a.next = out.Rows, out.PageToken
	}
}

// cellText is one value of an answer. BigQuery writes all of them as texts, and times as microseconds.
func cellText(v any, kind string) (*string, error) {
	if v == nil {
		return nil, nil
	}
	s, ok := v.(string)
	if !ok {
		return nil, outlay.Errorf(outlay.CodeInternal, "", "a query's answer holds a value of type %T", v)
	}
	if kind != "TIMESTAMP" {
		return &s, nil
	}
	micros, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return nil, outlay.Errorf(outlay.CodeUnavailable, itself, "a query's answer holds a time that is none: %q", clip(s, 40))
	}
	text := timeText(time.UnixMicro(micros))
	return &text, nil
}

func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z") }

// all reads an answer of few rows.
func (a *answer) all(ctx context.Context) ([][]string, error) {
	var out [][]string
	err := a.rows(ctx, func(row []*string) error {
		if len(out) >= 100_000 {
			return errors.New("more months than there can be")
		}
		line := make([]string, len(row))
		for i, v := range row {
			if v != nil {
				line[i] = *v
			}
		}
		out = append(out, line)
		return nil
	})
	return out, err
}

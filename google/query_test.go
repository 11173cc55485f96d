package google

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"outlay"
	cloud "outlay/simcloud/google"

	"google.golang.org/api/bigquery/v2"
)

// roundTrip is a transport in one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// list is the token query's answer, or why there is none.
func (w *world) list(ctx context.Context) (out []outlay.Delivery, err error) {
	for d, err := range w.p.Deliveries(ctx, w.a, w.s) {
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// TestQueryIsCancelled ends a query at Google when nobody waits for it any more: it would be billed all the same. What the
// cancelled one cost is counted.
func TestQueryIsCancelled(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1, JobLag: 1 << 20})
	w.up()
	w.export(exportDetailed, 1)
	ctx, metered := outlay.WithMeter(t.Context())
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	inner := w.opts.Transport
	w.opts.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		if strings.Contains(r.URL.Path, "/queries/") {
			stop()
		}
		return inner.RoundTrip(r)
	})
	w.p = New(w.opts)
	_, err := w.list(ctx)
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeUnavailable || !strings.Contains(e.Message, "stopped before") {
		t.Errorf("a stopped look: %v", err)
	}
	if n := w.calls("bigquery.jobs.cancel"); n != 1 {
		t.Errorf("the query was cancelled %d times", n)
	}
	if n, bytes := metered(); n != 1 || bytes == 0 {
		t.Errorf("%d queries with %d bytes were counted", n, bytes)
	}
}

// TestLostQuery finds a query again whose answer to the start got lost, rather than running and paying it twice; one that
// never started is no query.
func TestLostQuery(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1, JobLag: 1})
	w.up()
	w.export(exportDetailed, 1)
	for kind, works := range map[cloud.FaultKind]bool{cloud.FailAfter: true, cloud.ResetAfter: true, cloud.FailBefore: false, cloud.ResetBefore: false} {
		w.p.forget()
		w.ClearRequests()
		w.Fault(cloud.Fault{Match: "jobs.insert", Skip: 1, Kind: kind}) // the first one asks what it would read
		ctx, metered := outlay.WithMeter(t.Context())
		list, err := w.list(ctx)
		n, _ := metered()
		if w.calls("bigquery.jobs.insert") != 2 || (err == nil) != works || (len(list) > 0) != works || (n == 1) != works {
			t.Errorf("%s: %d deliveries, %d starts, %d counted, %v", kind, len(list), w.calls("bigquery.jobs.insert"), n, err)
		}
		if err != nil && outlay.AsError(err).Code != outlay.CodeUnavailable {
			t.Errorf("%s: %v", kind, err)
		}
		w.ClearFaults()
	}
}

// TestMeterReckons goes on where Google does not say what a query cost: it is counted as its own price list has it.
func TestMeterReckons(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1})
	w.up()
	w.export(exportDetailed, 1)
	var cost [2]int64
	for i := range cost {
		w.p.forget()
		ctx, metered := outlay.WithMeter(t.Context())
		if _, err := w.list(ctx); err != nil {
			t.Fatal(err)
		}
		n, bytes := metered()
		if n != 1 {
			t.Errorf("%d queries were counted", n)
		}
		cost[i] = bytes
		w.Fault(cloud.Fault{Match: "jobs.get", Kind: cloud.AccessDenied, Times: -1})
	}
	if cost[0] == 0 || cost[0] != cost[1] {
		t.Errorf("Google says %d bytes, we reckon %d", cost[0], cost[1])
	}
}

// TestEmptyAnswers replaces each answer in turn by an empty one, as something between us and Google might give: whatever
// comes of it, nothing breaks down, and nothing that is there is taken for absent.
func TestEmptyAnswers(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1})
	w.up()
	w.export(exportDetailed, 1)
	w.s.Resources = append(w.s.Resources, w.observe(outlay.Look{}).Resources...)
	d := w.deliveries()[0]
	calls, empty := 0, 0
	inner := w.opts.Transport
	w.opts.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := inner.RoundTrip(r)
		if calls++; err == nil && calls == empty && resp.StatusCode == http.StatusOK {
			_ = resp.Body.Close()
			resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader("{}")), 2
			resp.Header.Del("Content-Length")
		}
		return resp, err
	})
	for {
		calls, empty = 0, empty+1
		w.p = New(w.opts)
		seen, err := w.p.Observe(t.Context(), w.a, w.s, whole())
		if err == nil {
			_, there := seen.Find(kindDataset, w.name())
			if _, unknown := seen.Unknown[string(kindDataset)]; !there && !unknown {
				t.Errorf("answer %d: the dataset is taken for absent", empty)
			}
		}
		_, _ = w.list(t.Context())
		_, _ = w.p.Fetch(t.Context(), w.a, w.s, d, t.TempDir())
		_, _ = w.p.Existing(t.Context(), w.a, nil)
		if calls < empty {
			break
		}
	}
	if empty < 25 {
		t.Errorf("only %d answers", empty)
	}
}

// FuzzAnswer reads damaged answers of queries: an error or rows of as many values as there are columns, and nothing else.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"jobComplete":true,"schema":{"fields":[{"name":"month","type":"STRING"},{"name":"newest","type":"TIMESTAMP"}]},"rows":[{"f":[{"v":"202611"},{"v":"1763294400000000"}]},{"f":[{"v":null},{"v":null}]}]}`))
	f.Add([]byte(`{"schema":{"fields":[null]},"rows":[null,{"f":[null]},{"f":[{"v":["x"]}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var out bigquery.GetQueryResultsResponse
		if json.Unmarshal(body, &out) != nil || out.Schema == nil {
			return
		}
		a := &answer{fields: out.Schema.Fields, page: out.Rows}
		rows, err := a.all(t.Context())
		for _, r := range rows {
			if len(r) != len(a.fields) {
				t.Errorf("%d values for %d columns", len(r), len(a.fields))
			}
			if _, _, err := (tableRef{Kind: exportFocus}).delivery(r, noonOf(t)); err == nil && len(r) != 4 {
				t.Errorf("%q was taken for a month", r)
			}
		}
		if err == nil && len(rows) != len(out.Rows) {
			t.Errorf("%d rows of %d", len(rows), len(out.Rows))
		}
	})
}

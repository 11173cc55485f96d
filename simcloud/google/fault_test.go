package google_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/bigquery/v2"
	"google.golang.org/api/option"

	"outlay/simcloud/google"
)

// rest is the generated client, which does not retry.
func (w *world) rest(c *clients) *bigquery.Service {
	w.t.Helper()
	return must[*bigquery.Service](w.t)(bigquery.NewService(w.t.Context(), option.WithEndpoint(w.url+"/bigquery/v2/"), option.WithTokenSource(c.tokens)))
}

// A fault before the effect leaves nothing, one after it leaves the dataset; the client sees a failure both times.
func TestFaultsBeforeAndAfterTheEffect(t *testing.T) {
	for _, kind := range google.FaultKinds() {
		made := strings.HasSuffix(string(kind), "after") || strings.HasPrefix(string(kind), "truncate") || kind == google.Garble || kind == google.Trickle
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t, google.Options{})
			bq := w.rest(w.as("outlay", "*"))
			if _, err := bq.Datasets.List(host).Do(); err != nil { // a token first
				t.Fatal(err)
			}
			w.ClearRequests()
			w.Fault(google.Fault{Match: "datasets.insert", Kind: kind})
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			in := &bigquery.Dataset{DatasetReference: &bigquery.DatasetReference{DatasetId: dataset}}
			if _, err := bq.Datasets.Insert(host, in).Context(ctx).Do(); err == nil {
				t.Fatal("the client saw no failure")
			}
			if got := len(w.Live()) == 1; got != made {
				t.Errorf("made is %v, want %v", got, made)
			}
			if log := w.Requests(); len(log) != 1 || log[0].Fault != kind || log[0].Operation != "bigquery.datasets.insert" {
				t.Errorf("the log is %+v", log)
			}
			if _, err := bq.Datasets.List(host).Do(); err != nil {
				t.Errorf("the fault did not end: %v", err)
			}
		})
	}
}

func TestWordsOfFaults(t *testing.T) {
	w := newWorld(t, google.Options{})
	c := w.as("outlay", "*")
	bq := w.rest(c)
	insert := func() error { _, err := bq.Datasets.List(host).Do(); return err }
	for kind, want := range map[google.FaultKind]struct {
		status int
		reason string
	}{
		google.Throttle: {403, "rateLimitExceeded"}, google.QuotaExceeded: {403, "quotaExceeded"}, google.UnavailableFirst: {503, "backendError"}, google.AccessDenied: {403, "accessDenied"},
		google.ServiceDisabled: {403, "accessNotConfigured"}, google.ExpiredToken: {401, "authError"},
	} {
		w.Fault(google.Fault{Match: "bigquery.datasets.list", Kind: kind})
		wantReason(t, insert(), want.status, want.reason)
	}
	w.Fault(google.Fault{Match: "projects.get", Kind: google.Throttle, RetryAfter: 7})
	_, err := c.projects.Projects.Get("projects/" + host).Do()
	wantReason(t, err, http.StatusTooManyRequests, "")
	w.Fault(google.Fault{Path: "/datasets", Skip: 1, Times: 2, Kind: google.Answer, Status: 409, Code: "duplicate", Message: "again"})
	for i, broken := range []bool{false, true, true, false} {
		if err := insert(); (err != nil) != broken {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

func TestRandomFaultsAreRepeatable(t *testing.T) {
	pattern := func() string {
		w := newWorld(t, google.Options{})
		bq := w.rest(w.as("outlay", "*"))
		if _, err := bq.Datasets.List(host).Do(); err != nil {
			t.Fatal(err)
		}
		w.ClearRequests()
		w.RandomFaults(0.25, 42, google.FailBefore, google.Throttle)
		for range 60 {
			_, _ = bq.Datasets.List(host).Do() // the log tells
		}
		var b strings.Builder
		for _, r := range w.Requests() {
			b.WriteString(string(r.Fault) + ",")
		}
		return b.String()
	}
	first := pattern()
	if n := 60 - strings.Count(first, ",,") - 1; n < 6 || n > 40 {
		t.Errorf("%d faults", n)
	}
	if again := pattern(); again != first {
		t.Errorf("the same seed gave\n%s\nand\n%s", first, again)
	}
}

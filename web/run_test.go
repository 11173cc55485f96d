package web

import (
	"bufio"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"outlay"
)

// TestRunPage shows why a run stopped and how to go on.
func TestRunPage(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	page := h.signIn(outlay.RoleAdmin).page("/runs/run_stopped")
	wants(t, page, `hx-sse:connect="/runs/run_stopped/events"`, "Stop and undo", "Try again", "The run stopped at “Make the export”", "export:Make", "the data export", "Add it to role/billing-provisioner", "Policy to add", "&#34;allow&#34;", "2 of 4 steps", "Check the credential", "1.2 s", "Make the export", "outlay billing watch run_stopped")
	other := h.signIn(outlay.RoleFinance).page("/runs/run_stopped")
	lacks(t, other, "Try again</button>", "Stop and undo")
	done := h.signIn(outlay.RoleAdmin).page("/runs/run_done")
	wants(t, done, "See the account", "Finished", "Everything is as planned.")
	lacks(t, done, "First costs appear within") // they are here already
}

// TestRunStream follows a run that changes: each change is a whole part, the end is named.
func TestRunStream(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	b := h.signIn(outlay.RoleAdmin)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.server.URL+"/runs/run_stopped/events", nil)
	h.must(err)
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := b.client.Do(req)
	h.must(err)
	defer func() { _ = res.Body.Close() }()
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" || res.Header.Get("Content-Encoding") != "" {
		t.Fatalf("%s, %s", got, res.Header.Get("Content-Encoding"))
	}
	lines := bufio.NewScanner(res.Body)
	next := func() string { // one event
		var b strings.Builder
		for lines.Scan() {
			if lines.Text() == "" {
				return b.String()
			}
			b.WriteString(lines.Text() + "\n")
		}
		return b.String()
	}
	wants(t, next(), "data: ", "The run stopped at", `  &#34;allow&#34;`)
	h.finish("run_stopped")
	last := ""
	for range 5 { // a change may be seen in parts
		if last = next(); strings.Contains(last, "Finished") {
			break
		}
	}
	wants(t, last, "Finished")
	lacks(t, last, "The run stopped")
	if end := next(); end != "event: done\ndata: done\n" {
		t.Errorf("the end is %q", end)
	}
}

// finish ends a run as the worker would.
func (h *house) finish(id string) {
	h.t.Helper()
	ctx := h.t.Context()
	h.must(h.store.ForOrg(ctx, h.org, func(tx outlay.Tx) error {
		o, err := tx.Operation(ctx, id)
		if err != nil {
			return err
		}
		steps, err := tx.Steps(ctx, id)
		if err != nil {
			return err
		}
		for _, s := range steps {
			s.State, s.StartedAt, s.EndedAt = outlay.StepDone, fixedNow(), fixedNow().Add(time.Second)
			if err := tx.PutStep(ctx, s, o.Fence); err != nil {
				return err
			}
		}
		o.Status, o.Problem, o.EndedAt = outlay.OpDone, nil, fixedNow()
		return tx.PutOperation(ctx, o)
	}))
}

// TestRunButtons tries again, undoes, and refuses both for a run that has ended.
func TestRunButtons(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	b := h.signIn(outlay.RoleAdmin)
	for _, verb := range []string{"resume", "undo"} {
		if a := b.post("/runs/run_done/"+verb, nil); a.status != http.StatusConflict || !strings.Contains(a.body, `id="errors"`) {
			t.Errorf("%s of a finished run: %d", verb, a.status)
		}
	}
	if a := b.post("/runs/run_stopped/resume", nil); a.header.Get("Location") != "/runs/run_stopped" {
		t.Errorf("try again: %d %s", a.status, a.body)
	}
	if a := b.post("/runs/run_stopped/undo", nil); !strings.HasPrefix(a.header.Get("Location"), "/runs/run_") || a.header.Get("Location") == "/runs/run_stopped" {
		t.Errorf("undo: %d %s", a.status, a.body)
	}
}

func TestDataHealthPage(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	wants(t, h.signIn(outlay.RoleFinance).page("/data-health"), "prod-hpc", "August 2026: the newest delivery was rejected", "October 2026: 3,412 charges, $61,377.92, restated from $61,204.18", "November 2026: 3,412 charges, $46,306.81, still arriving", "On time",
		"Rejected: prod-hpc, August 2026", "5 tries", "File 0.parquet has no column BilledCost.", "Restated: prod-hpc, October 2026", "+$173.74", "12 figures rounded", "x_Discounts")
}

// TestStreamError: a page is told to stop only by what will not pass; after anything else it asks again.
func TestStreamError(t *testing.T) {
	s := &site{Options: Options{Log: slog.New(slog.DiscardHandler)}}
	c := &call{r: httptest.NewRequest(http.MethodGet, "/runs/x/events", nil)}
	for want, errs := range map[string][]error{
		"event: done\ndata: failed\n\n": {outlay.Errorf(outlay.CodeForbidden, "", "no"), outlay.Errorf(outlay.CodeNotFound, "", "gone")},
		"retry: 1000\n\n":               {context.DeadlineExceeded, outlay.Errorf(outlay.CodeUnavailable, "", "the database is busy")},
	} {
		for _, err := range errs {
			if text, last := s.runMessage(c, runChange{err: err}, true); string(text) != want || !last {
				t.Errorf("%v: %q, last is %v", err, text, last)
			}
		}
	}
}

package google

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"outlay"
	cloud "outlay/simcloud/google"
)

// TestAccessRace has somebody write the access list between our look at it and our change: their entry stays, because
// the change goes under the etag of what was read, conditions and all.
func TestAccessRace(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	plan := w.plan(whole())
	for _, c := range plan.Changes[:2] {
		if err := w.apply(c); err != nil {
			t.Fatal(err)
		}
	}
	inner, patches := w.opts.Transport, 0
	w.opts.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		if strings.Contains(r.URL.Path, "/datasets/") && r.URL.Query().Get("accessPolicyVersion") != "3" {
			t.Errorf("%s %s: conditions of the access list would be lost", r.Method, r.URL)
		}
		if r.Method == http.MethodPatch {
			if patches++; patches == 1 {
				d, _ := w.live()
				w.SetAccess(hosting, w.name(), append(slices.Clone(d.Access), map[string]any{"role": "READER", "userByEmail": "auditor@northfield.example"})...)
			}
		}
		return inner.RoundTrip(r)
	})
	w.p = New(w.opts)
	if err := w.apply(plan.Changes[2]); err != nil {
		t.Fatal(err)
	}
	d, _ := w.live()
	for _, email := range []string{"auditor@northfield.example", w.email} {
		if !slices.ContainsFunc(d.Access, func(e map[string]any) bool { return e["role"] == "READER" && e["userByEmail"] == email }) {
			t.Errorf("%s is not in the list: %v", email, d.Access)
		}
	}
	if patches != 2 {
		t.Errorf("%d changes were sent", patches)
	}
}

// TestQueriesAreBounded gives every query, tried or run, the cap of its source and a time to end.
func TestQueriesAreBounded(t *testing.T) {
	w := newWorld(t, cloud.Options{FillTicks: 1})
	w.s.Spec.Fields[fieldCap] = "7"
	w.up()
	w.export(exportDetailed, 1)
	inner, jobs := w.opts.Transport, 0
	w.opts.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/jobs") {
			jobs++
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			for _, part := range []string{`"maximumBytesBilled":"7516192768"`, `"jobTimeoutMs":"3600000"`} {
				if !strings.Contains(string(body), part) {
					t.Errorf("a query goes without %s: %s", part, body)
				}
			}
		}
		return inner.RoundTrip(r)
	})
	w.p = New(w.opts)
	if _, err := w.p.Fetch(t.Context(), w.a, w.s, w.deliveries()[0], t.TempDir()); err != nil || jobs != 4 {
		t.Errorf("%d jobs: %v", jobs, err)
	}
}

// TestMatches refuses a month of which rows, newest export or sum are not what the token promised.
func TestMatches(t *testing.T) {
	d := outlay.Delivery{Period: "2026-10", Rows: 2, Ref: map[string]string{refNewest: "2026-10-06T00:00:00Z", refTotal: "12.5"}}
	row := func(at, cost string) []*string { return []*string{&at, &cost, &cost} }
	for name, c := range map[string]struct {
		rows [][]*string
		same bool
	}{
		"as promised":  {[][]*string{row("2026-10-06T00:00:00Z", "10"), row("2026-10-05T00:00:00Z", "2.5")}, true},
		"another sum":  {[][]*string{row("2026-10-06T00:00:00Z", "10"), row("2026-10-05T00:00:00Z", "2.500000001")}, false},
		"a newer row":  {[][]*string{row("2026-10-06T00:00:00.5Z", "10"), row("2026-10-05T00:00:00Z", "2.5")}, false},
		"an older one": {[][]*string{row("2026-10-05T00:00:00Z", "10"), row("2026-10-05T00:00:00Z", "2.5")}, false},
		"one row":      {[][]*string{row("2026-10-06T00:00:00Z", "12.5")}, false},
		"nothing":      {nil, false},
	} {
		got := &checker{exported: 0, cost: 1, credit: 2}
		for _, r := range c.rows {
			if err := got.add(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := got.matches(d); (err == nil) != c.same || err != nil && outlay.CodeOf(err) != outlay.CodeConflict {
			t.Errorf("%s: %v", name, err)
		}
	}
}

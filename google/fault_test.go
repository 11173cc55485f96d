package google

import (
	"context"
	"strings"
	"testing"
	"time"

	"outlay"
	cloud "outlay/simcloud/google"
)

// TestFaults puts refusals that only Google words so, and an answer that never comes although the call had its effect, into
// every call of a look, of the way up, of reading and of the way down, once; the faults of any cloud are in the table of
// provision. Each must end as an error with words and the right outcome, or as an unknown part, never as absence or success; and the same
// step done again must work (reliability.md T3).
func TestFaults(t *testing.T) {
	for _, kind := range []cloud.FaultKind{cloud.Throttle, cloud.QuotaExceeded, cloud.AccessDenied, cloud.ServiceDisabled, cloud.HangAfter} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, cloud.Options{FillTicks: 1, SlowEnable: 1})
			if kind == cloud.HangAfter {
				w.opts.Answer = 500 * time.Millisecond
				w.p = New(w.opts)
			}
			ctx := context.Background()
			try := func(operation string, step func() error) {
				t.Helper()
				w.Fault(cloud.Fault{Match: operation, Kind: kind})
				err := step()
				w.ClearFaults()
				judge(t, operation, kind, err)
				if err := step(); err != nil {
					t.Errorf("%s again: %v", operation, err)
				}
			}
			look := func() error {
				seen, err := w.p.Observe(ctx, w.a, w.s, whole())
				if err != nil {
					return err
				}
				for _, why := range seen.Unknown {
					return outlay.Errorf(outlay.CodeUnavailable, "", "unknown: %s", why)
				}
				for _, p := range seen.Permissions {
					if p.State == outlay.PermissionUnknown {
						return outlay.Errorf(outlay.CodeUnavailable, "", "not tested: %s", p.Action)
					}
				}
				return nil
			}
			w.plan(whole())
			for _, op := range []string{"projects.get", "projects.getBillingInfo", "billingAccounts.projects.list", "services.batchGet", "cloudresourcemanager.projects.testIamPermissions", "cloudbilling.billingAccounts.testIamPermissions"} {
				try(op, look)
			}
			plan := w.plan(whole())
			for i, op := range []string{"services.batchEnable", "datasets.insert", "datasets.patch"} {
				c := plan.Changes[i]
				try(op, func() error { return orThere(w, c) })
			}
			w.export(exportDetailed, 1)
			for _, op := range []string{"datasets.get", "tables.list", "tables.get", "tables.testIamPermissions"} {
				try(op, look)
			}
			list := func() error {
				for _, err := range w.p.Deliveries(ctx, w.a, w.s) {
					if err != nil {
						return err
					}
				}
				return nil
			}
			for _, op := range []string{"jobs.insert", "jobs.getQueryResults", "jobs.get"} {
				try(op, func() error { w.p.forget(); return list() })
			}
			d := w.deliveries()[0]
			for _, op := range []string{"jobs.insert", "jobs.getQueryResults", "jobs.get"} {
				try(op, func() error { _, err := w.p.Fetch(ctx, w.a, w.s, d, t.TempDir()); return err })
			}
			plan = w.down(outlay.DeleteCostFiles)
			for i, op := range []string{"tables.delete", "datasets.delete"} {
				c := plan.Changes[i+1]
				try(op, func() error { _, err := w.p.Apply(ctx, w.a, w.s, c); return err })
			}
		})
	}
}

// orThere applies a create as the engine does: 'exists already' after a lost answer is looked into, not made again.
func orThere(w *world, c outlay.Change) error {
	err := w.apply(c)
	if outlay.CodeOf(err) != outlay.CodeConflict || c.Action != outlay.ActionCreate {
		return err
	}
	if d, ok := w.observe(outlay.Look{}).Find(kindDataset, c.Name); !ok || d.State == outlay.StateForeign {
		return err
	}
	w.s.Resources[len(w.s.Resources)-1].State = outlay.StateCreated
	return nil
}

// judge holds the error of a fault against what the fault allows.
func judge(t *testing.T, operation string, kind cloud.FaultKind, err error) {
	t.Helper()
	if err == nil {
		switch {
		case kind == cloud.HangAfter, operation == "jobs.get":
			return // the call was seen to have worked; what a query cost is reckoned where Google does not say
		case kind == cloud.Throttle && !changes(operation):
			return // a read is repeated
		}
		t.Errorf("%s: the fault had no effect", operation)
		return
	}
	e := outlay.AsError(err)
	if e.Code == outlay.CodeInternal || e.Message == "" || strings.Contains(e.Message, "googleapi:") {
		t.Errorf("%s: %s %q (%v)", operation, e.Code, e.Message, err)
	}
	if strings.HasPrefix(e.Message, "unknown: ") || strings.HasPrefix(e.Message, "not tested: ") {
		return
	}
	if kind == cloud.HangAfter && e.Outcome == outlay.DefinitelyNot && e.Code != outlay.CodeConflict {
		t.Errorf("%s: the outcome is not known, but %q says that nothing happened", operation, e.Message)
	}
}

// TestReadsAreRepeated sends a read again that Google could not answer, three times in all, and a change once.
func TestReadsAreRepeated(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.SetService(hosting, servBigQ, true)
	plan := w.plan(whole())
	for times, works := range map[int]bool{2: true, 3: false} {
		w.ClearRequests()
		w.Fault(cloud.Fault{Match: "projects.getBillingInfo", Kind: cloud.UnavailableFirst, Times: times})
		if seen := w.observe(whole()); (seen.Unknown["billing"] == "") != works || w.calls("cloudbilling.projects.getBillingInfo") != 3 {
			t.Errorf("%d times unavailable: %v after %d calls", times, seen.Unknown, w.calls("cloudbilling.projects.getBillingInfo"))
		}
		w.ClearFaults()
	}
	w.Fault(cloud.Fault{Match: "datasets.insert", Kind: cloud.FailAfter})
	if err := w.apply(plan.Changes[1]); outlay.AsError(err).Outcome != outlay.Unknown || w.calls("bigquery.datasets.insert") != 1 {
		t.Errorf("a change whose outcome is not known: %v after %d calls", err, w.calls("bigquery.datasets.insert"))
	}
}

// changes tells whether an operation is sent as something else than GET.
func changes(operation string) bool {
	for _, verb := range []string{"insert", "patch", "delete", "batchEnable", "testIamPermissions"} {
		if strings.HasSuffix(operation, "."+verb) {
			return true
		}
	}
	return false
}

// forget empties what is remembered of tables.
func (p *Provider) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.known)
}

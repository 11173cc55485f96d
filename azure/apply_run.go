package azure

import (
	"context"
	"time"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3"
)

// assignmentsOf limits a list of role assignments.
func assignmentsOf(filter string) *armauthorization.RoleAssignmentsClientListForResourceOptions {
	return &armauthorization.RoleAssignmentsClientListForResourceOptions{Filter: &filter}
}

// clockSkew is how much earlier than our own clock Azure's may put a run.
const clockSkew = time.Minute

// ourRuns reads the runs of the source's export; one that is gone or not ours stops the change.
func (w *applier) ourRuns(ctx context.Context, name string) ([]run, outlay.Resource, error) {
	e, found, err := w.p.findExport(ctx, w.ses, w.s, w.n.Scope, name)
	switch {
	case err != nil:
		return nil, outlay.Resource{}, err
	case !found:
		return nil, outlay.Resource{}, goneMeanwhile("export", name)
	case e.resource.State == outlay.StateForeign:
		return nil, outlay.Resource{}, notOurs("export", name)
	}
	runs, err := w.ses.history(ctx, w.n.Scope, name)
	return runs, e.resource, err
}

// firstRun asks for the first run of every export that did not run yet: a run has no name that a repeat could be known
// by, so that the history says it (clouds.md §3.3 step 8).
func (w *applier) firstRun(ctx context.Context) (outlay.Resource, error) {
	done := outlay.Resource{State: outlay.StateCreated, Properties: map[string]string{propLastRun: "Queued"}}
	for _, row := range w.s.Resources {
		if row.Kind != kindExport || !stands(row) {
			continue
		}
		runs, live, err := w.ourRuns(ctx, row.Name)
		if err != nil {
			return outlay.Resource{}, err
		}
		if done.Owner = live.Owner; len(runs) > 0 {
			continue
		}
		if err := w.execute(ctx, row.Name, nil); err != nil {
			return outlay.Resource{}, err
		}
	}
	if done.Owner == nil {
		return outlay.Resource{}, goneMeanwhile("export", w.c.Name)
	}
	return done, nil
}

// runMonth asks for a whole past month once more, one run at a time per export: a run that was asked for since the
// plan was made is the one, and another that is under way is waited for.
func (w *applier) runMonth(ctx context.Context) (outlay.Resource, error) {
	month, name, asked, ok := parseBackfill(w.c.Name)
	if !ok {
		return outlay.Resource{}, w.impossible()
	}
	done := outlay.Resource{State: outlay.StateCreated, Origin: outlay.PreExisting, ProviderID: exportID(w.n.Scope, name), Properties: map[string]string{"from": w.c.To["from"]}}
	limited, cancel := withMargin(ctx)
	defer cancel()
	for {
		runs, _, err := w.ourRuns(ctx, name)
		if err != nil {
			return outlay.Resource{}, err
		}
		busy := false
		for _, r := range runs {
			if covers(r, month) && !r.scheduled && !r.submitted.Before(asked.Add(-clockSkew)) {
				return done, nil
			}
			busy = busy || !r.finished() && w.p.opts.Clock.Now().Sub(r.submitted) < staleRun
		}
		// After an attempt with an unknown outcome, its run may not be in the history yet.
		unsure := w.p.opts.Clock.Now().Before(w.row().NotBefore)
		if !busy && !unsure {
			break
		}
		if w.p.pause(limited, 0) != nil {
			return outlay.Resource{}, &outlay.Error{
				Code: outlay.CodeUnavailable, Outcome: outlay.DefinitelyNot, RetryAfter: 12 * w.p.opts.Poll, Message: "the export " + name + " is busy with another run", Fix: byItself,
			}
		}
	}
	period := armcostmanagement.ExportTimePeriod{From: to(month), To: to(month.AddDate(0, 1, -1))}
	return done, w.execute(ctx, name, &period)
}

// staleRun is after what time a run that never ended no longer holds up others.
const staleRun = 6 * time.Hour

// execute asks for a run. Azure answers 202 where the SDK expects 200.
func (w *applier) execute(ctx context.Context, name string, period *armcostmanagement.ExportTimePeriod) error {
	client, err := w.ses.once().exports()
	if err != nil {
		return err
	}
	var opts armcostmanagement.ExportsClientExecuteOptions
	if period != nil {
		opts.Parameters = &armcostmanagement.ExportRunRequest{TimePeriod: period}
	}
	_, err = client.Execute(ctx, w.n.Scope, name, &opts)
	if accepted(err) {
		return nil
	}
	return failure(err, exportCall(actExportRun, w.n.Scope, "running the export"))
}

package api

import (
	"context"
	"net/http"

	"outlay"
	"outlay/control"
)

type existingBody struct {
	ByID
	Body struct {
		Fields map[string]string `json:"fields,omitempty" doc:"what the provider asks for before it can list (importFields)"`
	}
}

type importExportBody struct {
	ByID
	Body struct {
		Existing string            `json:"existing" doc:"the provider's own id of the export, as listed"`
		Fields   map[string]string `json:"fields,omitempty" doc:"the same as for the list"`
	}
}

type stopBody struct {
	ByID
	Body struct {
		Confirm       string `json:"confirm" doc:"the source's name"`
		RemoveHistory bool   `json:"removeHistory,omitempty" doc:"also remove loaded history"`
	}
}

type abandonBody struct {
	ByID
	Body struct {
		Confirm string `json:"confirm" doc:"the account's name"`
	}
}

type repairBody struct {
	ByID
	IdemKey string `header:"Idempotency-Key"`
	Body    struct {
		PlanHash string `json:"planHash,omitempty" doc:"hash that the comparison showed; empty takes the plan of this moment"`
	}
}

// existing are the operations on exports that stand already, and on set-ups that are not as planned or given up.
func (s *service) existing() {
	c := s.Control
	add(s, route{http.MethodPost, "/accounts/{id}/billing/existing", "list-existing", outlay.BillingPlan, "Existing exports that the account's credential can see", 0},
		func(ctx context.Context, a outlay.Actor, in *existingBody) (*body[[]control.ExistingView], error) {
			return ok(c.ListExisting(ctx, a, in.ID, in.Body.Fields))
		})
	add(s, route{http.MethodPost, "/accounts/{id}/billing/import", "import-export", outlay.BillingProvision, "Read an existing export; it is never changed, never destroyed", http.StatusCreated},
		func(ctx context.Context, a outlay.Actor, in *importExportBody) (*body[control.SourceView], error) {
			return ok(c.ImportExport(ctx, a, control.ImportExportRequest{AccountID: in.ID, ExistingID: in.Body.Existing, Fields: in.Body.Fields}))
		})
	add(s, route{http.MethodGet, "/sources/{id}/stop", "plan-stop-reading", outlay.BillingPlan, "What stops when an imported export is not read any more", 0},
		func(ctx context.Context, a outlay.Actor, in *ByID) (*body[control.StopReadingView], error) {
			return ok(c.PlanStopReading(ctx, a, in.ID))
		})
	add(s, route{http.MethodPost, "/sources/{id}/stop", "stop-reading", outlay.BillingDeprovision, "Stop reading an imported export; the export stays as it is", http.StatusNoContent},
		func(ctx context.Context, a outlay.Actor, in *stopBody) (*empty, error) {
			return done(c.StopReading(ctx, a, control.StopReadingRequest{SourceID: in.ID, RemoveHistory: in.Body.RemoveHistory, Confirm: in.Body.Confirm}))
		})
	add(s, route{http.MethodGet, "/accounts/{id}/billing/abandon", "plan-abandon", outlay.BillingPlan, "What would stay behind if the set-up were given up", 0},
		func(ctx context.Context, a outlay.Actor, in *ByID) (*body[control.AbandonView], error) {
			return ok(c.PlanAbandon(ctx, a, in.ID))
		})
	add(s, route{http.MethodPost, "/accounts/{id}/billing/abandon", "abandon-billing", outlay.BillingDeprovision, "Give a set-up up without touching the provider", 0},
		func(ctx context.Context, a outlay.Actor, in *abandonBody) (*body[control.AbandonView], error) {
			return ok(c.Abandon(ctx, a, control.AbandonRequest{AccountID: in.ID, Confirm: in.Body.Confirm}))
		})
	add(s, route{http.MethodGet, "/accounts/{id}/billing/drift", "get-drift", outlay.BillingPlan, "What is not as planned, setting by setting; looks at the provider now", 0},
		func(ctx context.Context, a outlay.Actor, in *ByID) (*body[control.DriftView], error) {
			return ok(c.Drift(ctx, a, in.ID))
		})
	add(s, route{http.MethodPost, "/accounts/{id}/billing/repair", "repair-billing", outlay.BillingProvision, "Make the set-up as it was planned again", http.StatusAccepted},
		func(ctx context.Context, a outlay.Actor, in *repairBody) (*body[control.RunView], error) {
			return started(c.Repair(ctx, a, in.ID, in.Body.PlanHash, in.IdemKey))
		})
}

package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"outlay"
	"outlay/control"
)

type planBody struct {
	ByID
	Body outlay.Spec
}

type provisionBody struct {
	ByID
	IdemKey string `header:"Idempotency-Key"`
	Body    struct {
		outlay.Spec
		PlanHash string `json:"planHash,omitempty" doc:"hash of the plan that was shown; empty takes the plan of this moment"`
	}
}

type deprovisionBody struct {
	ByID
	IdemKey string `header:"Idempotency-Key"`
	Body    struct {
		CostFiles     outlay.CostFiles `json:"costFiles" enum:"keep,delete" doc:"what happens to the delivered cost files; no default"`
		RemoveHistory bool             `json:"removeHistory,omitempty" doc:"also remove loaded history"`
		Confirm       string           `json:"confirm" doc:"the account's name"`
		PlanHash      string           `json:"planHash,omitempty"`
	}
}

type deleteKeptBody struct {
	ByID
	IdemKey string `header:"Idempotency-Key"`
	Body    struct {
		RemoveHistory bool   `json:"removeHistory,omitempty" doc:"also remove loaded history"`
		Confirm       string `json:"confirm" doc:"the account's name"`
		PlanHash      string `json:"planHash,omitempty" doc:"hash of the plan that was shown; empty takes the plan of this moment"`
	}
}

type backfillBody struct {
	ByID
	IdemKey string `header:"Idempotency-Key"`
	Body    struct {
		From outlay.Period `json:"from" doc:"first month, 2026-08"`
	}
}

func (s *service) billing() {
	c := s.Control
	add(s, route{http.MethodPost, "/accounts/{id}/billing/plan", "plan-billing", outlay.BillingPlan, "What provisioning would change; changes nothing", 0},
		func(ctx context.Context, a outlay.Actor, in *planBody) (*body[control.PlanView], error) {
			return ok(c.Plan(ctx, a, control.PlanRequest{AccountID: in.ID, Spec: in.Body}))
		})
	add(s, route{http.MethodPost, "/accounts/{id}/billing/provision", "provision-billing", outlay.BillingProvision, "Provision billing", http.StatusAccepted},
		func(ctx context.Context, a outlay.Actor, in *provisionBody) (*body[control.RunView], error) {
			return started(c.Provision(ctx, a, control.ProvisionRequest{AccountID: in.ID, Spec: in.Body.Spec, PlanHash: in.Body.PlanHash, IdemKey: in.IdemKey}))
		})
	add(s, route{http.MethodPost, "/accounts/{id}/billing/deprovision-plan", "plan-deprovision", outlay.BillingPlan, "What deprovisioning would remove, and who loses what", 0},
		func(ctx context.Context, a outlay.Actor, in *ByID) (*body[control.DeprovisionView], error) {
			return ok(c.PlanDeprovision(ctx, a, in.ID))
		})
	add(s, route{http.MethodPost, "/accounts/{id}/billing/deprovision", "deprovision-billing", outlay.BillingDeprovision, "Deprovision billing", http.StatusAccepted},
		func(ctx context.Context, a outlay.Actor, in *deprovisionBody) (*body[control.RunView], error) {
			b := in.Body
			return started(c.Deprovision(ctx, a, control.DeprovisionRequest{AccountID: in.ID, CostFiles: b.CostFiles, RemoveHistory: b.RemoveHistory, Confirm: b.Confirm, PlanHash: b.PlanHash, IdemKey: in.IdemKey}))
		})
	s.kept()
	add(s, route{http.MethodPost, "/accounts/{id}/billing/backfill", "backfill-tags", outlay.BillingProvision, "Ask for today's tags in past months", http.StatusAccepted},
		func(ctx context.Context, a outlay.Actor, in *backfillBody) (*body[control.RunView], error) {
			return started(c.Backfill(ctx, a, control.BackfillRequest{AccountID: in.ID, From: in.Body.From, IdemKey: in.IdemKey}))
		})
	add(s, route{http.MethodGet, "/runs", "list-runs", outlay.RunsRead, "Runs, newest first", 0},
		func(ctx context.Context, a outlay.Actor, in *struct {
			Account string `query:"account" doc:"id or name"`
		}) (*body[[]control.RunView], error) {
			return ok(c.Runs(ctx, a, in.Account))
		})
	add(s, route{http.MethodGet, "/runs/{id}", "get-run", outlay.RunsRead, "One run with its steps", 0},
		func(ctx context.Context, a outlay.Actor, in *ByID) (*body[control.RunView], error) {
			return ok(c.Run(ctx, a, in.ID))
		})
	add(s, route{http.MethodPost, "/runs/{id}/resume", "resume-run", outlay.BillingProvision, "Try a waiting run again from the step where it stopped", http.StatusAccepted},
		func(ctx context.Context, a outlay.Actor, in *ByID) (*body[control.RunView], error) {
			return started(c.Resume(ctx, a, in.ID))
		})
	add(s, route{http.MethodPost, "/runs/{id}/undo", "undo-run", outlay.BillingDeprovision, "Remove what a stopped run made", http.StatusAccepted},
		func(ctx context.Context, a outlay.Actor, in *ByID) (*body[control.RunView], error) {
			return started(c.Undo(ctx, a, in.ID))
		})
	add(s, route{http.MethodGet, "/runs/{id}/events", "watch-run", outlay.RunsRead, "A run as server-sent events, until it ends", 0}, s.watchRun)
}

// kept are the operations on what a deprovisioning kept. Its id is the removed source's, or the account's where only one
// of its removed set-ups left anything.
func (s *service) kept() {
	c := s.Control
	add(s, route{http.MethodPost, "/sources/{id}/kept/delete-plan", "plan-delete-kept", outlay.BillingPlan, "What deleting the files that a deprovisioning kept would remove", 0},
		func(ctx context.Context, a outlay.Actor, in *ByID) (*body[control.DeprovisionView], error) {
			return ok(c.PlanDeleteKept(ctx, a, in.ID))
		})
	add(s, route{http.MethodPost, "/sources/{id}/kept/delete", "delete-kept", outlay.BillingDeprovision, "Delete what a deprovisioning kept", http.StatusAccepted},
		func(ctx context.Context, a outlay.Actor, in *deleteKeptBody) (*body[control.RunView], error) {
			b := in.Body
			return started(c.DeleteKept(ctx, a, control.DeleteKeptRequest{SourceID: in.ID, RemoveHistory: b.RemoveHistory, Confirm: b.Confirm, PlanHash: b.PlanHash, IdemKey: in.IdemKey}))
		})
}

func started(v control.RunView, err error) (*body[control.RunView], error) {
	out, err := ok(v, err)
	if err == nil {
		out.Location = Prefix + "/runs/" + v.ID
	}
	return out, err
}

// watchRun streams a run. Each event carries the whole run, so a client that reconnects misses nothing.
func (s *service) watchRun(ctx context.Context, a outlay.Actor, in *ByID) (*huma.StreamResponse, error) {
	if _, err := s.Control.Run(ctx, a, in.ID); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "text/event-stream")
		hc.SetHeader("Cache-Control", "no-store")
		w := hc.BodyWriter()
		n := 0
		for v, err := range s.Control.WatchRun(hc.Context(), a, in.ID) {
			if err != nil {
				return
			}
			b, err := json.Marshal(v)
			if err != nil {
				return
			}
			n++
			if _, err := fmt.Fprintf(w, "id: %d\nevent: run\ndata: %s\n\n", n, b); err != nil {
				return
			}
			if f, ok := w.(http.Flusher); ok {
				f.Flush()
			}
		}
	}}, nil
}

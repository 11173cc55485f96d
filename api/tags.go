package api

import (
	"context"
	"net/http"

	"outlay"
	"outlay/control"
)

type tagsQuery struct {
	Range string `query:"range" doc:"mtd (default) or last-month: of which charges the shares are"`
}

type labelsBody struct {
	Body struct {
		Provider outlay.ProviderName `json:"provider"`
		Tags     map[string]string   `json:"tags" doc:"by one of the nine keys, in any spelling: Date, GroupID, Name, OrganizationID, Pool, Project, Session, SessionID, User"`
	}
}

type activateBody struct {
	ByID
	IdemKey string `header:"Idempotency-Key"`
	Body    struct {
		Keys     []string `json:"keys,omitempty" doc:"beside those that are on; none means all nine"`
		PlanHash string   `json:"planHash,omitempty" doc:"hash of the plan that was shown; empty takes the plan of this moment"`
	}
}

func (b *activateBody) request() control.ActivateTagsRequest {
	return control.ActivateTagsRequest{AccountID: b.ID, Keys: b.Body.Keys, PlanHash: b.Body.PlanHash, IdemKey: b.IdemKey}
}

func (s *service) tags() {
	c := s.Control
	add(s, route{http.MethodGet, "/tags", "list-tags", outlay.AccountsRead, "Where the nine tags stand, and what cost carries them", 0},
		func(ctx context.Context, a outlay.Actor, in *tagsQuery) (*body[control.TagsView], error) {
			return ok(c.Tags(ctx, a, control.TagsRequest{Range: in.Range}))
		})
	add(s, route{http.MethodPost, "/tags/plan", "plan-labels", outlay.TagsPlan, "A resource's tags as its provider accepts them; for resources of others it takes tags:plan-all", 0},
		func(ctx context.Context, a outlay.Actor, in *labelsBody) (*body[control.LabelsView], error) {
			return ok(c.PlanLabels(ctx, a, control.PlanLabelsRequest{Provider: in.Body.Provider, Tags: in.Body.Tags}))
		})
	add(s, route{http.MethodPost, "/accounts/{id}/tags/plan", "plan-activation", outlay.BillingPlan, "What turning tags on would change; changes nothing", 0},
		func(ctx context.Context, a outlay.Actor, in *activateBody) (*body[control.PlanView], error) {
			return ok(c.PlanActivation(ctx, a, in.request()))
		})
	add(s, route{http.MethodPost, "/accounts/{id}/tags/activate", "activate-tags", outlay.BillingProvision, "Turn tags on", http.StatusAccepted},
		func(ctx context.Context, a outlay.Actor, in *activateBody) (*body[control.RunView], error) {
			return started(c.ActivateTags(ctx, a, in.request()))
		})
}

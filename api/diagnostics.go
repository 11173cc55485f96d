package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"outlay"
)

func (s *service) diagnostics() {
	add(s, route{http.MethodGet, "/accounts/{id}/diagnostics", "get-diagnostics", outlay.BillingPlan, "What is known about an account as a ZIP archive, without secrets and without costs", 0},
		func(ctx context.Context, a outlay.Actor, in *ByID) (*huma.StreamResponse, error) {
			d, err := s.Control.Diagnostics(ctx, a, in.ID)
			if err != nil {
				return nil, err
			}
			return &huma.StreamResponse{Body: func(hc huma.Context) {
				hc.SetHeader("Content-Type", "application/zip")
				hc.SetHeader("Content-Disposition", `attachment; filename="`+d.Name+`"`)
				_, _ = hc.BodyWriter().Write(d.Body)
			}}, nil
		})
}

package api

import (
	"context"
	"net/http"

	"outlay"
	"outlay/auth"
)

// Problem is an RFC 9457 problem with our code and what to do next.
type Problem struct {
	Type   string              `json:"type" example:"about:blank"`
	Title  string              `json:"title"`
	Status int                 `json:"status"`
	Detail string              `json:"detail"`
	Code   outlay.Code         `json:"code"`
	Fix    string              `json:"fix,omitempty"`
	Field  string              `json:"field,omitempty"`
	Needs  []outlay.Permission `json:"needs,omitempty"`
}

// Error is the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is application/problem+json.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// problem turns an error into its answer. Only faults of ours are logged: the rest is told to who asked.
func (s *service) problem(ctx context.Context, err error) *Problem {
	e := outlay.AsError(err)
	if e.Code == outlay.CodeInternal {
		s.Log.ErrorContext(ctx, "api request failed", "error", err)
	}
	status := auth.Status(e.Code)
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: e.Message, Code: e.Code, Fix: e.Fix, Field: e.Field, Needs: e.Needs}
}

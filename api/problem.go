package api

import (
	"context"
	"net/http"

	"outlay"
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

// Status is the HTTP status of a code.
func Status(c outlay.Code) int {
	switch c {
	case outlay.CodeInvalid:
		return http.StatusUnprocessableEntity
	case outlay.CodeNotFound:
		return http.StatusNotFound
	case outlay.CodeConflict:
		return http.StatusConflict
	case outlay.CodeUnauthenticated:
		return http.StatusUnauthorized
	case outlay.CodeForbidden:
		return http.StatusForbidden
	case outlay.CodeThrottled:
		return http.StatusTooManyRequests
	case outlay.CodeUnavailable:
		return http.StatusBadGateway
	}
	return http.StatusInternalServerError
}

// problem turns an error into its answer. Only faults of ours are logged: the rest is told to who asked.
func (s *service) problem(ctx context.Context, err error) error {
	e := outlay.AsError(err)
	if e.Code == outlay.CodeInternal {
		s.Log.ErrorContext(ctx, "api request failed", "error", err)
	}
	status := Status(e.Code)
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: e.Message, Code: e.Code, Fix: e.Fix, Field: e.Field, Needs: e.Needs}
}

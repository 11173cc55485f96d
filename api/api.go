// Package api is the JSON API v1 (OpenAPI 3.1). Each operation calls one verb of control and declares the action that
// the verb asks for; an operation without one panics at start.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"outlay"
	"outlay/auth"
	"outlay/control"
)

// Prefix is where the API lives.
const Prefix = "/api/v1"

// public marks the operations that need nobody signed in.
const public outlay.Action = "public"

// Options is what the API is made from.
type Options struct {
	Control *control.Control
	Auth    *auth.Auth
	Log     *slog.Logger
	Version string
	// Uploads is a folder for files on their way in; "" is the system's.
	Uploads string
}

type service struct {
	Options
	huma huma.API
}

// New returns the API's handler; mount it at /api/. auth's middleware must be around it.
func New(o Options) http.Handler {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Outlay", o.Version)
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = Prefix+"/openapi", "", Prefix+"/schemas"
	config.CreateHooks = nil // no $schema member in answers
	s := &service{Options: o, huma: humago.New(mux, config)}
	schemas := s.huma.OpenAPI().Components.Schemas
	schemas.RegisterTypeAlias(reflect.TypeFor[outlay.Amount](), reflect.TypeFor[amountSchema]())
	s.accounts()
	s.billing()
	s.existing()
	s.costs()
	s.tags()
	s.people()
	s.diagnostics()
	return mux
}

// amountSchema is how an amount looks in JSON.
type amountSchema struct {
	Amount   string `json:"amount" doc:"exact decimal" example:"-12.34"`
	Currency string `json:"currency" example:"USD"`
}

// route describes one operation.
type route struct {
	method, path, id string
	action           outlay.Action
	summary          string
	status           int // of success; 0 means 200, or 204 without a body
}

// empty is the answer of operations that say nothing.
type empty struct{}

// body wraps a JSON answer.
type body[T any] struct {
	Location string `header:"Location"`
	Body     T
}

// add registers an operation: the actor is taken from the request, errors become RFC 9457 problems.
func add[I, O any](s *service, r route, verb func(ctx context.Context, a outlay.Actor, in *I) (*O, error)) {
	if r.action != public && !slices.Contains(outlay.Actions(), r.action) {
		panic("api: " + r.method + " " + r.path + " declares no action")
	}
	op := huma.Operation{
		OperationID: r.id, Method: r.method, Path: Prefix + r.path, Summary: r.summary, DefaultStatus: r.status,
		Metadata: map[string]any{"action": r.action}, Extensions: map[string]any{"x-action": r.action},
		MaxBodyBytes: 1 << 20,
	}
	if r.id == "import" {
		op.BodyReadTimeout, op.Middlewares = -1, huma.Middlewares{s.beforeUpload}
	}
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
		a := auth.ActorFrom(ctx)
		if r.action != public {
			if err := a.Must(r.action); err != nil && a.UserID == "" {
				return nil, s.problem(ctx, err)
			}
		}
		out, err := verb(ctx, a, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
}

func ok[T any](v T, err error) (*body[T], error) {
	if err != nil {
		return nil, err
	}
	return &body[T]{Body: v}, nil
}

func done(err error) (*empty, error) {
	if err != nil {
		return nil, err
	}
	return &empty{}, nil
}

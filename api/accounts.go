package api

import (
	"context"
	"net/http"

	"outlay"
	"outlay/control"
)

// ByID names one thing. Exported, because huma reads only exported embedded fields.
type ByID struct {
	ID string `path:"id" doc:"id or name"`
}

// Credential is how an account signs in.
type Credential struct {
	Kind    string            `json:"kind" doc:"one of the provider's ways to sign in"`
	Values  map[string]string `json:"values,omitempty" doc:"public fields"`
	Secrets map[string]string `json:"secrets,omitempty" doc:"secret fields: sealed on arrival, never shown again"`
}

func (c Credential) secrets() map[string]outlay.Secret {
	out := make(map[string]outlay.Secret, len(c.Secrets))
	for k, v := range c.Secrets {
		out[k] = outlay.NewSecret(v)
	}
	return out
}

type addAccount struct {
	Body struct {
		Name     string              `json:"name"`
		Provider outlay.ProviderName `json:"provider"`
		Credential
	}
}

type rotate struct {
	ByID
	Body Credential
}

type removeHistory struct {
	ByID
	Body struct {
		Confirm string `json:"confirm" doc:"the source's name"`
	}
}

func (s *service) accounts() {
	c := s.Control
	add(s, route{http.MethodGet, "/providers", "list-providers", outlay.AccountsRead, "Providers and what their forms ask", 0},
		func(_ context.Context, a outlay.Actor, _ *struct{}) (*body[[]outlay.ProviderInfo], error) {
			return ok(c.ProviderInfos(), a.Must(outlay.AccountsRead))
		})
	add(s, route{http.MethodGet, "/accounts", "list-accounts", outlay.AccountsRead, "Cloud accounts with their billing status", 0},
		func(ctx context.Context, a outlay.Actor, _ *struct{}) (*body[[]control.AccountView], error) {
			return ok(c.Accounts(ctx, a))
		})
	add(s, route{http.MethodPost, "/accounts", "add-account", outlay.AccountsWrite, "Add a cloud account", http.StatusCreated},
		func(ctx context.Context, a outlay.Actor, in *addAccount) (*body[control.AccountView], error) {
			b := in.Body
			return ok(c.AddAccount(ctx, a, control.AddAccountRequest{Name: b.Name, Provider: b.Provider, Kind: b.Kind, Values: b.Values, Secrets: b.secrets()}))
		})
	add(s, route{http.MethodGet, "/accounts/{id}", "get-account", outlay.AccountsRead, "One cloud account", 0},
		func(ctx context.Context, a outlay.Actor, in *ByID) (*body[control.AccountDetail], error) {
			return ok(c.Account(ctx, a, in.ID))
		})
	add(s, route{http.MethodDelete, "/accounts/{id}", "remove-account", outlay.AccountsWrite, "Remove a cloud account", http.StatusNoContent},
		func(ctx context.Context, a outlay.Actor, in *ByID) (*empty, error) {
			return done(c.RemoveAccount(ctx, a, in.ID))
		})
	add(s, route{http.MethodPut, "/accounts/{id}/credential", "rotate-credential", outlay.AccountsWrite, "Replace an account's credential", 0},
		func(ctx context.Context, a outlay.Actor, in *rotate) (*body[control.AccountView], error) {
			return ok(c.RotateCredential(ctx, a, in.ID, control.RotateRequest{Kind: in.Body.Kind, Values: in.Body.Values, Secrets: in.Body.secrets()}))
		})
	add(s, route{http.MethodPost, "/accounts/{id}/check", "check-account", outlay.BillingCheck, "Look for billing data now", http.StatusAccepted},
		func(ctx context.Context, a outlay.Actor, in *ByID) (*empty, error) {
			return done(c.CheckNow(ctx, a, in.ID))
		})
	add(s, route{http.MethodPost, "/sources/{id}/remove-history", "remove-history", outlay.CostsImport, "Remove what was loaded of an import or of a removed set-up", http.StatusNoContent},
		func(ctx context.Context, a outlay.Actor, in *removeHistory) (*empty, error) {
			return done(c.RemoveHistory(ctx, a, in.ID, in.Body.Confirm))
		})
	add(s, route{http.MethodGet, "/sources", "list-sources", outlay.AccountsRead, "Sources with their periods: data health", 0},
		func(ctx context.Context, a outlay.Actor, _ *struct{}) (*body[[]control.SourceView], error) {
			return ok(c.Sources(ctx, a))
		})
}

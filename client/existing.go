package client

import (
	"context"
	"net/http"
	"net/url"

	"outlay/control"
)

// Existing lists the exports that stand already and that an account's credential can see.
func (c *Client) Existing(ctx context.Context, account string, fields map[string]string) ([]control.ExistingView, error) {
	return call[[]control.ExistingView](ctx, c, http.MethodPost, "/accounts/"+url.PathEscape(account)+"/billing/existing", withFields(map[string]any{}, fields))
}

// ImportExport makes a source of an existing export; id is the provider's own, as listed.
func (c *Client) ImportExport(ctx context.Context, account, id string, fields map[string]string) (control.SourceView, error) {
	return call[control.SourceView](ctx, c, http.MethodPost, "/accounts/"+url.PathEscape(account)+"/billing/import", withFields(map[string]any{"existing": id}, fields))
}

// PlanStopReading shows what stops when an imported export is not read any more.
func (c *Client) PlanStopReading(ctx context.Context, source string) (control.StopReadingView, error) {
	return call[control.StopReadingView](ctx, c, http.MethodGet, "/sources/"+url.PathEscape(source)+"/stop", nil)
}

// StopReading ends the reading of an imported export; confirm is the source's name.
func (c *Client) StopReading(ctx context.Context, source, confirm string, removeHistory bool) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, "/sources/"+url.PathEscape(source)+"/stop", map[string]any{"confirm": confirm, "removeHistory": removeHistory})
	return err
}

// PlanAbandon lists what would stay behind if a set-up were given up.
func (c *Client) PlanAbandon(ctx context.Context, account string) (control.AbandonView, error) {
	return call[control.AbandonView](ctx, c, http.MethodGet, "/accounts/"+url.PathEscape(account)+"/billing/abandon", nil)
}

// Abandon gives a set-up up without touching the provider; confirm is the account's name.
func (c *Client) Abandon(ctx context.Context, account, confirm string) (control.AbandonView, error) {
	return call[control.AbandonView](ctx, c, http.MethodPost, "/accounts/"+url.PathEscape(account)+"/billing/abandon", map[string]any{"confirm": confirm})
}

// Drift shows what is not as planned, setting by setting.
func (c *Client) Drift(ctx context.Context, account string) (control.DriftView, error) {
	return call[control.DriftView](ctx, c, http.MethodGet, "/accounts/"+url.PathEscape(account)+"/billing/drift", nil)
}

// Repair starts the run that makes a set-up as it was planned again; planHash "" takes the plan of this moment.
func (c *Client) Repair(ctx context.Context, account, planHash string) (control.RunView, error) {
	return call[control.RunView](ctx, c, http.MethodPost, "/accounts/"+url.PathEscape(account)+"/billing/repair", map[string]any{"planHash": planHash})
}

func withFields(in map[string]any, fields map[string]string) map[string]any {
	if len(fields) > 0 {
		in["fields"] = fields
	}
	return in
}

package client

import (
	"context"
	"net/http"
	"net/url"

	"outlay"
	"outlay/control"
)

// Tags tells where the nine tags stand; rng is mtd or last-month.
func (c *Client) Tags(ctx context.Context, rng string) (control.TagsView, error) {
	return call[control.TagsView](ctx, c, http.MethodGet, "/tags?"+url.Values{"range": {rng}}.Encode(), nil)
}

// PlanLabels spells a resource's tags as its provider accepts them.
func (c *Client) PlanLabels(ctx context.Context, provider outlay.ProviderName, tags map[string]string) (control.LabelsView, error) {
	return call[control.LabelsView](ctx, c, http.MethodPost, "/tags/plan", map[string]any{"provider": provider, "tags": tags})
}

// PlanActivation shows what turning keys on would change; no keys means all nine.
func (c *Client) PlanActivation(ctx context.Context, account string, keys []string) (control.PlanView, error) {
	return call[control.PlanView](ctx, c, http.MethodPost, "/accounts/"+url.PathEscape(account)+"/tags/plan", map[string]any{"keys": keys})
}

// ActivateTags turns keys on by the plan that was seen.
func (c *Client) ActivateTags(ctx context.Context, account string, keys []string, planHash string) (control.RunView, error) {
	return call[control.RunView](ctx, c, http.MethodPost, "/accounts/"+url.PathEscape(account)+"/tags/activate", map[string]any{"keys": keys, "planHash": planHash})
}

package client

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path/filepath"

	"outlay"
)

// Diagnostics answers a ZIP archive about an account and what to call it.
func (c *Client) Diagnostics(ctx context.Context, account string) (name string, body []byte, err error) {
	resp, err := c.request(ctx, http.MethodGet, "/accounts/"+url.PathEscape(account)+"/diagnostics", nil, http.Header{})
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err = io.ReadAll(resp.Body); err != nil {
		return "", nil, outlay.Errorf(outlay.CodeUnavailable, "Try again.", "the archive broke off: %w", err)
	}
	_, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
	if name = filepath.Base(params["filename"]); err != nil || params["filename"] == "" {
		name = "outlay-diagnostics.zip"
	}
	return name, body, nil
}

package azure

import (
	"context"
	"net/http"
	"net/url"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// list reads all pages of a list that the SDK's modules have no client for, and gives each page's body to take. path
// begins with a slash; pages follow 'nextLink', which the transport keeps within Azure.
func (ses session) list(ctx context.Context, path, version string, take func(page []byte) (next string, err error)) error {
	client, err := arm.NewClient("outlay", "v1.0.0", ses.cred, &ses.opts)
	if err != nil {
		return err
	}
	link := runtime.JoinPaths(client.Endpoint(), path) + "?api-version=" + url.QueryEscape(version)
	for range maxPages {
		body, err := getPage(ctx, client, link)
		if err != nil {
			return err
		}
		if link, err = take(body); err != nil {
			return outlay.Errorf(outlay.CodeUnavailable, byItself, "Azure's answer to %s cannot be read: %w", path, err)
		}
		if link == "" {
			return nil
		}
	}
	return outlay.Errorf(outlay.CodeUnavailable, byItself, "Azure's answer to %s has no end", path)
}

// maxPages is more than any list has: pages that lead in a circle end there.
const maxPages = 1000

// getPage reads one page.
func getPage(ctx context.Context, client *arm.Client, link string) ([]byte, error) {
	req, err := runtime.NewRequest(ctx, http.MethodGet, link)
	if err != nil {
		return nil, err
	}
	req.Raw().Header.Set("Accept", "application/json")
	resp, err := client.Pipeline().Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if !runtime.HasStatusCode(resp, http.StatusOK) {
		return nil, runtime.NewResponseError(resp)
	}
	return runtime.Payload(resp)
}

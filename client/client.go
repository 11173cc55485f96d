// Package client is the Go client of the API v1, and the command line's only way in.
package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"outlay"
	"outlay/control"
)

// Client talks to one server with one token. It is safe for concurrent use.
type Client struct {
	base  string
	token outlay.Secret
	http  *http.Client
}

// New makes a client for the server at base, such as http://127.0.0.1:8080. An empty token can only log in.
func New(base string, token outlay.Secret) *Client {
	return &Client{base: strings.TrimSuffix(base, "/") + "/api/v1", token: token, http: &http.Client{}}
}

// problem is what the API answers on failure (RFC 9457).
type problem struct {
	Detail string              `json:"detail"`
	Title  string              `json:"title"`
	Code   outlay.Code         `json:"code"`
	Fix    string              `json:"fix"`
	Field  string              `json:"field"`
	Needs  []outlay.Permission `json:"needs"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"`
	} `json:"errors"`
}

func (c *Client) request(ctx context.Context, method, path string, body io.Reader, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Give the server as http://host:port.", "the server's address is not usable: %w", err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	if !c.token.Empty() {
		req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, outlay.Errorf(outlay.CodeUnavailable, "Is the server running? Set --url or OUTLAY_URL.", "the server at %s does not answer: %w", strings.TrimSuffix(c.base, "/api/v1"), err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	return nil, readProblem(resp)
}

func readProblem(resp *http.Response) error {
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	var p problem
	if json.Unmarshal(b, &p) != nil || p.Detail+p.Title == "" {
		return outlay.Errorf(outlay.CodeUnavailable, "Is that an Outlay server?", "the server answered %s", resp.Status)
	}
	e := &outlay.Error{Code: p.Code, Message: p.Detail, Fix: p.Fix, Field: p.Field, Needs: p.Needs}
	if e.Code == "" { // refused by the schema before any verb saw it
		e.Code = outlay.CodeInvalid
		for _, x := range p.Errors {
			e.Message += "; " + x.Location + ": " + x.Message
		}
	}
	return e
}

// call sends in as JSON (nil for none) and reads a T.
func call[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	return callWith[T](ctx, c, method, path, in, http.Header{})
}

func callWith[T any](ctx context.Context, c *Client, method, path string, in any, header http.Header) (T, error) {
	var out T
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return out, err
		}
		body = bytes.NewReader(b)
		header.Set("Content-Type", "application/json")
	}
	resp, err := c.request(ctx, method, path, body, header)
	if err != nil {
		return out, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusNoContent || resp.ContentLength == 0 {
		return out, nil
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return out, outlay.Errorf(outlay.CodeUnavailable, "Use a command of the server's version.", "the server's answer could not be read: %w", err)
	}
	return out, nil
}

// Login answers an API token for a person's password.
func (c *Client) Login(ctx context.Context, email string, password outlay.Secret, name string) (outlay.Secret, error) {
	out, err := call[struct {
		Token string `json:"token"`
	}](ctx, c, http.MethodPost, "/login", map[string]string{"email": email, "password": password.Reveal(), "name": name})
	return outlay.NewSecret(out.Token), err
}

// Me is who the token stands for.
type Me struct {
	UserID       string          `json:"userId"`
	Name         string          `json:"name"`
	Organization string          `json:"organization"`
	Roles        []outlay.Role   `json:"roles"`
	Actions      []outlay.Action `json:"actions"`
}

// Me tells who the token stands for.
func (c *Client) Me(ctx context.Context) (Me, error) {
	return call[Me](ctx, c, http.MethodGet, "/me", nil)
}

// Providers lists the providers and what their forms ask.
func (c *Client) Providers(ctx context.Context) ([]outlay.ProviderInfo, error) {
	return call[[]outlay.ProviderInfo](ctx, c, http.MethodGet, "/providers", nil)
}

// Accounts lists the cloud accounts.
func (c *Client) Accounts(ctx context.Context) ([]control.AccountView, error) {
	return call[[]control.AccountView](ctx, c, http.MethodGet, "/accounts", nil)
}

// Account is one cloud account, by id or name.
func (c *Client) Account(ctx context.Context, id string) (control.AccountDetail, error) {
	return call[control.AccountDetail](ctx, c, http.MethodGet, "/accounts/"+url.PathEscape(id), nil)
}

// NewAccount is what AddAccount sends.
type NewAccount struct {
	Name     string              `json:"name"`
	Provider outlay.ProviderName `json:"provider"`
	Kind     string              `json:"kind"`
	Values   map[string]string   `json:"values,omitempty"`
	Secrets  map[string]string   `json:"secrets,omitempty"`
}

// AddAccount adds a cloud account.
func (c *Client) AddAccount(ctx context.Context, n NewAccount) (control.AccountView, error) {
	return call[control.AccountView](ctx, c, http.MethodPost, "/accounts", n)
}

// RotateCredential replaces an account's credential; n's Kind, Values and Secrets are used.
func (c *Client) RotateCredential(ctx context.Context, id string, n NewAccount) (control.AccountView, error) {
	return call[control.AccountView](ctx, c, http.MethodPut, "/accounts/"+url.PathEscape(id)+"/credential", map[string]any{"kind": n.Kind, "values": n.Values, "secrets": n.Secrets})
}

// RemoveAccount removes a cloud account.
func (c *Client) RemoveAccount(ctx context.Context, id string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, "/accounts/"+url.PathEscape(id), nil)
	return err
}

// Check has an account looked at now.
func (c *Client) Check(ctx context.Context, id string) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, "/accounts/"+url.PathEscape(id)+"/check", nil)
	return err
}

// Plan shows what provisioning would change.
func (c *Client) Plan(ctx context.Context, account string, spec outlay.Spec) (control.PlanView, error) {
	return call[control.PlanView](ctx, c, http.MethodPost, "/accounts/"+url.PathEscape(account)+"/billing/plan", spec)
}

// Provision starts a provisioning run; planHash "" takes the plan of this moment.
func (c *Client) Provision(ctx context.Context, account string, spec outlay.Spec, planHash, idemKey string) (control.RunView, error) {
	in := map[string]any{"region": spec.Region, "planHash": planHash}
	if len(spec.Fields) > 0 {
		in["fields"] = spec.Fields
	}
	if len(spec.Tags) > 0 {
		in["tags"] = spec.Tags
	}
	return callWith[control.RunView](ctx, c, http.MethodPost, "/accounts/"+url.PathEscape(account)+"/billing/provision", in, http.Header{"Idempotency-Key": {idemKey}})
}

// PlanDeprovision shows what deprovisioning would remove and who loses what.
func (c *Client) PlanDeprovision(ctx context.Context, account string) (control.DeprovisionView, error) {
	return call[control.DeprovisionView](ctx, c, http.MethodPost, "/accounts/"+url.PathEscape(account)+"/billing/deprovision-plan", nil)
}

// Deprovision starts a deprovisioning run. confirm is the account's name.
func (c *Client) Deprovision(ctx context.Context, account string, files outlay.CostFiles, removeHistory bool, confirm string) (control.RunView, error) {
	in := map[string]any{"costFiles": files, "removeHistory": removeHistory, "confirm": confirm}
	return call[control.RunView](ctx, c, http.MethodPost, "/accounts/"+url.PathEscape(account)+"/billing/deprovision", in)
}

// PlanDeleteKept shows what deleting the files that a deprovisioning kept would remove. ref is the removed source's id,
// or the account where only one of its removed set-ups left anything.
func (c *Client) PlanDeleteKept(ctx context.Context, ref string) (control.DeprovisionView, error) {
	return call[control.DeprovisionView](ctx, c, http.MethodPost, "/sources/"+url.PathEscape(ref)+"/kept/delete-plan", nil)
}

// DeleteKept starts the run that deletes what a deprovisioning kept. ref is as in PlanDeleteKept, confirm the account's
// name; planHash "" takes the plan of this moment.
func (c *Client) DeleteKept(ctx context.Context, ref string, removeHistory bool, confirm, planHash string) (control.RunView, error) {
	in := map[string]any{"removeHistory": removeHistory, "confirm": confirm, "planHash": planHash}
	return call[control.RunView](ctx, c, http.MethodPost, "/sources/"+url.PathEscape(ref)+"/kept/delete", in)
}

// Backfill asks for today's tags in past months, from a month on.
func (c *Client) Backfill(ctx context.Context, account string, from outlay.Period) (control.RunView, error) {
	return call[control.RunView](ctx, c, http.MethodPost, "/accounts/"+url.PathEscape(account)+"/billing/backfill", map[string]any{"from": from})
}

// Runs lists runs, newest first; account "" for all.
func (c *Client) Runs(ctx context.Context, account string) ([]control.RunView, error) {
	return call[[]control.RunView](ctx, c, http.MethodGet, "/runs?"+url.Values{"account": {account}}.Encode(), nil)
}

// Run is one run with its steps.
func (c *Client) Run(ctx context.Context, id string) (control.RunView, error) {
	return call[control.RunView](ctx, c, http.MethodGet, "/runs/"+url.PathEscape(id), nil)
}

// Resume tries a waiting run again.
func (c *Client) Resume(ctx context.Context, id string) (control.RunView, error) {
	return call[control.RunView](ctx, c, http.MethodPost, "/runs/"+url.PathEscape(id)+"/resume", nil)
}

// Undo removes what a stopped run made.
func (c *Client) Undo(ctx context.Context, id string) (control.RunView, error) {
	return call[control.RunView](ctx, c, http.MethodPost, "/runs/"+url.PathEscape(id)+"/undo", nil)
}

// Watch yields a run at each change until it ends (server-sent events).
func (c *Client) Watch(ctx context.Context, id string) iter.Seq2[control.RunView, error] {
	return func(yield func(control.RunView, error) bool) {
		resp, err := c.request(ctx, http.MethodGet, "/runs/"+url.PathEscape(id)+"/events", nil, nil)
		if err != nil {
			yield(control.RunView{}, err)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			var v control.RunView
			if err := json.Unmarshal([]byte(data), &v); err != nil {
				yield(v, fmt.Errorf("reading the run: %w", err))
				return
			}
			if !yield(v, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(control.RunView{}, outlay.Errorf(outlay.CodeUnavailable, "Watch again.", "the stream broke: %w", err))
		}
	}
}

// Costs answers a view of the cost dashboard.
func (c *Client) Costs(ctx context.Context, q url.Values) (control.CostView, error) {
	return call[control.CostView](ctx, c, http.MethodGet, "/costs?"+q.Encode(), nil)
}

// CostValues lists the values of a dimension between two moments, largest cost first.
func (c *Client) CostValues(ctx context.Context, d outlay.Dimension, from, to time.Time) ([]outlay.Value, error) {
	q := url.Values{"dimension": {string(d)}, "from": {from.UTC().Format(time.RFC3339)}, "to": {to.UTC().Format(time.RFC3339)}}
	return call[[]outlay.Value](ctx, c, http.MethodGet, "/costs/values?"+q.Encode(), nil)
}

// CostsCSV copies a view as CSV.
func (c *Client) CostsCSV(ctx context.Context, q url.Values, w io.Writer) error {
	resp, err := c.request(ctx, http.MethodGet, "/costs.csv?"+q.Encode(), nil, nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(w, resp.Body)
	return err
}

// ImportFormats lists what can be imported as files.
func (c *Client) ImportFormats(ctx context.Context) ([]control.ImportFormat, error) {
	return call[[]control.ImportFormat](ctx, c, http.MethodGet, "/import-formats", nil)
}

// Import sends files to be loaded, streaming them. format is an ID of ImportFormats, "" to find it out by the columns.
func (c *Client) Import(ctx context.Context, name, format string, paths []string) (control.ImportResult, error) {
	var out control.ImportResult
	for _, p := range paths {
		if info, err := os.Stat(p); err != nil || info.IsDir() {
			return out, outlay.Errorf(outlay.CodeInvalid, "Name a file that exists.", "%s cannot be read", p).InField(p)
		}
	}
	pr, pw := io.Pipe()
	form := multipart.NewWriter(pw)
	go func() { pw.CloseWithError(sendFiles(form, paths)) }()
	q := url.Values{}
	if name != "" {
		q.Set("name", name)
	}
	if format != "" {
		q.Set("format", format)
	}
	resp, err := c.request(ctx, http.MethodPost, "/imports?"+q.Encode(), pr, http.Header{"Content-Type": {form.FormDataContentType()}})
	if err != nil {
		if unread := new(fs.PathError); errors.As(err, &unread) { // ours, not the server's
			return out, outlay.Errorf(outlay.CodeInvalid, "Name a file that you may read.", "%s cannot be read: %w", unread.Path, unread.Err).InField(unread.Path)
		}
		return out, err
	}
	defer func() { _ = resp.Body.Close() }()
	return out, json.NewDecoder(resp.Body).Decode(&out)
}

func sendFiles(form *multipart.Writer, paths []string) error {
	for _, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		w, err := form.CreateFormFile("files", filepath.Base(p))
		if err == nil {
			_, err = io.Copy(w, f)
		}
		_ = f.Close()
		if err != nil {
			return err
		}
	}
	return form.Close()
}

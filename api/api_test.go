package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/api"
	"outlay/auth"
	"outlay/control"
	"outlay/outlaytest"
	"outlay/secret"
	"outlay/sqldb"
)

// world is a server with two organizations and somebody of every kind.
type world struct {
	url     string
	control *control.Control
	tokens  map[string]string // by who
	account control.AccountView
	run     control.RunView
	user    control.UserView
}

type noImport struct{}

func (noImport) RemoveHistory(context.Context, string, string) error { return nil }

func (noImport) ImportFiles(_ context.Context, r control.ImportRequest) (control.ImportResult, error) {
	return control.ImportResult{Name: r.Files[0].Name, Rows: int64(len(r.Files))}, nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx, dir := t.Context(), t.TempDir()
	log := slog.New(slog.DiscardHandler)
	store, err := sqldb.Open(ctx, "sqlite:"+filepath.Join(dir, "outlay.db"), log)
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	box, err := secret.Open(filepath.Join(dir, "keyset.json"))
	must(t, err)
	clock := outlay.SystemClock{}
	who := auth.New(auth.Options{Store: store, Clock: clock, Log: log})
	charges := outlaytest.Charges{{Day: clock.Now().Truncate(24 * time.Hour), Cost: "12.34", Values: map[outlay.Dimension]string{outlay.ByService: "=EC2", outlay.TagDimension("User"): "m"}}}
	c := control.New(control.Deps{Store: store, Providers: []outlay.Provider{outlaytest.NewNimbus(clock)}, Costs: charges, Sealer: box, Importer: noImport{}, Passwords: who, Clock: clock, Log: log, LookEvery: time.Hour})
	server := httptest.NewServer(who.Middleware(api.New(api.Options{Control: c, Auth: who, Log: log, Version: "test", Uploads: dir})))
	t.Cleanup(server.Close)
	w := &world{url: server.URL, control: c, tokens: map[string]string{"anonymous": "", "forged": "outlay_aaaa_bbbb_cccc"}}
	w.people(t, store, who)
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// people makes one person of every role with a token, one limited token, one disabled person, and a stranger.
func (w *world) people(t *testing.T, store *sqldb.Store, who *auth.Auth) {
	ctx := t.Context()
	code, _, err := who.SetupCode(ctx)
	must(t, err)
	admin, err := who.Setup(ctx, auth.SetupRequest{Code: code, Organization: "One", Name: "Admin", Email: "admin@one.example", Password: outlay.NewSecret("correct horse battery"), Addr: "test"})
	must(t, err)
	w.token(t, "org:admin", admin, nil)
	w.token(t, "costs only", admin, []outlay.Action{outlay.CostsRead, outlay.CostsReadAll})
	_, err = w.control.AddGroup(ctx, admin, "marine")
	must(t, err)
	for _, role := range outlay.Roles()[1:] {
		group := ""
		if role == outlay.RoleLead {
			group = "marine"
		}
		u, err := w.control.AddUser(ctx, admin, control.AddUserRequest{Email: string(role)[strings.LastIndex(string(role), ":")+1:] + "@one.example", Password: outlay.NewSecret("correct horse battery"), Role: role, GroupID: group})
		must(t, err)
		actor := outlay.Actor{OrgID: admin.OrgID, UserID: u.ID, Name: u.Name, Roles: []outlay.Role{role}}
		if role == outlay.RoleLead {
			actor.Roles, actor.LeadOf = nil, []string{"marine"}
		}
		if actor.May(outlay.TokensOwn) {
			w.token(t, string(role), actor, nil)
		} else {
			w.tokens[string(role)] = w.minted(t, store, who, actor)
		}
	}
	w.user, err = w.control.AddUser(ctx, admin, control.AddUserRequest{Email: "changing@one.example", Password: outlay.NewSecret("correct horse battery"), Role: outlay.RoleMember})
	must(t, err)
	gone, err := w.control.AddUser(ctx, admin, control.AddUserRequest{Email: "gone@one.example", Password: outlay.NewSecret("correct horse battery"), Role: outlay.RoleAdmin})
	must(t, err)
	w.token(t, "disabled", outlay.Actor{OrgID: admin.OrgID, UserID: gone.ID, Roles: []outlay.Role{outlay.RoleAdmin}}, nil)
	must(t, w.control.DisableUser(ctx, admin, gone.ID, true))
	w.account, err = w.control.AddAccount(ctx, admin, control.AddAccountRequest{Name: "prod", Provider: "nimbus", Kind: "trust", Values: map[string]string{"tenant": "t-1"}})
	must(t, err)
	w.run, err = w.control.Provision(ctx, admin, control.ProvisionRequest{AccountID: w.account.ID, Spec: outlay.Spec{Region: "north-1"}})
	must(t, err)
	must(t, store.Install().AddOrganization(ctx, outlay.Organization{ID: "org_two", Name: "Two", CreatedAt: time.Now()}))
	stranger := outlay.User{OrgID: "org_two", ID: "usr_two", Email: "admin@two.example", Name: "Stranger", CreatedAt: time.Now()}
	must(t, store.ForOrg(ctx, "org_two", func(tx outlay.Tx) error {
		if err := tx.PutUser(ctx, stranger); err != nil {
			return err
		}
		return tx.PutMembership(ctx, outlay.Membership{OrgID: "org_two", UserID: "usr_two", Role: outlay.RoleAdmin})
	}))
	w.token(t, "stranger", outlay.Actor{OrgID: "org_two", UserID: "usr_two", Roles: []outlay.Role{outlay.RoleAdmin}}, nil)
}

func (w *world) token(t *testing.T, who string, a outlay.Actor, actions []outlay.Action) {
	t.Helper()
	_, text, err := w.control.CreateToken(t.Context(), a, control.CreateTokenRequest{Name: who, Actions: actions})
	must(t, err)
	w.tokens[who] = text.Reveal()
}

// minted stores a token for a role that may not make one itself, so that what the role may read is tested too.
func (w *world) minted(t *testing.T, store *sqldb.Store, who *auth.Auth, a outlay.Actor) string {
	t.Helper()
	id, text, hash := who.MintToken()
	now := time.Now()
	must(t, store.ForOrg(t.Context(), a.OrgID, func(tx outlay.Tx) error {
		return tx.PutToken(t.Context(), outlay.APIToken{OrgID: a.OrgID, ID: id, UserID: a.UserID, Name: "minted", Hash: hash, CreatedAt: now, ExpiresAt: now.Add(time.Hour)})
	}))
	return text
}

// operation is one entry of the API's own description.
type operation struct {
	Method, Path, ID string
	Action           outlay.Action
}

func (w *world) operations(t *testing.T) []operation {
	t.Helper()
	_, body := w.do(t, "", http.MethodGet, api.Prefix+"/openapi.json", nil, "")
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string        `json:"operationId"`
			Action      outlay.Action `json:"x-action"`
		}
	}
	must(t, json.Unmarshal(body, &doc))
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("the description is OpenAPI %q", doc.OpenAPI)
	}
	var out []operation
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if op.Action == "" {
				t.Errorf("%s %s declares no action", method, path)
			}
			out = append(out, operation{strings.ToUpper(method), path, op.OperationID, op.Action})
		}
	}
	return out
}

func (w *world) do(t *testing.T, token, method, path string, body io.Reader, contentType string) (int, []byte) {
	t.Helper()
	limit := time.Minute
	if strings.HasSuffix(path, "/events") { // a stream goes on until we leave
		limit = 2 * time.Second
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, w.url+path, body)
	must(t, err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b
}

// bodies are what each operation is sent; an operation that is missing here fails the test.
func bodies() map[string]any {
	type m = map[string]any
	return map[string]any{
		"list-providers": nil, "list-accounts": nil, "get-account": nil, "get-diagnostics": nil, "remove-account": nil, "check-account": nil, "list-sources": nil, "plan-deprovision": nil,
		"add-account":       m{"name": "another", "provider": "nimbus", "kind": "trust", "values": m{"tenant": "t-9"}},
		"rotate-credential": m{"kind": "trust", "values": m{"tenant": "t-1"}},
		"plan-billing":      m{"region": "north-1"}, "provision-billing": m{"region": "north-1"},
		"list-tags": nil, "plan-labels": m{"provider": "nimbus", "tags": m{"Pool": "gpu"}}, "plan-activation": m{"keys": []string{"User"}}, "activate-tags": m{},
		"backfill-tags":       m{"from": "2026-08"},
		"deprovision-billing": m{"costFiles": "keep", "confirm": "prod"},
		"remove-history":      m{"confirm": "prod"},
		"plan-delete-kept":    nil, "delete-kept": m{"confirm": "prod"},
		"list-existing": m{}, "import-export": m{"existing": "nimbus:theirs"}, "plan-stop-reading": nil, "stop-reading": m{"confirm": "prod"},
		"plan-abandon": nil, "abandon-billing": m{"confirm": "prod"}, "get-drift": nil, "repair-billing": m{},
		"list-runs": nil, "get-run": nil, "resume-run": nil, "undo-run": nil, "watch-run": nil,
		"get-costs": nil, "get-costs-csv": nil, "list-cost-values": nil, "query-costs": m{"range": "mtd", "every": "", "group": "service", "measure": "EffectiveCost", "compare": "none"}, "import": nil, "list-import-formats": nil,
		"login":      m{"email": "admin@one.example", "password": "wrong password"},
		"who-am-i":   nil,
		"list-users": nil, "add-user": m{"email": "new@one.example", "password": "correct horse battery", "role": "member"}, "set-role": m{"role": "member"}, "disable-user": m{"disabled": false},
		"list-groups": nil, "add-group": m{"name": "g"}, "list-tokens": nil, "create-token": m{"name": "t"}, "revoke-token": nil, "list-audit": nil,
	}
}

// TestEveryOperationByEveryRole walks the API's own description: who may not is refused, foreign looks like absent.
func TestEveryOperationByEveryRole(t *testing.T) {
	w := newWorld(t)
	table := bodies()
	calls := 0
	for _, op := range w.operations(t) {
		body, known := table[op.ID]
		if !known {
			t.Errorf("operation %s is not in the test's table", op.ID)
			continue
		}
		for who, token := range w.tokens {
			status, answer := w.call(t, token, op, body)
			calls++
			if want := wanted(who, op); !want(status) {
				t.Errorf("%s by %s: status %d: %.200s", op.ID, who, status, answer)
			}
		}
	}
	t.Logf("%d calls", calls)
}

// wanted says which statuses are right for somebody.
func wanted(who string, op operation) func(int) bool {
	is := func(want ...int) func(int) bool {
		return func(got int) bool {
			for _, s := range want {
				if s == got {
					return true
				}
			}
			return false
		}
	}
	if op.Action == "public" {
		return is(401, 429)
	}
	switch who {
	case "anonymous", "forged", "disabled":
		return is(401)
	case "stranger":
		if strings.Contains(op.Path, "{id}") {
			return is(404)
		}
		return func(s int) bool { return s < 300 || s == 404 || s == 409 || s == 422 }
	case "costs only":
		if op.Action != outlay.CostsRead {
			return is(403)
		}
	default:
		if !outlay.Allowed(outlay.Role(who), op.Action) {
			return is(403)
		}
	}
	return func(s int) bool { return s < 500 && s != 401 && s != 403 }
}

func (w *world) call(t *testing.T, token string, op operation, body any) (int, []byte) {
	t.Helper()
	id := w.account.ID
	switch {
	case strings.Contains(op.Path, "/runs/"):
		id = w.run.ID
	case strings.Contains(op.Path, "/users/"):
		id = w.user.ID
	case strings.Contains(op.Path, "/tokens/"):
		id = "tok_absent"
	}
	if op.ID == "remove-account" || op.ID == "deprovision-billing" || op.ID == "undo-run" || op.ID == "abandon-billing" {
		id = strings.Replace(id, "_", "_absent", 1) // allowed ones must not take the others' object away
	}
	path := strings.Replace(op.Path, "{id}", id, 1)
	if op.ID == "list-cost-values" {
		path += "?dimension=service"
	}
	if op.ID == "import" {
		form := &bytes.Buffer{}
		mw := multipart.NewWriter(form)
		part, err := mw.CreateFormFile("files", "bill.csv")
		must(t, err)
		fmt.Fprint(part, "a,b\n1,2\n")
		must(t, mw.Close())
		return w.do(t, token, op.Method, path, form, mw.FormDataContentType())
	}
	if body == nil {
		return w.do(t, token, op.Method, path, nil, "")
	}
	b, err := json.Marshal(body)
	must(t, err)
	return w.do(t, token, op.Method, path, bytes.NewReader(b), "application/json")
}

// TestUploadRefusedEarly: who may not import has his answer while his files are still on their way.
func TestUploadRefusedEarly(t *testing.T) {
	w := newWorld(t)
	for who, want := range map[string]int{"anonymous": 401, "member": 403, "costs only": 403} {
		body, files := io.Pipe() // it never ends
		t.Cleanup(func() { _ = files.Close() })
		go func() {
			_, _ = io.WriteString(files, "--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.csv\"\r\n\r\nx")
		}()
		status, answer := w.do(t, w.tokens[who], http.MethodPost, api.Prefix+"/imports", body, "multipart/form-data; boundary=b")
		var p api.Problem
		must(t, json.Unmarshal(answer, &p))
		if status != want || p.Status != want || p.Fix == "" {
			t.Errorf("%s: %d %s", who, status, answer)
		}
	}
	status, log := w.do(t, w.tokens["auditor"], http.MethodGet, api.Prefix+"/audit", nil, "")
	if status != 200 || !bytes.Contains(log, []byte("costs:import")) {
		t.Errorf("the refusal is not in the audit log: %d %s", status, log)
	}
}

// TestProblem: a refusal names code, field and the way out.
func TestProblem(t *testing.T) {
	w := newWorld(t)
	status, body := w.do(t, w.tokens["org:admin"], http.MethodGet, api.Prefix+"/costs?group=colour", nil, "")
	var p api.Problem
	must(t, json.Unmarshal(body, &p))
	if status != 422 || p.Code != outlay.CodeInvalid || p.Field != "group" || p.Fix == "" {
		t.Errorf("status %d, problem %+v", status, p)
	}
	status, body = w.do(t, w.tokens["org:admin"], http.MethodPost, api.Prefix+"/accounts", strings.NewReader(`{"name":"x","colour":"red"}`), "application/json")
	if status != 422 || !bytes.Contains(body, []byte("colour")) {
		t.Errorf("an unknown field: status %d, %s", status, body)
	}
}

// TestJSONAndCSVAgree, and CSV text is disarmed.
func TestJSONAndCSVAgree(t *testing.T) {
	w := newWorld(t)
	_, body := w.do(t, w.tokens["org:admin"], http.MethodGet, api.Prefix+"/costs", nil, "")
	var v control.CostView
	must(t, json.Unmarshal(body, &v))
	_, csv := w.do(t, w.tokens["org:admin"], http.MethodGet, api.Prefix+"/costs.csv", nil, "")
	if v.Total.Total.String() != "12.34" || !bytes.Contains(csv, []byte(",'=EC2,'=EC2,12.34,USD")) {
		t.Errorf("JSON total %s, CSV %s", v.Total.Total, csv)
	}
}

// TestLogin: a password becomes a token that works.
func TestLogin(t *testing.T) {
	w := newWorld(t)
	status, body := w.do(t, "", http.MethodPost, api.Prefix+"/login", strings.NewReader(`{"email":"admin@one.example","password":"correct horse battery"}`), "application/json")
	var got struct{ Token string }
	must(t, json.Unmarshal(body, &got))
	if status != 201 || got.Token == "" {
		t.Fatalf("status %d, %s", status, body)
	}
	if status, _ = w.do(t, got.Token, http.MethodGet, api.Prefix+"/me", nil, ""); status != 200 {
		t.Errorf("the token answers %d", status)
	}
}

package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/auth"
	"outlay/control"
	"outlay/outlaytest"
	"outlay/secret"
	"outlay/sqldb"
)

func fixedNow() time.Time { return time.Date(2026, 11, 22, 9, 41, 0, 0, time.UTC) }

type fixedClock struct{}

func (fixedClock) Now() time.Time { return fixedNow() }

const password = "correct horse 7 battery"

// house is the real control, auth and store behind the pages; only the provider and the cost engine are small.
type house struct {
	t       *testing.T
	store   outlay.Store
	auth    *auth.Auth
	control *control.Control
	nimbus  *nimbus
	loader  *loader
	uploads string // where files come in
	server  *httptest.Server
	org     string
}

func newHouse(t *testing.T, costs outlay.CostStore) *house {
	t.Helper()
	if costs == nil {
		costs = outlaytest.Charges(nil)
	}
	log := slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	store, err := sqldb.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "outlay.db"), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	box, err := secret.Open(filepath.Join(t.TempDir(), "keyset.json"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, store: store, nimbus: &nimbus{}, loader: &loader{}, uploads: t.TempDir(), org: "org_1"}
	h.auth = auth.New(auth.Options{Store: store, Clock: fixedClock{}, Log: log})
	h.control = control.New(control.Deps{
		Store: store, Providers: []outlay.Provider{h.nimbus}, Costs: costs, Sealer: box, Importer: h.loader, Passwords: h.auth, Clock: fixedClock{}, Log: log, LookEvery: time.Hour,
	})
	handler, err := New(Options{Control: h.control, Auth: h.auth, Clock: fixedClock{}, Log: log, Version: "test", Uploads: h.uploads})
	if err != nil {
		t.Fatal(err)
	}
	h.server = httptest.NewServer(handler)
	t.Cleanup(h.server.Close)
	return h
}

// testLog sends a server's log into the test's.
type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	if !strings.Contains(string(b), "context canceled") {
		l.t.Logf("server: %s", b)
	}
	return len(b), nil
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// people founds the organization with one person per role: admin@example.org, finance@…, lead@…, member@…, auditor@….
func (h *house) people() {
	h.t.Helper()
	ctx := h.t.Context()
	h.must(h.store.Install().AddOrganization(ctx, outlay.Organization{ID: h.org, Name: "Northwind Labs", CreatedAt: fixedNow()}))
	hash, err := h.auth.HashPassword(outlay.NewSecret(password))
	h.must(err)
	names := map[outlay.Role]string{outlay.RoleAdmin: "Maya Okafor", outlay.RoleFinance: "Jon Lindqvist", outlay.RoleLead: "Amal Haddad", outlay.RoleMember: "Sergei Petrov", outlay.RoleAuditor: "Ines Duarte"}
	h.must(h.store.ForOrg(ctx, h.org, func(tx outlay.Tx) error {
		if err := tx.PutGroup(ctx, outlay.Group{OrgID: h.org, ID: "hydrology", Name: "hydrology", CreatedAt: fixedNow()}); err != nil {
			return err
		}
		for _, role := range outlay.Roles() {
			short := shortRole(role)
			u := outlay.User{OrgID: h.org, ID: "usr_" + short, Email: short + "@example.org", Name: names[role], Handle: strings.ToLower(names[role][:1]) + "." + strings.ToLower(strings.Fields(names[role])[1]), Password: hash, CreatedAt: fixedNow()}
			m := outlay.Membership{OrgID: h.org, UserID: u.ID, Role: role}
			if role == outlay.RoleLead {
				m.GroupID = "hydrology"
			}
			if err := tx.PutUser(ctx, u); err != nil {
				return err
			}
			if err := tx.PutMembership(ctx, m); err != nil {
				return err
			}
		}
		return nil
	}))
}

func shortRole(r outlay.Role) string {
	if _, after, ok := strings.Cut(string(r), ":"); ok {
		return after
	}
	return string(r)
}

// browser is somebody's cookies.
type browser struct {
	h      *house
	client *http.Client
}

func (h *house) nobody() browser {
	jar, err := cookiejar.New(nil)
	h.must(err)
	return browser{h, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// signIn is the browser of a role's person, signed in over the page.
func (h *house) signIn(role outlay.Role) browser {
	h.t.Helper()
	b := h.nobody()
	res := b.post("/login", url.Values{"email": {shortRole(role) + "@example.org"}, "password": {password}})
	if res.status != http.StatusSeeOther {
		h.t.Fatalf("sign-in of %s: %d %s", role, res.status, res.body)
	}
	return b
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (b browser) do(method, path string, form url.Values, headers ...string) answer {
	b.h.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(context.Background(), method, b.h.server.URL+path, body)
	b.h.must(err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.client.Do(req)
	b.h.must(err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	b.h.must(err)
	return answer{res.StatusCode, res.Header, string(text)}
}

func (b browser) get(path string, headers ...string) answer {
	b.h.t.Helper()
	return b.do(http.MethodGet, path, nil, headers...)
}

func (b browser) post(path string, form url.Values, headers ...string) answer {
	b.h.t.Helper()
	return b.do(http.MethodPost, path, form, headers...)
}

// page is get that insists on 200.
func (b browser) page(path string) string {
	b.h.t.Helper()
	a := b.get(path)
	if a.status != http.StatusOK {
		b.h.t.Fatalf("GET %s: %d\n%s", path, a.status, a.body)
	}
	return a.body
}

// wants checks that a page holds every text, in this order.
func wants(t *testing.T, page string, texts ...string) {
	t.Helper()
	rest := strings.ReplaceAll(page, "&#43;", "+") // html/template escapes it, browsers do not show it so
	for _, text := range texts {
		i := strings.Index(rest, text)
		if i < 0 {
			t.Fatalf("the page lacks, after what came before, %q:\n%s", text, page)
		}
		rest = rest[i+len(text):]
	}
}

// lacks checks that a page holds none of the texts.
func lacks(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(page, text) {
			t.Errorf("the page must not hold %q:\n%s", text, page)
		}
	}
}

// seed fills the organization: two accounts of which one delivers and one is new, runs in every state, published and
// rejected months, an overlap, a token, and names that try to be markup.
func (h *house) seed() {
	h.t.Helper()
	h.people()
	ctx := h.t.Context()
	h.must(h.store.ForOrg(ctx, h.org, func(tx outlay.Tx) error {
		for _, put := range []func(context.Context, outlay.Tx) error{h.putAccounts, h.putSource, h.putHeads, h.putRuns} {
			if err := put(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (h *house) putAccounts(ctx context.Context, tx outlay.Tx) error {
	now := fixedNow()
	scope := outlay.BillingScope{ID: "210987654321", Name: "Northwind", IsPayer: true}
	first := outlay.CloudAccount{OrgID: h.org, ID: "acc_main", Name: "prod-hpc", Provider: "nimbus", CreatedAt: now.AddDate(0, -3, 0), Identity: outlay.Identity{AccountID: "210987654321", Principal: "role/billing-provisioner", Scope: scope}}
	first.Credential = outlay.Credential{Kind: "role", Values: map[string]string{"role": "role/billing-provisioner", "external-id": "Zm9yIHRoZSB0ZXN0IG9ubHk"}, Version: 1, UpdatedAt: now.AddDate(0, -3, 0)}
	first.Status = outlay.BillingStatus{
		Status: outlay.Provisioned, Reason: "Cost data is arriving. Found by itself, checked every hour.", At: now.Add(-2 * time.Minute), Since: now.AddDate(0, -2, -20), Via: "src_main", OwnerID: "acc_main",
		DataThrough: now.Truncate(24 * time.Hour), DeliveredAt: now.Add(-2 * time.Hour), NextLook: now.Add(58 * time.Minute),
		Axes: []outlay.Axis{
			{Name: "credential", State: outlay.AxisGood, Reason: "Signs in as role/billing-provisioner.", At: now.Add(-2 * time.Minute)}, {Name: "infrastructure", State: outlay.AxisGood, Reason: "Store and policy are as planned.", At: now.Add(-2 * time.Minute)},
			{Name: "export", State: outlay.AxisGood, Reason: "Healthy, last refreshed 07:41 UTC.", At: now.Add(-2 * time.Minute)}, {Name: "tags", State: outlay.AxisPending, Reason: "7 of 9 are active. SessionID was not seen yet; we try it every hour.", At: now.Add(-2 * time.Minute)},
			{Name: "data", State: outlay.AxisGood, Reason: "Charges up to 21 Nov.", At: now.Add(-2 * time.Minute)},
		},
	}
	second := outlay.CloudAccount{OrgID: h.org, ID: "acc_two", Name: "sandbox", Provider: "nimbus", CreatedAt: now.Add(-20 * time.Minute), Identity: outlay.Identity{AccountID: "118520047723", Scope: outlay.BillingScope{ID: "210987654321"}}}
	second.Credential = outlay.Credential{Kind: "keys", Values: map[string]string{"key": "NK7EXAMPLE"}, Version: 1, UpdatedAt: now}
	second.Status = outlay.BillingStatus{Status: outlay.Checking, Reason: "We are looking for cost data.", At: now, Since: now, NextLook: now.Add(time.Minute), CouldNotCheckSince: now.Add(-time.Minute), CouldNotCheckWhy: "Nimbus answered Throttled.", Axes: []outlay.Axis{{Name: "credential", State: outlay.AxisBad, Reason: "Secret expired 18 Nov", At: now}}}
	third := outlay.CloudAccount{OrgID: h.org, ID: "acc_evil", Name: "other-payer", Provider: "nimbus", CreatedAt: now, Identity: outlay.Identity{AccountID: `"><img src=x onerror=alert(1)>`, Scope: outlay.BillingScope{ID: "999"}}}
	third.Credential = outlay.Credential{Kind: "role", Values: map[string]string{"role": `<script>alert(2)</script>`}, Version: 1, UpdatedAt: now}
	third.Status = outlay.BillingStatus{Status: outlay.Unprovisioned, Reason: "No cost data. Provision billing here, or on another account of this payer.", At: now, Since: now}
	for _, a := range []outlay.CloudAccount{first, second, third} {
		if err := tx.PutAccount(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

func (h *house) putSource(ctx context.Context, tx outlay.Tx) error {
	now := fixedNow()
	src := outlay.Source{OrgID: h.org, ID: "src_main", Name: "prod-hpc", Provider: "nimbus", AccountID: "acc_main", Scope: outlay.BillingScope{ID: "210987654321", IsPayer: true}, Origin: outlay.OriginCreated, Desired: outlay.Present, CreatedAt: now.AddDate(0, -3, 0),
		Spec: &outlay.Spec{Region: "north-1", Fields: map[string]string{"format": "focus"}, Tags: outlay.TagKeys()}}
	if err := tx.PutSource(ctx, src); err != nil {
		return err
	}
	file := outlay.Source{OrgID: h.org, ID: "src_file", Name: "october.csv", Origin: outlay.OriginFiles, Desired: outlay.Present, CreatedAt: now}
	if err := tx.PutSource(ctx, file); err != nil {
		return err
	}
	rows := []outlay.Resource{
		{Kind: "nimbus/store", Name: "outlay-billing-7f3a9c", State: outlay.StateVerified, Origin: outlay.CreatedByUs, LastSeen: now.Add(-2 * time.Minute)},
		{Kind: "nimbus/export", Name: "outlay-focus-daily", State: outlay.StateVerified, Origin: outlay.CreatedByUs, LastSeen: now.Add(-2 * time.Minute)},
		{Kind: "nimbus/tag", Name: "User", State: outlay.StateVerified, LastSeen: now}, {Kind: "nimbus/tag", Name: "SessionID", State: outlay.StateWaiting, LastError: "Not seen by Nimbus yet"},
	}
	for _, r := range rows {
		r.OrgID, r.SourceID = h.org, "src_main"
		if err := tx.PutResource(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func sums(figure string) map[string]map[outlay.Measure]string {
	return map[string]map[outlay.Measure]string{"USD": {outlay.Billed: figure, outlay.Effective: figure, outlay.List: figure, outlay.Contracted: figure}}
}

func (h *house) putHeads(ctx context.Context, tx outlay.Tx) error {
	now := fixedNow()
	before := outlay.Proof{Rows: 3100, Read: sums("61204.18"), Written: sums("61204.18")}
	for i, figure := range []string{"46306.81", "61377.92", "58002.004"} {
		p := outlay.PeriodOf(now.AddDate(0, -i, 0))
		unit := outlay.Unit{OrgID: h.org, ID: fmt.Sprintf("unit_%d", i), SourceID: "src_main", Period: p, State: outlay.UnitPublished, Delivery: outlay.Delivery{Period: p, Version: now.Add(-2 * time.Hour), Token: fmt.Sprint("t", i)}, SeenAt: now, LoadedAt: now}
		if _, _, err := tx.AddUnit(ctx, unit); err != nil {
			return err
		}
		head := outlay.Head{OrgID: h.org, SourceID: "src_main", Provider: "nimbus", Origin: outlay.OriginCreated, Period: p, UnitID: unit.ID, Version: now.Add(-2 * time.Hour), Generation: fmt.Sprint("g", i),
			Proof: outlay.Proof{Rows: 3412, Read: sums(figure), Written: sums(figure), Unknown: []string{"x_Discounts"}, Rounded: 12}, DataThrough: p.End(), DeliveredAt: now.Add(-2 * time.Hour), PublishedAt: now.Add(-time.Hour)}
		if i == 0 {
			head.DataThrough = now.Truncate(24 * time.Hour)
		}
		if i == 1 {
			head.Previous = &before
		}
		if err := tx.Publish(ctx, head); err != nil {
			return err
		}
	}
	bad := outlay.Unit{OrgID: h.org, ID: "unit_bad", SourceID: "src_main", Period: outlay.PeriodOf(now.AddDate(0, -3, 0)), State: outlay.UnitQuarantined, Attempts: 5, Delivery: outlay.Delivery{Period: outlay.PeriodOf(now.AddDate(0, -3, 0)), Version: now.Add(-5 * time.Hour), Token: "bad"},
		Problem: &outlay.Problem{Code: outlay.CodeInvalid, Message: "File 0.parquet has no column BilledCost.", Fix: "Nimbus has to deliver the month again."}, SeenAt: now}
	if _, _, err := tx.AddUnit(ctx, bad); err != nil {
		return err
	}
	return tx.PutUnit(ctx, bad)
}

func (h *house) putRuns(ctx context.Context, tx outlay.Tx) error {
	now := fixedNow()
	base := outlay.Operation{OrgID: h.org, Kind: outlay.OpProvision, SourceID: "src_main", AccountID: "acc_main", Provider: "nimbus", ScopeID: "210987654321", CreatedBy: "usr_admin", CreatedAt: now.AddDate(0, -3, 0), StartedAt: now.AddDate(0, -3, 0)}
	done := base
	done.ID, done.Status, done.EndedAt = "run_done", outlay.OpDone, done.StartedAt.Add(12*time.Second)
	stopped := base
	stopped.ID, stopped.SourceID, stopped.AccountID, stopped.ScopeID, stopped.Status, stopped.CreatedAt, stopped.StartedAt = "run_stopped", "src_other", "acc_evil", "999", outlay.OpWaiting, now.Add(-3*time.Minute), now.Add(-3*time.Minute)
	stopped.Problem = &outlay.Problem{Code: outlay.CodeForbidden, Message: "Nimbus answered AccessDenied: export:Make.", Fix: "Add it to role/billing-provisioner, then Try again. It picks up at this step.", Step: "Make the export",
		Needs: []outlay.Permission{{Action: "export:Make", Resource: "*", For: "the data export"}}, Policy: "{\n  \"allow\": [\"export:Make\"]\n}"}
	other := outlay.Source{OrgID: h.org, ID: "src_other", Name: "other-payer", Provider: "nimbus", AccountID: "acc_evil", Scope: outlay.BillingScope{ID: "999"}, Origin: outlay.OriginCreated, Desired: outlay.Present, CreatedAt: now, Spec: &outlay.Spec{Region: "north-1"}}
	if err := tx.PutSource(ctx, other); err != nil {
		return err
	}
	for _, o := range []outlay.Operation{done, stopped} {
		if _, err := tx.AddOperation(ctx, o); err != nil {
			return err
		}
		if err := tx.PutOperation(ctx, o); err != nil { // added ones are always queued
			return err
		}
	}
	for kind, name := range map[outlay.ResourceKind]string{"nimbus/store": "outlay-billing-7f3a9c", "nimbus/export": "outlay-focus-daily"} {
		r := outlay.Resource{OrgID: h.org, SourceID: "src_other", Kind: kind, Name: name, State: outlay.StateIntended, Origin: outlay.CreatedByUs, OperationID: "run_stopped"}
		if err := tx.PutResource(ctx, r); err != nil {
			return err
		}
	}
	steps := []outlay.Step{
		{OperationID: "run_done", Seq: 1, Title: "Check the credential", State: outlay.StepDone, Detail: "Signed in to 210987654321.", Calls: 2},
		{OperationID: "run_stopped", Seq: 1, Title: "Check the credential", State: outlay.StepDone, Detail: "Signed in.", Calls: 2, StartedAt: now.Add(-3 * time.Minute), EndedAt: now.Add(-3*time.Minute + 1200*time.Millisecond)},
		{OperationID: "run_stopped", Seq: 2, Title: "Make the store", State: outlay.StepDone, Detail: "outlay-billing-7f3a9c in north-1, encrypted, private", Calls: 3, StartedAt: now.Add(-2 * time.Minute), EndedAt: now.Add(-2*time.Minute + 900*time.Millisecond)},
		{OperationID: "run_stopped", Seq: 3, Title: "Make the export", State: outlay.StepWaiting, Detail: "AccessDenied", Calls: 1, StartedAt: now.Add(-2 * time.Minute)},
		{OperationID: "run_stopped", Seq: 4, Title: "Turn on the tags", State: outlay.StepPending, Detail: "9 keys"},
	}
	for _, s := range steps {
		s.OrgID = h.org
		if err := tx.PutStep(ctx, s, 0); err != nil {
			return err
		}
	}
	return nil
}

package web

import (
	"fmt"
	"net/http"
	"slices"

	"outlay"
	"outlay/auth"
)

// anyone marks the few routes that need no sign-in. It is no Action of the Role × Action table.
const anyone outlay.Action = "anyone"

// route is one address, what it needs, and who answers it.
type route struct {
	pattern string
	action  outlay.Action
	handle  func(*call) error
	stream  bool // answers message by message
	upload  bool // reads its body itself, file by file
}

// call is one request with the person who makes it.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	actor  outlay.Actor
	action outlay.Action // that the route declares
}

// partial tells whether htmx asked for a part of the page. Going back in the history asks for a whole one.
func (c *call) partial() bool {
	return c.r.Header.Get("HX-Request") == "true" && c.r.Header.Get("HX-Request-Type") != "full" && c.r.Header.Get("HX-History-Restore-Request") != "true"
}

// maxForm is the most bytes that a form may have: a credential and a few fields.
const maxForm = 1 << 20

// guard checks the declared action before the handler runs, and turns its error into a page.
func (s *site) guard(r route) http.HandlerFunc {
	if r.action != anyone && !slices.Contains(outlay.Actions(), r.action) {
		panic(fmt.Sprintf("web: the route %s declares no action", r.pattern))
	}
	return func(w http.ResponseWriter, req *http.Request) {
		c := &call{w: w, r: req, actor: auth.ActorFrom(req.Context()), action: r.action}
		err := s.answer(r, c)
		if err != nil {
			s.problem(c, err)
		}
	}
}

func (s *site) answer(r route, c *call) error {
	// A change is refused by its verb, which also writes the refusal to the audit log; a test walks every route and role.
	change := c.r.Method == http.MethodPost
	if r.action != anyone && (!change || c.actor.UserID == "") {
		if err := c.actor.Must(r.action); err != nil {
			return err
		}
	}
	if change && !r.upload {
		c.r.Body = http.MaxBytesReader(c.w, c.r.Body, maxForm)
		if err := c.r.ParseForm(); err != nil {
			return outlay.Errorf(outlay.CodeInvalid, "Go back and send the form again.", "the form could not be read")
		}
	}
	return r.handle(c)
}

// routes lists every address. Each declares the action that opens it; the verbs check once more.
func (s *site) routes() []route {
	return slices.Concat(s.openRoutes(), s.costRoutes(), s.accountRoutes(), s.billingRoutes(), s.existingRoutes(), s.tagRoutes(), s.peopleRoutes())
}

func (s *site) openRoutes() []route {
	return []route{
		{pattern: "GET /favicon.ico", action: anyone, handle: s.favicon},
		{pattern: "GET /login", action: anyone, handle: s.loginPage},
		{pattern: "POST /login", action: anyone, handle: s.login},
		{pattern: "POST /logout", action: anyone, handle: s.logout},
		{pattern: "GET /setup", action: anyone, handle: s.setupPage},
		{pattern: "POST /setup", action: anyone, handle: s.setup},
		{pattern: "POST /theme", action: anyone, handle: s.theme},
		{pattern: "GET /{$}", action: outlay.SelfRead, handle: s.home},
		{pattern: "/", action: anyone, handle: s.nowhere},
	}
}

func (s *site) costRoutes() []route {
	return []route{
		{pattern: "GET /costs", action: outlay.CostsRead, handle: s.costs},
		{pattern: "GET /costs.csv", action: outlay.CostsRead, handle: s.costsCSV},
		{pattern: "GET /costs.json", action: outlay.CostsRead, handle: s.costsJSON},
		{pattern: "GET /costs/values", action: outlay.CostsRead, handle: s.costValues},
		{pattern: "GET /data-health", action: outlay.AccountsRead, handle: s.dataHealth},
		{pattern: "POST /data-health/{id}/remove", action: outlay.CostsImport, handle: s.removeHistory},
		{pattern: "GET /imports", action: outlay.CostsImport, handle: s.importsPage},
		{pattern: "POST /imports", action: outlay.CostsImport, handle: s.importFiles, upload: true},
	}
}

func (s *site) accountRoutes() []route {
	return []route{
		{pattern: "GET /accounts", action: outlay.AccountsRead, handle: s.accounts},
		{pattern: "POST /accounts", action: outlay.AccountsWrite, handle: s.addAccount},
		{pattern: "POST /accounts/check", action: outlay.BillingCheck, handle: s.checkAll},
		{pattern: "GET /accounts/new", action: outlay.AccountsWrite, handle: s.newAccount},
		{pattern: "GET /accounts/{id}", action: outlay.AccountsRead, handle: s.account},
		{pattern: "POST /accounts/{id}/check", action: outlay.BillingCheck, handle: s.checkNow},
		{pattern: "GET /accounts/{id}/credential", action: outlay.AccountsWrite, handle: s.credentialPage},
		{pattern: "POST /accounts/{id}/credential", action: outlay.AccountsWrite, handle: s.rotateCredential},
		{pattern: "GET /accounts/{id}/diagnostics", action: outlay.BillingPlan, handle: s.diagnostics},
		{pattern: "POST /accounts/{id}/remove", action: outlay.AccountsWrite, handle: s.removeAccount},
	}
}

func (s *site) billingRoutes() []route {
	return []route{
		{pattern: "GET /accounts/{id}/billing/provision", action: outlay.BillingProvision, handle: s.provisionPage},
		{pattern: "POST /accounts/{id}/billing/provision", action: outlay.BillingProvision, handle: s.provision},
		{pattern: "POST /accounts/{id}/billing/provision/plan", action: outlay.BillingPlan, handle: s.provisionPlan},
		{pattern: "GET /accounts/{id}/billing/deprovision", action: outlay.BillingDeprovision, handle: s.deprovisionPage},
		{pattern: "POST /accounts/{id}/billing/deprovision", action: outlay.BillingDeprovision, handle: s.deprovision},
		{pattern: "POST /accounts/{id}/billing/backfill", action: outlay.BillingProvision, handle: s.backfill},
		{pattern: "GET /runs/{id}", action: outlay.RunsRead, handle: s.run},
		{pattern: "GET /runs/{id}/events", action: outlay.RunsRead, handle: s.runEvents, stream: true},
		{pattern: "POST /runs/{id}/resume", action: outlay.BillingProvision, handle: s.resumeRun},
		{pattern: "POST /runs/{id}/undo", action: outlay.BillingDeprovision, handle: s.undoRun},
	}
}

// existingRoutes are about exports that stand already, and about set-ups that are not as planned or given up.
func (s *site) existingRoutes() []route {
	return []route{
		{pattern: "GET /accounts/{id}/billing/import", action: outlay.BillingPlan, handle: s.importPage},
		{pattern: "POST /accounts/{id}/billing/import", action: outlay.BillingProvision, handle: s.importExport},
		{pattern: "GET /accounts/{id}/billing/drift", action: outlay.BillingPlan, handle: s.driftPage},
		{pattern: "POST /accounts/{id}/billing/repair", action: outlay.BillingProvision, handle: s.repair},
		{pattern: "GET /accounts/{id}/billing/abandon", action: outlay.BillingDeprovision, handle: s.abandonPage},
		{pattern: "POST /accounts/{id}/billing/abandon", action: outlay.BillingDeprovision, handle: s.abandon},
		{pattern: "GET /sources/{id}/kept", action: outlay.BillingDeprovision, handle: s.keptPage},
		{pattern: "POST /sources/{id}/kept", action: outlay.BillingDeprovision, handle: s.deleteKept},
		{pattern: "GET /sources/{id}/stop", action: outlay.BillingDeprovision, handle: s.stopPage},
		{pattern: "POST /sources/{id}/stop", action: outlay.BillingDeprovision, handle: s.stopReading},
	}
}

func (s *site) tagRoutes() []route {
	return []route{
		{pattern: "GET /tags", action: outlay.AccountsRead, handle: s.tags},
		{pattern: "GET /accounts/{id}/tags", action: outlay.BillingProvision, handle: s.activatePage},
		{pattern: "POST /accounts/{id}/tags", action: outlay.BillingProvision, handle: s.activateTags},
		{pattern: "POST /accounts/{id}/tags/plan", action: outlay.BillingPlan, handle: s.activatePlan},
	}
}

func (s *site) peopleRoutes() []route {
	return []route{
		{pattern: "GET /users", action: outlay.PeopleRead, handle: s.users},
		{pattern: "POST /users", action: outlay.PeopleWrite, handle: s.addUser},
		{pattern: "POST /users/{id}/role", action: outlay.PeopleWrite, handle: s.setRole},
		{pattern: "POST /users/{id}/disabled", action: outlay.PeopleWrite, handle: s.disableUser},
		{pattern: "POST /groups", action: outlay.PeopleWrite, handle: s.addGroup},
		{pattern: "GET /tokens", action: outlay.TokensOwn, handle: s.tokens},
		{pattern: "POST /tokens", action: outlay.TokensOwn, handle: s.createToken},
		{pattern: "POST /tokens/{id}/revoke", action: outlay.TokensOwn, handle: s.revokeToken},
		{pattern: "GET /audit", action: outlay.AuditRead, handle: s.audit},
	}
}

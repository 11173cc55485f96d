package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"outlay"
)

var hidden = regexp.MustCompile(`<(?:input type="hidden"|button class="btn pri") name="(plan|idem)" value="([^"]+)"`)

// kept reads the plan and the idempotency key that a form carries.
func kept(t *testing.T, page string) url.Values {
	t.Helper()
	out := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		out.Set(m[1], m[2])
	}
	return out
}

// TestProvisionWithoutScript walks the form as a browser without JavaScript does: show the plan, look, confirm.
func TestProvisionWithoutScript(t *testing.T) {
	h := newHouse(t, nil)
	h.people()
	b := h.signIn(outlay.RoleAdmin)
	made := b.post("/accounts", url.Values{"provider": {"nimbus"}, "kind": {"role"}, "name": {"prod-hpc"}, "v-role": {"role/billing"}})
	account := made.header.Get("Location")
	if made.status != http.StatusSeeOther || !strings.HasPrefix(account, "/accounts/acc_") {
		t.Fatalf("adding: %d %s %s", made.status, account, made.body)
	}
	path := account + "/billing/provision"
	form := b.page(path)
	for _, page := range []string{"regions", "permissions", "prefixes"} { // a provider's own pages, which learn nothing of where one came from
		wants(t, form, `href="https://docs.nimbus.example/`+page+`" target="_blank" rel="noreferrer"`)
	}
	wants(t, form, "Provision billing for Nimbus", "north-1 · Northern hills", "Turn the nine tags on for me", "Show plan")
	answers := url.Values{"region": {"south-1"}, "field-format": {"focus"}, "tags": {"on"}, "idem": kept(t, form)["idem"]}
	if a := b.post(path, answers); a.status != http.StatusOK || !strings.Contains(a.body, "outlay-billing-7f3a9c") {
		t.Fatalf("confirming without a plan must show it first: %d %s", a.status, a.body)
	}
	shown := b.post(path+"/plan", answers)
	wants(t, shown.body, "You do this once for Nimbus", `value="south-1" selected`, `name="plan" value="`, "Private, encrypted, in south-1.", "3 of 3 permissions present", "outlay billing provision prod-hpc --region south-1")
	answers["plan"] = []string{"another plan"}
	if a := b.post(path, answers); a.status != http.StatusConflict || !strings.Contains(a.body, "The plan has changed since you saw it") {
		t.Errorf("a changed plan: %d %s", a.status, a.body)
	}
	answers["plan"] = kept(t, shown.body)["plan"]
	run := b.post(path, answers)
	if run.status != http.StatusSeeOther || !strings.HasPrefix(run.header.Get("Location"), "/runs/run_") {
		t.Fatalf("confirming: %d %s", run.status, run.body)
	}
	if again := b.post(path, answers); again.header.Get("Location") != run.header.Get("Location") {
		t.Errorf("the same form twice made two runs: %s and %s", run.header.Get("Location"), again.header.Get("Location"))
	}
	wants(t, b.page(run.header.Get("Location")), `<noscript><meta http-equiv="refresh" content="3">`, "Started by Maya Okafor", "Waiting for a worker")
	wants(t, b.page(account), "Provision billing", "See the run")
}

// TestPlanPart answers htmx with the panel, and the foot that confirms exactly this plan.
func TestPlanPart(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	b := h.signIn(outlay.RoleAdmin)
	path, part := "/accounts/acc_evil/billing/provision/plan", []string{"HX-Request", "true", "HX-Request-Type", "partial"}
	a := b.post(path, url.Values{"region": {"north-1"}}, part...)
	lacks(t, a.body, "<html", "Where it goes")
	wants(t, a.body, `<div id="plan">`, "A run on this account is not finished", `id="foot" hx-swap-oob="true"`, "Look again")
	h.nimbus.denied = []outlay.Permission{{Action: "export:Make", For: "the data export", State: outlay.PermissionDenied}}
	a = b.post("/accounts/acc_two/billing/provision/plan", url.Values{"region": {"north-1"}}, part...)
	wants(t, a.body, "The credential lacks export:Make.", "3 of 4 permissions present", "export:Make", "The smallest policy that grants it", "&#34;allow&#34;")
	if strings.Contains(a.body, `name="plan"`) {
		t.Error("a blocked plan can be confirmed")
	}
	h.nimbus.fail = outlay.Errorf(outlay.CodeUnavailable, "Try again in a minute.", "Nimbus did not answer")
	a = b.post("/accounts/acc_two/billing/provision/plan", url.Values{"region": {"south-1"}, "tags": {"on"}}, part...)
	wants(t, a.body, "Nimbus did not answer", "Try again in a minute.")
	if a := b.post("/accounts/acc_two/billing/provision/plan", url.Values{"region": {"atlantis"}}); a.status != http.StatusUnprocessableEntity {
		t.Errorf("an unknown region: %d", a.status)
	}
}

// TestDeprovisionForm insists on the choice and the typed name, and preselects nothing.
func TestDeprovisionForm(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	b := h.signIn(outlay.RoleAdmin)
	const path = "/accounts/acc_main/billing/deprovision"
	page := b.page(path)
	wants(t, page, "prod-hpc stops delivering", "Deleted from Nimbus account 210987654321", "Data export", "Object store, only if you choose so below", "Left alone", "3 months loaded", "Delivered cost data", "Also remove loaded history", "Type <code>prod-hpc</code> to confirm", "Deprovision billing", "Keep it")
	lacks(t, page, " checked")
	form := kept(t, page)
	for _, c := range []struct {
		files, confirm, want string
	}{{"", "prod-hpc", "Say what happens to the delivered cost files"}, {"keep", "", "The name does not match"}, {"delete", "Prod-HPC", "The name does not match"}, {"both", "prod-hpc", "Say what happens"}} {
		form.Set("cost-files", c.files)
		form.Set("confirm", c.confirm)
		if a := b.post(path, form); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, c.want) || !strings.Contains(a.body, `id="errors"`) {
			t.Errorf("%q, %q: %d\n%s", c.files, c.confirm, a.status, a.body)
		}
	}
	form.Set("cost-files", "keep")
	form.Set("confirm", "prod-hpc")
	if a := b.post(path, form); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/runs/run_") {
		t.Errorf("confirmed: %d\n%s", a.status, a.body)
	}
	if a := b.get("/accounts/acc_two/billing/deprovision"); a.status != http.StatusConflict || !strings.Contains(a.body, "has no billing set up") {
		t.Errorf("nothing to deprovision: %d\n%s", a.status, a.body)
	}
}

// TestSecretLines: a key in PEM arrives with its lines.
func TestSecretLines(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/accounts", strings.NewReader(url.Values{"v-secret": {"-----BEGIN X-----\r\nabcd\r\n-----END X-----\r\n"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, secrets := fields(&call{r: r}, outlay.CredentialKind{Fields: []outlay.ProviderField{{Name: "secret", Secret: true}}})
	if got := secrets["secret"].Reveal(); got != "-----BEGIN X-----\r\nabcd\r\n-----END X-----" {
		t.Errorf("%q", got)
	}
}

// TestAccountForms adds, refuses, replaces and removes, and never shows a secret again.
func TestAccountForms(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	b := h.signIn(outlay.RoleAdmin)
	const canary = "canary-f81c27"
	bad := b.post("/accounts", url.Values{"provider": {"nimbus"}, "kind": {"keys"}, "name": {"Bad Name"}, "v-key": {"NK7"}, "v-secret": {canary}})
	if bad.status != http.StatusUnprocessableEntity {
		t.Errorf("a bad name: %d", bad.status)
	}
	wants(t, bad.body, "does not fit", `value="Bad Name"`, `aria-invalid="true"`, "can be stolen", `value="NK7"`, `<textarea class="secret" id="v-secret"`, `></textarea>`)
	lacks(t, bad.body, canary)
	if a := b.post("/accounts", url.Values{"provider": {"nimbus"}, "kind": {"keys"}, "name": {"prod-hpc"}, "v-key": {"NK7"}, "v-secret": {canary}}); a.status != http.StatusConflict || !strings.Contains(a.body, "Choose another name") {
		t.Errorf("a taken name: %d", a.status)
	}
	if a := b.post("/accounts", url.Values{"provider": {"nimbus"}, "kind": {"keys"}, "name": {"no-secret"}, "v-key": {"NK7"}}); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Secret key is missing") {
		t.Errorf("a missing secret: %d", a.status)
	}
	made := b.post("/accounts", url.Values{"provider": {"nimbus"}, "kind": {"role"}, "name": {"third"}, "v-role": {"role/x"}})
	page := b.page(made.header.Get("Location"))
	wants(t, page, "third", "Checking", "External id", "What Nimbus needs for this", "&#34;role&#34;: &#34;role/x&#34;")
	lacks(t, page, "{external-id}", "{role}")
	path := made.header.Get("Location")
	if a := b.post(path+"/credential", url.Values{"provider": {"nimbus"}, "kind": {"keys"}, "v-key": {"NK8"}, "v-secret": {canary}}); a.status != http.StatusSeeOther {
		t.Errorf("replacing: %d %s", a.status, a.body)
	}
	wants(t, b.page(path), "Access key", "NK8", "sealed", "can be stolen")
	lacks(t, b.page(path)+b.page("/audit")+b.page(path+"/credential"), canary)
	if a := b.post(path+"/remove", url.Values{"confirm": {"fourth"}}); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong name removed the account: %d", a.status)
	}
	if a := b.post(path+"/remove", url.Values{"confirm": {"third"}}); a.header.Get("Location") != "/accounts" {
		t.Errorf("removing: %d %s", a.status, a.body)
	}
	if a := b.post("/accounts/acc_main/remove", url.Values{"confirm": {"prod-hpc"}}); a.status != http.StatusConflict {
		t.Errorf("an account with a set-up was removed: %d", a.status)
	}
	for _, path := range []string{"/accounts/acc_main/check", "/accounts/check"} {
		if a := b.post(path, url.Values{"next": {"/data-health"}}); a.header.Get("Location") != "/data-health" {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

// TestBackfillForm asks for tags in past months, on request only.
func TestBackfillForm(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	b := h.signIn(outlay.RoleAdmin)
	page := b.page("/accounts/acc_main")
	wants(t, page, "Tags in past months", `<option value="2026-10">October 2026</option>`, `<option value="2025-11">`)
	lacks(t, b.page("/accounts/acc_two")+h.signIn(outlay.RoleAuditor).page("/accounts/acc_main"), "Ask for a backfill")
	if a := b.post("/accounts/acc_main/billing/backfill", url.Values{"from": {"autumn"}}); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "not a billing period") {
		t.Errorf("a bad month: %d", a.status)
	}
	a := b.post("/accounts/acc_main/billing/backfill", url.Values{"from": {"2026-09"}, "idem": kept(t, page)["idem"]})
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/runs/run_") {
		t.Errorf("asking: %d\n%s", a.status, a.body)
	}
	wants(t, b.page(a.header.Get("Location")), "Ask for a backfill")
}

// TestPeopleForms adds, promotes and disables people, and keeps an administrator.
func TestPeopleForms(t *testing.T) {
	h := newHouse(t, nil)
	h.people()
	b := h.signIn(outlay.RoleAdmin)
	if a := b.post("/users", url.Values{"email": {"no address"}, "role": {"member"}, "password": {password}}); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `value="no address"`) {
		t.Errorf("a bad address: %d", a.status)
	}
	if a := b.post("/users", url.Values{"email": {"new@example.org"}, "name": {"Nia"}, "role": {"member"}, "password": {password}}); a.status != http.StatusSeeOther {
		t.Errorf("adding: %d %s", a.status, a.body)
	}
	wants(t, b.page("/users"), "Nia", "new@example.org")
	if a := b.post("/users/usr_member/role", url.Values{"role": {"group:lead"}}); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Choose the group") {
		t.Errorf("a lead of nothing: %d", a.status)
	}
	if a := b.post("/users/usr_member/role", url.Values{"role": {"group:lead"}, "group": {"hydrology"}}); a.status != http.StatusSeeOther {
		t.Errorf("a lead: %d %s", a.status, a.body)
	}
	if a := b.post("/users/usr_admin/role", url.Values{"role": {"member"}}); a.status != http.StatusConflict {
		t.Errorf("the last administrator was demoted: %d", a.status)
	}
	b.post("/users/usr_finance/disabled", url.Values{"disabled": {"yes"}})
	wants(t, b.page("/users"), "disabled")
	if a := b.post("/groups", url.Values{"group-name": {"genomics"}}); a.status != http.StatusSeeOther {
		t.Errorf("a group: %d", a.status)
	}
	wants(t, b.page("/users"), "genomics")
}

// TestTokenForms shows a token once.
func TestTokenForms(t *testing.T) {
	h := newHouse(t, nil)
	h.people()
	b := h.signIn(outlay.RoleFinance)
	a := b.post("/tokens", url.Values{"name": {"nightly"}, "days": {"7"}, "actions": {"costs:read", "costs:read-all"}})
	found := regexp.MustCompile(`outlay_[A-Za-z0-9_-]+`).FindString(a.body)
	if a.status != http.StatusOK || found == "" {
		t.Fatalf("creating: %d %s", a.status, a.body)
	}
	page := b.page("/tokens")
	wants(t, page, "nightly", "costs:read-all", "never")
	lacks(t, page, found)
	if got := h.nobody().get("/costs.json", "Authorization", "Bearer "+found); got.status != http.StatusOK {
		t.Errorf("the token does not work: %d", got.status)
	}
	if got := h.nobody().get("/accounts", "Authorization", "Bearer "+found); got.status != http.StatusForbidden {
		t.Errorf("the token does more than it was given: %d", got.status)
	}
	for _, form := range []url.Values{{"name": {""}}, {"name": {"x"}, "days": {"900"}}, {"name": {"x"}, "actions": {"billing:provision"}}} {
		if a := b.post("/tokens", form); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", form, a.status)
		}
	}
	id := regexp.MustCompile(`/tokens/([^/"]+)/revoke`).FindStringSubmatch(page)[1]
	b.post("/tokens/"+id+"/revoke", url.Values{})
	wants(t, b.page("/tokens"), "No token yet")
}

package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"outlay"
)

// TestRoles walks every route as every role and as nobody: who may not is refused, with the role that could; who may is
// not. Only the declared action decides.
func TestRoles(t *testing.T) {
	h := newHouse(t, someCharges(fixedNow()))
	h.seed()
	s := &site{Options: Options{Control: h.control, Auth: h.auth, Clock: fixedClock{}}}
	nobody := h.nobody()
	for _, role := range outlay.Roles() {
		b := h.signIn(role)
		for _, r := range s.routes() {
			if r.action == anyone || r.stream {
				continue
			}
			method, path, _ := strings.Cut(r.pattern, " ")
			path = strings.NewReplacer("{id}", "run_done", "{$}", "").Replace(path)
			if strings.HasPrefix(path, "/accounts/") {
				path = strings.Replace(path, "run_done", "acc_none", 1)
			}
			var form url.Values
			if method == http.MethodPost {
				form = url.Values{"confirm": {"prod-hpc"}}
			}
			t.Run(fmt.Sprintf("%s %s as %s", method, path, role), func(t *testing.T) {
				a := b.do(method, path, form)
				allowed := outlay.Allowed(role, r.action)
				if (a.status == http.StatusForbidden) == allowed {
					t.Errorf("status %d, allowed is %v\n%s", a.status, allowed, a.body)
				}
				if !allowed && !strings.Contains(a.body, string(outlay.RolesFor(r.action)[0])) {
					t.Errorf("the page does not name the role that could:\n%s", a.body)
				}
				if a := nobody.do(method, path, form); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/login") {
					t.Errorf("nobody got %d %s", a.status, a.header.Get("Location"))
				}
			})
		}
	}
}

// TestRefusalIsWrittenDown looks for the refused change in the audit log.
func TestRefusalIsWrittenDown(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	h.signIn(outlay.RoleMember).post("/accounts/acc_main/billing/provision", url.Values{"plan": {"x"}})
	h.signIn(outlay.RoleFinance).post("/accounts/acc_main/remove", url.Values{"confirm": {"prod-hpc"}})
	page := h.signIn(outlay.RoleAuditor).page("/audit")
	wants(t, page, "accounts:write", "forbidden", "billing:provision", "forbidden")
}

// TestAuditNames shows who it was where a worker knew only the id.
func TestAuditNames(t *testing.T) {
	h := newHouse(t, nil)
	h.people()
	h.must(h.store.ForOrg(t.Context(), h.org, func(tx outlay.Tx) error {
		return tx.Append(t.Context(), outlay.Entry{OrgID: h.org, At: fixedNow(), Actor: "usr_finance", Action: "cloud:create nimbus/store", Object: "outlay-billing", Result: "intent"})
	}))
	wants(t, h.signIn(outlay.RoleAuditor).page("/audit"), "Jon Lindqvist", "cloud:create nimbus/store", "intent")
}

func TestRail(t *testing.T) {
	for _, c := range []struct {
		actor outlay.Actor
		paths string
	}{
		{outlay.Actor{Roles: []outlay.Role{outlay.RoleAdmin}}, "/costs /accounts /tags /data-health /users /audit /tokens"},
		{outlay.Actor{Roles: []outlay.Role{outlay.RoleFinance}}, "/costs /accounts /tags /data-health /tokens"},
		{outlay.Actor{Roles: []outlay.Role{outlay.RoleMember}}, "/costs /tokens"},
		{outlay.Actor{LeadOf: []string{"hydrology"}}, "/costs /tokens"},
		{outlay.Actor{Roles: []outlay.Role{outlay.RoleAuditor}}, "/costs /accounts /tags /data-health /users /audit /tokens"},
		{outlay.Actor{}, ""},
	} {
		var got []string
		for _, g := range rail(c.actor) {
			for _, l := range g.Links {
				got = append(got, l.Path)
			}
		}
		if text := strings.Join(got, " "); text != c.paths {
			t.Errorf("%v: %s, want %s", c.actor.Roles, text, c.paths)
		}
	}
}

// TestUndeclaredRoute proves that a route cannot be forgotten in the table of roles.
func TestUndeclaredRoute(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a route without an action was accepted")
		}
	}()
	(&site{}).guard(route{pattern: "GET /secret"})
}

// TestHeaders asks for every kind of answer: page, part, error, redirect, asset, file.
func TestHeaders(t *testing.T) {
	h := newHouse(t, someCharges(fixedNow()))
	h.seed()
	b := h.signIn(outlay.RoleAdmin)
	icon := loadedAssets(t).url("icon.svg")
	for _, path := range []string{"/", "/costs", "/costs.csv", "/costs.json", "/nowhere", "/accounts/none", icon, "/static/x/nothing.js", "/login", "/runs/run_done/events"} {
		a := b.get(path)
		if got := a.header.Get("Content-Security-Policy"); got != policy || strings.Contains(got, "unsafe") {
			t.Errorf("%s: policy %q", path, got)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		keep := a.header.Get("Cache-Control")
		if path == icon && !strings.Contains(keep, "immutable") || path != icon && keep != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, keep)
		}
		if a.header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: HSTS on plain http", path)
		}
	}
	if a := b.get("/costs", "Accept-Encoding", "gzip"); a.header.Get("Content-Encoding") != "gzip" {
		t.Error("pages are not compressed")
	}
	if a := b.post("/theme", url.Values{"theme": {"dark"}}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden {
		t.Errorf("a cross-site form was taken: %d", a.status)
	}
}

// TestSecure marks answers and cookies where people come by https.
func TestSecure(t *testing.T) {
	h := newHouse(t, nil)
	h.people()
	handler, err := New(Options{Control: h.control, Auth: h.auth, Clock: fixedClock{}, Log: slog.New(slog.DiscardHandler), Secure: true})
	h.must(err)
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/theme", strings.NewReader("theme=dark"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	handler.ServeHTTP(w, r)
	if got := w.Header().Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=") {
		t.Errorf("HSTS is %q", got)
	}
	if got := w.Header().Get("Set-Cookie"); !strings.Contains(got, "theme=dark") || !strings.Contains(got, "Secure") || !strings.Contains(got, "SameSite=Lax") {
		t.Errorf("the cookie is %q", got)
	}
}

func TestLocal(t *testing.T) {
	for next, want := range map[string]string{
		"": "/", "/costs?range=7d": "/costs?range=7d", "https://evil.example": "/", "//evil.example": "/", `/\evil.example`: "/", "/a\r\nSet-Cookie: x": "/", "javascript:alert(1)": "/", "costs": "/", "/\tevil": "/",
	} {
		if got := local(next); got != want {
			t.Errorf("local(%q) is %q, want %q", next, got, want)
		}
	}
}

func FuzzLocal(f *testing.F) {
	f.Add("/costs")
	f.Add("//x")
	f.Fuzz(func(t *testing.T, next string) {
		got := local(next)
		base, _ := url.Parse("http://house.example/page")
		if to, err := base.Parse(got); err != nil || to.Host != "house.example" {
			t.Errorf("local(%q) = %q leads to %v %v", next, got, to, err)
		}
	})
}

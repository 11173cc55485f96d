package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"outlay"
)

// TestFirstRun makes the first administrator with the code of the log, once.
func TestFirstRun(t *testing.T) {
	h := newHouse(t, nil)
	b := h.nobody()
	if a := b.get("/login"); a.header.Get("Location") != "/setup" {
		t.Fatalf("first run: %d %s", a.status, a.header.Get("Location"))
	}
	code, needed, err := h.auth.SetupCode(t.Context())
	if err != nil || !needed {
		t.Fatal(needed, err)
	}
	form := url.Values{"code": {"WRONG"}, "organization": {"Northwind Labs"}, "name": {"Maya Okafor"}, "email": {"maya@example.org"}, "password": {password}}
	if a := b.post("/setup", form); a.status != http.StatusForbidden || !strings.Contains(a.body, "code is not right") || !strings.Contains(a.body, `value="Northwind Labs"`) || strings.Contains(a.body, password) {
		t.Errorf("a wrong code: %d %s", a.status, a.body)
	}
	form.Set("code", code)
	if a := b.post("/setup", form); a.header.Get("Location") != "/accounts" {
		t.Fatalf("set-up: %d %s", a.status, a.body)
	}
	wants(t, b.page("/accounts"), "Maya Okafor", "Northwind Labs", "Add account", "No cloud account yet")
	if a := h.nobody().get("/setup"); a.header.Get("Location") != "/login" {
		t.Errorf("set-up is open again: %d", a.status)
	}
}

// TestSignIn comes back to where somebody wanted to go, and says the same to every wrong password.
func TestSignIn(t *testing.T) {
	h := newHouse(t, nil)
	h.people()
	b := h.nobody()
	to := b.get("/costs?range=7d").header.Get("Location")
	if to != "/login?next="+url.QueryEscape("/costs?range=7d") {
		t.Fatalf("sent to %q", to)
	}
	wants(t, b.page(to), `name="next" value="/costs?range=7d"`, `autocomplete="current-password"`)
	for _, email := range []string{"admin@example.org", "nobody@example.org"} {
		if a := b.post("/login", url.Values{"email": {email}, "password": {"wrong"}}); a.status != http.StatusUnauthorized || !strings.Contains(a.body, "Email or password is not right") {
			t.Errorf("%s: %d %s", email, a.status, a.body)
		}
	}
	if a := b.post("/login", url.Values{"email": {"admin@example.org"}, "password": {password}, "next": {"//evil.example"}}); a.header.Get("Location") != "/" {
		t.Errorf("an open redirect: %s", a.header.Get("Location"))
	}
	if a := b.get("/login?next=/audit"); a.header.Get("Location") != "/audit" {
		t.Errorf("signed in already: %d", a.status)
	}
	if a := b.get("/"); a.header.Get("Location") != "/costs" {
		t.Errorf("home leads to %q", a.header.Get("Location"))
	}
	b.post("/logout", url.Values{})
	if a := b.get("/costs"); a.status != http.StatusSeeOther {
		t.Errorf("still signed in: %d", a.status)
	}
	if a := b.get("/costs", "HX-Request", "true", "HX-Request-Type", "partial"); a.header.Get("HX-Redirect") != "/login" {
		t.Errorf("htmx is not led to the sign-in: %d", a.status)
	}
}

// TestGuessing delays after a few wrong passwords and says until when.
func TestGuessing(t *testing.T) {
	h := newHouse(t, nil)
	h.people()
	b := h.nobody()
	var a answer
	for range 12 {
		if a = b.post("/login", url.Values{"email": {"admin@example.org"}, "password": {"wrong"}}); a.status == http.StatusTooManyRequests {
			break
		}
	}
	if a.status != http.StatusTooManyRequests || !strings.Contains(a.body, "ry again") {
		t.Errorf("guessing goes on: %d %s", a.status, a.body)
	}
}

// TestTheme draws the chosen theme from the first byte, so that nothing flashes.
func TestTheme(t *testing.T) {
	h := newHouse(t, nil)
	h.people()
	b := h.signIn(outlay.RoleAdmin)
	lacks(t, b.page("/costs"), "data-theme=")
	if a := b.post("/theme", url.Values{"theme": {"dark"}, "next": {"/costs?range=7d"}}); a.header.Get("Location") != "/costs?range=7d" {
		t.Errorf("theme leads to %q", a.header.Get("Location"))
	}
	wants(t, b.page("/costs"), `<html lang="en" data-theme="dark">`)
	b.post("/theme", url.Values{"theme": {"system"}})
	lacks(t, b.page("/costs"), "data-theme=")
}

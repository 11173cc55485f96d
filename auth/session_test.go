package auth

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"outlay"
)

func (h *house) who(c *http.Client) string {
	h.t.Helper()
	user, _, _ := strings.Cut(h.do(c, "GET", "/who", "").body, " ")
	return user
}

func setCookie(r reply) string { return r.header.Get("Set-Cookie") }

// value is what the browser would send back.
func value(cookie string) string {
	v, _, _ := strings.Cut(cookie, ";")
	return v
}

func TestSessionFromSignInToSignOut(t *testing.T) {
	h := newHouse(t, outlay.RoleAdmin)
	c := browser(t)
	if got := h.do(c, "GET", "/who", ""); setCookie(got) != "" || h.who(c) != "" {
		t.Fatalf("nobody gets a cookie: %q", setCookie(got))
	}
	cookie := setCookie(h.signIn(c))
	for _, want := range []string{"outlay=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=4320"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie %q lacks %s", cookie, want)
		}
	}
	if got := h.do(c, "GET", "/who", "").body; got != "usr_m session 127.0.0.1" {
		t.Errorf("%q", got)
	}
	if got := h.do(c, "POST", "/logout", ""); got.status != http.StatusOK || !strings.Contains(setCookie(got), "Max-Age=0") {
		t.Errorf("%d %q", got.status, setCookie(got))
	}
	// The old cookie opens nothing, even for somebody who kept it.
	if got := h.do(&http.Client{}, "GET", "/who", "", "Cookie", value(cookie)).body; strings.Contains(got, "usr_m") {
		t.Errorf("signed out, and still %q", got)
	}
}

func TestSecureCookieIsBoundToTheHost(t *testing.T) {
	m := newSessions(Options{Store: newStore(t), Secure: true})
	if m.Cookie.Name != "__Host-outlay" || !m.Cookie.Secure || m.Cookie.Domain != "" || m.Cookie.Path != "/" || !m.Cookie.HttpOnly {
		t.Errorf("%+v", m.Cookie)
	}
}

func TestSessionFixation(t *testing.T) {
	h := newHouse(t, outlay.RoleAdmin)
	planted := "outlay=planted-by-somebody-else-0123456789012345"
	got := h.do(&http.Client{}, "POST", "/login", "email="+email+"&password="+strings.ReplaceAll(password, " ", "+"), "Cookie", planted)
	if got.status != http.StatusOK || value(setCookie(got)) == planted {
		t.Fatalf("%d %q", got.status, setCookie(got))
	}
	if h.do(&http.Client{}, "GET", "/who", "", "Cookie", planted).body != "  127.0.0.1" {
		t.Error("the planted token is signed in")
	}
	// A session of our own is renewed as well: its old token is worth nothing after the next sign-in.
	first := value(setCookie(got))
	again := h.do(&http.Client{}, "POST", "/login", "email="+email+"&password="+strings.ReplaceAll(password, " ", "+"), "Cookie", first)
	if value(setCookie(again)) == first || h.do(&http.Client{}, "GET", "/who", "", "Cookie", first).body != "  127.0.0.1" {
		t.Error("the token stayed the same over a sign-in")
	}
}

func TestStoreHoldsNoTokenThatCouldBeSent(t *testing.T) {
	h := newHouse(t, outlay.RoleAdmin)
	cookie := value(setCookie(h.signIn(browser(t))))
	all, err := h.store.Install().Sessions().AllCtx(t.Context())
	must(t, err)
	if len(all) != 1 {
		t.Fatalf("%d sessions", len(all))
	}
	for token := range all {
		if h.do(&http.Client{}, "GET", "/who", "", "Cookie", "outlay="+token).body != "  127.0.0.1" {
			t.Error("what the database holds opens a session")
		}
		if strings.Contains(cookie, token) {
			t.Error("the database holds the token itself")
		}
	}
}

func TestChangesTakeEffectOnTheNextRequest(t *testing.T) {
	admin := outlay.Membership{OrgID: "org_a", UserID: "usr_m", Role: outlay.RoleAdmin}
	cases := map[string]struct {
		change func(*house) func(outlay.Tx) error
		status int
		signed bool
	}{
		"demoted": {func(h *house) func(outlay.Tx) error {
			return func(tx outlay.Tx) error { return tx.DeleteMembership(h.t.Context(), admin) }
		}, http.StatusForbidden, true},
		"disabled": {func(h *house) func(outlay.Tx) error {
			return func(tx outlay.Tx) error {
				u := h.user
				u.Disabled = true
				return tx.PutUser(h.t.Context(), u)
			}
		}, http.StatusUnauthorized, false},
		"new password": {func(h *house) func(outlay.Tx) error {
			return func(tx outlay.Tx) error {
				u := h.user
				u.Password = cheap("another good password")
				return tx.PutUser(h.t.Context(), u)
			}
		}, http.StatusUnauthorized, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, outlay.RoleAdmin)
			b := browser(t)
			h.signIn(b)
			if got := h.do(b, "POST", "/act", ""); got.status != http.StatusOK {
				t.Fatalf("%d %s", got.status, got.body)
			}
			h.change(c.change(h))
			if got := h.do(b, "POST", "/act", ""); got.status != c.status {
				t.Errorf("%d %s", got.status, got.body)
			}
			if got := h.who(b); (got == "usr_m") != c.signed {
				t.Errorf("signed in: %q", got)
			}
		})
	}
}

func TestPromotionTakesEffectOnTheNextRequest(t *testing.T) {
	h := newHouse(t, outlay.RoleMember)
	b := browser(t)
	h.signIn(b)
	if got := h.do(b, "POST", "/act", ""); got.status != http.StatusForbidden {
		t.Fatalf("%d", got.status)
	}
	h.change(func(tx outlay.Tx) error {
		return tx.PutMembership(t.Context(), outlay.Membership{OrgID: "org_a", UserID: "usr_m", Role: outlay.RoleAdmin})
	})
	if got := h.do(b, "POST", "/act", ""); got.status != http.StatusOK {
		t.Errorf("%d", got.status)
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Run("when idle", func(t *testing.T) {
		h := newHouse(t, outlay.RoleAdmin)
		b := browser(t)
		h.signIn(b)
		h.clock.Add(IdleLife - time.Minute)
		if h.who(b) != "usr_m" { // and this use keeps it alive
			t.Fatal("ended early")
		}
		h.clock.Add(IdleLife - time.Minute)
		if h.who(b) != "usr_m" {
			t.Fatal("a use did not keep it alive")
		}
		h.clock.Add(IdleLife + time.Minute)
		if h.who(b) != "" {
			t.Error("still signed in")
		}
	})
	t.Run("after a week of use", func(t *testing.T) {
		h := newHouse(t, outlay.RoleAdmin)
		b := browser(t)
		h.signIn(b)
		for used := time.Duration(0); used < AbsoluteLife; used += 6 * time.Hour {
			if h.who(b) != "usr_m" {
				t.Fatalf("ended after %v", used)
			}
			h.clock.Add(6 * time.Hour)
		}
		h.clock.Add(time.Minute)
		if h.who(b) != "" {
			t.Error("still signed in")
		}
	})
}

func TestUseIsWrittenAtMostOnceAMinute(t *testing.T) {
	h := newHouse(t, outlay.RoleAdmin)
	b := browser(t)
	h.signIn(b)
	if c := setCookie(h.do(b, "GET", "/who", "")); c != "" {
		t.Errorf("every request writes: %q", c)
	}
	h.clock.Add(touchEvery)
	if c := setCookie(h.do(b, "GET", "/who", "")); c == "" {
		t.Error("the browser's cookie would end while it is used")
	}
}

func TestBeginNeedsTheMiddleware(t *testing.T) {
	h := newHouse(t, outlay.RoleAdmin)
	_ = wantCode(t, h.Begin(t.Context(), outlay.Actor{OrgID: "org_a", UserID: "usr_m"}), outlay.CodeInvalid)
}

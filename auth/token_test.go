package auth

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"outlay"
)

// mint gives the house's user a token.
func (h *house) mint(scopes []outlay.Action, life time.Duration) (id, text string) {
	h.t.Helper()
	id, text, hash := h.MintToken()
	now := h.clock.Now()
	h.put(outlay.APIToken{OrgID: h.org.ID, ID: id, UserID: h.user.ID, Name: "ci", Hash: hash, Actions: scopes, CreatedAt: now, ExpiresAt: now.Add(life)})
	return id, text
}

func (h *house) put(t outlay.APIToken) {
	h.t.Helper()
	h.change(func(tx outlay.Tx) error { return tx.PutToken(h.t.Context(), t) })
}

func (h *house) tokens() (out []outlay.APIToken) {
	h.t.Helper()
	h.change(func(tx outlay.Tx) (err error) {
		out, err = tx.Tokens(h.t.Context())
		return err
	})
	return out
}

func (h *house) with(token, method, path string) reply {
	h.t.Helper()
	return h.do(&http.Client{}, method, path, "", "Authorization", "Bearer "+token)
}

func TestTokenText(t *testing.T) {
	h := New(Options{Store: newStore(t)})
	id, text, hash := h.MintToken()
	if !regexp.MustCompile(`^outlay_[a-z2-7]{16}_[0-9a-f]{64}_[0-9a-f]{8}$`).MatchString(text) {
		t.Errorf("%q", text)
	}
	if !strings.HasPrefix(id, "tok_") || !strings.Contains(text, strings.TrimPrefix(id, "tok_")) || len(hash) != 64 || strings.Contains(text, hash) {
		t.Errorf("id %q, hash %q", id, hash)
	}
	if !wellFormed(text) || wellFormed(text[:len(text)-1]) || wellFormed(strings.Replace(text, "_", "-", 1)) || wellFormed("outlay_") || wellFormed("") {
		t.Error("the checksum does not tell a whole token from a cut one")
	}
	_, other, _ := h.MintToken()
	if other == text {
		t.Error("two tokens are the same")
	}
}

func TestTokenActsForItsCreatorWithinItsScopes(t *testing.T) {
	h := newHouse(t, outlay.RoleAdmin)
	_, all := h.mint(nil, TokenLife)
	_, reads := h.mint([]outlay.Action{outlay.CostsRead}, TokenLife)
	_, none := h.mint([]outlay.Action{}, TokenLife)
	if got := h.with(all, "GET", "/who").body; got != "usr_m token 127.0.0.1" {
		t.Errorf("%q", got)
	}
	for name, c := range map[string]struct {
		token  string
		status int
	}{"all that the creator may": {all, 200}, "another scope": {reads, 403}, "no scope": {none, 403}} {
		if got := h.with(c.token, "POST", "/act"); got.status != c.status {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	// What the creator loses, the token loses at once.
	h.change(func(tx outlay.Tx) error {
		return tx.DeleteMembership(t.Context(), outlay.Membership{OrgID: h.org.ID, UserID: h.user.ID, Role: outlay.RoleAdmin})
	})
	if got := h.with(all, "POST", "/act"); got.status != 403 {
		t.Errorf("after the demotion: %d", got.status)
	}
}

func TestTokenIsRefused(t *testing.T) {
	h := newHouse(t, outlay.RoleAdmin)
	id, revoked := h.mint(nil, TokenLife)
	h.change(func(tx outlay.Tx) error { return tx.DeleteToken(t.Context(), id) })
	_, expired := h.mint(nil, time.Hour)
	_, never, hash := h.MintToken()
	h.put(outlay.APIToken{OrgID: h.org.ID, ID: "tok_endless", UserID: h.user.ID, Name: "endless", Hash: hash, CreatedAt: h.clock.Now()})
	_, unknown, _ := h.MintToken()
	_, good := h.mint(nil, TokenLife)
	h.clock.Add(time.Hour)
	for name, c := range map[string]struct{ header, says string }{
		"revoked":           {"Bearer " + revoked, "not known here"},
		"expired":           {"Bearer " + expired, "has expired"},
		"without an expiry": {"Bearer " + never, "has expired"},
		"unknown":           {"Bearer " + unknown, "not known here"},
		"cut":               {"Bearer " + good[:len(good)-3], "not known here"},
		"changed":           {"Bearer " + strings.Replace(good, "outlay_", "outlay_x", 1), "not known here"},
		"empty":             {"Bearer ", "not known here"},
		"basic":             {"Basic bS5va2Fmb3I6cGFzcw==", "not known here"},
	} {
		got := h.do(&http.Client{}, "GET", "/who", "", "Authorization", c.header)
		if got.status != 401 || !strings.Contains(got.body, c.says) || got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := h.with(good, "GET", "/who"); got.status != 200 {
		t.Errorf("the good one: %d %s", got.status, got.body)
	}
	h.change(func(tx outlay.Tx) error {
		u := h.user
		u.Disabled = true
		return tx.PutUser(t.Context(), u)
	})
	if got := h.with(good, "GET", "/who"); got.status != 401 {
		t.Errorf("of a disabled user: %d", got.status)
	}
}

func TestCookieIsIgnoredBesideABearerToken(t *testing.T) {
	h := newHouse(t, outlay.RoleAdmin)
	b := browser(t)
	h.signIn(b)
	_, reads := h.mint([]outlay.Action{outlay.CostsRead}, TokenLife)
	if got := h.do(b, "POST", "/act", "", "Authorization", "Bearer "+reads); got.status != 403 {
		t.Errorf("the cookie's rights were used: %d", got.status)
	}
	if got := h.do(b, "POST", "/act", "", "Authorization", "Bearer rubbish"); got.status != 401 {
		t.Errorf("a bad token fell back to the cookie: %d", got.status)
	}
	if got := h.do(b, "POST", "/login", "email="+email+"&password="+strings.ReplaceAll(password, " ", "+"), "Authorization", "Bearer "+reads); got.status != 422 || setCookie(got) != "" {
		t.Errorf("a session began beside a token: %d", got.status)
	}
}

func TestLastUseIsNotedAtMostOnceAMinute(t *testing.T) {
	h := newHouse(t, outlay.RoleAdmin)
	_, text := h.mint(nil, TokenLife)
	first := h.clock.Now()
	for range 5 {
		h.with(text, "GET", "/who")
		h.clock.Add(10 * time.Second)
	}
	if got := h.tokens()[0].LastUsed; !got.Equal(first) {
		t.Errorf("last used %v, want %v", got, first)
	}
	h.clock.Add(time.Minute)
	h.with(text, "GET", "/who")
	if got := h.tokens()[0].LastUsed; !got.Equal(h.clock.Now()) {
		t.Errorf("last used %v, want %v", got, h.clock.Now())
	}
}

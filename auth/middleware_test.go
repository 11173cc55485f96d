package auth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"outlay"
	"outlay/outlaytest"
)

// The eleven header cases of reliability.md M33, each with a signed-in cookie.
func TestCrossOrigin(t *testing.T) {
	h := newHouse(t, outlay.RoleAdmin)
	b := browser(t)
	h.signIn(b)
	host := strings.TrimPrefix(h.url, "http://")
	cases := []struct {
		name, method string
		header       []string
		status       int
	}{
		{"same origin", "POST", []string{"Sec-Fetch-Site", "same-origin", "Origin", h.url}, 200},
		{"typed by the user", "POST", []string{"Sec-Fetch-Site", "none"}, 200},
		{"another site", "POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		{"another subdomain of the site", "POST", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://other.northfield.example"}, 403},
		{"another site that claims our origin", "POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", h.url}, 403},
		{"sandboxed frame", "POST", []string{"Origin", "null"}, 403},
		{"old browser, foreign origin", "POST", []string{"Origin", "https://evil.example"}, 403},
		{"old browser, our origin", "POST", []string{"Origin", h.url}, 200},
		{"old browser, our host on another scheme", "POST", []string{"Origin", "https://" + host}, 200}, // hence HSTS
		{"no browser", "POST", nil, 200},
		{"reading from another site", "GET", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 200},
	}
	for _, c := range cases {
		if got := h.do(b, c.method, "/act", "", c.header...); got.status != c.status {
			t.Errorf("%s: %d, want %d: %s", c.name, got.status, c.status, got.body)
		}
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		if got := h.do(b, method, "/act", "", "Sec-Fetch-Site", "cross-site"); got.status != 403 {
			t.Errorf("%s: %d", method, got.status)
		}
	}
	if got := h.do(b, "POST", "/act", "", "Sec-Fetch-Site", "cross-site"); !strings.Contains(got.body, `"code":"forbidden"`) || !strings.Contains(got.body, "another site") {
		t.Errorf("the refusal reads %s", got.body)
	}
}

func TestRefusalIsTheCallersToWrite(t *testing.T) {
	a := New(Options{Store: newStore(t), Clock: &outlaytest.Clock{}, Refuse: func(w http.ResponseWriter, _ *http.Request, e *outlay.Error) {
		http.Error(w, "page: "+e.Fix, Status(e.Code))
	}})
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	a.Middleware(http.NotFoundHandler()).ServeHTTP(w, r)
	if w.Code != 403 || !strings.HasPrefix(w.Body.String(), "page: ") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestClientAddress(t *testing.T) {
	h := newHouse(t)
	cases := []struct{ name, remote, forwarded, want string }{
		{"direct", "203.0.113.5:4711", "", "203.0.113.5"},
		{"direct, with a forged header", "203.0.113.5:4711", "127.0.0.1", "203.0.113.5"},
		{"behind a proxy", "10.9.1.1:80", "198.51.100.8", "198.51.100.8"},
		{"behind two proxies", "10.9.1.1:80", "198.51.100.8, 10.9.2.2", "198.51.100.8"},
		{"behind a proxy, with a forged first hop", "10.9.1.1:80", "127.0.0.1, 198.51.100.8", "198.51.100.8"},
		{"all hops are proxies", "10.9.1.1:80", "10.9.3.3, 10.9.2.2", "10.9.3.3"},
		{"rubbish in the header", "10.9.1.1:80", "198.51.100.8, rubbish", "10.9.1.1"},
		{"with a port", "10.9.1.1:80", "[2001:db8::7]:99", "2001:db8::7"},
		{"IPv4 in IPv6", "[::ffff:203.0.113.5]:4711", "", "203.0.113.5"},
		{"a proxy in IPv6 clothes", "[::ffff:10.9.1.1]:80", "198.51.100.8", "198.51.100.8"},
		{"not an address", "@", "198.51.100.8", ""},
	}
	for _, c := range cases {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := h.clientAddr(r); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestStatusOfEveryCode(t *testing.T) {
	for code, want := range map[outlay.Code]int{
		outlay.CodeInvalid: 422, outlay.CodeNotFound: 404, outlay.CodeConflict: 409, outlay.CodeUnauthenticated: 401, outlay.CodeForbidden: 403,
		outlay.CodeThrottled: 429, outlay.CodeUnavailable: 503, outlay.CodeInternal: 500,
	} {
		if got := Status(code); got != want {
			t.Errorf("%s: %d, want %d", code, got, want)
		}
	}
}

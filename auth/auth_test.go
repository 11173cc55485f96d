package auth

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/outlaytest"
	"outlay/sqldb"
)

const (
	email    = "m.okafor@northfield.example"
	password = "correct horse battery staple"
)

// house is an installation with one organization and one user, served over HTTP.
type house struct {
	*Auth
	t     *testing.T
	store outlay.Store
	clock *outlaytest.Clock
	org   outlay.Organization
	user  outlay.User
	url   string
}

func newStore(t *testing.T) outlay.Store {
	t.Helper()
	s, err := sqldb.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "outlay.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newHouse(t *testing.T, roles ...outlay.Role) *house {
	t.Helper()
	h := &house{t: t, store: newStore(t), clock: outlaytest.NewClock(time.Now().UTC().Truncate(time.Second))}
	h.Auth = New(Options{Store: h.store, Clock: h.clock, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}})
	h.hasher = newHasher(quick())
	h.org = outlay.Organization{ID: "org_a", Name: "Northfield", CreatedAt: h.clock.Now()}
	must(t, h.store.Install().AddOrganization(t.Context(), h.org))
	h.user = outlay.User{OrgID: h.org.ID, ID: "usr_m", Email: email, Name: "Mary Okafor", Handle: "m.okafor", Password: cheap(password), CreatedAt: h.clock.Now()}
	h.change(func(tx outlay.Tx) error { return tx.PutUser(t.Context(), h.user) })
	for _, r := range roles {
		h.change(func(tx outlay.Tx) error {
			return tx.PutMembership(t.Context(), outlay.Membership{OrgID: h.org.ID, UserID: h.user.ID, Role: r})
		})
	}
	server := httptest.NewServer(h.Middleware(h.pages()))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

// quick are small costs, so that tests are quick.
func quick() params { return params{time: 1, memory: 64, threads: 1} }

// cheap is a stored password of small costs.
func cheap(p string) string { return newHasher(quick()).hash(p) }

// pages are the fewest that a browser needs.
func (h *house) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		actor, err := h.Login(r.Context(), r.FormValue("email"), outlay.NewSecret(r.FormValue("password")), ActorFrom(r.Context()).Addr)
		if err == nil {
			err = h.Begin(r.Context(), actor)
		}
		if err != nil {
			refuseJSON(w, r, outlay.AsError(err))
		}
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		if err := h.End(r.Context()); err != nil {
			refuseJSON(w, r, outlay.AsError(err))
		}
	})
	mux.HandleFunc("/act", func(w http.ResponseWriter, r *http.Request) {
		if err := ActorFrom(r.Context()).Must(outlay.AccountsWrite); err != nil {
			refuseJSON(w, r, outlay.AsError(err))
		}
	})
	mux.HandleFunc("/who", func(w http.ResponseWriter, r *http.Request) {
		a := ActorFrom(r.Context())
		_, _ = io.WriteString(w, strings.Join([]string{a.UserID, a.Via, a.Addr}, " "))
	})
	return mux
}

func (h *house) change(fn func(outlay.Tx) error) {
	h.t.Helper()
	must(h.t, h.store.ForOrg(h.t.Context(), h.org.ID, fn))
}

// browser keeps cookies.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &http.Client{Jar: jar}
}

type reply struct {
	status int
	body   string
	header http.Header
}

func (h *house) do(c *http.Client, method, path, body string, header ...string) reply {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, strings.NewReader(body))
	must(h.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(r)
	must(h.t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	must(h.t, err)
	return reply{res.StatusCode, string(text), res.Header}
}

func (h *house) signIn(c *http.Client) reply {
	h.t.Helper()
	r := h.do(c, "POST", "/login", "email="+email+"&password="+strings.ReplaceAll(password, " ", "+"))
	if r.status != http.StatusOK {
		h.t.Fatalf("signing in: %d %s", r.status, r.body)
	}
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, want outlay.Code) *outlay.Error {
	t.Helper()
	if outlay.CodeOf(err) != want {
		t.Fatalf("got %v (%s), want %s", err, outlay.CodeOf(err), want)
	}
	return outlay.AsError(err)
}

func TestRolesOfMemberships(t *testing.T) {
	cases := map[string]struct {
		in     []outlay.Membership
		may    outlay.Action
		mayNot outlay.Action
		leads  int
	}{
		"administrator": {[]outlay.Membership{{Role: outlay.RoleAdmin}}, outlay.BillingProvision, "", 0},
		"nobody":        {nil, "", outlay.CostsRead, 0},
		"leads a group": {[]outlay.Membership{{GroupID: "g1", Role: outlay.RoleLead}}, outlay.CostsRead, outlay.CostsReadAll, 1},
		// A role given in a group must not become one in the whole organization.
		"administrator in a group only": {[]outlay.Membership{{GroupID: "g1", Role: outlay.RoleAdmin}}, outlay.CostsRead, outlay.BillingProvision, 0},
		"finance, and leads":            {[]outlay.Membership{{Role: outlay.RoleFinance}, {GroupID: "g1", Role: outlay.RoleLead}}, outlay.CostsReadAll, outlay.PeopleWrite, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := outlay.Actor{UserID: "u"}
			a.Roles, a.LeadOf = roles(c.in)
			if len(a.LeadOf) != c.leads || c.may != "" && !a.May(c.may) || c.mayNot != "" && a.May(c.mayNot) {
				t.Errorf("%+v", a)
			}
		})
	}
}

func TestActorOfNobody(t *testing.T) {
	if a := ActorFrom(context.Background()); a.UserID != "" || a.May(outlay.SelfRead) {
		t.Errorf("%+v", a)
	}
}

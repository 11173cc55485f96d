package web

import (
	"net/http"
	"net/url"
	"strings"

	"outlay"
	"outlay/auth"
)

const themeCookie = "theme"

type loginBody struct {
	Email, Next string
	Host        string
}

// home leads to the first page that the actor may open.
func (s *site) home(c *call) error {
	for _, g := range rail(c.actor) {
		return redirect(c, g.Links[0].Path)
	}
	return c.actor.Must(outlay.CostsRead)
}

func (s *site) favicon(c *call) error {
	http.Redirect(c.w, c.r, s.assets.url("icon.svg"), http.StatusFound)
	return nil
}

func (s *site) loginPage(c *call) error {
	if c.actor.UserID != "" {
		return redirect(c, local(c.r.FormValue("next")))
	}
	needed, err := s.Auth.SetupNeeded(c.r.Context())
	if err != nil {
		return err
	}
	if needed {
		return redirect(c, "/setup")
	}
	return s.showLogin(c, loginBody{Next: c.r.FormValue("next")}, nil, http.StatusOK)
}

func (s *site) showLogin(c *call, b loginBody, e *outlay.Error, status int) error {
	b.Host = c.r.Host
	return s.show(c, "login", page{Title: "Sign in", Status: status, Error: e, Body: b})
}

// login checks e-mail and password and begins a session.
func (s *site) login(c *call) error {
	b := loginBody{Email: strings.TrimSpace(c.r.PostFormValue("email")), Next: c.r.PostFormValue("next")}
	actor, err := s.Auth.Login(c.r.Context(), b.Email, outlay.NewSecret(c.r.PostFormValue("password")), c.actor.Addr)
	if err != nil {
		e := outlay.AsError(err)
		if e.Code == outlay.CodeInternal {
			return err
		}
		return s.showLogin(c, b, e, auth.Status(e.Code))
	}
	if err := s.Auth.Begin(c.r.Context(), actor); err != nil {
		return err
	}
	return redirect(c, local(b.Next))
}

func (s *site) logout(c *call) error {
	if err := s.Auth.End(c.r.Context()); err != nil {
		return err
	}
	return redirect(c, "/login")
}

type setupBody struct{ Code, Organization, Name, Email string }

// setupPage is the first run: the one-time code of the server's log makes the first administrator.
func (s *site) setupPage(c *call) error {
	needed, err := s.Auth.SetupNeeded(c.r.Context())
	if err != nil {
		return err
	}
	if !needed {
		return redirect(c, "/login")
	}
	return s.show(c, "setup", page{Title: "First run", Body: setupBody{}})
}

func (s *site) setup(c *call) error {
	b := setupBody{Code: strings.TrimSpace(c.r.PostFormValue("code")), Organization: strings.TrimSpace(c.r.PostFormValue("organization")),
		Name: strings.TrimSpace(c.r.PostFormValue("name")), Email: strings.TrimSpace(c.r.PostFormValue("email"))}
	actor, err := s.Auth.Setup(c.r.Context(), auth.SetupRequest{
		Code: b.Code, Organization: b.Organization, Name: b.Name, Email: b.Email, Password: outlay.NewSecret(c.r.PostFormValue("password")), Addr: c.actor.Addr,
	})
	if err != nil {
		e := outlay.AsError(err)
		if e.Code == outlay.CodeInternal {
			return err
		}
		return s.show(c, "setup", page{Title: "First run", Status: auth.Status(e.Code), Error: e, Body: b})
	}
	if err := s.Auth.Begin(c.r.Context(), actor); err != nil {
		return err
	}
	return redirect(c, "/accounts")
}

// theme remembers light or dark in a cookie, so that the server draws the page right at once; "system" forgets it.
func (s *site) theme(c *call) error {
	k := http.Cookie{Name: themeCookie, Value: c.r.PostFormValue("theme"), Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode, Secure: s.Secure}
	if k.Value != "dark" && k.Value != "light" {
		k.Value, k.MaxAge = "", -1
	}
	http.SetCookie(c.w, &k)
	return redirect(c, local(c.r.PostFormValue("next")))
}

// local is a path on this server, or "/" for anything else: a link must not be able to send people elsewhere.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || next == "" || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

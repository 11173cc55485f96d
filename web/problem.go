package web

import (
	"net/http"
	"net/url"

	"outlay"
	"outlay/auth"
)

func notFound() error {
	return outlay.Errorf(outlay.CodeNotFound, "Check the address, or start from the rail.", "there is no such page")
}

func (s *site) nowhere(*call) error { return notFound() }

// problem answers with a page that says what happened and what to do next. Somebody who is not signed in is sent to
// the sign-in page and comes back afterwards.
func (s *site) problem(c *call, err error) {
	e := outlay.AsError(err)
	if e.Code == outlay.CodeUnauthenticated {
		s.toLogin(c)
		return
	}
	if e.Code == outlay.CodeInternal {
		s.Log.ErrorContext(c.r.Context(), "a page failed", "method", c.r.Method, "path", c.r.URL.Path, "error", err)
	}
	p := page{Title: problemTitle(e.Code), Status: auth.Status(e.Code), Body: e}
	if e.Code == outlay.CodeForbidden && c.actor.May(c.action) { // it was not the role: a provider said no
		p.Title = "The provider refused"
	}
	if err := s.show(c, "problem", p); err != nil {
		s.Log.ErrorContext(c.r.Context(), "the error page failed", "error", err)
		http.Error(c.w, "Something went wrong inside Outlay.", http.StatusInternalServerError)
	}
}

func problemTitle(code outlay.Code) string {
	switch code {
	case outlay.CodeInvalid:
		return "That did not fit"
	case outlay.CodeNotFound:
		return "Not found"
	case outlay.CodeConflict:
		return "That is not possible now"
	case outlay.CodeForbidden:
		return "Your role does not open this"
	case outlay.CodeThrottled:
		return "Too many tries"
	case outlay.CodeUnavailable:
		return "No answer"
	}
	return "Something went wrong"
}

func (s *site) toLogin(c *call) {
	to := "/login"
	if c.r.Method == http.MethodGet && c.r.URL.Path != "/" && !c.partial() {
		to += "?next=" + url.QueryEscape(c.r.URL.RequestURI())
	}
	_ = redirect(c, to)
}

// formProblem is err as the summary of a form with its status, or err itself where no form can help. What a provider
// forbids is for the form too, a role that does not open the page is not.
func formProblem(c *call, err error) (*outlay.Error, int, error) {
	e := outlay.AsError(err)
	switch e.Code {
	case outlay.CodeInvalid, outlay.CodeThrottled, outlay.CodeUnavailable, outlay.CodeConflict:
		return e, auth.Status(e.Code), nil
	case outlay.CodeForbidden:
		if c.actor.May(c.action) {
			return e, auth.Status(e.Code), nil
		}
	}
	return nil, 0, err
}

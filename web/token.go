package web

import (
	"net/http"
	"slices"
	"strconv"

	"outlay"
	"outlay/control"
)

type tokensBody struct {
	Tokens   []control.TokenView
	Actions  []outlay.Action
	Everyone bool
	// Made is shown once, right after a token was created.
	Made   string
	MadeOf control.TokenView
	Name   string
	Days   int
	Chosen []outlay.Action
}

// Has tells whether an action was ticked before the form came back.
func (b tokensBody) Has(a outlay.Action) bool { return slices.Contains(b.Chosen, a) }

// tokens lists the API tokens that the actor may revoke.
func (s *site) tokens(c *call) error {
	return s.showTokens(c, tokensBody{Days: 90}, nil, http.StatusOK)
}

func (s *site) showTokens(c *call, b tokensBody, e *outlay.Error, status int) error {
	list, err := s.Control.Tokens(c.r.Context(), c.actor)
	if err != nil {
		return err
	}
	b.Tokens, b.Everyone = list, c.actor.May(outlay.PeopleWrite)
	for _, a := range outlay.Actions() {
		if c.actor.May(a) {
			b.Actions = append(b.Actions, a)
		}
	}
	return s.show(c, "tokens", page{Title: "API tokens", Active: "/tokens", Status: status, Error: e, Body: b})
}

// createToken answers with the page itself and not a redirect: the token's text exists only in this one answer.
func (s *site) createToken(c *call) error {
	b := tokensBody{Name: text(c, "name"), Days: 90}
	if n, err := strconv.Atoi(text(c, "days")); err == nil {
		b.Days = n
	}
	for _, a := range c.r.PostForm["actions"] {
		b.Chosen = append(b.Chosen, outlay.Action(a))
	}
	view, secret, err := s.Control.CreateToken(c.r.Context(), c.actor, control.CreateTokenRequest{Name: b.Name, Actions: b.Chosen, Days: b.Days})
	if err != nil {
		e, status, err := formProblem(c, err)
		if err != nil {
			return err
		}
		return s.showTokens(c, b, e, status)
	}
	return s.showTokens(c, tokensBody{Days: 90, Made: secret.Reveal(), MadeOf: view}, nil, http.StatusOK)
}

func (s *site) revokeToken(c *call) error {
	if err := s.Control.RevokeToken(c.r.Context(), c.actor, c.r.PathValue("id")); err != nil {
		return err
	}
	return redirect(c, "/tokens")
}

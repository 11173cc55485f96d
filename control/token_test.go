package control_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/control"
)

// TestNarrowToken: a token that may do one thing is told how it went, and not that it was forbidden after it was done.
func TestNarrowToken(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	h.account(t, "prod", "t-1")
	only := func(actions ...outlay.Action) outlay.Actor { a := h.admin; a.Scopes = actions; return a }
	up := only(outlay.BillingProvision)
	run, err := h.Provision(ctx, up, control.ProvisionRequest{AccountID: "prod", Spec: spec(), IdemKey: "k"})
	if err != nil || run.ID == "" {
		t.Fatalf("%+v, %v", run, err)
	}
	if again, err := h.Provision(ctx, up, control.ProvisionRequest{AccountID: "prod", Spec: spec(), IdemKey: "k"}); err != nil || again.ID != run.ID {
		t.Errorf("the same key: %s, %v", again.ID, err)
	}
	h.nimbus.Missing["feed:create"] = true
	h.work(t)
	if _, err := h.Resume(ctx, up, run.ID); err != nil {
		t.Errorf("try again: %v", err)
	}
	h.work(t)
	if _, err := h.Undo(ctx, only(outlay.BillingDeprovision), run.ID); err != nil {
		t.Errorf("undo: %v", err)
	}
	_, err = h.Run(ctx, up, run.ID)
	wantCode(t, err, outlay.CodeForbidden) // what a token may not read, it does not read
}

// TestTokenOfNoActions: none named is everything its creator may, and for a narrow token no more than its own.
func TestTokenOfNoActions(t *testing.T) {
	h := newHouse(t, nil)
	narrow := h.admin
	narrow.Scopes = []outlay.Action{outlay.TokensOwn}
	for _, actions := range [][]outlay.Action{nil, {}} {
		v, _, err := h.CreateToken(t.Context(), h.admin, control.CreateTokenRequest{Name: "all", Actions: actions})
		if err != nil || v.Actions != nil {
			t.Errorf("%v, %v", v.Actions, err)
		}
		v, _, err = h.CreateToken(t.Context(), narrow, control.CreateTokenRequest{Name: "narrow", Actions: actions})
		if d := cmp.Diff(narrow.Scopes, v.Actions); d != "" || err != nil {
			t.Errorf("%v: %s", err, d)
		}
	}
}

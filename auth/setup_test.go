package auth

import (
	"strings"
	"sync"
	"testing"
	"time"

	"outlay"
	"outlay/outlaytest"
)

func newEmpty(t *testing.T) (*Auth, outlay.Store, *outlaytest.Clock) {
	t.Helper()
	c := outlaytest.NewClock(time.Now().UTC().Truncate(time.Second))
	s := newStore(t)
	a := New(Options{Store: s, Clock: c})
	a.hasher = newHasher(quick())
	return a, s, c
}

func request(code string) SetupRequest {
	return SetupRequest{Code: code, Organization: "Northfield", Name: "Mary Okafor", Email: "M.Okafor@Northfield.example", Password: outlay.NewSecret(password), Addr: "192.0.2.1"}
}

func code(t *testing.T, a *Auth) string {
	t.Helper()
	c, needed, err := a.SetupCode(t.Context())
	must(t, err)
	if !needed || len(c) != 19 {
		t.Fatalf("%q, %v", c, needed)
	}
	return c
}

func TestSetupMakesTheFirstAdministratorOnce(t *testing.T) {
	a, store, _ := newEmpty(t)
	c := code(t, a)
	stored, err := store.Install().Meta(t.Context(), setupKey)
	must(t, err)
	if stored == "" || strings.Contains(stored, c) || strings.Contains(stored, strings.ReplaceAll(c, "-", "")) {
		t.Errorf("the store holds %q", stored)
	}
	actor, err := a.Setup(t.Context(), request(strings.ToLower(" "+c)))
	must(t, err)
	if !actor.May(outlay.BillingProvision) || actor.Handle != "m.okafor" || actor.OrgID == "" {
		t.Errorf("%+v", actor)
	}
	_, err = a.Login(t.Context(), "m.okafor@northfield.example", outlay.NewSecret(password), "")
	must(t, err)
	again := request(c)
	again.Email = "other@northfield.example"
	_, err = a.Setup(t.Context(), again)
	_ = wantCode(t, err, outlay.CodeConflict)
	if _, needed, err := a.SetupCode(t.Context()); needed || err != nil {
		t.Errorf("still needed: %v, %v", needed, err)
	}
}

func TestUsedCodeIsVoidForGood(t *testing.T) {
	a, store, _ := newEmpty(t)
	c := code(t, a)
	actor, err := a.Setup(t.Context(), request(c))
	must(t, err)
	must(t, store.ForOrg(t.Context(), actor.OrgID, func(tx outlay.Tx) error {
		u, err := tx.User(t.Context(), actor.UserID)
		if err != nil {
			return err
		}
		u.Disabled = true // nobody administers any more
		return tx.PutUser(t.Context(), u)
	}))
	again := request(c)
	again.Email = "other@northfield.example"
	_, err = a.Setup(t.Context(), again)
	_ = wantCode(t, err, outlay.CodeForbidden)
	_, err = a.Setup(t.Context(), func() SetupRequest { again.Code = code(t, a); return again }()) // the next start's code
	must(t, err)
}

func TestEachStartMakesANewCode(t *testing.T) {
	a, _, _ := newEmpty(t)
	old := code(t, a)
	fresh := code(t, a)
	_, err := a.Setup(t.Context(), request(old))
	if e := wantCode(t, err, outlay.CodeForbidden); e.Field != "code" {
		t.Errorf("%+v", e)
	}
	_, err = a.Setup(t.Context(), request(fresh))
	must(t, err)
}

func TestSetupRefusesBadFields(t *testing.T) {
	a, store, _ := newEmpty(t)
	c := code(t, a)
	for field, spoil := range map[string]func(*SetupRequest){
		"organization": func(r *SetupRequest) { r.Organization = "  " },
		"name":         func(r *SetupRequest) { r.Name = "" },
		"email":        func(r *SetupRequest) { r.Email = "Mary <m@x.example>" },
		"password":     func(r *SetupRequest) { r.Password = outlay.NewSecret("password1") },
		"code":         func(r *SetupRequest) { r.Code = "" },
	} {
		r := request(c)
		spoil(&r)
		_, err := a.Setup(t.Context(), r)
		if e := outlay.AsError(err); err == nil || e.Field != field || e.Fix == "" {
			t.Errorf("%s: %+v", field, err)
		}
	}
	orgs, err := store.Install().Organizations(t.Context())
	must(t, err)
	if len(orgs) != 0 {
		t.Errorf("left behind: %v", orgs)
	}
	_, err = a.Setup(t.Context(), request(c)) // the code outlives mistakes in the form
	must(t, err)
}

func TestGuessingTheCodeIsDelayed(t *testing.T) {
	a, _, c := newEmpty(t)
	right := code(t, a)
	for range accountLimit().free {
		_, err := a.Setup(t.Context(), request("AAAA-AAAA-AAAA-AAAA"))
		_ = wantCode(t, err, outlay.CodeForbidden)
	}
	_, err := a.Setup(t.Context(), request(right))
	_ = wantCode(t, err, outlay.CodeThrottled)
	c.Add(2 * time.Second)
	_, err = a.Setup(t.Context(), request(right))
	must(t, err)
}

func TestTwoSetupsAtOnceMakeOneAdministrator(t *testing.T) {
	a, store, _ := newEmpty(t)
	c := code(t, a)
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			r := request(c)
			r.Organization += strings.Repeat("!", i)
			_, errs[i] = a.Setup(t.Context(), r)
		})
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		_ = wantCode(t, err, outlay.CodeConflict)
	}
	orgs, err := store.Install().Organizations(t.Context())
	must(t, err)
	if made != 1 || len(orgs) != 1 {
		t.Errorf("%d made, %d organizations", made, len(orgs))
	}
}

func TestSetupGoesOnWhereACrashLeftIt(t *testing.T) {
	a, store, c := newEmpty(t)
	must(t, store.Install().AddOrganization(t.Context(), outlay.Organization{ID: "org_half", Name: "Northfield", CreatedAt: c.Now()}))
	actor, err := a.Setup(t.Context(), request(code(t, a)))
	must(t, err)
	if actor.OrgID != "org_half" {
		t.Errorf("%+v", actor)
	}
}

package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"outlay"
	"outlay/control"
)

type accountsBody struct {
	Providers []providerCard
	Accounts  []control.AccountView
	Summary   string
	MayWrite  bool
	MayCheck  bool
	Waiting   bool // a look is under way somewhere: the page asks again by itself
}

// providerCard is a provider's state rolled up over its accounts.
type providerCard struct {
	Info    outlay.ProviderInfo
	Status  outlay.Status // "" when it has no account
	Through []control.AccountView
	Best    control.AccountView // the account whose status the card shows
	Count   int
	May     bool
}

// accounts lists providers and accounts with their billing status.
func (s *site) accounts(c *call) error {
	list, err := s.Control.Accounts(c.r.Context(), c.actor)
	if err != nil {
		return err
	}
	b := accountsBody{Accounts: list, MayWrite: c.actor.May(outlay.AccountsWrite), MayCheck: c.actor.May(outlay.BillingCheck)}
	used := 0
	for _, info := range s.Control.ProviderInfos() {
		card := cardOf(info, list)
		card.May = c.actor.May(outlay.BillingProvision)
		if card.Count > 0 {
			used++
		}
		b.Providers = append(b.Providers, card)
	}
	for _, a := range list {
		b.Waiting = b.Waiting || a.Status.Status != outlay.Provisioned
	}
	if len(list) > 0 {
		b.Summary = fmt.Sprintf("%s on %s. Billing is set up once per provider; every other account of the same payer follows.", plural(len(list), "account", "accounts"), plural(used, "provider", "providers"))
	}
	return s.show(c, "accounts", page{Title: "Cloud accounts", Active: "/accounts", Body: b})
}

// cardOf shows the best status among a provider's accounts: one that delivers speaks for the provider.
func cardOf(info outlay.ProviderInfo, all []control.AccountView) providerCard {
	card := providerCard{Info: info}
	worth := func(s outlay.Status) int {
		return slices.Index([]outlay.Status{outlay.Unprovisioned, outlay.Checking, outlay.Provisioned}, s)
	}
	for _, a := range all {
		if a.Provider != info.Name {
			continue
		}
		card.Count++
		if a.SetUpHere {
			card.Through = append(card.Through, a)
		}
		better := worth(a.Status.Status) > worth(card.Status) || (a.Status.Status == card.Status && a.SetUpHere && !card.Best.SetUpHere)
		if card.Status == "" || better {
			card.Status, card.Best = a.Status.Status, a
		}
	}
	slices.SortStableFunc(card.Through, func(x, y control.AccountView) int { return worth(y.Status.Status) - worth(x.Status.Status) })
	return card
}

// checkAll has every account looked at now.
func (s *site) checkAll(c *call) error {
	list, err := s.Control.Accounts(c.r.Context(), c.actor)
	if err != nil {
		return err
	}
	for _, a := range list {
		if err := s.Control.CheckNow(c.r.Context(), c.actor, a.ID); err != nil {
			return err
		}
	}
	return redirect(c, back(c, "/accounts"))
}

func (s *site) checkNow(c *call) error {
	id := c.r.PathValue("id")
	if err := s.Control.CheckNow(c.r.Context(), c.actor, id); err != nil {
		return err
	}
	return redirect(c, back(c, "/accounts/"+id))
}

// back is where a small form came from, when it says so.
func back(c *call, otherwise string) string {
	if next := c.r.PostFormValue("next"); next != "" {
		return local(next)
	}
	return otherwise
}

type accountBody struct {
	control.AccountDetail
	MayWrite, MayCheck bool
	MayStop, MayLook   bool
	Months             []outlay.Period // that a backfill of tags may begin with; nil where none is possible
	IdemKey            string
	Setup              string // what the provider's side needs, with this account's values filled in
}

// LastDay is the last day that has charges.
func (b accountBody) LastDay() string { return day(b.Status.DataThrough.Add(-time.Nanosecond)) }

// NeverLooked tells whether no look has ever found out who the credential is.
func (b accountBody) NeverLooked() bool { return b.Identifier == "" }

// Live tells whether something is under way that a watching person waits for.
func (b accountBody) Live() bool { return b.Status.Status != outlay.Provisioned || b.ActiveRun != nil }

// account is everything about one account, with the evidence of its status.
func (s *site) account(c *call) error { return s.showAccount(c, nil, http.StatusOK) }

func (s *site) showAccount(c *call, e *outlay.Error, status int) error {
	d, err := s.Control.Account(c.r.Context(), c.actor, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	b := accountBody{
		AccountDetail: d, MayWrite: c.actor.May(outlay.AccountsWrite), MayCheck: c.actor.May(outlay.BillingCheck),
		MayStop: c.actor.May(outlay.BillingDeprovision), MayLook: c.actor.May(outlay.BillingPlan),
	}
	if len(d.Tags) > 0 && d.SetUpHere && d.ActiveRun == nil && c.actor.May(outlay.BillingProvision) {
		b.Months, b.IdemKey = pastMonths(s.Clock.Now()), outlay.NewID("idem")
	}
	for _, k := range d.Info.CredentialKinds {
		if k.Kind == d.CredentialKind {
			b.Setup = fill(k.Setup, d.CredentialValues)
		}
	}
	return s.show(c, "account", page{Title: d.Name, Active: "/accounts", Status: status, Error: e, Body: b})
}

// pastMonths are the twelve months before the present one, newest first.
func pastMonths(now time.Time) []outlay.Period {
	var out []outlay.Period
	for start, i := outlay.PeriodOf(now).Start(), 1; i <= 12; i++ {
		out = append(out, outlay.PeriodOf(start.AddDate(0, -i, 0)))
	}
	return out
}

// backfill asks for today's tags in past months: never by itself, only by this form.
func (s *site) backfill(c *call) error {
	run, err := s.Control.Backfill(c.r.Context(), c.actor, control.BackfillRequest{AccountID: c.r.PathValue("id"), From: outlay.Period(c.r.PostFormValue("from")), IdemKey: c.r.PostFormValue("idem")})
	if err == nil {
		return redirect(c, "/runs/"+run.ID)
	}
	e, status, err := formProblem(c, err)
	if err != nil {
		return err
	}
	return s.showAccount(c, e, status)
}

// fill puts values where a set-up text says {field}.
func fill(text string, values map[string]string) string {
	for name, value := range values {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// removeAccount forgets an account once its name was typed. Who may not is refused by the verb, which writes it down.
func (s *site) removeAccount(c *call) error {
	id := c.r.PathValue("id")
	if c.actor.May(outlay.AccountsWrite) {
		d, err := s.Control.Account(c.r.Context(), c.actor, id)
		if err != nil {
			return err
		}
		if c.r.PostFormValue("confirm") != d.Name {
			e := outlay.Errorf(outlay.CodeInvalid, "Type "+d.Name+" to confirm.", "the name does not match").InField("remove-confirm")
			return s.showAccount(c, e, http.StatusUnprocessableEntity)
		}
		id = d.ID
	}
	if err := s.Control.RemoveAccount(c.r.Context(), c.actor, id); err != nil {
		e, status, err := formProblem(c, err)
		if err != nil {
			return err
		}
		return s.showAccount(c, e, status)
	}
	return redirect(c, "/accounts")
}

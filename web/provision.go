package web

import (
	"net/http"

	"outlay"
	"outlay/auth"
	"outlay/control"
)

type provisionBody struct {
	Account control.AccountDetail
	Info    outlay.ProviderInfo
	Spec    outlay.Spec
	TagKeys []string
	Tags    bool
	Plan    *control.PlanView // nil until it was asked for
	// PlanError stands in the plan's place when it could not be made.
	PlanError *outlay.Error
	IdemKey   string
	Post      string
}

// Inputs pairs the provider's fields with the error that one of them may have caused, in the form or in its plan.
func (b provisionBody) Inputs(e *outlay.Error) formInputs {
	if e == nil {
		e = b.PlanError
	}
	return formInputs{b.Info.Fields, b.Spec.Fields, e}
}

// Granted counts the permissions found present.
func (b provisionBody) Granted() int {
	n := 0
	for _, p := range b.Plan.Permissions {
		if p.State == outlay.PermissionGranted {
			n++
		}
	}
	return n
}

// Untold counts the permissions that the provider does not tell about.
func (b provisionBody) Untold() int { return len(b.Plan.Permissions) - b.Granted() - len(b.Missing()) }

// Missing lists the permissions found absent.
func (b provisionBody) Missing() []outlay.Permission {
	return outlay.Observation{Permissions: b.Plan.Permissions}.Missing()
}

// Creates tells whether the plan makes anything.
func (b provisionBody) Creates() bool {
	for _, c := range b.Plan.Changes {
		if c.Action == outlay.ActionCreate {
			return true
		}
	}
	return false
}

// provisionPage is the form on the left; the plan beside it is asked for as soon as the page is there.
func (s *site) provisionPage(c *call) error {
	b, err := s.provisionBody(c)
	if err != nil {
		return err
	}
	b.Spec, b.Tags = outlay.Spec{Fields: map[string]string{}}, true
	for _, f := range b.Info.Fields {
		b.Spec.Fields[f.Name] = f.Default
	}
	return s.showProvision(c, b, nil, http.StatusOK)
}

func (s *site) provisionBody(c *call) (provisionBody, error) {
	d, err := s.Control.Account(c.r.Context(), c.actor, c.r.PathValue("id"))
	if err != nil {
		return provisionBody{}, err
	}
	return provisionBody{Account: d, Info: d.Info, TagKeys: outlay.TagKeys(), IdemKey: outlay.NewID("idem"), Post: "/accounts/" + d.ID + "/billing/provision"}, nil
}

func (s *site) showProvision(c *call, b provisionBody, e *outlay.Error, status int) error {
	return s.show(c, "provision", page{Title: "Provision billing for " + b.Info.Title, Active: "/accounts", Status: status, Error: e, Body: b})
}

// spec reads the form.
func (b *provisionBody) spec(c *call) {
	b.Spec = outlay.Spec{Region: c.r.PostFormValue("region"), Fields: map[string]string{}}
	for _, f := range b.Info.Fields {
		b.Spec.Fields[f.Name] = c.r.PostFormValue("field-" + f.Name)
	}
	if b.Tags = c.r.PostFormValue("tags") != ""; b.Tags {
		b.Spec.Tags = outlay.TagKeys()
	}
	if key := c.r.PostFormValue("idem"); key != "" {
		b.IdemKey = key
	}
}

// provisionPlan shows what the form, as it stands, would change. It changes nothing.
func (s *site) provisionPlan(c *call) error {
	b, err := s.provisionBody(c)
	if err != nil {
		return s.refusedPlan(c, err)
	}
	b.spec(c)
	if err := s.plan(c, &b); err != nil {
		return err
	}
	status := http.StatusOK
	if b.PlanError != nil && !c.partial() {
		status = auth.Status(b.PlanError.Code)
	}
	return s.showProvision(c, b, nil, status)
}

// refusedPlan lets the verb refuse, and write down, what somebody may not ask for.
func (s *site) refusedPlan(c *call, err error) error {
	if c.actor.May(outlay.BillingPlan) {
		return err
	}
	_, err = s.Control.Plan(c.r.Context(), c.actor, control.PlanRequest{AccountID: c.r.PathValue("id")})
	return err
}

// plan fills the panel: the plan, or why there is none.
func (s *site) plan(c *call, b *provisionBody) error {
	v, err := s.Control.Plan(c.r.Context(), c.actor, control.PlanRequest{AccountID: b.Account.ID, Spec: b.Spec})
	if err == nil {
		b.Plan, b.Spec = &v, v.Spec
		return nil
	}
	e := outlay.AsError(err)
	if e.Code == outlay.CodeForbidden && len(e.Needs) == 0 && !c.actor.May(outlay.BillingPlan) {
		return err
	}
	if e.Code == outlay.CodeInternal {
		s.Log.ErrorContext(c.r.Context(), "a plan failed", "account", b.Account.ID, "error", err)
	}
	b.PlanError = e
	return nil
}

// provision starts the run of the plan that was shown. Without a plan, or with one that has changed, it shows the plan
// first: nothing is made that nobody saw.
func (s *site) provision(c *call) error {
	req := control.ProvisionRequest{AccountID: c.r.PathValue("id"), PlanHash: c.r.PostFormValue("plan"), IdemKey: c.r.PostFormValue("idem")}
	if !c.actor.May(outlay.BillingProvision) {
		_, err := s.Control.Provision(c.r.Context(), c.actor, req)
		return err
	}
	b, err := s.provisionBody(c)
	if err != nil {
		return err
	}
	b.spec(c)
	if req.PlanHash == "" {
		return s.provisionPlan(c)
	}
	req.Spec, req.AccountID = b.Spec, b.Account.ID
	run, err := s.Control.Provision(c.r.Context(), c.actor, req)
	if err == nil {
		return redirect(c, "/runs/"+run.ID)
	}
	e, status, err := formProblem(c, err)
	if err != nil {
		return err
	}
	if err := s.plan(c, &b); err != nil {
		return err
	}
	return s.showProvision(c, b, e, status)
}

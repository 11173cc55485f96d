package web

import (
	"net/http"
	"strings"

	"outlay"
	"outlay/control"
)

type importBody struct {
	Account control.AccountDetail
	Info    outlay.ProviderInfo
	Fields  map[string]string
	Listed  bool // the provider was asked
	Found   []control.ExistingView
	// ListError stands in the list's place when it could not be read.
	ListError *outlay.Error
	Chosen    string
	Get, Post string
}

// Choice tells whether anything in the list can be imported.
func (b importBody) Choice() bool {
	for _, f := range b.Found {
		if f.Importable() {
			return true
		}
	}
	return false
}

// Inputs pairs the provider's questions with the error that one of them may have caused.
func (b importBody) Inputs(e *outlay.Error) formInputs {
	return formInputs{b.Info.ImportFields, b.Fields, e}
}

// importPage lists the exports that stand already. A provider that asks for something first is asked once it is given.
func (s *site) importPage(c *call) error {
	return s.showImport(c, importBody{Listed: c.r.URL.Query().Has("list")}, c.r.FormValue, nil, http.StatusOK)
}

func (s *site) showImport(c *call, b importBody, value func(string) string, e *outlay.Error, status int) error {
	d, err := s.Control.Account(c.r.Context(), c.actor, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	b.Account, b.Info, b.Fields = d, d.Info, map[string]string{}
	b.Get, b.Post = "/accounts/"+d.ID+"/billing/import", "/accounts/"+d.ID+"/billing/import"
	for _, f := range d.Info.ImportFields {
		b.Fields[f.Name] = strings.TrimSpace(value("field-" + f.Name))
		if !b.Listed && b.Fields[f.Name] == "" {
			b.Fields[f.Name] = f.Default
		}
	}
	b.Listed = b.Listed || len(d.Info.ImportFields) == 0
	if b.Listed {
		b.Found, err = s.Control.ListExisting(c.r.Context(), c.actor, d.ID, given(b.Fields))
		if err != nil {
			b.ListError = outlay.AsError(err)
			if b.ListError.Code == outlay.CodeInternal {
				s.Log.ErrorContext(c.r.Context(), "listing existing exports failed", "account", d.ID, "error", err)
			}
		}
	}
	return s.show(c, "import", page{Title: "Import an existing export", Active: "/accounts", Status: status, Error: e, Body: b})
}

// given is a form's fields without the empty ones.
func given(fields map[string]string) map[string]string {
	out := map[string]string{}
	for name, v := range fields {
		if v != "" {
			out[name] = v
		}
	}
	return out
}

// importExport makes a source of the chosen export.
func (s *site) importExport(c *call) error {
	id := c.r.PathValue("id")
	fields := map[string]string{}
	for name := range c.r.PostForm {
		if f, ok := strings.CutPrefix(name, "field-"); ok {
			fields[f] = strings.TrimSpace(c.r.PostFormValue(name))
		}
	}
	r := control.ImportExportRequest{AccountID: id, ExistingID: c.r.PostFormValue("existing"), Fields: given(fields)}
	_, err := s.Control.ImportExport(c.r.Context(), c.actor, r)
	if err == nil {
		return redirect(c, "/accounts/"+id)
	}
	e, status, err := formProblem(c, err)
	if err != nil {
		return err
	}
	return s.showImport(c, importBody{Listed: true, Chosen: r.ExistingID}, c.r.PostFormValue, e, status)
}

type stopBody struct {
	control.StopReadingView
	History bool
	Typed   string
}

// stopPage says what ends when an imported export is not read any more, and that nothing else does.
func (s *site) stopPage(c *call) error { return s.showStop(c, stopBody{}, nil, http.StatusOK) }

func (s *site) showStop(c *call, b stopBody, e *outlay.Error, status int) error {
	v, err := s.Control.PlanStopReading(c.r.Context(), c.actor, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	b.StopReadingView = v
	return s.show(c, "stop", page{Title: "Stop reading " + v.Name, Active: "/accounts", Status: status, Error: e, Body: b})
}

func (s *site) stopReading(c *call) error {
	b := stopBody{History: c.r.PostFormValue("remove-history") != "", Typed: c.r.PostFormValue("confirm")}
	err := s.Control.StopReading(c.r.Context(), c.actor, control.StopReadingRequest{SourceID: c.r.PathValue("id"), RemoveHistory: b.History, Confirm: b.Typed})
	if err == nil {
		return redirect(c, "/accounts")
	}
	e, status, err := formProblem(c, err)
	if err != nil {
		return err
	}
	return s.showStop(c, b, e, status)
}

type abandonBody struct {
	control.AbandonView
	Account string
	Typed   string
}

// abandonPage lists what stays behind. It needs no answer from the provider.
func (s *site) abandonPage(c *call) error { return s.showAbandon(c, abandonBody{}, nil, http.StatusOK) }

func (s *site) showAbandon(c *call, b abandonBody, e *outlay.Error, status int) error {
	v, err := s.Control.PlanAbandon(c.r.Context(), c.actor, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	b.AbandonView = v
	return s.show(c, "abandon", page{Title: "Abandon billing on " + v.Name, Active: "/accounts", Status: status, Error: e, Body: b})
}

func (s *site) abandon(c *call) error {
	b := abandonBody{Typed: c.r.PostFormValue("confirm")}
	v, err := s.Control.Abandon(c.r.Context(), c.actor, control.AbandonRequest{AccountID: c.r.PathValue("id"), Confirm: b.Typed})
	if err == nil {
		return redirect(c, "/accounts/"+v.AccountID)
	}
	e, status, err := formProblem(c, err)
	if err != nil {
		return err
	}
	return s.showAbandon(c, b, e, status)
}

type driftBody struct {
	control.DriftView
	MayRepair bool
	IdemKey   string
}

// driftPage looks at the provider and shows what is not as planned. For htmx it is a part of the account's page.
func (s *site) driftPage(c *call) error { return s.showDrift(c, nil, http.StatusOK) }

func (s *site) showDrift(c *call, e *outlay.Error, status int) error {
	v, err := s.Control.Drift(c.r.Context(), c.actor, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	b := driftBody{DriftView: v, MayRepair: v.Hash != "" && c.actor.May(outlay.BillingProvision), IdemKey: outlay.NewID("idem")}
	return s.show(c, "drift", page{Title: "What is not as planned on " + v.AccountName, Active: "/accounts", Status: status, Error: e, Body: b})
}

// repair runs the plan that the comparison showed.
func (s *site) repair(c *call) error {
	run, err := s.Control.Repair(c.r.Context(), c.actor, c.r.PathValue("id"), c.r.PostFormValue("plan"), c.r.PostFormValue("idem"))
	if err == nil {
		return redirect(c, "/runs/"+run.ID)
	}
	e, status, err := formProblem(c, err)
	if err != nil {
		return err
	}
	return s.showDrift(c, e, status)
}

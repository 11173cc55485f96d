package web

import (
	"net/http"

	"outlay"
	"outlay/control"
)

type deprovisionBody struct {
	control.DeprovisionView
	Account control.AccountDetail
	Info    outlay.ProviderInfo
	Removed []deletedLine // what goes under either choice, or only under delete
	Left    []deletedLine
	ByHand  []outlay.Change
	// What was chosen and typed before the form came back.
	CostFiles outlay.CostFiles
	History   bool
	Typed     string
	IdemKey   string
	Post      string
	// Kept tells that the set-up is removed already and its files, which stayed, are to follow: nothing is left to choose.
	Kept bool
}

// deletedLine is one resource that goes. OnlyDelete marks what stays when the files are kept.
type deletedLine struct {
	planLine
	OnlyDelete bool
}

// deprovisionPage shows the consequences first; nothing is preselected.
func (s *site) deprovisionPage(c *call) error {
	return s.showDeprovision(c, deprovisionBody{IdemKey: outlay.NewID("idem")}, nil, http.StatusOK)
}

func (s *site) showDeprovision(c *call, b deprovisionBody, e *outlay.Error, status int) error {
	d, err := s.Control.Account(c.r.Context(), c.actor, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	if !d.Created && len(d.Imports) > 0 && c.actor.May(outlay.BillingDeprovision) { // nothing to remove: its reading is what can end
		return redirect(c, "/sources/"+d.Imports[0].ID+"/stop")
	}
	v, err := s.Control.PlanDeprovision(c.r.Context(), c.actor, d.ID)
	if err != nil {
		return err
	}
	b.DeprovisionView, b.Account, b.Info = v, d, d.Info
	b.Post = "/accounts/" + d.ID + "/billing/deprovision"
	b.Removed, b.Left, b.ByHand = goes(v)
	return s.show(c, "deprovision", page{Title: "Deprovision billing for " + d.Info.Title, Active: "/accounts", Status: status, Error: e, Body: b})
}

// goes sorts both plans into what is removed, what stays, and what a person has to do.
func goes(v control.DeprovisionView) (removed, left []deletedLine, byHand []outlay.Change) {
	also := map[string]bool{} // removed although the files are kept
	for _, c := range v.Keep {
		if c.Action == outlay.ActionDelete || c.Action == outlay.ActionUpdate {
			also[c.Key()] = true
		}
	}
	for _, c := range v.Delete {
		line := deletedLine{planLine: planLine{c, []string{c.Name}}}
		switch c.Action {
		case outlay.ActionKeep:
			left = append(left, line)
		case outlay.ActionManual:
			byHand = append(byHand, c)
		default:
			line.OnlyDelete = !also[c.Key()]
			removed = append(removed, line)
		}
	}
	return removed, left, byHand
}

// deprovision starts the run. The choice about the files and the typed name have no default; the verb insists on both.
func (s *site) deprovision(c *call) error {
	b := deprovisionBody{
		CostFiles: outlay.CostFiles(c.r.PostFormValue("cost-files")), History: c.r.PostFormValue("remove-history") != "", Typed: c.r.PostFormValue("confirm"), IdemKey: c.r.PostFormValue("idem"),
	}
	run, err := s.Control.Deprovision(c.r.Context(), c.actor, control.DeprovisionRequest{
		AccountID: c.r.PathValue("id"), CostFiles: b.CostFiles, RemoveHistory: b.History, Confirm: b.Typed, PlanHash: c.r.PostFormValue("plan"), IdemKey: b.IdemKey,
	})
	if err == nil {
		return redirect(c, "/runs/"+run.ID)
	}
	e, status, err := formProblem(c, err)
	if err != nil {
		return err
	}
	return s.showDeprovision(c, b, e, status)
}

// keptPage lists what a deprovisioning kept, for it to be deleted after all.
func (s *site) keptPage(c *call) error {
	return s.showKept(c, deprovisionBody{IdemKey: outlay.NewID("idem")}, nil, http.StatusOK)
}

func (s *site) showKept(c *call, b deprovisionBody, e *outlay.Error, status int) error {
	v, err := s.Control.PlanDeleteKept(c.r.Context(), c.actor, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	d, err := s.Control.Account(c.r.Context(), c.actor, v.Name)
	if err != nil {
		return err
	}
	b.DeprovisionView, b.Account, b.Info, b.Kept = v, d, d.Info, true
	b.Post = "/sources/" + v.SourceID + "/kept"
	b.Removed, b.Left, b.ByHand = goes(v)
	for i := range b.Removed {
		b.Removed[i].OnlyDelete = false
	}
	return s.show(c, "deprovision", page{Title: "Delete what was kept of " + d.Name, Active: "/accounts", Status: status, Error: e, Body: b})
}

// deleteKept starts the run that deletes it, once the account's name was typed.
func (s *site) deleteKept(c *call) error {
	b := deprovisionBody{History: c.r.PostFormValue("remove-history") != "", Typed: c.r.PostFormValue("confirm"), IdemKey: c.r.PostFormValue("idem")}
	run, err := s.Control.DeleteKept(c.r.Context(), c.actor, control.DeleteKeptRequest{
		SourceID: c.r.PathValue("id"), RemoveHistory: b.History, Confirm: b.Typed, PlanHash: c.r.PostFormValue("plan"), IdemKey: b.IdemKey,
	})
	if err == nil {
		return redirect(c, "/runs/"+run.ID)
	}
	e, status, err := formProblem(c, err)
	if err != nil {
		return err
	}
	return s.showKept(c, b, e, status)
}

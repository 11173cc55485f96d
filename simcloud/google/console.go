package google

import (
	"bytes"
	_ "embed"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

//go:embed console.html
var consolePage string

func consoleRoutes() []route {
	const page = "/console/billing/{b}/export"
	return []route{
		on("console.export", "GET", page, (*Cloud).showConsole).opened(),
		on("console.save", "POST", page, (*Cloud).saveConsole).changing().opened(),
	}
}

// consoleView is what the page shows.
type consoleView struct {
	Account, Name string
	Saved, Error  string
	Exports       []consoleExport
	Projects      []consoleProject
	Datasets      []consoleDataset
	Locations     []string
	Kind          string
	Project       string
	Dataset       string
}

type consoleExport struct{ Kind, Title, State, Where string }

type consoleProject struct{ ID, Name string }

type consoleDataset struct{ ID, Project, Location string }

func kindTitle(kind string) string {
	return map[string]string{Detailed: "Detailed usage cost", Standard: "Standard usage cost", Focus: "FOCUS (Preview)"}[kind]
}

// console fills the page. Nobody signs in: whoever opens it is taken for a Billing Account Costs Manager.
func (c *Cloud) console(account string) (consoleView, *refusal) {
	a := c.state.Accounts[account]
	if a == nil {
		return consoleView{}, refuse(http.StatusNotFound, "notFound", "There is no billing account %s.", account)
	}
	v := consoleView{Account: a.ID, Name: a.Name, Kind: Detailed, Locations: locations()[:2]}
	for _, kind := range []string{Standard, Detailed, Focus} {
		one := consoleExport{Kind: kind, Title: kindTitle(kind), State: "Not enabled"}
		if e := c.exportOf(account, kind); e != nil {
			one.State, one.Where = "Disabled", e.Project+" / "+e.Dataset
			if e.Enabled {
				one.State = "Enabled"
			}
		}
		v.Exports = append(v.Exports, one)
	}
	for _, id := range slices.Sorted(maps.Keys(c.state.Projects)) {
		if p := c.state.Projects[id]; p.BillingAccount != "" && p.State == "ACTIVE" {
			v.Projects = append(v.Projects, consoleProject{p.ID, p.Name})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.state.Datasets)) {
		if d := c.state.Datasets[key]; d.Type != "LINKED" {
			v.Datasets = append(v.Datasets, consoleDataset{d.ID, d.Project, d.Location})
		}
	}
	return v, nil
}

func (c *Cloud) showConsole(k *call) (answer, *refusal) {
	v, fail := c.console(k.parts[0])
	if fail != nil {
		return answer{}, fail
	}
	v.Saved = k.Query.Get("saved")
	v.Project, v.Dataset = k.Query.Get("project"), k.Query.Get("dataset")
	return render(http.StatusOK, v), nil
}

// saveConsole does what the form says; it is shown again with the reason when that cannot be.
func (c *Cloud) saveConsole(k *call) (answer, *refusal) {
	form, err := url.ParseQuery(string(k.Body))
	if err != nil {
		return answer{}, refuse(http.StatusBadRequest, "invalid", "The form cannot be read.")
	}
	account, kind := k.parts[0], form.Get("kind")
	saved := kindTitle(kind) + ": enabled"
	if form.Get("action") == "disable" {
		saved = kindTitle(kind) + ": disabled"
		if e := c.exportOf(account, kind); e != nil {
			e.Enabled, e.Switched = false, c.opt.Now().UTC()
		}
	} else if fail := c.enableExport(account, kind, form.Get("project"), form.Get("dataset"), form.Get("location")); fail != nil {
		v, missing := c.console(account)
		if missing != nil {
			return answer{}, missing
		}
		v.Error, v.Kind, v.Project, v.Dataset = fail.message, kind, form.Get("project"), form.Get("dataset")
		return render(http.StatusBadRequest, v), nil
	}
	return answer{Status: http.StatusSeeOther, Header: http.Header{"Location": {"/console/billing/" + account + "/export?saved=" + url.QueryEscape(saved)}}}, nil
}

func render(status int, v consoleView) answer {
	page, err := template.New("console").Parse(consolePage)
	if err != nil {
		panic(err) // our own template
	}
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		panic(err)
	}
	return answer{Status: status, Body: b.Bytes(), Header: http.Header{
		"Content-Type": {"text/html; charset=utf-8"}, "Content-Security-Policy": {"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"}, "Cache-Control": {"no-store"},
	}}
}

func consoleError(f *refusal) []byte {
	return []byte("<!doctype html><title>Billing export</title><p>" + template.HTMLEscapeString(f.message) + "</p>")
}

package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"outlay"
)

// page is what a template gets.
type page struct {
	Title  string
	Active string // the rail entry of this page: its path
	Status int    // 0 means 200
	// Refresh, when not 0, reloads the page after so many seconds where JavaScript is off.
	Refresh int
	// Error is shown in the summary on top of the form.
	Error *outlay.Error
	Body  any
	Shell shell
}

// shell is what stands around every page.
type shell struct {
	Theme    string
	Name     string
	Initials string
	Org      string
	Role     string
	Rail     []railGroup
	Version  string
	DemoNote string
	Path     string // of this page, for the theme form
}

type railGroup struct {
	Title string
	Links []railLink
}

type railLink struct{ Path, Title, Icon string }

// rail lists what the actor may open, and nothing else.
func rail(a outlay.Actor) []railGroup {
	type entry struct {
		railLink
		action outlay.Action
	}
	groups := []struct {
		title   string
		entries []entry
	}{
		{"", []entry{
			{railLink{"/costs", "Costs", "cost"}, outlay.CostsRead},
			{railLink{"/accounts", "Cloud accounts", "acc"}, outlay.AccountsRead},
			{railLink{"/tags", "Tags", "tag"}, outlay.AccountsRead},
			{railLink{"/data-health", "Data health", "fresh"}, outlay.AccountsRead},
		}},
		{"Admin", []entry{
			{railLink{"/users", "Users and groups", "usr"}, outlay.PeopleRead},
			{railLink{"/audit", "Audit log", "aud"}, outlay.AuditRead},
			{railLink{"/tokens", "API tokens", "key"}, outlay.TokensOwn},
		}},
	}
	var out []railGroup
	for _, g := range groups {
		group := railGroup{Title: g.title}
		for _, e := range g.entries {
			if a.May(e.action) {
				group.Links = append(group.Links, e.railLink)
			}
		}
		if len(group.Links) > 0 {
			if group.Title == "Admin" && len(group.Links) == 1 && group.Links[0].Path == "/tokens" {
				group.Title = "You" // somebody who administers nothing but their own tokens
			}
			out = append(out, group)
		}
	}
	return out
}

func (s *site) shell(c *call) shell {
	sh := shell{Version: s.Version, DemoNote: s.DemoNote, Path: c.r.URL.RequestURI()}
	if k, err := c.r.Cookie(themeCookie); err == nil && (k.Value == "dark" || k.Value == "light") {
		sh.Theme = k.Value
	}
	if c.r.Method != http.MethodGet {
		sh.Path = "/"
	}
	if c.actor.UserID == "" {
		return sh
	}
	sh.Name, sh.Initials, sh.Rail = c.actor.Name, initials(c.actor.Name), rail(c.actor)
	if org, err := s.Control.Organization(c.r.Context(), c.actor); err == nil {
		sh.Org = org.Name
	}
	switch {
	case len(c.actor.Roles) > 0:
		sh.Role = roleWord(c.actor.Roles[0])
	case len(c.actor.LeadOf) > 0:
		sh.Role = roleWord(outlay.RoleLead)
	}
	return sh
}

// initials are the first letters of the first and the last word.
func initials(name string) string {
	words := strings.Fields(name)
	if len(words) == 0 {
		return "?"
	}
	first := []rune(words[0])[:1]
	if len(words) > 1 {
		first = append(first, []rune(words[len(words)-1])[0])
	}
	return strings.ToUpper(string(first))
}

func roleWord(r outlay.Role) string { return strings.ReplaceAll(string(r), ":", " ") }

// show renders a page, or for htmx only the part of it that changes. Templates write into a buffer first, so that a
// failure becomes an error page and not half a page.
func (s *site) show(c *call, name string, p page) error {
	block := "layout"
	if c.partial() {
		block = "part"
	} else {
		p.Shell = s.shell(c)
	}
	b, err := s.render(name, block, p)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Add("Vary", "HX-Request")
	if p.Status != 0 {
		c.w.WriteHeader(p.Status)
	}
	_, _ = c.w.Write(b) // fails only for somebody who went away, and nobody is left to tell
	return nil
}

func (s *site) render(name, block string, data any) ([]byte, error) {
	t, ok := s.pages[name]
	if !ok {
		return nil, fmt.Errorf("there is no template %q", name)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, block, data); err != nil {
		return nil, fmt.Errorf("rendering %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// parse reads every template: layout.html and parts.html are shared, each other file is one page.
func (s *site) parse(root fs.FS) (map[string]*template.Template, error) {
	shared, err := template.New("").Option("missingkey=error").Funcs(s.funcs()).ParseFS(root, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, fmt.Errorf("reading the templates: %w", err)
	}
	names, err := fs.Glob(root, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("reading the templates: %w", err)
	}
	out := map[string]*template.Template{}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		t, err := shared.Clone()
		if err == nil {
			t, err = t.ParseFS(root, file)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the template %s: %w", name, err)
		}
		out[name] = t
	}
	return out, nil
}

// redirect sends the browser on after a change (POST, redirect, GET).
func redirect(c *call, to string) error {
	if c.r.Header.Get("HX-Request") == "true" {
		c.w.Header().Set("HX-Redirect", to)
		c.w.WriteHeader(http.StatusOK)
		return nil
	}
	http.Redirect(c.w, c.r, to, http.StatusSeeOther)
	return nil
}

package web

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"outlay"
	"outlay/auth"
	"outlay/control"
	"outlay/web/chart"
)

type tagsBody struct {
	control.TagsView
	Wanted       []tagColumn // the sources that have a column of states
	Rows         []tagRow
	Spellings    []tagSpellingRow
	May          bool // turn keys on, ask for a backfill
	MayCheck     bool
	BackfillFrom []outlay.Period
	IdemKey      string
	AllKeys      string // the nine, one a line, to copy
	Any          bool   // there is an account or a source
}

// tagColumn is a source and its place in the cells of a key.
type tagColumn struct {
	control.TagSource
	At int
}

// tagRow is one key as the table shows it.
type tagRow struct {
	control.TagKey
	Cells []tagCellView
	Bar   template.HTML
	Link  string // to the costs that lack the key
}

type tagCellView struct {
	control.TagCell
	Title, Class string
}

// tagSpellingRow is one key as each provider spells it, in the order of Providers.
type tagSpellingRow struct {
	Key, Sample string
	Labels      []outlay.Label
}

// tags shows where the nine tags stand and what cost carries them.
func (s *site) tags(c *call) error {
	v, err := s.Control.Tags(c.r.Context(), c.actor, control.TagsRequest{Range: c.r.URL.Query().Get("range")})
	if err != nil {
		return err
	}
	b := tagsBody{
		TagsView: v, May: c.actor.May(outlay.BillingProvision), MayCheck: c.actor.May(outlay.BillingCheck), BackfillFrom: pastMonths(s.Clock.Now()),
		IdemKey: outlay.NewID("idem"), AllKeys: strings.Join(outlay.TagKeys(), "\n"), Any: len(v.Sources) > 0,
	}
	for i, src := range v.Sources {
		if src.Wanted {
			b.Wanted = append(b.Wanted, tagColumn{src, i})
		}
	}
	for _, k := range v.Keys {
		b.Rows = append(b.Rows, b.row(k))
	}
	b.spell()
	return s.show(c, "tags", page{Title: "Tags", Active: "/tags", Body: b})
}

func (b *tagsBody) row(k control.TagKey) tagRow {
	row := tagRow{TagKey: k}
	for _, col := range b.Wanted {
		cell := k.Cells[col.At]
		row.Cells = append(row.Cells, tagCellView{cell, control.TagStandingTitle(cell.State, col.ProviderTitle), standingClass(cell.State)})
	}
	if k.Share != nil {
		row.Bar = chart.Share(*k.Share, 0)
	}
	q := url.Values{"range": {b.Range}, "group": {"service"}, "f": {"tag:" + k.Key + ":"}}
	row.Link = "/costs?" + q.Encode()
	return row
}

// standingClass is the shape of a standing: filled, dotted, hollow, or none at all.
func standingClass(s control.TagStanding) string {
	switch s {
	case control.TagActive:
		return "st-p ok"
	case control.TagActivating, control.TagUnseen, control.TagWaiting, control.TagPending:
		return "st-p ck"
	case control.TagInactive, control.TagOff:
		return "st-p no"
	case control.TagDenied:
		return "badt"
	}
	return "q"
}

// spell turns the providers' samples into one row per key.
func (b *tagsBody) spell() {
	for i, k := range b.Keys {
		row := tagSpellingRow{Key: k.Key}
		for _, p := range b.Providers {
			l := outlay.Label{Tag: k.Key}
			if j := slices.IndexFunc(p.Labels, func(l outlay.Label) bool { return l.Tag == b.Keys[i].Key }); j >= 0 {
				l = p.Labels[j]
			}
			if row.Sample == "" {
				row.Sample = l.Original
			}
			row.Labels = append(row.Labels, l)
		}
		b.Spellings = append(b.Spellings, row)
	}
}

// Month names the months of the figures.
func (b tagsBody) Month() string { return b.From.Format("January") }

// CanBackfill tells whether any source can have tags written into past months.
func (b tagsBody) CanBackfill() bool {
	return b.May && slices.ContainsFunc(b.Sources, func(s control.TagSource) bool { return s.CanBackfill })
}

// BackfillText is what a provider says about it.
func (b tagsBody) BackfillText(name outlay.ProviderName) string { return b.provider(name).Backfill }

func (b tagsBody) provider(name outlay.ProviderName) control.TagProvider {
	for _, p := range b.Providers {
		if p.Name == name {
			return p
		}
	}
	return control.TagProvider{}
}

// ByHand lists the providers where keys can be turned on by hand, of those that have a set-up.
func (b tagsBody) ByHand() []control.TagProvider {
	var out []control.TagProvider
	for _, p := range b.Providers {
		if p.Manual != nil && slices.ContainsFunc(b.Wanted, func(s tagColumn) bool { return s.Provider == p.Name }) {
			out = append(out, p)
		}
	}
	return out
}

// Timings are what providers say about when a tag is in the charges.
func (b tagsBody) Timings() []control.TagProvider {
	return slices.DeleteFunc(slices.Clone(b.Providers), func(p control.TagProvider) bool { return p.Timing == "" })
}

// ToActivate lists the set-ups that have keys to turn on.
func (b tagsBody) ToActivate() []tagColumn {
	if !b.May {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(b.Wanted), func(s tagColumn) bool { return len(s.Off) == 0 })
}

// Filled puts all nine keys where an instruction says {key}.
func (b tagsBody) Filled(text string) string { return strings.ReplaceAll(text, "{key}", b.AllKeys) }

type activateBody struct {
	Source    control.TagSource
	Chosen    map[string]bool
	Keys      []string // that can be turned on
	Plan      *control.PlanView
	PlanError *outlay.Error
	IdemKey   string
	Post      string
}

// activatePage is the form of keys on the left; the plan beside it is asked for as soon as the page is there.
func (s *site) activatePage(c *call) error {
	b, err := s.activateBody(c)
	if err != nil {
		return err
	}
	for _, key := range b.Keys {
		b.Chosen[key] = true
	}
	return s.showActivate(c, b, nil, http.StatusOK)
}

func (s *site) activateBody(c *call) (activateBody, error) {
	id := c.r.PathValue("id")
	v, err := s.Control.Tags(c.r.Context(), c.actor, control.TagsRequest{})
	if err != nil {
		return activateBody{}, err
	}
	i := slices.IndexFunc(v.Sources, func(x control.TagSource) bool { return x.Wanted && x.AccountID == id })
	if i < 0 {
		return activateBody{}, outlay.Errorf(outlay.CodeNotFound, "Provision billing there first.", "there is no billing set-up of the account %s", id)
	}
	b := activateBody{Source: v.Sources[i], Keys: v.Sources[i].Off, Chosen: map[string]bool{}, IdemKey: outlay.NewID("idem"), Post: "/accounts/" + id + "/tags"}
	for _, key := range c.r.PostForm["key"] {
		b.Chosen[key] = true
	}
	if key := c.r.PostFormValue("idem"); key != "" {
		b.IdemKey = key
	}
	return b, nil
}

func (s *site) showActivate(c *call, b activateBody, e *outlay.Error, status int) error {
	return s.show(c, "tags-activate", page{Title: "Turn tags on", Active: "/tags", Status: status, Error: e, Body: b})
}

func (c *call) activation() control.ActivateTagsRequest {
	return control.ActivateTagsRequest{AccountID: c.r.PathValue("id"), Keys: c.r.PostForm["key"], PlanHash: c.r.PostFormValue("plan"), IdemKey: c.r.PostFormValue("idem")}
}

// activatePlan shows what turning the chosen keys on would change. It changes nothing.
func (s *site) activatePlan(c *call) error {
	if !c.actor.May(outlay.BillingPlan) {
		_, err := s.Control.PlanActivation(c.r.Context(), c.actor, c.activation())
		return err
	}
	b, err := s.activateBody(c)
	if err != nil {
		return err
	}
	if err := s.planActivation(c, &b); err != nil {
		return err
	}
	status := http.StatusOK
	if b.PlanError != nil && !c.partial() {
		status = auth.Status(b.PlanError.Code)
	}
	return s.showActivate(c, b, nil, status)
}

// planActivation fills the panel: the plan, or why there is none.
func (s *site) planActivation(c *call, b *activateBody) error {
	if len(b.Chosen) == 0 {
		b.PlanError = outlay.Errorf(outlay.CodeInvalid, "", "Choose at least one key.").InField("key")
		return nil
	}
	v, err := s.Control.PlanActivation(c.r.Context(), c.actor, c.activation())
	if err == nil {
		b.Plan = &v
		return nil
	}
	e := outlay.AsError(err)
	if e.Code == outlay.CodeInternal {
		s.Log.ErrorContext(c.r.Context(), "a plan failed", "account", b.Source.AccountID, "error", err)
	}
	b.PlanError = e
	return nil
}

// activateTags starts the run of the plan that was shown; without one it shows the plan first.
func (s *site) activateTags(c *call) error {
	if !c.actor.May(outlay.BillingProvision) {
		_, err := s.Control.ActivateTags(c.r.Context(), c.actor, c.activation())
		return err
	}
	if c.r.PostFormValue("plan") == "" || len(c.r.PostForm["key"]) == 0 {
		return s.activatePlan(c)
	}
	run, err := s.Control.ActivateTags(c.r.Context(), c.actor, c.activation())
	if err == nil {
		return redirect(c, "/runs/"+run.ID)
	}
	e, status, err := formProblem(c, err)
	if err != nil {
		return err
	}
	b, err := s.activateBody(c)
	if err != nil {
		return err
	}
	if err := s.planActivation(c, &b); err != nil {
		return err
	}
	return s.showActivate(c, b, e, status)
}

// SinceText is the day on which the key was turned on: '3 Mar 2026'.
func (v tagCellView) SinceText() string { return v.Since.UTC().Format("2 Jan 2006") }

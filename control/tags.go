package control

import (
	"cmp"
	"context"
	"slices"
	"time"

	"outlay"
)

// Tags tells where the nine tags stand at every source, and what share of cost carries them.
func (c *Control) Tags(ctx context.Context, a outlay.Actor, r TagsRequest) (TagsView, error) {
	if err := a.Must(outlay.AccountsRead); err != nil {
		return TagsView{}, err
	}
	r.Range = cmp.Or(r.Range, "mtd")
	if r.Range != "mtd" && r.Range != "last-month" {
		return TagsView{}, badField("range", r.Range, "Use mtd or last-month.")
	}
	from, to, err := CostRequest{Range: r.Range}.span(c.deps.Clock.Now(), time.Time{}, time.Time{})
	if err != nil {
		return TagsView{}, err
	}
	b := tagsBuild{c: c, org: a.OrgID, view: TagsView{Range: r.Range, From: from, To: to, CostsShown: a.May(outlay.CostsReadAll), Near: []NearKey{}, Clashes: []TagClash{}}}
	if err := b.load(ctx); err != nil {
		return TagsView{}, err
	}
	if err := b.addUp(ctx); err != nil {
		return TagsView{}, err
	}
	b.findings()
	b.view.Providers = c.tagProviders()
	return b.view, nil
}

// tagsBuild puts a TagsView together.
type tagsBuild struct {
	c        *Control
	org      string
	view     TagsView
	accounts []outlay.CloudAccount
	sources  []outlay.Source // those of view.Sources, in the same order
	heads    []outlay.Head
}

// load reads accounts, sources and heads, and fills the standings.
func (b *tagsBuild) load(ctx context.Context) error {
	var all []outlay.Source
	err := b.c.deps.Store.ReadOrg(ctx, b.org, func(tx outlay.Tx) (err error) {
		if b.accounts, err = tx.Accounts(ctx); err != nil {
			return err
		}
		if all, err = tx.Sources(ctx); err != nil {
			return err
		}
		b.heads, err = tx.Heads(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for _, s := range all {
		loaded := slices.ContainsFunc(b.heads, func(h outlay.Head) bool { return h.SourceID == s.ID })
		if s.Desired == outlay.Present && s.Provider != "" || loaded {
			b.sources = append(b.sources, s)
		}
	}
	rank := func(s outlay.Source) int { // what stands before what only has history, files last
		switch {
		case s.Provider == "":
			return 2
		case s.Desired != outlay.Present:
			return 1
		}
		return 0
	}
	slices.SortFunc(b.sources, func(x, y outlay.Source) int {
		return cmp.Or(rank(x)-rank(y), cmp.Compare(b.c.title(x.Provider), b.c.title(y.Provider)), cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID))
	})
	b.view.Sources = make([]TagSource, 0, len(b.sources))
	for _, s := range b.sources {
		b.view.Sources = append(b.view.Sources, b.source(s))
	}
	for _, key := range outlay.TagKeys() {
		k := TagKey{Key: key, Cells: make([]TagCell, 0, len(b.sources))}
		for _, s := range b.sources {
			k.Cells = append(k.Cells, tagCell(s, b.c.about(s.Provider), key))
		}
		b.view.Keys = append(b.view.Keys, k)
	}
	return nil
}

// about describes a provider; the zero value for one that this build does not know, and for files.
func (c *Control) about(name outlay.ProviderName) outlay.ProviderInfo {
	if p, ok := c.providers[name]; ok {
		return p.About()
	}
	return outlay.ProviderInfo{}
}

func (b *tagsBuild) source(s outlay.Source) TagSource {
	v := TagSource{ID: s.ID, Name: s.Name, Provider: s.Provider, AccountID: s.AccountID, Origin: s.Origin, Wanted: s.Desired == outlay.Present && s.Provider != ""}
	if s.Provider != "" {
		v.ProviderTitle = b.c.title(s.Provider)
	}
	if s.AccountID != "" {
		v.AccountName = accountTitle(b.accounts, s.AccountID)
	}
	info := b.c.about(s.Provider)
	if !v.Wanted || s.Origin != outlay.OriginCreated || s.Spec == nil {
		return v
	}
	if needsActivation(info) {
		for _, key := range outlay.TagKeys() {
			if !slices.Contains(s.Spec.Tags, key) {
				v.Off = append(v.Off, key)
			}
		}
		v.CanBackfill = info.Tags.Backfill != "" && len(s.Spec.Tags) > 0
	}
	if i := slices.IndexFunc(info.Fields, func(f outlay.ProviderField) bool { return f.Name == info.Tags.Option }); i >= 0 {
		v.option(info.Fields[i], info.Tags.OptionKind, s)
	}
	return v
}

// option says how the provider's own choice about tags, such as inheritance, stands at a source.
func (v *TagSource) option(f outlay.ProviderField, kind outlay.ResourceKind, s outlay.Source) {
	v.Option, v.OptionValue = f.Title, cmp.Or(s.Spec.Fields[f.Name], f.Default)
	for _, o := range f.Options {
		if o.ID == v.OptionValue {
			v.OptionValue = o.Title
		}
	}
	for _, r := range s.Resources {
		if r.Kind == kind && r.State != outlay.StateDeleted {
			v.OptionState = r.State
		}
	}
}

// needsActivation tells whether charges of a provider carry a key only once it was turned on: then its form offers to.
func needsActivation(info outlay.ProviderInfo) bool { return info.TagsHint != "" }

// tagCell tells where a key stands at a source, from what was asked for and from the ledger.
func tagCell(s outlay.Source, info outlay.ProviderInfo, key string) TagCell {
	switch {
	case s.Provider == "" || s.Desired != outlay.Present:
		return TagCell{}
	case !needsActivation(info):
		return TagCell{State: TagFree}
	case s.Origin != outlay.OriginCreated:
		return TagCell{State: TagElsewhere}
	case s.Spec == nil || !slices.Contains(s.Spec.Tags, key):
		return TagCell{State: TagOff}
	}
	i := slices.IndexFunc(s.Resources, func(r outlay.Resource) bool { return r.Name == key && r.State != outlay.StateDeleted })
	if i < 0 {
		return TagCell{State: TagWaiting, Detail: "Outlay has not looked at it yet."}
	}
	return standing(s.Resources[i])
}

// standing reads a tag's row of the ledger.
func standing(r outlay.Resource) TagCell {
	cell := TagCell{Detail: r.LastError}
	refused := outlay.Code(r.Properties[outlay.PropRefused])
	switch state := outlay.TagState(r.Properties[outlay.PropTagState]); {
	case state == outlay.TagActive, state == "" && r.State == outlay.StateVerified:
		cell.State, cell.Detail = TagActive, ""
	case state == outlay.TagActivating, state == "" && r.State == outlay.StateCreated:
		cell.State, cell.Detail = TagActivating, ""
	case refused == outlay.CodeForbidden, refused == outlay.CodeUnauthenticated:
		cell.State = TagDenied
	case state == outlay.TagUnseen:
		cell.State = TagUnseen
	case state == outlay.TagInactive:
		cell.State = TagInactive
	case r.State == outlay.StatePlanned, r.State == outlay.StateIntended:
		cell.State = TagPending
	default:
		cell.State = TagWaiting
	}
	if cell.State == TagActive || cell.State == TagActivating {
		if since, err := time.Parse(time.RFC3339, r.Properties[outlay.PropTagSince]); err == nil {
			cell.Since = since
		}
	}
	return cell
}

// tagProviders lists how each provider spells the nine.
func (c *Control) tagProviders() []TagProvider {
	out := []TagProvider{}
	for _, info := range c.ProviderInfos() {
		v := TagProvider{Name: info.Name, Title: info.Title, Series: info.Series, Activation: needsActivation(info), Timing: info.Tags.Timing, Link: info.Tags.Link, Manual: info.Tags.Manual, Backfill: info.Tags.Backfill}
		labels, err := c.providers[info.Name].Labels(tagSample())
		if err != nil || len(labels) == 0 { // a sample that a provider cannot spell shows the keys alone
			for _, key := range outlay.TagKeys() {
				labels = append(labels, outlay.Label{Tag: key, Original: tagSample()[key], Key: key})
			}
		}
		v.Labels = labels
		out = append(out, v)
	}
	return out
}

// tagSample is a value of each key as people and launchers write it, to show what a provider makes of it.
func tagSample() map[string]string {
	return map[string]string{
		"Date": "2026-11-22T10:00:00Z", "GroupID": "hydrology", "Name": "Solver 1", "OrganizationID": "northwind", "Pool": "gpu-spot", "Project": "Flood Maps",
		"Session": "Calibration run", "SessionID": "01J9ZK4V7Q8X2M3N5P6R7S8T9V", "User": "ada@example.org",
	}
}

// findings lists near keys and clashes of each source's newest month, and keys that a provider lists.
func (b *tagsBuild) findings() {
	for i, s := range b.sources {
		newest := outlay.Head{}
		for _, h := range b.heads {
			if h.SourceID == s.ID && h.Period > newest.Period {
				newest = h
			}
		}
		known := map[string]bool{}
		for _, x := range newest.Proof.Spellings {
			known[outlay.FoldTag(x.Keys[0])] = true
			b.finding(b.view.Sources[i], newest.Period, x)
		}
		if b.view.Sources[i].Wanted {
			b.listed(s, known)
		}
	}
}

func (b *tagsBuild) finding(s TagSource, p outlay.Period, x outlay.TagSpelling) {
	if !x.Near && x.Rows == 0 {
		return // several spellings that never met: each counts
	}
	if !x.Near {
		b.view.Clashes = append(b.view.Clashes, TagClash{Tag: x.Tag, Keys: x.Keys, SourceID: s.ID, SourceName: s.Name, Period: p, Rows: x.Rows})
		return
	}
	near := NearKey{Tag: x.Tag, Key: x.Keys[0], SourceID: s.ID, SourceName: s.Name, Period: p, Rows: x.Rows}
	for _, currency := range sortedKeys(x.Effective) {
		if sum, err := outlay.ParseAmount(x.Effective[currency], currency); err == nil && b.view.CostsShown {
			near.Cost = append(near.Cost, sum)
		}
	}
	b.view.Near = append(b.view.Near, near)
}

// listed adds the keys that a provider has seen on resources and that probably were meant for one of the nine.
func (b *tagsBuild) listed(s outlay.Source, known map[string]bool) {
	for _, key := range outlay.TagKeys() {
		for _, r := range s.Resources {
			similar := r.Properties[outlay.PropTagSimilar]
			if r.Name == key && similar != "" && !known[outlay.FoldTag(similar)] && r.State != outlay.StateDeleted {
				b.view.Near = append(b.view.Near, NearKey{Tag: key, Key: similar, SourceID: s.ID, SourceName: s.Name})
			}
		}
	}
}

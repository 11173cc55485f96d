// Package control holds the verbs: may he, is it valid, do it, write it down. Pages, API and CLI call these and
// nothing else, so that what one of them can do, all can, under the same permission.
package control

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"outlay"
)

// Deps is what the verbs work with. Every field is needed but Diagnosis and Wake.
type Deps struct {
	Store     outlay.Store
	Providers []outlay.Provider
	Costs     outlay.CostStore
	Sealer    outlay.Sealer
	Importer  Importer
	Passwords Passwords
	Clock     outlay.Clock
	Log       *slog.Logger
	// LookEvery is the interval of the hourly look, for the words of pages.
	LookEvery time.Duration
	// Diagnosis is what a diagnostics bundle tells about the program; the zero value tells nothing.
	Diagnosis Diagnosis
	// Wake tells the worker that work was queued; nil when it polls.
	Wake func()
}

// Importer loads files that no provider delivered, and removes what was loaded.
type Importer interface {
	ImportFiles(ctx context.Context, r ImportRequest) (ImportResult, error)
	// RemoveHistory makes everything that was loaded of a source disappear.
	RemoveHistory(ctx context.Context, orgID, sourceID string) error
}

// Passwords makes what is stored of passwords and tokens.
type Passwords interface {
	HashPassword(p outlay.Secret) (string, error)
	// MintToken returns a token's id, its text (shown once) and the hash that is stored.
	MintToken() (id, text, hash string)
}

// Control is the verbs. Make one with New; it is safe for concurrent use.
type Control struct {
	// LookEvery is the interval of the hourly look, for the words of pages.
	LookEvery time.Duration
	deps      Deps
	providers map[outlay.ProviderName]outlay.Provider
	seen      seenCache
}

// New makes the verbs. Providers come by title wherever they are listed, and so do the formats of files that are tried.
func New(d Deps) *Control {
	d.Providers = slices.SortedFunc(slices.Values(d.Providers), func(x, y outlay.Provider) int { return strings.Compare(x.About().Title, y.About().Title) })
	c := &Control{LookEvery: d.LookEvery, deps: d, providers: map[outlay.ProviderName]outlay.Provider{}, seen: seenCache{at: map[string]seenEntry{}, mu: &sync.Mutex{}}}
	for _, p := range d.Providers {
		c.providers[p.Name()] = p
	}
	return c
}

// ProviderInfos lists the providers that accounts can be added for, by title.
func (c *Control) ProviderInfos() []outlay.ProviderInfo {
	out := make([]outlay.ProviderInfo, 0, len(c.deps.Providers))
	for _, p := range c.deps.Providers {
		out = append(out, p.About())
	}
	return out
}

func (c *Control) provider(name outlay.ProviderName) (outlay.Provider, error) {
	p, ok := c.providers[name]
	if !ok {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Choose one of the providers that this installation knows.", "there is no provider %q", name).InField("provider")
	}
	return p, nil
}

// title is what a provider is called; the name itself when this build does not know it.
func (c *Control) title(name outlay.ProviderName) string {
	if p, ok := c.providers[name]; ok {
		return p.About().Title
	}
	return string(name)
}

func (c *Control) wake() {
	if c.deps.Wake != nil {
		c.deps.Wake()
	}
}

// note appends an audit entry within tx.
func (c *Control) note(ctx context.Context, tx outlay.Tx, a outlay.Actor, action outlay.Action, object, detail string) error {
	return tx.Append(ctx, outlay.Entry{
		OrgID: a.OrgID, At: c.deps.Clock.Now(), Actor: a.UserID, ActorName: a.Name, Addr: a.Addr,
		Action: string(action), Object: object, Result: "ok", Detail: detail,
	})
}

// must is Actor.Must, and writes down that somebody tried what he may not, and returns why. Reads are not written down.
func (c *Control) must(ctx context.Context, a outlay.Actor, action outlay.Action, object string) error {
	err := a.Must(action)
	if err == nil || a.UserID == "" {
		return err
	}
	e := outlay.Entry{OrgID: a.OrgID, At: c.deps.Clock.Now(), Actor: a.UserID, ActorName: a.Name, Addr: a.Addr, Action: string(action), Object: object, Result: string(outlay.CodeForbidden)}
	if logErr := c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error { return tx.Append(ctx, e) }); logErr != nil {
		c.deps.Log.ErrorContext(ctx, "could not write the audit log", "error", logErr)
	}
	return err
}

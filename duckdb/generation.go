package duckdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"outlay"
)

// maxAttached is how many organizations keep their serving database open; the least recently asked goes first.
const maxAttached = 32

// generations keeps the serving databases: which is current for an organization, and who still reads an old one.
type generations struct {
	mu   sync.Mutex
	orgs map[string]*generation
}

// generation is a serving database in use.
type generation struct {
	*serving
	hash    string
	version int64
	readers int
	stale   bool // no longer current: detached with its last reader
	used    time.Time
	names   map[string]map[string]string // by column and key, as far as they were asked for
}

// acquire gives the organization's current serving database, making it when heads changed since. Call release after.
func (c *Costs) acquire(ctx context.Context, orgID string) (*generation, func(), error) {
	heads, version, err := c.opts.Heads(ctx, orgID)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the published heads: %w", err)
	}
	// An empty month has neither files nor rollups.
	heads = slices.DeleteFunc(slices.Clone(heads), func(h outlay.Head) bool { return len(h.Files) == 0 && len(h.Rollups) == 0 })
	for _, h := range heads {
		if len(h.Rollups) != len(rollups()) {
			return nil, nil, outlay.Errorf(outlay.CodeInternal, "Load the month again.", "the head of %s %s names %d rollups", h.SourceID, h.Period, len(h.Rollups))
		}
	}
	c.gens.mu.Lock()
	if g := c.gens.orgs[orgID]; g != nil && g.version == version {
		defer c.gens.mu.Unlock()
		return g, c.hold(g), nil
	}
	c.gens.mu.Unlock()
	hash := hashHeads(orgID, heads)
	built, err := c.builds.do(ctx, hash, func(ctx context.Context) (any, error) { return c.current(ctx, orgID, hash, version, heads) })
	if err != nil {
		return nil, nil, err
	}
	g := built.(*generation)
	c.gens.mu.Lock()
	defer c.gens.mu.Unlock()
	if g.stale { // somebody published between: ask again
		return nil, nil, errMoved
	}
	return g, c.hold(g), nil
}

// errMoved says that heads moved while their serving database was made.
var errMoved = errors.New("the published heads moved")

// current makes the heads' serving database the organization's current one, building it unless it is already.
func (c *Costs) current(ctx context.Context, orgID, hash string, version int64, heads []outlay.Head) (*generation, error) {
	c.gens.mu.Lock()
	if g := c.gens.orgs[orgID]; g != nil && g.hash == hash {
		g.version = version
		c.gens.mu.Unlock()
		return g, nil
	}
	c.gens.mu.Unlock()
	s, err := c.build(ctx, heads)
	if err != nil {
		return nil, err
	}
	g := &generation{serving: s, hash: hash, version: version, used: c.opts.Clock.Now()}
	c.gens.mu.Lock()
	defer c.gens.mu.Unlock()
	if old := c.gens.orgs[orgID]; old != nil {
		c.retire(old)
	}
	c.gens.orgs[orgID] = g
	for len(c.gens.orgs) > maxAttached {
		c.evict(orgID)
	}
	return g, nil
}

// hold counts a reader; the function it returns ends the reading. The caller holds the lock.
func (c *Costs) hold(g *generation) func() {
	g.readers++
	g.used = c.opts.Clock.Now()
	var once sync.Once
	return func() {
		once.Do(func() {
			c.gens.mu.Lock()
			defer c.gens.mu.Unlock()
			g.readers--
			if g.stale && g.readers == 0 {
				c.drop(g)
			}
		})
	}
}

// retire takes a generation out of use. The caller holds the lock.
func (c *Costs) retire(g *generation) {
	g.stale = true
	if g.readers == 0 {
		c.drop(g)
	}
}

// evict retires the generation that was used longest ago, but not keep's. The caller holds the lock.
func (c *Costs) evict(keep string) {
	oldest := ""
	for org, g := range c.gens.orgs {
		if org != keep && (oldest == "" || g.used.Before(c.gens.orgs[oldest].used)) {
			oldest = org
		}
	}
	c.retire(c.gens.orgs[oldest])
	delete(c.gens.orgs, oldest)
}

// drop detaches a generation's database and removes its file. A failure leaves a file in a folder that Open clears.
func (c *Costs) drop(g *generation) {
	if _, err := c.db.Exec("DETACH " + g.schema); err == nil {
		_ = removeIfThere(g.path)
	}
}

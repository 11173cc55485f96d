package ingest

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"outlay"
)

// ImportRequest loads files that no provider delivered.
type ImportRequest struct {
	OrgID, UserID string
	Name          string // of the source; "" takes the first file's name
	Files         []ImportFile
	// Formats are what the files may be besides FOCUS.
	Formats []outlay.ParseFormat
	// Format is the one format that was asked for, whose entries alone are in Formats; "" finds it out by the columns.
	Format string
}

// ImportFile is one file on this machine and what it is called by the person who brings it.
type ImportFile struct{ Name, Path string }

// Import says what was loaded.
type Import struct {
	SourceID, Name string
	Format         string // what the files were taken for: one of the request's Formats, or "focus"
	Already        bool   // the same content is on show already; nothing changed
	Rows           int64
	Periods        []ImportPeriod
	// Unknown columns are kept aside; Missing ones stay empty.
	Unknown, Missing, Notes []string
}

// ImportPeriod is one billing month of an import.
type ImportPeriod struct {
	Period outlay.Period
	Rows   int64
	Sums   map[string]map[outlay.Measure]string // by currency
}

// importing is an import under way.
type importing struct {
	ImportRequest
	source  outlay.Source
	token   string // of the content
	version time.Time
	heads   []outlay.Head // on show before, of this source
	periods []outlay.ParsedPeriod
	fresh   []outlay.Head // to publish
	format  string        // what the files are
}

// formatFocus names FOCUS files that no provider delivered.
const formatFocus = "focus"

// ImportFiles loads the files as one source, which is named: every month they hold, whole, or none. The same name again
// replaces what it held, months that are no longer in the files included; the same content again changes nothing. A
// bad file is CodeInvalid naming file, line and column. mapping is for FOCUS files; without SQL it allows none.
func (g *Ingest) ImportFiles(ctx context.Context, r ImportRequest, mapping outlay.Mapping) (Import, error) {
	if len(r.Files) == 0 {
		return Import{}, outlay.Errorf(outlay.CodeInvalid, "Name at least one file.", "there is no file to import").InField("files")
	}
	if r.Name == "" {
		r.Name = filepath.Base(r.Files[0].Name)
	}
	m := &importing{ImportRequest: r}
	dir, err := g.stagingDir(r.OrgID, importOwner+outlay.NewID("x"))
	if err != nil {
		return Import{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	files, err := g.copyIn(ctx, m, dir)
	if err != nil {
		return Import{}, err
	}
	g.o.Points(pointImportCopied)
	already, err := g.findImport(ctx, m)
	if err != nil {
		return Import{}, err
	}
	if already {
		g.afterImport(ctx, m) // the process may have died between publishing and this
		return m.result(m.heads, true), nil
	}
	if err := g.parseImport(ctx, m, mapping, files); err != nil {
		return Import{}, err
	}
	err = g.commitImport(ctx, m)
	if err == nil {
		g.o.Points(pointImportPublished)
	}
	g.afterImport(context.WithoutCancel(ctx), m) // after a failure too: some months may be committed
	if err != nil {
		return Import{}, err
	}
	return m.result(m.fresh, false), nil
}

// afterImport brings the lake to what is published and tells who depends on it. The import stands already: what fails
// here is repaired by tidying and by the next look.
func (g *Ingest) afterImport(ctx context.Context, m *importing) {
	if err := g.alignImport(ctx, m); err != nil {
		g.o.Log.Warn("bring the lake to an import; tidying repeats it", "org", m.OrgID, "source", m.source.ID, "err", err)
	}
	g.o.Points(pointImportAligned)
	g.tell(ctx, m.OrgID)
}

// findImport finds the source of this name, or makes up a new one, and tells whether the content is on show already.
func (g *Ingest) findImport(ctx context.Context, m *importing) (already bool, err error) {
	err = g.o.Store.ReadOrg(ctx, m.OrgID, func(tx outlay.Tx) error {
		found, err := filesSource(ctx, tx, m.Name)
		if err != nil {
			return err
		}
		m.heads, already = nil, false
		m.version = g.o.Clock.Now()
		if found == nil {
			m.source = outlay.Source{OrgID: m.OrgID, ID: outlay.NewID("src"), Name: m.Name, Origin: outlay.OriginFiles, Desired: outlay.Present, CreatedAt: m.version}
			return nil
		}
		m.source = *found
		if m.heads, err = headsOf(ctx, tx, found.ID); err != nil {
			return err
		}
		already = len(m.heads) > 0
		for _, h := range m.heads {
			u, err := tx.Unit(ctx, h.UnitID)
			if err != nil {
				return err
			}
			already = already && u.Delivery.Token == m.token
			m.format = u.Delivery.Format
			if !h.Version.Before(m.version) { // our clock went back; order still holds
				m.version = h.Version.Add(time.Microsecond)
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("looking for the source %s: %w", m.Name, err)
	}
	return already, nil
}

// parseImport parses all files as one job and checks each month.
func (g *Ingest) parseImport(ctx context.Context, m *importing, mapping outlay.Mapping, files []string) error {
	labels, err := g.labelsBy(ctx, m.OrgID)
	if err != nil {
		return err
	}
	gen := outlay.NewID("gen")
	out, err := g.o.Lake.Stage(ctx, m.OrgID, m.source.ID, gen)
	if err != nil {
		return err
	}
	m.periods, err = g.o.Parser.Parse(ctx, outlay.ParseJob{
		OrgID: m.OrgID, SourceID: m.source.ID, Files: files, Mapping: mapping, Formats: m.Formats, LabelsBy: labels, OutDir: out, Generation: gen,
		MemoryLimit: g.o.MemoryLimit, Threads: g.o.Threads,
	})
	if err == nil && len(m.periods) == 0 {
		err = outlay.Errorf(outlay.CodeInvalid, "Import a file with at least one row.", "%s holds no charges", m.Name).InField("files")
	}
	g.o.Points(pointImportParsed)
	m.format = formatFocus
	for i := range m.periods {
		m.format = cmp.Or(m.periods[i].Format, formatFocus)
		if err == nil {
			err = m.add(&m.periods[i], gen, out)
		}
	}
	if err != nil {
		_ = os.RemoveAll(out) // no snapshot names it
		if outOfSpace(err) {
			return diskFull(err)
		}
		return err
	}
	g.o.Points(pointImportProved)
	return nil
}

// commitImport commits each month to the lake, where nobody reads it yet, and publishes them all.
func (g *Ingest) commitImport(ctx context.Context, m *importing) error {
	for i := range m.fresh {
		h := &m.fresh[i]
		snapshot, err := g.o.Lake.Replace(ctx, outlay.Partition{OrgID: m.OrgID, SourceID: m.source.ID, Period: h.Period}, h.Generation, h.Files)
		if err != nil {
			return fmt.Errorf("committing %s: %w", h.Period, err)
		}
		h.Snapshot = snapshot
		g.o.Points(pointImportCommitted)
	}
	return g.publishImport(ctx, m)
}

// add checks a month and makes its head.
func (m *importing) add(p *outlay.ParsedPeriod, gen, out string) error {
	if err := checkWritten(*p, out); err != nil {
		return err
	}
	h := outlay.Head{
		OrgID: m.OrgID, SourceID: m.source.ID, Origin: outlay.OriginFiles, Period: p.Period, Version: m.version, Generation: gen,
		Files: p.Files, Rollups: p.Rollups, SubAccounts: p.SubAccounts, DataThrough: p.DataThrough, DeliveredAt: m.version,
	}
	if i := slices.IndexFunc(m.heads, func(old outlay.Head) bool { return old.Period == p.Period }); i >= 0 {
		previous := m.heads[i].Proof
		h.Previous = &previous
		p.Proof.Notes = append(p.Proof.Notes, changes(previous, p.Proof, false)...)
	}
	p.Proof.Notes = append(p.Proof.Notes, negatives(p.Proof)...)
	h.Proof = p.Proof
	m.fresh = append(m.fresh, h)
	return nil
}

// publishImport moves all months in one transaction: a reader sees the old import or the new one.
func (g *Ingest) publishImport(ctx context.Context, m *importing) error {
	err := g.o.Store.ForOrg(ctx, m.OrgID, func(tx outlay.Tx) error {
		found, err := filesSource(ctx, tx, m.Name)
		if err != nil {
			return err
		}
		if found != nil && found.ID != m.source.ID {
			return errSecondImport()
		}
		if err := tx.PutSource(ctx, m.source); err != nil { // first: its row is the lock of two imports of one name
			return err
		}
		heads, err := headsOf(ctx, tx, m.source.ID)
		if err != nil {
			return err
		}
		for _, h := range heads {
			if !h.Version.Before(m.version) {
				return errSecondImport()
			}
		}
		if err := tx.DeleteHeads(ctx, m.source.ID); err != nil {
			return err
		}
		if err := retire(ctx, tx, m.source.ID); err != nil {
			return err
		}
		for i := range m.fresh {
			if err := g.publishMonth(ctx, tx, m, &m.fresh[i]); err != nil {
				return err
			}
		}
		return g.ensureTidy(ctx, tx, m.OrgID)
	})
	if err != nil {
		return fmt.Errorf("publishing the import %s: %w", m.Name, err)
	}
	return nil
}

func (g *Ingest) publishMonth(ctx context.Context, tx outlay.Tx, m *importing, h *outlay.Head) error {
	now := g.o.Clock.Now()
	u, _, err := tx.AddUnit(ctx, outlay.Unit{
		OrgID: m.OrgID, ID: outlay.NewID("unit"), SourceID: m.source.ID, Period: h.Period, State: outlay.UnitWaiting, SeenAt: now,
		Delivery: outlay.Delivery{Period: h.Period, Version: m.version, Token: m.token, Format: m.format, Rows: -1},
	})
	if err != nil {
		return err
	}
	u.State, u.Attempts, u.LoadedAt, u.Proof = outlay.UnitPublished, 1, now, &h.Proof
	if err := tx.PutUnit(ctx, u); err != nil {
		return err
	}
	h.UnitID, h.PublishedAt = u.ID, now
	if err := tx.Publish(ctx, *h); err != nil {
		return err
	}
	return cover(ctx, tx, *h)
}

func errSecondImport() error {
	return outlay.Errorf(outlay.CodeConflict, "Import it again.", "another import of the same name was faster")
}

// alignImport brings every month of the source in the lake to its head: months that the files no longer hold go.
func (g *Ingest) alignImport(ctx context.Context, m *importing) error {
	there, err := g.o.Lake.Partitions(ctx, m.OrgID)
	if err != nil {
		return err
	}
	for _, p := range there {
		if p.SourceID != m.source.ID {
			continue
		}
		if err := g.align(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// result tells what heads hold.
func (m *importing) result(heads []outlay.Head, already bool) Import {
	res := Import{SourceID: m.source.ID, Name: m.Name, Format: m.format, Already: already}
	for _, h := range heads {
		res.Rows += h.Proof.Rows
		res.Periods = append(res.Periods, ImportPeriod{Period: h.Period, Rows: h.Proof.Rows, Sums: h.Proof.Written})
		res.Unknown = union(res.Unknown, h.Proof.Unknown)
		res.Missing = union(res.Missing, h.Proof.MissingColumns)
		res.Notes = union(res.Notes, h.Proof.Notes)
	}
	slices.SortFunc(res.Periods, func(a, b ImportPeriod) int { return a.Period.Start().Compare(b.Period.Start()) })
	return res
}

func union(a, b []string) []string { return append(a, less(b, a)...) }

// filesSource is the source of plain files with a name; nil when there is none.
func filesSource(ctx context.Context, tx outlay.Tx, name string) (*outlay.Source, error) {
	sources, err := tx.Sources(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range sources {
		if s.Origin == outlay.OriginFiles && s.Name == name {
			return &s, nil
		}
	}
	return nil, nil
}

func headsOf(ctx context.Context, tx outlay.Tx, sourceID string) ([]outlay.Head, error) {
	heads, err := tx.Heads(ctx)
	return slices.DeleteFunc(heads, func(h outlay.Head) bool { return h.SourceID != sourceID }), err
}

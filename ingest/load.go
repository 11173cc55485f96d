package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"outlay"
)

// maxAttempts is how often a delivery is tried before it is quarantined (reliability.md §4.3).
const maxAttempts = 5

// Pauses after a load that did not fail by its content.
const (
	untilNextLook  = time.Hour        // the delivery moved: the next look brings a fresh one
	untilDiskSpace = 10 * time.Minute // somebody has to free the disk
)

// load is one attempt at a unit: what it was when it was claimed, and what it needs.
type load struct {
	unit     outlay.Unit // Attempts counts this attempt: writes after it name the attempt
	source   outlay.Source
	account  outlay.CloudAccount
	provider outlay.Provider
	previous *outlay.Head // what is on show now
	before   *outlay.Unit // the delivery of this period before this one
}

// Load does one task of kind "ingest": it takes the delivery of the unit t.Subject into the lake. A unit that is done,
// superseded or quarantined is left alone, so the same task twice is once.
func (g *Ingest) Load(ctx context.Context, t outlay.Task) (time.Duration, error) {
	g.o.Points(pointClaimed)
	l, state, err := g.begin(ctx, t)
	switch {
	case err != nil:
		return 0, err
	case state == outlay.UnitPublished: // a crash after the publish: do what comes after it again
		return 0, g.finish(ctx, l)
	case state != outlay.UnitLoading:
		return 0, nil
	}
	g.o.Points(pointLoading)
	h, err := g.build(ctx, l)
	if err == nil {
		err = g.publish(ctx, l, h)
	}
	if err != nil {
		return g.settle(ctx, l, err)
	}
	g.o.Points(pointPublished)
	return 0, g.finish(ctx, l)
}

// build makes the unit's files and proves them: everything of a publish but its last statement.
func (g *Ingest) build(ctx context.Context, l *load) (outlay.Head, error) {
	u := l.unit
	dir, err := g.stagingDir(u.OrgID, u.ID)
	if err != nil {
		return outlay.Head{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what stays is swept by Tidy
	files, err := g.fetch(ctx, l, dir)
	if err != nil {
		return outlay.Head{}, err
	}
	g.o.Points(pointFetched)
	gen := outlay.NewID("gen")
	out, err := g.o.Lake.Stage(ctx, u.OrgID, u.SourceID, gen)
	if err != nil {
		return outlay.Head{}, err
	}
	g.o.Points(pointStaged)
	h, err := g.normalise(ctx, l, gen, out, files)
	if err != nil {
		_ = os.RemoveAll(out) // no snapshot names it; what stays is collected
		return outlay.Head{}, err
	}
	g.o.Points(pointProved)
	h.Snapshot, err = g.o.Lake.Replace(ctx, outlay.Partition{OrgID: u.OrgID, SourceID: u.SourceID, Period: u.Period}, gen, h.Files)
	if err != nil {
		return outlay.Head{}, fmt.Errorf("committing %s: %w", u.Period, err)
	}
	g.o.Points(pointCommitted)
	return h, nil
}

// fetch brings the delivery's files into dir.
func (g *Ingest) fetch(ctx context.Context, l *load, dir string) ([]string, error) {
	d := l.unit.Delivery
	if err := checkNamesOf(d); err != nil {
		return nil, err
	}
	// A provider may name the files only when it fetches them: an empty list says nothing about the delivery.
	var declared int64
	for _, f := range d.Files {
		declared += f.Size
	}
	if err := g.checkSpace(declared); err != nil {
		return nil, err
	}
	metered, billed := outlay.WithMeter(ctx)
	files, err := l.provider.Fetch(metered, &l.account, &l.source, d, dir)
	g.count(ctx, l, billed)
	if err != nil {
		return nil, fmt.Errorf("fetching the delivery of %s: %w", d.Period, err)
	}
	return files, nil
}

// checkNamesOf refuses a delivery that names a file twice: its charges would count twice.
func checkNamesOf(d outlay.Delivery) error {
	seen := map[string]bool{}
	for _, f := range d.Files {
		if seen[f.Key] {
			return outlay.Errorf(outlay.CodeInvalid, "Wait for the next delivery.", "the delivery names file %s twice", f.Key).InField(f.Key)
		}
		seen[f.Key] = true
	}
	return nil
}

// normalise parses the files into out and checks what was written: the head to publish, without its snapshot.
func (g *Ingest) normalise(ctx context.Context, l *load, gen, out string, files []string) (outlay.Head, error) {
	u := l.unit
	parsed := outlay.ParsedPeriod{Period: u.Period, Proof: emptyProof()}
	if len(files) > 0 {
		mapping, err := l.provider.Mapping(u.Delivery.Format)
		if err != nil {
			return outlay.Head{}, err
		}
		labels, err := g.labels(ctx, u.OrgID, l.source.Provider)
		if err != nil {
			return outlay.Head{}, err
		}
		periods, err := g.o.Parser.Parse(ctx, outlay.ParseJob{
			OrgID: u.OrgID, SourceID: u.SourceID, Files: files, Mapping: mapping, Labels: labels, Period: u.Period, OutDir: out, Generation: gen,
			MemoryLimit: g.o.MemoryLimit, Threads: g.o.Threads,
		})
		if err != nil {
			return outlay.Head{}, nameFiles(err, u.Delivery, files)
		}
		if len(periods) > 0 {
			parsed = periods[0]
		}
		if len(periods) > 1 {
			return outlay.Head{}, outlay.Errorf(outlay.CodeInternal, "", "the parser returned %d months for one", len(periods))
		}
	}
	g.o.Points(pointParsed)
	if err := l.check(&parsed, out); err != nil {
		return outlay.Head{}, err
	}
	return l.head(gen, parsed), nil
}

// head is what a publish of parsed would say, without the snapshot.
func (l *load) head(gen string, p outlay.ParsedPeriod) outlay.Head {
	u := l.unit
	h := outlay.Head{
		OrgID: u.OrgID, SourceID: u.SourceID, Provider: l.source.Provider, Origin: l.source.Origin, Period: u.Period, UnitID: u.ID,
		Version: u.Delivery.Version, Generation: gen, Files: p.Files, Rollups: p.Rollups, Proof: p.Proof,
		SubAccounts: p.SubAccounts, DataThrough: p.DataThrough, DeliveredAt: u.Delivery.Version,
	}
	if l.previous != nil {
		proof := l.previous.Proof
		h.Previous = &proof
	}
	return h
}

// nameFiles makes a parser's error name the delivery's file: the parser knows it by its name in staging. Where the
// provider named its files nowhere, the place in the delivery has to do.
func nameFiles(err error, d outlay.Delivery, files []string) error {
	e, ok := errors.AsType[*outlay.Error](err)
	if !ok {
		return err
	}
	named := *e
	for i, f := range files {
		name := fmt.Sprintf("file %d of %d of the delivery", i+1, len(files))
		if len(files) == len(d.Files) {
			name = d.Files[i].Key
		} else if key := d.Ref[outlay.RefFile(i)]; key != "" {
			name = key
		}
		named.Message = replaceWord(named.Message, filepath.Base(f), name)
		named.Field = replaceWord(named.Field, filepath.Base(f), name)
	}
	return &named
}

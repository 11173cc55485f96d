package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"

	"outlay"
)

// relabel turns labels back in months that are on show and were loaded before it was known what the labels stand for. A
// month that cannot be done keeps none of the others.
func (g *Ingest) relabel(ctx context.Context, orgID string, heads []outlay.Head) error {
	several, err := g.labelsBy(ctx, orgID)
	if err != nil {
		return err
	}
	for called, of := range several {
		several[called] = once(of)
	}
	changed := false
	var failed error
	for _, h := range heads {
		job := outlay.ParseJob{OrgID: orgID, SourceID: h.SourceID, Period: h.Period, Relabel: true, MemoryLimit: g.o.MemoryLimit, Threads: g.o.Threads}
		if h.Provider == "" {
			job.LabelsBy = several
		} else {
			of, err := g.labels(ctx, orgID, h.Provider)
			if err != nil {
				return err
			}
			job.Labels = once(of)
		}
		if len(h.Files) == 0 || len(job.Labels)+len(job.LabelsBy) == 0 {
			continue
		}
		done, err := g.relabelMonth(ctx, h, job)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("turning labels back in %s of source %s: %w", h.Period, h.SourceID, err))
		}
		changed = changed || done
	}
	if changed {
		g.tell(ctx, orgID)
	}
	return failed
}

// relabelMonth writes a month again where it holds such labels, and puts it on show in place of what it is made from: of
// the same version, for it is the same delivery.
func (g *Ingest) relabelMonth(ctx context.Context, h outlay.Head, job outlay.ParseJob) (changed bool, err error) {
	next, err := g.relabelled(ctx, h, job)
	if err != nil || next == nil {
		return false, err
	}
	p := outlay.Partition{OrgID: h.OrgID, SourceID: h.SourceID, Period: h.Period}
	if next.Snapshot, err = g.o.Lake.Replace(ctx, p, next.Generation, next.Files); err != nil {
		return false, err
	}
	g.o.Points(pointLabelCommitted)
	if changed, err = g.exchange(ctx, h, *next); err != nil {
		return false, err
	}
	g.o.Points(pointLabelPublished)
	return changed, g.align(ctx, p)
}

// relabelled writes the month and proves that it is the same but for its labels; nil when there are none in it.
func (g *Ingest) relabelled(ctx context.Context, h outlay.Head, job outlay.ParseJob) (*outlay.Head, error) {
	var size int64
	for _, f := range h.Files {
		job.Files = append(job.Files, f.Path)
		size += f.Bytes
	}
	if err := g.checkSpace(size); err != nil {
		return nil, err
	}
	job.Generation = outlay.NewID("gen")
	var err error
	if job.OutDir, err = g.o.Lake.Stage(ctx, h.OrgID, h.SourceID, job.Generation); err != nil {
		return nil, err
	}
	periods, err := g.o.Parser.Parse(ctx, job)
	if err == nil && len(periods) > 0 {
		err = sameMonth(h, periods[0], job.OutDir)
	}
	if err != nil || len(periods) == 0 {
		_ = os.RemoveAll(job.OutDir) // no snapshot names it; what stays is collected
		return nil, err
	}
	g.o.Points(pointLabelWritten)
	next := h
	next.Generation, next.Files, next.Rollups = job.Generation, periods[0].Files, periods[0].Rollups
	return &next, nil
}

// sameMonth compares what was written with what the month's own load proved.
func sameMonth(h outlay.Head, p outlay.ParsedPeriod, dir string) error {
	if err := checkWritten(p, dir); err != nil {
		return err
	}
	if p.Proof.Rows != h.Proof.Rows {
		return outlay.Errorf(outlay.CodeInternal, "It is tried again by itself.", "%d charges are on show and %d were written", h.Proof.Rows, p.Proof.Rows)
	}
	return sameSums(outlay.Proof{Read: h.Proof.Written, Written: p.Proof.Written})
}

// exchange puts next on show in place of h, in one transaction; false when h is not on show any more: a newer version
// came meanwhile, with its labels turned back. A head never moves to the version that it has, so the source's heads are
// taken away and set again, as an import does.
func (g *Ingest) exchange(ctx context.Context, h, next outlay.Head) (changed bool, err error) {
	err = g.o.Store.ForOrg(ctx, h.OrgID, func(tx outlay.Tx) error {
		changed = false
		heads, err := headsOf(ctx, tx, h.SourceID)
		if err != nil {
			return err
		}
		for i := range heads {
			if heads[i].Period == h.Period && heads[i].Generation == h.Generation {
				heads[i], changed = next, true
			}
		}
		if !changed {
			return nil
		}
		if err := tx.DeleteHeads(ctx, h.SourceID); err != nil {
			return err
		}
		for _, head := range heads {
			if err := tx.Publish(ctx, head); err != nil {
				return err
			}
		}
		return nil
	})
	return changed, err
}

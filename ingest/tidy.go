package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"outlay"
)

// tidyEvery is how often an organization's lake is tidied.
const tidyEvery = 24 * time.Hour

// EnsureScheduled makes every organization have its tidy task; called at start.
func (g *Ingest) EnsureScheduled(ctx context.Context) error {
	orgs, err := g.o.Store.Install().Organizations(ctx)
	if err != nil {
		return fmt.Errorf("scheduling the tidying of lakes: %w", err)
	}
	for _, o := range orgs {
		if err := g.o.Store.ForOrg(ctx, o.ID, func(tx outlay.Tx) error { return g.ensureTidy(ctx, tx, o.ID) }); err != nil {
			return fmt.Errorf("scheduling the tidying of a lake: %w", err)
		}
	}
	return nil
}

// ensureTidy adds the tidy task where there is none; a task that exists keeps its time.
func (g *Ingest) ensureTidy(ctx context.Context, tx outlay.Tx, orgID string) error {
	tasks, err := tx.Tasks(ctx)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if t.Kind == TaskTidy {
			return nil
		}
	}
	return tx.PutTask(ctx, outlay.Task{OrgID: orgID, Kind: TaskTidy, Subject: orgID, NextAt: g.o.Clock.Now().Add(time.Hour), Every: tidyEvery})
}

// Tidy repairs and collects what crashes left behind: partitions of the lake that differ from their head, old
// versions, files that nobody names, and staging folders without a load. Of what is published it changes the labels whose
// meaning was learned later, and nothing else.
func (g *Ingest) Tidy(ctx context.Context, orgID string) error {
	there, err := g.o.Lake.Partitions(ctx, orgID)
	if err != nil {
		return fmt.Errorf("tidying the lake: %w", err)
	}
	heads, err := g.heads(ctx, orgID)
	if err != nil {
		return err
	}
	wanted := map[outlay.Partition]bool{}
	for _, p := range there {
		wanted[p] = true
	}
	for _, h := range heads {
		wanted[outlay.Partition{OrgID: orgID, SourceID: h.SourceID, Period: h.Period}] = true
	}
	for p := range wanted {
		if err := g.align(ctx, p); err != nil {
			return err
		}
	}
	if heads, err = g.heads(ctx, orgID); err != nil {
		return err
	}
	relabelErr := g.relabel(ctx, orgID, heads) // the rest does not wait for it
	if heads, err = g.heads(ctx, orgID); err != nil {
		return err
	}
	if err := g.o.Lake.Collect(ctx, orgID, heads); err != nil {
		return fmt.Errorf("tidying the lake: %w", err)
	}
	return errors.Join(relabelErr, g.sweepStaging(ctx, orgID))
}

func (g *Ingest) heads(ctx context.Context, orgID string) ([]outlay.Head, error) {
	var heads []outlay.Head
	err := g.o.Store.ReadOrg(ctx, orgID, func(tx outlay.Tx) (err error) {
		heads, err = tx.Heads(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing what is published: %w", err)
	}
	return heads, nil
}

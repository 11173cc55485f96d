package control

import (
	"context"

	"outlay"
)

// RemoveHistory removes what was loaded of a source that delivers no more: an import, or a set-up that was deprovisioned
// with its history kept. confirm is the source's name, typed. Nothing changes in a provider.
func (c *Control) RemoveHistory(ctx context.Context, a outlay.Actor, idOrName, confirm string) error {
	if err := c.must(ctx, a, outlay.CostsImport, "source "+idOrName); err != nil {
		return err
	}
	var s outlay.Source
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) (err error) { s, err = findSource(ctx, tx, idOrName); return err })
	if err != nil {
		return err
	}
	if s.Origin != outlay.OriginFiles {
		if err := c.must(ctx, a, outlay.BillingDeprovision, "source "+s.Name); err != nil {
			return err
		}
	}
	if !removable(s) {
		return outlay.Errorf(outlay.CodeConflict, "Deprovision billing, and ask for the history to be removed with it.", "%s still delivers", s.Name)
	}
	if err := typed(confirm, s.Name); err != nil {
		return err
	}
	if err := c.deps.Importer.RemoveHistory(ctx, a.OrgID, s.ID); err != nil {
		return err
	}
	return c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		return c.note(ctx, tx, a, outlay.CostsImport, "source "+s.Name, "loaded history removed")
	})
}

// removable tells whether a source delivers no more, so that its history can go.
func removable(s outlay.Source) bool {
	return s.Origin == outlay.OriginFiles || s.Desired == outlay.Absent
}

// findSource finds a source by id, or by a name that only one removable source has: a set-up has its account's name.
func findSource(ctx context.Context, tx outlay.Tx, idOrName string) (outlay.Source, error) {
	all, err := tx.Sources(ctx)
	if err != nil {
		return outlay.Source{}, err
	}
	var named []outlay.Source
	for _, s := range all {
		if s.ID == idOrName {
			return s, nil
		}
		if s.Name == idOrName && s.Desired != outlay.Draft {
			named = append(named, s)
		}
	}
	switch len(named) {
	case 0:
		return outlay.Source{}, outlay.Errorf(outlay.CodeNotFound, "List the sources with their data health.", "there is no source %q", idOrName)
	case 1:
		return named[0], nil
	}
	return outlay.Source{}, outlay.Errorf(outlay.CodeConflict, "Name it by its id.", "%d sources are called %q", len(named), idOrName)
}

package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"outlay"
)

// stagingDir makes a fresh folder for one attempt at a unit (or for one import), named so that Tidy knows whose it is.
func (g *Ingest) stagingDir(orgID, unitID string) (string, error) {
	parent, err := filepath.Abs(filepath.Join(g.o.Staging, filepath.Base(orgID))) // the parser works in another folder
	if err != nil {
		return "", fmt.Errorf("making a staging folder: %w", err)
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", fmt.Errorf("making a staging folder: %w", err)
	}
	dir, err := os.MkdirTemp(parent, filepath.Base(unitID)+".")
	if err != nil {
		return "", fmt.Errorf("making a staging folder: %w", err)
	}
	return dir, nil
}

// sweepUnit removes what attempts at a unit left in staging.
func (g *Ingest) sweepUnit(orgID, unitID string) error {
	dirs, err := filepath.Glob(filepath.Join(g.o.Staging, filepath.Base(orgID), filepath.Base(unitID)+".*"))
	if err != nil {
		return fmt.Errorf("listing staging: %w", err)
	}
	for _, d := range dirs {
		if err := os.RemoveAll(d); err != nil {
			return fmt.Errorf("emptying staging: %w", err)
		}
	}
	return nil
}

// sweepStaging removes the folders of units that are not being loaded and of imports that ended.
func (g *Ingest) sweepStaging(ctx context.Context, orgID string) error {
	parent := filepath.Join(g.o.Staging, filepath.Base(orgID))
	dirs, err := os.ReadDir(parent)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listing staging: %w", err)
	}
	for _, d := range dirs {
		owner, _, _ := strings.Cut(d.Name(), ".")
		busy, err := g.busy(ctx, orgID, owner, filepath.Join(parent, d.Name()))
		if err != nil {
			return err
		}
		if busy {
			continue
		}
		if err := os.RemoveAll(filepath.Join(parent, d.Name())); err != nil {
			return fmt.Errorf("emptying staging: %w", err)
		}
	}
	return nil
}

// busy tells whether a staging folder may be in use: a unit says so itself, an import by the age of its folder.
func (g *Ingest) busy(ctx context.Context, orgID, owner, dir string) (bool, error) {
	if strings.HasPrefix(owner, importOwner) {
		info, err := os.Stat(dir)
		return err == nil && g.o.Clock.Now().Sub(info.ModTime()) < importGrace, nil
	}
	var u outlay.Unit
	err := g.o.Store.ReadOrg(ctx, orgID, func(tx outlay.Tx) (err error) {
		u, err = tx.Unit(ctx, owner)
		return err
	})
	if err != nil && outlay.CodeOf(err) != outlay.CodeNotFound {
		return false, fmt.Errorf("asking whose staging folder %s is: %w", filepath.Base(dir), err)
	}
	return u.State == outlay.UnitLoading, nil
}

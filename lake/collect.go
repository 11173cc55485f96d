package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/apache/iceberg-go/table"

	"outlay"
)

// Collect forgets what nobody can ask for any more: snapshots that ended longer than Keep ago and that no head names,
// then files that no remaining snapshot and no head names and that are older than Grace. keep is every head of the
// organization, read before the call.
func (l *Lake) Collect(ctx context.Context, orgID string, keep []outlay.Head) error {
	if err := checkNames(orgID); err != nil {
		return err
	}
	turn := l.turn(orgID)
	turn.Lock()
	defer turn.Unlock()
	if err := again(ctx, func() error { return l.expire(ctx, orgID, keep) }); err != nil {
		return fmt.Errorf("expiring versions of the charges: %w", err)
	}
	named, err := l.generationsOf(ctx, orgID)
	if err != nil {
		return err
	}
	for _, h := range keep {
		named[h.SourceID+"/"+h.Generation] = true
		for _, f := range h.Files {
			named[generationOf(f.Path)] = true
		}
		for _, r := range h.Rollups {
			named[generationOf(r)] = true
		}
	}
	return errors.Join(l.collectGenerations(orgID, named), l.collectMetadata(ctx, orgID))
}

// expire removes snapshots from the table's metadata. Files are left to the steps after it.
func (l *Lake) expire(ctx context.Context, orgID string, keep []outlay.Head) error {
	t, err := l.load(ctx, orgID)
	if outlay.CodeOf(err) == outlay.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	gone := l.expired(t, keep)
	if len(gone) == 0 {
		return nil
	}
	current := t.CurrentSnapshot().SnapshotID
	_, _, err = l.catalog.CommitTable(ctx, ident(orgID),
		[]table.Requirement{table.AssertTableUUID(t.Metadata().TableUUID()), table.AssertRefSnapshotID(table.MainBranch, &current)},
		[]table.Update{table.NewRemoveSnapshotsUpdate(gone, false)})
	return err
}

// expired lists the snapshots that ended, by being followed by another, longer than Keep ago.
func (l *Lake) expired(t *table.Table, keep []outlay.Head) []int64 {
	wanted := map[int64]bool{}
	for _, h := range keep {
		wanted[h.Snapshot] = true
	}
	if s := t.CurrentSnapshot(); s != nil {
		wanted[s.SnapshotID] = true
	}
	horizon := l.clock.Now().Add(-l.keep)
	all := t.Metadata().Snapshots()
	ended := map[int64]time.Time{}
	for _, s := range all {
		if s.ParentSnapshotID != nil {
			ended[*s.ParentSnapshotID] = madeAt(s)
		}
	}
	var gone []int64
	for _, s := range all {
		end, followed := ended[s.SnapshotID]
		if !followed { // its successor has expired before it: it was kept for a head
			end = madeAt(s)
		}
		if !wanted[s.SnapshotID] && end.Before(horizon) {
			gone = append(gone, s.SnapshotID)
		}
	}
	return gone
}

// madeAt is when a snapshot was made: by our Clock if we made it.
func madeAt(s table.Snapshot) time.Time {
	if s.Summary != nil {
		if at, err := time.Parse(stampLayout, s.Summary.Properties[propAt]); err == nil {
			return at
		}
	}
	return time.UnixMilli(s.TimestampMs)
}

// collectGenerations deletes the folders of generations that are neither named nor young.
func (l *Lake) collectGenerations(orgID string, named map[string]bool) error {
	root := filepath.Join(l.tableDir(orgID), "data")
	sources, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listing the lake's files: %w", err)
	}
	for _, source := range sources {
		generations, err := os.ReadDir(filepath.Join(root, source.Name()))
		if err != nil {
			return fmt.Errorf("listing the lake's files: %w", err)
		}
		for _, g := range generations {
			if named[source.Name()+"/"+g.Name()] {
				continue
			}
			if err := l.collectFolder(filepath.Join(root, source.Name(), g.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *Lake) collectFolder(dir string) error {
	at, err := born(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another process was first
	}
	if err != nil {
		return fmt.Errorf("looking at an old version: %w", err)
	}
	if l.clock.Now().Sub(at) < l.grace {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing an old version: %w", err)
	}
	l.log.Info("removed files of an old version", "folder", filepath.Base(dir))
	return nil
}

// collectMetadata deletes manifests and manifest lists that no snapshot names, and versions of the table's metadata that
// neither the catalog nor the current version names: of expired snapshots, of lost races and of processes that died. They
// are aged by the file system, because Iceberg writes them.
func (l *Lake) collectMetadata(ctx context.Context, orgID string) error {
	t, err := l.load(ctx, orgID)
	if outlay.CodeOf(err) == outlay.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	named, err := namedMetadata(ctx, t)
	if err != nil {
		return err
	}
	var found []string
	for _, pattern := range []string{"*.avro", "*.metadata.json"} {
		list, err := filepath.Glob(filepath.Join(l.tableDir(orgID), "metadata", pattern))
		if err != nil {
			return fmt.Errorf("listing the lake's metadata: %w", err)
		}
		found = append(found, list...)
	}
	newest := time.Time{}
	ages := map[string]time.Time{}
	for _, path := range found {
		info, err := os.Stat(path)
		if err != nil {
			continue // another process was first
		}
		ages[path] = info.ModTime()
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	for path, at := range ages {
		if named[path] || newest.Sub(at) < l.grace {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing old metadata: %w", err)
		}
	}
	return nil
}

// namedMetadata are the files beside the data that are in use.
func namedMetadata(ctx context.Context, t *table.Table) (map[string]bool, error) {
	disk, err := t.FS(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the lake's files: %w", err)
	}
	paths := []string{t.MetadataLocation()}
	for past := range t.Metadata().PreviousFiles() {
		paths = append(paths, past.MetadataFile)
	}
	for _, s := range t.Metadata().Snapshots() {
		manifests, err := s.Manifests(disk)
		if err != nil {
			return nil, fmt.Errorf("reading snapshot %d: %w", s.SnapshotID, err)
		}
		paths = append(paths, s.ManifestList)
		for _, m := range manifests {
			paths = append(paths, m.FilePath())
		}
	}
	named := map[string]bool{}
	for _, p := range paths {
		path, err := localPath(p)
		if err != nil {
			return nil, err
		}
		named[path] = true
	}
	return named, nil
}

package lake

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"outlay"
)

// Properties of a snapshot of ours: what it did, and when by the lake's Clock.
const (
	propGeneration = "outlay.generation"
	propSource     = "outlay.source"
	propPeriod     = "outlay.period"
	propAt         = "outlay.at"
)

// Replace makes files the whole of a partition in one commit, and returns the snapshot that shows it. With no files
// the partition becomes empty. Replacing a partition by what it already holds changes nothing and returns the current
// snapshot, so a repeat after a crash is safe. Lost races are repeated from the start.
func (l *Lake) Replace(ctx context.Context, p outlay.Partition, generation string, files []outlay.DataFile) (int64, error) {
	if err := l.checkReplace(p, generation, files); err != nil {
		return 0, err
	}
	if len(files) > 0 {
		if err := l.seal(p.OrgID, p.SourceID, generation); err != nil {
			return 0, err
		}
	}
	turn := l.turn(p.OrgID)
	turn.Lock()
	defer turn.Unlock()
	var snapshot int64
	err := again(ctx, func() error {
		t, err := l.loadOrCreate(ctx, p.OrgID)
		if err != nil {
			return err
		}
		old, err := dataFiles(ctx, t, func(q outlay.Partition) bool { return q == p }, p.OrgID)
		if err != nil {
			return err
		}
		fresh, err := describe(ctx, t, p, files)
		if err != nil {
			return err
		}
		snapshot, err = l.swap(ctx, t, old, fresh, l.properties(p, generation))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("replacing %s of source %s: %w", p.Period, p.SourceID, err)
	}
	return snapshot, nil
}

// describe reads the footers of files that we wrote, and proves that each holds rows of this partition only, as many
// as the parser counted.
func describe(ctx context.Context, t *table.Table, p outlay.Partition, files []outlay.DataFile) ([]iceberg.DataFile, error) {
	disk, err := t.FS(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the lake's files: %w", err)
	}
	var out []iceberg.DataFile
	for _, f := range files {
		d, err := table.FileToDataFile(ctx, disk, location(filepath.Clean(f.Path)), t.Schema(), t.Spec(), 0, t.Properties())
		if err != nil {
			return nil, fmt.Errorf("reading the footer of %s: %w", filepath.Base(f.Path), err)
		}
		if got := partitionOf(p.OrgID, d); got != p {
			return nil, outlay.Errorf(outlay.CodeInternal, "", "file %s holds rows of %q %q, not of %q %q", filepath.Base(f.Path), got.SourceID, got.Period, p.SourceID, p.Period)
		}
		if d.Count() != f.Rows {
			return nil, outlay.Errorf(outlay.CodeInternal, "", "file %s holds %d rows, not %d", filepath.Base(f.Path), d.Count(), f.Rows)
		}
		out = append(out, d)
	}
	return out, nil
}

// Remove empties every partition of a source in one commit and deletes its files.
func (l *Lake) Remove(ctx context.Context, orgID, sourceID string) error {
	if err := checkNames(orgID, sourceID); err != nil {
		return err
	}
	turn := l.turn(orgID)
	turn.Lock()
	defer turn.Unlock()
	err := again(ctx, func() error {
		t, err := l.load(ctx, orgID)
		if outlay.CodeOf(err) == outlay.CodeNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		old, err := dataFiles(ctx, t, func(q outlay.Partition) bool { return q.SourceID == sourceID }, orgID)
		if err != nil {
			return err
		}
		_, err = l.swap(ctx, t, old, nil, l.properties(outlay.Partition{OrgID: orgID, SourceID: sourceID}, ""))
		return err
	})
	if err != nil {
		return fmt.Errorf("removing source %s from the lake: %w", sourceID, err)
	}
	if err := os.RemoveAll(filepath.Join(l.tableDir(orgID), "data", sourceID)); err != nil {
		return fmt.Errorf("removing source %s from the lake: %w", sourceID, err)
	}
	return nil
}

// swap commits a snapshot without the files old and with the files new. Files that are in both stay as they are.
func (l *Lake) swap(ctx context.Context, t *table.Table, old, fresh []iceberg.DataFile, props iceberg.Properties) (int64, error) {
	out, in := without(old, fresh), without(fresh, old)
	if len(out) == 0 && len(in) == 0 {
		if s := t.CurrentSnapshot(); s != nil {
			return s.SnapshotID, nil
		}
		return 0, nil // an empty table stays without a snapshot
	}
	tx := t.NewTransaction()
	if err := tx.AssertRefSnapshotID(""); err != nil {
		return 0, err
	}
	if err := tx.ReplaceDataFilesWithDataFiles(ctx, out, in, props); err != nil {
		return 0, err
	}
	done, err := tx.Commit(ctx)
	if err != nil {
		return 0, err
	}
	s := done.CurrentSnapshot()
	if err := l.syncMetadata(ctx, done, s); err != nil {
		return 0, fmt.Errorf("securing snapshot %d: %w", s.SnapshotID, err)
	}
	return s.SnapshotID, nil
}

// syncMetadata makes what a commit wrote beside the data survive a power cut: before the head names the snapshot.
func (l *Lake) syncMetadata(ctx context.Context, t *table.Table, s *table.Snapshot) error {
	disk, err := t.FS(ctx)
	if err != nil {
		return err
	}
	manifests, err := s.Manifests(disk)
	if err != nil {
		return err
	}
	paths := []string{t.MetadataLocation(), s.ManifestList}
	for _, m := range manifests {
		if m.SnapshotID() == s.SnapshotID {
			paths = append(paths, m.FilePath())
		}
	}
	for _, p := range paths {
		path, err := localPath(p)
		if err == nil {
			err = syncPath(path)
		}
		if err != nil {
			return err
		}
	}
	return syncPath(filepath.Join(l.warehouse, t.Identifier()[0], tableName, "metadata"))
}

func (l *Lake) properties(p outlay.Partition, generation string) iceberg.Properties {
	return iceberg.Properties{propGeneration: generation, propSource: p.SourceID, propPeriod: string(p.Period), propAt: l.clock.Now().UTC().Format(stampLayout)}
}

// stampLayout is how propAt is written.
const stampLayout = "2006-01-02T15:04:05.000000Z"

// checkReplace refuses files that do not lie in the generation's folder: a snapshot that named others would lose them
// when that generation goes.
func (l *Lake) checkReplace(p outlay.Partition, generation string, files []outlay.DataFile) error {
	if err := checkNames(p.OrgID, p.SourceID, string(p.Period), generation); err != nil {
		return err
	}
	dir := l.generationDir(p.OrgID, p.SourceID, generation) + string(filepath.Separator)
	for _, f := range files {
		if !strings.HasPrefix(filepath.Clean(f.Path), dir) || filepath.Dir(filepath.Clean(f.Path))+string(filepath.Separator) != dir {
			return outlay.Errorf(outlay.CodeInvalid, "", "file %s does not lie in the folder of generation %s", filepath.Base(f.Path), generation)
		}
	}
	return nil
}

// dataFiles lists the live files of the partitions that want picks.
func dataFiles(ctx context.Context, t *table.Table, want func(outlay.Partition) bool, orgID string) ([]iceberg.DataFile, error) {
	var out []iceberg.DataFile
	err := eachFile(ctx, t, t.CurrentSnapshot(), func(f iceberg.DataFile) error {
		if want(partitionOf(orgID, f)) {
			out = append(out, f)
		}
		return nil
	})
	return out, err
}

// without is all less those whose path occurs in some.
func without(all, some []iceberg.DataFile) []iceberg.DataFile {
	return slices.DeleteFunc(slices.Clone(all), func(f iceberg.DataFile) bool {
		return slices.ContainsFunc(some, func(g iceberg.DataFile) bool { return f.FilePath() == g.FilePath() })
	})
}

package lake

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/iceberg-go"
	icebergio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"outlay"
)

// Files lists a partition's data files, by path, in a snapshot; snapshot 0 means the current one. A snapshot that has
// expired is CodeNotFound.
func (l *Lake) Files(ctx context.Context, snapshot int64, p outlay.Partition) ([]outlay.DataFile, error) {
	t, err := l.load(ctx, p.OrgID)
	if outlay.CodeOf(err) == outlay.CodeNotFound && snapshot == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := t.CurrentSnapshot()
	if snapshot != 0 {
		if s = t.SnapshotByID(snapshot); s == nil {
			return nil, outlay.Errorf(outlay.CodeNotFound, "Ask for a later version.", "this version of the charges has expired")
		}
	}
	return filesIn(ctx, t, s, p)
}

// Partitions lists what the current snapshot of an organization holds.
func (l *Lake) Partitions(ctx context.Context, orgID string) ([]outlay.Partition, error) {
	t, err := l.load(ctx, orgID)
	if outlay.CodeOf(err) == outlay.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []outlay.Partition
	err = eachFile(ctx, t, t.CurrentSnapshot(), func(f iceberg.DataFile) error {
		if p := partitionOf(orgID, f); !slices.Contains(out, p) {
			out = append(out, p)
		}
		return nil
	})
	return out, err
}

// filesIn lists a partition's files in a snapshot, which may be nil.
func filesIn(ctx context.Context, t *table.Table, s *table.Snapshot, p outlay.Partition) ([]outlay.DataFile, error) {
	var out []outlay.DataFile
	err := eachFile(ctx, t, s, func(f iceberg.DataFile) error {
		if partitionOf(p.OrgID, f) != p {
			return nil
		}
		path, err := localPath(f.FilePath())
		out = append(out, outlay.DataFile{Path: path, Rows: f.Count(), Bytes: f.FileSizeBytes()})
		return err
	})
	slices.SortFunc(out, func(a, b outlay.DataFile) int { return strings.Compare(a.Path, b.Path) })
	return out, err
}

func partitionOf(orgID string, f iceberg.DataFile) outlay.Partition {
	values := f.Partition()
	source, _ := values[sourceFieldID].(string)
	period, _ := values[periodFieldID].(string)
	return outlay.Partition{OrgID: orgID, SourceID: source, Period: outlay.Period(period)}
}

// eachFile calls do for every live data file of a snapshot, which may be nil.
func eachFile(ctx context.Context, t *table.Table, s *table.Snapshot, do func(iceberg.DataFile) error) error {
	if s == nil {
		return nil
	}
	disk, err := t.FS(ctx)
	if err != nil {
		return fmt.Errorf("opening the lake's files: %w", err)
	}
	manifests, err := s.Manifests(disk)
	if err != nil {
		return fmt.Errorf("reading snapshot %d: %w", s.SnapshotID, err)
	}
	for _, m := range manifests {
		if err := eachEntry(ctx, disk, m, do); err != nil {
			return fmt.Errorf("reading snapshot %d: %w", s.SnapshotID, err)
		}
	}
	return nil
}

func eachEntry(ctx context.Context, disk icebergio.IO, m iceberg.ManifestFile, do func(iceberg.DataFile) error) error {
	for entry, err := range m.Entries(disk, true) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = do(entry.DataFile())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// generationsOf names the generations, as 'source/generation', that any snapshot of an organization's table holds.
func (l *Lake) generationsOf(ctx context.Context, orgID string) (map[string]bool, error) {
	named := map[string]bool{}
	t, err := l.load(ctx, orgID)
	if outlay.CodeOf(err) == outlay.CodeNotFound {
		return named, nil
	}
	if err != nil {
		return nil, err
	}
	disk, err := t.FS(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the lake's files: %w", err)
	}
	read := map[string]bool{} // snapshots share most manifests
	for _, s := range t.Metadata().Snapshots() {
		manifests, err := s.Manifests(disk)
		if err != nil {
			return nil, fmt.Errorf("reading snapshot %d: %w", s.SnapshotID, err)
		}
		for _, m := range manifests {
			if read[m.FilePath()] {
				continue
			}
			read[m.FilePath()] = true
			if err := eachEntry(ctx, disk, m, nameGeneration(named)); err != nil {
				return nil, fmt.Errorf("reading snapshot %d: %w", s.SnapshotID, err)
			}
		}
	}
	return named, nil
}

func nameGeneration(named map[string]bool) func(iceberg.DataFile) error {
	return func(f iceberg.DataFile) error {
		path, err := localPath(f.FilePath())
		if err == nil {
			named[generationOf(path)] = true
		}
		return err
	}
}

// generationOf is 'source/generation' of a file's path: the two folders above it.
func generationOf(path string) string {
	dir := filepath.Dir(path)
	return filepath.Base(filepath.Dir(dir)) + "/" + filepath.Base(dir)
}

package lake

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// location is a folder or file as Iceberg names it: a file URI, which other engines read too.
func location(path string) string {
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// localPath is the path behind a location.
func localPath(location string) (string, error) {
	if !strings.HasPrefix(location, "file:") {
		return location, nil
	}
	u, err := url.Parse(location)
	if err != nil {
		return "", fmt.Errorf("the lake names a file that is no URI: %w", err)
	}
	return u.Path, nil
}

// tableDir is the folder of an organization's table: data/ holds generations, metadata/ what Iceberg writes.
func (l *Lake) tableDir(orgID string) string { return filepath.Join(l.warehouse, orgID, tableName) }

// generationDir is the folder of one version's files. One generation may hold several periods (an import).
func (l *Lake) generationDir(orgID, sourceID, generation string) string {
	return filepath.Join(l.tableDir(orgID), "data", sourceID, generation)
}

// syncTree makes every file under dir, and the folders on the way from the warehouse to it, survive a power cut.
func (l *Lake) syncTree(dir string) error {
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return syncPath(path)
	})
	if err != nil {
		return err
	}
	for up := filepath.Dir(dir); strings.HasPrefix(up, l.warehouse); up = filepath.Dir(up) {
		if err := syncPath(up); err != nil {
			return err
		}
	}
	return nil
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"outlay"
)

// uploadsLast is how long an upload may take. With PostgreSQL another server may be receiving one in the same folder.
const uploadsLast = 48 * time.Hour

// sweepUploads removes the folders of uploads that a killed server left in the data folder.
func sweepUploads(data string, now time.Time) error {
	dirs, err := filepath.Glob(filepath.Join(data, "import-*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && now.Sub(info.ModTime()) > uploadsLast {
			err = os.RemoveAll(dir)
		}
		if err != nil {
			return outlay.Errorf(outlay.CodeUnavailable, "Is the data folder this server's own?", "an upload that was left could not be removed: %w", err)
		}
	}
	return nil
}

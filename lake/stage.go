package lake

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// bornFile notes in a generation's folder when it was begun, by the lake's Clock: file times follow another clock.
const bornFile = "born"

// Stage makes the folder that receives a generation's files, and returns its path. Nobody reads it before Replace.
// The generation is new: made by outlay.NewID.
func (l *Lake) Stage(_ context.Context, orgID, sourceID, generation string) (string, error) {
	if err := checkNames(orgID, sourceID, generation); err != nil {
		return "", err
	}
	dir := l.generationDir(orgID, sourceID, generation)
	if err := os.MkdirAll(filepath.Dir(dir), 0o750); err != nil {
		return "", fmt.Errorf("making a folder of the lake: %w", err)
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		return "", fmt.Errorf("making a generation's folder: %w", err)
	}
	born := l.clock.Now().UTC().Format(time.RFC3339)
	if err := os.WriteFile(filepath.Join(dir, bornFile), []byte(born), 0o640); err != nil {
		return "", fmt.Errorf("making a generation's folder: %w", err)
	}
	return dir, nil
}

// seal makes a staged generation survive a power cut, before a snapshot names it.
func (l *Lake) seal(orgID, sourceID, generation string) error {
	if err := l.syncTree(l.generationDir(orgID, sourceID, generation)); err != nil {
		return fmt.Errorf("securing a generation's files: %w", err)
	}
	return nil
}

// born is when a generation was begun; its folder's own time when the note is missing.
func born(dir string) (time.Time, error) {
	text, err := os.ReadFile(filepath.Join(dir, bornFile))
	if err == nil {
		if at, err := time.Parse(time.RFC3339, string(text)); err == nil {
			return at, nil
		}
	}
	info, err := os.Stat(dir)
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

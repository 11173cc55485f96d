package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"
)

// journalLines is how many lines a journal keeps: hours of an installation in trouble, a megabyte at the most.
const journalLines = 2000

// journal keeps the newest lines of the log for diagnostics bundles. It is a writer of whole lines.
type journal struct {
	mu    sync.Mutex
	lines [][]byte
}

// Write keeps one line.
func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.lines) == journalLines {
		j.lines = slices.Delete(j.lines, 0, 1)
	}
	j.lines = append(j.lines, bytes.Clone(line))
	return len(line), nil
}

// about gives the lines that name an organization. Lines that name none may tell of another's, so they stay out.
func (j *journal) about(orgID string) []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []byte
	for _, line := range j.lines {
		var has struct {
			Org string `json:"org"`
		}
		if json.Unmarshal(line, &has) == nil && has.Org == orgID {
			out = append(out, line...)
		}
	}
	return out
}

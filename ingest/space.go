package ingest

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"outlay"
)

// freeSpace is what an ordinary process may still write on dir's disk.
func freeSpace(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * s.Bsize, nil
}

// leastSpace is asked for where a delivery does not declare its size beforehand.
const leastSpace = 64 << 20

// checkSpace refuses to begin what would fill the disk: a load needs twice what its files declare, once for the copy
// and once for what is written of it (reliability.md §4.3).
func (g *Ingest) checkSpace(declared int64) error {
	needed := max(2*declared, leastSpace)
	free, err := g.o.Free(g.o.Staging)
	if err != nil {
		return fmt.Errorf("asking how much disk is left: %w", err)
	}
	if free < needed {
		return diskFull(fmt.Errorf("%d bytes are free, %d are needed: %w", free, needed, syscall.ENOSPC))
	}
	return nil
}

func diskFull(cause error) error {
	return outlay.Errorf(outlay.CodeUnavailable, "Free some disk space; the load is tried again by itself.", "the disk is too full to load this delivery: %w", cause)
}

// outOfSpace tells whether an error comes from a full disk, here or in the parser's process.
func outOfSpace(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return true
	}
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "no space left on device") || strings.Contains(text, "disk quota exceeded")
}

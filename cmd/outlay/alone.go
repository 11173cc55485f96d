package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"outlay"
)

// alone makes sure that one server works on a data folder, and takes back what a killed one had leased: without that, a
// restart would wait minutes for a lease to run out. With PostgreSQL several servers may share the state.
func (s *server) alone(ctx context.Context, data string) error {
	if !s.store.Single() {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(data, "outlay.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, f.Close) // which also gives up the lock; so does the death of the process
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return outlay.Errorf(outlay.CodeConflict, "End the other one, or use another --data folder. Several servers need PostgreSQL.", "another server works on %s", data)
	}
	if err != nil {
		return err
	}
	return s.store.FreeLeases(ctx)
}

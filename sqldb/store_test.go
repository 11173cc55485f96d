package sqldb_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"outlay"
	"outlay/outlaytest"
	"outlay/sqldb"
)

// addresses are new, empty databases of both kinds.
func addresses() map[string]func(t *testing.T) string {
	return map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "state.db") },
		"postgres": func(t *testing.T) string { return outlaytest.Postgres(t) },
	}
}

func open(t *testing.T, address string) *sqldb.Store {
	t.Helper()
	s, err := sqldb.Open(context.Background(), address, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	for name, address := range addresses() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outlaytest.Store(t, func(t *testing.T) outlay.Store { return open(t, address(t)) })
		})
	}
}

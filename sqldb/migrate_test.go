package sqldb

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"outlay/outlaytest"
)

// TestMigrationCutShort ends the first start of a store after ever longer times: each leaves a database that the next
// start brings up to date.
func TestMigrationCutShort(t *testing.T) {
	for name, address := range map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "s.db"), "postgres": outlaytest.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			cut := 0
			for wait := time.Millisecond; ; wait += wait/2 + time.Millisecond {
				ctx, cancel := context.WithTimeout(t.Context(), wait)
				s, err := Open(ctx, address, quiet())
				cancel()
				if err == nil {
					if err := s.Close(); err != nil {
						t.Error(err)
					}
					break
				}
				cut++
			}
			if cut == 0 {
				t.Error("no start was cut short")
			}
			t.Logf("%d starts were cut short", cut)
			twoTenants(t, mustOpen(t, address))
		})
	}
}

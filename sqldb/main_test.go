package sqldb_test

import (
	"testing"

	"outlay/outlaytest"
)

// TestMain runs the tests with a PostgreSQL cluster.
func TestMain(m *testing.M) { outlaytest.RunWithPostgres(m) }

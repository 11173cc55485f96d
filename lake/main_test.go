package lake_test

import (
	"testing"

	"outlay/outlaytest"
)

// TestMain starts one PostgreSQL for the suite.
func TestMain(m *testing.M) { outlaytest.RunWithPostgres(m) }

package google_test

import (
	"testing"

	"outlay/outlaytest"
	"outlay/simcloud/google"
)

// The same suite runs against bqemulator in `make judges`.
func TestTheSuiteOfBigQuery(t *testing.T) {
	w := newWorld(t, google.Options{PageRows: 2})
	outlaytest.BigQuery(t, w.as("outlay", "*").bq)
}

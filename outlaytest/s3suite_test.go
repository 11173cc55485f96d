package outlaytest_test

import (
	"testing"

	"outlay/outlaytest"
)

// The same suite runs against the simulated cloud in simcloud/aws.
func TestS3OfVersitygw(t *testing.T) { outlaytest.S3(t, outlaytest.Versitygw(t)) }

package outlaytest_test

import (
	"testing"

	"outlay/outlaytest"
)

// The same suite runs against the simulated cloud in simcloud/aws.
func TestS3OfVersitygw(t *testing.T) { outlaytest.S3(t, outlaytest.Versitygw(t)) }

// versitygw answers 501 to most settings, and takes no policy for a service.
func TestS3SettingsOfVersitygw(t *testing.T) {
	outlaytest.S3Settings(t, outlaytest.Versitygw(t), "Access", "Encryption", "Lifecycle", "Policy")
}

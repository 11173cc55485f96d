//go:build judges

package outlaytest_test

import (
	"testing"

	"outlay/outlaytest"
)

// The suites of S3 against two more servers by others. `make judges` leaves out what each is known not to do
// (docs/conformance.md).

func TestS3OfMoto(t *testing.T) { outlaytest.S3(t, moto(t)) }

func TestS3SettingsOfMoto(t *testing.T) { outlaytest.S3Settings(t, moto(t)) }

func TestS3OfMinistack(t *testing.T) { outlaytest.S3(t, ministack(t)) }

func TestS3SettingsOfMinistack(t *testing.T) { outlaytest.S3Settings(t, ministack(t)) }

// Both check signatures of users only when told to, and not those of their root keys.

func moto(t *testing.T) outlaytest.S3Server {
	t.Helper()
	endpoint := startMoto(t)
	user := outlaytest.AWSScene(t, endpoint, motoAccount, motoRoot()).Stranger
	checkMoto(t, endpoint)
	return outlaytest.S3Server{Endpoint: endpoint, Region: "us-east-1", AccessKeyID: user.ID, Secret: user.Secret}
}

func ministack(t *testing.T) outlaytest.S3Server {
	t.Helper()
	endpoint := startMinistack(t)
	user := outlaytest.AWSScene(t, endpoint, ministackRoot().ID, ministackRoot()).Stranger
	return outlaytest.S3Server{Endpoint: endpoint, Region: "us-east-1", AccessKeyID: user.ID, Secret: user.Secret}
}

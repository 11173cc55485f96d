//go:build judges

package outlaytest_test

import (
	"testing"

	"outlay/outlaytest"
)

// The suite of the S3 data plane against two more servers by others. `make judges` leaves out what each is known not to
// do (docs/conformance.md).

func TestS3OfMoto(t *testing.T) {
	address := outlaytest.PythonJudge(t, "moto", "moto_server", "-H", "127.0.0.1", "-p", "{port}")
	outlaytest.S3(t, outlaytest.S3Server{Endpoint: "http://" + address, Region: "us-east-1", AccessKeyID: "test", Secret: "testtesttest"})
}

func TestS3OfMinistack(t *testing.T) {
	address := outlaytest.PythonJudge(t, "ministack", "ministack")
	outlaytest.S3(t, outlaytest.S3Server{Endpoint: "http://" + address, Region: "us-east-1", AccessKeyID: "test", Secret: "testtesttest"})
}

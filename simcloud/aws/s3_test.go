package aws_test

import (
	"testing"

	"outlay/outlaytest"
	"outlay/simcloud/aws"
)

// The suite that a server by others passes too (outlaytest.TestS3OfVersitygw).
func TestS3Suite(t *testing.T) {
	w := newWorld(t, aws.Options{})
	id, secret := w.AddUser(payerID, "ada", "*")
	outlaytest.S3(t, outlaytest.S3Server{Endpoint: w.url, Region: "us-east-1", AccessKeyID: id, Secret: secret})
}

// The suite of a bucket's settings, which moto and ministack pass too (outlaytest.TestS3OfMoto, TestS3OfMinistack).
func TestS3SettingsSuite(t *testing.T) {
	w := newWorld(t, aws.Options{})
	id, secret := w.AddUser(payerID, "ada", "*")
	outlaytest.S3Settings(t, outlaytest.S3Server{Endpoint: w.url, Region: "us-east-1", AccessKeyID: id, Secret: secret})
}

package aws_test

import (
	"testing"

	"outlay/outlaytest"
	"outlay/simcloud/aws"
)

// The suite that servers by others pass too, but for what each lacks (outlaytest.TestAccountOfMoto, TestAccountOfMinistack).
func TestAccountSuite(t *testing.T) {
	w := newWorld(t, aws.Options{})
	key := func(account, name string, allow ...string) outlaytest.AWSKey {
		id, secret := w.AddUser(account, name, allow...)
		return outlaytest.AWSKey{ID: id, Secret: secret}
	}
	w.SetUp(aws.Setup{Account: payerID, Region: "us-east-1", Bucket: "reports", Table: "FOCUS_1_2_AWS", Name: "focus"}) // for its bucket
	server := outlaytest.AWSServer{
		Endpoint: w.url, Payer: payerID, Member: memberID, UserARN: w.UserARN(payerID, "ada"), Bucket: "reports",
		User: key(payerID, "ada", outlaytest.AWSSuitePolicy), Nobody: key(payerID, "nobody"), Stranger: key(payerID, "stranger", "*"),
		InMember: key(memberID, "bob", "*"), Alone: key(aloneID, "cleo", "*"),
	}
	server.Role = w.AddRole(payerID, "team/billing", server.UserARN, outlaytest.AWSSuiteExternalID)
	outlaytest.AWSAccount(t, server)
}

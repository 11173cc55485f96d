package aws_test

import (
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"outlay/simcloud/aws"
)

func TestAssumeRole(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.AddUser(payerID, "outlay", "sts:AssumeRole")
	role := w.AddRole(memberID, "team/billing", w.UserARN(payerID, "outlay"), "r4nd0m-external-id", "s3:ListAllMyBuckets")
	server := w.as(payerID, "outlay", "sts:AssumeRole")
	stranger := w.as(aloneID, "stranger", "*")
	for _, c := range []struct {
		name     string
		who      clients
		role     string
		external *string
	}{
		{"no external id", server, role, nil},
		{"wrong external id", server, role, awssdk.String("r4nd0m-external-ix")},
		{"not trusted", stranger, role, awssdk.String("r4nd0m-external-id")},
		{"no such role", server, role + "x", awssdk.String("r4nd0m-external-id")},
	} {
		_, err := c.who.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &c.role, RoleSessionName: awssdk.String("outlay-1"), ExternalId: c.external})
		if err == nil {
			t.Errorf("%s: was let in", c.name)
			continue
		}
		wantCode(t, err, "AccessDenied")
	}
	out := must[*sts.AssumeRoleOutput](t)(server.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: awssdk.String("outlay-1"), ExternalId: awssdk.String("r4nd0m-external-id")}))
	c := out.Credentials
	session := w.clients(credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken), "us-east-1")
	me := must[*sts.GetCallerIdentityOutput](t)(session.sts.GetCallerIdentity(t.Context(), nil))
	if want := "arn:aws:sts::222233334444:assumed-role/billing/outlay-1"; *me.Arn != want || *me.Account != memberID {
		t.Errorf("the session is %s of %s, want %s", *me.Arn, *me.Account, want)
	}
	if _, err := session.s3.ListBuckets(t.Context(), nil); err != nil {
		t.Error(err)
	}
	_, err := w.clients(credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, "other"), "us-east-1").s3.ListBuckets(t.Context(), nil)
	wantCode(t, err, "InvalidToken")
}

func TestRoleWithoutExternalID(t *testing.T) {
	w := newWorld(t, aws.Options{})
	role := w.AddRole(memberID, "open", "arn:aws:iam::"+payerID+":root", "", "*")
	server := w.as(payerID, "outlay", "sts:AssumeRole")
	if _, err := server.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: awssdk.String("probe"), ExternalId: awssdk.String("whatever")}); err != nil {
		t.Errorf("a role that asks for no external id takes any: %v", err)
	}
}

func TestFirstExternalID(t *testing.T) {
	w := newWorld(t, aws.Options{})
	role := w.AddRole(memberID, "demo", "arn:aws:iam::"+payerID+":root", aws.FirstExternalID, "*")
	server := w.as(payerID, "outlay", "sts:AssumeRole")
	assume := func(external *string) error {
		_, err := server.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: awssdk.String("probe"), ExternalId: external})
		return err
	}
	wantCode(t, assume(nil), "AccessDenied")
	wantCode(t, assume(awssdk.String("short")), "AccessDenied")
	ours := "0123456789abcdef0123456789abcdef"
	if err := assume(&ours); err != nil {
		t.Fatal(err)
	}
	wantCode(t, assume(nil), "AccessDenied")
	wantCode(t, assume(awssdk.String("another-one-of-thirty-two-characters")), "AccessDenied")
	if err := assume(&ours); err != nil {
		t.Error(err)
	}
}

package aws_test

import (
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"outlay/simcloud/aws"
)

const scoped = `{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":["s3:CreateBucket","s3:ListBucket"],"Resource":"arn:aws:s3:::outlay-*"},
 {"Effect":"Allow","Action":"iam:*","Resource":"*"},
 {"Effect":"Deny","Action":"s3:ListBucket","Resource":"arn:aws:s3:::outlay-secret"}]}`

// simulated gives the decision per resource, as the real simulator is to be read.
func simulated(t *testing.T, c *iam.Client, arn, action string, resources ...string) map[string]string {
	t.Helper()
	out := must[*iam.SimulatePrincipalPolicyOutput](t)(c.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &arn, ActionNames: []string{action}, ResourceArns: resources}))
	got := map[string]string{}
	for _, r := range out.EvaluationResults[0].ResourceSpecificResults {
		got[*r.EvalResourceName] = string(r.EvalResourceDecision)
	}
	return got
}

func TestSimulationAgreesWithCalls(t *testing.T) {
	w := newWorld(t, aws.Options{})
	c := w.as(payerID, "ada", scoped)
	arn := w.UserARN(payerID, "ada")
	got := simulated(t, c.iam, arn, "s3:ListBucket", "arn:aws:s3:::outlay-a", "arn:aws:s3:::outlay-secret", "arn:aws:s3:::theirs")
	want := map[string]string{"arn:aws:s3:::outlay-a": "allowed", "arn:aws:s3:::outlay-secret": "explicitDeny", "arn:aws:s3:::theirs": "implicitDeny"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for bucket, code := range map[string]string{"outlay-a": "", "theirs": "AccessDenied"} {
		_, err := c.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket})
		if code == "" && err != nil {
			t.Errorf("%s: %v", bucket, err)
		} else if code != "" {
			wantCode(t, err, code)
		}
	}
	w.Deny(arn, "s3:CreateBucket")
	if got := simulated(t, c.iam, arn, "s3:CreateBucket", "arn:aws:s3:::outlay-b"); got["arn:aws:s3:::outlay-b"] != "explicitDeny" {
		t.Errorf("got %v", got)
	}
	_, err := c.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: awssdk.String("outlay-b")})
	wantCode(t, err, "AccessDenied")
	w.Undeny(arn)
	if _, err := c.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: awssdk.String("outlay-b")}); err != nil {
		t.Error(err)
	}
}

func TestServiceControlPolicyShowsInSimulation(t *testing.T) {
	w := newWorld(t, aws.Options{})
	c := w.as(memberID, "ada", "*")
	w.DenyByOrganization(memberID, "s3:CreateBucket")
	arn := w.UserARN(memberID, "ada")
	out := must[*iam.SimulatePrincipalPolicyOutput](t)(c.iam.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &arn, ActionNames: []string{"s3:CreateBucket"}}))
	r := out.EvaluationResults[0]
	if r.EvalDecision != types.PolicyEvaluationDecisionTypeExplicitDeny || r.OrganizationsDecisionDetail == nil || r.OrganizationsDecisionDetail.AllowedByOrganizations {
		t.Errorf("got %+v %+v", r, r.OrganizationsDecisionDetail)
	}
}

func TestWhoCannotBeSimulated(t *testing.T) {
	w := newWorld(t, aws.Options{})
	id, secret := w.AddRoot(payerID)
	root := w.clients(credentials.NewStaticCredentialsProvider(id, secret, ""), "us-east-1")
	_, err := root.iam.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{PolicySourceArn: awssdk.String("arn:aws:iam::111122223333:root"), ActionNames: []string{"s3:CreateBucket"}})
	wantCode(t, err, "InvalidInput")
	_, err = root.iam.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{PolicySourceArn: awssdk.String("arn:aws:sts::111122223333:assumed-role/r/s"), ActionNames: []string{"s3:CreateBucket"}})
	wantCode(t, err, "InvalidInput")
	small := w.as(payerID, "small", "s3:*")
	_, err = small.iam.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{PolicySourceArn: awssdk.String(w.UserARN(payerID, "small")), ActionNames: []string{"s3:CreateBucket"}})
	wantCode(t, err, "AccessDenied")
}

func TestRoleAndUserByName(t *testing.T) {
	w := newWorld(t, aws.Options{})
	c := w.as(payerID, "ada", "iam:Get*")
	arn := w.AddRole(payerID, "team/billing", "arn:aws:iam::"+aloneID+":root", "x-1")
	role := must[*iam.GetRoleOutput](t)(c.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: awssdk.String("billing")}))
	if *role.Role.Arn != arn || *role.Role.Path != "/team/" {
		t.Errorf("got %s in %s", *role.Role.Arn, *role.Role.Path)
	}
	_, err := c.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: awssdk.String("nobody")})
	wantCode(t, err, "NoSuchEntity")
	user := must[*iam.GetUserOutput](t)(c.iam.GetUser(t.Context(), &iam.GetUserInput{}))
	if *user.User.Arn != w.UserARN(payerID, "ada") {
		t.Errorf("got %s", *user.User.Arn)
	}
}

func TestOrganizations(t *testing.T) {
	w := newWorld(t, aws.Options{})
	payer, member, alone := w.as(payerID, "ada", "*"), w.as(memberID, "bob", "*"), w.as(aloneID, "cleo", "*")
	for _, c := range []clients{payer, member} {
		out := must[*organizations.DescribeOrganizationOutput](t)(c.org.DescribeOrganization(t.Context(), nil))
		if *out.Organization.MasterAccountId != payerID {
			t.Errorf("the payer is %s", *out.Organization.MasterAccountId)
		}
	}
	_, err := alone.org.DescribeOrganization(t.Context(), nil)
	wantCode(t, err, "AWSOrganizationsNotInUseException")
	list := must[*organizations.ListAccountsOutput](t)(payer.org.ListAccounts(t.Context(), &organizations.ListAccountsInput{}))
	if len(list.Accounts) != 2 || *list.Accounts[0].Id != payerID || *list.Accounts[1].Name != "Physics" {
		t.Errorf("got %+v", list.Accounts)
	}
	_, err = member.org.ListAccounts(t.Context(), &organizations.ListAccountsInput{})
	wantCode(t, err, "AccessDeniedException")
	_, err = w.as(payerID, "nobody").org.DescribeOrganization(t.Context(), nil)
	wantCode(t, err, "AccessDeniedException")
}

package outlaytest

import (
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
)

// AWSScene makes the scene of AWSAccount on a server by others, through its API, with a key that may do everything.
// InMember and Alone stay empty: servers differ in how one becomes another account.
func AWSScene(t *testing.T, endpoint, payer string, root AWSKey) AWSServer {
	t.Helper()
	s := AWSServer{Endpoint: endpoint, Payer: payer, UserARN: "arn:aws:iam::" + payer + ":user/ada", Bucket: "reports"}
	c := s.clients(root)
	s.User = iamUser(t, c.iam, "ada", AWSSuitePolicy)
	s.Nobody = iamUser(t, c.iam, "nobody", "")
	s.Stranger = iamUser(t, c.iam, "stranger", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + s.UserARN + `"},"Action":"sts:AssumeRole",
"Condition":{"StringEquals":{"sts:ExternalId":"` + AWSSuiteExternalID + `"}}}]}`
	role, err := c.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: awssdk.String("billing"), Path: awssdk.String("/team/"), AssumeRolePolicyDocument: &trust})
	if err != nil {
		t.Fatal(err)
	}
	s.Role = *role.Role.Arn
	return s
}

// iamUser makes an IAM user with one policy, or none, and gives its key.
func iamUser(t *testing.T, c *iam.Client, name, policy string) AWSKey {
	t.Helper()
	if _, err := c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	if policy != "" {
		if _, err := c.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: &name, PolicyName: awssdk.String("suite"), PolicyDocument: &policy}); err != nil {
			t.Fatal(err)
		}
	}
	out, err := c.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return AWSKey{ID: *out.AccessKey.AccessKeyId, Secret: *out.AccessKey.SecretAccessKey}
}

// Join makes the second account of the scene's organization.
func (s *AWSServer) Join(t *testing.T, root AWSKey) {
	t.Helper()
	out, err := s.clients(root).org.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: awssdk.String(AWSSuiteMember), Email: awssdk.String("physics@example.org")})
	if err != nil {
		t.Fatal(err)
	}
	s.Member = *out.CreateAccountStatus.AccountId
}

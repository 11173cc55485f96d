//go:build judges

package outlaytest_test

import (
	"net/http"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"outlay/outlaytest"
)

// The suite of identity, permissions, organizations and older reports against two servers by others, both told to check
// signatures and policies. `make judges` leaves out what each is known not to do (docs/conformance.md).

const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// motoAccount is the account that moto takes a key for that it does not know.
const motoAccount = "123456789012"

func motoRoot() outlaytest.AWSKey { return outlaytest.AWSKey{ID: "test", Secret: "test"} }

// startMoto starts moto, which lets everything pass until checkMoto.
func startMoto(t *testing.T) (endpoint string) {
	t.Helper()
	return "http://" + outlaytest.PythonJudge(t, "moto", "moto_server", "-H", "127.0.0.1", "-p", "{port}")
}

// checkMoto makes moto check signatures and policies from now on.
func checkMoto(t *testing.T, endpoint string) {
	t.Helper()
	response, err := http.Post(endpoint+"/moto-api/reset-auth", "text/plain", strings.NewReader("0"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("moto does not check: %s", response.Status)
	}
}

// startMinistack starts ministack, which checks signatures and policies.
func startMinistack(t *testing.T) (endpoint string) {
	t.Helper()
	t.Setenv("AUTH", "true")
	return "http://" + outlaytest.PythonJudge(t, "ministack", "ministack")
}

// ministackRoot is the root key of an account: its id.
func ministackRoot() outlaytest.AWSKey { return outlaytest.AWSKey{ID: "111122223333", Secret: "test"} }

func TestAccountOfMoto(t *testing.T) {
	endpoint, root := startMoto(t), motoRoot()
	server := outlaytest.AWSScene(t, endpoint, motoAccount, root)
	org := organizations.NewFromConfig(config(endpoint, root))
	if _, err := org.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{}); err != nil {
		t.Fatal(err)
	}
	server.Join(t, root)
	server.InMember = roleOfOtherAccount(t, endpoint, root, server.Member)
	server.Alone = roleOfOtherAccount(t, endpoint, root, "333344445555")
	checkMoto(t, endpoint)
	outlaytest.AWSAccount(t, server)
}

// roleOfOtherAccount gives a session of a role that may do everything in an account that moto makes for it.
func roleOfOtherAccount(t *testing.T, endpoint string, root outlaytest.AWSKey, account string) outlaytest.AWSKey {
	t.Helper()
	arn, name := "arn:aws:iam::"+account+":role/suite", "suite"
	out, err := sts.NewFromConfig(config(endpoint, root)).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: &name})
	if err != nil {
		t.Fatal(err)
	}
	key := outlaytest.AWSKey{ID: *out.Credentials.AccessKeyId, Secret: *out.Credentials.SecretAccessKey, Token: *out.Credentials.SessionToken}
	roles := iam.NewFromConfig(config(endpoint, key))
	if _, err := roles.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: awssdk.String(everything)}); err != nil {
		t.Fatal(err)
	}
	if _, err := roles.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: &name, PolicyDocument: awssdk.String(everything)}); err != nil {
		t.Fatal(err)
	}
	return key
}

// Every account of ministack pays for an organization of its own from the beginning.
func TestAccountOfMinistack(t *testing.T) {
	endpoint, root := startMinistack(t), ministackRoot()
	server := outlaytest.AWSScene(t, endpoint, root.ID, root)
	server.Join(t, root)
	server.InMember = outlaytest.AWSKey{ID: server.Member, Secret: root.Secret}
	server.Alone = outlaytest.AWSKey{ID: "333344445555", Secret: root.Secret}
	outlaytest.AWSAccount(t, server)
}

func config(endpoint string, key outlaytest.AWSKey) awssdk.Config {
	return awssdk.Config{
		Region: "us-east-1", BaseEndpoint: &endpoint, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(key.ID, key.Secret, key.Token),
	}
}

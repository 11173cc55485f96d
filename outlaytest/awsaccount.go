package outlaytest

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cur "github.com/aws/aws-sdk-go-v2/service/costandusagereportservice"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// AWSKey signs requests; Token is that of a session, "" for a user's key.
type AWSKey struct{ ID, Secret, Token string }

// AWSServer is an endpoint of AWS's API, in us-east-1, with the scene that the suite plays in.
type AWSServer struct {
	Endpoint string
	Payer    string // id of the account that pays for an organization of two
	Member   string // id of the other account, named AWSSuiteMember
	UserARN  string // a user of the payer who may what AWSSuitePolicy says
	User     AWSKey
	Nobody   AWSKey // a user of the payer without any policy
	Stranger AWSKey // a user of the payer who may do everything, but whom the role does not trust
	InMember AWSKey // may do everything in Member
	Alone    AWSKey // may do everything in an account of no organization
	Role     string // ARN of a role of the payer, in the path /team/; it trusts User, with AWSSuiteExternalID
	Bucket   string // of the payer; cost and usage reports may be delivered into it
}

// What the scene of AWSAccount holds.
const (
	AWSSuiteMember     = "Physics"
	AWSSuiteExternalID = "r4nd0m-external-id-of-the-suite"
	AWSSuitePolicy     = `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":["sts:AssumeRole","iam:GetRole","iam:SimulatePrincipalPolicy","organizations:DescribeOrganization","organizations:ListAccounts","cur:*"],"Resource":"*"},
{"Effect":"Allow","Action":["s3:CreateBucket","s3:ListBucket"],"Resource":"arn:aws:s3:::outlay-*"},
{"Effect":"Deny","Action":"s3:ListBucket","Resource":"arn:aws:s3:::outlay-secret"}]}`
)

// AWSAccount is the suite of the calls that tell who a credential is, what it may do, who pays for it, and which older
// reports it has, driven by the real SDK: the fields and error codes that the aws room relies on. It runs against
// servers by others and against the simulated cloud (test-infrastructure.md §1 rule 2).
func AWSAccount(t *testing.T, server AWSServer) {
	x := accountSuite{server}
	t.Run("WhoAmI", x.whoAmI)
	t.Run("Signature", x.signature)
	t.Run("UnknownKey", x.unknownKey)
	t.Run("Closed", x.closed)
	t.Run("Session", x.session)
	t.Run("SessionToken", x.sessionToken)
	t.Run("Trust", x.trust)
	t.Run("ExternalID", x.externalID)
	t.Run("Role", x.role)
	t.Run("Simulation", x.simulation)
	t.Run("WhoCannotBeSimulated", x.notSimulated)
	t.Run("Refusals", x.refusals)
	t.Run("RefusalsOfOrganizations", x.refusalsOfOrganizations)
	t.Run("Payer", x.payer)
	t.Run("Accounts", x.accounts)
	t.Run("Member", x.member)
	t.Run("AccountsOfMember", x.accountsOfMember)
	t.Run("Standalone", x.standalone)
	t.Run("Reports", x.reports)
}

type accountSuite struct{ server AWSServer }

func (x accountSuite) as(k AWSKey) awsClients { return x.server.clients(k) }

// awsClients are the real SDK clients of one key, without retries.
type awsClients struct {
	sts *sts.Client
	iam *iam.Client
	org *organizations.Client
	cur *cur.Client
}

func (s AWSServer) clients(k AWSKey) awsClients {
	cfg := awssdk.Config{
		Region: "us-east-1", BaseEndpoint: &s.Endpoint, RetryMaxAttempts: 1, HTTPClient: &http.Client{Timeout: 30 * time.Second, Transport: apart{http.DefaultTransport}},
		Credentials: credentials.NewStaticCredentialsProvider(k.ID, k.Secret, k.Token),
	}
	return awsClients{sts.NewFromConfig(cfg), iam.NewFromConfig(cfg), organizations.NewFromConfig(cfg), cur.NewFromConfig(cfg)}
}

// apart gives the connection a copy of a request's body. The SDK closes the body when the answer begins, and a server that
// answers at once makes Go's transport take that for a failed write, and close the connection.
type apart struct{ next http.RoundTripper }

func (a apart) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return a.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	sent := r.Clone(r.Context())
	sent.Body = io.NopCloser(bytes.NewReader(body))
	return a.next.RoundTrip(sent)
}

package outlaytest

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"
)

func (x accountSuite) whoAmI(t *testing.T) {
	me, err := x.as(x.server.User).sts.GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if *me.Account != x.server.Payer || *me.Arn != x.server.UserARN || *me.UserId == "" {
		t.Errorf("got account %s, %s, %s", *me.Account, *me.Arn, *me.UserId)
	}
	if _, err := x.as(x.server.Nobody).sts.GetCallerIdentity(t.Context(), nil); err != nil {
		t.Errorf("asking who one is needs no permission: %v", err)
	}
}

func (x accountSuite) signature(t *testing.T) {
	wrong := x.server.User
	wrong.Secret += "x"
	_, err := x.as(wrong).sts.GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "SignatureDoesNotMatch")
	_, err = x.as(wrong).iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: awssdk.String("billing")})
	wantCode(t, err, "SignatureDoesNotMatch")
}

func (x accountSuite) unknownKey(t *testing.T) {
	_, err := x.as(AWSKey{ID: "AKIANOBODYNOBODY", Secret: "secret"}).sts.GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "InvalidClientTokenId")
}

// assume asks for a session of the scene's role.
func (x accountSuite) assume(t *testing.T, who AWSKey, role string, external *string) (*sts.AssumeRoleOutput, error) {
	t.Helper()
	return x.as(who).sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: &role, ExternalId: external, RoleSessionName: awssdk.String("outlay-1"), DurationSeconds: awssdk.Int32(900),
	})
}

// opened is the key of a new session of the scene's role.
func (x accountSuite) opened(t *testing.T) (AWSKey, *sts.AssumeRoleOutput) {
	t.Helper()
	out, err := x.assume(t, x.server.User, x.server.Role, awssdk.String(AWSSuiteExternalID))
	if err != nil {
		t.Fatal(err)
	}
	c := out.Credentials
	return AWSKey{ID: *c.AccessKeyId, Secret: *c.SecretAccessKey, Token: *c.SessionToken}, out
}

// closed: what is not let in is told so with a status that proves that nothing happened. The codes are judged apart, for
// moto puts them into a document that the SDK does not understand.
func (x accountSuite) closed(t *testing.T) {
	wrong, _ := x.opened(t)
	wrong.Token = "other"
	bad := x.server.User
	bad.Secret += "x"
	for name, key := range map[string]AWSKey{"a wrong secret": bad, "an unknown key": {ID: "AKIANOBODYNOBODY", Secret: "secret"}, "a wrong session token": wrong} {
		_, err := x.as(key).sts.GetCallerIdentity(t.Context(), nil)
		wantForbidden(t, name, err)
	}
	_, err := x.as(x.server.Nobody).iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: awssdk.String("billing")})
	wantForbidden(t, "a user without a policy", err)
	_, err = x.assume(t, x.server.Stranger, x.server.Role, awssdk.String(AWSSuiteExternalID))
	wantForbidden(t, "a stranger to the role", err)
	_, err = x.assume(t, x.server.User, x.server.Role, awssdk.String("another-external-id"))
	wantForbidden(t, "a wrong external ID", err)
}

func wantForbidden(t *testing.T, about string, err error) {
	t.Helper()
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != http.StatusForbidden {
		t.Errorf("%s: got error %v, want the status 403", about, err)
	}
}

// session: its ARN lacks the path of the role, which is why the product looks the role up.
func (x accountSuite) session(t *testing.T) {
	key, out := x.opened(t)
	if left := time.Until(*out.Credentials.Expiration); left < 10*time.Minute || left > 16*time.Minute {
		t.Errorf("the session expires in %v, want 15 minutes", left)
	}
	want := "arn:aws:sts::" + x.server.Payer + ":assumed-role/billing/outlay-1"
	if *out.AssumedRoleUser.Arn != want || !strings.HasPrefix(key.ID, "ASIA") {
		t.Errorf("assumed %s with the key %.4s…, want %s", *out.AssumedRoleUser.Arn, key.ID, want)
	}
	me, err := x.as(key).sts.GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if *me.Arn != want || *me.Account != x.server.Payer || *me.UserId != *out.AssumedRoleUser.AssumedRoleId || !strings.HasSuffix(*me.UserId, ":outlay-1") {
		t.Errorf("the session is %s of %s, %s", *me.Arn, *me.Account, *me.UserId)
	}
}

func (x accountSuite) sessionToken(t *testing.T) {
	key, _ := x.opened(t)
	key.Token = "other"
	_, err := x.as(key).sts.GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "InvalidClientTokenId")
}

// trust: whom a role does not trust is not told whether it exists.
func (x accountSuite) trust(t *testing.T) {
	_, err := x.assume(t, x.server.Stranger, x.server.Role, awssdk.String(AWSSuiteExternalID))
	wantCode(t, err, "AccessDenied")
	_, err = x.assume(t, x.server.Nobody, x.server.Role, awssdk.String(AWSSuiteExternalID))
	wantCode(t, err, "AccessDenied")
	_, err = x.assume(t, x.server.User, x.server.Role+"x", awssdk.String(AWSSuiteExternalID))
	wantCode(t, err, "AccessDenied")
}

// externalID is what the product tries before it trusts a role (reliability.md M7).
func (x accountSuite) externalID(t *testing.T) {
	_, err := x.assume(t, x.server.User, x.server.Role, nil)
	wantCode(t, err, "AccessDenied")
	_, err = x.assume(t, x.server.User, x.server.Role, awssdk.String("another-external-id"))
	wantCode(t, err, "AccessDenied")
}

func (x accountSuite) role(t *testing.T) {
	c := x.as(x.server.User).iam
	out, err := c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: awssdk.String("billing")})
	if err != nil {
		t.Fatal(err)
	}
	if *out.Role.Arn != x.server.Role || *out.Role.Path != "/team/" || *out.Role.RoleName != "billing" {
		t.Errorf("got %s, %s in %s", *out.Role.Arn, *out.Role.RoleName, *out.Role.Path)
	}
	_, err = c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: awssdk.String("absent")})
	wantCode(t, err, "NoSuchEntity")
}

// simulation asks about several actions on one resource, as the product does. Where a server gives results by resource,
// theirs count.
func (x accountSuite) simulation(t *testing.T) {
	for resource, want := range map[string]map[string]string{
		"arn:aws:s3:::outlay-a":      {"s3:ListBucket": "allowed", "s3:CreateBucket": "allowed", "s3:DeleteBucket": "implicitDeny"},
		"arn:aws:s3:::outlay-secret": {"s3:ListBucket": "explicitDeny", "s3:CreateBucket": "allowed"},
		"arn:aws:s3:::theirs":        {"s3:ListBucket": "implicitDeny"},
		"*":                          {"organizations:ListAccounts": "allowed", "s3:ListAllMyBuckets": "implicitDeny"},
	} {
		in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &x.server.UserARN, ResourceArns: []string{resource}}
		for action := range want {
			in.ActionNames = append(in.ActionNames, action)
		}
		got := map[string]string{}
		for pages := iam.NewSimulatePrincipalPolicyPaginator(x.as(x.server.User).iam, in); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.EvaluationResults {
				got[*r.EvalActionName] = string(decided(r, resource))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", resource, diff)
		}
	}
}

func decided(r types.EvaluationResult, resource string) types.PolicyEvaluationDecisionType {
	for _, one := range r.ResourceSpecificResults {
		if awssdk.ToString(one.EvalResourceName) == resource {
			return one.EvalResourceDecision
		}
	}
	return r.EvalDecision
}

func (x accountSuite) notSimulated(t *testing.T) {
	for source, code := range map[string]string{
		"arn:aws:iam::" + x.server.Payer + ":user/absent":                   "NoSuchEntity",
		"arn:aws:iam::" + x.server.Payer + ":root":                          "InvalidInput",
		"arn:aws:sts::" + x.server.Payer + ":assumed-role/billing/outlay-1": "InvalidInput",
	} {
		_, err := x.as(x.server.User).iam.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &source, ActionNames: []string{"s3:CreateBucket"}})
		wantCode(t, err, code)
	}
}

// refusals: the code, and the action that the product finds in the message (clouds.md §2.7).
func (x accountSuite) refusals(t *testing.T) {
	c := x.as(x.server.Nobody)
	_, err := c.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: awssdk.String("billing")})
	wantCode(t, err, "AccessDenied")
	wantNamed(t, err, "iam:GetRole")
	_, err = x.assume(t, x.server.Nobody, x.server.Role, nil)
	wantCode(t, err, "AccessDenied")
	wantNamed(t, err, "sts:AssumeRole")
}

// wantNamed fails unless the error's text names an action.
func wantNamed(t *testing.T, err error, action string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "is not authorized to perform: "+action) {
		t.Errorf("got error %v, want one that names %s", err, action)
	}
}

package aws

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"outlay"
)

func stsOperations() map[string]operation {
	return map[string]operation{
		"GetCallerIdentity": {run: (*Cloud).getCallerIdentity},
		"AssumeRole":        {run: (*Cloud).assumeRole, changes: true},
	}
}

// callerARN is how AWS names the caller: a session of a role has an ARN of its own.
func (c *Cloud) callerARN(k *call) string {
	if k.Caller.Kind == kindRole {
		return c.sessionARN(k.Caller, k.Session)
	}
	return k.Caller.ARN
}

// sessionARN leaves the role's path out, as AWS does (clouds.md §2.7).
func (c *Cloud) sessionARN(role *principal, session string) string {
	return "arn:" + c.opt.Partition + ":sts::" + role.Account + ":assumed-role/" + role.Name + "/" + session
}

func (c *Cloud) callerID(k *call) string {
	if k.Caller.Kind == kindRole {
		return k.Caller.ID + ":" + k.Session
	}
	return k.Caller.ID
}

type callerIdentity struct {
	XMLName xml.Name                              `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	Result  struct{ Arn, UserId, Account string } `xml:"GetCallerIdentityResult"`
	Meta    responseMeta                          `xml:"ResponseMetadata"`
}

type responseMeta struct{ RequestId string }

// getCallerIdentity needs no permission.
func (c *Cloud) getCallerIdentity(k *call) (answer, *refusal) {
	var out callerIdentity
	out.Result.Arn, out.Result.UserId, out.Result.Account = c.callerARN(k), c.callerID(k), k.Caller.Account
	out.Meta.RequestId = k.ID
	return xmlAnswer(out)
}

type assumedRole struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleResponse"`
	Result  struct {
		Credentials     struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }
		AssumedRoleUser struct{ AssumedRoleId, Arn string }
	} `xml:"AssumeRoleResult"`
	Meta responseMeta `xml:"ResponseMetadata"`
}

// assumeRole hands out temporary keys. A role that the caller is not trusted by, a missing external id and a role that
// does not exist all answer alike: AWS does not tell which.
func (c *Cloud) assumeRole(k *call) (answer, *refusal) {
	arn, session, external := k.Form.Get("RoleArn"), k.Form.Get("RoleSessionName"), k.Form.Get("ExternalId")
	denied := refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", c.callerARN(k), arn)
	if session == "" || !strings.HasPrefix(arn, "arn:") {
		return answer{}, refuse(http.StatusBadRequest, "ValidationError", "RoleArn and RoleSessionName are required")
	}
	role := c.state.Principals[arn]
	if role == nil || role.Kind != kindRole {
		return answer{}, denied
	}
	root := "arn:" + c.opt.Partition + ":iam::" + k.Caller.Account + ":root"
	if !slices.Contains(role.Trusted, k.Caller.ARN) && !slices.Contains(role.Trusted, root) {
		return answer{}, denied
	}
	if role.ExternalID == FirstExternalID && len(external) >= 32 {
		role.ExternalID = external
	}
	if role.ExternalID != "" && role.ExternalID != external {
		return answer{}, denied
	}
	if fail := c.need(k, "sts:AssumeRole", arn); fail != nil {
		return answer{}, fail
	}
	seconds, err := strconv.Atoi(k.Form.Get("DurationSeconds"))
	if err != nil {
		seconds = 3600
	}
	if seconds < 900 || seconds > 43200 || (k.Caller.Kind == kindRole && seconds > 3600) {
		return answer{}, refuse(http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return xmlAnswer(c.openSession(k, role, session, time.Duration(seconds)*time.Second))
}

func (c *Cloud) openSession(k *call, role *principal, session string, length time.Duration) assumedRole {
	now := outlay.SystemClock{}.Now() // the SDK reckons expiry by the machine's clock too
	for id, key := range c.state.Keys {
		if key.Token != "" && now.After(key.Expires) {
			delete(c.state.Keys, id)
		}
	}
	key := &accessKey{
		ID: "ASIA" + strings.ToUpper(c.state.ID(16)), Secret: c.secretText(), Principal: role.ARN, Session: session,
		Token: "simulated-session-" + c.secretText(), Expires: now.Add(length).Truncate(time.Second),
	}
	c.state.Keys[key.ID] = key
	var out assumedRole
	cred := &out.Result.Credentials
	cred.AccessKeyId, cred.SecretAccessKey, cred.SessionToken, cred.Expiration = key.ID, key.Secret, key.Token, xmlTime(key.Expires)
	out.Result.AssumedRoleUser.AssumedRoleId = role.ID + ":" + session
	out.Result.AssumedRoleUser.Arn = c.sessionARN(role, session)
	out.Meta.RequestId = k.ID
	return out
}

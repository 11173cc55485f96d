package google

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"outlay"

	"golang.org/x/oauth2"
	"google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestFailures is the table of clouds.md §9: what Google says, and what a person gets.
func TestFailures(t *testing.T) {
	answer := func(code int, reason, message string) error {
		return &googleapi.Error{Code: code, Message: message, Errors: []googleapi.ErrorItem{{Reason: reason, Message: message}}}
	}
	detailed := func(code int, reason string) error {
		return &googleapi.Error{Code: code, Message: "x", Details: []any{map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}}}
	}
	for name, c := range map[string]struct {
		err     error
		code    outlay.Code
		outcome outlay.Outcome
		says    string
	}{
		"permission": {answer(403, "accessDenied", "Access Denied: Project p: Permission bigquery.jobs.create denied on project p"), outlay.CodeForbidden, outlay.DefinitelyNot, "bigquery.jobs.create"},
		"other":      {answer(403, "forbidden", "Permission 'resourcemanager.projects.get' denied on resource"), outlay.CodeForbidden, outlay.DefinitelyNot, "resourcemanager.projects.get"},
		"unnamed":    {answer(403, "forbidden", "no"), outlay.CodeForbidden, outlay.DefinitelyNot, "the.permission"},
		"off":        {detailed(403, "SERVICE_DISABLED"), outlay.CodeUnavailable, outlay.DefinitelyNot, "five minutes"},
		"off old":    {answer(403, "accessNotConfigured", "Enable it: https://console.developers.google.com/apis/api/bigquery.googleapis.com/overview"), outlay.CodeUnavailable, outlay.DefinitelyNot, "bigquery.googleapis.com"},
		"quota":      {answer(403, "quotaExceeded", "q"), outlay.CodeThrottled, outlay.DefinitelyNot, "fewer calls"},
		"rate":       {answer(403, "rateLimitExceeded", "q"), outlay.CodeThrottled, outlay.DefinitelyNot, "fewer calls"},
		"429":        {answer(429, "", "q"), outlay.CodeThrottled, outlay.Unknown, "fewer calls"},
		"503":        {answer(503, "backendError", "q"), outlay.CodeUnavailable, outlay.Unknown, "backendError"},
		"500":        {answer(500, "", "q"), outlay.CodeUnavailable, outlay.Unknown, "500"},
		"408":        {answer(408, "", "q"), outlay.CodeUnavailable, outlay.Unknown, "408"},
		"duplicate":  {answer(409, "duplicate", "Already Exists"), outlay.CodeConflict, outlay.Unknown, "exists already"},
		"409":        {answer(409, "aborted", "x"), outlay.CodeConflict, outlay.Unknown, "aborted"},
		"etag":       {answer(412, "conditionNotMet", "Precondition"), outlay.CodeConflict, outlay.DefinitelyNot, "changed meanwhile"},
		"policy":     {answer(412, "conditionNotMet", "'us' violates constraint 'constraints/gcp.resourceLocations'"), outlay.CodeInvalid, outlay.DefinitelyNot, "organization policy"},
		"policy 403": {answer(403, "forbidden", "Constraint constraints/iam.allowedPolicyMemberDomains violated"), outlay.CodeInvalid, outlay.DefinitelyNot, "organization policy"},
		"perimeter":  {answer(403, "vpcServiceControls", "VPC Service Controls: Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x"), outlay.CodeForbidden, outlay.DefinitelyNot, "perimeter"},
		"gone":       {answer(404, "notFound", "x"), outlay.CodeNotFound, outlay.DefinitelyNot, "does not exist"},
		"in use":     {answer(400, "resourceInUse", "x"), outlay.CodeUnavailable, outlay.DefinitelyNot, "arrived"},
		"cap":        {answer(400, "bytesBilledLimitExceeded", "x"), outlay.CodeInvalid, outlay.DefinitelyNot, "cap"},
		"query":      {answer(400, "invalidQuery", "Unrecognized name: cost"), outlay.CodeInvalid, outlay.DefinitelyNot, "Unrecognized name: cost"},
		"401":        {answer(401, "authError", "x"), outlay.CodeForbidden, outlay.DefinitelyNot, "does not accept"},
		"sandbox":    {answer(403, "billingNotEnabled", "x"), outlay.CodeForbidden, outlay.DefinitelyNot, "no billing account"},
		"dns":        {&url.Error{Op: "Get", URL: "x", Err: &net.DNSError{Err: "no such host"}}, outlay.CodeUnavailable, outlay.NeverSent, "did not answer"},
		"dial":       {&url.Error{Op: "Get", URL: "x", Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}, outlay.CodeUnavailable, outlay.NeverSent, "did not answer"},
		"reset":      {&url.Error{Op: "Get", URL: "x", Err: &net.OpError{Op: "read", Err: errors.New("reset")}}, outlay.CodeUnavailable, outlay.Unknown, "did not answer"},
		"stopped":    {fmt.Errorf("x: %w", context.Canceled), outlay.CodeUnavailable, outlay.Unknown, "stopped before"},
		"stream":     {status.Error(codes.PermissionDenied, "no 'bigquery.readsessions.create' permission"), outlay.CodeForbidden, outlay.DefinitelyNot, "the.permission"},
		"stream 2":   {status.Error(codes.Unavailable, "x"), outlay.CodeUnavailable, outlay.Unknown, "did not answer"},
		"stream 3":   {status.Error(codes.ResourceExhausted, "x"), outlay.CodeThrottled, outlay.Unknown, "fewer calls"},
		"job":        {jobError(protoOf("accessDenied")), outlay.CodeForbidden, outlay.DefinitelyNot, "the.permission"},
		"job gone":   {jobError(protoOf("notFound")), outlay.CodeNotFound, outlay.DefinitelyNot, "does not exist"},
		"job failed": {jobError(protoOf("internalError")), outlay.CodeUnavailable, outlay.Unknown, "internalError"},
	} {
		e := outlay.AsError(failure(c.err, call{Action: "the.permission", Resource: "a thing", Doing: "doing it"}))
		if e.Code != c.code || e.Outcome != c.outcome || !strings.Contains(e.Message+" "+e.Fix, c.says) || !strings.HasPrefix(e.Message, "doing it: ") {
			t.Errorf("%s: %s, outcome %d, %q, %q", name, e.Code, e.Outcome, e.Message, e.Fix)
		}
	}
	if failure(nil, call{}) != nil {
		t.Error("no failure became one")
	}
	h := http.Header{"Retry-After": {"7"}}
	if e := outlay.AsError(failure(&googleapi.Error{Code: 429, Header: h}, call{Doing: "x"})); e.RetryAfter != 7*time.Second {
		t.Errorf("the wait is %v", e.RetryAfter)
	}
	busy := &signInError{&oauth2.RetrieveError{Response: &http.Response{StatusCode: http.StatusTooManyRequests, Header: h}}}
	if e := outlay.AsError(failure(busy, call{Doing: "x"})); e.Code != outlay.CodeThrottled || e.Outcome != outlay.NeverSent || e.RetryAfter != 7*time.Second || e.Fix == "" {
		t.Errorf("a sign-in that is throttled is %s, outcome %d, in %v: %q", e.Code, e.Outcome, e.RetryAfter, e.Fix)
	}
}

func protoOf(reason string) *bigquery.ErrorProto {
	return &bigquery.ErrorProto{Reason: reason, Message: "words of Google"}
}

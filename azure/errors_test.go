package azure

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"outlay"
	cloud "outlay/simcloud/azure"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// answered is an error of the SDK for an answer of Azure.
func answered(status int, code, message string, header http.Header) error {
	if header == nil {
		header = http.Header{}
	}
	body := `{"error":{"code":"` + code + `","message":"` + strings.ReplaceAll(message, `"`, `\"`) + `"}}`
	return runtime.NewResponseError(&http.Response{
		StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: &http.Request{Method: http.MethodPut, URL: &url.URL{Scheme: "https", Host: "management.azure.com", Path: "/x"}},
	})
}

// TestErrors is the table of clouds.md §9, the rows about Azure: what an answer means, and whether anything happened.
func TestErrors(t *testing.T) {
	const noRole = "The client 'x' with object id 'y' does not have authorization to perform action 'Microsoft.Storage/storageAccounts/write' over scope '/subscriptions/1' or the scope is invalid."
	const noAssignment = "The user or service principal does not have authorization to perform 'Microsoft.Authorization/roleAssignments/write' action on specified storage account."
	const notYet = "RP Not Registered. Register destination storage account subscription with Microsoft.CostManagementExports."
	for _, row := range []struct {
		status        int
		code, message string
		want          outlay.Code
		outcome       outlay.Outcome
		needs         string
	}{
		{400, "400", notYet, outlay.CodeUnavailable, outlay.DefinitelyNot, ""},
		{400, "400", "Invalid definition type 'FocusCost'.", outlay.CodeInvalid, outlay.DefinitelyNot, ""},
		{400, "BadRequest", "", outlay.CodeInvalid, outlay.DefinitelyNot, ""},
		{401, "Unauthorized", noAssignment, outlay.CodeForbidden, outlay.DefinitelyNot, actAssignmentsWrite},
		{401, "InvalidAuthenticationToken", "expired", outlay.CodeForbidden, outlay.DefinitelyNot, ""},
		{403, "AuthorizationFailed", noRole, outlay.CodeForbidden, outlay.DefinitelyNot, actAccountWrite},
		{403, "AuthorizationPermissionMismatch", "", outlay.CodeForbidden, outlay.DefinitelyNot, actGroupWrite},
		{403, "AuthorizationFailure", "This request is not authorized to perform this operation.", outlay.CodeForbidden, outlay.DefinitelyNot, ""},
		{403, "Whatever", "", outlay.CodeForbidden, outlay.DefinitelyNot, actGroupWrite},
		{401, "RBACAccessDenied", "The client does not have authorization to perform action.", outlay.CodeForbidden, outlay.DefinitelyNot, actGroupWrite},
		{403, "RequestDisallowedByPolicy", "no", outlay.CodeForbidden, outlay.DefinitelyNot, ""},
		{403, "SubscriptionNotFound", "", outlay.CodeForbidden, outlay.DefinitelyNot, ""},
		{404, "SubscriptionNotFound", "", outlay.CodeForbidden, outlay.DefinitelyNot, ""},
		{404, "ResourceGroupNotFound", "", outlay.CodeNotFound, outlay.DefinitelyNot, ""},
		{404, "404", "", outlay.CodeNotFound, outlay.DefinitelyNot, ""},
		{404, "InvalidResourceType", "", outlay.CodeInvalid, outlay.DefinitelyNot, ""},
		{408, "RequestTimeout", "", outlay.CodeUnavailable, outlay.Unknown, ""},
		{409, "StorageAccountAlreadyTaken", "", outlay.CodeConflict, outlay.DefinitelyNot, ""},
		{409, "ContainerBeingDeleted", "", outlay.CodeUnavailable, outlay.DefinitelyNot, ""},
		{409, "AnotherOperationInProgress", "", outlay.CodeUnavailable, outlay.DefinitelyNot, ""},
		{409, "MissingSubscriptionRegistration", "", outlay.CodeUnavailable, outlay.DefinitelyNot, ""},
		{409, "ScopeLocked", "", outlay.CodeForbidden, outlay.DefinitelyNot, ""},
		{409, "ContainerAlreadyExists", "", outlay.CodeConflict, outlay.Unknown, ""},
		{409, "Conflict", "", outlay.CodeConflict, outlay.Unknown, ""},
		{412, "ConditionNotMet", "", outlay.CodeConflict, outlay.DefinitelyNot, ""},
		{412, "PreconditionFailed", "", outlay.CodeConflict, outlay.DefinitelyNot, ""},
		{412, "", "", outlay.CodeConflict, outlay.DefinitelyNot, ""},
		{429, "TooManyRequests", "", outlay.CodeThrottled, outlay.DefinitelyNot, ""},
		{429, "429", "", outlay.CodeThrottled, outlay.Unknown, ""},
		{500, "InternalServerError", "", outlay.CodeUnavailable, outlay.Unknown, ""},
		{503, "ServerBusy", "", outlay.CodeThrottled, outlay.DefinitelyNot, ""},
		{504, "OperationTimedOut", "", outlay.CodeUnavailable, outlay.Unknown, ""},
		{500, "AuthorizationFailed", "", outlay.CodeUnavailable, outlay.Unknown, ""},
	} {
		err := failure(answered(row.status, row.code, row.message, nil), call{Action: actGroupWrite, Resource: "/subscriptions/1", Doing: "doing something"})
		e := outlay.AsError(err)
		needs := ""
		for _, n := range e.Needs {
			needs += n.Action
		}
		if e.Code != row.want || e.Outcome != row.outcome || needs != row.needs || !strings.HasPrefix(e.Message, "doing something: ") {
			t.Errorf("%d %s: %s, outcome %d, needs %q: %s", row.status, row.code, e.Code, e.Outcome, needs, e.Message)
		}
		if (e.Code == outlay.CodeForbidden || e.Code.Retryable()) && e.Fix == "" {
			t.Errorf("%d %s: nothing to do about it", row.status, row.code)
		}
	}
}

// TestBillingRoles: at a billing scope a missing permission is no matter of Azure's access control, and a run is refused
// to every app.
func TestBillingRoles(t *testing.T) {
	const billing, no = "providers/Microsoft.Billing/billingAccounts/8608480", "The client does not have authorization to perform action."
	for _, row := range []struct{ action, scope, says, fix string }{
		{actExportRead, billing, actExportRead, "billing role"},
		{actExportRun, billing, "let apps start runs", "Azure portal"},
		{actExportRun, "subscriptions/" + testSub, actExportRun, "Allow " + actExportRun},
	} {
		e := outlay.AsError(failure(answered(401, "RBACAccessDenied", no, nil), exportCall(row.action, row.scope, "doing something")))
		if e.Code != outlay.CodeForbidden || e.Outcome != outlay.DefinitelyNot || !strings.Contains(e.Message, row.says) || !strings.Contains(e.Fix, row.fix) {
			t.Errorf("%s at %s: %s. %s", row.action, row.scope, e.Message, e.Fix)
		}
	}
	if got := missingRole([]outlay.Permission{{Action: actExportRead, Resource: "/" + billing}}); got != "" {
		t.Errorf("a role that cannot help: %s", got)
	}
	sc := fresh(fieldScope, scopeEnrolment, fieldScopeID, "8608480")
	sc.seen.Permissions = []outlay.Permission{{Action: actExportRead, Resource: "/" + billing, State: outlay.PermissionDenied}}
	plan, err := sc.changes()
	if blocked := plan.Blocked(); err != nil || !strings.Contains(blocked, actExportRead) || !strings.Contains(blocked, "billing role") || strings.Contains(blocked, "role shown") {
		t.Errorf("blocked %q (%v)", blocked, err)
	}
}

// TestSuccessInDisguise: 202 and 204 come back from the SDK as errors where it expects 200 alone.
func TestSuccessInDisguise(t *testing.T) {
	for status, want := range map[int]bool{202: true, 204: true, 400: false, 404: false, 500: false} {
		if got := accepted(&azcore.ResponseError{StatusCode: status}); got != want {
			t.Errorf("%d: %v", status, got)
		}
	}
	if !accepted(nil) || accepted(errors.New("x")) {
		t.Error("no error, or one without an answer")
	}
}

// TestGone: only an answer about the thing itself says that it does not exist.
func TestGone(t *testing.T) {
	for name, row := range map[string]struct {
		err  error
		want bool
	}{
		"the thing":        {answered(404, "ResourceNotFound", "", nil), true},
		"its group":        {answered(404, "ResourceGroupNotFound", "", nil), true},
		"a code of no use": {answered(404, "404", "", nil), true},
		"a failure":        {failure(answered(404, "ResourceNotFound", "", nil), call{}), true},
		"the subscription": {answered(404, "SubscriptionNotFound", "", nil), false},
		"the service":      {answered(404, "InvalidResourceType", "", nil), false},
		"a refusal":        {answered(403, "AuthorizationFailed", "", nil), false},
		"no answer":        {io.ErrUnexpectedEOF, false},
		"nothing":          {nil, false},
	} {
		if got := isGone(row.err); got != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestThrottleHeaders waits for the longest of what Azure asks.
func TestThrottleHeaders(t *testing.T) {
	for name, row := range map[string]struct {
		header map[string]string
		want   time.Duration
	}{
		"nothing said": {nil, time.Minute},
		"Retry-After":  {map[string]string{"Retry-After": "7"}, 7 * time.Second},
		"the longest": {map[string]string{"Retry-After": "7", "x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after": "40",
			"x-ms-ratelimit-microsoft.costmanagement-entity-retry-after": "20", "x-ms-ratelimit-microsoft.consumption-retry-after": "5"}, 40 * time.Second},
		"what is left":  {map[string]string{"x-ms-ratelimit-remaining-subscription-reads": "11999"}, time.Minute},
		"nonsense":      {map[string]string{"Retry-After": "soon"}, time.Minute},
		"for ever":      {map[string]string{"Retry-After": "99999999"}, time.Hour},
		"without delay": {map[string]string{"Retry-After": "0"}, 0},
	} {
		h := http.Header{}
		for k, v := range row.header {
			h.Set(k, v)
		}
		if got := outlay.AsError(failure(answered(429, "429", "", h), call{Doing: "x"})).RetryAfter; got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
	for status, header := range map[int]http.Header{503: {"Retry-After": {"9"}}, 500: {"Retry-After": {"9"}}} {
		if got := outlay.AsError(failure(answered(status, "X", "", header), call{Doing: "x"})).RetryAfter; got != 9*time.Second {
			t.Errorf("%d: waits %s", status, got)
		}
	}
	if got := outlay.AsError(failure(answered(409, "AnotherOperationInProgress", "", nil), call{Doing: "x"})).RetryAfter; got != 0 {
		t.Errorf("busy, and nothing asked: waits %s", got)
	}
}

// TestNoAnswer tells calls that never left from those whose outcome nobody knows.
func TestNoAnswer(t *testing.T) {
	for name, row := range map[string]struct {
		err     error
		outcome outlay.Outcome
	}{
		"dialing":   {&net.OpError{Op: "dial", Err: errors.New("refused")}, outlay.NeverSent},
		"the name":  {&net.DNSError{Err: "no such host"}, outlay.NeverSent},
		"reading":   {&net.OpError{Op: "read", Err: errors.New("reset")}, outlay.Unknown},
		"cancelled": {context.Canceled, outlay.Unknown},
		"too late":  {context.DeadlineExceeded, outlay.Unknown},
		"silence":   {errSilent, outlay.Unknown},
		"the end":   {io.ErrUnexpectedEOF, outlay.Unknown},
	} {
		e := outlay.AsError(failure(row.err, call{Doing: "doing something"}))
		if e.Code != outlay.CodeUnavailable || e.Outcome != row.outcome {
			t.Errorf("%s: %s, outcome %d", name, e.Code, e.Outcome)
		}
	}
	if e := outlay.AsError(failure(errStrangeHost, call{Doing: "x"})); e.Code != outlay.CodeInvalid || e.Outcome != outlay.NeverSent {
		t.Errorf("a strange host: %+v", e)
	}
}

// TestWritesAreSentOnce lets each write of the way up fail after its effect: the SDK must not repeat it, and a run that
// goes on afterwards finds what was made.
func TestWritesAreSentOnce(t *testing.T) {
	for i, op := range []string{"Providers_Register", "ResourceGroups_CreateOrUpdate", "StorageAccounts_Create", "BlobContainers_Create", "Exports_CreateOrUpdate", "Exports_Run"} {
		t.Run(op, func(t *testing.T) {
			w := newWorld(t, quotaEnterprise, cloud.Options{})
			plan := w.plan(whole())
			for _, c := range plan.Changes[:i] {
				if err := w.apply(c); err != nil {
					t.Fatal(err)
				}
			}
			w.Fault(cloud.Fault{Match: op, Kind: cloud.FailAfter})
			err := w.apply(plan.Changes[i])
			if e := outlay.AsError(err); op != "Providers_Register" && (e == nil || e.Outcome != outlay.Unknown || w.calls(op) != 1) {
				t.Errorf("%d calls, error %v", w.calls(op), err)
			}
			err = w.run(plan)
			for range 5 { // Azure is still at it
				if outlay.CodeOf(err) != outlay.CodeUnavailable {
					break
				}
				err = w.run(plan)
			}
			if err != nil {
				t.Fatal(err)
			}
			if op != "Providers_Register" && w.calls(op) != 1 {
				t.Errorf("going on made %d calls", w.calls(op))
			}
			w.stands()
		})
	}
}

// TestRegistrationLag retries an order that Azure refuses after the registration is through, and gives up when that
// takes longer than it may.
func TestRegistrationLag(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{RegisterLag: 2})
	plan := w.plan(whole())
	refusals := 0
	for _, c := range plan.Changes {
		err := w.apply(c)
		for ; err != nil && refusals < 5; err = w.apply(c) {
			refusals++
			if e := outlay.AsError(err); e.Code != outlay.CodeUnavailable || e.Outcome != outlay.DefinitelyNot || e.RetryAfter == 0 {
				t.Fatalf("%v", err)
			}
		}
	}
	if refusals != 2 {
		t.Errorf("refused %d times", refusals)
	}
	w.stands()

	late := newWorld(t, quotaEnterprise, cloud.Options{RegisterLag: 9})
	plan = late.plan(whole())
	for _, c := range plan.Changes[:4] {
		if err := late.apply(c); err != nil {
			t.Fatal(err)
		}
	}
	c := plan.Changes[4]
	late.s.Resources = append(late.s.Resources, outlay.Resource{Kind: c.Kind, Name: c.Name, State: outlay.StateIntended, Origin: outlay.CreatedByUs, IntentAt: time.Now().Add(-16 * time.Minute)})
	if err := late.apply(c); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("after 16 minutes: %v", err)
	}
}

// TestFreshRole waits for a role that is not known everywhere yet, and asks for one that is not there.
func TestFreshRole(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.s.Spec.Fields[fieldIdentity] = identitySystem
	plan := w.plan(whole())
	for _, c := range plan.Changes[:4] {
		if err := w.apply(c); err != nil {
			t.Fatal(err)
		}
	}
	const refusal = "The user or service principal 'x' does not have authorization to perform 'Microsoft.Authorization/roleAssignments/write' action on specified storage account 'y'."
	w.Fault(cloud.Fault{Match: "Exports_CreateOrUpdate", Kind: cloud.Answer, Status: 401, Code: "Unauthorized", Message: refusal})
	err := w.apply(plan.Changes[4])
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeUnavailable || e.Outcome != outlay.DefinitelyNot {
		t.Errorf("a role that is there: %v", err)
	}
	for i, row := range w.s.Resources {
		if row.Kind == kindExport {
			w.s.Resources[i].State, w.s.Resources[i].IntentAt = outlay.StateIntended, time.Now().Add(-16*time.Minute)
		}
	}
	w.Fault(cloud.Fault{Match: "Exports_CreateOrUpdate", Kind: cloud.Answer, Status: 401, Code: "Unauthorized", Message: refusal})
	err = w.apply(plan.Changes[4])
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeForbidden || len(e.Needs) != 1 || !strings.Contains(e.Fix, "deny assignment") {
		t.Errorf("a role that is there, and does not help for long: %v", err)
	}
	w.Deny(w.app, actAssignmentsWrite)
	err = w.apply(plan.Changes[4])
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeForbidden || len(e.Needs) != 1 || e.Needs[0].Action != actAssignmentsWrite {
		t.Errorf("a role that is not: %v", err)
	}
	w.Undeny(w.app)
	if err := w.run(plan); err != nil {
		t.Error(err)
	}
}

// TestNameTaken meets a storage account of our name in somebody else's subscription.
func TestNameTaken(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	plan := w.plan(whole())
	w.AddSubscription(testTenant, otherSub, "library", quotaEnterprise)
	w.PlantGroup(otherSub, "theirs", "westeurope")
	w.PlantAccount(otherSub, "theirs", plan.Changes[2].Name, "westeurope")
	err := w.run(plan)
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeConflict || e.Outcome != outlay.DefinitelyNot || !strings.Contains(e.Message, "somebody else") {
		t.Errorf("ended with %v", err)
	}
	w.Deny(w.app, actNameCheck) // not allowed to ask: creating finds it out too
	if err := w.run(plan); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("ended with %v", err)
	}
}

// TestLocked reports a lock and does not fight it.
func TestLocked(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{})
	w.up()
	w.Lock(w.one("storage-account").ID, "CanNotDelete")
	err := w.run(w.down(outlay.DeleteCostFiles))
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeForbidden || !strings.Contains(e.Message, "lock") || e.Fix == "" {
		t.Errorf("ended with %v", err)
	}
	w.one("storage-account")
}

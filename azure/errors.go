package azure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// call says what was asked of Azure: the action of its access control that it needs, on what, and in plain words.
type call struct{ Action, Resource, Doing string }

// failure turns an error of the SDK into one that a person can act on (clouds.md §9). The SDK's own text, with the
// request id in it, stays the cause. An *outlay.Error passes as it is, and nil is nil.
func failure(err error, c call) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*outlay.Error](err); ok {
		return e
	}
	if signIn, ok := failedSignIn(err); ok {
		return signIn
	}
	re, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		return transportFailure(err, c)
	}
	e := classify(re.ErrorCode, re.StatusCode, messageOf(re), c)
	e.Err = err
	if re.RawResponse == nil {
		return e
	}
	switch e.Code {
	case outlay.CodeThrottled:
		e.RetryAfter = waitAsked(re.RawResponse.Header)
	case outlay.CodeUnavailable:
		e.RetryAfter, _ = longestAsked(re.RawResponse.Header)
	}
	return e
}

// messageOf is Azure's own text in an answer: of JSON as Resource Manager writes it, else "".
func messageOf(re *azcore.ResponseError) string {
	if re.RawResponse == nil || re.RawResponse.Body == nil {
		return ""
	}
	body, err := runtime.Payload(re.RawResponse)
	if err != nil {
		return ""
	}
	var answer struct {
		Error   struct{ Message string }
		Message string
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	return orElse(answer.Error.Message, answer.Message)
}

// statusOf is the HTTP status of a failed call, 0 when there was no answer. Azure's code may be a mere number, too: Cost
// Management answers "400" (clouds.md §9).
func statusOf(err error) int {
	if re, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return re.StatusCode
	}
	return 0
}

// errorText is Azure's own sentence for a failed call, "" when it gave none.
func errorText(err error) string {
	if re, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return messageOf(re)
	}
	return ""
}

// accepted tells whether an error is none: the SDK expects 200 alone where Azure also answers 202 or 204
// (clouds.md §3.1).
func accepted(err error) bool {
	switch statusOf(err) {
	case http.StatusAccepted, http.StatusNoContent, http.StatusCreated:
		return true
	}
	return err == nil
}

// verdict is how one group of Azure's codes is treated.
type verdict struct {
	code    outlay.Code
	outcome outlay.Outcome
	text    string // after what we were doing
	fix     string
}

// byItself is what a person has to do about something that passes.
const byItself = "Nothing to do; it is tried again by itself."

// isRefusal tells whether a permission lacks. A credential that is not accepted is no such thing: it says nothing about
// what was asked for.
func isRefusal(err error) bool {
	return outlay.CodeOf(err) == outlay.CodeForbidden && len(outlay.AsError(err).Needs) > 0
}

// verdicts is the table of clouds.md §9. What it does not name is judged by the HTTP status.
func verdicts(code string) (verdict, bool) {
	switch code {
	case "AuthorizationFailed", "AuthorizationPermissionMismatch", "LinkedAuthorizationFailed", "Unauthorized", "InsufficientAccountPermissions", "RBACAccessDenied":
		return verdict{code: outlay.CodeForbidden}, true
	case "InvalidAuthenticationToken", "InvalidAuthenticationTokenTenant", "ExpiredAuthenticationToken", "AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation":
		return verdict{outlay.CodeForbidden, outlay.DefinitelyNot, "Azure does not accept the credential", "Rotate the credential of this account, and check its tenant."}, true
	case "AuthorizationFailure": // the network's no; a role that lacks is AuthorizationPermissionMismatch
		return verdict{outlay.CodeForbidden, outlay.DefinitelyNot, "the storage account's firewall does not let this server in", "Let this server's network pass the firewall of the storage account, then try again. No role helps here."}, true
	case "RequestDisallowedByPolicy":
		return verdict{outlay.CodeForbidden, outlay.DefinitelyNot, "an Azure policy of your organization forbids it", "Ask who administers your Azure policies for an exception, or choose another region."}, true
	case "ScopeLocked":
		return verdict{outlay.CodeForbidden, outlay.DefinitelyNot, "a lock in Azure forbids it", "Remove the lock in the Azure portal, then try again."}, true
	case "SubscriptionNotFound", "InvalidSubscriptionId":
		return verdict{outlay.CodeForbidden, outlay.DefinitelyNot, "the credential cannot see this subscription", "Check the subscription ID, and give the app a role in this subscription."}, true
	case "InvalidResourceType", "InvalidResourceNamespace":
		return verdict{outlay.CodeInvalid, outlay.DefinitelyNot, "Azure does not have this service here", "Choose another region, or another scope."}, true
	case "DisabledSubscription", "ReadOnlyDisabledSubscription", "SubscriptionNotEnabled":
		return verdict{outlay.CodeForbidden, outlay.DefinitelyNot, "the subscription is disabled", "Enable the subscription in the Azure portal."}, true
	case "TooManyRequests", "ServerBusy", "OperationTimedOut", "ResourceCollectionRequestsThrottled", "SubscriptionRequestsThrottled":
		return verdict{outlay.CodeThrottled, outlay.DefinitelyNot, "Azure asks for fewer calls", byItself}, true
	case "StorageAccountAlreadyTaken":
		return verdict{outlay.CodeConflict, outlay.DefinitelyNot, "the name belongs to somebody else", "Deprovision and provision again: that takes another name."}, true
	case "StorageAccountAlreadyExists", "ContainerAlreadyExists", "ResourceAlreadyExists", "InvalidResourceGroupLocation", "InvalidResourceLocation":
		return verdict{outlay.CodeConflict, outlay.Unknown, "it is there already", "Check whose it is."}, true
	case "ContainerBeingDeleted", "AccountBeingCreated", "StorageAccountOperationInProgress", "AnotherOperationInProgress", "ResourceGroupBeingDeleted", "ConflictConcurrentWritesNotAllowed":
		return verdict{outlay.CodeUnavailable, outlay.DefinitelyNot, "Azure is still busy with it", byItself}, true
	case "MissingSubscriptionRegistration", "SubscriptionNotRegistered", "MissingRegistrationForResourceProvider":
		return verdict{outlay.CodeUnavailable, outlay.DefinitelyNot, "the subscription is not registered for it yet", byItself}, true
	case "MaxStorageAccountsCountPerSubscriptionExceeded", "QuotaExceeded":
		return verdict{outlay.CodeConflict, outlay.DefinitelyNot, "the quota of storage accounts of this subscription is used up in this region", "Choose another region, or ask Azure for a higher quota."}, true
	case "ResourceNotFound", "ResourceGroupNotFound", "ParentResourceNotFound", "ContainerNotFound", "BlobNotFound", "NotFound":
		return verdict{outlay.CodeNotFound, outlay.DefinitelyNot, "it does not exist", ""}, true
	case "ConditionNotMet", "PreconditionFailed", "TargetConditionNotMet":
		return verdict{outlay.CodeConflict, outlay.DefinitelyNot, "it changed meanwhile", "Nothing to do; it is read again."}, true
	}
	return verdict{}, false
}

// classify judges an answer of Azure. Only 4xx other than 408, 409 and 429 proves that nothing happened
// (reliability.md §3.4); codes that say so themselves are in the table.
func classify(code string, status int, message string, c call) *outlay.Error {
	v, known := verdicts(code)
	if known && status >= 500 { // the gateway's code for an answer that nobody knows the end of
		known = code == "ServerBusy"
	}
	switch {
	case known && code == "RBACAccessDenied" && c.Action == actExportRun && isBillingScope(c.Resource): // whatever its roles (clouds.md §3.2)
		v.text, v.fix = "Azure does not let apps start runs at this billing scope", "The daily export goes on. Ask a person with a billing role to run it in the Azure portal, or provision at the subscription."
	case known && v.code == outlay.CodeForbidden && v.text == "":
		return refused(message, c)
	case known:
	case notRegistered(message):
		v = verdict{outlay.CodeUnavailable, outlay.DefinitelyNot, "Azure does not know the registration of Microsoft.CostManagementExports everywhere yet", byItself}
	case status == 401 || status == 403:
		return refused(message, c)
	case status == 404:
		v = verdict{outlay.CodeNotFound, outlay.DefinitelyNot, "it does not exist", ""}
	case status == 412:
		v = verdict{outlay.CodeConflict, outlay.DefinitelyNot, "it changed meanwhile", "Nothing to do; it is read again."}
	case status == 429:
		v = verdict{outlay.CodeThrottled, outlay.Unknown, "Azure asks for fewer calls", byItself}
	case status == 408 || status >= 500 || status < 400:
		v = verdict{outlay.CodeUnavailable, outlay.Unknown, "Azure answered " + orStatus(code, status), byItself}
	case status == 409:
		v = verdict{outlay.CodeConflict, outlay.Unknown, "Azure answered " + orStatus(code, status) + withText(message), ""}
	default:
		v = verdict{outlay.CodeInvalid, outlay.DefinitelyNot, "Azure answered " + orStatus(code, status) + withText(message), ""}
	}
	return &outlay.Error{Code: v.code, Outcome: v.outcome, Message: c.Doing + ": " + v.text, Fix: v.fix}
}

// notRegistered is the failure that Azure answers instead of its own code for it, also for minutes after a
// registration (clouds.md §3.3 step 2).
func notRegistered(message string) bool {
	return strings.Contains(strings.ToLower(message), "rp not registered")
}

func orStatus(code string, status int) string {
	if code != "" {
		return code
	}
	return strconv.Itoa(status)
}

func withText(message string) string {
	if message == "" {
		return ""
	}
	return ": " + clip(message, 300)
}

// noRoleHere is what to do about a missing permission at a billing scope, which no role of Azure's access control grants.
const noRoleHere = "Ask who administers billing in Azure (an enterprise administrator, or an owner of the billing profile) to give this app a billing role there, then try again."

// deniedAction finds the action in "… does not have authorization to perform action 'X' over scope …" and in "… to
// perform 'X' action on specified storage account"; it may be another than that of the call.
var deniedAction = regexp.MustCompile(`perform (?:action )?'([A-Za-z.]+/[A-Za-z/]+)'`)

// refused is a missing permission, with the action named.
func refused(message string, c call) *outlay.Error {
	need := outlay.Permission{Action: c.Action, Resource: c.Resource, For: c.Doing, State: outlay.PermissionDenied}
	if m := deniedAction.FindStringSubmatch(message); m != nil {
		need.Action = m[1]
	}
	e := &outlay.Error{
		Code: outlay.CodeForbidden, Outcome: outlay.DefinitelyNot, Needs: []outlay.Permission{need},
		Message: c.Doing + ": Azure refused " + need.Action, Fix: "Allow " + need.Action + " for this app, then try again. A role just assigned can take 15 minutes to work.",
	}
	if isBillingScope(c.Resource) {
		e.Fix = noRoleHere
	}
	if need.Action == "" {
		e.Needs, e.Message, e.Fix = nil, c.Doing+": Azure refused it", "Check the roles of this app."
	}
	return e
}

// failedSignIn tells whether the call never left because Entra gave no token.
func failedSignIn(err error) (*outlay.Error, bool) {
	failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err)
	if !ok {
		return nil, false
	}
	out := &outlay.Error{Outcome: outlay.NeverSent, Err: err, Code: outlay.CodeUnavailable, Message: "signing in to Azure: no answer", Fix: "Check that this server can reach login.microsoftonline.com; it is tried again by itself."}
	if failed.RawResponse == nil {
		if strings.Contains(err.Error(), textNoToken) {
			out = noTokenFile()
		}
		return out, true
	}
	switch status := failed.RawResponse.StatusCode; {
	case status == 429:
		out.Code, out.Message, out.Fix, out.RetryAfter = outlay.CodeThrottled, "signing in to Azure: Entra asks for fewer calls", byItself, waitAsked(failed.RawResponse.Header)
	case status >= 400 && status < 500:
		out.Code, out.Message, out.Fix = outlay.CodeForbidden, "signing in to Azure: Entra does not accept the credential"+entraReason(err.Error()), "Check the tenant and client IDs, and rotate the credential of this account."
	default:
		out.Message, out.Fix = fmt.Sprintf("signing in to Azure: Entra answered %d", status), byItself
	}
	return out, true
}

// entraCode is the number by which Entra says why it gives no token.
var entraCode = regexp.MustCompile(`AADSTS[0-9]+`)

// entraReason puts the most common of Entra's reasons in words.
func entraReason(text string) string {
	switch code := entraCode.FindString(text); code {
	case "":
		return ""
	case "AADSTS7000222":
		return ": the client secret has expired"
	case "AADSTS7000215":
		return ": the client secret is wrong"
	case "AADSTS700016":
		return ": the tenant has no app with this client ID"
	case "AADSTS90002":
		return ": there is no such tenant"
	case "AADSTS700027":
		return ": the certificate is not one of the app's"
	case "AADSTS700213", "AADSTS70021":
		return ": the app does not trust the issuer or subject of this server's token"
	default:
		return " (" + code + ")"
	}
}

// transportFailure is a call without an answer. Only a connection that was never made proves that nothing was sent.
func transportFailure(err error, c call) *outlay.Error {
	e := &outlay.Error{
		Code: outlay.CodeUnavailable, Outcome: outlay.Unknown, Err: err,
		Message: c.Doing + ": Azure did not answer", Fix: "Check that this server can reach Azure; it is tried again by itself.",
	}
	switch {
	case errors.Is(err, errStrangeHost):
		e.Code, e.Outcome, e.Message, e.Fix = outlay.CodeInvalid, outlay.NeverSent, c.Doing+": Azure pointed to an address that is not Azure's", ""
	case errors.Is(err, context.Canceled):
		e.Message = c.Doing + ": stopped before Azure answered"
	case neverSent(err):
		e.Outcome = outlay.NeverSent
	}
	return e
}

// neverSent tells whether dialing, the name look-up or TLS failed.
func neverSent(err error) bool {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.UnknownAuthorityError](err)
	return ok
}

// waitAsked is the longest of what Azure asks to wait: Resource Manager says it in Retry-After, Cost Management in
// headers of its own for each of its limits (clouds.md §3.7). A minute when it says nothing.
func waitAsked(h http.Header) time.Duration {
	if longest, said := longestAsked(h); said {
		return longest
	}
	return time.Minute
}

// longestAsked is the longest of what an answer asks to wait, at most an hour, and whether it asks at all.
func longestAsked(h http.Header) (longest time.Duration, said bool) {
	for name, values := range h {
		name = strings.ToLower(name)
		ours := name == "retry-after" || strings.HasPrefix(name, "x-ms-ratelimit-") && strings.HasSuffix(name, "retry-after")
		if !ours || len(values) == 0 {
			continue
		}
		if s, err := strconv.Atoi(strings.TrimSpace(values[0])); err == nil && s >= 0 {
			longest, said = max(longest, time.Duration(s)*time.Second), true
		}
	}
	return min(longest, time.Hour), said
}

// isGone tells whether Azure says that a thing does not exist. A refused or throttled call never does, nor a 404 that is
// about something else: a subscription that the credential no longer sees.
func isGone(err error) bool {
	re, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		return outlay.CodeOf(err) == outlay.CodeNotFound
	}
	v, known := verdicts(re.ErrorCode)
	return re.StatusCode == http.StatusNotFound && (!known || v.code == outlay.CodeNotFound)
}

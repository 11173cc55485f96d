package google

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"outlay"

	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// call says what was asked of Google: the IAM permission it needs, on what, and in plain words.
type call struct{ Action, Resource, Doing string }

// failure turns an error of a client into one that a person can act on (clouds.md §9). Google's own text stays the
// cause. An *outlay.Error passes as it is, and nil is nil.
func failure(err error, c call) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*outlay.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*signInError](err); ok {
		return failedSignIn(e)
	}
	ge, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		if ge = streamError(err); ge == nil {
			return transportFailure(err, c)
		}
	}
	e := classify(ge, c)
	e.Err, e.RetryAfter = err, retryAfter(ge.Header)
	return e
}

// streamError is an answer of the Storage Read API, which speaks gRPC, as if it had come the other way; nil when there
// was none.
func streamError(err error) *googleapi.Error {
	st, ok := status.FromError(err)
	if !ok {
		return nil
	}
	code := 0
	switch st.Code() {
	case codes.PermissionDenied:
		code = http.StatusForbidden
	case codes.Unauthenticated:
		code = http.StatusUnauthorized
	case codes.NotFound:
		code = http.StatusNotFound
	case codes.ResourceExhausted:
		code = http.StatusTooManyRequests
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange:
		code = http.StatusBadRequest
	case codes.Internal, codes.Aborted, codes.DataLoss:
		code = http.StatusInternalServerError
	}
	if code == 0 {
		return nil
	}
	return &googleapi.Error{Code: code, Message: st.Message()}
}

// reasonOf is Google's word for what happened: of the details where there are any, else of the list of errors.
func reasonOf(ge *googleapi.Error) string {
	for _, d := range ge.Details {
		if m, ok := d.(map[string]any); ok {
			if r, ok := m["reason"].(string); ok && r != "" {
				return r
			}
		}
	}
	for _, item := range ge.Errors {
		if item.Reason != "" {
			return item.Reason
		}
	}
	return ""
}

const itself = "Nothing to do; it is tried again by itself."

// verdict is how one of Google's reasons is treated.
type verdict struct {
	code    outlay.Code
	outcome outlay.Outcome
	text    string // after what we were doing
	fix     string
	field   string
}

// verdicts is the table of clouds.md §9. What it does not name is judged by the HTTP status.
func verdicts(reason string) (verdict, bool) {
	switch reason {
	case "quotaExceeded", "rateLimitExceeded", "userRateLimitExceeded", "jobRateLimitExceeded", "RATE_LIMIT_EXCEEDED":
		return verdict{outlay.CodeThrottled, outlay.DefinitelyNot, "Google asks for fewer calls", itself, ""}, true
	case "billingNotEnabled", "BILLING_DISABLED":
		return verdict{outlay.CodeForbidden, outlay.DefinitelyNot, "the project has no billing account", "Link the project to a billing account in the Google Cloud console.", fieldProject}, true
	case "authError", "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_TYPE_UNSUPPORTED":
		return verdict{outlay.CodeForbidden, outlay.DefinitelyNot, "Google does not accept the credential", "Rotate the credential of this account.", ""}, true
	case "duplicate", "alreadyExists":
		return verdict{outlay.CodeConflict, outlay.Unknown, "it exists already", "", ""}, true
	case "resourceInUse":
		return verdict{outlay.CodeUnavailable, outlay.DefinitelyNot, "something arrived in it meanwhile", "Nothing to do; it is emptied and tried again.", ""}, true
	case "bytesBilledLimitExceeded":
		return verdict{outlay.CodeInvalid, outlay.DefinitelyNot, "the query would read more than its cap allows", capFix, fieldCap}, true
	case "invalidQuery":
		return verdict{outlay.CodeInvalid, outlay.DefinitelyNot, "BigQuery refused the query", "Look whether the table still has the columns of a billing export.", ""}, true
	case "backendError", "internalError", "jobBackendError", "jobInternalError", "tableUnavailable", "stopped", "timeout":
		return verdict{outlay.CodeUnavailable, outlay.Unknown, "Google answered " + reason, itself, ""}, true
	}
	return verdict{}, false
}

const capFix = "Raise the field \"Read cap\" of this source, or leave the month out."

// classify judges an answer of Google. Only 4xx other than 408, 409 and 429 proves that nothing happened
// (reliability.md §3.4).
func classify(ge *googleapi.Error, c call) *outlay.Error {
	reason := reasonOf(ge)
	if isDisabled(ge) {
		return disabled(ge, c)
	}
	v, known := verdicts(reason)
	switch code := ge.Code; {
	case known:
	case code == http.StatusUnauthorized:
		v, _ = verdicts("authError")
	case strings.Contains(ge.Message, "vpcServiceControls"), reason == "SECURITY_POLICY_VIOLATED":
		v = verdict{outlay.CodeForbidden, outlay.DefinitelyNot, "a perimeter of VPC Service Controls forbids it", "Ask who administers your Google Cloud organization to let this credential in, from where this server stands.", ""}
	case code == http.StatusForbidden && !strings.Contains(ge.Message, "constraints/"):
		return refused(ge, c)
	case strings.Contains(ge.Message, "constraints/"):
		v = verdict{outlay.CodeInvalid, outlay.DefinitelyNot, "an organization policy forbids it: " + clip(ge.Message, 300), "Choose another region, or ask who administers your Google Cloud organization to allow this one.", "region"}
	case code == http.StatusNotFound:
		v = verdict{outlay.CodeNotFound, outlay.DefinitelyNot, "it does not exist, or this credential may not see it", "", ""}
	case code == http.StatusPreconditionFailed:
		v = verdict{outlay.CodeConflict, outlay.DefinitelyNot, "it changed meanwhile", "Nothing to do; it is read again.", ""}
	case code == http.StatusTooManyRequests:
		v = verdict{outlay.CodeThrottled, outlay.Unknown, "Google asks for fewer calls", itself, ""}
	case code == http.StatusRequestTimeout || code >= 500 || code < 400:
		v = verdict{outlay.CodeUnavailable, outlay.Unknown, "Google answered " + orStatus(reason, code), itself, ""}
	case code == http.StatusConflict:
		v = verdict{outlay.CodeConflict, outlay.Unknown, "Google answered " + orStatus(reason, code), "", ""}
	default:
		v = verdict{outlay.CodeInvalid, outlay.DefinitelyNot, "Google answered " + orStatus(reason, code), "", ""}
	}
	e := &outlay.Error{Code: v.code, Outcome: v.outcome, Message: c.Doing + ": " + v.text, Fix: v.fix, Field: v.field}
	if e.Code == outlay.CodeInvalid && ge.Message != "" && !strings.Contains(e.Message, ge.Message) {
		e.Message += ": " + clip(ge.Message, 300)
	}
	return e
}

func orStatus(reason string, status int) string {
	if reason != "" {
		return reason
	}
	return strconv.Itoa(status)
}

// isDisabled tells whether a service is off in the project, or was turned on so recently that not everybody knows.
func isDisabled(err error) bool {
	ge, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		return false
	}
	r := reasonOf(ge)
	return ge.Code == http.StatusForbidden && (r == "SERVICE_DISABLED" || r == "accessNotConfigured")
}

var serviceText = regexp.MustCompile(`[a-z]+\.googleapis\.com`)

// disabled is a service that is off. Right after it was turned on, Google says the same for some minutes: so it is
// tried again (clouds.md §4.3).
func disabled(ge *googleapi.Error, c call) *outlay.Error {
	service := serviceText.FindString(strings.ReplaceAll(ge.Message, "console.developers.google", ""))
	if service == "" {
		service = "the API"
	}
	return &outlay.Error{
		Code: outlay.CodeUnavailable, Outcome: outlay.DefinitelyNot, Message: c.Doing + ": " + service + " is off in the project, or was turned on a moment ago",
		Fix: "If it was turned on in the last five minutes, wait: it is tried again by itself. Otherwise turn it on in the Google Cloud console under APIs & Services.",
	}
}

// deniedPermission finds the permission in 'Permission bigquery.datasets.create denied on project …', which may be
// another than that of the call.
var deniedPermission = regexp.MustCompile(`[Pp]ermission '?([a-z]+(?:\.[A-Za-z]+){2,3})'?`)

// refused is a missing permission, with its name.
func refused(ge *googleapi.Error, c call) *outlay.Error {
	need := outlay.Permission{Action: c.Action, Resource: c.Resource, For: c.Doing, State: outlay.PermissionDenied}
	if m := deniedPermission.FindStringSubmatch(ge.Message); m != nil {
		need.Action = m[1]
	}
	return &outlay.Error{
		Code: outlay.CodeForbidden, Outcome: outlay.DefinitelyNot, Needs: []outlay.Permission{need},
		Message: c.Doing + ": Google refused " + need.Action,
		Fix:     "Allow " + need.Action + " on " + c.Resource + " for this credential, then try again.",
	}
}

// failedSignIn tells that the call never left because no access token could be had.
func failedSignIn(s *signInError) *outlay.Error {
	e := &outlay.Error{
		Outcome: outlay.NeverSent, Err: s, Code: outlay.CodeUnavailable,
		Message: "signing in to Google: no answer", Fix: "Check that this server can reach Google; it is tried again by itself.",
	}
	if inner, ok := errors.AsType[*outlay.Error](s.err); ok {
		return inner
	}
	status := 0
	if re, ok := errors.AsType[*oauth2.RetrieveError](s.err); ok && re.Response != nil {
		status, e.RetryAfter = re.Response.StatusCode, retryAfter(re.Response.Header)
	} else if m := statusText.FindStringSubmatch(s.err.Error()); m != nil {
		status, _ = strconv.Atoi(m[1]) // three digits always are a number
	}
	switch {
	case status == http.StatusTooManyRequests:
		e.Code, e.Message, e.Fix = outlay.CodeThrottled, "signing in to Google: Google asks for fewer calls", itself
	case status >= 500:
		e.Message = fmt.Sprintf("signing in to Google: Google answered %d", status)
	case status >= 400:
		e.Code, e.Message = outlay.CodeForbidden, "signing in to Google: the credential is not accepted"
		e.Fix = "Rotate the credential of this account. A key that was deleted, a service account that is disabled, or a clock that is more than five minutes off look like this."
	case strings.Contains(s.err.Error(), "private key") || strings.Contains(s.err.Error(), "token file") || strings.Contains(s.err.Error(), "folder for tokens"):
		e.Code, e.Message, e.Fix = outlay.CodeInvalid, "signing in to Google: the stored credential cannot be used", "Store the credential again."
	}
	return e
}

// statusText is how the federation client tells a status: as text only.
var statusText = regexp.MustCompile(`status code (\d{3})`)

// transportFailure is a call without an answer. Only a connection that was never made proves that nothing was sent.
func transportFailure(err error, c call) *outlay.Error {
	e := &outlay.Error{
		Code: outlay.CodeUnavailable, Outcome: outlay.Unknown, Err: err,
		Message: c.Doing + ": Google did not answer", Fix: "Check that this server can reach Google; it is tried again by itself.",
	}
	if neverSent(err) {
		e.Outcome = outlay.NeverSent
	}
	if errors.Is(err, context.Canceled) {
		e.Message = c.Doing + ": stopped before Google answered"
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

// retryAfter is how long Google asks us to wait, where it says so in seconds.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 || n > 3600 {
		return 0
	}
	return time.Duration(n) * time.Second
}

// isGone tells whether Google says that a thing does not exist. A 403 or a throttled call never does.
func isGone(err error) bool {
	if ge, ok := errors.AsType[*googleapi.Error](err); ok {
		return ge.Code == http.StatusNotFound
	}
	return outlay.CodeOf(err) == outlay.CodeNotFound
}

// isRefusal tells whether a permission lacks. A credential that is not accepted is no such thing: it says nothing about
// what was asked for.
func isRefusal(err error) bool {
	return outlay.CodeOf(err) == outlay.CodeForbidden && len(outlay.AsError(err).Needs) > 0
}

// isStale tells whether Google refused a write because what was read is not the newest any more.
func isStale(err error) bool {
	ge, ok := errors.AsType[*googleapi.Error](err)
	return ok && ge.Code == http.StatusPreconditionFailed && !strings.Contains(ge.Message, "constraints/")
}

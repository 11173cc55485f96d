package aws

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"outlay"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// call says what was asked of AWS: the IAM action it needs, on what, and in plain words.
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
	code, message := apiCode(err)
	status := statusOf(err)
	if code == "" && status == 0 {
		return transportFailure(err, c)
	}
	e := classify(code, status, message, c)
	e.Err, e.RetryAfter = err, retryAfter(err)
	var v *types.ValidationException
	if errors.As(err, &v) {
		e.Message += fieldsOf(v)
	}
	return e
}

// apiCode is AWS's own code and text; "" when the answer had none.
func apiCode(err error) (code, message string) {
	if ae, ok := errors.AsType[smithy.APIError](err); ok {
		return ae.ErrorCode(), ae.ErrorMessage()
	}
	return "", ""
}

func statusOf(err error) int {
	if re, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && re.Response != nil {
		return re.HTTPStatusCode()
	}
	return 0
}

// retryAfter is how long AWS asks to wait, in seconds as it writes them; 0 when it does not say.
func retryAfter(err error) time.Duration {
	re, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || re.Response == nil {
		return 0
	}
	seconds, err := strconv.Atoi(re.Response.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// verdict is how one group of AWS's codes is treated.
type verdict struct {
	code    outlay.Code
	outcome outlay.Outcome
	text    string // after what we were doing
	fix     string
}

// rotate is the way out where AWS does not take the credential.
const rotate = "Rotate the credential of this account."

// verdicts is the table of clouds.md §9. What it does not name is judged by the HTTP status.
func verdicts(code string) (verdict, bool) {
	switch code {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled", "Forbidden":
		return verdict{outlay.CodeForbidden, outlay.DefinitelyNot, "", ""}, true
	case "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch", "UnrecognizedClientException", "InvalidToken", "InvalidSignatureException", "AuthFailure":
		return verdict{outlay.CodeForbidden, outlay.DefinitelyNot, "AWS does not accept the credential", rotate}, true
	case "ExpiredToken", "ExpiredTokenException":
		return verdict{outlay.CodeForbidden, outlay.DefinitelyNot, "the credential has expired", rotate}, true
	case "RequestTimeTooSkewed", "RequestExpired":
		return verdict{outlay.CodeUnavailable, outlay.DefinitelyNot, "this server's clock differs from AWS's", "Set the clock of this server; more than five minutes off is refused."}, true
	case "Throttling", "ThrottlingException", "ThrottledException", "LimitExceededException", "SlowDown", "TooManyRequestsException", "RequestLimitExceeded", "RequestThrottled":
		return verdict{outlay.CodeThrottled, outlay.DefinitelyNot, "AWS asks for fewer calls", "Nothing to do; it is tried again by itself."}, true
	case "ServiceQuotaExceededException":
		return verdict{outlay.CodeConflict, outlay.DefinitelyNot, "the quota of data exports of this account is used up", "Remove an export that nobody needs, ask AWS for a higher quota, or import an existing FOCUS export."}, true
	case "TooManyBuckets":
		return verdict{outlay.CodeConflict, outlay.DefinitelyNot, "the quota of buckets of this account is used up", "Ask AWS for a higher quota of S3 buckets."}, true
	case "BackfillLimitExceededException":
		return verdict{outlay.CodeConflict, outlay.DefinitelyNot, "a backfill is running, or one was started in the last 24 hours", "Try again tomorrow."}, true
	case "BucketAlreadyExists":
		return verdict{outlay.CodeConflict, outlay.DefinitelyNot, "the name belongs to somebody else", "Choose another bucket name."}, true
	case "BucketAlreadyOwnedByYou":
		return verdict{outlay.CodeConflict, outlay.Unknown, "the bucket is there already", "Check whose it is, or choose another bucket name."}, true
	case "OperationAborted":
		return verdict{outlay.CodeUnavailable, outlay.Unknown, "AWS is still busy with this bucket", "Nothing to do; it is tried again by itself."}, true
	case "BucketNotEmpty":
		return verdict{outlay.CodeUnavailable, outlay.DefinitelyNot, "something arrived in the bucket after it was emptied", "Nothing to do; it is emptied and tried again."}, true
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "TemporaryRedirect":
		return verdict{outlay.CodeInvalid, outlay.DefinitelyNot, "the bucket is in another region", "Choose the region that the bucket is in, or another bucket name."}, true
	case "ResourceNotFoundException", "NoSuchBucket", "NotFound", "NoSuchKey", "NoSuchEntity", "NoSuchEntityException", "NoSuchUpload":
		return verdict{outlay.CodeNotFound, outlay.DefinitelyNot, "it does not exist", ""}, true
	case "BadRequest": // the SDK's word for a HEAD answer of 400, which has no body to say more
		return verdict{outlay.CodeForbidden, outlay.DefinitelyNot, "AWS does not accept the request, most often because the credential has expired", rotate}, true
	case "PreconditionFailed", "ConditionalRequestConflict":
		return verdict{outlay.CodeConflict, outlay.DefinitelyNot, "it changed meanwhile", "Nothing to do; it is read again."}, true
	}
	return verdict{}, false
}

// classify judges an answer of AWS. Only 4xx other than 408, 409 and 429 proves that nothing happened
// (reliability.md §3.4); codes that say so themselves are in the table.
func classify(code string, status int, message string, c call) *outlay.Error {
	if strings.HasPrefix(message, "Signature expired") || strings.HasPrefix(message, "Signature not yet current") {
		code = "RequestTimeTooSkewed" // the JSON services have no code of its own for it
	}
	v, known := verdicts(code)
	switch {
	case known && v.code == outlay.CodeForbidden && v.text == "":
		return refused(message, c)
	case known:
	case status == 403:
		return refused(message, c)
	case status == 404 && code == "": // what does not exist is in the body, and that was damaged: it proves no absence
		return halfAnswer(c.Doing)
	case status == 404:
		v = verdict{outlay.CodeNotFound, outlay.DefinitelyNot, "it does not exist", ""}
	case status == 412:
		v = verdict{outlay.CodeConflict, outlay.DefinitelyNot, "it changed meanwhile", "Nothing to do; it is read again."}
	case status == 429:
		v = verdict{outlay.CodeThrottled, outlay.Unknown, "AWS asks for fewer calls", "Nothing to do; it is tried again by itself."}
	case status == 408 || status >= 500 || status < 400:
		v = verdict{outlay.CodeUnavailable, outlay.Unknown, fmt.Sprintf("AWS answered %s", orStatus(code, status)), "Nothing to do; it is tried again by itself."}
	case status == 409:
		v = verdict{outlay.CodeConflict, outlay.Unknown, "AWS answered " + orStatus(code, status), ""}
	default:
		v = verdict{outlay.CodeInvalid, outlay.DefinitelyNot, "AWS answered " + orStatus(code, status) + withText(message), ""}
	}
	return &outlay.Error{Code: v.code, Outcome: v.outcome, Message: c.Doing + ": " + v.text, Fix: v.fix}
}

func orStatus(code string, status int) string {
	if code != "" {
		return code
	}
	return fmt.Sprint(status)
}

func withText(message string) string {
	if message == "" {
		return ""
	}
	return ": " + clip(message, 300)
}

// deniedAction finds the action in 'User: … is not authorized to perform: s3:CreateBucket on resource: …', which may
// be another than that of the call: CreateExport also asks for cur:PutReportDefinition.
var deniedAction = regexp.MustCompile(`not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)`)

// refused is a missing permission, with the action named, or the member account's refusal of tags, which bears the
// same code (clouds.md §2.6).
func refused(message string, c call) *outlay.Error {
	if strings.Contains(message, "Linked account") {
		return &outlay.Error{
			Code: outlay.CodeForbidden, Outcome: outlay.DefinitelyNot, Message: c.Doing + ": only the payer account may do this",
			Fix: "Turn the tags on in the payer account: add it here, or do it there in the Billing console.",
		}
	}
	need := outlay.Permission{Action: c.Action, Resource: c.Resource, For: c.Doing, State: outlay.PermissionDenied, Why: whyDenied(message)}
	if m := deniedAction.FindStringSubmatch(message); m != nil {
		need.Action = m[1]
	}
	e := &outlay.Error{
		Code: outlay.CodeForbidden, Outcome: outlay.DefinitelyNot, Needs: []outlay.Permission{need},
		Message: c.Doing + ": AWS refused " + need.Action,
		Fix:     "Allow " + need.Action + " for this credential, then try again.",
	}
	if need.Why != "" {
		e.Message += " by " + need.Why
		e.Fix = "Ask who administers your AWS organization to allow " + need.Action + ", then try again."
	}
	return e
}

// whyDenied names what stands above the credential's own policies, as far as AWS's text tells.
func whyDenied(message string) string {
	for _, what := range []string{"service control policy", "resource control policy", "permissions boundary", "session policy"} {
		if strings.Contains(message, what) {
			return "a " + what
		}
	}
	return ""
}

// fieldsOf is what a ValidationException says about single fields.
func fieldsOf(v *types.ValidationException) string {
	out := ""
	for _, f := range v.Fields {
		if f.Name != nil && f.Message != nil {
			out += "; " + *f.Name + ": " + clip(*f.Message, 200)
		}
	}
	return out
}

// failedSignIn tells whether the call never left because the role could not be assumed.
func failedSignIn(err error) (*outlay.Error, bool) {
	var inner *smithy.OperationError
	for e := err; e != nil; {
		oe, ok := errors.AsType[*smithy.OperationError](e)
		if !ok {
			break
		}
		inner, e = oe, oe.Err
	}
	if inner == nil || inner.OperationName != "AssumeRole" {
		return nil, false
	}
	code, message := apiCode(inner)
	status := statusOf(inner)
	out := &outlay.Error{Outcome: outlay.NeverSent, Err: err}
	switch {
	case code == "" && status == 0:
		out.Code, out.Message, out.Fix = outlay.CodeUnavailable, "signing in to AWS: no answer", "Nothing to do; it is tried again by itself."
	case code == "AccessDenied":
		out.Code, out.Message = outlay.CodeForbidden, "signing in to AWS: this server may not assume the role"
		out.Fix = "Check the role's trust policy: it must name this server's identity and the external ID shown with the account."
		out.Needs = []outlay.Permission{{Action: "sts:AssumeRole", Resource: "the role of this account", For: "signing in", State: outlay.PermissionDenied, Why: whyDenied(message)}}
	default:
		c := classify(code, status, message, call{Action: "sts:AssumeRole", Resource: "the role of this account", Doing: "signing in to AWS"})
		out.Code, out.Message, out.Fix, out.Needs, out.RetryAfter = c.Code, c.Message, c.Fix, c.Needs, retryAfter(err)
		if c.Fix == rotate {
			out.Fix = "Replace the access key that the role is assumed with: the one stored with this account, or else this server's own."
		}
	}
	return out, true
}

// transportFailure is a call without an answer. Only a connection that was never made proves that nothing was sent.
func transportFailure(err error, c call) *outlay.Error {
	e := &outlay.Error{
		Code: outlay.CodeUnavailable, Outcome: outlay.Unknown, Err: err,
		Message: c.Doing + ": AWS did not answer", Fix: "Check that this server can reach AWS; it is tried again by itself.",
	}
	repeated, ok := errors.AsType[*retry.MaxAttemptsError](err)
	if neverSent(err) && (!ok || repeated.Attempt == 1) { // an earlier attempt may have arrived
		e.Outcome = outlay.NeverSent
	}
	if errors.Is(err, context.Canceled) {
		e.Message = c.Doing + ": stopped before AWS answered"
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

// halfAnswer is an answer of 200 in which what was asked for is missing: it proves nothing.
func halfAnswer(doing string) *outlay.Error {
	return &outlay.Error{
		Code: outlay.CodeUnavailable, Outcome: outlay.Unknown, Message: doing + ": AWS's answer was damaged on its way",
		Fix: "Nothing to do; it is tried again by itself.",
	}
}

// isCode tells whether AWS answered one of the codes.
func isCode(err error, codes ...string) bool {
	got, _ := apiCode(err)
	for _, c := range codes {
		if got == c && c != "" {
			return true
		}
	}
	return false
}

// isGone tells whether AWS says that a thing does not exist. A 403 or a throttled call never does.
func isGone(err error) bool {
	if isCode(err, "ResourceNotFoundException", "NoSuchBucket", "NotFound", "NoSuchKey", "NoSuchUpload") {
		return true
	}
	return outlay.CodeOf(err) == outlay.CodeNotFound
}

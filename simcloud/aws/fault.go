package aws

import (
	"bytes"
	"net/http"

	"outlay/simcloud"
)

// Fault is that of every simulated cloud. Path is part of "bucket/key".
type Fault = simcloud.Fault

// FaultKind is that of every simulated cloud.
type FaultKind = simcloud.FaultKind

// The kinds of fault that this cloud is asked for by its own name.
const (
	Throttle         = simcloud.Throttle
	FailBefore       = simcloud.FailBefore
	FailAfter        = simcloud.FailAfter
	UnavailableFirst = simcloud.UnavailableFirst
	UnavailableAfter = simcloud.UnavailableAfter
	ResetBefore      = simcloud.ResetBefore
	ResetAfter       = simcloud.ResetAfter
	Hang             = simcloud.Hang
	HangAfter        = simcloud.HangAfter
	Truncate         = simcloud.Truncate
	TruncateSilently = simcloud.TruncateSilently
	Trickle          = simcloud.Trickle
	Garble           = simcloud.Garble
	BadChecksum      = simcloud.FlipByte // of a body that carries a checksum
	AccessDenied     = simcloud.AccessDenied
	ExpiredToken     = simcloud.ExpiredToken
	SkewedClock      = simcloud.SkewedClock
	KeyErrors        = simcloud.KeyErrors // DeleteObjects
	Answer           = simcloud.Answer
)

// FaultKinds lists every kind but Answer, for sweeps over all of them.
func FaultKinds() []FaultKind { return simcloud.FaultKinds(BadChecksum, SkewedClock, KeyErrors) }

func (k *call) target() simcloud.Target {
	return simcloud.Target{Names: []string{k.Op, k.Service, k.Service + ":" + k.Op}, Path: k.Bucket + "/" + k.Key}
}

// fault is the refusal by a kind of fault.
func (k *call) fault(f *Fault, kind FaultKind) *refusal {
	switch kind {
	case Throttle:
		return throttled(k.Service)
	case AccessDenied:
		if k.Service != "s3" && k.Service != "sts" && k.Service != "iam" {
			return refuse(http.StatusBadRequest, "AccessDeniedException", "User is not authorized to perform: %s:%s", k.Service, k.Op)
		}
		return refuse(http.StatusForbidden, "AccessDenied", "User is not authorized to perform: %s:%s", k.Service, k.Op)
	case ExpiredToken:
		return k.authError(k.expired(), "ExpiredToken", "The security token included in the request is expired")
	case SkewedClock:
		return k.authError(k.badSignature(), "RequestTimeTooSkewed", "Signature expired: the difference between the request time and the current time is too large.")
	case Answer:
		fail := refuse(f.Status, f.Code, "%s", f.Message)
		fail.header = f.Header
		return fail
	case UnavailableFirst:
		return unavailable(k.Service)
	}
	return internal(k.Service)
}

// keyErrors makes the first key of a DeleteObjects fail.
func keyErrors(body []byte) []byte {
	body = bytes.Replace(body, []byte("<Deleted>"), []byte("<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message>"), 1)
	return bytes.Replace(body, []byte("</Deleted>"), []byte("</Error>"), 1)
}

func throttled(service string) *refusal {
	switch service {
	case "s3":
		return refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
	case "ce":
		return refuse(http.StatusBadRequest, "LimitExceededException", "You made too many calls in a short period of time. Try again later.")
	case "organizations":
		return refuse(http.StatusBadRequest, "TooManyRequestsException", "AWS Organizations can't complete your request because another request is already in progress.")
	case "bcm-data-exports":
		return refuse(http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
	}
	return refuse(http.StatusBadRequest, "Throttling", "Rate exceeded")
}

func internal(service string) *refusal {
	switch service {
	case "s3":
		return refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
	case "bcm-data-exports":
		return refuse(http.StatusInternalServerError, "InternalServerException", "An internal error occurred.")
	}
	return refuse(http.StatusInternalServerError, "InternalFailure", "An internal error occurred.")
}

func unavailable(service string) *refusal {
	if service == "s3" {
		return refuse(http.StatusServiceUnavailable, "ServiceUnavailable", "Service is unable to handle request.")
	}
	return refuse(http.StatusServiceUnavailable, "ServiceUnavailable", "The service is unavailable.")
}

package azure

import (
	"net/http"

	"outlay/simcloud"
)

// Fault is that of every simulated cloud.
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
	FlipByte         = simcloud.FlipByte
	AccessDenied     = simcloud.AccessDenied
	ExpiredToken     = simcloud.ExpiredToken
	Answer           = simcloud.Answer
)

// FaultKinds lists every kind but Answer, for sweeps over all of them.
func FaultKinds() []FaultKind { return simcloud.FaultKinds(FlipByte) }

// RetryHeaders are the headers by which Azure says how long to wait, in seconds. Throttles of Cost Management use any of
// them; the longest counts (clouds.md §3.7).
func RetryHeaders() []string {
	return []string{
		"Retry-After", "x-ms-ratelimit-microsoft.consumption-retry-after", "x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after",
		"x-ms-ratelimit-microsoft.costmanagement-entity-retry-after", "x-ms-ratelimit-microsoft.costmanagement-tenant-retry-after",
	}
}

func (k *call) target() simcloud.Target {
	return simcloud.Target{Names: []string{k.Op, k.Service, k.Service + ":" + k.Op}, Path: k.R.URL.Path, Fold: true, Spare: k.Service == "entra"}
}

// fault is the refusal by a kind of fault.
func (k *call) fault(f *Fault, kind FaultKind) *refusal {
	switch kind {
	case Throttle:
		return throttled(k.Service)
	case AccessDenied:
		return denied(k)
	case ExpiredToken:
		switch k.Service {
		case "blob":
			return refuse(http.StatusUnauthorized, "InvalidAuthenticationInfo", "Lifetime validation failed. The token is expired.")
		case "entra":
			return refuse(http.StatusUnauthorized, "invalid_client", "AADSTS7000222: The provided client secret keys for app are expired.")
		}
		return refuse(http.StatusUnauthorized, "ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time.")
	case Answer:
		fail := refuse(f.Status, f.Code, "%s", f.Message)
		fail.header = f.Header
		return fail
	case UnavailableFirst:
		return unavailable(k.Service)
	}
	return internal(k.Service)
}

func denied(k *call) *refusal {
	switch k.Service {
	case "blob":
		return refuse(http.StatusForbidden, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation using this permission.")
	case "entra":
		return refuse(http.StatusUnauthorized, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
	}
	return refuse(http.StatusForbidden, "AuthorizationFailed", "The client does not have authorization to perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your credentials.", k.Op, k.R.URL.Path)
}

func throttled(service string) *refusal {
	switch service {
	case "blob":
		return refuse(http.StatusServiceUnavailable, "ServerBusy", "The server is currently unable to receive requests. Please retry your request.")
	case "entra":
		return refuse(http.StatusTooManyRequests, "temporarily_unavailable", "AADSTS90055: The server is temporarily too busy to handle the request.")
	}
	return refuse(http.StatusTooManyRequests, "429", "Too many requests. Please retry.")
}

func internal(service string) *refusal {
	switch service {
	case "blob":
		return refuse(http.StatusInternalServerError, "InternalError", "The server encountered an internal error. Please retry the request.")
	case "entra":
		return refuse(http.StatusInternalServerError, "server_error", "AADSTS90033: A transient error has occurred. Please try again.")
	}
	return refuse(http.StatusInternalServerError, "InternalServerError", "Encountered internal server error.")
}

func unavailable(service string) *refusal {
	switch service {
	case "blob":
		return refuse(http.StatusServiceUnavailable, "ServerBusy", "The server is currently unable to receive requests. Please retry your request.")
	case "entra":
		return refuse(http.StatusServiceUnavailable, "temporarily_unavailable", "AADSTS90033: A transient error has occurred. Please try again.")
	}
	return refuse(http.StatusServiceUnavailable, "ServiceUnavailable", "The service is unavailable.")
}

package google

import (
	"net/http"
	"slices"
	"strings"

	"outlay/simcloud"
)

// Fault is that of every simulated cloud. Of Answer, Code is BigQuery's reason.
type Fault = simcloud.Fault

// FaultKind is that of every simulated cloud.
type FaultKind = simcloud.FaultKind

// The kinds of fault that this cloud is asked for by its own name.
const (
	Throttle         = simcloud.Throttle // 403 rateLimitExceeded, or 429
	QuotaExceeded    = simcloud.QuotaExceeded
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
	AccessDenied     = simcloud.AccessDenied
	ServiceDisabled  = simcloud.ServiceDisabled
	ExpiredToken     = simcloud.ExpiredToken
	Answer           = simcloud.Answer
)

// FaultKinds lists every kind but Answer, for sweeps over all of them.
func FaultKinds() []FaultKind { return simcloud.FaultKinds(QuotaExceeded, ServiceDisabled) }

func (k *call) target() simcloud.Target {
	_, method, _ := strings.Cut(k.op(), ".")
	spare := slices.Contains([]string{"oauth2", "sts", "metadata", "console"}, k.service())
	return simcloud.Target{Names: []string{k.op(), method, k.service()}, Path: k.R.URL.Path, Spare: spare}
}

// fault is the refusal by a kind of fault.
func (k *call) fault(f *Fault, kind FaultKind) *refusal {
	switch kind {
	case Throttle:
		return throttled(k.service())
	case QuotaExceeded:
		return refuse(http.StatusForbidden, "quotaExceeded", "Quota exceeded: Your project exceeded quota for this kind of request.")
	case AccessDenied:
		return refuse(http.StatusForbidden, "accessDenied", "Access Denied: the caller does not have permission")
	case ServiceDisabled:
		fail := refuse(http.StatusForbidden, "accessNotConfigured", "The API has not been used in this project before or it is disabled. If you enabled this API recently, wait a few minutes.")
		fail.details = []any{obj{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED", "domain": "googleapis.com", "metadata": obj{"service": serviceName(k.service())}}}
		return fail
	case ExpiredToken:
		return unauthenticated()
	case Answer:
		return refuse(f.Status, f.Code, "%s", f.Message)
	case UnavailableFirst:
		return refuse(http.StatusServiceUnavailable, "backendError", "Error encountered during execution. Retrying may solve the problem.")
	}
	return refuse(http.StatusInternalServerError, "internalError", "An internal error occurred and the request could not be completed.")
}

func throttled(service string) *refusal {
	if service == "bigquery" {
		return refuse(http.StatusForbidden, "rateLimitExceeded", "Exceeded rate limits: too many API requests per user per method for this user_method. For more information, see https://cloud.google.com/bigquery/docs/troubleshoot-quotas")
	}
	return refuse(http.StatusTooManyRequests, "rateLimitExceeded", "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute' of service '%s'.", serviceName(service))
}

package google

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// FaultKind says how a call goes wrong.
type FaultKind string

// The kinds of fault. Those whose names end in After happen once the call has had its effect.
const (
	Throttle         FaultKind = "throttle"           // 403 rateLimitExceeded, or 429
	QuotaExceeded    FaultKind = "quota-exceeded"     // 403 quotaExceeded
	FailBefore       FaultKind = "fail-before"        // 500, nothing done
	FailAfter        FaultKind = "fail-after"         // 500, done all the same
	UnavailableFirst FaultKind = "unavailable-before" // 503 backendError, nothing done
	UnavailableAfter FaultKind = "unavailable-after"  // 503 backendError, done
	ResetBefore      FaultKind = "reset-before"       // connection reset, nothing done
	ResetAfter       FaultKind = "reset-after"        // connection reset, done
	Hang             FaultKind = "hang"               // no answer until the client gives up, nothing done
	HangAfter        FaultKind = "hang-after"         // done, but no answer until the client gives up
	Truncate         FaultKind = "truncate"           // half the body under the full Content-Length
	TruncateSilently FaultKind = "truncate-silently"  // half the body without any length
	Trickle          FaultKind = "trickle"            // one byte of the body a second
	Garble           FaultKind = "garble"             // an answer that no parser reads
	AccessDenied     FaultKind = "access-denied"      // as a permission that has not spread yet
	ServiceDisabled  FaultKind = "service-disabled"   // as a service that was just enabled
	ExpiredToken     FaultKind = "expired-token"      // 401
	Answer           FaultKind = "answer"             // refused with Status, Code and Message
)

// FaultKinds lists every kind but Answer, for sweeps over all of them.
func FaultKinds() []FaultKind {
	return []FaultKind{
		Throttle, QuotaExceeded, FailBefore, FailAfter, UnavailableFirst, UnavailableAfter, ResetBefore, ResetAfter, Hang, HangAfter, Truncate, TruncateSilently, Trickle,
		Garble, AccessDenied, ServiceDisabled, ExpiredToken,
	}
}

// after tells whether the call runs before it goes wrong.
func (k FaultKind) after() bool {
	return slices.Contains([]FaultKind{FailAfter, UnavailableAfter, ResetAfter, HangAfter, Truncate, TruncateSilently, Trickle, Garble}, k)
}

// silent tells whether the client gets no answer at all.
func (k FaultKind) silent() bool {
	return k == ResetBefore || k == ResetAfter || k == Hang || k == HangAfter
}

// Fault makes calls go wrong. The zero Match, Principal and Path match everything.
type Fault struct {
	Match     string // method ("datasets.insert"), or service and method ("bigquery.datasets.insert")
	Principal string // e-mail address of the caller
	Path      string // part of the path
	Skip      int    // calls to let through first
	Times     int    // 0: once; negative: until ClearFaults
	Kind      FaultKind
	// For Answer: Code is BigQuery's reason.
	Status        int
	Code, Message string
	RetryAfter    int // seconds, for Throttle and the unavailable kinds; 0 sends no header
}

type faults struct {
	script []*Fault
	random *rand.Rand
	rate   float64
	kinds  []FaultKind
}

// Fault adds a fault to the script. Earlier ones are asked first; one call meets at most one.
func (c *Cloud) Fault(f Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	c.fault.script = append(c.fault.script, &f)
}

// ClearFaults ends every scripted and random fault.
func (c *Cloud) ClearFaults() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = faults{}
}

// RandomFaults makes a share of all calls go wrong, drawn from kinds by a seeded generator; the token endpoints and the
// console are left alone. Without kinds it draws from those of the crash sweep: an error before the effect, one after
// it, and a reset after it (reliability.md §3.3).
func (c *Cloud) RandomFaults(rate float64, seed int64, kinds ...FaultKind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(kinds) == 0 {
		kinds = []FaultKind{Throttle, FailBefore, FailAfter, ResetAfter}
	}
	c.fault.random, c.fault.rate, c.fault.kinds = rand.New(rand.NewPCG(uint64(seed), 7)), rate, kinds
}

// pick finds the fault of a call, nil for none.
func (c *Cloud) pick(k *call) *Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, f := range c.fault.script {
		if !c.hits(f, k) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			return nil
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				c.fault.script = slices.Delete(slices.Clone(c.fault.script), i, i+1)
			}
		}
		return f
	}
	if c.fault.random == nil || slices.Contains([]string{"oauth2", "sts", "metadata", "console"}, k.service()) {
		return nil
	}
	if c.fault.random.Float64() < c.fault.rate {
		return &Fault{Kind: c.fault.kinds[c.fault.random.IntN(len(c.fault.kinds))]}
	}
	return nil
}

func (c *Cloud) hits(f *Fault, k *call) bool {
	_, method, _ := strings.Cut(k.op(), ".")
	if f.Match != "" && f.Match != k.op() && f.Match != method {
		return false
	}
	if f.Principal != "" {
		if t := c.bearer(k); t == nil || t.Email != f.Principal {
			return false
		}
	}
	return strings.Contains(k.R.URL.Path, f.Path)
}

// answer is what a call gets that never ran.
func (f *Fault) answer(k *call) answer {
	var fail *refusal
	switch f.Kind {
	case Throttle:
		fail = throttled(k.service())
	case QuotaExceeded:
		fail = refuse(http.StatusForbidden, "quotaExceeded", "Quota exceeded: Your project exceeded quota for this kind of request.")
	case AccessDenied:
		fail = refuse(http.StatusForbidden, "accessDenied", "Access Denied: the caller does not have permission")
	case ServiceDisabled:
		fail = refuse(http.StatusForbidden, "accessNotConfigured", "The API has not been used in this project before or it is disabled. If you enabled this API recently, wait a few minutes.")
		fail.details = []any{obj{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED", "domain": "googleapis.com", "metadata": obj{"service": serviceName(k.service())}}}
	case ExpiredToken:
		fail = unauthenticated()
	case Answer:
		fail = refuse(f.Status, f.Code, "%s", f.Message)
	case UnavailableFirst:
		fail = unavailable()
	case ResetBefore, Hang:
		return answer{code: string(f.Kind)}
	default:
		fail = internal()
	}
	return f.hinted(k.failed(fail))
}

// hinted adds Retry-After where asked.
func (f *Fault) hinted(a answer) answer {
	if f.RetryAfter > 0 && a.header != nil {
		a.header.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	return a
}

// instead is what a call gets that ran.
func (f *Fault) instead(k *call, ran answer) answer {
	switch f.Kind {
	case FailAfter:
		return f.hinted(k.failed(internal()))
	case UnavailableAfter:
		return f.hinted(k.failed(unavailable()))
	case Garble:
		ran.body = []byte(`<not {json`)
	}
	return ran
}

func throttled(service string) *refusal {
	if service == "bigquery" {
		return refuse(http.StatusForbidden, "rateLimitExceeded", "Exceeded rate limits: too many API requests per user per method for this user_method. For more information, see https://cloud.google.com/bigquery/docs/troubleshoot-quotas")
	}
	return refuse(http.StatusTooManyRequests, "rateLimitExceeded", "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute' of service '%s'.", serviceName(service))
}

func internal() *refusal {
	return refuse(http.StatusInternalServerError, "internalError", "An internal error occurred and the request could not be completed.")
}

func unavailable() *refusal {
	return refuse(http.StatusServiceUnavailable, "backendError", "Error encountered during execution. Retrying may solve the problem.")
}

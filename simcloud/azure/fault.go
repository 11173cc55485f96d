package azure

import (
	"bytes"
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
	Throttle         FaultKind = "throttle"           // 429, nothing done
	FailBefore       FaultKind = "fail-before"        // 500, nothing done
	FailAfter        FaultKind = "fail-after"         // 500, done all the same
	UnavailableFirst FaultKind = "unavailable-before" // 503, nothing done
	UnavailableAfter FaultKind = "unavailable-after"  // 503, done
	ResetBefore      FaultKind = "reset-before"       // connection reset, nothing done
	ResetAfter       FaultKind = "reset-after"        // connection reset, done
	Hang             FaultKind = "hang"               // no answer until the client gives up, nothing done
	HangAfter        FaultKind = "hang-after"         // done, but no answer until the client gives up
	Truncate         FaultKind = "truncate"           // half the body under the full Content-Length
	TruncateSilently FaultKind = "truncate-silently"  // half the body without any length
	Trickle          FaultKind = "trickle"            // one byte of the body a second
	Garble           FaultKind = "garble"             // an answer that no parser reads
	FlipByte         FaultKind = "flip-byte"          // one byte of the body flipped
	AccessDenied     FaultKind = "access-denied"      // as a role that has not spread yet
	ExpiredToken     FaultKind = "expired-token"
	Answer           FaultKind = "answer" // refused with Status, Code and Message
)

// FaultKinds lists every kind but Answer, for sweeps over all of them.
func FaultKinds() []FaultKind {
	return []FaultKind{
		Throttle, FailBefore, FailAfter, UnavailableFirst, UnavailableAfter, ResetBefore, ResetAfter, Hang, HangAfter, Truncate, TruncateSilently, Trickle,
		Garble, FlipByte, AccessDenied, ExpiredToken,
	}
}

// RetryHeaders are the headers by which Azure says how long to wait, in seconds. Throttles of Cost Management use any of
// them; the longest counts (clouds.md §3.7).
func RetryHeaders() []string {
	return []string{
		"Retry-After", "x-ms-ratelimit-microsoft.consumption-retry-after", "x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after",
		"x-ms-ratelimit-microsoft.costmanagement-entity-retry-after", "x-ms-ratelimit-microsoft.costmanagement-tenant-retry-after",
	}
}

// after tells whether the call runs before it goes wrong.
func (k FaultKind) after() bool {
	return slices.Contains([]FaultKind{FailAfter, UnavailableAfter, ResetAfter, HangAfter, Truncate, TruncateSilently, Trickle, Garble, FlipByte}, k)
}

// Fault makes calls go wrong. The zero Match and Path match everything.
type Fault struct {
	Match string // operation ("Exports_CreateOrUpdate"), service and operation ("arm:Exports_Get"), or service ("blob")
	Path  string // part of the path, in any letter case
	Skip  int    // calls to let through first
	Times int    // 0: once; negative: until ClearFaults
	Kind  FaultKind
	// For Answer:
	Status        int
	Code, Message string
	Header        http.Header
	// RetryAfter is in seconds, for Throttle and the unavailable kinds; 0 sends no header, a negative one asks for no
	// wait. RetryHeader names the header; "" means Retry-After.
	RetryAfter  int
	RetryHeader string
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

// RandomFaults makes a share of all calls, those for tokens apart, go wrong, drawn from kinds by a seeded generator.
// Without kinds it draws from those of the crash sweep: an error before the effect, one after it, and a reset after it
// (reliability.md §3.3).
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
		if !f.hits(k) {
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
	if k.Service != "entra" && c.fault.random != nil && c.fault.random.Float64() < c.fault.rate {
		return &Fault{Kind: c.fault.kinds[c.fault.random.IntN(len(c.fault.kinds))], RetryAfter: -1}
	}
	return nil
}

func (f *Fault) hits(k *call) bool {
	return (f.Match == "" || f.Match == k.Op || f.Match == k.Service || f.Match == k.Service+":"+k.Op) &&
		(f.Path == "" || strings.Contains(strings.ToLower(k.R.URL.Path), strings.ToLower(f.Path)))
}

// answer is what a call gets that never ran.
func (f *Fault) answer(k *call) answer {
	var fail *refusal
	switch f.Kind {
	case Throttle:
		fail = throttled(k.Service)
	case AccessDenied:
		fail = denied(k)
	case ExpiredToken:
		fail = refuse(http.StatusUnauthorized, "ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time.")
		if k.Service == "blob" {
			fail = refuse(http.StatusUnauthorized, "InvalidAuthenticationInfo", "Lifetime validation failed. The token is expired.")
		}
		if k.Service == "entra" {
			fail = refuse(http.StatusUnauthorized, "invalid_client", "AADSTS7000222: The provided client secret keys for app are expired.")
		}
	case Answer:
		fail = refuse(f.Status, f.Code, "%s", f.Message)
		fail.header = f.Header
	case UnavailableFirst:
		fail = unavailable(k.Service)
	case ResetBefore, Hang:
		return answer{code: string(f.Kind)}
	default:
		fail = internal(k.Service)
	}
	return f.hinted(k.failed(fail))
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

// hinted adds how long to wait where asked.
func (f *Fault) hinted(a answer) answer {
	if f.RetryAfter != 0 && a.header != nil {
		name := f.RetryHeader
		if name == "" {
			name = "Retry-After"
		}
		a.header.Set(name, strconv.Itoa(max(f.RetryAfter, 0)))
	}
	return a
}

// instead is what a call gets that ran.
func (f *Fault) instead(k *call, ran answer) answer {
	switch f.Kind {
	case FailAfter:
		return f.hinted(k.failed(internal(k.Service)))
	case UnavailableAfter:
		return f.hinted(k.failed(unavailable(k.Service)))
	case Garble:
		ran.body = []byte(`<not {json`)
		ran.header.Del("Content-Length")
	case FlipByte:
		if len(ran.body) > 0 {
			ran.body = bytes.Clone(ran.body)
			ran.body[len(ran.body)/2] ^= 1
		}
	}
	return ran
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

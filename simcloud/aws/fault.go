package aws

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
	Throttle         FaultKind = "throttle"           // refused with the service's own throttling error
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
	BadChecksum      FaultKind = "bad-checksum"       // one byte of the body flipped
	AccessDenied     FaultKind = "access-denied"      // as a permission that has not spread yet
	ExpiredToken     FaultKind = "expired-token"
	SkewedClock      FaultKind = "skewed-clock"
	KeyErrors        FaultKind = "key-errors" // DeleteObjects: the first key fails inside the 200
	Answer           FaultKind = "answer"     // refused with Status, Code and Message
)

// FaultKinds lists every kind but Answer, for sweeps over all of them.
func FaultKinds() []FaultKind {
	return []FaultKind{
		Throttle, FailBefore, FailAfter, UnavailableFirst, UnavailableAfter, ResetBefore, ResetAfter, Hang, HangAfter, Truncate, TruncateSilently, Trickle,
		Garble, BadChecksum, AccessDenied, ExpiredToken, SkewedClock, KeyErrors,
	}
}

// after tells whether the call runs before it goes wrong.
func (k FaultKind) after() bool {
	return slices.Contains([]FaultKind{FailAfter, UnavailableAfter, ResetAfter, HangAfter, Truncate, TruncateSilently, Trickle, Garble, BadChecksum, KeyErrors}, k)
}

// Fault makes calls go wrong. The zero Match, Principal and Key match everything.
type Fault struct {
	Match     string // operation ("CreateExport"), or service and operation ("s3:PutBucketPolicy")
	Principal string // part of the caller's access key id or ARN
	Key       string // part of "bucket/key"
	Skip      int    // calls to let through first
	Times     int    // 0: once; negative: until ClearFaults
	Kind      FaultKind
	// For Answer:
	Status        int
	Code, Message string
	Header        http.Header
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

// RandomFaults makes a share of all calls go wrong, drawn from kinds by a seeded generator. Without kinds it draws from
// those of the crash sweep: an error before the effect, one after it, and a reset after it (reliability.md §3.3).
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
	if c.fault.random != nil && c.fault.random.Float64() < c.fault.rate {
		return &Fault{Kind: c.fault.kinds[c.fault.random.IntN(len(c.fault.kinds))]}
	}
	return nil
}

func (f *Fault) hits(k *call) bool {
	auth := k.R.Header.Get("Authorization")
	return (f.Match == "" || f.Match == k.Op || f.Match == k.Service+":"+k.Op) &&
		(f.Principal == "" || strings.Contains(auth, f.Principal)) &&
		(f.Key == "" || strings.Contains(k.Bucket+"/"+k.Key, f.Key))
}

// answer is what a call gets that never ran.
func (f *Fault) answer(k *call) answer {
	var fail *refusal
	switch f.Kind {
	case Throttle:
		fail = throttled(k.Service)
	case AccessDenied:
		fail = refuse(http.StatusForbidden, "AccessDenied", "User is not authorized to perform: %s:%s", k.Service, k.Op)
		if k.Service != "s3" && k.Service != "sts" && k.Service != "iam" {
			fail = refuse(http.StatusBadRequest, "AccessDeniedException", "User is not authorized to perform: %s:%s", k.Service, k.Op)
		}
	case ExpiredToken:
		fail = k.authError(k.expired(), "ExpiredToken", "The security token included in the request is expired")
	case SkewedClock:
		fail = k.authError(k.badSignature(), "RequestTimeTooSkewed", "Signature expired: the difference between the request time and the current time is too large.")
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
		return f.hinted(k.failed(internal(k.Service)))
	case UnavailableAfter:
		return f.hinted(k.failed(unavailable(k.Service)))
	case Garble:
		ran.body = []byte(`<not {json`)
		ran.header.Del("Content-Length")
	case BadChecksum:
		if len(ran.body) > 0 {
			ran.body = bytes.Clone(ran.body)
			ran.body[len(ran.body)/2] ^= 1
		}
	case KeyErrors:
		ran.body = bytes.Replace(bytes.Replace(ran.body, []byte("<Deleted>"), []byte("<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message>"), 1), []byte("</Deleted>"), []byte("</Error>"), 1)
	}
	return ran
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

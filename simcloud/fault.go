package simcloud

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	TruncateSilently FaultKind = "truncate-silently"  // half the body without any length or checksum
	Trickle          FaultKind = "trickle"            // one byte of the body a second
	Garble           FaultKind = "garble"             // an answer that no parser reads
	AccessDenied     FaultKind = "access-denied"      // as a permission that has not spread yet
	ExpiredToken     FaultKind = "expired-token"
	Answer           FaultKind = "answer" // refused with Status, Code and Message

	// Kinds that only some clouds know.
	FlipByte        FaultKind = "flip-byte" // one byte of the body flipped
	SkewedClock     FaultKind = "skewed-clock"
	KeyErrors       FaultKind = "key-errors"       // a deletion of many: the first key fails inside the 200
	QuotaExceeded   FaultKind = "quota-exceeded"   // refused for a day, not for a moment
	ServiceDisabled FaultKind = "service-disabled" // as a service that was just enabled
)

// FaultKinds lists every kind that all clouds know but Answer, and a cloud's own, for sweeps over all of them.
func FaultKinds(own ...FaultKind) []FaultKind {
	return append([]FaultKind{
		Throttle, FailBefore, FailAfter, UnavailableFirst, UnavailableAfter, ResetBefore, ResetAfter, Hang, HangAfter, Truncate, TruncateSilently, Trickle,
		Garble, AccessDenied, ExpiredToken,
	}, own...)
}

// after tells whether the call runs before it goes wrong.
func (k FaultKind) after() bool {
	return slices.Contains([]FaultKind{FailAfter, UnavailableAfter, ResetAfter, HangAfter, Truncate, TruncateSilently, Trickle, Garble, FlipByte, KeyErrors}, k)
}

// silent tells whether the client gets no answer at all.
func (k FaultKind) silent() bool {
	return slices.Contains([]FaultKind{ResetBefore, ResetAfter, Hang, HangAfter}, k)
}

// Fault makes calls go wrong. The zero Match and Path match everything.
type Fault struct {
	Match string // operation ("CreateExport"), service and operation ("s3:PutBucketPolicy"), or service, as the cloud's log names them
	Path  string // part of the path; for S3 of "bucket/key"
	Skip  int    // calls to let through first
	Times int    // 0: once; negative: until ClearFaults
	Kind  FaultKind
	// For Answer:
	Status        int
	Code, Message string
	Header        http.Header
	// RetryAfter is in seconds, for refusals; 0 sends no header, a negative one asks for no wait. RetryHeader names the
	// header; "" means Retry-After.
	RetryAfter  int
	RetryHeader string
}

// Target is what a call is about, as far as faults ask.
type Target struct {
	Names []string // what Match may say
	Path  string
	Fold  bool // paths ignore letter case
	Spare bool // random faults leave the call alone
}

func (f *Fault) hits(t Target) bool {
	if t.Fold {
		return f.named(t) && strings.Contains(strings.ToLower(t.Path), strings.ToLower(f.Path))
	}
	return f.named(t) && strings.Contains(t.Path, f.Path)
}

func (f *Fault) named(t Target) bool { return f.Match == "" || slices.Contains(t.Names, f.Match) }

// Meet is what a call gets that meets the fault, nil for none. run runs the call, and refuse words the cloud's refusal
// by a kind: FailBefore and UnavailableFirst also where the call ran before.
func (f *Fault) Meet(run func() Response, refuse func(FaultKind) Response) Response {
	switch {
	case f == nil:
		return run()
	case !f.Kind.after():
		if f.Kind.silent() {
			return Response{Code: string(f.Kind)}
		}
		return f.hinted(refuse(f.Kind))
	}
	ran := run()
	switch f.Kind {
	case FailAfter:
		return f.hinted(refuse(FailBefore))
	case UnavailableAfter:
		return f.hinted(refuse(UnavailableFirst))
	case Garble:
		ran.Body = []byte(`<not {json`)
		ran.Header.Del("Content-Length")
	case FlipByte:
		if len(ran.Body) > 0 {
			ran.Body = bytes.Clone(ran.Body)
			ran.Body[len(ran.Body)/2] ^= 1
		}
	}
	return ran
}

// hinted adds how long to wait where asked.
func (f *Fault) hinted(r Response) Response {
	if f.RetryAfter == 0 {
		return r
	}
	name := f.RetryHeader
	if name == "" {
		name = "Retry-After"
	}
	r.Header.Set(name, strconv.Itoa(max(f.RetryAfter, 0)))
	return r
}

// Seen is what the log says of a call that was answered with a status: the kind of its fault, and 0 where the client got
// no answer.
func (f *Fault) Seen(status int) (FaultKind, int) {
	switch {
	case f == nil:
		return "", status
	case f.Kind.silent():
		return f.Kind, 0
	}
	return f.Kind, status
}

// script holds the faults to come.
type script struct {
	mu     sync.Mutex
	faults []*Fault
	random *rand.Rand
	rate   float64
	kinds  []FaultKind
	hint   int
}

// Fault adds a fault to the script. Earlier ones are asked first; one call meets at most one.
func (s *script) Fault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	s.faults = append(s.faults, &f)
}

// ClearFaults ends every scripted and random fault.
func (s *script) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.random = nil, nil
}

// RandomFaults makes a share of all calls, those for tokens apart, go wrong, drawn from kinds by a seeded generator.
// Without kinds it draws from those of the crash sweep: an error before the effect, one after it, and a reset after it
// (reliability.md §3.3).
func (s *script) RandomFaults(rate float64, seed int64, kinds ...FaultKind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(kinds) == 0 {
		kinds = []FaultKind{Throttle, FailBefore, FailAfter, ResetAfter}
	}
	s.random, s.rate, s.kinds = rand.New(rand.NewPCG(uint64(seed), 7)), rate, kinds
}

// HintRandom is the RetryAfter of random faults.
func (s *script) HintRandom(retryAfter int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hint = retryAfter
}

// Pick finds the fault of a call, nil for none.
func (s *script) Pick(t Target) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if !f.hits(t) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			return nil
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = slices.Delete(slices.Clone(s.faults), i, i+1)
			}
		}
		return f
	}
	if !t.Spare && s.random != nil && s.random.Float64() < s.rate {
		return &Fault{Kind: s.kinds[s.random.IntN(len(s.kinds))], RetryAfter: s.hint}
	}
	return nil
}

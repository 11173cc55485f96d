package outlaytest

import (
	"net/http"
	"testing"
	"time"

	"outlay"
)

// Fault is one way in which a call to a cloud goes wrong (reliability.md T3). Those that end in after happen once the
// call has had its effect.
type Fault string

// The faults of T3. A subject adds one FaultThrottled for each header that tells its clients when to come again.
const (
	FaultThrottled        Fault = "429"
	FaultBrokenBefore     Fault = "500 before"
	FaultBrokenAfter      Fault = "500 after"
	FaultUnavailable      Fault = "503 before"
	FaultUnavailableAfter Fault = "503 after"
	FaultReset            Fault = "reset before"
	FaultResetAfter       Fault = "reset after"
	FaultStall            Fault = "stall"        // nothing ever comes
	FaultTrickle          Fault = "one byte/s"   // it comes, but never ends
	FaultCut              Fault = "cut"          // half the body under its full Content-Length
	FaultCutSilently      Fault = "cut silently" // half the body, and no length to tell by
	FaultChecksum         Fault = "bad checksum" // one bit of a body that carries a checksum
	FaultGzip             Fault = "bad gzip"     // said to be gzip, and is not
	FaultGarbled          Fault = "wrong JSON"   // nothing that a parser reads
	FaultExpired          Fault = "expired token"
	FaultSkewed           Fault = "skewed clock"
)

// Faults lists the faults of T3 but for the retry headers.
func Faults() []Fault {
	return []Fault{
		FaultThrottled, FaultBrokenBefore, FaultBrokenAfter, FaultUnavailable, FaultUnavailableAfter, FaultReset, FaultResetAfter, FaultStall, FaultTrickle,
		FaultCut, FaultCutSilently, FaultChecksum, FaultGzip, FaultGarbled, FaultExpired, FaultSkewed,
	}
}

// slow faults end by the client's own patience, which is short for them.
func (f Fault) slow() bool { return f == FaultStall || f == FaultTrickle }

// pace is 1 for slow faults, else 0.
func (f Fault) pace() int {
	if f.slow() {
		return 1
	}
	return 0
}

// times are how often each call meets the fault: once, and for as long as the step lasts. A header that says when to come
// again is met once.
func (f Fault) times() []int {
	if f.throttled() && f != FaultThrottled {
		return []int{1}
	}
	return []int{1, always}
}

// throttled tells the faults that ask for fewer calls, whatever header comes with them.
func (f Fault) throttled() bool { return len(f) >= 3 && f[:3] == FaultThrottled }

// after tells whether the call has its effect before it goes wrong.
func (f Fault) after() bool {
	switch f {
	case FaultBrokenAfter, FaultUnavailableAfter, FaultResetAfter, FaultTrickle, FaultCut, FaultCutSilently, FaultChecksum, FaultGzip, FaultGarbled:
		return true
	}
	return false
}

// codes are what a failure by this fault may be called. A success is always right as long as it is true: clients repeat
// reads and what is the same when repeated.
func (f Fault) codes() []outlay.Code {
	switch {
	case f.throttled():
		return []outlay.Code{outlay.CodeThrottled}
	case f == FaultExpired:
		return []outlay.Code{outlay.CodeForbidden, outlay.CodeUnauthenticated}
	case f == FaultSkewed:
		return []outlay.Code{outlay.CodeUnavailable, outlay.CodeForbidden, outlay.CodeUnauthenticated}
	case f == FaultCut, f == FaultCutSilently, f == FaultChecksum, f == FaultGzip, f == FaultGarbled:
		return []outlay.Code{outlay.CodeUnavailable, outlay.CodeConflict} // a conflict is read again
	}
	return []outlay.Code{outlay.CodeUnavailable}
}

// FaultSubject is one provider with its simulated cloud. FaultTable runs every call it makes through every fault.
type FaultSubject struct {
	// World makes a fresh cloud, in which nothing of ours stands, behind the proxy (proxy.Serve, or proxy.Wrap within a
	// server of the cloud's own), and a provider of it. Each world of a subject has the same accounts, ids and names.
	World func(t testing.TB, proxy *FaultProxy) *FaultWorld
	// Call names a request, without what differs between worlds: "s3:CreateBucket".
	Call func(r *http.Request, body []byte) string
	// Refuse is the cloud's own form of an answer: to FaultThrottled (429), FaultBrokenBefore (500), FaultUnavailable
	// (503), FaultExpired and FaultSkewed.
	Refuse func(f Fault, r *http.Request, body []byte) (status int, header http.Header, answer []byte)
	// Once tells calls that must not be sent twice for one change: creates that the cloud does not de-duplicate.
	Once func(call string) bool
	// RetryHeaders are the headers, each with a value, by which the cloud tells when to come again. Each is a fault.
	RetryHeaders map[string]string
}

// FaultWorld is one cloud of a subject.
type FaultWorld struct {
	Provider outlay.Provider
	Account  *outlay.CloudAccount
	// Others are the same account by other kinds of credential. Each makes one look, for the calls that signing in takes.
	Others []*outlay.CloudAccount
	// Source asks for everything there is to ask for.
	Source *outlay.Source
	// Live names everything that stands in the cloud, a line for each thing; what is there twice is named twice.
	Live func() []string
	// Rest names what must not be left once all is removed; nil looks at nothing.
	Rest func() []string
	// Deliver makes the cloud deliver. It is called once all changes are made.
	Deliver func() error
	// Fill puts something of ours into the storage that deprovisioning has to delete; may be nil.
	Fill func()
	// Fresh is another provider of the same world that remembers nothing; nil where none keeps anything but sign-ins.
	Fresh func() outlay.Provider
	// Now is the cloud's clock; nil is the machine's.
	Now func() time.Time
	// Manual does what a manual change asks a person for; may be nil.
	Manual func(c outlay.Change) error
}

// patience is how long clients wait for an answer, or for the next piece of one. For slow faults it is as short as a
// machine allows whose slowest call took slowest, and shorter than what trickles; another try waits longer.
func (f Fault) patience(slowest time.Duration, try int) time.Duration {
	switch {
	case !f.slow():
		return 20 * time.Second
	case try > 1 && f == FaultStall:
		return 3 * time.Second
	case try > 1:
		return 900 * time.Millisecond
	}
	return min(max(10*slowest, 500*time.Millisecond), 800*time.Millisecond)
}

// limit is how long a step may take, retries and a busy machine included: its context ends then, as the lease of a run
// would. A client that waits for a long operation meanwhile gives up with it, and not later.
const limit, grace = 15 * time.Second, 3 * time.Second

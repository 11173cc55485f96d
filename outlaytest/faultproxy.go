package outlaytest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"outlay/simcloud"
)

// FaultProxy stands before a simulated cloud and does to one kind of call what it is told.
type FaultProxy struct {
	// Patience is how long the clients of this world are to wait for an answer.
	Patience time.Duration

	subject FaultSubject
	stop    chan struct{}
	once    sync.Once

	mu     sync.Mutex
	armed  string // the call at fault, "" for none
	fault  Fault
	left   int
	hits   int
	spared bool // the fault could not show on the answer
	log    []string
	slow   time.Duration // the longest that the cloud took for an answer
}

func newFaultProxy(s FaultSubject, patience time.Duration) *FaultProxy {
	return &FaultProxy{subject: s, Patience: patience, stop: make(chan struct{})}
}

// Serve serves the cloud through the proxy on the loopback interface until the test ends, and gives the address.
func (p *FaultProxy) Serve(t testing.TB, cloud http.Handler) string {
	t.Helper()
	server := httptest.NewServer(p.Wrap(cloud))
	t.Cleanup(func() {
		p.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// Wrap is the cloud behind the proxy, for a server of the cloud's own. Close then ends what hangs.
func (p *FaultProxy) Wrap(cloud http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, cloud) })
}

// Close ends calls that hang.
func (p *FaultProxy) Close() { p.once.Do(func() { close(p.stop) }) }

// arm makes the next calls of a name go wrong.
func (p *FaultProxy) arm(call string, f Fault, times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed, p.fault, p.left, p.hits, p.spared, p.log = call, f, times, 0, false, nil
}

// disarm ends the fault, and tells how often it struck, whether it could not show, and what was called.
func (p *FaultProxy) disarm() (hits int, spared bool, calls []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	hits, spared, calls = p.hits, p.spared, p.log
	p.armed, p.log = "", nil
	return hits, spared, calls
}

// strike notes a call, and gives the fault that hits it.
func (p *FaultProxy) strike(call string) (Fault, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, call)
	if call != p.armed || p.left == 0 {
		return "", false
	}
	p.left--
	p.hits++
	return p.fault, true
}

func (p *FaultProxy) took(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slow = max(p.slow, d)
}

func (p *FaultProxy) serve(w http.ResponseWriter, r *http.Request, cloud http.Handler) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	fault, struck := p.strike(p.subject.Call(r, body))
	if !struck {
		began := time.Now()
		cloud.ServeHTTP(w, r)
		p.took(time.Since(began))
		return
	}
	var ran *httptest.ResponseRecorder
	if fault.after() {
		ran = httptest.NewRecorder()
		cloud.ServeHTTP(ran, r)
	}
	switch fault {
	case FaultReset, FaultResetAfter:
		simcloud.Reset(w)
	case FaultStall:
		simcloud.Hold(w, r, p.stop)
	case FaultTrickle, FaultCut, FaultCutSilently:
		p.halfHearted(w, r, ran, fault)
	case FaultChecksum, FaultGzip, FaultGarbled:
		p.spoilt(w, r, ran, fault)
	default:
		p.refuse(w, r, body, fault)
	}
}

// refuse answers in the cloud's own form.
func (p *FaultProxy) refuse(w http.ResponseWriter, r *http.Request, body []byte, f Fault) {
	base, header := f, http.Header{}
	switch {
	case f.throttled():
		base = FaultThrottled
		if name := strings.TrimSpace(string(f[len(FaultThrottled):])); name != "" {
			header.Set(name, p.subject.RetryHeaders[name])
		}
	case f == FaultBrokenAfter:
		base = FaultBrokenBefore
	case f == FaultUnavailableAfter:
		base = FaultUnavailable
	}
	status, own, answer := p.subject.Refuse(base, r, body)
	for name, values := range own {
		w.Header()[name] = values
	}
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(answer) // the client may be gone
	}
}

// spoilt passes an answer on with its body broken. An answer without a body, or for a checksum without one, is passed
// on as it is: the fault cannot show on it.
func (p *FaultProxy) spoilt(w http.ResponseWriter, r *http.Request, ran *httptest.ResponseRecorder, f Fault) {
	answer := ran.Body.Bytes()
	if len(answer) == 0 || r.Method == http.MethodHead || f == FaultChecksum && !hasChecksum(ran.Header()) {
		p.mu.Lock()
		p.spared = true
		p.mu.Unlock()
	} else {
		answer = spoil(answer, f)
		if f == FaultGzip {
			ran.Header().Set("Content-Encoding", "gzip")
		}
		ran.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	}
	for name, values := range ran.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(ran.Code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(answer) // the client may be gone
	}
}

func spoil(answer []byte, f Fault) []byte {
	switch f {
	case FaultChecksum:
		answer = slices.Clone(answer)
		answer[len(answer)/2] ^= 1
		return answer
	case FaultGzip:
		return append([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}, answer...)
	}
	return []byte("<not {json")
}

// hasChecksum tells whether an answer carries something that its body can be held against.
func hasChecksum(h http.Header) bool {
	for name := range h {
		n := strings.ToLower(name)
		if strings.HasPrefix(n, "x-amz-checksum-") && n != "x-amz-checksum-type" || n == "content-md5" || n == "x-ms-content-crc64" || n == "x-goog-hash" {
			return true
		}
	}
	return false
}

// halfHearted sends less than the answer, or sends it a byte a second.
func (p *FaultProxy) halfHearted(w http.ResponseWriter, r *http.Request, ran *httptest.ResponseRecorder, f Fault) {
	kind := map[Fault]simcloud.FaultKind{FaultTrickle: simcloud.Trickle, FaultCut: simcloud.Truncate, FaultCutSilently: simcloud.TruncateSilently}[f]
	whole := simcloud.Response{Status: ran.Code, Header: ran.Header(), Body: ran.Body.Bytes()}
	p.mu.Lock()
	p.spared = p.spared || whole.Spared(r.Method)
	p.mu.Unlock()
	whole.HalfHearted(w, r, kind, p.stop)
}

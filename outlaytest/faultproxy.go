package outlaytest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
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
		resetConnection(w)
	case FaultStall:
		select {
		case <-r.Context().Done():
		case <-p.stop:
		}
		resetConnection(w)
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
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = conn.Close() }()
	answer := ran.Body.Bytes()
	fmt.Fprintf(buf, "HTTP/1.1 %d %s\r\nConnection: close\r\n", ran.Code, http.StatusText(ran.Code))
	for name, values := range ran.Header() {
		if name != "Content-Length" && name != "Connection" {
			fmt.Fprintf(buf, "%s: %s\r\n", name, values[0])
		}
	}
	bodyless := r.Method == http.MethodHead || ran.Code == http.StatusNoContent || ran.Code == http.StatusNotModified
	switch {
	case r.Method == http.MethodHead && ran.Header().Get("Content-Length") != "":
		fmt.Fprintf(buf, "Content-Length: %s\r\n", ran.Header().Get("Content-Length"))
	case f != FaultCutSilently && !bodyless:
		fmt.Fprintf(buf, "Content-Length: %d\r\n", len(answer))
	}
	_, _ = buf.WriteString("\r\n") // whether the client gets it is the point
	if bodyless || len(answer) == 0 {
		p.mu.Lock()
		p.spared = true
		p.mu.Unlock()
		_ = buf.Flush()
		return
	}
	if f != FaultTrickle {
		_, _ = buf.Write(answer[:len(answer)/2])
		_ = buf.Flush()
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := range answer {
		if _, err := buf.Write(answer[i : i+1]); err != nil || buf.Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-p.stop:
			return
		}
	}
}

// resetConnection ends a connection the rude way: the client sees 'connection reset by peer'.
func resetConnection(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if inner, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = inner.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

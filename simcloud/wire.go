package simcloud

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Response is what goes back to a client.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	Code   string // error code, for the log
}

// bodyless tells the answers that have no body by HTTP's own rules. Content-Length of an answer to HEAD is the resource's.
func (a Response) bodyless(method string) bool {
	return method == http.MethodHead || a.Status == http.StatusNoContent || a.Status == http.StatusNotModified
}

// Spared tells whether an answer has nothing that HalfHearted could cut.
func (a Response) Spared(method string) bool { return a.bodyless(method) || len(a.Body) == 0 }

// write sends an answer, or does to the connection what the fault says.
func write(w http.ResponseWriter, r *http.Request, a Response, f *Fault, stop <-chan struct{}) {
	if f != nil {
		switch f.Kind {
		case ResetBefore, ResetAfter:
			Reset(w)
			return
		case Hang, HangAfter:
			Hold(w, r, stop)
			return
		case Truncate, TruncateSilently, Trickle:
			a.Header = withoutChecksums(a.Header)
			a.HalfHearted(w, r, f.Kind, stop)
			return
		}
	}
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	if f != nil {
		w.Header().Set("X-Simulated-Fault", string(f.Kind)) // tells judges not to look at what was spoilt on purpose
	}
	if !a.bodyless(r.Method) {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // the client may be gone
}

// withoutChecksums leaves out what a cut body could be found out by, were its length not.
func withoutChecksums(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		if !strings.HasPrefix(name, "X-Amz-Checksum-") && name != "Content-Md5" {
			out[name] = values
		}
	}
	return out
}

// Reset ends a connection the rude way: the client sees 'connection reset by peer'.
func Reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if inner, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS, which would say goodbye
		conn = inner.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// Hold gives no answer until the client gives up, or stop is closed.
func Hold(w http.ResponseWriter, r *http.Request, stop <-chan struct{}) {
	select {
	case <-r.Context().Done():
	case <-stop:
	}
	Reset(w)
}

// HalfHearted sends less than the answer. Cut under its full length the client can tell; cut without any length, and
// without a checksum, only a reader who knows the size can; a trickle ends by the reader's own clock.
func (a Response) HalfHearted(w http.ResponseWriter, r *http.Request, kind FaultKind, stop <-chan struct{}) {
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = conn.Close() }()
	fmt.Fprintf(buf, "HTTP/1.1 %d %s\r\nConnection: close\r\n", a.Status, http.StatusText(a.Status))
	for name, values := range a.Header {
		if name != "Connection" && (name != "Content-Length" || a.bodyless(r.Method)) {
			fmt.Fprintf(buf, "%s: %s\r\n", name, values[0])
		}
	}
	if kind != TruncateSilently && !a.bodyless(r.Method) {
		fmt.Fprintf(buf, "Content-Length: %d\r\n", len(a.Body))
	}
	_, _ = buf.WriteString("\r\n") // whether the client gets it is the point
	switch {
	case a.Spared(r.Method):
		_ = buf.Flush()
	case kind == Trickle:
		trickle(buf, a.Body, stop)
	default:
		_, _ = buf.Write(a.Body[:len(a.Body)/2])
		_ = buf.Flush()
	}
}

// trickle writes a byte a second until the client has enough.
func trickle(buf *bufio.ReadWriter, body []byte, stop <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := range body {
		if _, err := buf.Write(body[i : i+1]); err != nil || buf.Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-stop:
			return
		}
	}
}

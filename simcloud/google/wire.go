package google

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"time"
)

// write sends an answer, or does to the connection what the fault says.
func (c *Cloud) write(w http.ResponseWriter, r *http.Request, a answer, f *Fault) {
	if f != nil {
		switch f.Kind {
		case ResetBefore, ResetAfter:
			reset(w)
			return
		case Hang, HangAfter:
			select {
			case <-r.Context().Done():
			case <-c.stop:
			}
			reset(w)
			return
		case Truncate, TruncateSilently, Trickle:
			c.halfHearted(w, a, f.Kind)
			return
		}
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if f != nil {
		w.Header().Set("X-Simulated-Fault", string(f.Kind)) // tells judges not to look at what was spoilt on purpose
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may be gone
}

// reset ends a connection the rude way: the client sees 'connection reset by peer'.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// halfHearted sends less than the answer. Cut under its full length the client can tell; cut without any length, and
// without a checksum, only a reader who knows the size can; a trickle ends by the reader's own clock.
func (c *Cloud) halfHearted(w http.ResponseWriter, a answer, kind FaultKind) {
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = conn.Close() }()
	fmt.Fprintf(buf, "HTTP/1.1 %d %s\r\nConnection: close\r\n", a.status, http.StatusText(a.status))
	for name, values := range a.header {
		if name != "Content-Length" {
			fmt.Fprintf(buf, "%s: %s\r\n", name, values[0])
		}
	}
	if kind != TruncateSilently {
		fmt.Fprintf(buf, "Content-Length: %d\r\n", len(a.body))
	}
	_, _ = buf.WriteString("\r\n") // whether the client gets it is the point
	if kind == Trickle {
		c.trickle(buf, a.body)
		return
	}
	_, _ = buf.Write(a.body[:len(a.body)/2])
	_ = buf.Flush()
}

// trickle writes a byte a second until the client has enough.
func (c *Cloud) trickle(buf *bufio.ReadWriter, body []byte) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := range body {
		if _, err := buf.Write(body[i : i+1]); err != nil {
			return
		}
		if err := buf.Flush(); err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-c.stop:
			return
		}
	}
}

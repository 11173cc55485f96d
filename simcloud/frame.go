// Package simcloud is the frame of the three simulated clouds: the server and its beat, the script of faults, the log of
// requests and the saved state. Which calls a cloud knows, and in which words it refuses them, is its own.
package simcloud

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Frame is what a simulated cloud stands in. R is one line of its log. Its methods may be called from several goroutines.
type Frame[R any] struct {
	script
	requests[R]

	stop chan struct{} // closed when the cloud goes down: hanging requests end
	once sync.Once
}

// NewFrame makes a frame without faults.
func NewFrame[R any]() *Frame[R] { return &Frame[R]{stop: make(chan struct{})} }

// Close ends requests that hang. The cloud keeps answering others.
func (f *Frame[R]) Close() { f.once.Do(func() { close(f.stop) }) }

// Down is closed once the cloud was closed.
func (f *Frame[R]) Down() <-chan struct{} { return f.stop }

// Send sends an answer, or does to the connection what the fault says; nil for none.
func (f *Frame[R]) Send(w http.ResponseWriter, r *http.Request, a Response, fault *Fault) {
	write(w, r, a, fault, f.stop)
}

// maxBody bounds a request: data files are written by deliveries, not uploaded.
const maxBody = 64 << 20

// Body reads a request's body; false when the client went away.
func Body(r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	return body, err == nil
}

// Beat is what a cloud does by itself while it is served.
type Beat struct {
	Every   time.Duration // zero: nothing
	Deliver func(context.Context) error
	// Asked makes Run come at once; both may be nil.
	Asked  <-chan struct{}
	Run    func(context.Context) error
	Failed func(error) // is told what went wrong
}

// Serve serves a handler on addr ("127.0.0.1:0" picks a port) until stop is called, over TLS where conf is given. It
// gives the address that it got.
func (f *Frame[R]) Serve(addr string, handler http.Handler, conf *tls.Config, beat Beat) (host string, stop func(), err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("starting the simulated cloud: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 30 * time.Second, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true) // faults take hold of connections, and HTTP/2 does not let go of them
	serve := server.Serve
	if conf != nil {
		server.TLSConfig = conf
		server.ErrorLog = log.New(io.Discard, "", 0) // a client that is killed in a handshake is no news
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { _ = serve(l) }) // returns ErrServerClosed when stopped
	if beat.Every > 0 {
		done.Go(func() { beat.run(ctx) })
	}
	return l.Addr().String(), func() {
		cancel()
		f.Close()
		_ = server.Close()
		done.Wait()
	}, nil
}

func (b Beat) run(ctx context.Context) {
	tick := time.NewTicker(b.Every)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			err = b.Deliver(ctx)
		case <-b.Asked:
			err = b.Run(ctx)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			b.Failed(err)
		}
	}
}

package azure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"outlay"
)

var (
	// errSilent is why a call was given up: the other side did not say anything for too long.
	errSilent = errors.New("no answer in time")
	// errStrangeHost is why a call was not made.
	errStrangeHost = errors.New("not an address of Azure")
)

// newHTTPClient makes the one client of all services. It follows no redirect: a token must not travel to where an
// answer points.
func newHTTPClient(o Options) *http.Client {
	base := o.Transport
	if base == nil {
		base = trusting(o.CA)
	}
	return &http.Client{
		Transport:     &transport{base: base, silence: o.Retry.Answer, allowed: allowedHosts(o.Endpoint)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// trusting is a transport that trusts the certificates of ca alone, the system's when there are none.
func trusting(ca []byte) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if len(ca) > 0 {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(ca)
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return t
}

// allowedHosts tells which hosts may be called: those of Azure, or the one of the endpoint that replaces it. What a
// person enters, or an answer says, never widens this (clouds.md §8).
func allowedHosts(endpoint string) func(*url.URL) bool {
	if endpoint == "" {
		return isAzure
	}
	u, err := url.Parse(endpoint)
	return func(to *url.URL) bool { return err == nil && to.Scheme == u.Scheme && to.Host == u.Host }
}

func isAzure(u *url.URL) bool {
	host := strings.ToLower(u.Host) // with a port it is none of them
	switch {
	case u.Scheme != "https":
		return false
	case host == "management.azure.com", host == "login.microsoftonline.com", host == "login.microsoft.com":
		return true
	}
	return strings.HasSuffix(host, ".blob.core.windows.net") || strings.HasSuffix(host, ".blob.storage.azure.net")
}

// transport refuses strange hosts, counts each request, and gives up a call when nothing arrives for as long as
// silence. A total limit would cut long downloads; none would let a hung connection hold a lease for ever.
type transport struct {
	base    http.RoundTripper
	silence time.Duration
	allowed func(*url.URL) bool
}

// RoundTrip sends one request and counts it.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.allowed(req.URL) {
		return nil, errStrangeHost
	}
	outlay.CountCall(req.Context())
	ctx, cancel := context.WithCancelCause(req.Context())
	timer := time.AfterFunc(t.silence, func() { cancel(errSilent) })
	resp, err := t.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		timer.Stop()
		cancel(nil)
		if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
			return nil, errSilent
		}
		return nil, err
	}
	timer.Reset(t.silence)
	resp.Body = &patientBody{body: resp.Body, timer: timer, silence: t.silence, ctx: ctx, cancel: cancel}
	return resp, nil
}

type patientBody struct {
	body    io.ReadCloser
	timer   *time.Timer
	silence time.Duration
	ctx     context.Context
	cancel  context.CancelCauseFunc
}

// Read passes on what arrives and starts the patience anew.
func (b *patientBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if n > 0 {
		b.timer.Reset(b.silence)
	}
	if err != nil && !errors.Is(err, io.EOF) && errors.Is(context.Cause(b.ctx), errSilent) {
		err = errSilent
	}
	return n, err
}

// Close ends the call.
func (b *patientBody) Close() error {
	b.timer.Stop()
	err := b.body.Close()
	b.cancel(nil)
	return err
}

package google

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"outlay"
)

// errSilent is why a call was given up: the other side did not say anything for too long.
var errSilent = errors.New("no answer in time")

// newHTTPClient makes the one client of all services. It follows no redirect: an API that sends a credential
// elsewhere is not one of Google's.
func newHTTPClient(base http.RoundTripper, silence, wait time.Duration) *http.Client {
	if base == nil {
		base = http.DefaultTransport
	}
	return &http.Client{
		Transport:     againTransport{base: &patientTransport{base: base, silence: silence}, wait: wait},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// patientTransport gives up a call when nothing arrives for as long as silence. A total limit would cut long
// downloads; none would let a hung connection hold a lease for ever.
type patientTransport struct {
	base    http.RoundTripper
	silence time.Duration
}

// RoundTrip sends one request and counts it.
func (t *patientTransport) RoundTrip(req *http.Request) (*http.Response, error) {
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

package google

import (
	"io"
	"net/http"
	"time"
)

// attempts is how often a read is sent in all.
const attempts = 3

// againTransport repeats reads that Google could not answer just now; Google's REST clients do not (reliability.md §3.4).
// Whatever changes something is sent once: its outcome is looked into, never guessed.
type againTransport struct {
	base http.RoundTripper
	wait time.Duration // before the second attempt; it doubles
}

// RoundTrip sends a request, and a GET up to three times.
func (t againTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		resp, err := t.base.RoundTrip(req)
		if err != nil || req.Method != http.MethodGet || try == attempts || !passing(resp.StatusCode) || retryAfter(resp.Header) > 0 {
			return resp, err // a wait that Google asks for is the engine's to keep
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection serves again
		_ = resp.Body.Close()
		if err := pause(req.Context(), t.wait<<(try-1)); err != nil {
			return nil, err
		}
	}
}

// passing tells the answers after which the same call may work.
func passing(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

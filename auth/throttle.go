package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"outlay"
)

// limit is how failures of one kind turn into waiting: free ones first, then twice as long each time up to most. The
// account's most is short, since whoever wants to keep its owner out can always fail on purpose.
type limit struct {
	free int
	most time.Duration
}

func accountLimit() limit { return limit{free: 5, most: time.Minute} }
func addressLimit() limit { return limit{free: 30, most: 15 * time.Minute} }

// forgive is how long it takes until one failure is forgotten.
const forgive = 10 * time.Minute

// wait is how long after the last failure the next try is allowed.
func (l limit) wait(failures int, since time.Duration) time.Duration {
	over := failures - int(since/forgive) - l.free
	if over < 0 {
		return 0
	}
	if over > 20 {
		return l.most
	}
	return min(l.most, time.Second<<over)
}

// attempts are the keys under which one try is counted. Addresses people type are hashed: some type their password.
type attempts struct{ account, address string }

func attemptsOf(email, addr string) attempts {
	sum := sha256.Sum256([]byte(email))
	return attempts{account: "account:" + hex.EncodeToString(sum[:16]), address: "address:" + network(addr)}
}

// network is an IPv4 address itself and an IPv6 address's /64, which is what one customer has.
func network(addr string) string {
	a, err := netip.ParseAddr(addr)
	if err != nil || a.Is4() {
		return addr
	}
	p, err := a.Prefix(64)
	if err != nil {
		return addr
	}
	return p.String()
}

// mayTry is CodeThrottled while somebody has to wait, and says until when. Nobody is ever locked out for good.
func (a *Auth) mayTry(ctx context.Context, k attempts) error {
	now := a.opts.Clock.Now()
	var until time.Time
	for key, l := range map[string]limit{k.account: accountLimit(), k.address: addressLimit()} {
		if strings.HasSuffix(key, ":") {
			continue // no address is known
		}
		failures, last, err := a.opts.Store.Install().Attempts(ctx, key)
		if err != nil {
			return fmt.Errorf("counting failed sign-ins: %w", err)
		}
		if t := last.Add(l.wait(failures, now.Sub(last))); failures > 0 && t.After(until) {
			until = t
		}
	}
	if !until.After(now) {
		return nil
	}
	seconds := int((until.Sub(now) + time.Second - 1) / time.Second)
	return outlay.Errorf(outlay.CodeThrottled, fmt.Sprintf("Try again in %s, at %s.", plural(seconds, "second"), until.UTC().Add(time.Second-1).Format("15:04:05 UTC")),
		"too many failed attempts to sign in")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// failed counts a failed try.
func (a *Auth) failed(ctx context.Context, k attempts) error {
	for _, key := range []string{k.account, k.address} {
		if strings.HasSuffix(key, ":") {
			continue
		}
		if err := a.opts.Store.Install().Fail(ctx, key, a.opts.Clock.Now()); err != nil {
			return fmt.Errorf("counting a failed sign-in: %w", err)
		}
	}
	return nil
}

// succeeded forgets the failures of the account. Those of the address stay: otherwise a guesser with an account of
// their own could wipe them out in between.
func (a *Auth) succeeded(ctx context.Context, k attempts) error {
	if err := a.opts.Store.Install().Succeed(ctx, k.account); err != nil {
		return fmt.Errorf("forgetting failed sign-ins: %w", err)
	}
	return nil
}

package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"

	"outlay"
)

// params are argon2id's costs. A hash takes about 0.15 s and 64 MiB (reliability.md M34).
type params struct {
	time, memory uint32 // passes, KiB
	threads      uint8
}

const (
	saltBytes  = 16
	hashBytes  = 32
	maxHashing = 2  // hashes at once: 128 MiB at most
	maxWaiting = 32 // more sign-ins than that wait at the door
)

func current() params { return params{time: 3, memory: 64 * 1024, threads: 1} }

// hasher computes password hashes, few at once.
type hasher struct {
	params  params // of new hashes
	slots   chan struct{}
	waiting atomic.Int32
	dummy   string // for unknown users, so that they take as long as known ones
}

func newHasher(p params) *hasher {
	h := &hasher{params: p, slots: make(chan struct{}, maxHashing)}
	// Any salt and hash will do: no password is compared with success against it.
	h.dummy = phc(p, random(saltBytes), random(hashBytes))
	return h
}

// acquire waits for one of the slots; the returned function gives it back.
func (h *hasher) acquire(ctx context.Context) (func(), error) {
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return nil, outlay.Errorf(outlay.CodeThrottled, "Try again in a few seconds.", "too many people sign in at this moment")
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, outlay.Errorf(outlay.CodeUnavailable, "Try again.", "signing in was cut short: %w", context.Cause(ctx))
	}
}

// HashPassword checks a new password and returns what is stored: a PHC string of argon2id. A weak one is CodeInvalid
// in the field password.
func (a *Auth) HashPassword(p outlay.Secret) (string, error) {
	if err := checkPassword(p.Reveal()); err != nil {
		return "", err.InField("password")
	}
	release, err := a.hasher.acquire(context.Background())
	if err != nil {
		return "", err
	}
	defer release()
	return a.hasher.hash(p.Reveal()), nil
}

// hash makes what is stored of a password. The caller holds a slot.
func (h *hasher) hash(password string) string {
	salt := random(saltBytes)
	return phc(h.params, salt, h.params.sum(password, salt, hashBytes))
}

func (p params) sum(password string, salt []byte, length int) []byte {
	return argon2.IDKey([]byte(password), salt, p.time, p.memory, p.threads, uint32(length))
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return b
}

func phc(p params, salt, sum []byte) string {
	e := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads, e.EncodeToString(salt), e.EncodeToString(sum))
}

// verify compares a password with a stored PHC string. stale tells that the parameters are not today's. The caller
// holds a slot.
func (h *hasher) verify(stored, password string) (right, stale bool, err error) {
	p, salt, sum, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	got := p.sum(password, salt, len(sum))
	return subtle.ConstantTimeCompare(got, sum) == 1, p != h.params || len(sum) != hashBytes || len(salt) != saltBytes, nil
}

// parsePHC reads what phc writes, and refuses costs that would stop the server.
func parsePHC(s string) (p params, salt, sum []byte, err error) {
	bad := outlay.Errorf(outlay.CodeInternal, "Have an administrator set a new password.", "the stored password is not readable")
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, bad
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil || n != 3 {
		return p, nil, nil, bad
	}
	if p.time < 1 || p.time > 16 || p.memory < 8 || p.memory > 1024*1024 || p.threads < 1 || p.threads > 16 {
		return p, nil, nil, bad
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	sum, err2 := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(sum) < 16 || len(sum) > 128 {
		return p, nil, nil, bad
	}
	return p, salt, sum, nil
}

// Package secret seals credentials: Tink AEAD (AES-256-GCM) with a keyset in a file outside the database, bound to the
// organization, account, field and version they belong to; key rotation; and keeping secrets out of texts and logs.
package secret

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"outlay"
)

// Box seals and opens with the keyset of one file. It implements outlay.Sealer and is safe for concurrent use. When
// another process has changed the file (a rotation), the next call reads it again.
type Box struct {
	path    string
	created bool

	mu     sync.Mutex
	stamp  fileStamp
	handle *keyset.Handle
	cipher tink.AEAD
}

// Open reads the keyset at path, or makes one there when there is none. It refuses a file that others may read, and
// keysets that were published as samples: CodeInvalid with what to do.
func Open(path string) (*Box, error) {
	b := &Box{path: path}
	created, err := ensure(path)
	if err != nil {
		return nil, err
	}
	b.created = created
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.reload(); err != nil {
		return nil, err
	}
	return b, nil
}

// Created tells whether Open made the keyset: then somebody has to back the file up.
func (b *Box) Created() bool { return b.created }

// Path is the keyset's file.
func (b *Box) Path() string { return b.path }

// KeyID is the id of the primary key, as eight hex digits: what new secrets are sealed under.
func (b *Box) KeyID() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return keyName(b.handle.KeysetInfo().GetPrimaryKeyId())
}

// Keys lists the ids of the keys that still open something, the primary first.
func (b *Box) Keys() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return enabled(b.handle)
}

// Seal encrypts secret for one field of a's credential at its current version.
func (b *Box) Seal(a *outlay.CloudAccount, field string, secret outlay.Secret) (outlay.Sealed, error) {
	where, err := belongs(a, field)
	if err != nil {
		return "", err
	}
	return b.encrypt(secret.Reveal(), where)
}

// Open decrypts the sealed field of a's credential.
func (b *Box) Open(a *outlay.CloudAccount, field string) (outlay.Secret, error) {
	sealed, ok := a.Credential.Sealed[field]
	if !ok || sealed == "" {
		return outlay.Secret{}, outlay.Errorf(outlay.CodeNotFound, "Enter the credential again.", "the account %s has no secret %s", a.Name, field)
	}
	where, err := belongs(a, field)
	if err != nil {
		return outlay.Secret{}, err
	}
	plain, err := b.decrypt(sealed, where)
	if err != nil {
		return outlay.Secret{}, outlay.Errorf(outlay.CodeInternal, "Check that the keyset file is the one that this database was filled with, or enter the credential again.",
			"the secret %s of the account %s cannot be opened: %w", field, a.Name, err)
	}
	return outlay.NewSecret(plain), nil
}

// Stale tells whether sealed is not under the primary key any more. What cannot be read is stale too.
func (b *Box) Stale(sealed outlay.Sealed) bool { return keyOf(sealed) != b.KeyID() }

// Reseal puts every stale secret of a's credential under the primary key and tells how many there were. The version
// stays, since the secrets are the same.
func (b *Box) Reseal(a *outlay.CloudAccount) (int, error) {
	n := 0
	for field, sealed := range a.Credential.Sealed {
		if !b.Stale(sealed) {
			continue
		}
		plain, err := b.Open(a, field)
		if err != nil {
			return n, err
		}
		if a.Credential.Sealed[field], err = b.Seal(a, field, plain); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// belongs is the associated data: what a ciphertext is bound to, so that it opens nowhere else (reliability.md M17).
func belongs(a *outlay.CloudAccount, field string) (string, error) {
	parts := []string{a.OrgID, a.ID, field}
	for _, p := range parts {
		if p == "" || strings.Contains(p, "·") {
			return "", outlay.Errorf(outlay.CodeInternal, "", "a secret needs an organization, an account and a field to belong to")
		}
	}
	return fmt.Sprintf("v1·%s·%d", strings.Join(parts, "·"), a.Credential.Version), nil
}

func (b *Box) encrypt(plain, where string) (outlay.Sealed, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refresh(); err != nil {
		return "", err
	}
	raw, err := b.cipher.Encrypt([]byte(plain), []byte(where))
	if err != nil {
		return "", fmt.Errorf("sealing a secret: %w", err)
	}
	return outlay.Sealed(base64.StdEncoding.EncodeToString(raw)), nil
}

func (b *Box) decrypt(sealed outlay.Sealed, where string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refresh(); err != nil {
		return "", err
	}
	raw, err := base64.StdEncoding.DecodeString(string(sealed))
	if err != nil {
		return "", fmt.Errorf("reading a sealed value: %w", err)
	}
	plain, err := b.cipher.Decrypt(raw, []byte(where))
	if err != nil {
		return "", fmt.Errorf("opening a sealed value under key %s: %w", keyOf(sealed), err)
	}
	return string(plain), nil
}

// keyOf is the id of the key that a value was sealed under: Tink writes it behind the first byte. "" when there is none.
func keyOf(sealed outlay.Sealed) string {
	raw, err := base64.StdEncoding.DecodeString(string(sealed))
	if err != nil || len(raw) < 5 || raw[0] != 1 {
		return ""
	}
	return keyName(binary.BigEndian.Uint32(raw[1:5]))
}

func keyName(id uint32) string { return fmt.Sprintf("%08x", id) }

func newCipher(h *keyset.Handle) (tink.AEAD, error) {
	c, err := aead.New(h)
	if err != nil {
		return nil, fmt.Errorf("using the keyset: %w", err)
	}
	return c, nil
}

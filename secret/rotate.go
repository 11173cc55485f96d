package secret

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"outlay"
)

// Rotate adds a key and makes it the primary, in the file first. Older keys keep opening what they sealed.
func (b *Box) Rotate() error {
	return b.change(func(m *keyset.Manager) error {
		id, err := m.Add(aead.AES256GCMKeyTemplate())
		if err != nil {
			return fmt.Errorf("making a key: %w", err)
		}
		return m.SetPrimary(id)
	})
}

func (b *Box) change(edit func(*keyset.Manager) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refresh(); err != nil {
		return err
	}
	m := keyset.NewManagerFromHandle(b.handle)
	if err := edit(m); err != nil {
		return fmt.Errorf("changing the keyset: %w", err)
	}
	h, err := m.Handle()
	if err != nil {
		return fmt.Errorf("changing the keyset: %w", err)
	}
	if err := save(b.path, h); err != nil {
		return err
	}
	return b.reload()
}

// Report is how far a re-encryption got.
type Report struct {
	Resealed int            // secrets put under the primary key by this call
	Under    map[string]int // secrets by the id of the key that they are under now; "" for unreadable ones
}

// Count tells how many secrets of all organizations are under which key.
func (b *Box) Count(ctx context.Context, store outlay.Store) (map[string]int, error) {
	under := map[string]int{}
	err := everyOrg(ctx, store, func(orgID string) error {
		var accounts []outlay.CloudAccount
		err := store.ReadOrg(ctx, orgID, func(tx outlay.Tx) (err error) {
			accounts, err = tx.Accounts(ctx)
			return err
		})
		for _, a := range accounts {
			for _, sealed := range a.Credential.Sealed {
				under[keyOf(sealed)]++
			}
		}
		return err
	})
	return under, err
}

// ResealAll puts the secrets of all organizations under the primary key, one transaction an organization, and reports
// what is under which key afterwards. It can be repeated.
func (b *Box) ResealAll(ctx context.Context, store outlay.Store) (Report, error) {
	var report Report
	err := everyOrg(ctx, store, func(orgID string) error {
		n := 0
		err := store.ForOrg(ctx, orgID, func(tx outlay.Tx) (err error) {
			n, err = b.resealOrg(ctx, tx) // set, not added: the transaction may run again
			return err
		})
		if err == nil {
			report.Resealed += n
		}
		return err
	})
	if err != nil {
		return report, err
	}
	report.Under, err = b.Count(ctx, store)
	return report, err
}

func (b *Box) resealOrg(ctx context.Context, tx outlay.Tx) (int, error) {
	accounts, err := tx.Accounts(ctx)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, a := range accounts {
		n, err := b.Reseal(&a)
		if err != nil {
			return total, err
		}
		if n == 0 {
			continue
		}
		if err := tx.PutAccount(ctx, a); err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

func everyOrg(ctx context.Context, store outlay.Store, do func(orgID string) error) error {
	orgs, err := store.Install().Organizations(ctx)
	if err != nil {
		return fmt.Errorf("listing organizations: %w", err)
	}
	for _, o := range orgs {
		if err := do(o.ID); err != nil {
			return fmt.Errorf("in the organization %s: %w", o.Name, err)
		}
	}
	return nil
}

// Disable stops a key from opening anything. It refuses the primary, an unknown key, and a key that any secret is
// still under: CodeConflict.
func (b *Box) Disable(ctx context.Context, store outlay.Store, keyID string) error {
	if keyID == b.KeyID() {
		return outlay.Errorf(outlay.CodeConflict, "Rotate first.", "key %s is the one in use", keyID)
	}
	if !slices.Contains(b.Keys(), keyID) {
		return outlay.Errorf(outlay.CodeNotFound, "", "the keyset has no key %s that is in force", keyID)
	}
	under, err := b.Count(ctx, store)
	if err != nil {
		return err
	}
	if n := under[keyID]; n > 0 {
		return outlay.Errorf(outlay.CodeConflict, "Re-encrypt first.", "%d secrets are still under key %s", n, keyID)
	}
	if err := b.Check(ctx, store.Install()); err != nil { // moves the check value to the primary
		return err
	}
	id, err := strconv.ParseUint(keyID, 16, 32)
	if err != nil {
		return outlay.Errorf(outlay.CodeInvalid, "", "%q is not a key id", keyID)
	}
	return b.change(func(m *keyset.Manager) error { return m.Disable(uint32(id)) })
}

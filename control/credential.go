package control

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"outlay"
)

// RotateRequest replaces an account's credential.
type RotateRequest struct {
	Kind    string
	Values  map[string]string
	Secrets map[string]outlay.Secret
}

// setCredential checks the fields of a kind, makes those that are ours to make and seals the secret ones.
func (c *Control) setCredential(acc *outlay.CloudAccount, kind string, values map[string]string, secrets map[string]outlay.Secret) error {
	p, err := c.provider(acc.Provider)
	if err != nil {
		return err
	}
	kinds := p.About().CredentialKinds
	i := slices.IndexFunc(kinds, func(k outlay.CredentialKind) bool { return k.Kind == kind })
	if i < 0 {
		return outlay.Errorf(outlay.CodeInvalid, "Use "+kindsText(kinds)+".", "there is no way to sign in called %q", kind).InField("kind")
	}
	old := acc.Credential
	if err := knownFields(kinds[i].Fields, values, secrets); err != nil {
		return err
	}
	cred := outlay.Credential{Kind: kind, Values: map[string]string{}, Sealed: map[string]outlay.Sealed{}, Version: old.Version + 1, UpdatedAt: c.deps.Clock.Now()}
	acc.Credential = cred
	for _, f := range kinds[i].Fields {
		switch {
		case f.Generated:
			cred.Values[f.Name] = old.Values[f.Name]
			if cred.Values[f.Name] == "" {
				cred.Values[f.Name] = randomText()
			}
		case f.Secret:
			if secrets[f.Name].Empty() {
				if f.Optional {
					continue
				}
				return missing(f)
			}
			sealed, err := c.deps.Sealer.Seal(acc, f.Name, secrets[f.Name])
			if err != nil {
				return err
			}
			cred.Sealed[f.Name] = sealed
		default:
			if values[f.Name] == "" && !f.Optional {
				return missing(f)
			}
			if err := fits(f, values[f.Name]); err != nil {
				return err
			}
			if values[f.Name] != "" {
				cred.Values[f.Name] = values[f.Name]
			}
		}
	}
	acc.Credential = cred
	return nil
}

func kindsText(kinds []outlay.CredentialKind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Kind)
	}
	return strings.Join(names, " or ")
}

// knownFields refuses what the kind does not ask for: a misspelt field would otherwise be lost without a word. What we
// make ourselves may be sent, and is not taken.
func knownFields(fields []outlay.ProviderField, values map[string]string, secrets map[string]outlay.Secret) error {
	for name := range values {
		if !slices.ContainsFunc(fields, func(f outlay.ProviderField) bool { return f.Name == name && !f.Secret }) {
			return outlay.Errorf(outlay.CodeInvalid, "Leave the field out.", "there is no field %q", name).InField(name)
		}
	}
	for name := range secrets {
		if !slices.ContainsFunc(fields, func(f outlay.ProviderField) bool { return f.Name == name && f.Secret }) {
			return outlay.Errorf(outlay.CodeInvalid, "Leave the field out.", "there is no secret field %q", name).InField(name)
		}
	}
	return nil
}

// fits holds a value against its field's pattern.
func fits(f outlay.ProviderField, value string) error {
	if f.Pattern == "" || value == "" {
		return nil
	}
	whole, err := regexp.Compile("^(?:" + f.Pattern + ")$")
	if err != nil {
		return fmt.Errorf("the pattern of the field %s: %w", f.Name, err)
	}
	if !whole.MatchString(value) {
		return outlay.Errorf(outlay.CodeInvalid, "Write it like this: "+f.Hint, "%q is not a valid %s", value, f.Title).InField(f.Name)
	}
	return nil
}

func missing(f outlay.ProviderField) error {
	return outlay.Errorf(outlay.CodeInvalid, "Fill in "+f.Title+".", "%s is missing", f.Title).InField(f.Name)
}

func randomText() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// RotateCredential replaces the credential of an account, found by id or name. What the account is bound to stays: a credential of another
// provider account is refused at its first look.
func (c *Control) RotateCredential(ctx context.Context, a outlay.Actor, id string, r RotateRequest) (AccountView, error) {
	if err := c.must(ctx, a, outlay.AccountsWrite, "account "+id); err != nil {
		return AccountView{}, err
	}
	var acc outlay.CloudAccount
	err := c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) (err error) {
		if acc, err = c.accountIn(ctx, tx, id); err != nil {
			return err
		}
		if err := c.setCredential(&acc, r.Kind, r.Values, r.Secrets); err != nil {
			return err
		}
		if err := tx.PutAccount(ctx, acc); err != nil {
			return err
		}
		if err := tx.PutTask(ctx, outlay.Task{OrgID: a.OrgID, Kind: "look", Subject: acc.ID, NextAt: c.deps.Clock.Now(), Every: c.LookEvery}); err != nil {
			return err
		}
		return c.note(ctx, tx, a, outlay.AccountsWrite, "account "+acc.Name, "credential replaced")
	})
	c.seen.forget(acc.ID)
	c.wake()
	return c.accountView(acc, []outlay.CloudAccount{acc}, nil, nil), err
}

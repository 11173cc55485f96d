package control

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"outlay"
)

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
			value := values[f.Name]
			if value == "" {
				value = f.Default
			}
			if value == "" && !f.Optional {
				return missing(f)
			}
			if err := fits(f, value); err != nil {
				return err
			}
			if value != "" {
				cred.Values[f.Name] = value
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

// fits holds a value against its field's options or pattern.
func fits(f outlay.ProviderField, value string) error {
	if len(f.Options) > 0 && value != "" && !slices.ContainsFunc(f.Options, func(o outlay.Region) bool { return o.ID == value }) {
		return outlay.Errorf(outlay.CodeInvalid, "Choose one of the options of the form.", "%q is not an option of %s", value, f.Title).InField(f.Name)
	}
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

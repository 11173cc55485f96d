package secret

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"outlay"
)

const canary = "wJalrXUtnFEMI-canary-7MDENG"

func TestSealedValueOpensOnlyWhereItBelongs(t *testing.T) {
	b := open(t, filepath.Join(t.TempDir(), "keyset.json"))
	home := account("org_a", "acc_a", 1)
	sealed := seal(t, b, home, "secret_access_key", canary)
	if strings.Contains(string(sealed), canary) {
		t.Fatal("the sealed value shows the secret")
	}
	cases := map[string]struct {
		account *outlay.CloudAccount
		field   string
		opens   bool
	}{
		"where it belongs":     {home, "secret_access_key", true},
		"another organization": {account("org_b", "acc_a", 1), "secret_access_key", false},
		"another account":      {account("org_a", "acc_b", 1), "secret_access_key", false},
		"another field":        {home, "session_token", false},
		"another version":      {account("org_a", "acc_a", 2), "secret_access_key", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := *c.account
			a.Credential.Sealed = map[string]outlay.Sealed{c.field: sealed}
			got, err := b.Open(&a, c.field)
			if c.opens && (err != nil || got.Reveal() != canary) {
				t.Fatalf("got %v, %v", got.Reveal() == canary, err)
			}
			if !c.opens {
				if outlay.CodeOf(err) != outlay.CodeInternal {
					t.Fatalf("opened elsewhere: %v", err)
				}
				if strings.Contains(err.Error(), canary) {
					t.Fatal("the error quotes the secret")
				}
			}
		})
	}
}

// Two places whose parts run into each other must not share a ciphertext, so ids with the separator are refused.
func TestPartsCannotRunIntoEachOther(t *testing.T) {
	b := open(t, filepath.Join(t.TempDir(), "keyset.json"))
	for name, a := range map[string]*outlay.CloudAccount{
		"organization": account("org·acc", "a", 1), "account": account("org", "acc·a", 1), "no organization": account("", "acc", 1), "no account": account("org", "", 1),
	} {
		if _, err := b.Seal(a, "f", outlay.NewSecret(canary)); outlay.CodeOf(err) != outlay.CodeInternal {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Seal(account("org", "acc", 1), "f·g", outlay.NewSecret(canary)); outlay.CodeOf(err) != outlay.CodeInternal {
		t.Errorf("field: %v", err)
	}
}

func TestAbsentFieldIsNotFound(t *testing.T) {
	b := open(t, filepath.Join(t.TempDir(), "keyset.json"))
	if _, err := b.Open(account("org_a", "acc_a", 1), "nothing"); outlay.CodeOf(err) != outlay.CodeNotFound {
		t.Fatalf("got %v", err)
	}
}

func TestOneBitChangedDoesNotOpen(t *testing.T) {
	b := open(t, filepath.Join(t.TempDir(), "keyset.json"))
	a := account("org_a", "acc_a", 1)
	raw, err := base64.StdEncoding.DecodeString(string(seal(t, b, a, "f", canary)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		bad := append([]byte(nil), raw...)
		bad[i] ^= 1
		a.Credential.Sealed = map[string]outlay.Sealed{"f": outlay.Sealed(base64.StdEncoding.EncodeToString(bad))}
		if _, err := b.Open(a, "f"); err == nil {
			t.Fatalf("byte %d changed and it still opens", i)
		}
	}
}

func TestRotationKeepsOldSecretsAndSealsNewOnesUnderTheNewKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyset.json")
	b := open(t, path)
	a := account("org_a", "acc_a", 1)
	a.Credential.Sealed = map[string]outlay.Sealed{"f": seal(t, b, a, "f", canary)}
	old := b.KeyID()
	other := open(t, path) // a server that runs while a command rotates
	if err := b.Rotate(); err != nil {
		t.Fatal(err)
	}
	if b.KeyID() == old || len(b.Keys()) != 2 {
		t.Fatalf("keys %v after %s", b.Keys(), old)
	}
	if !b.Stale(a.Credential.Sealed["f"]) {
		t.Fatal("an old secret is not stale")
	}
	n, err := b.Reseal(a)
	if err != nil || n != 1 || b.Stale(a.Credential.Sealed["f"]) {
		t.Fatalf("resealed %d, %v", n, err)
	}
	for name, box := range map[string]*Box{"same": b, "running elsewhere": other, "opened anew": open(t, path)} {
		got, err := box.Open(a, "f")
		if err != nil || got.Reveal() != canary {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err = b.Reseal(a); n != 0 || err != nil {
		t.Fatalf("the second time %d, %v", n, err)
	}
}

func TestKeysetFile(t *testing.T) {
	const docs = `{"primaryKeyId":294406504,"key":[{"keyData":{"typeUrl":"type.googleapis.com/google.crypto.tink.AesGcmKey","value":"GiBWyUfGgYk3RTRhj/LIUzSudIWlyjCftCOypTr0jCNSLg==","keyMaterialType":"SYMMETRIC"},"status":"ENABLED","keyId":294406504,"outputPrefixType":"TINK"}]}`
	short := strings.Replace(docs, "GiBWyUfGgYk3RTRhj/LIUzSudIWlyjCftCOypTr0jCNSLg==", "GhAAAQIDBAUGBwgJCgsMDQ4P", 1)
	good := filepath.Join(t.TempDir(), "good.json")
	open(t, good)
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		text string
		mode os.FileMode
		says string // "" when it is accepted
	}{
		"ours":           {string(text), 0o600, ""},
		"read-only":      {string(text), 0o400, ""},
		"group reads":    {string(text), 0o640, "others may read"},
		"world reads":    {string(text), 0o604, "others may read"},
		"published":      {docs, 0o600, "published sample"},
		"128 bits":       {short, 0o600, "not AES-256-GCM"},
		"cut short":      {string(text[:len(text)/2]), 0o600, "damaged"},
		"empty":          {"", 0o600, "damaged"},
		"not a keyset":   {"secret: " + canary, 0o600, "damaged"},
		"no key in it":   {`{"primaryKeyId":1,"key":[]}`, 0o600, "damaged"},
		"other key type": {strings.Replace(docs, "AesGcmKey", "ChaCha20Poly1305Key", 1), 0o600, "damaged"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keyset.json")
			if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil { // whatever the umask is
				t.Fatal(err)
			}
			_, err := Open(path)
			if c.says == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if outlay.CodeOf(err) != outlay.CodeInvalid || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), canary) {
				t.Fatalf("got %v, want %q", err, c.says)
			}
			if e := outlay.AsError(err); e.Fix == "" {
				t.Fatal("says not what to do")
			}
		})
	}
}

func TestFirstStartMakesOneGuardedKeyset(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "keyset.json")
	boxes := make([]*Box, 8)
	var wg sync.WaitGroup
	for i := range boxes {
		wg.Go(func() {
			var err error
			if boxes[i], err = Open(path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	created := 0
	for _, b := range boxes {
		if b == nil {
			t.Fatal("a start failed")
		}
		if b.KeyID() != boxes[0].KeyID() {
			t.Fatal("two starts at once made two keysets")
		}
		if b.Created() {
			created++
		}
	}
	if created != 1 {
		t.Fatalf("%d starts say that they made the keyset", created)
	}
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(p)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v", p, info.Mode(), err)
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSymbolicLinkIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, filepath.Join(dir, "real.json"))
	link := filepath.Join(dir, "keyset.json")
	if err := os.Symlink(filepath.Join(dir, "real.json"), link); err != nil {
		t.Fatal(err)
	}
	_, err := Open(link)
	if e, ok := errors.AsType[*outlay.Error](err); !ok || e.Code != outlay.CodeInvalid {
		t.Fatalf("got %v", err)
	}
}

func open(t *testing.T, path string) *Box {
	t.Helper()
	b, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func account(org, id string, version int) *outlay.CloudAccount {
	return &outlay.CloudAccount{OrgID: org, ID: id, Name: "lab", Provider: "nimbus", Credential: outlay.Credential{Kind: "keys", Version: version}}
}

func seal(t *testing.T, b *Box, a *outlay.CloudAccount, field, text string) outlay.Sealed {
	t.Helper()
	s, err := b.Seal(a, field, outlay.NewSecret(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

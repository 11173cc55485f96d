package google

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"outlay"
	cloud "outlay/simcloud/google"
)

const audience = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/outlay-pool/providers/our-idp"

// TestFederation signs in with a token of somebody else's identity provider, and with nothing stored.
func TestFederation(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("a subject token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.AddFederation(audience, "a subject token", w.email)
	values := map[string]string{fieldProjectID: hosting, fieldAudience: audience, fieldEmail: w.email, fieldTokenFile: "token"}
	a := &outlay.CloudAccount{OrgID: "org_1", ID: "acc_2", Credential: outlay.Credential{Kind: credFederated, Values: values}}
	if _, err := w.p.Observe(t.Context(), a, nil, outlay.Look{}); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("without a folder for tokens: %v", err)
	}
	o := w.opts
	o.TokenDir = dir
	p := New(o)
	seen, err := p.Observe(t.Context(), a, nil, outlay.Look{})
	if err != nil || seen.Identity.AccountID != hosting || seen.Identity.Principal != w.email {
		t.Fatalf("%+v, %v", seen.Identity, err)
	}
	for field, bad := range map[string]string{
		fieldAudience: "https://evil.example/pool", fieldEmail: "x@y/../z", fieldTokenFile: "../../etc/passwd", fieldProjectID: "123",
	} {
		b := *a
		b.Credential.Values = map[string]string{}
		for k, v := range values {
			b.Credential.Values[k] = v
		}
		b.Credential.Values[field] = bad
		_, err := p.Observe(t.Context(), &b, nil, outlay.Look{})
		if outlay.CodeOf(err) != outlay.CodeInvalid {
			t.Errorf("%s %q: %v", field, bad, err)
		}
		if err != nil && strings.Contains(err.Error(), "root:") {
			t.Errorf("%s %q: a file's content came out", field, bad)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("somebody else's"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = New(o).Observe(t.Context(), a, nil, outlay.Look{})
	if e := outlay.AsError(err); e.Code != outlay.CodeForbidden || e.Outcome != outlay.NeverSent {
		t.Errorf("a token that the pool refuses: %v", err)
	}
}

// TestAttached uses the server's own service account only where the operator allowed it.
func TestAttached(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.Attach(w.email)
	t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(w.url, "http://"))
	a := &outlay.CloudAccount{OrgID: "org_1", ID: "acc_2", Credential: outlay.Credential{Kind: credAttached, Values: map[string]string{fieldProjectID: hosting}}}
	if _, err := w.p.Observe(t.Context(), a, nil, outlay.Look{}); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("without permission of the operator: %v", err)
	}
	o := w.opts
	o.AttachedIdentity = true
	seen, err := New(o).Observe(t.Context(), a, nil, outlay.Look{})
	if err != nil || seen.Identity.Principal != w.email {
		t.Errorf("%+v, %v", seen.Identity, err)
	}
}

// TestRotation signs in with a new key at once, and is told when the old one is gone.
func TestRotation(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	w.observe(outlay.Look{})
	w.vault["acc_1/"+fieldKeyJSON] = string(w.RotateKey(w.email))
	w.RemoveKeys(w.email, "")
	fresh := New(w.opts)
	_, err := fresh.Observe(t.Context(), w.a, nil, outlay.Look{})
	if e := outlay.AsError(err); e.Code != outlay.CodeForbidden || e.Outcome != outlay.NeverSent || !strings.Contains(e.Fix, "Rotate") {
		t.Errorf("a key that was deleted: %v", err)
	}
	w.vault["acc_1/"+fieldKeyJSON] = string(w.RotateKey(w.email))
	w.a.Credential.Version = 2
	if _, err := w.p.Observe(t.Context(), w.a, nil, outlay.Look{}); err != nil {
		t.Errorf("a new key: %v", err)
	}
}

// TestKeyIsFieldsOnly takes four fields of a key and no address: a key that names another token server is signed in at
// Google's all the same, and other kinds of credential file are refused (reliability.md M20).
func TestKeyIsFieldsOnly(t *testing.T) {
	w := newWorld(t, cloud.Options{})
	evil := httptest.NewServer(nil)
	defer evil.Close()
	key := w.vault["acc_1/"+fieldKeyJSON]
	w.vault["acc_1/"+fieldKeyJSON] = strings.Replace(key, "https://oauth2.googleapis.com/token", evil.URL, 1)
	if w.vault["acc_1/"+fieldKeyJSON] == key {
		t.Fatal("the key names no token server")
	}
	w.observe(outlay.Look{})
	for _, bad := range []string{
		`{"type":"external_account","credential_source":{"executable":{"command":"id"}}}`, `{"type":"authorized_user","refresh_token":"x"}`,
		`not json`, `{"type":"service_account","client_email":"a@b.example","private_key":"-----BEGIN PRIVATE KEY-----"}`, `{"type":"service_account"}`, ``,
	} {
		_, err := parseKey(bad)
		if outlay.CodeOf(err) != outlay.CodeInvalid || outlay.AsError(err).Field != fieldKeyJSON {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzParseKey holds that nothing of a key file gets into an error, and that a key taken is a whole one.
func FuzzParseKey(f *testing.F) {
	f.Add(`{"type":"service_account","client_email":"a@p.iam.gserviceaccount.com","private_key":"PRIVATE KEY xyzzy"}`)
	f.Add(`{"type":"external_account"}`)
	f.Fuzz(func(t *testing.T, text string) {
		k, err := parseKey(text)
		if err == nil && (k.Email == "" || k.Key == "" || k.Type != "service_account") {
			t.Errorf("%q was taken for a key", text)
		}
		if err != nil && len(text) > 40 && strings.Contains(err.Error(), text[len(text)/2:]) {
			t.Errorf("the file came out: %v", err)
		}
	})
}

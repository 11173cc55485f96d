package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The canaries: secrets that must come out nowhere but sealed (reliability.md T9).
const (
	canaryKey      = "CANARYwJalrXUtnFEMI0K7MDENGbPxRfiCYEXAMPLE"
	canaryRotated  = "CANARYrotatedXUtnFEMI0K7MDENGbPxRfiCYEXAMPLE"
	canaryPassword = "canary-password-0815-x"
)

// TestCanary gives the product secrets, has it work and fail with them, and greps everything that it put out or wrote.
func TestCanary(t *testing.T) {
	d := startDemo(t)
	heard := &output{}
	say := func(args ...string) {
		out, errs, _ := d.command(t, args...)
		_, _ = heard.Write([]byte(out + errs))
	}
	d.feed(t, heard, canaryKey+"\n", "accounts", "add", "leaky", "--provider", "aws", "--kind", "keys", "--set", "access_key_id=AKIAIOSFODNN7EXAMPLE", "--secret", "secret_access_key")
	for _, args := range [][]string{
		{"accounts"}, {"accounts", "show", "leaky", "-o", "json"}, {"accounts", "check", "leaky"}, {"billing", "plan", "leaky"}, {"billing", "provision", "leaky"}, {"accounts", "-o", "json"},
	} {
		say(args...)
	}
	rotated := `{"kind":"keys","values":{"access_key_id":"AKIAIOSFODNN7EXAMPLE"},"secrets":{"secret_access_key":"` + canaryRotated + `"}}`
	d.api(t, heard, http.MethodPut, "/accounts/leaky/credential", rotated)
	d.api(t, heard, http.MethodPut, "/accounts/leaky/credential", strings.Replace(rotated, `"kind":"keys"`, `"kind":"`+canaryRotated[:6]+`"`, 1))
	d.api(t, heard, http.MethodPost, "/users", `{"email":"canary@tidewater.example","password":"`+canaryPassword+`","role":"member"}`)
	d.api(t, heard, http.MethodPost, "/login", `{"email":"canary@tidewater.example","password":"`+canaryPassword+`wrong"}`)
	for _, path := range []string{"/accounts", "/audit", "/runs", "/users", "/sources", "/providers", "/tokens"} {
		d.api(t, heard, http.MethodGet, path, "")
	}
	d.pages(t, heard, "/accounts", "/accounts/leaky", "/accounts/leaky/credential", "/accounts/leaky/billing/provision", "/audit", "/users", "/data-health", "/tokens")
	await(t, 30*time.Second, "a look at the account with the false key", func() bool { return strings.Contains(d.must(t, "accounts", "show", "leaky"), "bad") })
	grepBundle(t, d)
	for name, text := range map[string]string{"what commands, API and pages said": heard.String(), "the server's output": d.out.String(), "the log": d.log.String()} {
		grep(t, name, []byte(text))
	}
	grepFiles(t, filepath.Join(d.data, "outlay"))
}

// grepBundle looks into the diagnostics of the account with the false key, which its sealed form is not in either.
func grepBundle(t *testing.T, d *demo) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "leaky.zip")
	d.must(t, "accounts", "diagnostics", "leaky", "--to", path)
	r, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		grep(t, f.Name, text)
	}
	if len(r.File) < 6 {
		t.Errorf("the bundle has %d files", len(r.File))
	}
}

// feed runs a command that reads secrets from standard input.
func (d *demo) feed(t *testing.T, heard io.Writer, in string, args ...string) {
	t.Helper()
	errs := &output{}
	code := run(t.Context(), world{args: args, in: strings.NewReader(in), out: heard, err: errs, env: func(name string) string {
		return map[string]string{"OUTLAY_URL": d.url, "OUTLAY_TOKEN": d.token, "HOME": d.data}[name]
	}})
	if code != 0 {
		t.Fatalf("outlay %v: exit %d: %s", args, code, errs)
	}
	_, _ = heard.Write([]byte(errs.String()))
}

// api sends one request and hears the answer, header and all.
func (d *demo) api(t *testing.T, heard io.Writer, method, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, d.url+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	hear(t, heard, resp)
}

func hear(t *testing.T, heard io.Writer, resp *http.Response) {
	t.Helper()
	defer func() { _ = resp.Body.Close() }()
	if err := resp.Header.Write(heard); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(heard, resp.Body); err != nil {
		t.Fatal(err)
	}
}

// pages signs in as a browser would and hears every page.
func (d *demo) pages(t *testing.T, heard io.Writer, paths ...string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+"/login", strings.NewReader(url.Values{"email": {"maya@tidewater.example"}, "password": {demoPassword}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := browser.Do(post)
	if err != nil {
		t.Fatal(err)
	}
	hear(t, heard, resp)
	for _, p := range paths {
		get, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+p, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := browser.Do(get)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode == http.StatusUnauthorized {
			t.Errorf("%s was not heard: %s", p, resp.Status)
		}
		hear(t, heard, resp)
	}
}

// grep looks for every canary in the forms that a secret takes on its way.
func grep(t *testing.T, where string, text []byte) {
	t.Helper()
	for _, canary := range []string{canaryKey, canaryRotated, canaryPassword} {
		forms := []string{canary, url.QueryEscape(canary), base64.StdEncoding.EncodeToString([]byte(canary)), hex.EncodeToString([]byte(canary))}
		for _, form := range forms {
			if bytes.Contains(text, []byte(form)) {
				t.Errorf("a canary came out in %s", where)
			}
		}
	}
}

// grepFiles looks into every file that the server wrote: databases, their journals, lake, caches, keyset, staging.
func grepFiles(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // files come and go while the server works
		}
		b, err := os.ReadFile(path)
		if err == nil {
			files++
			grep(t, path, b)
		}
		return nil
	})
	if err != nil || files < 5 {
		t.Errorf("read %d files, %v", files, err)
	}
}

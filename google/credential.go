package google

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"

	"outlay"

	"golang.org/x/oauth2"
	sdk "golang.org/x/oauth2/google"
	"golang.org/x/oauth2/google/externalaccount"
	"golang.org/x/oauth2/jwt"
)

// The fields of a credential.
const (
	credFederated = "federated"
	credAttached  = "attached"
	credKey       = "key"

	fieldProjectID = "project_id"
	fieldAudience  = "audience"
	fieldEmail     = "service_account"
	fieldTokenFile = "token_file"
	fieldKeyJSON   = "key_json"
)

// Google's own addresses. They are constants: none of them ever comes from what a person stored (reliability.md M20).
const (
	tokenURL       = "https://oauth2.googleapis.com/token"
	exchangeURL    = "https://sts.googleapis.com/v1/token"
	impersonateURL = "https://iamcredentials.googleapis.com"
	scopePlatform  = "https://www.googleapis.com/auth/cloud-platform"
	subjectToken   = "urn:ietf:params:oauth:token-type:jwt"
)

// maxTokenFile bounds a token file: real ones are a few kilobytes.
const maxTokenFile = 64 << 10

var (
	projectText  = regexp.MustCompile(`^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`)
	audienceText = regexp.MustCompile(`^//iam\.googleapis\.com/projects/[0-9]+/locations/global/workloadIdentityPools/[a-z0-9-]{4,32}/providers/[a-z0-9-]{4,32}$`)
	emailText    = regexp.MustCompile(`^[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com$`)
)

// keyFile is what is read of a service account's key. Whatever else the file says, addresses above all, is ignored.
type keyFile struct {
	Type  string `json:"type"`
	Email string `json:"client_email"`
	Key   string `json:"private_key"`
	KeyID string `json:"private_key_id"`
}

// signInError marks that no access token could be had: the call itself was never sent.
type signInError struct{ err error }

func (e *signInError) Error() string { return "signing in: " + e.err.Error() }
func (e *signInError) Unwrap() error { return e.err }

// signing marks the failures of a token source.
type signing struct{ oauth2.TokenSource }

// Token is an access token.
func (s signing) Token() (*oauth2.Token, error) {
	t, err := s.TokenSource.Token()
	if err != nil {
		return nil, &signInError{err}
	}
	return t, nil
}

// tokenSource signs in with the account's stored credential and with nothing else; what the environment or a file of
// this machine would offer is never used (reliability.md M10). Tokens are kept until they expire; a rotated credential
// has another fingerprint and so a source of its own.
func (p *Provider) tokenSource(a *outlay.CloudAccount) (oauth2.TokenSource, error) {
	mark := fingerprint(a)
	p.mu.Lock()
	kept, ok := p.tokens[mark]
	p.mu.Unlock()
	if ok {
		return kept, nil
	}
	src, err := p.newSource(a)
	if err != nil {
		return nil, err
	}
	src = oauth2.ReuseTokenSource(nil, signing{src})
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.tokens) >= maxKept {
		clear(p.tokens)
	}
	p.tokens[mark] = src
	return src, nil
}

func fingerprint(a *outlay.CloudAccount) string {
	b, err := json.Marshal([]any{a.OrgID, a.ID, a.Credential})
	if err != nil {
		panic(err) // plain data always marshals
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (p *Provider) newSource(a *outlay.CloudAccount) (oauth2.TokenSource, error) {
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, p.http)
	switch a.Credential.Kind {
	case credKey:
		key, err := p.key(a)
		if err != nil {
			return nil, err
		}
		c := &jwt.Config{Email: key.Email, PrivateKey: []byte(key.Key), PrivateKeyID: key.KeyID, Scopes: []string{scopePlatform}, TokenURL: p.url(tokenURL, "/token")}
		return c.TokenSource(ctx), nil
	case credFederated:
		return p.federated(ctx, a)
	case credAttached:
		if !p.opts.AttachedIdentity {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Ask the operator of this server to allow it, or use another kind of credential.", "accounts may not use the identity of this server").InField("kind")
		}
		return sdk.ComputeTokenSource("", scopePlatform), nil
	}
	return nil, outlay.Errorf(outlay.CodeInvalid, "Use the kind federated, attached or key.", "%q is not a kind of credential for Google Cloud", clip(a.Credential.Kind, 40))
}

// key opens the stored key and takes four fields of it.
func (p *Provider) key(a *outlay.CloudAccount) (keyFile, error) {
	if p.opts.Secrets == nil {
		return keyFile{}, outlay.Errorf(outlay.CodeInternal, "", "no keyset to open the credential with")
	}
	secret, err := p.opts.Secrets.Open(a, fieldKeyJSON)
	if err != nil {
		return keyFile{}, err
	}
	return parseKey(secret.Reveal())
}

// parseKey reads a service account's key. Nothing of the text gets into an error.
func parseKey(text string) (keyFile, error) {
	const fix = "Store the JSON file that Google gave for a key of a service account, whole and unchanged."
	var k keyFile
	if json.Unmarshal([]byte(text), &k) != nil {
		return keyFile{}, outlay.Errorf(outlay.CodeInvalid, fix, "the key is not a JSON file").InField(fieldKeyJSON)
	}
	if k.Type != "service_account" {
		return keyFile{}, outlay.Errorf(outlay.CodeInvalid, fix+" For workload identity federation use the kind federated, which asks for the fields one by one.",
			"the file is not the key of a service account").InField(fieldKeyJSON)
	}
	if !emailText.MatchString(k.Email) || !strings.Contains(k.Key, "PRIVATE KEY") {
		return keyFile{}, outlay.Errorf(outlay.CodeInvalid, fix, "the key lacks the service account's e-mail address or its private key").InField(fieldKeyJSON)
	}
	return k, nil
}

// federated builds workload identity federation from fields: the token of the outside world comes from a file in a
// folder that the operator chose, and every address is Google's (architecture.md ruling 11).
func (p *Provider) federated(ctx context.Context, a *outlay.CloudAccount) (oauth2.TokenSource, error) {
	v := a.Credential.Values
	if p.opts.TokenDir == "" {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Ask the operator of this server to name a folder for tokens, or use another kind of credential.", "this server has no folder for tokens of other identity providers").InField(fieldTokenFile)
	}
	for field, ok := range map[string]bool{fieldAudience: audienceText.MatchString(v[fieldAudience]), fieldEmail: emailText.MatchString(v[fieldEmail])} {
		if !ok {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Copy it from the Google Cloud console.", "%q is not a value for it", clip(v[field], 120)).InField(field)
		}
	}
	src, err := externalaccount.NewTokenSource(ctx, externalaccount.Config{
		Audience: v[fieldAudience], SubjectTokenType: subjectToken, TokenURL: p.url(exchangeURL, "/sts/v1/token"), Scopes: []string{scopePlatform},
		ServiceAccountImpersonationURL: p.url(impersonateURL, "") + "/v1/projects/-/serviceAccounts/" + v[fieldEmail] + ":generateAccessToken",
		SubjectTokenSupplier:           tokenFile{dir: p.opts.TokenDir, name: v[fieldTokenFile]},
	})
	if err != nil {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Check the fields of the credential.", "workload identity federation cannot be set up: %w", err)
	}
	return src, nil
}

// url is one of Google's addresses, or its stand-in.
func (p *Provider) url(real, path string) string {
	if p.opts.Endpoint == "" {
		return real
	}
	return strings.TrimSuffix(p.opts.Endpoint, "/") + path
}

// tokenFile reads a subject token anew each time: such files are replaced every hour.
type tokenFile struct{ dir, name string }

// SubjectToken is the file's content.
func (f tokenFile) SubjectToken(context.Context, externalaccount.SupplierOptions) (string, error) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return "", errors.New("the folder for tokens cannot be opened")
	}
	defer func() { _ = root.Close() }() // read only
	file, err := root.Open(f.name)
	if err != nil {
		return "", fmt.Errorf("the token file %q cannot be opened", clip(f.name, 80))
	}
	defer func() { _ = file.Close() }() // read only
	b, err := io.ReadAll(io.LimitReader(file, maxTokenFile+1))
	if err != nil || len(b) > maxTokenFile {
		return "", fmt.Errorf("the token file %q cannot be read", clip(f.name, 80))
	}
	return strings.TrimSpace(string(b)), nil
}

// principal is the e-mail address of the service account that the credential acts as.
func (p *Provider) principal(ctx context.Context, a *outlay.CloudAccount) (string, error) {
	switch a.Credential.Kind {
	case credKey:
		k, err := p.key(a)
		return k.Email, err
	case credFederated:
		return a.Credential.Values[fieldEmail], nil
	}
	return attachedEmail(ctx)
}

// clip cuts a text for a message.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}

// signed is an HTTP client that puts the account's token on each request.
func (p *Provider) signed(src oauth2.TokenSource) *http.Client {
	c := *p.http
	c.Transport = &oauth2.Transport{Source: src, Base: p.http.Transport}
	return &c
}

package google

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"outlay"
	"outlay/simcloud"
)

func tokenRoutes() []route {
	return []route{
		on("oauth2.token", "POST", "/token", (*Cloud).jwtBearer).changing().opened(),
		on("sts.token", "POST", "/sts/v1/token", (*Cloud).exchangeToken).changing().opened(),
		on("iamcredentials.projects.serviceAccounts.generateAccessToken", "POST", "/v1/projects/-/serviceAccounts/{e}:generateAccessToken", (*Cloud).generateAccessToken).changing().opened(),
		on("metadata.token", "GET", "/computeMetadata/v1/instance/service-accounts/{a}/token", (*Cloud).metadataToken).changing().opened(),
		on("metadata.email", "GET", "/computeMetadata/v1/instance/service-accounts/{a}/email", (*Cloud).metadataEmail).opened(),
		on("metadata.project", "GET", "/computeMetadata/v1/project/project-id", (*Cloud).metadataProject).opened(),
		on("metadata.universe", "GET", "/computeMetadata/v1/universe/universe-domain", (*Cloud).metadataUniverse).opened(),
	}
}

// lifetime is how long an access token lives.
const lifetime = time.Hour

// open makes an access token. Expiry goes by the machine's clock, as the clients reckon.
func (c *Cloud) open(email, subject string) string {
	now := outlay.SystemClock{}.Now()
	for text, t := range c.state.Tokens {
		if now.After(t.Expires) {
			delete(c.state.Tokens, text)
		}
	}
	text := "ya29.simulated-" + outlay.NewID("tok") + c.state.ID(20)
	c.state.Tokens[text] = &token{Email: email, Subject: subject, Expires: now.Add(lifetime).Truncate(time.Second)}
	return text
}

// jwtBearer is RFC 7523: an assertion that a service account signed, for an access token.
func (c *Cloud) jwtBearer(k *call) (answer, *refusal) {
	form, err := url.ParseQuery(string(k.Body))
	if err != nil || form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		return answer{}, refuse(http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type: %s", form.Get("grant_type"))
	}
	email, why := c.assertion(form.Get("assertion"))
	if why != "" {
		return answer{}, refuse(http.StatusBadRequest, "invalid_grant", "%s", why)
	}
	return ok(obj{"access_token": c.open(email, ""), "expires_in": int(lifetime.Seconds()) - 1, "token_type": "Bearer"})
}

// assertion checks a signed JWT and tells whose it is, or what is wrong with it. The words are Google's.
func (c *Cloud) assertion(jwt string) (email, why string) {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return "", "Invalid JWT: not three parts"
	}
	var header struct{ Alg, Kid string }
	var claims struct {
		Iss, Aud, Scope string
		Iat, Exp        int64
	}
	if unpack(parts[0], &header) != nil || unpack(parts[1], &claims) != nil || header.Alg != "RS256" {
		return "", "Invalid JWT: Failed audience check or not RS256"
	}
	id := c.state.Identities[claims.Iss]
	if id == nil {
		return "", "Invalid grant: account not found"
	}
	key := id.Keys[header.Kid]
	if key == nil || !signed(key.Public, parts) {
		return "", "Invalid JWT Signature."
	}
	now := outlay.SystemClock{}.Now().Unix()
	if claims.Exp < now || claims.Iat > now+300 || claims.Exp-claims.Iat > 3600 {
		return "", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."
	}
	if !strings.HasSuffix(claims.Aud, "/token") || claims.Scope == "" {
		return "", "Invalid JWT: Failed audience check. Is your 'aud' value correct?"
	}
	return id.Email, ""
}

func unpack(part string, v any) error {
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

func signed(public []byte, parts []string) bool {
	key, err := x509.ParsePKIXPublicKey(public)
	if err != nil {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	return rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, sum[:], signature) == nil
}

// exchangeToken is RFC 8693: the token of somebody else's identity provider, for a federated token.
func (c *Cloud) exchangeToken(k *call) (answer, *refusal) {
	form, err := url.ParseQuery(string(k.Body))
	if err != nil || form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange" {
		return answer{}, refuse(http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type: %s", form.Get("grant_type"))
	}
	p := c.state.Pools[form.Get("audience")]
	if p == nil {
		return answer{}, refuse(http.StatusBadRequest, "invalid_target", "The target service indicated by the \"audience\" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist.")
	}
	subject, known := p.Subjects[form.Get("subject_token")]
	if !known {
		return answer{}, refuse(http.StatusBadRequest, "invalid_grant", "The given credential is rejected by the attribute condition.")
	}
	return ok(obj{
		"access_token": c.open("", p.Audience+"#"+subject), "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
		"token_type": "Bearer", "expires_in": int(lifetime.Seconds()),
	})
}

// generateAccessToken lets a federated subject, or another service account, act as a service account.
func (c *Cloud) generateAccessToken(k *call) (answer, *refusal) {
	t := c.bearer(k)
	if t == nil {
		return answer{}, unauthenticated()
	}
	id := c.state.Identities[k.parts[0]]
	who := t.Subject
	if t.Email != "" {
		who = t.Email
	}
	if id == nil || !slices.Contains(id.Users, who) {
		return answer{}, refuse(http.StatusForbidden, "IAM_PERMISSION_DENIED", "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).")
	}
	text := c.open(id.Email, "")
	return ok(obj{"accessToken": text, "expireTime": c.state.Tokens[text].Expires.UTC().Format(time.RFC3339)})
}

func (c *Cloud) bearer(k *call) *token {
	text, found := strings.CutPrefix(k.R.Header.Get("Authorization"), "Bearer ")
	t := c.state.Tokens[text]
	if !found || t == nil || (outlay.SystemClock{}).Now().After(t.Expires) {
		return nil
	}
	return t
}

// authenticate finds the service account behind the token.
func (c *Cloud) authenticate(k *call) *refusal {
	t := c.bearer(k)
	if t == nil || t.Email == "" || c.state.Identities[t.Email] == nil {
		return unauthenticated()
	}
	k.Caller = c.state.Identities[t.Email]
	return nil
}

func unauthenticated() *refusal {
	f := refuse(http.StatusUnauthorized, "authError", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.")
	f.where = "Authorization"
	return f
}

// plain is a 200 of the metadata server.
func (k *call) plain(text string) (answer, *refusal) {
	if k.R.Header.Get("Metadata-Flavor") != "Google" {
		return answer{}, refuse(http.StatusForbidden, "forbidden", "Missing Metadata-Flavor:Google header.")
	}
	return answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/text"}, "Metadata-Flavor": {"Google"}}, Body: []byte(text)}, nil
}

func (c *Cloud) metadataToken(k *call) (answer, *refusal) {
	if c.state.Attached == "" {
		return answer{}, refuse(http.StatusNotFound, "notFound", "no service account is attached")
	}
	a, fail := k.plain(string(simcloud.JSON(obj{"access_token": c.open(c.state.Attached, ""), "expires_in": int(lifetime.Seconds()), "token_type": "Bearer"})))
	if fail == nil {
		a.Header.Set("Content-Type", "application/json")
	}
	return a, fail
}

func (c *Cloud) metadataEmail(k *call) (answer, *refusal) { return k.plain(c.state.Attached) }

func (c *Cloud) metadataProject(k *call) (answer, *refusal) {
	if id := c.state.Identities[c.state.Attached]; id != nil {
		return k.plain(id.Project)
	}
	return answer{}, refuse(http.StatusNotFound, "notFound", "no service account is attached")
}

func (c *Cloud) metadataUniverse(k *call) (answer, *refusal) { return k.plain("googleapis.com") }

package azure

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"outlay/simcloud"
)

// tokenLife is how long an access token holds.
const tokenLife = time.Hour

// assertionType is the one kind of assertion that Entra takes in place of a secret.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// discover answers what sign-in libraries ask first: where tokens are issued.
func (c *Cloud) discover(k *call) (answer, *refusal) {
	t := c.state.Tenants[strings.ToLower(k.P["tenant"])]
	if t == nil {
		return answer{}, noTenant(k)
	}
	base := c.state.Base + "/" + t.ID
	return jsonAnswer(http.StatusOK, object{
		"token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/oauth2/v2.0/authorize",
		"device_authorization_endpoint": base + "/oauth2/v2.0/devicecode", "issuer": base + "/v2.0", "jwks_uri": base + "/discovery/v2.0/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"pairwise"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt"},
	})
}

func noTenant(k *call) *refusal {
	return refuse(http.StatusBadRequest, "invalid_request", "AADSTS90002: Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", k.P["tenant"])
}

// issueToken is the client credentials flow.
func (c *Cloud) issueToken(k *call) (answer, *refusal) {
	form, err := url.ParseQuery(string(k.Body))
	if err != nil || form.Get("grant_type") != "client_credentials" {
		return answer{}, refuse(http.StatusBadRequest, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type '%s'.", form.Get("grant_type"))
	}
	t := c.state.Tenants[strings.ToLower(k.P["tenant"])]
	if t == nil {
		return answer{}, noTenant(k)
	}
	a := c.state.Apps[strings.ToLower(form.Get("client_id"))]
	if a == nil || a.Tenant != t.ID {
		return answer{}, refuse(http.StatusBadRequest, "unauthorized_client", "AADSTS700016: Application with identifier '%s' was not found in the directory '%s'.", form.Get("client_id"), t.Name)
	}
	k.Caller = a
	if fail := c.prove(a, form); fail != nil {
		return answer{}, fail
	}
	scope, _, _ := strings.Cut(form.Get("scope"), " ") // libraries add openid and the like
	audience, ok := strings.CutSuffix(scope, "/.default")
	if !ok || !armAudience(audience) && !blobAudience(audience) {
		return answer{}, refuse(http.StatusBadRequest, "invalid_resource", "AADSTS500011: The resource principal named %s was not found in the tenant named %s.", audience, t.Name)
	}
	return jsonAnswer(http.StatusOK, object{
		"token_type": "Bearer", "expires_in": int(tokenLife.Seconds()), "ext_expires_in": int(tokenLife.Seconds()), "access_token": c.sign(a, audience),
	})
}

func armAudience(a string) bool {
	a = strings.TrimRight(a, "/")
	return a == "https://management.core.windows.net" || a == "https://management.azure.com"
}

func blobAudience(a string) bool { return strings.TrimRight(a, "/") == "https://storage.azure.com" }

// prove checks the secret or the assertion.
func (c *Cloud) prove(a *app, form url.Values) *refusal {
	if assertion := form.Get("client_assertion"); assertion != "" && form.Get("client_assertion_type") == assertionType {
		return c.checkAssertion(a, assertion)
	}
	if !slices.Contains(a.Secrets, form.Get("client_secret")) || form.Get("client_secret") == "" {
		return refuse(http.StatusUnauthorized, "invalid_client", "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", a.ClientID)
	}
	return nil
}

type assertionHead struct {
	Alg     string `json:"alg"`
	X5t     string `json:"x5t"`
	X5tS256 string `json:"x5t#S256"`
}

type claims struct {
	Iss   string `json:"iss"`
	Sub   string `json:"sub"`
	Aud   any    `json:"aud"`
	Exp   int64  `json:"exp"`
	AppID string `json:"appid,omitempty"`
	OID   string `json:"oid,omitempty"`
	TID   string `json:"tid,omitempty"`
	Iat   int64  `json:"iat,omitempty"`
	Nbf   int64  `json:"nbf,omitempty"`
}

// checkAssertion takes a token of a trusted issuer, or one that the app signed with a registered certificate.
func (c *Cloud) checkAssertion(a *app, assertion string) *refusal {
	var head assertionHead
	var body claims
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || !unpack(parts[0], &head) || !unpack(parts[1], &body) {
		return refuse(http.StatusUnauthorized, "invalid_client", "AADSTS50027: JWT token is invalid or malformed.")
	}
	if time.Unix(body.Exp, 0).Before(c.opt.Now()) {
		return refuse(http.StatusUnauthorized, "invalid_client", "AADSTS700024: Client assertion is not within its valid time range.")
	}
	if body.Iss == a.ClientID {
		if !a.signed(head, parts) {
			return refuse(http.StatusUnauthorized, "invalid_client", "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application.")
		}
		return nil
	}
	if !slices.Contains(a.Trusts, subject{body.Iss, body.Sub}) {
		return refuse(http.StatusUnauthorized, "invalid_client", "AADSTS700213: No matching federated identity record found for presented assertion subject '%s'.", body.Sub)
	}
	if body.Aud != "api://AzureADTokenExchange" {
		return refuse(http.StatusUnauthorized, "invalid_client", "AADSTS700212: No matching federated identity record found for presented assertion audience '%v'.", body.Aud)
	}
	return nil
}

func unpack(part string, v any) bool {
	b, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(b, v) == nil
}

// signed tells whether an assertion was signed with a registered certificate (RS256 or PS256).
func (a *app) signed(head assertionHead, parts []string) bool {
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	for _, text := range a.Certs {
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue
		}
		key, ok := cert.PublicKey.(*rsa.PublicKey)
		if !ok || !head.names(cert) {
			continue
		}
		if head.Alg == "PS256" {
			return rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, nil) == nil
		}
		return head.Alg == "RS256" && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	}
	return false
}

// names tells whether the head of an assertion names a certificate, by either of the two thumbprints.
func (h assertionHead) names(cert *x509.Certificate) bool {
	long, short := sha256.Sum256(cert.Raw), sha1.Sum(cert.Raw)
	same := func(given string, sum []byte) bool {
		// RFC 7515 wants the alphabet for URLs; Microsoft's own library writes the plain one, and Entra takes both.
		plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(given, "="))
		return plain == base64.RawStdEncoding.EncodeToString(sum)
	}
	return same(h.X5tS256, long[:]) || same(h.X5t, short[:])
}

// sign makes an access token.
func (c *Cloud) sign(a *app, audience string) string {
	now := c.opt.Now()
	part := func(v any) string { return base64.RawURLEncoding.EncodeToString(simcloud.JSON(v)) }
	text := part(object{"alg": "HS256", "typ": "JWT"}) + "." + part(claims{
		Iss: "https://sts.windows.net/" + a.Tenant + "/", Sub: a.ObjectID, Aud: audience, AppID: a.ClientID, OID: a.ObjectID, TID: a.Tenant,
		Iat: now.Unix(), Nbf: now.Unix(), Exp: now.Add(tokenLife).Unix(),
	})
	return text + "." + c.mac(text)
}

func (c *Cloud) mac(text string) string {
	h := hmac.New(sha256.New, []byte(c.state.Key))
	h.Write([]byte(text)) // a hash never fails
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// authenticate reads the bearer token. Blob takes tokens for storage, everything else those for management.
func (c *Cloud) authenticate(k *call) *refusal {
	token, ok := strings.CutPrefix(k.R.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return k.unauthenticated("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing or is not a bearer token.")
	}
	parts := strings.Split(token, ".")
	var body claims
	if len(parts) != 3 || !hmac.Equal([]byte(c.mac(parts[0]+"."+parts[1])), []byte(parts[2])) || !unpack(parts[1], &body) {
		return k.unauthenticated("InvalidAuthenticationToken", "The access token is invalid.")
	}
	if !c.opt.Now().Before(time.Unix(body.Exp, 0)) {
		return k.unauthenticated("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time.")
	}
	audience, _ := body.Aud.(string)
	if k.Service == "blob" && !blobAudience(audience) || k.Service != "blob" && !armAudience(audience) {
		return k.unauthenticated("InvalidAuthenticationTokenAudience", "The access token has been obtained for wrong audience or resource '"+audience+"'.")
	}
	k.Caller = c.state.Apps[body.AppID]
	if k.Caller == nil {
		return k.unauthenticated("InvalidAuthenticationToken", "The application of the access token is gone.")
	}
	k.Subject = k.Caller.ObjectID
	return nil
}

// unauthenticated says where a token is to be had, as Azure does.
func (k *call) unauthenticated(code, message string) *refusal {
	if k.Service == "blob" {
		fail := refuse(http.StatusUnauthorized, "InvalidAuthenticationInfo", "%s", message)
		if k.R.Header.Get("Authorization") == "" {
			fail = refuse(http.StatusUnauthorized, "NoAuthenticationInformation", "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.")
		}
		return fail.with("Www-Authenticate", "Bearer authorization_uri=https://"+k.R.Host+"/common/oauth2/authorize resource_id=https://storage.azure.com")
	}
	return refuse(http.StatusUnauthorized, code, "%s", message).with("Www-Authenticate", `Bearer authorization_uri="https://`+k.R.Host+`/common", error="invalid_token"`)
}

package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"outlay"
)

// authorization is a taken-apart Authorization header of Signature Version 4.
type authorization struct {
	keyID, date, region, service string
	signed                       []string
	signature                    string
}

func parseAuthorization(h string) (authorization, bool) {
	var a authorization
	rest, ok := strings.CutPrefix(h, "AWS4-HMAC-SHA256 ")
	if !ok {
		return a, false
	}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) != 5 || scope[4] != "aws4_request" {
				return a, false
			}
			a.keyID, a.date, a.region, a.service = scope[0], scope[1], scope[2], scope[3]
		case "SignedHeaders":
			a.signed = strings.Split(value, ";")
		case "Signature":
			a.signature = value
		}
	}
	return a, a.keyID != "" && a.signature != "" && len(a.signed) > 0
}

// authenticate finds the caller of a signed request, and checks the signature as AWS does.
func (c *Cloud) authenticate(k *call) *refusal {
	a, ok := parseAuthorization(k.R.Header.Get("Authorization"))
	if !ok {
		return k.authError("MissingAuthenticationToken", "AccessDenied", "Request is missing Authentication Token")
	}
	key := c.state.Keys[a.keyID]
	if key == nil {
		return k.authError(k.unknownKey(), "InvalidAccessKeyId", "The security token included in the request is invalid.")
	}
	if a.service != k.Service {
		return k.authError("SignatureDoesNotMatch", "AuthorizationHeaderMalformed", "Credential should be scoped to correct service: '"+k.Service+"'.")
	}
	token := k.R.Header.Get("X-Amz-Security-Token")
	if subtle.ConstantTimeCompare([]byte(token), []byte(key.Token)) != 1 {
		return k.authError(k.unknownKey(), "InvalidToken", "The security token included in the request is invalid.")
	}
	// Sessions end by the machine's clock, as the SDK reckons.
	if !key.Expires.IsZero() && (outlay.SystemClock{}).Now().After(key.Expires) {
		return k.authError(k.expired(), "ExpiredToken", "The security token included in the request is expired")
	}
	if want := sign(key.Secret, a, k.R, k.Body); subtle.ConstantTimeCompare([]byte(want), []byte(a.signature)) != 1 {
		return k.authError(k.badSignature(), "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.")
	}
	if sum := k.R.Header.Get("X-Amz-Content-Sha256"); len(sum) == 64 && sum != hexSum(k.Body) {
		return refuse(http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	k.Caller, k.Session, k.Region = c.state.Principals[key.Principal], key.Session, a.region
	if k.Caller == nil {
		return k.authError(k.unknownKey(), "InvalidAccessKeyId", "The security token included in the request is invalid.")
	}
	return nil
}

// authError has one code for S3 and another for the rest.
func (k *call) authError(code, s3code, message string) *refusal {
	if k.Service == "s3" {
		status := http.StatusForbidden
		if s3code == "ExpiredToken" || s3code == "InvalidToken" || s3code == "AuthorizationHeaderMalformed" {
			status = http.StatusBadRequest
		}
		return refuse(status, s3code, "%s", message)
	}
	if k.Service == "sts" || k.Service == "iam" {
		return refuse(http.StatusForbidden, code, "%s", message)
	}
	return refuse(http.StatusBadRequest, code, "%s", message)
}

// The JSON services name the same three failures in their own way.
func (k *call) unknownKey() string {
	if k.Service == "sts" || k.Service == "iam" {
		return "InvalidClientTokenId"
	}
	return "UnrecognizedClientException"
}

func (k *call) expired() string {
	if k.Service == "sts" || k.Service == "iam" {
		return "ExpiredToken"
	}
	return "ExpiredTokenException"
}

func (k *call) badSignature() string {
	if k.Service == "sts" || k.Service == "iam" {
		return "SignatureDoesNotMatch"
	}
	return "InvalidSignatureException"
}

// sign computes the signature that the request should carry.
func sign(secret string, a authorization, r *http.Request, body []byte) string {
	payload := r.Header.Get("X-Amz-Content-Sha256")
	if payload == "" {
		payload = hexSum(body)
	}
	path := canonicalPath(r.URL.Path)
	var headers strings.Builder
	for _, h := range a.signed {
		headers.WriteString(h + ":" + headerValue(r, h) + "\n")
	}
	canonical := strings.Join([]string{r.Method, path, canonicalQuery(r.URL.RawQuery), headers.String(), strings.Join(a.signed, ";"), payload}, "\n")
	scope := strings.Join([]string{a.date, a.region, a.service, "aws4_request"}, "/")
	text := strings.Join([]string{"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), scope, hexSum([]byte(canonical))}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{a.date, a.region, a.service, "aws4_request"} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, text))
}

func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := r.Header.Values(name)
	for i, v := range values {
		values[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(values, ",")
}

// canonicalPath escapes a path once, as S3 wants it; the other services are called at "/".
func canonicalPath(path string) string {
	if path == "" {
		return "/"
	}
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = escape(p)
	}
	return strings.Join(parts, "/")
}

func canonicalQuery(raw string) string {
	var pairs []string
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, _ = url.QueryUnescape(name)
		value, _ = url.QueryUnescape(value)
		pairs = append(pairs, escape(name)+"="+escape(value))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// escape is the percent encoding of SigV4: everything but unreserved characters.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

package secret

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"outlay"
)

// Redacted stands where a secret was.
const Redacted = "***"

var (
	// accessKeyIDs are ids of cloud access keys, long-lived and of a session.
	accessKeyIDs = regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{12,}\b`)
	// ownTokens are our API tokens, whole or cut off.
	ownTokens = regexp.MustCompile(`\boutlay_[0-9A-Za-z]+_[0-9A-Za-z_-]+`)
	// assigned are values given to a field whose name says that it is secret: key=value, "key": "value", header lines.
	assigned = regexp.MustCompile(`(?i)((?:[a-z0-9]+[_. -]?)*(?:secret|password|passwd|passphrase|private[_ -]?key|session[_ -]?token|security[_ -]?token|access[_ -]?token|refresh[_ -]?token|client[_ -]?secret|api[_ -]?key|signature|authorization)(?:[_-]?(?:access[_-]?key|key|string|value|text))?["']?\s*(?:[:=]|%3D)\s*)("[^"]*"|'[^']*'|(?:Bearer |Basic )?[^\s"',;&}\]]+)`)
	// bearers are credentials of an Authorization header.
	bearers = regexp.MustCompile(`\b(Bearer|Basic) [0-9A-Za-z+/=._~-]{8,}`)
	// pems are private keys in PEM.
	pems = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`)
)

// Redact replaces what looks like a secret in text, and every occurrence of the given secrets: as they are, escaped
// for URLs or JSON, or in base64.
func Redact(text string, secrets ...outlay.Secret) string {
	for _, s := range secrets {
		for _, form := range forms(s.Reveal()) {
			text = strings.ReplaceAll(text, form, Redacted)
		}
	}
	text = pems.ReplaceAllString(text, Redacted)
	text = assigned.ReplaceAllString(text, "${1}"+Redacted)
	text = bearers.ReplaceAllString(text, "$1 "+Redacted)
	text = ownTokens.ReplaceAllString(text, Redacted)
	return accessKeyIDs.ReplaceAllString(text, Redacted)
}

// forms are the spellings in which a secret comes out. Texts under four characters are left alone: replacing them
// would spoil every line and hide nothing.
func forms(s string) []string {
	if len(s) < 4 {
		return nil
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		return []string{s}
	}
	return []string{
		s, strings.Trim(string(quoted), `"`), strings.Trim(strconv.Quote(s), `"`), url.QueryEscape(s), url.PathEscape(s),
		base64.StdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)),
	}
}

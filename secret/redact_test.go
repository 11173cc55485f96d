package secret

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"outlay"
)

func TestRedact(t *testing.T) {
	key := "wJalrXUtnFEMI/K7MDENG+bPxRfiCY"
	cases := map[string]struct{ in, want string }{
		"nothing":         {"the bucket outlay-cost-7f3a was made", "the bucket outlay-cost-7f3a was made"},
		"access key id":   {"user AKIAIOSFODNN7EXAMPLE is unknown", "user *** is unknown"},
		"session key id":  {"ASIAIOSFODNN7EXAMPLE", "***"},
		"assigned":        {"aws_secret_access_key = " + key + " in profile", "aws_secret_access_key = *** in profile"},
		"json field":      {`{"SecretAccessKey":"` + key + `","Region":"x"}`, `{"SecretAccessKey":***,"Region":"x"}`},
		"url parameter":   {"https://h/?X-Amz-Signature=abcdef0123&x=1", "https://h/?X-Amz-Signature=***&x=1"},
		"header":          {"Authorization: Bearer abcdefgh12345678", "Authorization: ***"},
		"bearer alone":    {"sent Bearer abcdefgh12345678 to it", "sent Bearer *** to it"},
		"own token":       {"token outlay_a1b2c3_ZZZZ-zz_9 refused", "token *** refused"},
		"private key":     {"key -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- end", "key *** end"},
		"cut private key": {"-----BEGIN RSA PRIVATE KEY-----\nMIIE", "***"},
		"permission":      {"secretsmanager:GetSecretValue is missing", "secretsmanager:GetSecretValue is missing"},
		"policy document": {`"Action": "s3:PutBucketPolicy"`, `"Action": "s3:PutBucketPolicy"`},
		"session id":      {"SessionID ses_40f8 of user m.okafor", "SessionID ses_40f8 of user m.okafor"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Redact(c.in); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestRedactKnownSecretInEveryForm(t *testing.T) {
	s := `p"ss/w+rd <canary>`
	for name, form := range map[string]string{
		"plain": s, "go": fmt.Sprintf("%q", s), "url": url.QueryEscape(s), "path": url.PathEscape(s), "base64": base64.StdEncoding.EncodeToString([]byte(s)),
	} {
		if got := Redact("it was "+form+".", outlay.NewSecret(s)); strings.Contains(got, "canary") || strings.Contains(got, form) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("aws_secret_access_key=", "wJalrXUtnFEMI")
	f.Add(`{"password": "`, `x\y`)
	f.Fuzz(func(t *testing.T, around, s string) {
		if len(s) < 4 || strings.Contains(Redacted, s) {
			return
		}
		if got := Redact(around+s, outlay.NewSecret(s)); strings.Contains(got, s) && !strings.Contains(around, s[:1]) && !strings.Contains(s, "*") {
			t.Errorf("%q is still in %q", s, got)
		}
	})
}

func TestLogHandlerHidesSecretsWhereverTheyAre(t *testing.T) {
	const hidden = "wJalrXUtnFEMIcanary"
	var out bytes.Buffer
	log := slog.New(NewLogHandler(slog.NewJSONHandler(&out, nil)))
	log = log.With("aws_secret_access_key", hidden)
	log.WithGroup("call").Error("refused: secret="+hidden,
		"err", fmt.Errorf("calling: %w", errors.New("SecretAccessKey: "+hidden)),
		"password", hidden, "nested", slog.GroupValue(slog.String("client_secret", hidden)),
		"struct", struct{ Password string }{hidden}, "typed", outlay.NewSecret(hidden), "bytes", []byte("token outlay_id_"+hidden), "count", 3)
	if got := out.String(); strings.Contains(got, "canary") || !strings.Contains(got, `"count":3`) || !strings.Contains(got, "refused") {
		t.Error(got)
	}
}

package aws

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func FuzzWildcard(f *testing.F) {
	f.Add("s3:*", "s3:createbucket")
	f.Add("arn:aws:s3:::outlay-*/*", "arn:aws:s3:::outlay-x/y")
	f.Add("a*b?c**", "aXXbYc")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 20 || len(text) > 40 || strings.ContainsFunc(pattern+text, func(r rune) bool { return r > 126 || r < 32 }) {
			return
		}
		expression := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
		if want := regexp.MustCompile("^(?:" + expression + ")$").MatchString(text); wildcard(pattern, text) != want {
			t.Errorf("%q on %q: got %v", pattern, text, !want)
		}
	})
}

// What was chunked comes back whole, and nothing else makes it panic.
func FuzzUnchunk(f *testing.F) {
	f.Add([]byte("4\r\nabcd\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"), 3)
	f.Add([]byte("ffffffff\r\n"), 1)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		_, _, _ = unchunk(b)
		if size < 1 || size > 1000 {
			return
		}
		var chunked bytes.Buffer
		for rest := b; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			part := rest[:min(size, len(rest))]
			fmt.Fprintf(&chunked, "%s;chunk-signature=0\r\n%s\r\n", strconv.FormatInt(int64(len(part)), 16), part)
		}
		chunked.WriteString("0\r\nx-amz-checksum-crc32: abc\r\n\r\n")
		got, trailer, ok := unchunk(chunked.Bytes())
		if !ok || !bytes.Equal(got, b) || trailer["x-amz-checksum-crc32"] != "abc" {
			t.Errorf("got %q with %v, %v", got, trailer, ok)
		}
	})
}

func FuzzPolicy(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}`)
	f.Add(`{"Statement":[{"Effect":"Deny","Principal":{"AWS":["1"],"Service":"x"},"Action":["a","b"],"Condition":{"StringLike":{"k":["v"]}}}]}`)
	f.Fuzz(func(t *testing.T, doc string) {
		p, err := parsePolicy(doc)
		if err != nil {
			return
		}
		for _, s := range p.Statement {
			if s.Effect != "Allow" && s.Effect != "Deny" {
				t.Errorf("a statement has the effect %q", s.Effect)
			}
		}
		_ = policySays(doc, ask{action: "s3:PutObject", resource: "arn:aws:s3:::b/k", service: "x", context: map[string]string{}})
	})
}

func FuzzAuthorization(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIA/20261124/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00")
	f.Fuzz(func(t *testing.T, header string) {
		if a, ok := parseAuthorization(header); ok && (a.keyID == "" || a.signature == "" || len(a.signed) == 0) {
			t.Errorf("got %+v", a)
		}
	})
}

func FuzzByteRange(f *testing.F) {
	f.Add("bytes=0-3", int64(10))
	f.Add("bytes=-2", int64(1))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		from, to, _, fail := byteRange(header, size)
		if fail == nil && (from < 0 || to > size || from > to) {
			t.Errorf("%q of %d: [%d, %d)", header, size, from, to)
		}
	})
}

func TestColumnsOf(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT a, b FROM FOCUS_1_2_AWS":              "a|b FOCUS_1_2_AWS",
		"select a from T where a > 1 limit 10":        "a T",
		"SELECT a FROM T1 JOIN T2 ON x":               " ",
		"SELECT a":                                    " ",
		"  SELECT\n a ,\n b\nFROM FOCUS_1_2_AWS;  \n": "a|b FOCUS_1_2_AWS",
	} {
		if got := strings.Join(columnsOf(sql), "|") + " " + tableOf(sql); got != want {
			t.Errorf("%q: got %q, want %q", sql, got, want)
		}
	}
}

package aws

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
)

// checksums are the algorithms that the cloud verifies, by the end of their header's name.
func checksums() map[string]func() hash.Hash {
	return map[string]func() hash.Hash{
		"Crc32":  func() hash.Hash { return crc32.NewIEEE() },
		"Crc32c": func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
		"Sha1":   sha1.New,
		"Sha256": sha256.New,
	}
}

func sum64(h hash.Hash, b []byte) string {
	h.Write(b)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// checked compares every checksum that the caller sent with the body; the settings' calls must carry one.
func (k *call) checked(body []byte, must bool) *refusal {
	found := false
	for name, algorithm := range checksums() {
		sent := k.R.Header.Get("X-Amz-Checksum-" + name)
		if sent == "" {
			continue
		}
		found = true
		if sent != sum64(algorithm(), body) {
			return refuse(http.StatusBadRequest, "BadDigest", "The %s you specified did not match the calculated checksum.", strings.ToUpper(name))
		}
	}
	if sent := k.R.Header.Get("Content-Md5"); sent != "" {
		found = true
		if sent != sum64(md5.New(), body) {
			return refuse(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.")
		}
	}
	if must && !found {
		return refuse(http.StatusBadRequest, "InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
	}
	return nil
}

// payload is the body of an upload, unpacked when it came in chunks with a trailing checksum.
func (k *call) payload() ([]byte, *refusal) {
	if !strings.HasPrefix(k.R.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return k.Body, k.checked(k.Body, false)
	}
	body, trailer, ok := unchunk(k.Body)
	if want := k.R.Header.Get("X-Amz-Decoded-Content-Length"); !ok || want != strconv.Itoa(len(body)) {
		return nil, refuse(http.StatusBadRequest, "IncompleteBody", "The request body terminated unexpectedly")
	}
	for name, value := range trailer {
		k.R.Header.Set(name, value)
	}
	return body, k.checked(body, false)
}

// unchunk reads the aws-chunked encoding: size[;extension] CRLF data CRLF … 0 CRLF trailers.
func unchunk(b []byte) (body []byte, trailer map[string]string, ok bool) {
	trailer = map[string]string{}
	for {
		line, rest, found := bytes.Cut(b, []byte("\r\n"))
		size, _, _ := strings.Cut(string(line), ";")
		n, err := strconv.ParseUint(size, 16, 31)
		if !found || err != nil || int(n) > len(rest) {
			return nil, nil, false
		}
		if n == 0 {
			for part := range strings.SplitSeq(string(rest), "\r\n") {
				if name, value, is := strings.Cut(part, ":"); is {
					trailer[name] = strings.TrimSpace(value)
				}
			}
			return body, trailer, true
		}
		body = append(body, rest[:n]...)
		b = bytes.TrimPrefix(rest[n:], []byte("\r\n"))
	}
}

// md5Text is the ETag of an object put in one piece, less its quotes.
func md5Text(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

package aws

import (
	"fmt"
	"hash/crc32"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// version is one version of an object; the last of a key is the current one. Buckets without versioning hold one, with
// the id "null".
type version struct {
	ID       string
	Blob     string // file under objects/; "" for a delete marker
	Size     int64
	ETag     string // with quotes
	CRC32    string
	Type     string
	Modified time.Time // whole seconds, as S3 tells it
	Marker   bool
}

func (c *Cloud) blobPath(v *version) string { return filepath.Join(c.opt.Dir, "objects", v.Blob) }

// store puts bytes under a key, as a new version or over the old one.
func (c *Cloud) store(b *bucket, key string, data []byte, at time.Time) (*version, error) {
	v := &version{
		ID: "null", Blob: c.state.ID(32), Size: int64(len(data)), ETag: `"` + md5Text(data) + `"`,
		CRC32: sum64(crc32.NewIEEE(), data), Modified: at.UTC().Truncate(time.Second), Type: "binary/octet-stream",
	}
	if err := os.WriteFile(c.blobPath(v), data, 0o600); err != nil {
		return nil, fmt.Errorf("storing an object: %w", err)
	}
	c.push(b, key, v)
	return v, nil
}

// push makes v the current version of a key.
func (c *Cloud) push(b *bucket, key string, v *version) {
	if b.Versioning == "Enabled" {
		v.ID = c.state.ID(32)
	} else {
		c.dropVersion(b, key, "null")
	}
	b.Objects[key] = append(b.Objects[key], v)
}

// dropVersion removes one version and its bytes; it tells whether there was one.
func (c *Cloud) dropVersion(b *bucket, key, id string) bool {
	for i, v := range b.Objects[key] {
		if v.ID != id {
			continue
		}
		if v.Blob != "" {
			_ = os.Remove(c.blobPath(v)) // a leftover file is nobody's object
		}
		// A new slice: an answer under way may still read the old one.
		b.Objects[key] = append(append([]*version{}, b.Objects[key][:i]...), b.Objects[key][i+1:]...)
		if len(b.Objects[key]) == 0 {
			delete(b.Objects, key)
		}
		return true
	}
	return false
}

// current is the version that a plain GET sees, nil for none.
func (b *bucket) current(key string) *version {
	vs := b.Objects[key]
	if len(vs) == 0 || vs[len(vs)-1].Marker {
		return nil
	}
	return vs[len(vs)-1]
}

func (b *bucket) find(key, id string) *version {
	if id == "" {
		return b.current(key)
	}
	for _, v := range b.Objects[key] {
		if v.ID == id && !v.Marker {
			return v
		}
	}
	return nil
}

// getObject serves GetObject and HeadObject.
func (c *Cloud) getObject(k *call) (answer, *refusal) {
	id := k.Query.Get("versionId")
	action := "s3:GetObject"
	if id != "" {
		action = "s3:GetObjectVersion"
	}
	b, fail := c.open(k, action)
	if fail != nil {
		return answer{}, fail
	}
	v := b.find(k.Key, id)
	if v == nil {
		return answer{}, c.missingKey(k, b, id)
	}
	if fail := conditions(k.R, v); fail != nil {
		return answer{}, fail
	}
	header := http.Header{
		"Etag": {v.ETag}, "Last-Modified": {v.Modified.Format(http.TimeFormat)}, "Accept-Ranges": {"bytes"},
		"Content-Type": {v.Type}, "X-Amz-Server-Side-Encryption": {"AES256"},
	}
	if b.Versioning != "" {
		header.Set("X-Amz-Version-Id", v.ID)
	}
	from, to, partly, fail := byteRange(k.R.Header.Get("Range"), v.Size)
	if fail != nil {
		return answer{}, fail
	}
	if !partly && strings.EqualFold(k.R.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") && v.CRC32 != "" {
		header.Set("X-Amz-Checksum-Crc32", v.CRC32)
		header.Set("X-Amz-Checksum-Type", "FULL_OBJECT")
	}
	out := answer{Status: http.StatusOK, Header: header}
	if partly {
		out.Status = http.StatusPartialContent
		header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, v.Size))
	}
	header.Set("Content-Length", strconv.FormatInt(to-from, 10))
	if k.R.Method == http.MethodHead {
		return out, nil
	}
	data, err := os.ReadFile(c.blobPath(v))
	if err != nil {
		return answer{}, refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
	}
	out.Body = data[from:to]
	return out, nil
}

// missingKey hides from callers who may not list whether a key exists.
func (c *Cloud) missingKey(k *call, b *bucket, id string) *refusal {
	if c.mayOnBucket(k, b, "s3:ListBucket", "") != nil {
		return refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: s3:ListBucket on resource: %q because no identity-based policy allows the s3:ListBucket action", c.callerARN(k), c.bucketARN(b.Name))
	}
	fail := refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	switch vs := b.Objects[k.Key]; {
	case k.R.Method == http.MethodHead:
		fail.code = "NotFound"
	case id != "":
		fail = refuse(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
	case len(vs) > 0 && vs[len(vs)-1].Marker:
		fail.header = http.Header{"X-Amz-Delete-Marker": {"true"}, "X-Amz-Version-Id": {vs[len(vs)-1].ID}}
	}
	return fail
}

// conditions checks If-Match, If-None-Match and their times, in the order of RFC 9110.
func conditions(r *http.Request, v *version) *refusal {
	failed := refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	if match := r.Header.Get("If-Match"); match != "" {
		if match != "*" && strings.Trim(match, `"`) != strings.Trim(v.ETag, `"`) {
			return failed
		}
	} else if t, err := http.ParseTime(r.Header.Get("If-Unmodified-Since")); err == nil && v.Modified.After(t) {
		return failed
	}
	unchanged := false
	if none := r.Header.Get("If-None-Match"); none != "" {
		unchanged = none == "*" || strings.Trim(none, `"`) == strings.Trim(v.ETag, `"`)
	} else if t, err := http.ParseTime(r.Header.Get("If-Modified-Since")); err == nil {
		unchanged = !v.Modified.After(t)
	}
	if unchanged {
		fail := refuse(http.StatusNotModified, "NotModified", "Not Modified")
		fail.header = http.Header{"Etag": {v.ETag}}
		return fail
	}
	return nil
}

// byteRange reads 'bytes=a-b', 'bytes=a-' and 'bytes=-n'; to is exclusive. Other forms are the whole object.
func byteRange(h string, size int64) (from, to int64, partly bool, fail *refusal) {
	text, ok := strings.CutPrefix(h, "bytes=")
	if !ok || strings.Contains(text, ",") {
		return 0, size, false, nil
	}
	first, last, _ := strings.Cut(text, "-")
	if first == "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n <= 0 || size == 0 {
			return 0, 0, false, refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
		}
		return max(0, size-n), size, true, nil
	}
	from, err := strconv.ParseInt(first, 10, 64)
	if err != nil || from >= size {
		return 0, 0, false, refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
	}
	to = size
	if n, err := strconv.ParseInt(last, 10, 64); err == nil && n >= from && n+1 < size {
		to = n + 1
	}
	return from, to, true, nil
}

func (c *Cloud) putObject(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:PutObject")
	if fail != nil {
		return answer{}, fail
	}
	data, fail := k.payload()
	if fail != nil {
		return answer{}, fail
	}
	have := b.current(k.Key)
	match, none := k.R.Header.Get("If-Match"), k.R.Header.Get("If-None-Match")
	switch {
	case match != "" && have == nil:
		return answer{}, refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	case match != "" && strings.Trim(match, `"`) != strings.Trim(have.ETag, `"`), none == "*" && have != nil:
		return answer{}, refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	}
	v, err := c.store(b, k.Key, data, c.opt.Now())
	if err != nil {
		return answer{}, refuse(http.StatusInternalServerError, "InternalError", "%s", err)
	}
	v.Type = orText(k.R.Header.Get("Content-Type"), v.Type)
	header := http.Header{"Etag": {v.ETag}, "X-Amz-Server-Side-Encryption": {"AES256"}, "X-Amz-Checksum-Crc32": {v.CRC32}, "X-Amz-Checksum-Type": {"FULL_OBJECT"}}
	if b.Versioning == "Enabled" {
		header.Set("X-Amz-Version-Id", v.ID)
	}
	return answer{Status: http.StatusOK, Header: header}, nil
}

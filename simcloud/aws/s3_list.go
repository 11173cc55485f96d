package aws

import (
	"encoding/base64"
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

type objectList struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name                  string
	Prefix                string
	Delimiter             string `xml:",omitempty"`
	MaxKeys               int
	KeyCount              int
	IsTruncated           bool
	EncodingType          string `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	StartAfter            string `xml:",omitempty"`
	Contents              []objectEntry
	CommonPrefixes        []commonPrefix
}

type objectEntry struct {
	Key, LastModified, ETag string
	Size                    int64
	StorageClass            string
}

type commonPrefix struct{ Prefix string }

// maxKeys reads a page size of at most 1,000.
func maxKeys(k *call, name string) (int, *refusal) {
	text := k.Query.Get(name)
	if text == "" {
		return 1000, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, refuse(http.StatusBadRequest, "InvalidArgument", "Provided %s not an integer or within integer range", name)
	}
	return min(n, 1000), nil
}

// listObjects is ListObjectsV2: keys in byte order, rolled up at the delimiter.
func (c *Cloud) listObjects(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:ListBucket")
	if fail != nil {
		return answer{}, fail
	}
	q := k.Query
	size, fail := maxKeys(k, "max-keys")
	if fail != nil {
		return answer{}, fail
	}
	out := objectList{
		Name: b.Name, Prefix: q.Get("prefix"), Delimiter: q.Get("delimiter"), MaxKeys: size, EncodingType: q.Get("encoding-type"),
		ContinuationToken: q.Get("continuation-token"), StartAfter: q.Get("start-after"),
	}
	after := out.StartAfter
	if out.ContinuationToken != "" {
		raw, err := base64.RawURLEncoding.DecodeString(out.ContinuationToken)
		if err != nil {
			return answer{}, refuse(http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect")
		}
		after = string(raw)
	}
	text := func(s string) string {
		if out.EncodingType == "url" {
			return strings.ReplaceAll(escape(s), "%2F", "/")
		}
		return s
	}
	last := ""
	for _, e := range rollUp(b, out.Prefix, out.Delimiter, after) {
		if out.KeyCount == size {
			out.IsTruncated = size > 0
			out.NextContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(last))
			break
		}
		if last = e.key; e.rolled {
			out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{text(e.key)})
		} else {
			v := b.current(e.key)
			out.Contents = append(out.Contents, objectEntry{text(e.key), xmlTime(v.Modified), v.ETag, v.Size, "STANDARD"})
		}
		out.KeyCount++
	}
	out.Prefix, out.Delimiter, out.StartAfter = text(out.Prefix), text(out.Delimiter), text(out.StartAfter)
	return xmlAnswer(out)
}

// listed is a key, or a common prefix.
type listed struct {
	key    string
	rolled bool
}

func rollUp(b *bucket, prefix, delimiter, after string) []listed {
	var out []listed
	for _, key := range slices.Sorted(maps.Keys(b.Objects)) {
		if !strings.HasPrefix(key, prefix) || b.current(key) == nil {
			continue
		}
		e := listed{key: key}
		if delimiter != "" {
			if head, _, found := strings.Cut(key[len(prefix):], delimiter); found {
				e = listed{prefix + head + delimiter, true}
			}
		}
		// A prefix given out on the page before stands for all its keys.
		if e.key <= after || (e.rolled && strings.HasPrefix(after, e.key)) || (len(out) > 0 && out[len(out)-1] == e) {
			continue
		}
		out = append(out, e)
	}
	return out
}

type versionList struct {
	XMLName             xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
	Name                string
	Prefix              string
	KeyMarker           string
	VersionIDMarker     string `xml:"VersionIdMarker"`
	NextKeyMarker       string `xml:",omitempty"`
	NextVersionIDMarker string `xml:"NextVersionIdMarker,omitempty"`
	MaxKeys             int
	IsTruncated         bool
	Versions            []versionEntry `xml:"Version"`
	Markers             []markerEntry  `xml:"DeleteMarker"`
}

type versionEntry struct {
	Key          string
	VersionID    string `xml:"VersionId"`
	IsLatest     bool
	LastModified string
	ETag         string
	Size         int64
	StorageClass string
}

type markerEntry struct {
	Key          string
	VersionID    string `xml:"VersionId"`
	IsLatest     bool
	LastModified string
}

// listObjectVersions lists every version and delete marker, newest of a key first.
func (c *Cloud) listObjectVersions(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:ListBucketVersions")
	if fail != nil {
		return answer{}, fail
	}
	size, fail := maxKeys(k, "max-keys")
	if fail != nil {
		return answer{}, fail
	}
	q := k.Query
	if q.Get("delimiter") != "" {
		return answer{}, refuse(http.StatusNotImplemented, "NotImplemented", "The simulated cloud lists versions without a delimiter only")
	}
	out := versionList{Name: b.Name, Prefix: q.Get("prefix"), KeyMarker: q.Get("key-marker"), VersionIDMarker: q.Get("version-id-marker"), MaxKeys: size}
	skipping := out.VersionIDMarker != ""
	n := 0
	for _, key := range slices.Sorted(maps.Keys(b.Objects)) {
		if !strings.HasPrefix(key, out.Prefix) || key < out.KeyMarker || (key == out.KeyMarker && !skipping) {
			continue
		}
		vs := b.Objects[key]
		for i, v := range slices.Backward(vs) {
			if skipping && key == out.KeyMarker {
				skipping = v.ID != out.VersionIDMarker
				continue
			}
			if n == size {
				out.IsTruncated = true
				return xmlAnswer(out)
			}
			n++
			out.NextKeyMarker, out.NextVersionIDMarker = key, v.ID
			if v.Marker {
				out.Markers = append(out.Markers, markerEntry{key, v.ID, i == len(vs)-1, xmlTime(v.Modified)})
			} else {
				out.Versions = append(out.Versions, versionEntry{key, v.ID, i == len(vs)-1, xmlTime(v.Modified), v.ETag, v.Size, "STANDARD"})
			}
		}
	}
	out.NextKeyMarker, out.NextVersionIDMarker = "", ""
	return xmlAnswer(out)
}

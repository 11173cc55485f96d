package aws

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// upload is a multipart upload under way.
type upload struct {
	ID, Key string
	Started time.Time
	Parts   map[int]uploadPart
}

type uploadPart struct {
	Blob string
	ETag string // hex, no quotes
}

type uploadResult struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
	Bucket   string
	Key      string
	UploadID string `xml:"UploadId"`
}

func (c *Cloud) createMultipartUpload(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:PutObject")
	if fail != nil {
		return answer{}, fail
	}
	u := &upload{ID: c.state.ID(40), Key: k.Key, Started: c.opt.Now().UTC().Truncate(time.Second), Parts: map[int]uploadPart{}}
	b.Uploads[u.ID] = u
	return xmlAnswer(uploadResult{Bucket: b.Name, Key: k.Key, UploadID: u.ID})
}

func (c *Cloud) openUpload(k *call, action string) (*bucket, *upload, *refusal) {
	b, fail := c.open(k, action)
	if fail != nil {
		return nil, nil, fail
	}
	u := b.Uploads[k.Query.Get("uploadId")]
	if u == nil || u.Key != k.Key {
		return nil, nil, refuse(http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
	}
	return b, u, nil
}

func (c *Cloud) partPath(p uploadPart) string { return filepath.Join(c.opt.Dir, "objects", p.Blob) }

func (c *Cloud) uploadPart(k *call) (answer, *refusal) {
	_, u, fail := c.openUpload(k, "s3:PutObject")
	if fail != nil {
		return answer{}, fail
	}
	n, err := strconv.Atoi(k.Query.Get("partNumber"))
	if err != nil || n < 1 || n > 10000 {
		return answer{}, refuse(http.StatusBadRequest, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	data, fail := k.payload()
	if fail != nil {
		return answer{}, fail
	}
	p := uploadPart{Blob: c.state.ID(32), ETag: md5Text(data)}
	if err := os.WriteFile(c.partPath(p), data, 0o600); err != nil {
		return answer{}, refuse(http.StatusInternalServerError, "InternalError", "%s", err)
	}
	u.Parts[n] = p
	return answer{Status: http.StatusOK, Header: http.Header{"Etag": {`"` + p.ETag + `"`}}}, nil
}

type completeRequest struct {
	Parts []struct {
		PartNumber int
		ETag       string
	} `xml:"Part"`
}

type completeResult struct {
	XMLName                     xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
	Location, Bucket, Key, ETag string
}

// completeMultipartUpload joins the parts. The ETag has the form of multipart objects: a sum of sums, and the count.
func (c *Cloud) completeMultipartUpload(k *call) (answer, *refusal) {
	b, u, fail := c.openUpload(k, "s3:PutObject")
	if fail != nil {
		return answer{}, fail
	}
	var in completeRequest
	if err := xml.Unmarshal(k.Body, &in); err != nil || len(in.Parts) == 0 {
		return answer{}, malformedXML()
	}
	var data, sums []byte
	last := 0
	for _, want := range in.Parts {
		p, ok := u.Parts[want.PartNumber]
		if !ok || strings.Trim(want.ETag, `"`) != p.ETag {
			return answer{}, refuse(http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found.")
		}
		if want.PartNumber <= last {
			return answer{}, refuse(http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order.")
		}
		last = want.PartNumber
		part, err := os.ReadFile(c.partPath(p))
		if err != nil {
			return answer{}, refuse(http.StatusInternalServerError, "InternalError", "%s", err)
		}
		sum := md5.Sum(part)
		data, sums = append(data, part...), append(sums, sum[:]...)
	}
	v, err := c.store(b, u.Key, data, c.opt.Now())
	if err != nil {
		return answer{}, refuse(http.StatusInternalServerError, "InternalError", "%s", err)
	}
	all := md5.Sum(sums)
	v.ETag = fmt.Sprintf(`"%s-%d"`, hex.EncodeToString(all[:]), len(in.Parts))
	c.dropUpload(b, u)
	return xmlAnswer(completeResult{Location: "/" + b.Name + "/" + u.Key, Bucket: b.Name, Key: u.Key, ETag: v.ETag})
}

func (c *Cloud) dropUpload(b *bucket, u *upload) {
	for _, p := range u.Parts {
		_ = os.Remove(c.partPath(p)) // a leftover file is nobody's object
	}
	delete(b.Uploads, u.ID)
}

func (c *Cloud) abortMultipartUpload(k *call) (answer, *refusal) {
	b, u, fail := c.openUpload(k, "s3:AbortMultipartUpload")
	if fail != nil {
		return answer{}, fail
	}
	c.dropUpload(b, u)
	return answer{Status: http.StatusNoContent}, nil
}

type uploadList struct {
	XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
	Bucket             string
	Prefix             string
	KeyMarker          string
	UploadIDMarker     string `xml:"UploadIdMarker"`
	NextKeyMarker      string `xml:",omitempty"`
	NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
	MaxUploads         int
	IsTruncated        bool
	Uploads            []uploadEntry `xml:"Upload"`
}

type uploadEntry struct {
	Key       string
	UploadID  string `xml:"UploadId"`
	Initiated string
}

func (c *Cloud) listMultipartUploads(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:ListBucketMultipartUploads")
	if fail != nil {
		return answer{}, fail
	}
	size, fail := maxKeys(k, "max-uploads")
	if fail != nil {
		return answer{}, fail
	}
	out := uploadList{Bucket: b.Name, Prefix: k.Query.Get("prefix"), KeyMarker: k.Query.Get("key-marker"), UploadIDMarker: k.Query.Get("upload-id-marker"), MaxUploads: size}
	all := slices.SortedFunc(maps.Values(b.Uploads), func(x, y *upload) int { return strings.Compare(x.Key+"\x00"+x.ID, y.Key+"\x00"+y.ID) })
	for _, u := range all {
		if !strings.HasPrefix(u.Key, out.Prefix) || u.Key < out.KeyMarker || (u.Key == out.KeyMarker && (out.UploadIDMarker == "" || u.ID <= out.UploadIDMarker)) && out.KeyMarker != "" {
			continue
		}
		if len(out.Uploads) == size {
			out.IsTruncated = true
			break
		}
		out.Uploads = append(out.Uploads, uploadEntry{u.Key, u.ID, xmlTime(u.Started)})
		out.NextKeyMarker, out.NextUploadIDMarker = u.Key, u.ID
	}
	if !out.IsTruncated {
		out.NextKeyMarker, out.NextUploadIDMarker = "", ""
	}
	return xmlAnswer(out)
}

package aws

import (
	"encoding/xml"
	"net/http"
	"strings"
	"time"
)

// remove deletes a key as its bucket's versioning wants it, and gives the id of a marker that was set.
func (c *Cloud) remove(b *bucket, key, id string) (marker string) {
	switch {
	case id != "":
		c.dropVersion(b, key, id)
	case b.Versioning == "":
		c.dropVersion(b, key, "null")
	default:
		v := &version{ID: "null", Marker: true, Modified: c.opt.Now().UTC().Truncate(time.Second)}
		c.push(b, key, v)
		return v.ID
	}
	return ""
}

// mayDelete checks one key of a delete.
func (c *Cloud) mayDelete(k *call, b *bucket, key, id string) *refusal {
	action := "s3:DeleteObject"
	if id != "" {
		action = "s3:DeleteObjectVersion"
	}
	if fail := c.mayOnBucket(k, b, action, key); fail != nil {
		return fail
	}
	for _, p := range b.Protected {
		if strings.HasPrefix(key, p) && (id != "" || b.Versioning == "") {
			return refuse(http.StatusForbidden, "AccessDenied", "Access Denied because object protected by object lock.")
		}
	}
	return nil
}

// deleteObject answers 204 whether or not there was such a key.
func (c *Cloud) deleteObject(k *call) (answer, *refusal) {
	id := k.Query.Get("versionId")
	action := "s3:DeleteObject"
	if id != "" {
		action = "s3:DeleteObjectVersion"
	}
	b, fail := c.open(k, action)
	if fail == nil {
		fail = c.mayDelete(k, b, k.Key, id)
	}
	if fail != nil {
		return answer{}, fail
	}
	header := http.Header{}
	if marker := c.remove(b, k.Key, id); marker != "" {
		header.Set("X-Amz-Delete-Marker", "true")
		header.Set("X-Amz-Version-Id", marker)
	}
	return answer{Status: http.StatusNoContent, Header: header}, nil
}

type deleteRequest struct {
	Quiet   bool
	Objects []struct{ Key, VersionId string } `xml:"Object"`
}

type deleteResult struct {
	XMLName xml.Name      `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
	Deleted []deletedKey  `xml:"Deleted"`
	Errors  []deleteError `xml:"Error"`
}

type deletedKey struct {
	Key                   string
	VersionID             string `xml:"VersionId,omitempty"`
	DeleteMarker          bool   `xml:",omitempty"`
	DeleteMarkerVersionID string `xml:"DeleteMarkerVersionId,omitempty"`
}

type deleteError struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
	Code      string
	Message   string
}

// deleteObjects answers 200 and tells per key what was refused.
func (c *Cloud) deleteObjects(k *call) (answer, *refusal) {
	b, fail := c.openAny(k)
	if fail == nil {
		fail = k.checked(k.Body, true)
	}
	if fail != nil {
		return answer{}, fail
	}
	var in deleteRequest
	if err := xml.Unmarshal(k.Body, &in); err != nil || len(in.Objects) == 0 || len(in.Objects) > 1000 {
		return answer{}, malformedXML()
	}
	var out deleteResult
	for _, o := range in.Objects {
		if fail := c.mayDelete(k, b, o.Key, o.VersionId); fail != nil {
			out.Errors = append(out.Errors, deleteError{o.Key, o.VersionId, fail.code, fail.message})
			continue
		}
		marker := c.remove(b, o.Key, o.VersionId)
		if !in.Quiet {
			out.Deleted = append(out.Deleted, deletedKey{o.Key, o.VersionId, marker != "", marker})
		}
	}
	return xmlAnswer(out)
}

// openAny is open without a permission of its own: each key is checked by itself.
func (c *Cloud) openAny(k *call) (*bucket, *refusal) {
	b, fail := c.open(k, "s3:DeleteObject")
	if fail != nil && b != nil && fail.code == "AccessDenied" && k.Caller.Account == b.Account {
		return b, nil
	}
	return b, fail
}

// Protect puts keys under object lock: deleting them is refused, key by key.
func (c *Cloud) Protect(bucket, keyPrefix string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.mustBucket(bucket)
	b.Protected = append(b.Protected, keyPrefix)
	c.persist()
}

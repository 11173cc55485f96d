package azure

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// blob is one block blob, or one staged block.
type blob struct {
	File     string // name of the file with its bytes
	Size     int64
	ETag     string
	MD5      string // base64
	Type     string // content type
	Metadata map[string]string
	Created  time.Time
	Modified time.Time
	Blocks   []string // ids of the blocks it was made of
}

// blobRoute finds the operation of a request below /blob/{account}.
func blobRoute(r *http.Request, q url.Values) (*route, map[string]string) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	parts := strings.SplitN(path, "/", 4)
	p := map[string]string{"account": at(parts, 1), "container": at(parts, 2), "blob": at(parts, 3)}
	for _, o := range blobOperations() {
		if o.method != r.Method || o.comp != q.Get("comp") || o.restype != q.Get("restype") {
			continue
		}
		if (p["container"] != "") == (o.level > 0) && (p["blob"] != "") == (o.level > 1) {
			return &route{op: o.op, run: o.run, changes: o.changes}, p
		}
	}
	return nil, p
}

func at(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return ""
}

type blobOperation struct {
	op, method, restype, comp string
	level                     int // 0 account, 1 container, 2 blob
	changes                   bool
	run                       func(*Cloud, *call) (answer, *refusal)
}

func blobOperations() []blobOperation {
	return []blobOperation{
		{"Service_ListContainers", get, "", "list", 0, false, (*Cloud).blobContainers},
		{"Container_Create", put, "container", "", 1, true, (*Cloud).blobPutContainer},
		{"Container_GetProperties", get, "container", "", 1, false, (*Cloud).blobGetContainer},
		{"Container_GetProperties", head, "container", "", 1, false, (*Cloud).blobGetContainer},
		{"Container_Delete", del, "container", "", 1, true, (*Cloud).blobDeleteContainer},
		{"Container_ListBlobs", get, "container", "list", 1, false, (*Cloud).listBlobs},
		{"Blob_Get", get, "", "", 2, false, (*Cloud).getBlob},
		{"Blob_GetProperties", head, "", "", 2, false, (*Cloud).getBlob},
		{"Blob_Put", put, "", "", 2, true, (*Cloud).putBlob},
		{"Blob_PutBlock", put, "", "block", 2, true, (*Cloud).putBlock},
		{"Blob_PutBlockList", put, "", "blocklist", 2, true, (*Cloud).putBlockList},
		{"Blob_Delete", del, "", "", 2, true, (*Cloud).deleteBlob},
	}
}

const blobActions = "Microsoft.Storage/storageAccounts/blobServices/containers/"

// blobAccount finds the account and checks an action on it, or on a container of it.
func (c *Cloud) blobAccount(k *call, action string) (*storageAccount, *refusal) {
	a := c.state.Accounts[k.P["account"]]
	if a == nil {
		return nil, refuse(http.StatusNotFound, "ResourceNotFound", "The specified account does not exist.") // the real one has no such host
	}
	if s := c.state.Subscriptions[a.Subscription]; s.Tenant != k.Caller.Tenant {
		return nil, refuse(http.StatusUnauthorized, "InvalidAuthenticationInfo", "Issuer validation failed. Issuer did not match.")
	}
	if v, _ := a.Properties["publicNetworkAccess"].(string); v == "Disabled" {
		return nil, refuse(http.StatusForbidden, "AuthorizationFailure", "This request is not authorized to perform this operation.")
	}
	scope := a.id()
	if k.P["container"] != "" {
		scope += "/blobServices/default/containers/" + k.P["container"]
	}
	if !c.decide(k.Subject, blobActions+action, scope) {
		return nil, refuse(http.StatusForbidden, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation using this permission.")
	}
	return a, nil
}

// blobContainer finds a container that is there.
func (c *Cloud) blobContainer(k *call, action string) (*container, *refusal) {
	a, fail := c.blobAccount(k, action)
	if fail != nil {
		return nil, fail
	}
	ct := a.Containers[k.P["container"]]
	switch {
	case ct == nil:
		return nil, noContainer()
	case !ct.live():
		return nil, refuse(http.StatusConflict, "ContainerBeingDeleted", "The specified container is being deleted.")
	}
	return ct, nil
}

func (c *Cloud) blobPutContainer(k *call) (answer, *refusal) {
	a, fail := c.blobAccount(k, "write")
	if fail != nil {
		return answer{}, fail
	}
	ct, fail := c.makeContainer(a, k.P["container"], metadata(k.R.Header))
	if fail != nil {
		return answer{}, fail
	}
	return c.blobAnswer(http.StatusCreated, ct.ETag, ct.Modified)
}

func (c *Cloud) blobGetContainer(k *call) (answer, *refusal) {
	ct, fail := c.blobContainer(k, "read")
	if fail != nil {
		return answer{}, fail
	}
	ans, _ := c.blobAnswer(http.StatusOK, ct.ETag, ct.Modified)
	setMetadata(ans.Header, ct.Metadata)
	for name, value := range map[string]string{"X-Ms-Lease-Status": "unlocked", "X-Ms-Lease-State": "available", "X-Ms-Has-Immutability-Policy": "false", "X-Ms-Has-Legal-Hold": "false"} {
		ans.Header.Set(name, value)
	}
	return ans, nil
}

func (c *Cloud) blobDeleteContainer(k *call) (answer, *refusal) {
	ct, fail := c.blobContainer(k, "delete")
	if fail != nil {
		return answer{}, fail
	}
	c.dropContainer(c.state.Accounts[k.P["account"]], ct)
	return empty(http.StatusAccepted)
}

func (c *Cloud) blobAnswer(status int, etag string, modified time.Time) (answer, *refusal) {
	return answer{Status: status, Header: http.Header{"Etag": {etag}, "Last-Modified": {blobTime(modified)}}}, nil
}

// metadata reads x-ms-meta-… headers. Names keep no letter case on the wire.
func metadata(h http.Header) map[string]string {
	out := map[string]string{}
	for name, values := range h {
		if key, ok := strings.CutPrefix(name, "X-Ms-Meta-"); ok {
			out[strings.ToLower(key)] = values[0]
		}
	}
	return out
}

func setMetadata(h http.Header, m map[string]string) {
	for key, value := range m {
		h.Set("X-Ms-Meta-"+key, value)
	}
}

// getBlob answers GET and HEAD.
func (c *Cloud) getBlob(k *call) (answer, *refusal) {
	ct, fail := c.blobContainer(k, "blobs/read")
	if fail != nil {
		return answer{}, fail
	}
	b := ct.Blobs[k.P["blob"]]
	if b == nil {
		return answer{}, noBlob()
	}
	if fail := conditions(k.R.Header, b, false); fail != nil {
		return answer{}, fail
	}
	ans, _ := c.blobAnswer(http.StatusOK, b.ETag, b.Modified)
	b.describe(ans.Header)
	from, to, fail := b.byteRange(k.R.Header)
	if fail != nil {
		return answer{}, fail
	}
	if from > 0 || to < b.Size {
		ans.Status = http.StatusPartialContent
		ans.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, b.Size))
		ans.Header.Del("Content-Md5") // it is of the whole
	}
	if k.R.Method == http.MethodHead {
		ans.Header.Set("Content-Length", strconv.FormatInt(b.Size, 10))
		return ans, nil
	}
	data, err := os.ReadFile(c.blobPath(b))
	if err != nil {
		return answer{}, refuse(http.StatusInternalServerError, "InternalError", "%s", err)
	}
	ans.Body = data[from:to]
	return ans, nil
}

func noBlob() *refusal {
	return refuse(http.StatusNotFound, "BlobNotFound", "The specified blob does not exist.")
}

// describe sets the headers of a blob's properties.
func (b *blob) describe(h http.Header) {
	for name, value := range map[string]string{
		"Content-Type": b.Type, "Accept-Ranges": "bytes", "X-Ms-Blob-Type": "BlockBlob", "X-Ms-Creation-Time": blobTime(b.Created), "X-Ms-Lease-Status": "unlocked", "X-Ms-Lease-State": "available",
		"X-Ms-Server-Encrypted": "true", "X-Ms-Access-Tier": "Hot", "X-Ms-Access-Tier-Inferred": "true",
	} {
		h.Set(name, value)
	}
	if b.MD5 != "" {
		h.Set("Content-Md5", b.MD5)
	}
	setMetadata(h, b.Metadata)
}

// byteRange reads Range or x-ms-range: the bytes [from, to).
func (b *blob) byteRange(h http.Header) (from, to int64, fail *refusal) {
	text := h.Get("X-Ms-Range")
	if text == "" {
		text = h.Get("Range")
	}
	spec, ok := strings.CutPrefix(text, "bytes=")
	if !ok {
		return 0, b.Size, nil
	}
	first, last, _ := strings.Cut(spec, "-")
	from, err := strconv.ParseInt(first, 10, 64)
	to = b.Size
	if last != "" {
		end, endErr := strconv.ParseInt(last, 10, 64)
		if endErr != nil || end < from {
			err = fmt.Errorf("bad end")
		}
		to = min(end+1, b.Size)
	}
	if err != nil || from >= b.Size {
		return 0, 0, refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The range specified is invalid for the current size of the resource.").with("Content-Range", fmt.Sprintf("bytes */%d", b.Size))
	}
	return from, to, nil
}

// conditions checks the conditional headers. A read whose ETag is known is 304, everything else that fails is 412; a
// write that must be the first is 409.
func conditions(h http.Header, b *blob, write bool) *refusal {
	unmet := refuse(http.StatusPreconditionFailed, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
	if want := h.Get("If-Match"); want != "" && (b == nil || want != "*" && !sameTag(want, b.ETag)) {
		return unmet
	}
	if want := h.Get("If-None-Match"); want != "" && b != nil && (want == "*" || sameTag(want, b.ETag)) {
		switch {
		case write && want == "*":
			return refuse(http.StatusConflict, "BlobAlreadyExists", "The specified blob already exists.")
		case !write:
			unmet.status = http.StatusNotModified
		}
		return unmet
	}
	if t, err := http.ParseTime(h.Get("If-Unmodified-Since")); err == nil && b != nil && b.Modified.Truncate(time.Second).After(t) {
		return unmet
	}
	if t, err := http.ParseTime(h.Get("If-Modified-Since")); err == nil && b != nil && !b.Modified.Truncate(time.Second).After(t) {
		if !write {
			unmet.status = http.StatusNotModified
		}
		return unmet
	}
	return nil
}

func sameTag(a, b string) bool { return strings.Trim(a, `"`) == strings.Trim(b, `"`) }

func (c *Cloud) putBlob(k *call) (answer, *refusal) {
	ct, fail := c.blobContainer(k, "blobs/write")
	if fail != nil {
		return answer{}, fail
	}
	if kind := k.R.Header.Get("X-Ms-Blob-Type"); kind != "BlockBlob" {
		return answer{}, refuse(http.StatusBadRequest, "InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format: x-ms-blob-type %q.", kind)
	}
	if fail := conditions(k.R.Header, ct.Blobs[k.P["blob"]], true); fail != nil {
		return answer{}, fail
	}
	if want := k.R.Header.Get("Content-Md5"); want != "" && want != md5Of(k.Body) {
		return answer{}, refuse(http.StatusBadRequest, "Md5Mismatch", "The MD5 value specified in the request did not match with the MD5 value calculated by the server.")
	}
	b, err := c.store(ct, k.P["blob"], k.Body, c.opt.Now())
	if err != nil {
		return answer{}, refuse(http.StatusInternalServerError, "InternalError", "%s", err)
	}
	b.take(k.R.Header)
	return c.blobAnswer(http.StatusCreated, b.ETag, b.Modified)
}

// take reads the properties that an upload sets.
func (b *blob) take(h http.Header) {
	b.Metadata = metadata(h)
	if t := h.Get("X-Ms-Blob-Content-Type"); t != "" {
		b.Type = t
	}
	if m := h.Get("X-Ms-Blob-Content-Md5"); m != "" {
		b.MD5 = m
	}
}

func md5Of(data []byte) string {
	sum := md5.Sum(data)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (c *Cloud) deleteBlob(k *call) (answer, *refusal) {
	ct, fail := c.blobContainer(k, "blobs/delete")
	if fail != nil {
		return answer{}, fail
	}
	b := ct.Blobs[k.P["blob"]]
	if b == nil {
		return answer{}, noBlob()
	}
	if fail := conditions(k.R.Header, b, true); fail != nil {
		return answer{}, fail
	}
	c.dropBlob(ct, k.P["blob"])
	a, _ := empty(http.StatusAccepted)
	a.Header.Set("X-Ms-Delete-Type-Permanent", "true")
	return a, nil
}

// store puts a blob's bytes down under a new name, and forgets the old ones.
func (c *Cloud) store(ct *container, name string, data []byte, now time.Time) (*blob, error) {
	b, err := c.storeBytes(data, now)
	if err != nil {
		return nil, err
	}
	if old := ct.Blobs[name]; old != nil {
		b.Created = old.Created
	}
	c.dropBlob(ct, name)
	ct.Blobs[name] = b
	return b, nil
}

func (c *Cloud) storeBytes(data []byte, now time.Time) (*blob, error) {
	b := &blob{File: c.state.ID(32), Size: int64(len(data)), ETag: c.newETag(), MD5: md5Of(data), Type: "application/octet-stream", Created: now, Modified: now}
	return b, os.WriteFile(c.blobPath(b), data, 0o600)
}

func (c *Cloud) blobPath(b *blob) string { return filepath.Join(c.opt.Dir, "blobs", b.File) }

// dropBlob forgets a blob and its bytes. A file that is gone already is no loss.
func (c *Cloud) dropBlob(ct *container, name string) {
	if b := ct.Blobs[name]; b != nil {
		_ = os.Remove(c.blobPath(b))
		delete(ct.Blobs, name)
	}
}

func (c *Cloud) dropBlobs(ct *container) {
	for name := range ct.Blobs {
		c.dropBlob(ct, name)
	}
	for name := range ct.Staged {
		c.dropStaged(ct, name)
	}
}

package azure

import (
	"encoding/xml"
	"net/http"
	"os"
)

// putBlock stages one block of a blob that becomes visible with putBlockList.
func (c *Cloud) putBlock(k *call) (answer, *refusal) {
	ct, fail := c.blobContainer(k, "blobs/write")
	if fail != nil {
		return answer{}, fail
	}
	id := k.Query.Get("blockid")
	if id == "" {
		return answer{}, refuse(http.StatusBadRequest, "InvalidQueryParameterValue", "A block needs a blockid.")
	}
	b, err := c.storeBytes(k.Body, c.opt.Now())
	if err != nil {
		return answer{}, refuse(http.StatusInternalServerError, "InternalError", "%s", err)
	}
	if ct.Staged == nil {
		ct.Staged = map[string]map[string]*blob{}
	}
	if ct.Staged[k.P["blob"]] == nil {
		ct.Staged[k.P["blob"]] = map[string]*blob{}
	}
	if old := ct.Staged[k.P["blob"]][id]; old != nil {
		_ = os.Remove(c.blobPath(old))
	}
	ct.Staged[k.P["blob"]][id] = b
	a, _ := empty(http.StatusCreated)
	a.Header.Set("Content-Md5", b.MD5)
	return a, nil
}

type blockList struct {
	XMLName xml.Name `xml:"BlockList"`
	Blocks  []struct {
		XMLName xml.Name
		ID      string `xml:",chardata"`
	} `xml:",any"`
}

// putBlockList makes a blob of staged blocks, in the order of the list.
func (c *Cloud) putBlockList(k *call) (answer, *refusal) {
	ct, fail := c.blobContainer(k, "blobs/write")
	if fail != nil {
		return answer{}, fail
	}
	if fail := conditions(k.R.Header, ct.Blobs[k.P["blob"]], true); fail != nil {
		return answer{}, fail
	}
	var list blockList
	if err := xml.Unmarshal(k.Body, &list); err != nil {
		return answer{}, refuse(http.StatusBadRequest, "InvalidXmlDocument", "XML specified is not syntactically valid.")
	}
	var data []byte
	var ids []string
	for _, entry := range list.Blocks {
		b := ct.Staged[k.P["blob"]][entry.ID]
		if b == nil {
			return answer{}, refuse(http.StatusBadRequest, "InvalidBlockList", "The specified block list is invalid.")
		}
		part, err := os.ReadFile(c.blobPath(b))
		if err != nil {
			return answer{}, refuse(http.StatusInternalServerError, "InternalError", "%s", err)
		}
		data, ids = append(data, part...), append(ids, entry.ID)
	}
	b, err := c.store(ct, k.P["blob"], data, c.opt.Now())
	if err != nil {
		return answer{}, refuse(http.StatusInternalServerError, "InternalError", "%s", err)
	}
	b.MD5, b.Blocks = "", ids // only whole uploads have a sum
	b.take(k.R.Header)
	c.dropStaged(ct, k.P["blob"])
	return c.blobAnswer(http.StatusCreated, b.ETag, b.Modified)
}

func (c *Cloud) dropStaged(ct *container, name string) {
	for _, b := range ct.Staged[name] {
		_ = os.Remove(c.blobPath(b))
	}
	delete(ct.Staged, name)
}

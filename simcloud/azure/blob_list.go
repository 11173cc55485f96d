package azure

import (
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"outlay/simcloud"
)

type blobListing struct {
	XMLName         xml.Name `xml:"EnumerationResults"`
	ServiceEndpoint string   `xml:"ServiceEndpoint,attr"`
	ContainerName   string   `xml:"ContainerName,attr,omitempty"`
	Prefix          string   `xml:"Prefix,omitempty"`
	Marker          string   `xml:"Marker,omitempty"`
	MaxResults      int      `xml:"MaxResults,omitempty"`
	Delimiter       string   `xml:"Delimiter,omitempty"`
	Blobs           *listedBlobs
	Containers      *listedContainers
	NextMarker      string
}

type listedBlobs struct {
	Blob       []listedBlob
	BlobPrefix []listedPrefix
}

type listedPrefix struct{ Name string }

type listedBlob struct {
	Name       string
	Properties listedProperties
	Metadata   *xmlMap `xml:",omitempty"`
}

type listedProperties struct {
	Created      string `xml:"Creation-Time,omitempty"`
	LastModified string `xml:"Last-Modified"`
	Etag         string
	Length       *int64 `xml:"Content-Length,omitempty"`
	Type         string `xml:"Content-Type,omitempty"`
	MD5          string `xml:"Content-MD5,omitempty"`
	BlobType     string `xml:",omitempty"`
	AccessTier   string `xml:",omitempty"`
	LeaseStatus  string
	LeaseState   string
	Encrypted    string `xml:"ServerEncrypted,omitempty"`
}

type listedContainers struct{ Container []listedBlob }

// xmlMap writes a map as elements, as Blob does with metadata.
type xmlMap map[string]string

// MarshalXML writes one element for each key, in order.
func (m xmlMap) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if err := e.EncodeElement(m[key], xml.StartElement{Name: xml.Name{Local: key}}); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

// maxResults reads how many entries a page may have.
func maxResults(k *call) (int, *refusal) {
	const most = 5000
	text := k.Query.Get("maxresults")
	if text == "" {
		return most, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, refuse(http.StatusBadRequest, "OutOfRangeQueryParameterValue", "One of the query parameters specified in the request URI is outside the permissible range.")
	}
	return min(n, most), nil
}

// blobContainers lists the containers of an account.
func (c *Cloud) blobContainers(k *call) (answer, *refusal) {
	a, fail := c.blobAccount(k, "read")
	if fail != nil {
		return answer{}, fail
	}
	most, fail := maxResults(k)
	if fail != nil {
		return answer{}, fail
	}
	out := blobListing{ServiceEndpoint: a.endpoint(c.state.Base), Prefix: k.Query.Get("prefix"), Marker: k.Query.Get("marker"), Containers: &listedContainers{}}
	for _, name := range slices.Sorted(maps.Keys(a.Containers)) {
		ct := a.Containers[name]
		if !ct.live() || !strings.HasPrefix(name, out.Prefix) || name < out.Marker {
			continue
		}
		if len(out.Containers.Container) == most {
			out.NextMarker = name
			break
		}
		out.Containers.Container = append(out.Containers.Container, listedBlob{
			Name: name, Properties: listedProperties{LastModified: blobTime(ct.Modified), Etag: ct.ETag, LeaseStatus: "unlocked", LeaseState: "available"}, Metadata: included(k, ct.Metadata),
		})
	}
	return answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/xml"}}, Body: simcloud.XML(out)}, nil
}

func included(k *call, m map[string]string) *xmlMap {
	if !slices.Contains(strings.Split(k.Query.Get("include"), ","), "metadata") {
		return nil
	}
	x := xmlMap(m)
	return &x
}

// listBlobs lists blobs in the order of their names, flat or up to a delimiter, page by page.
func (c *Cloud) listBlobs(k *call) (answer, *refusal) {
	ct, fail := c.blobContainer(k, "blobs/read")
	if fail != nil {
		return answer{}, fail
	}
	most, fail := maxResults(k)
	if fail != nil {
		return answer{}, fail
	}
	most = min(most, c.opt.BlobsPerPage)
	out := blobListing{
		ServiceEndpoint: c.state.Accounts[k.P["account"]].endpoint(c.state.Base), ContainerName: ct.Name, Prefix: k.Query.Get("prefix"), Marker: k.Query.Get("marker"),
		Delimiter: k.Query.Get("delimiter"), Blobs: &listedBlobs{},
	}
	last, n := "", 0
	for _, name := range slices.Sorted(maps.Keys(ct.Blobs)) {
		if !strings.HasPrefix(name, out.Prefix) {
			continue
		}
		entry := name
		if out.Delimiter != "" {
			if before, _, found := strings.Cut(name[len(out.Prefix):], out.Delimiter); found {
				entry = out.Prefix + before + out.Delimiter
			}
		}
		if entry < out.Marker || entry == last {
			continue
		}
		if n == most {
			out.NextMarker = entry
			break
		}
		n, last = n+1, entry
		if entry != name {
			out.Blobs.BlobPrefix = append(out.Blobs.BlobPrefix, listedPrefix{entry})
			continue
		}
		out.Blobs.Blob = append(out.Blobs.Blob, ct.Blobs[name].listed(k, name))
	}
	return answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/xml"}}, Body: simcloud.XML(out)}, nil
}

// listed is a blob's entry. Its ETag has no quotes there, unlike in headers.
func (b *blob) listed(k *call, name string) listedBlob {
	size := b.Size
	return listedBlob{Name: name, Metadata: included(k, b.Metadata), Properties: listedProperties{
		Created: blobTime(b.Created), LastModified: blobTime(b.Modified), Etag: strings.Trim(b.ETag, `"`), Length: &size, Type: b.Type, MD5: b.MD5, BlobType: "BlockBlob", AccessTier: "Hot",
		LeaseStatus: "unlocked", LeaseState: "available", Encrypted: "true",
	}}
}

package aws

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
)

const s3Namespace = `xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`

// setting is a bucket setting that is put and got as the same XML document.
type setting struct {
	sub     string // sub-resource
	put     string // operation, and action of it
	putNeed string
	get     string
	getNeed string
	root    string
	missing string // error code when there is none
	check   func(body []byte) bool
}

func settings() []setting {
	return []setting{
		{
			sub: "publicAccessBlock", root: "PublicAccessBlockConfiguration", missing: "NoSuchPublicAccessBlockConfiguration",
			put: "PutPublicAccessBlock", putNeed: "s3:PutBucketPublicAccessBlock",
			get: "GetPublicAccessBlock", getNeed: "s3:GetBucketPublicAccessBlock",
			check: func([]byte) bool { return true },
		},
		{
			sub: "ownershipControls", root: "OwnershipControls", missing: "OwnershipControlsNotFoundError",
			put: "PutBucketOwnershipControls", putNeed: "s3:PutBucketOwnershipControls",
			get: "GetBucketOwnershipControls", getNeed: "s3:GetBucketOwnershipControls",
			check: func(body []byte) bool {
				return slices.Contains([]string{"BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"}, within(body, "ObjectOwnership"))
			},
		},
		{
			sub: "encryption", root: "ServerSideEncryptionConfiguration", missing: "ServerSideEncryptionConfigurationNotFoundError",
			put: "PutBucketEncryption", putNeed: "s3:PutEncryptionConfiguration",
			get: "GetBucketEncryption", getNeed: "s3:GetEncryptionConfiguration",
			check: func(body []byte) bool {
				return slices.Contains([]string{"AES256", "aws:kms", "aws:kms:dsse"}, within(body, "SSEAlgorithm"))
			},
		},
		{
			sub: "lifecycle", root: "LifecycleConfiguration", missing: "NoSuchLifecycleConfiguration",
			put: "PutBucketLifecycleConfiguration", putNeed: "s3:PutLifecycleConfiguration",
			get: "GetBucketLifecycleConfiguration", getNeed: "s3:GetLifecycleConfiguration",
			// A rule has a status, and a filter or the older prefix.
			check: func(body []byte) bool {
				status := within(body, "Status")
				filtered := strings.Contains(string(body), "<Filter") || strings.Contains(string(body), "<Prefix")
				return (status == "Enabled" || status == "Disabled") && filtered
			},
		},
	}
}

// defaultSettings are those of a new bucket.
func defaultSettings() map[string]string {
	return map[string]string{
		"publicAccessBlock": `<PublicAccessBlockConfiguration ` + s3Namespace + `><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>`,
		"ownershipControls": `<OwnershipControls ` + s3Namespace + `><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>`,
		"encryption":        `<ServerSideEncryptionConfiguration ` + s3Namespace + `><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>`,
	}
}

func settingOperations() map[string]operation {
	ops := map[string]operation{
		"GetBucketTagging":    {run: (*Cloud).getBucketTagging},
		"PutBucketTagging":    {run: (*Cloud).putBucketTagging, changes: true},
		"DeleteBucketTagging": {run: (*Cloud).deleteBucketTagging, changes: true},
		"GetBucketVersioning": {run: (*Cloud).getBucketVersioning},
		"PutBucketVersioning": {run: (*Cloud).putBucketVersioning, changes: true},
		"GetBucketPolicy":     {run: (*Cloud).getBucketPolicy},
		"PutBucketPolicy":     {run: (*Cloud).putBucketPolicy, changes: true},
		"DeleteBucketPolicy":  {run: (*Cloud).deleteBucketPolicy, changes: true},
	}
	for _, s := range settings() {
		ops[s.get] = operation{run: s.read}
		ops[s.put] = operation{run: s.write, changes: true}
	}
	return ops
}

func (s setting) read(c *Cloud, k *call) (answer, *refusal) {
	b, fail := c.open(k, s.getNeed)
	if fail != nil {
		return answer{}, fail
	}
	doc := b.Settings[s.sub]
	if doc == "" {
		return answer{}, refuse(http.StatusNotFound, s.missing, "The configuration was not found")
	}
	return answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/xml"}}, Body: []byte(doc)}, nil
}

func (s setting) write(c *Cloud, k *call) (answer, *refusal) {
	b, fail := c.open(k, s.putNeed)
	if fail == nil {
		fail = k.checked(k.Body, true)
	}
	if fail != nil {
		return answer{}, fail
	}
	var doc struct{ XMLName xml.Name }
	if err := xml.Unmarshal(k.Body, &doc); err != nil || doc.XMLName.Local != s.root || !s.check(k.Body) {
		return answer{}, malformedXML()
	}
	b.Settings[s.sub] = string(k.Body)
	return answer{Status: http.StatusOK}, nil
}

// within is the text of the first element of a name.
func within(body []byte, element string) string {
	_, rest, ok := strings.Cut(string(body), "<"+element+">")
	if !ok {
		return ""
	}
	text, _, _ := strings.Cut(rest, "<")
	return text
}

type tag struct{ Key, Value string }

type tagging struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Tagging"`
	Tags    []tag    `xml:"TagSet>Tag"`
}

// tagMap refuses what S3 refuses: doubled keys, the aws: prefix, more than 50.
func tagMap(tags []tag) (map[string]string, *refusal) {
	out := map[string]string{}
	for _, t := range tags {
		if _, twice := out[t.Key]; twice || t.Key == "" || len(t.Key) > 128 || len(t.Value) > 256 || strings.HasPrefix(t.Key, "aws:") {
			return nil, refuse(http.StatusBadRequest, "InvalidTag", "The TagKey you have provided is invalid")
		}
		out[t.Key] = t.Value
	}
	if len(out) > 50 {
		return nil, refuse(http.StatusBadRequest, "BadRequest", "Bucket tag count cannot be greater than 50")
	}
	return out, nil
}

func tagList(m map[string]string) []tag {
	var out []tag
	for key, value := range m {
		out = append(out, tag{key, value})
	}
	slices.SortFunc(out, func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
	return out
}

func (c *Cloud) getBucketTagging(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:GetBucketTagging")
	if fail != nil {
		return answer{}, fail
	}
	if len(b.Tags) == 0 {
		return answer{}, refuse(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist")
	}
	return xmlAnswer(tagging{Tags: tagList(b.Tags)})
}

func (c *Cloud) putBucketTagging(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:PutBucketTagging")
	if fail == nil {
		fail = k.checked(k.Body, true)
	}
	if fail != nil {
		return answer{}, fail
	}
	var in tagging
	if err := xml.Unmarshal(k.Body, &in); err != nil {
		return answer{}, malformedXML()
	}
	tags, fail := tagMap(in.Tags)
	if fail != nil {
		return answer{}, fail
	}
	b.Tags = tags
	return answer{Status: http.StatusNoContent}, nil
}

func (c *Cloud) deleteBucketTagging(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:PutBucketTagging")
	if fail != nil {
		return answer{}, fail
	}
	b.Tags = nil
	return answer{Status: http.StatusNoContent}, nil
}

type versioning struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
	Status  string   `xml:",omitempty"`
}

func (c *Cloud) getBucketVersioning(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:GetBucketVersioning")
	if fail != nil {
		return answer{}, fail
	}
	return xmlAnswer(versioning{Status: b.Versioning})
}

func (c *Cloud) putBucketVersioning(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:PutBucketVersioning")
	if fail == nil {
		fail = k.checked(k.Body, true)
	}
	if fail != nil {
		return answer{}, fail
	}
	var in versioning
	if err := xml.Unmarshal(k.Body, &in); err != nil || (in.Status != "Enabled" && in.Status != "Suspended") {
		return answer{}, malformedXML()
	}
	b.Versioning = in.Status
	return answer{Status: http.StatusOK}, nil
}

package aws

import (
	"encoding/xml"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bucket is a bucket with its settings and the records of its objects.
type bucket struct {
	Name, Account, Region string
	Created               time.Time
	Tags                  map[string]string
	Policy                string
	PolicyBefore          string            // what Data Exports still sees while PolicyLag lasts
	PolicyLag             int               `json:",omitempty"`
	Settings              map[string]string // XML of a setting by its sub-resource name
	Versioning            string            // "", "Enabled", "Suspended"
	Objects               map[string][]*version
	Uploads               map[string]*upload
	Protected             []string // key prefixes under object lock
	Hidden                int      `json:",omitempty"` // reads that do not see it yet
	Foreign               bool     // planted by a test: nobody may touch it
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

type createBucketConfiguration struct {
	LocationConstraint string
	Tags               []tag `xml:"Tags>Tag"`
}

// createBucket follows S3's rules of names and regions: none given means the endpoint's own, and only us-east-1 makes
// buckets elsewhere. A bucket of one's own is a 200 in us-east-1 and a conflict in the rest of the world.
func (c *Cloud) createBucket(k *call) (answer, *refusal) {
	arn := c.bucketARN(k.Bucket)
	if fail := c.need(k, "s3:CreateBucket", arn); fail != nil {
		return answer{}, fail
	}
	var in createBucketConfiguration
	if len(k.Body) > 0 {
		if err := xml.Unmarshal(k.Body, &in); err != nil {
			return answer{}, malformedXML()
		}
	}
	if len(in.Tags) > 0 {
		if fail := c.need(k, "s3:TagResource", arn); fail != nil {
			return answer{}, fail
		}
	}
	region, fail := newBucketRegion(k.Region, in.LocationConstraint)
	if fail == nil {
		fail = c.checkName(k, region)
	}
	if fail != nil {
		return answer{}, fail
	}
	ok := answer{Status: http.StatusOK, Header: http.Header{"Location": {"/" + k.Bucket}, "X-Amz-Bucket-Arn": {arn}}}
	if b := c.state.Buckets[k.Bucket]; b != nil {
		if b.Account != k.Caller.Account {
			return answer{}, refuse(http.StatusConflict, "BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.")
		}
		if b.Region == "us-east-1" && region == "us-east-1" {
			return ok, nil
		}
		return answer{}, refuse(http.StatusConflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
	}
	tags, fail := tagMap(in.Tags)
	if fail != nil {
		return answer{}, fail
	}
	b := c.newBucket(k.Bucket, k.Caller.Account, region)
	b.Tags, b.Hidden = tags, c.opt.ListLag
	return ok, nil
}

// newBucket has the defaults of every bucket since April 2023: nothing public, owner enforced, encrypted.
func (c *Cloud) newBucket(name, account, region string) *bucket {
	b := &bucket{
		Name: name, Account: account, Region: region, Created: c.opt.Now().UTC().Truncate(time.Second),
		Objects: map[string][]*version{}, Uploads: map[string]*upload{}, Settings: defaultSettings(),
	}
	c.state.Buckets[name] = b
	return b
}

// newBucketRegion is where a bucket asked for at an endpoint comes to lie.
func newBucketRegion(endpoint, constraint string) (string, *refusal) {
	illegal := refuse(http.StatusBadRequest, "IllegalLocationConstraintException", "The %s location constraint is incompatible for the region specific endpoint this request was sent to.", orText(constraint, "unspecified"))
	switch {
	case constraint == "us-east-1":
		return "", refuse(http.StatusBadRequest, "InvalidLocationConstraint", "The specified location-constraint is not valid")
	case endpoint == "us-east-1" && constraint == "":
		return "us-east-1", nil
	case endpoint == "us-east-1":
		return constraint, nil
	case constraint == endpoint:
		return constraint, nil
	}
	return "", illegal
}

func orText(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// checkName keeps the two namespaces apart: names that end in -an belong to the account that they name.
func (c *Cloud) checkName(k *call, region string) *refusal {
	bad := refuse(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.")
	if !bucketName.MatchString(k.Bucket) || strings.Contains(k.Bucket, "..") {
		return bad
	}
	switch k.R.Header.Get("X-Amz-Bucket-Namespace") {
	case "", "global":
		if strings.HasSuffix(k.Bucket, "-an") {
			return bad
		}
	case "account-regional":
		if c.opt.NoAccountRegional {
			return refuse(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented")
		}
		suffix := "-" + k.Caller.Account + "-" + region + "-an"
		if len(k.Bucket) <= len(suffix) || !strings.HasSuffix(k.Bucket, suffix) {
			return bad
		}
	default:
		return refuse(http.StatusBadRequest, "InvalidArgument", "The bucket namespace is not valid")
	}
	return nil
}

func (c *Cloud) headBucket(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:ListBucket")
	if fail != nil {
		if b != nil { // refused, but S3 still tells the region
			fail.header = http.Header{"X-Amz-Bucket-Region": {b.Region}}
		}
		return answer{}, fail
	}
	return answer{Status: http.StatusOK, Header: http.Header{"X-Amz-Bucket-Region": {b.Region}, "X-Amz-Bucket-Arn": {c.bucketARN(b.Name)}}}, nil
}

func (c *Cloud) deleteBucket(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:DeleteBucket")
	if fail != nil {
		return answer{}, fail
	}
	if len(b.Objects) > 0 {
		return answer{}, refuse(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	}
	for _, u := range b.Uploads {
		c.dropUpload(b, u)
	}
	delete(c.state.Buckets, b.Name)
	return answer{Status: http.StatusNoContent}, nil
}

type locationConstraint struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
	Region  string   `xml:",chardata"`
}

// getBucketLocation answers an empty constraint for us-east-1, from any endpoint.
func (c *Cloud) getBucketLocation(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:GetBucketLocation")
	if fail != nil {
		return answer{}, fail
	}
	out := locationConstraint{Region: b.Region}
	if b.Region == "us-east-1" {
		out.Region = ""
	}
	return xmlAnswer(out)
}

type bucketList struct {
	XMLName           xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
	Owner             struct{ ID string }
	Prefix            string        `xml:",omitempty"`
	ContinuationToken string        `xml:",omitempty"`
	Buckets           []bucketEntry `xml:"Buckets>Bucket"`
}

type bucketEntry struct{ Name, CreationDate, BucketRegion string }

// listBuckets lists the caller's buckets of all regions; in pages only when asked for pages.
func (c *Cloud) listBuckets(k *call) (answer, *refusal) {
	if fail := c.need(k, "s3:ListAllMyBuckets", "*"); fail != nil {
		return answer{}, fail
	}
	out := bucketList{Prefix: k.Query.Get("prefix")}
	out.Owner.ID = ownerID(k.Caller.Account)
	region := k.Query.Get("bucket-region")
	var all []bucketEntry
	for _, b := range c.state.Buckets {
		if b.Account == k.Caller.Account && strings.HasPrefix(b.Name, out.Prefix) && (region == "" || region == b.Region) && !c.hides(&b.Hidden) {
			all = append(all, bucketEntry{b.Name, xmlTime(b.Created), b.Region})
		}
	}
	slices.SortFunc(all, func(a, b bucketEntry) int { return strings.Compare(a.Name, b.Name) })
	size, err := strconv.Atoi(k.Query.Get("max-buckets"))
	if err != nil {
		size = len(all)
	}
	page, next, fail := paged(all, k.Query.Get("continuation-token"), size, 10000)
	out.Buckets, out.ContinuationToken = page, next
	if fail != nil {
		return answer{}, fail
	}
	return xmlAnswer(out)
}

// ownerID is the canonical user id of an account.
func ownerID(account string) string { return hexSum([]byte("owner " + account)) }

func malformedXML() *refusal {
	return refuse(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

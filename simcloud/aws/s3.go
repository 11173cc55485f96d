package aws

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// s3Operation names the operation of a path-style request: method, whether there is a key, and the sub-resource.
func s3Operation(r *http.Request, bucket, key string, query url.Values) string {
	sub := ""
	for _, s := range []string{"tagging", "publicAccessBlock", "ownershipControls", "encryption", "lifecycle", "versioning", "policy", "location", "versions", "uploads", "delete", "uploadId"} {
		if query.Has(s) {
			sub = s
		}
	}
	if query.Get("list-type") == "2" {
		sub = "list-type"
	}
	for q := range query { // a sub-resource that is not simulated must not fall through to another call
		if sub == "" && !s3Parameter(q) {
			return ""
		}
	}
	level := "bucket"
	switch {
	case bucket == "":
		level = "service"
	case key != "":
		level = "object"
	}
	return s3Names()[r.Method+" "+level+" "+sub]
}

// s3Parameter tells the query parameters of plain calls from sub-resources.
func s3Parameter(name string) bool {
	return name == "x-id" || name == "versionId" || name == "partNumber" || strings.HasPrefix(name, "response-") || name == "max-buckets" || name == "continuation-token" || name == "prefix" || name == "bucket-region"
}

func s3Names() map[string]string {
	return map[string]string{
		"GET service ":                 "ListBuckets",
		"PUT bucket ":                  "CreateBucket",
		"HEAD bucket ":                 "HeadBucket",
		"DELETE bucket ":               "DeleteBucket",
		"GET bucket location":          "GetBucketLocation",
		"GET bucket list-type":         "ListObjectsV2",
		"GET bucket versions":          "ListObjectVersions",
		"GET bucket uploads":           "ListMultipartUploads",
		"POST bucket delete":           "DeleteObjects",
		"GET bucket tagging":           "GetBucketTagging",
		"PUT bucket tagging":           "PutBucketTagging",
		"DELETE bucket tagging":        "DeleteBucketTagging",
		"GET bucket publicAccessBlock": "GetPublicAccessBlock",
		"PUT bucket publicAccessBlock": "PutPublicAccessBlock",
		"GET bucket ownershipControls": "GetBucketOwnershipControls",
		"PUT bucket ownershipControls": "PutBucketOwnershipControls",
		"GET bucket encryption":        "GetBucketEncryption",
		"PUT bucket encryption":        "PutBucketEncryption",
		"GET bucket lifecycle":         "GetBucketLifecycleConfiguration",
		"PUT bucket lifecycle":         "PutBucketLifecycleConfiguration",
		"GET bucket versioning":        "GetBucketVersioning",
		"PUT bucket versioning":        "PutBucketVersioning",
		"GET bucket policy":            "GetBucketPolicy",
		"PUT bucket policy":            "PutBucketPolicy",
		"DELETE bucket policy":         "DeleteBucketPolicy",
		"HEAD object ":                 "HeadObject",
		"GET object ":                  "GetObject",
		"PUT object ":                  "PutObject",
		"DELETE object ":               "DeleteObject",
		"POST object uploads":          "CreateMultipartUpload",
		"PUT object uploadId":          "UploadPart",
		"POST object uploadId":         "CompleteMultipartUpload",
		"DELETE object uploadId":       "AbortMultipartUpload",
	}
}

func s3Operations() map[string]operation {
	ops := map[string]operation{
		"ListBuckets":             {run: (*Cloud).listBuckets},
		"CreateBucket":            {run: (*Cloud).createBucket, changes: true},
		"HeadBucket":              {run: (*Cloud).headBucket},
		"DeleteBucket":            {run: (*Cloud).deleteBucket, changes: true},
		"GetBucketLocation":       {run: (*Cloud).getBucketLocation},
		"ListObjectsV2":           {run: (*Cloud).listObjects},
		"ListObjectVersions":      {run: (*Cloud).listObjectVersions},
		"HeadObject":              {run: (*Cloud).getObject},
		"GetObject":               {run: (*Cloud).getObject},
		"PutObject":               {run: (*Cloud).putObject, changes: true},
		"DeleteObject":            {run: (*Cloud).deleteObject, changes: true},
		"DeleteObjects":           {run: (*Cloud).deleteObjects, changes: true},
		"ListMultipartUploads":    {run: (*Cloud).listMultipartUploads},
		"CreateMultipartUpload":   {run: (*Cloud).createMultipartUpload, changes: true},
		"UploadPart":              {run: (*Cloud).uploadPart, changes: true},
		"CompleteMultipartUpload": {run: (*Cloud).completeMultipartUpload, changes: true},
		"AbortMultipartUpload":    {run: (*Cloud).abortMultipartUpload, changes: true},
	}
	maps.Copy(ops, settingOperations())
	return ops
}

func (c *Cloud) bucketARN(name string) string { return "arn:" + c.opt.Partition + ":s3:::" + name }

// open finds the bucket of a call in the order in which S3 checks: does it exist, is this its region, is the owner as
// expected, may the caller.
func (c *Cloud) open(k *call, action string) (*bucket, *refusal) {
	b := c.state.Buckets[k.Bucket]
	if b == nil || c.hides(&b.Hidden) {
		return nil, notFound(k)
	}
	if k.Region != b.Region && k.Op != "GetBucketLocation" {
		fail := refuse(http.StatusMovedPermanently, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.")
		fail.header = http.Header{"X-Amz-Bucket-Region": {b.Region}}
		return nil, fail
	}
	if want := k.R.Header.Get("X-Amz-Expected-Bucket-Owner"); want != "" && want != b.Account {
		return nil, refuse(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	return b, c.mayOnBucket(k, b, action, k.Key)
}

func notFound(k *call) *refusal {
	code := "NoSuchBucket"
	if k.R.Method == http.MethodHead {
		code = "NotFound"
	}
	return refuse(http.StatusNotFound, code, "The specified bucket does not exist")
}

// hides counts a read that does not see a new thing yet.
func (c *Cloud) hides(left *int) bool {
	if *left <= 0 {
		return false
	}
	*left--
	return true
}

// mayOnBucket joins the caller's policies with the bucket's: within an account either may allow, across accounts both
// must; a deny in either wins.
func (c *Cloud) mayOnBucket(k *call, b *bucket, action, key string) *refusal {
	resource := c.bucketARN(b.Name)
	if key != "" {
		resource += "/" + key
	}
	context := map[string]string{"s3:prefix": k.Query.Get("prefix"), "aws:securetransport": "true"}
	byPolicy := b.says(ask{action: action, resource: resource, arn: k.Caller.ARN, account: k.Caller.Account, context: context})
	if byPolicy == explicitDeny {
		return refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %q with an explicit deny in a resource-based policy", c.callerARN(k), action, resource)
	}
	fail := c.needWith(k, action, resource, context)
	if k.Caller.Account != b.Account {
		if byPolicy != allowed || fail != nil {
			return refuse(http.StatusForbidden, "AccessDenied", "Access Denied")
		}
		return nil
	}
	if fail != nil && byPolicy == allowed && c.decide(k.Caller, ask{action: action, resource: resource, context: context}).text == implicitDeny {
		return nil
	}
	return fail
}

// says asks the bucket's policy.
func (b *bucket) says(q ask) string { return policySays(b.Policy, q) }

func policySays(doc string, q ask) string {
	out := implicitDeny
	policy, err := parsePolicy(doc)
	if err != nil {
		return out // no policy
	}
	for _, s := range policy.Statement {
		if !s.speaksOf(q) || !s.matches(q) {
			continue
		}
		if s.Effect == "Deny" {
			return explicitDeny
		}
		out = allowed
	}
	return out
}

package aws

import "net/http"

func (c *Cloud) getBucketPolicy(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:GetBucketPolicy")
	if fail != nil {
		return answer{}, fail
	}
	if b.Policy == "" {
		return answer{}, refuse(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
	}
	return answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(b.Policy)}, nil
}

// putBucketPolicy replaces the whole policy: there is no compare-and-set.
func (c *Cloud) putBucketPolicy(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:PutBucketPolicy")
	if fail == nil {
		fail = k.checked(k.Body, true)
	}
	if fail != nil {
		return answer{}, fail
	}
	policy, err := parseBucketPolicy(string(k.Body), c.bucketARN(b.Name))
	if err != nil || len(k.Body) > 20<<10 {
		return answer{}, refuse(http.StatusBadRequest, "MalformedPolicy", "%s", orErr(err, "Policy exceeds the maximum allowed document size."))
	}
	if b.blocksPublicPolicy() && policy.public() {
		return answer{}, refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: s3:PutBucketPolicy on resource: %q because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access", c.callerARN(k), c.bucketARN(b.Name))
	}
	b.setPolicy(string(k.Body), c.opt.PolicyLag)
	return answer{Status: http.StatusNoContent}, nil
}

func orErr(err error, text string) string {
	if err != nil {
		return err.Error()
	}
	return text
}

func (b *bucket) blocksPublicPolicy() bool {
	return within([]byte(b.Settings["publicAccessBlock"]), "BlockPublicPolicy") == "true"
}

// public tells whether anybody at all is let in.
func (p policyDocument) public() bool {
	for _, s := range p.Statement {
		for kind, names := range s.Principal {
			if s.Effect == "Allow" && len(s.Condition) == 0 && (kind == "*" || kind == "AWS") && contains(names, "*") {
				return true
			}
		}
	}
	return false
}

func (b *bucket) setPolicy(doc string, lag int) {
	b.PolicyBefore, b.PolicyLag, b.Policy = b.Policy, lag, doc
}

func (c *Cloud) deleteBucketPolicy(k *call) (answer, *refusal) {
	b, fail := c.open(k, "s3:DeleteBucketPolicy")
	if fail != nil {
		return answer{}, fail
	}
	b.setPolicy("", 0)
	return answer{Status: http.StatusNoContent}, nil
}

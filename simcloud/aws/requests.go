package aws

import "time"

// Request is one line of the cloud's log.
type Request struct {
	At        time.Time
	ID        string
	Service   string // "s3", "sts", "iam", "organizations", "bcm-data-exports", "ce", "cur"
	Operation string // "CreateBucket"
	Principal string // ARN of the caller; "" when it was not recognised
	Bucket    string
	Key       string
	Status    int       // 0 for a connection that was reset
	Error     string    // error code of a refusal
	Fault     FaultKind // what was done to the call
}

func (k *call) request(now time.Time, a answer, f *Fault) Request {
	r := Request{At: now, ID: k.ID, Service: k.Service, Operation: k.Op, Bucket: k.Bucket, Key: k.Key, Error: a.Code}
	r.Fault, r.Status = f.Seen(a.Status)
	if k.Caller != nil {
		r.Principal = k.Caller.ARN
	}
	return r
}

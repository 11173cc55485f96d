package google

import "time"

// Request is one line of the cloud's log.
type Request struct {
	At        time.Time
	Service   string // "bigquery", "serviceusage", "cloudbilling", "cloudresourcemanager", "oauth2", "sts", "iamcredentials", "console", "storage"
	Operation string // "bigquery.datasets.insert", as the discovery document names it
	Principal string // e-mail address of the caller; "" when it was not recognised
	Path      string
	Statement string    // SQL of a query
	Billed    int64     // bytes that a query was billed
	Status    int       // 0 for a connection that was reset
	Error     string    // reason of a refusal
	Fault     FaultKind // what was done to the call
}

func (k *call) request(now time.Time, a answer, f *Fault) Request {
	r := Request{At: now, Service: k.service(), Operation: k.op(), Path: k.R.URL.Path, Error: a.Code}
	r.Fault, r.Status = f.Seen(a.Status)
	if k.Caller != nil {
		r.Principal = k.Caller.Email
	}
	if k.job != nil {
		r.Statement, r.Billed = k.job.sql, k.job.billed
	}
	return r
}

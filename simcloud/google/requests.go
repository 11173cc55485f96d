package google

import (
	"slices"
	"time"
)

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

// maxLog bounds the log: a demo runs for days.
const maxLog = 20000

func (k *call) request(now time.Time, a answer, f *Fault) Request {
	r := Request{At: now, Service: k.service(), Operation: k.op(), Path: k.R.URL.Path, Status: a.status, Error: a.code}
	if k.Caller != nil {
		r.Principal = k.Caller.Email
	}
	if k.job != nil {
		r.Statement, r.Billed = k.job.sql, k.job.billed
	}
	if f != nil {
		r.Fault = f.Kind
		if f.Kind.silent() {
			r.Status = 0
		}
	}
	return r
}

func (c *Cloud) note(r Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.log) >= maxLog {
		c.log = slices.Clone(c.log[maxLog/2:])
	}
	c.log = append(c.log, r)
}

// Requests gives the log, oldest first.
func (c *Cloud) Requests() []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log)
}

// ClearRequests forgets the log.
func (c *Cloud) ClearRequests() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = nil
}

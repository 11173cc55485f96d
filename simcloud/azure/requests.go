package azure

import (
	"slices"
	"time"
)

// Request is one line of the cloud's log.
type Request struct {
	At        time.Time
	ID        string
	Service   string // "entra", "arm", "blob"
	Operation string // "Exports_CreateOrUpdate"
	Principal string // client id of the caller; "" when it was not recognised
	Path      string // without the query
	Status    int    // 0 for a connection that was reset
	Error     string // error code of a refusal
	Fault     FaultKind
}

// maxLog bounds the log: a demo runs for days.
const maxLog = 20000

func (k *call) request(now time.Time, a answer, f *Fault) Request {
	r := Request{At: now, ID: k.ID, Service: k.Service, Operation: k.Op, Path: k.R.URL.Path, Status: a.status, Error: a.code}
	if k.Caller != nil {
		r.Principal = k.Caller.ClientID
	}
	if f != nil {
		r.Fault = f.Kind
		if f.Kind == ResetBefore || f.Kind == ResetAfter || f.Kind == Hang || f.Kind == HangAfter {
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

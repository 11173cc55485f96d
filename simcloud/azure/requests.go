package azure

import "time"

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

func (k *call) request(now time.Time, a answer, f *Fault) Request {
	r := Request{At: now, ID: k.ID, Service: k.Service, Operation: k.Op, Path: k.R.URL.Path, Error: a.Code}
	r.Fault, r.Status = f.Seen(a.Status)
	if k.Caller != nil {
		r.Principal = k.Caller.ClientID
	}
	return r
}

package outlay

import "time"

// Entry is one line of the audit log. Every change has one, and every cloud mutation two: intent and outcome.
type Entry struct {
	OrgID, ID string
	At        time.Time
	Actor     string // user id, or "system"
	ActorName string
	Addr      string
	Action    string // an Action, or "cloud:…" for a call
	Object    string // what it was done to: 'account acc_…'
	Result    string // "ok", "intent", or the Code of the failure
	Detail    string
	// Hash chains the entry to the one before it in the organization.
	Hash string
}

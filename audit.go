package outlay

import "time"

// Entry is one line of the audit log. Every change has one, and every cloud mutation two: intent and outcome.
type Entry struct {
	OrgID     string    `json:"-"`
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Actor     string    `json:"actor"` // user id, or "system"
	ActorName string    `json:"actorName"`
	Addr      string    `json:"addr,omitempty"`
	Action    string    `json:"action"` // an Action, or "cloud:…" for a call
	Object    string    `json:"object"` // what it was done to: 'account acc_…'
	Result    string    `json:"result"` // "ok", "intent", or the Code of the failure
	Detail    string    `json:"detail,omitempty"`
	// Hash chains the entry to the one before it in the organization.
	Hash string `json:"hash"`
}

package aws

import (
	"time"

	"outlay/simcloud"
)

// state is everything that the cloud knows, less the bytes of objects. It is kept as JSON so that a demo that is
// started again finds its cloud as it was.
type state struct {
	simcloud.Counter
	Accounts   map[string]*account   `json:"accounts"`   // by id
	Principals map[string]*principal `json:"principals"` // by ARN
	Keys       map[string]*accessKey `json:"keys"`       // by access key id
	Buckets    map[string]*bucket    `json:"buckets"`    // by name: one namespace for everybody
	Exports    []*export             `json:"exports"`
	Reports    []*report             `json:"reports,omitempty"`
	Tear       bool                  `json:"tear,omitempty"` // the next period delivered gets no manifest
	Late       []*export             `json:"late,omitempty"` // deleted with a delivery in flight
	Tags       map[string]*tagBook   `json:"tags"`           // by payer account
}

// account is an AWS account, standing alone or in an organization.
type account struct {
	ID, Name string
	Email    string
	Payer    string // its own id for a payer or standalone account
	OrgID    string // "" for a standalone account
	Created  time.Time
	// Denied are actions that a service control policy forbids everybody in the account.
	Denied []string
}

func loadState(dir string) (*state, error) {
	s := &state{
		Accounts: map[string]*account{}, Principals: map[string]*principal{}, Keys: map[string]*accessKey{},
		Buckets: map[string]*bucket{}, Tags: map[string]*tagBook{},
	}
	return s, simcloud.Load(dir, s)
}

// requestID names a request in its answer and in the log.
func (c *Cloud) requestID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.UUID()
}

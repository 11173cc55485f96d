package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// state is everything that the cloud knows, less the bytes of objects. It is kept as JSON so that a demo that is
// started again finds its cloud as it was.
type state struct {
	Accounts   map[string]*account   `json:"accounts"`   // by id
	Principals map[string]*principal `json:"principals"` // by ARN
	Keys       map[string]*accessKey `json:"keys"`       // by access key id
	Buckets    map[string]*bucket    `json:"buckets"`    // by name: one namespace for everybody
	Exports    []*export             `json:"exports"`
	Reports    []*report             `json:"reports,omitempty"`
	Late       []*export             `json:"late,omitempty"` // deleted with a delivery in flight
	Tags       map[string]*tagBook   `json:"tags"`           // by payer account
	Count      int64                 `json:"count"`          // makes ids unique
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
	b, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the simulated cloud: %w", err)
	}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("reading the simulated cloud: %w", err)
	}
	return s, nil
}

// save writes the state beside the old one and renames it over: a killed process leaves one or the other.
func (s *state) save(dir string) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	next := filepath.Join(dir, "state.json.next")
	if err := os.WriteFile(next, b, 0o600); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(dir, "state.json"))
}

// id makes a hex text of n characters that no other call of id made.
func (s *state) id(n int) string {
	s.Count++
	sum := sha256.Sum256(fmt.Appendf(nil, "id %d", s.Count))
	return hex.EncodeToString(sum[:])[:n]
}

// uuid makes an identifier in the shape that export ARNs and executions carry.
func (s *state) uuid() string {
	h := s.id(32)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:32]
}

// requestID names a request in its answer and in the log.
func (c *Cloud) requestID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.uuid()
}

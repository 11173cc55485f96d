package azure

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// state is everything that the cloud knows, less the bytes of blobs. It is kept as JSON so that a demo that is started
// again finds its cloud as it was.
type state struct {
	Base          string                      `json:"base"` // "https://127.0.0.1:8443", as callers reach the cloud
	Key           string                      `json:"key"`  // signs tokens
	Tenants       map[string]*tenant          `json:"tenants"`
	Apps          map[string]*app             `json:"apps"`          // by client id
	Subscriptions map[string]*subscription    `json:"subscriptions"` // by id
	Groups        map[string]*managementGroup `json:"managementGroups"`
	Billing       map[string]*billingScope    `json:"billing"`  // by scope
	Accounts      map[string]*storageAccount  `json:"accounts"` // by name: one namespace for everybody
	Exports       []*export                   `json:"exports"`
	Settings      map[string]*tagSetting      `json:"settings"` // by scope
	Grants        []*grant                    `json:"grants"`
	Locks         map[string]string           `json:"locks"` // by scope: the lock's name
	Operations    map[string]*longRunning     `json:"operations"`
	Revisions     map[string]int              `json:"revisions"` // of a billing scope's month: how often it was restated
	Tear          bool                        `json:"tear"`      // the next run leaves its manifest for later
	Count         int64                       `json:"count"`     // makes ids unique
}

func loadState(dir string) (*state, error) {
	s := &state{
		Tenants: map[string]*tenant{}, Apps: map[string]*app{}, Subscriptions: map[string]*subscription{}, Groups: map[string]*managementGroup{},
		Billing: map[string]*billingScope{}, Accounts: map[string]*storageAccount{}, Settings: map[string]*tagSetting{}, Locks: map[string]string{},
		Operations: map[string]*longRunning{}, Revisions: map[string]int{}, Key: randomText(32),
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
	s.requeue()
	return s, nil
}

// requeue takes up runs in which the cloud was stopped.
func (s *state) requeue() {
	for _, e := range s.Exports {
		for _, r := range e.Runs {
			if r.Status == "InProgress" && r.Pending == nil {
				r.Status = "Queued"
			}
		}
	}
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

// guid makes an identifier in the shape that Azure gives everything.
func (s *state) guid() string {
	h := s.id(32)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:32]
}

// requestID names a request in its answer and in the log.
func (c *Cloud) requestID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.guid()
}

// persist saves a change that a test or the demo made itself. Losing it would only surprise, so it panics.
func (c *Cloud) persist() {
	if err := c.state.save(c.opt.Dir); err != nil {
		panic("simulated cloud: " + err.Error())
	}
}

func without(s []string, gone []string) []string {
	return slices.DeleteFunc(s, func(x string) bool { return len(gone) == 0 || slices.Contains(gone, x) })
}

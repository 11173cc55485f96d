package azure

import (
	"slices"

	"outlay/simcloud"
)

// state is everything that the cloud knows, less the bytes of blobs. It is kept as JSON so that a demo that is started
// again finds its cloud as it was.
type state struct {
	simcloud.Counter
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
}

func loadState(dir string) (*state, error) {
	s := &state{
		Tenants: map[string]*tenant{}, Apps: map[string]*app{}, Subscriptions: map[string]*subscription{}, Groups: map[string]*managementGroup{},
		Billing: map[string]*billingScope{}, Accounts: map[string]*storageAccount{}, Settings: map[string]*tagSetting{}, Locks: map[string]string{},
		Operations: map[string]*longRunning{}, Revisions: map[string]int{}, Key: randomText(32),
	}
	if err := simcloud.Load(dir, s); err != nil {
		return nil, err
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

// hides counts a read that does not see a new thing yet.
func hides(left *int) bool {
	if *left <= 0 {
		return false
	}
	*left--
	return true
}

// requestID names a request in its answer and in the log.
func (c *Cloud) requestID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.UUID()
}

// persist saves a change that a test or the demo made itself. Losing it would only surprise, so it panics.
func (c *Cloud) persist() { simcloud.MustSave(c.opt.Dir, c.state) }

func without(s []string, gone []string) []string {
	return slices.DeleteFunc(s, func(x string) bool { return len(gone) == 0 || slices.Contains(gone, x) })
}

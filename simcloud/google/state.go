package google

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

// state is everything that the cloud knows, less the rows of tables. It is kept as JSON so that a demo that is started
// again finds its cloud as it was.
type state struct {
	Projects   map[string]*project        `json:"projects"`        // by project id
	Accounts   map[string]*billingAccount `json:"billingAccounts"` // by id XXXXXX-XXXXXX-XXXXXX
	Identities map[string]*identity       `json:"identities"`      // service accounts by e-mail address
	Pools      map[string]*pool           `json:"pools"`           // workload identity providers by audience
	Tokens     map[string]*token          `json:"tokens"`
	Datasets   map[string]*dataset        `json:"datasets"` // by "project.dataset"
	Exports    []*export                  `json:"exports"`
	Operations map[string]*enabling       `json:"operations"`
	Attached   string                     `json:"attached"` // e-mail address that the metadata server speaks for
	Count      int64                      `json:"count"`    // makes ids unique
}

// project is a Google project.
type project struct {
	ID, Name       string
	Number         string
	Parent         string // "organizations/123"
	State          string // "ACTIVE", "DELETE_REQUESTED"
	BillingAccount string // "" for a sandbox project
	Labels         map[string]string
	Services       map[string]bool
	Waking         map[string]int // service → calls that still find it disabled
	Regions        []string       // what gcp.resourceLocations allows, lower case; empty: everything
	Created        time.Time
}

// billingAccount is who pays.
type billingAccount struct {
	ID, Name  string
	Closed    bool
	Revisions map[string]int // period → restatements so far
}

// enabling is a long-running operation of Service Usage.
type enabling struct {
	Name     string
	Project  string
	Services []string
	Looks    int // until it is done
}

func loadState(dir string) (*state, error) {
	s := &state{
		Projects: map[string]*project{}, Accounts: map[string]*billingAccount{}, Identities: map[string]*identity{}, Pools: map[string]*pool{},
		Tokens: map[string]*token{}, Datasets: map[string]*dataset{}, Operations: map[string]*enabling{},
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

// number makes n digits, the first of them not 0.
func (s *state) number(n int) string {
	s.Count++
	sum := sha256.Sum256(fmt.Appendf(nil, "number %d", s.Count))
	digits := make([]byte, n)
	for i := range digits {
		digits[i] = '0' + sum[i%len(sum)]%10
	}
	digits[0] = '1' + sum[0]%9
	return string(digits)
}

// persist saves a change that a test or the demo made itself. Losing it would only surprise, so it panics.
func (c *Cloud) persist() {
	if err := c.state.save(c.opt.Dir); err != nil {
		panic("simulated cloud: " + err.Error())
	}
}

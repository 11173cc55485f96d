package google

import (
	"time"

	"outlay/simcloud"
)

// state is everything that the cloud knows, less the rows of tables. It is kept as JSON so that a demo that is started
// again finds its cloud as it was.
type state struct {
	simcloud.Counter
	Projects   map[string]*project        `json:"projects"`        // by project id
	Accounts   map[string]*billingAccount `json:"billingAccounts"` // by id XXXXXX-XXXXXX-XXXXXX
	Identities map[string]*identity       `json:"identities"`      // service accounts by e-mail address
	Pools      map[string]*pool           `json:"pools"`           // workload identity providers by audience
	Tokens     map[string]*token          `json:"tokens"`
	Datasets   map[string]*dataset        `json:"datasets"` // by "project.dataset"
	Exports    []*export                  `json:"exports"`
	Operations map[string]*enabling       `json:"operations"`
	Attached   string                     `json:"attached"` // e-mail address that the metadata server speaks for
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
	return s, simcloud.Load(dir, s)
}

// persist saves a change that a test or the demo made itself. Losing it would only surprise, so it panics.
func (c *Cloud) persist() { simcloud.MustSave(c.opt.Dir, c.state) }

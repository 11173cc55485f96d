// Package google is the Google Cloud side of the product: it observes, plans and applies the services, the dataset and
// its access list, guides a person through the one step that Google offers no API for, and reads what the billing export
// writes. It is the only room that opens Google's clients.
package google

import (
	"net/http"
	"sync"
	"time"

	"outlay"

	"golang.org/x/oauth2"
)

// Name is how this provider is called in stored rows and requests.
const Name outlay.ProviderName = "google"

// The kinds of resource of a source. Access is the part of the dataset that lets the reader in; the export table is
// made by Google once a person turns the export on; tables are the dataset's contents.
const (
	kindServices outlay.ResourceKind = "google/services"
	kindDataset  outlay.ResourceKind = "google/dataset"
	kindAccess   outlay.ResourceKind = "google/dataset-access"
	kindTable    outlay.ResourceKind = "google/export-table"
	kindTables   outlay.ResourceKind = "google/tables"
)

// Options is what a Provider needs from outside.
type Options struct {
	// Secrets opens sealed fields of a credential.
	Secrets outlay.Opener
	Clock   outlay.Clock
	// NamingKey makes names that nobody outside can guess (reliability.md §3.1 rule 2). It never changes.
	NamingKey []byte
	// InstallationID goes into the ownership labels.
	InstallationID string
	// Endpoint replaces every address of Google, the token endpoints and the console included; "" is the real Google.
	Endpoint string
	// StorageEndpoint is host:port of a server of the Storage Read API without TLS; "" is the real one.
	StorageEndpoint string
	// TokenDir is the folder that the token files of federated accounts must lie in; "" refuses that kind.
	TokenDir string
	// AttachedIdentity allows accounts to use the service account that is attached to this server.
	AttachedIdentity bool
	// Transport carries all requests but those of the metadata server; nil is a transport of the net/http package.
	Transport http.RoundTripper
	// Answer is how long a call may wait for the beginning of an answer, and for each further piece; 0 means 60 s.
	Answer time.Duration
	// Poll is the pause between two looks at a running operation or query, and before a read is repeated; 0 means 1 s.
	Poll time.Duration
	// Settle overrides how long after an intent 'not found' proves nothing, by kind.
	Settle map[outlay.ResourceKind]time.Duration
}

// Provider is Google Cloud. It implements outlay.Provider.
type Provider struct {
	opts Options
	http *http.Client

	mu     sync.Mutex
	tokens map[string]oauth2.TokenSource      // by fingerprint of the stored credential
	known  map[string]knownTable              // what a table's last token query found, by account and table
	doubts map[string]map[outlay.Period]int64 // rows that reading found wrong, by the same key
}

// New makes a Provider. It calls nobody.
func New(o Options) *Provider {
	if o.Clock == nil {
		o.Clock = outlay.SystemClock{}
	}
	if o.Answer == 0 {
		o.Answer = time.Minute
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	return &Provider{
		opts: o, http: newHTTPClient(o.Transport, o.Answer, o.Poll),
		tokens: map[string]oauth2.TokenSource{}, known: map[string]knownTable{}, doubts: map[string]map[outlay.Period]int64{},
	}
}

// Name is the provider's machine name.
func (p *Provider) Name() outlay.ProviderName { return Name }

// settle is how long after an intent 'not found' proves nothing (reliability.md §3.1 rule 5).
func (p *Provider) settle(kind outlay.ResourceKind) time.Duration {
	if d, ok := p.opts.Settle[kind]; ok {
		return d
	}
	if kind == kindDataset {
		return 5 * time.Second
	}
	return 0
}

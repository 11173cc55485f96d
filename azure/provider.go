// Package azure is the Azure side of the product: it observes, plans and applies the registration, the resource group,
// the storage account, the container, the Cost Management exports and their runs, and reads what the exports deliver.
// It is the only room that opens the Azure SDK.
package azure

import (
	"net/http"
	"sync"
	"time"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// Name is how this provider is called in stored rows and requests.
const Name outlay.ProviderName = "azure"

// The kinds of resource of a source.
const (
	kindRegistration outlay.ResourceKind = "azure/provider-registration"
	kindGroup        outlay.ResourceKind = "azure/resource-group"
	kindAccount      outlay.ResourceKind = "azure/storage-account"
	kindContainer    outlay.ResourceKind = "azure/container"
	kindExport       outlay.ResourceKind = "azure/export" // two when the data comes as actual and amortized cost
	kindFirstRun     outlay.ResourceKind = "azure/first-run"
	kindInheritance  outlay.ResourceKind = "azure/tag-inheritance"
	kindBackfill     outlay.ResourceKind = "azure/backfill"
	kindBlobs        outlay.ResourceKind = "azure/blobs" // what the container holds
)

// Options is what a Provider needs from outside.
type Options struct {
	// Secrets opens sealed fields of a credential.
	Secrets outlay.Opener
	Clock   outlay.Clock
	// NamingKey makes names that nobody outside can guess (reliability.md §3.1 rule 2). It never changes.
	NamingKey []byte
	// InstallationID goes into the ownership marks.
	InstallationID string
	// Endpoint replaces every address of Azure: one base URL that serves Resource Manager at its root, Entra's token
	// endpoint at /{tenant}/oauth2/v2.0/token and blobs at /blob/{account}/. "" is the real Azure.
	Endpoint string
	// CA is the PEM of the certificates to trust instead of the system's; nil trusts the system's.
	CA []byte
	// TokenDir is the only folder that token files of federated accounts are read from; "" allows none.
	TokenDir string
	// ManagedIdentity allows accounts that sign in as this server's own managed identity.
	ManagedIdentity bool
	// Transport carries all requests; nil is a transport of the net/http package.
	Transport http.RoundTripper
	Retry     Retry
	// Poll is the pause between two looks at something that Azure takes its time for; 0 means 5 s. A step that has to be
	// tried again later waits for some of them.
	Poll time.Duration
	// Settle overrides how long after an intent 'not found' proves nothing, by kind.
	Settle map[outlay.ResourceKind]time.Duration
}

// Retry bounds the SDK's own retries of reads. Writes are never repeated by the SDK: the engine looks first
// (reliability.md §3.1 rule 7).
type Retry struct {
	Attempts   int           // in all; 0 means 3
	Delay      time.Duration // before the second; 0 means 800 ms
	MaxBackoff time.Duration // 0 means 20 s
	// Answer is how long a call may wait for the beginning of an answer, and for each further piece; 0 means 60 s.
	Answer time.Duration
}

// Provider is Azure. It implements outlay.Provider.
type Provider struct {
	opts Options
	http *http.Client

	mu    sync.Mutex
	creds map[string]azcore.TokenCredential // by fingerprint of the stored credential

	manifests manifestCache
}

// New makes a Provider. It calls nobody.
func New(o Options) *Provider {
	if o.Clock == nil {
		o.Clock = outlay.SystemClock{}
	}
	if o.Retry.Attempts == 0 {
		o.Retry.Attempts = 3
	}
	if o.Retry.Delay == 0 {
		o.Retry.Delay = 800 * time.Millisecond
	}
	if o.Retry.MaxBackoff == 0 {
		o.Retry.MaxBackoff = 20 * time.Second
	}
	if o.Retry.Answer == 0 {
		o.Retry.Answer = time.Minute
	}
	if o.Poll == 0 {
		o.Poll = 5 * time.Second
	}
	return &Provider{opts: o, http: newHTTPClient(o), creds: map[string]azcore.TokenCredential{}}
}

// Name is the provider's machine name.
func (p *Provider) Name() outlay.ProviderName { return Name }

// settle is how long after an intent 'not found' proves nothing (reliability.md §3.1 rule 5).
func (p *Provider) settle(kind outlay.ResourceKind) time.Duration {
	if d, ok := p.opts.Settle[kind]; ok {
		return d
	}
	switch kind {
	case kindGroup, kindAccount, kindContainer, kindExport, kindFirstRun:
		return 2 * time.Minute
	}
	return 0
}

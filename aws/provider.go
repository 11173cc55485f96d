// Package aws is the AWS side of the product: it observes, plans and applies the bucket, its policy, the data export
// and the cost allocation tags, and reads what the export delivers. It is the only room that opens the AWS SDK.
package aws

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"sync"
	"time"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
)

// Name is how this provider is called in stored rows and requests.
const Name outlay.ProviderName = "aws"

// The kinds of resource of a source. Settings, access and policy are parts of the bucket that are changed, checked
// and repaired one by one.
const (
	kindBucket   outlay.ResourceKind = "aws/bucket"
	kindAccess   outlay.ResourceKind = "aws/bucket-access"
	kindSettings outlay.ResourceKind = "aws/bucket-settings"
	kindPolicy   outlay.ResourceKind = "aws/bucket-policy"
	kindObjects  outlay.ResourceKind = "aws/bucket-objects"
	kindTable    outlay.ResourceKind = "aws/table" // what the export may select from; AWS's own
	kindExport   outlay.ResourceKind = "aws/export"
	kindReport   outlay.ResourceKind = "aws/report" // a legacy cost and usage report that was imported
	kindTag      outlay.ResourceKind = "aws/cost-allocation-tag"
	kindBackfill outlay.ResourceKind = "aws/tag-backfill"
)

// Options is what a Provider needs from outside.
type Options struct {
	// Secrets opens sealed fields of a credential.
	Secrets outlay.Opener
	// Ambient is this server's own identity. It is used to assume customers' roles and for nothing else; with nil, a
	// role account needs base keys of its own.
	Ambient sdk.CredentialsProvider
	// Principal is the ARN of the Ambient identity, for the trust policy to paste; "" leaves a placeholder.
	Principal string
	// Endpoint replaces every address of AWS (with S3 in path style); "" is the real AWS.
	Endpoint string
	// Transport carries all requests; nil is a transport of the net/http package.
	Transport http.RoundTripper
	Clock     outlay.Clock
	// NamingKey makes names that nobody outside can guess (reliability.md §3.1 rule 2). It never changes.
	NamingKey []byte
	// InstallationID goes into the ownership tags.
	InstallationID string
	Retry          Retry
	// Settle overrides how long after an intent 'not found' proves nothing, by kind.
	Settle map[outlay.ResourceKind]time.Duration
}

// Retry bounds the SDK's own retries of reads and of writes that are the same when repeated. Creates that AWS does
// not de-duplicate are never retried by the SDK (reliability.md §3.1 rule 7).
type Retry struct {
	Attempts   int           // in all; 0 means 3
	MaxBackoff time.Duration // 0 means 20 s
	// Answer is how long a call may wait for the beginning of an answer, and for each further piece; 0 means 60 s.
	Answer time.Duration
}

// Provider is AWS. It implements outlay.Provider.
type Provider struct {
	opts Options
	http *http.Client

	mu    sync.Mutex
	creds map[string]sdk.CredentialsProvider // by fingerprint of the stored credential
}

// New makes a Provider. It calls nobody.
func New(o Options) *Provider {
	if o.Clock == nil {
		o.Clock = outlay.SystemClock{}
	}
	if o.Retry.Attempts == 0 {
		o.Retry.Attempts = 3
	}
	if o.Retry.MaxBackoff == 0 {
		o.Retry.MaxBackoff = 20 * time.Second
	}
	if o.Retry.Answer == 0 {
		o.Retry.Answer = time.Minute
	}
	return &Provider{opts: o, http: newHTTPClient(o.Transport, o.Retry.Answer), creds: map[string]sdk.CredentialsProvider{}}
}

// Name is the provider's machine name.
func (p *Provider) Name() outlay.ProviderName { return Name }

// NewExternalID makes the external id of a new role account: 32 random bytes, base64url (architecture.md ruling 1).
func NewExternalID() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// settle is how long after an intent 'not found' proves nothing (reliability.md §3.1 rule 5).
func (p *Provider) settle(kind outlay.ResourceKind) time.Duration {
	if d, ok := p.opts.Settle[kind]; ok {
		return d
	}
	switch kind {
	case kindBucket:
		return 5 * time.Second
	case kindExport:
		return time.Minute
	}
	return 0
}

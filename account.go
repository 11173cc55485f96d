package outlay

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"
)

// ProviderName is a provider's short machine name, lower case; each provider's room knows its own.
type ProviderName string

// CloudAccount is a credential together with the identity that it proved to have in a provider.
type CloudAccount struct {
	OrgID, ID  string
	Name       string // lower-case letters, digits and dashes; unique in the organization
	Provider   ProviderName
	Credential Credential
	// Identity is what the provider says we are. It is bound at first use; a later look that finds another stops.
	Identity  Identity
	Status    BillingStatus
	CreatedAt time.Time
}

// Identity is who a credential is, in the provider's words.
type Identity struct {
	AccountID string            // the provider's account: AWS 12 digits, Azure subscription, Google project
	Principal string            // the full name of the role or user
	Scope     BillingScope      // who is invoiced
	Extra     map[string]string // what the provider's room needs to remember, such as the partition
}

// BillingScope is who is invoiced: an AWS payer or standalone account, an Azure subscription or billing profile, a
// Google billing account.
type BillingScope struct {
	ID      string
	Name    string
	IsPayer bool // the account itself is the one that is invoiced
}

// Credential is how we sign in to a provider. Values are public; secrets are sealed and only an Opener reads them.
type Credential struct {
	Kind   string            // one of the provider's CredentialKinds
	Values map[string]string // public fields, such as a role ARN or the external id
	Sealed map[string]Sealed // secret fields by name
	// Version counts rotations; it is part of what a sealed value is bound to.
	Version   int
	UpdatedAt time.Time
}

// Sealed is a secret that only the keyset of this installation opens: base64 of the AEAD ciphertext.
type Sealed string

// Secret is a text that never comes out by accident: String, Format, GoString, LogValue and JSON are all ***.
type Secret struct{ text string }

// NewSecret wraps s.
func NewSecret(s string) Secret { return Secret{s} }

// Reveal is the text itself. Call it only where it goes into a request.
func (s Secret) Reveal() string { return s.text }

// Empty tells whether there is no text.
func (s Secret) Empty() bool { return s.text == "" }

// String is ***.
func (Secret) String() string { return "***" }

// GoString is ***.
func (Secret) GoString() string { return "***" }

// Format writes *** for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("***")) }

// LogValue is ***.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// MarshalJSON is "***".
func (Secret) MarshalJSON() ([]byte, error) { return json.Marshal("***") }

// Opener opens a sealed field of an account's credential.
type Opener interface {
	// Open returns the secret field of a's credential; CodeNotFound when there is none, CodeInternal when the keyset
	// or the associated data (organization, account, field, version) does not fit.
	Open(a *CloudAccount, field string) (Secret, error)
}

// Sealer seals a field for an account; Opener reads it back.
type Sealer interface {
	Opener
	// Seal binds secret to (organization, account, field, version).
	Seal(a *CloudAccount, field string, secret Secret) (Sealed, error)
}

// Status is the seed's word for an account's billing data. There are exactly three.
type Status string

// The three words.
const (
	Checking      Status = "Checking"      // the look is under way or has never finished
	Provisioned   Status = "Provisioned"   // billing data of this account has been seen
	Unprovisioned Status = "Unprovisioned" // none available; Reason says why
)

// BillingStatus is the roll-up of an account's axes, with reason and time.
type BillingStatus struct {
	Status Status    `json:"status"`
	Reason string    `json:"reason"`         // one sentence for people
	At     time.Time `json:"at,omitzero"`    // when the status was last found to be so
	Since  time.Time `json:"since,omitzero"` // when the status last changed
	// Via is the source that delivers this account's data; "" for none. OwnerID is the account that owns it.
	Via     string `json:"via,omitempty"`
	OwnerID string `json:"ownerId,omitempty"`
	// Basis says how we know that this account belongs to OwnerID's source; "" for the owner itself. OwnerID and Basis
	// are also set while the source has not delivered yet, with Via empty.
	Basis CoverageBasis `json:"basis,omitempty"`
	// CouldNotCheckSince is set while looks fail for reasons that say nothing about the data (403, throttling, network).
	CouldNotCheckSince time.Time `json:"couldNotCheckSince,omitzero"`
	CouldNotCheckWhy   string    `json:"couldNotCheckWhy,omitempty"`
	DataThrough        time.Time `json:"dataThrough,omitzero"` // exclusive end of the newest charge seen
	DeliveredAt        time.Time `json:"deliveredAt,omitzero"` // the provider's own time of the newest delivery
	NextLook           time.Time `json:"nextLook,omitzero"`
	Axes               []Axis    `json:"axes,omitempty"`
	// Notes is what the last look had to say about existing exports that are read through the account.
	Notes []SourceNote `json:"notes,omitempty"`
}

// SourceNote is a sentence about one source.
type SourceNote struct {
	SourceID string `json:"sourceId"`
	Note
}

// Axis is one of the things that make up a status: credential, infrastructure, export, tags, data.
type Axis struct {
	Name   string    `json:"name"`
	State  AxisState `json:"state"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// AxisState is how an axis stands.
type AxisState string

// The states of an axis.
const (
	AxisGood    AxisState = "good"
	AxisPending AxisState = "pending" // on its way; nothing to do
	AxisBad     AxisState = "bad"     // somebody has to act; Reason says how
	AxisUnknown AxisState = "unknown" // could not be read
	AxisNone    AxisState = "none"    // not set up
)

package outlay

import "time"

// Source is one billing set-up on a billing scope: made by us, imported from what existed, or plain files.
type Source struct {
	OrgID, ID string
	Name      string
	Provider  ProviderName // "" for files that no provider delivered
	AccountID string       // the cloud account that owns it; "" for files
	Scope     BillingScope
	Origin    SourceOrigin
	// Spec is what was asked for; nil asks for nothing: the plan toward it removes everything.
	Spec *Spec
	// CostFiles says what a plan toward nothing does with delivered files. It has no default.
	CostFiles CostFiles
	Desired   Desired
	CreatedAt time.Time
	// Resources is our ledger of it, given to Plan and Apply; stores fill it, providers only read it.
	Resources []Resource
}

// SourceOrigin says where a source came from.
type SourceOrigin string

// The origins of a source.
const (
	OriginCreated  SourceOrigin = "created"  // provisioned by us
	OriginImported SourceOrigin = "imported" // an existing export, read only
	OriginFiles    SourceOrigin = "files"    // outlay import FILE…
)

// Desired says whether a source should exist.
type Desired string

// The wishes. A draft has an id, and so names, but nothing was asked of the provider yet.
const (
	Present Desired = "present"
	Absent  Desired = "absent"
	Draft   Desired = "draft"
)

// CostFiles is the choice about delivered cost files when a source goes. Neither is a default.
type CostFiles string

// The two choices.
const (
	KeepCostFiles   CostFiles = "keep"
	DeleteCostFiles CostFiles = "delete"
)

// Spec is what a person asked for in the provision form.
type Spec struct {
	Region string            `json:"region"`
	Fields map[string]string `json:"fields,omitempty"` // by ProviderField name
	// Tags lists the cost allocation tag keys to turn on; empty leaves tags alone.
	Tags []string `json:"tags,omitempty"`
}

// Coverage says that a source's data holds an account's costs.
type Coverage struct {
	OrgID, SourceID string
	SubAccountID    string
	Name            string
	Basis           CoverageBasis
	SeenAt          time.Time
}

// CoverageBasis says how we know.
type CoverageBasis string

// The ways to know, the surest first.
const (
	CoveredByMembership CoverageBasis = "member" // the provider lists it under the scope
	CoveredBySeen       CoverageBasis = "seen"   // its id occurs as SubAccountId in published charges
	// CoveredByRule: who is under the scope cannot be read, so the seed's rule holds: one set-up serves every account of
	// the provider. It is said so wherever it is shown.
	CoveredByRule CoverageBasis = "rule"
)

package control

import (
	"time"

	"outlay"
)

// AccountView is a cloud account as people see it. No secret is in it.
type AccountView struct {
	ID                  string               `json:"id"`
	Name                string               `json:"name"`
	Provider            outlay.ProviderName  `json:"provider"`
	ProviderTitle       string               `json:"providerTitle"`
	Identifier          string               `json:"identifier"` // the provider's account id; "" until the first look
	Principal           string               `json:"principal"`
	ScopeID             string               `json:"scopeId"`
	ScopeName           string               `json:"scopeName"`
	IsPayer             bool                 `json:"isPayer"`
	Status              outlay.BillingStatus `json:"status"`
	SetUpHere           bool                 `json:"setUpHere"` // owns a wanted source
	Created             bool                 `json:"created"`   // that source was provisioned by Outlay
	SourceID            string               `json:"sourceId,omitempty"`
	Imports             []SourceRef          `json:"imports,omitempty"`   // existing exports that are read through this account
	FollowsID           string               `json:"followsId,omitempty"` // the account whose source delivers this one's data
	FollowsName         string               `json:"followsName,omitempty"`
	MonthToDate         []outlay.Amount      `json:"monthToDate"` // effective cost, one per currency
	CredentialKind      string               `json:"credentialKind"`
	CredentialTitle     string               `json:"credentialTitle"`
	CredentialWarning   string               `json:"credentialWarning,omitempty"`
	CredentialValues    map[string]string    `json:"credentialValues"`
	CredentialUpdatedAt time.Time            `json:"credentialUpdatedAt,omitzero"`
	CreatedAt           time.Time            `json:"createdAt,omitzero"`
}

// SourceRef names a source.
type SourceRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// AccountDetail is everything about one account.
type AccountDetail struct {
	AccountView
	Info      outlay.ProviderInfo `json:"-"`
	Resources []ResourceView      `json:"resources"`
	Tags      []ResourceView      `json:"tags"`
	// Read are the parts of imported exports: watched, never changed.
	Read []ResourceView `json:"read,omitempty"`
	// Kept are removed set-ups of which something stands still. Those resources are in Resources, too.
	Kept []KeptView `json:"kept,omitempty"`
	Runs []RunView  `json:"runs"` // newest first, without steps
	// ActiveRun is the run that holds the scope; nil when none does.
	ActiveRun      *RunView   `json:"activeRun,omitempty"`
	Others         []string   `json:"others"` // names of the other accounts of the provider
	Heads          []HeadView `json:"periods"`
	CanProvision   bool       `json:"canProvision"`
	CanDeprovision bool       `json:"canDeprovision"`
	Missing        []NeedView `json:"missing,omitempty"` // permissions found missing by the last run
	Policy         string     `json:"policy,omitempty"`
	// Reading is what reading its sources cost this month; nil where the provider does not bill for it.
	Reading *ReadingView `json:"reading,omitempty"`
	// Drifted tells that the last look found the set-up not to be as planned.
	Drifted bool `json:"drifted"`
	// CanDeleteKept tells whether the actor may have what is Kept deleted.
	CanDeleteKept bool `json:"canDeleteKept"`
	// CanImport tells whether an existing export may be imported through it.
	CanImport bool `json:"canImport"`
}

// NeedView is one permission.
type NeedView = outlay.Permission

// ResourceView is a row of the provisioning ledger.
type ResourceView struct {
	Kind      outlay.ResourceKind   `json:"kind"`
	Name      string                `json:"name"`
	State     outlay.ResourceState  `json:"state"`
	Origin    outlay.ResourceOrigin `json:"origin"`
	ID        string                `json:"providerId"`
	Detail    string                `json:"detail"` // why it waits, or the last failure
	CreatedAt time.Time             `json:"createdAt,omitzero"`
	LastSeen  time.Time             `json:"lastSeen,omitzero"`
	Tag       TagStanding           `json:"tag,omitempty"` // of a cost allocation tag: the word of the Tags page
}

// PlanView is a plan before it is confirmed: what would change, and whether it may.
type PlanView struct {
	AccountID   string              `json:"accountId"`
	SourceID    string              `json:"sourceId"`
	Changes     []outlay.Change     `json:"changes"`
	Notes       []outlay.Note       `json:"notes"`
	Hash        string              `json:"hash"`
	Blocked     string              `json:"blocked,omitempty"` // why it cannot be run; "" when it can
	Permissions []outlay.Permission `json:"permissions"`       // what was tested
	Policy      string              `json:"policy,omitempty"`  // the smallest policy that grants what is missing
	Running     string              `json:"running"`           // what it costs
	CheckedAt   time.Time           `json:"checkedAt,omitzero"`
	Intro       string              `json:"intro"` // "You do this once for …"
	Command     string              `json:"command"`
	Spec        outlay.Spec         `json:"spec"`
	seen        outlay.Observation
}

// DeprovisionView is what deprovisioning would do, consequences first.
type DeprovisionView struct {
	PlanView
	Heading string   `json:"heading"` // "All 3 … accounts will stop getting cost data"
	Text    string   `json:"text"`
	Losing  []string `json:"losing"` // names of the accounts that lose new data
	Only    bool     `json:"only"`   // the only source of the provider
	// Delete and Keep are the changes under each choice; Changes is those under the choice made, if one was.
	Delete   []outlay.Change `json:"delete"`
	Keep     []outlay.Change `json:"keep"`
	Months   int             `json:"months"` // of loaded history
	Name     string          `json:"name"`   // to be typed
	Identity string          `json:"identity"`
	// Contents tells how much lies in what is listed, as far as it was counted.
	Contents []ContentView `json:"contents,omitempty"`
}

// ContentView is how much a resource holds.
type ContentView struct {
	Key     string `json:"key"` // kind and name
	Objects int64  `json:"objects"`
	Bytes   int64  `json:"bytes"`
	Foreign int64  `json:"foreign,omitempty"` // of somebody else: what holds any is left alone
	Text    string `json:"text"`              // "42 objects, 3.2 GB"
}

// RunView is an operation with its steps.
type RunView struct {
	ID          string                 `json:"id"`
	Kind        outlay.OperationKind   `json:"kind"`
	Title       string                 `json:"title"` // "Provision billing"
	Status      outlay.OperationStatus `json:"status"`
	AccountID   string                 `json:"accountId"`
	AccountName string                 `json:"accountName"`
	SourceID    string                 `json:"sourceId"`
	Provider    string                 `json:"provider"` // title
	Steps       []StepView             `json:"steps"`
	Done        int                    `json:"done"` // steps done
	Total       int                    `json:"total"`
	Problem     *outlay.Problem        `json:"problem,omitempty"`
	NextAt      time.Time              `json:"nextAt,omitzero"`
	CreatedAt   time.Time              `json:"createdAt,omitzero"`
	StartedAt   time.Time              `json:"startedAt,omitzero"`
	EndedAt     time.Time              `json:"endedAt,omitzero"`
	By          string                 `json:"by"`
	// After says what comes next: "First costs appear within 24 hours."
	After string `json:"after,omitempty"`
	// Reminder is said once a person has been waited for over a day.
	Reminder string `json:"reminder,omitempty"`
	// ByHand is what a person should do after a removal, because no API offers it. Nothing waits for it.
	ByHand []HandView `json:"byHand,omitempty"`
}

// HandView is something that only a person can do.
type HandView struct {
	Title  string              `json:"title"`
	Detail string              `json:"detail,omitempty"`
	Manual *outlay.Instruction `json:"manual,omitempty"`
}

// StepView is one line of a run.
type StepView struct {
	Seq    int              `json:"seq"`
	Title  string           `json:"title"`
	State  outlay.StepState `json:"state"`
	Detail string           `json:"detail"`
	Calls  int              `json:"calls"`
	Took   time.Duration    `json:"tookNs"`
	At     time.Time        `json:"at,omitzero"`
}

// HeadView is one published period of a source.
type HeadView struct {
	SourceID    string                               `json:"sourceId"`
	SourceName  string                               `json:"sourceName"`
	Origin      outlay.SourceOrigin                  `json:"origin"`
	Period      outlay.Period                        `json:"period"`
	Rows        int64                                `json:"rows"`
	Sums        map[string]map[outlay.Measure]string `json:"sums"` // by currency
	Previous    map[string]map[outlay.Measure]string `json:"previous,omitempty"`
	DataThrough time.Time                            `json:"dataThrough,omitzero"`
	DeliveredAt time.Time                            `json:"deliveredAt,omitzero"`
	LoadedAt    time.Time                            `json:"loadedAt,omitzero"`
	Rounded     int64                                `json:"rounded"`
	Unknown     []string                             `json:"unknownColumns,omitempty"`
	Notes       []string                             `json:"notes,omitempty"`
}

// SourceView is a source with its periods, for Data health.
type SourceView struct {
	ID          string              `json:"id"`
	Name        string              `json:"name"`
	Provider    string              `json:"provider"` // title, "" for files
	AccountID   string              `json:"accountId,omitempty"`
	AccountName string              `json:"accountName,omitempty"`
	Origin      outlay.SourceOrigin `json:"origin"`
	Desired     outlay.Desired      `json:"desired"`
	// Removable tells that it delivers no more, so that its history can be removed.
	Removable bool       `json:"removable"`
	Periods   []HeadView `json:"periods"` // newest first
	// Troubled are deliveries that were rejected or wait; the last good version stays on show.
	Troubled    []UnitView       `json:"troubled"`
	DataThrough time.Time        `json:"dataThrough,omitzero"`
	DeliveredAt time.Time        `json:"deliveredAt,omitzero"`
	Overlaps    []outlay.Overlap `json:"overlaps,omitempty"`
	// Reading is what reading it cost this month; nil where the provider does not bill for it.
	Reading *ReadingView `json:"reading,omitempty"`
}

// UnitView is one delivery that is not on show.
type UnitView struct {
	ID        string           `json:"id"`
	Period    outlay.Period    `json:"period"`
	State     outlay.UnitState `json:"state"`
	Attempts  int              `json:"attempts"`
	Problem   *outlay.Problem  `json:"problem,omitempty"`
	Delivered time.Time        `json:"delivered,omitzero"`
}

package outlay

import "time"

// OperationKind says what an operation does.
type OperationKind string

// The kinds of durable work on a source.
const (
	OpProvision   OperationKind = "provision"
	OpDeprovision OperationKind = "deprovision"
	OpReconcile   OperationKind = "reconcile" // the hourly look's own changes: only those marked Auto
	OpBackfill    OperationKind = "backfill"  // on request only
	// OpDeleteKept deletes what a deprovisioning left because its files were to be kept. It holds no billing scope: nothing
	// that delivers depends on it, so Operation.ScopeID is KeptScope of its source.
	OpDeleteKept OperationKind = "delete-kept"
)

// Removes tells whether a run of this kind goes toward nothing: its plan is made with Source.Spec nil.
func (k OperationKind) Removes() bool { return k == OpDeprovision || k == OpDeleteKept }

// KeptScope stands in for the billing scope of an OpDeleteKept: one at a time for each removed source, beside whatever
// runs on the scope itself.
func KeptScope(sourceID string) string { return "kept " + sourceID }

// OperationStatus is where an operation stands.
type OperationStatus string

// queued → running → (waiting ⇄ running) → done | failed. Queued, running and waiting are active.
const (
	OpQueued  OperationStatus = "queued"
	OpRunning OperationStatus = "running"
	OpWaiting OperationStatus = "waiting" // stopped with a reason; resumes by itself at NextAt or by Resume
	OpDone    OperationStatus = "done"
	OpFailed  OperationStatus = "failed" // ended by a person, or can never succeed
)

// Active tells whether an operation still holds its scope: one active operation per (organization, provider, scope).
func (s OperationStatus) Active() bool { return s == OpQueued || s == OpRunning || s == OpWaiting }

// Operation is durable work that survives a crash: a confirmed plan and how far it got.
type Operation struct {
	OrgID, ID     string
	Kind          OperationKind
	SourceID      string
	AccountID     string
	Provider      ProviderName
	ScopeID       string
	Status        OperationStatus
	IdemKey       string // unique in the organization when not empty
	RequestHash   string // same key with another request is a conflict
	Plan          Plan
	PlanHash      string
	CostFiles     CostFiles // deprovision only
	RemoveHistory bool      // deprovision only
	// LeaseOwner holds the lease until LeaseUntil; Fence grows with each claim, and every write names it.
	LeaseOwner string
	LeaseUntil time.Time
	Fence      int64
	Attempts   int
	NextAt     time.Time // not before then; zero means at once
	// Problem says why it waits or failed; nil otherwise.
	Problem   *Problem
	CreatedBy string // user id
	CreatedAt time.Time
	StartedAt time.Time
	EndedAt   time.Time
}

// Problem is a failure as it is stored and shown.
type Problem struct {
	Code    Code         `json:"code"`
	Message string       `json:"message"`
	Fix     string       `json:"fix,omitempty"`
	Step    string       `json:"step,omitempty"`
	Needs   []Permission `json:"needs,omitempty"`
	Policy  string       `json:"policy,omitempty"` // to paste
	// Manual, when not nil, is what the run waits for: a person's step. Such a run is shown as "waiting for you".
	Manual *Instruction `json:"manual,omitempty"`
	// Since is when the run began to wait for that person; it stays over the attempts between.
	Since time.Time `json:"since,omitzero"`
}

// StepState is where a step stands.
type StepState string

// The states of a step.
const (
	StepPending StepState = "pending"
	StepRunning StepState = "running"
	StepDone    StepState = "done"
	StepFailed  StepState = "failed"
	StepWaiting StepState = "waiting"
	StepSkipped StepState = "skipped"
)

// Step is one line of a run: a read or a change.
type Step struct {
	OrgID, OperationID string
	Seq                int
	Title              string // "Create the S3 bucket"
	ResourceKey        string // Change.Key, "" for reads
	State              StepState
	Detail             string // the name made, what was found, or the failure
	Calls              int    // provider calls made
	StartedAt, EndedAt time.Time
}

// Task is recurring or retried work that is not shown as a run: looks and ingests. One row per (Kind, Subject).
type Task struct {
	OrgID   string
	Kind    string // "look" | "ingest" | …
	Subject string // account id, unit id …
	NextAt  time.Time
	// Every is the interval after a success; zero ends the task then.
	Every      time.Duration
	LeaseOwner string
	LeaseUntil time.Time
	Fence      int64
	Attempts   int // failures in a row
	LastError  string
}

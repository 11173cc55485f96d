package outlay

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// ResourceKind names a kind of thing in a provider, such as 'aws/bucket'. Only the provider's room knows its kinds.
type ResourceKind string

// ResourceState is where a resource stands in our ledger (reliability.md §3.1).
type ResourceState string

// planned → intended → created → verified (→ deleting → deleted), or one of the other three.
const (
	StatePlanned  ResourceState = "planned"
	StateIntended ResourceState = "intended" // the intent is committed, the outcome is not known
	StateCreated  ResourceState = "created"
	StateVerified ResourceState = "verified"
	StateDeleting ResourceState = "deleting" // the intent to delete is committed
	StateDeleted  ResourceState = "deleted"
	StateUnknown  ResourceState = "unknown" // tagged ours, not in our ledger
	StateForeign  ResourceState = "foreign" // carries our name, is not ours: never touched
	StateMissing  ResourceState = "missing" // was there, is gone
	StateWaiting  ResourceState = "waiting" // cannot be done yet; the hourly look keeps trying
	// StateAbandoned: a person gave it up. It may stand in the provider still; we never touch it again.
	StateAbandoned ResourceState = "abandoned"
)

// ResourceOrigin says who made a resource. Only created-by-us may be deleted.
type ResourceOrigin string

// The three origins.
const (
	CreatedByUs ResourceOrigin = "created_by_us"
	Adopted     ResourceOrigin = "adopted"
	PreExisting ResourceOrigin = "pre_existing"
)

// Resource is one thing in a provider: a ledger row, or what Observe saw, or what Apply made.
type Resource struct {
	OrgID, SourceID string
	Kind            ResourceKind
	Name            string // unique with Kind in a source
	State           ResourceState
	Origin          ResourceOrigin
	ProviderID      string    // the provider's immutable id, such as an ARN
	Created         time.Time // the provider's creation time; zero when it tells none
	IntentAt        time.Time // when our intent to make it was committed
	NotBefore       time.Time // until then 'not found' proves nothing (settle window)
	LastSeen        time.Time
	OperationID     string // the operation that made it
	// Properties are the settings that we own, as text: what drift is measured on.
	Properties map[string]string
	// Owner holds the ownership marks seen on the live resource (our tags).
	Owner map[string]string
	// Objects and Bytes describe contents, when asked for.
	Objects, Bytes int64
	// Foreign counts contents that are not ours; a resource that holds any is never deleted.
	Foreign   int64
	LastError string
}

// Key identifies a resource within its source.
func (r Resource) Key() string { return string(r.Kind) + " " + r.Name }

// Observation is what a look found. It is data: Plan, status and pages are computed from it.
type Observation struct {
	At        time.Time
	Identity  Identity
	Resources []Resource
	// Permissions lists what was tested; Missing() filters it.
	Permissions []Permission
	Policy      string // the smallest policy that would grant what is missing, ready to paste
	Members     []Member
	Notes       []Note
	// Unknown names parts that could not be read, with the reason: they prove neither presence nor absence.
	Unknown map[string]string
}

// Find is the observed resource of kind and name.
func (o Observation) Find(kind ResourceKind, name string) (Resource, bool) {
	for _, r := range o.Resources {
		if r.Kind == kind && r.Name == name {
			return r, true
		}
	}
	return Resource{}, false
}

// Missing are the permissions found to be denied.
func (o Observation) Missing() []Permission {
	var out []Permission
	for _, p := range o.Permissions {
		if p.State == PermissionDenied {
			out = append(out, p)
		}
	}
	return out
}

// Permission is one action on one thing that a credential needs.
type Permission struct {
	Action   string          `json:"action"`   // the provider's own name, such as s3:CreateBucket
	Resource string          `json:"resource"` // the provider's resource name
	For      string          `json:"for"`      // what we need it for, for people
	State    PermissionState `json:"state"`
	Why      string          `json:"why,omitempty"` // by what it is denied, where known
}

// PermissionState is what a test of a permission found.
type PermissionState string

// The three findings.
const (
	PermissionGranted PermissionState = "granted"
	PermissionDenied  PermissionState = "denied"
	PermissionUnknown PermissionState = "unknown" // could not be tested; not the same as missing
)

// Member is an account under a billing scope.
type Member struct{ AccountID, Name string }

// Note is a sentence for the person, beside a plan.
type Note struct {
	Level string `json:"level"` // info | warn | block
	Text  string `json:"text"`
}

// ChangeAction says what a change does. Manual is for what no API offers: the run shows the instruction and waits.
type ChangeAction string

// The kinds of change.
const (
	ActionCreate ChangeAction = "create"
	ActionUpdate ChangeAction = "update"
	ActionDelete ChangeAction = "delete"
	ActionAdopt  ChangeAction = "adopt"
	ActionManual ChangeAction = "manual"
	ActionKeep   ChangeAction = "keep" // listed for the person, nothing is done
)

// Change is one step of a plan.
type Change struct {
	Action ChangeAction `json:"action"`
	Kind   ResourceKind `json:"kind"`
	Name   string       `json:"name"`
	Title  string       `json:"title"`  // "S3 bucket"
	Detail string       `json:"detail"` // shown under the title
	// Holds tells how much lies in it at this moment, for people: '14 months, 3.1 GB'. It is no part of what is confirmed:
	// providers deliver between a look and a click.
	Holds string            `json:"holds,omitempty"`
	Step  string            `json:"step"` // the run's line: "Create the S3 bucket"
	From  map[string]string `json:"from,omitempty"`
	To    map[string]string `json:"to,omitempty"`
	// Needs are the provider actions that this change calls.
	Needs []string `json:"needs,omitempty"`
	// Settle is how long after an intent 'not found' proves nothing.
	Settle time.Duration `json:"settle,omitempty"`
	// Verify, when not empty, is the line of a read step after this change; it repeats until the resource is as wanted.
	Verify string `json:"verify,omitempty"`
	// Look, when not empty, is the line of a read step before this change.
	Look string `json:"look,omitempty"`
	// Hold, when not empty, says why this cannot be done yet; the hourly look tries again.
	Hold string `json:"hold,omitempty"`
	// Auto marks a change that the hourly look may make by itself.
	Auto bool `json:"auto,omitempty"`
	// Soft marks a change whose refusal is a warning, not a failure.
	Soft bool `json:"soft,omitempty"`
	// Manual is what a person has to do; only where Action is manual.
	Manual *Instruction `json:"manual,omitempty"`
}

// Instruction is what a person has to do by hand, because no API offers it.
type Instruction struct {
	Text string `json:"text"` // what to do, and why it cannot be done for him
	Who  string `json:"who"`  // who may do it, by the provider's names of roles
	// Link leads to the very page of the provider's console.
	Link      string `json:"link"`
	LinkTitle string `json:"linkTitle"`
	// Values are to be copied exactly.
	Values []InstructionValue `json:"values"`
	Seen   string             `json:"seen"` // how one sees that it worked, and how long it takes
}

// InstructionValue is one value to copy and what the provider's page calls it.
type InstructionValue struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

// Key identifies the resource that a change is about.
func (c Change) Key() string { return string(c.Kind) + " " + c.Name }

// Plan lists, in order, what would be done; it is shown to the person and executed exactly.
type Plan struct {
	Changes []Change `json:"changes"`
	Notes   []Note   `json:"notes,omitempty"`
}

// Hash identifies a plan: a run executes only the plan that was confirmed.
func (p Plan) Hash() string {
	p.Changes = slices.Clone(p.Changes)
	for i := range p.Changes {
		p.Changes[i].Holds = ""
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // plain data always marshals
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Blocked is the first blocking note's text, or "".
func (p Plan) Blocked() string {
	for _, n := range p.Notes {
		if n.Level == "block" {
			return n.Text
		}
	}
	return ""
}

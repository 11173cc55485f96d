package outlay

import (
	"context"
	"time"
)

// Store keeps the control plane's state. Tenant rows are reached through ForOrg and nowhere else.
type Store interface {
	// ForOrg runs fn in one read-write transaction that sees and changes only rows of the organization. An error from
	// fn rolls back and is returned as it is. Lost write races are retried inside; fn may run more than once.
	ForOrg(ctx context.Context, orgID string, fn func(Tx) error) error
	// ReadOrg is ForOrg in a read-only transaction.
	ReadOrg(ctx context.Context, orgID string, fn func(Tx) error) error
	// Install returns what belongs to the installation, not to a tenant.
	Install() Install
	Close() error
}

// Tx is one organization's rows within a transaction. A get of an absent or foreign id is CodeNotFound; a write that
// breaks a unique rule is CodeConflict.
type Tx interface {
	PeopleTx
	GroupTx
	TokenTx
	AccountTx
	SourceTx
	ResourceTx
	OperationTx
	UnitTx
	HeadTx
	TaskTx
	AuditTx
	MeterTx
}

// PeopleTx is the organization's users.
type PeopleTx interface {
	Organization(ctx context.Context) (Organization, error)
	User(ctx context.Context, id string) (User, error)
	Users(ctx context.Context) ([]User, error)
	// PutUser inserts or updates, and keeps the installation's login index in step. A taken e-mail is CodeConflict.
	PutUser(ctx context.Context, u User) error
}

// GroupTx is groups and who is what in them.
type GroupTx interface {
	Groups(ctx context.Context) ([]Group, error)
	PutGroup(ctx context.Context, g Group) error
	// Memberships of a user, or of everybody with userID "".
	Memberships(ctx context.Context, userID string) ([]Membership, error)
	PutMembership(ctx context.Context, m Membership) error
	DeleteMembership(ctx context.Context, m Membership) error
}

// TokenTx is API tokens.
type TokenTx interface {
	Tokens(ctx context.Context) ([]APIToken, error)
	// PutToken inserts or updates, and keeps the installation's token index in step.
	PutToken(ctx context.Context, t APIToken) error
	DeleteToken(ctx context.Context, id string) error
}

// AccountTx is cloud accounts.
type AccountTx interface {
	Account(ctx context.Context, id string) (CloudAccount, error)
	Accounts(ctx context.Context) ([]CloudAccount, error) // by name
	PutAccount(ctx context.Context, a CloudAccount) error
	// DeleteAccount is CodeConflict while a source of the account is wanted or an operation on it is active.
	DeleteAccount(ctx context.Context, id string) error
}

// SourceTx is sources and what they cover.
type SourceTx interface {
	// Source and Sources fill Resources from the ledger.
	Source(ctx context.Context, id string) (Source, error)
	Sources(ctx context.Context) ([]Source, error)
	// PutSource inserts or updates everything but Resources. A second wanted source we made on one (provider, scope)
	// is CodeConflict.
	PutSource(ctx context.Context, s Source) error
	Coverage(ctx context.Context, sourceID string) ([]Coverage, error) // "" for all
	PutCoverage(ctx context.Context, c Coverage) error
}

// ResourceTx is the provisioning ledger.
type ResourceTx interface {
	Resources(ctx context.Context, sourceID string) ([]Resource, error)
	PutResource(ctx context.Context, r Resource) error
}

// OperationTx is durable work and its steps.
type OperationTx interface {
	// AddOperation inserts a queued operation and makes it due. CodeConflict when another is active on the same
	// (provider, scope), naming it in Fix; the one with the same IdemKey and RequestHash is returned instead of added.
	AddOperation(ctx context.Context, o Operation) (Operation, error)
	Operation(ctx context.Context, id string) (Operation, error)
	Operations(ctx context.Context, sourceID string) ([]Operation, error) // newest first, "" for all
	// PutOperation updates everything but lease and fence, where the stored fence equals o.Fence; CodeConflict when
	// another worker holds it now. When the operation becomes due again, it sets the installation's due index.
	PutOperation(ctx context.Context, o Operation) error
	Steps(ctx context.Context, operationID string) ([]Step, error)
	PutStep(ctx context.Context, s Step, fence int64) error
}

// UnitTx is loading work.
type UnitTx interface {
	Unit(ctx context.Context, id string) (Unit, error)
	Units(ctx context.Context, sourceID string) ([]Unit, error) // newest version first, "" for all
	// AddUnit inserts a waiting unit; when (source, period, version, token) is known it returns that one and false.
	AddUnit(ctx context.Context, u Unit) (Unit, bool, error)
	PutUnit(ctx context.Context, u Unit) error
}

// HeadTx is what is published.
type HeadTx interface {
	Heads(ctx context.Context) ([]Head, error)
	// Publish moves the head of (source, period) in one conditional statement: CodeConflict when the stored version is
	// not older. It is the only visible change of a publish.
	Publish(ctx context.Context, h Head) error
	// DeleteHeads removes a source's heads: its charges leave the dashboard.
	DeleteHeads(ctx context.Context, sourceID string) error
	// HeadsVersion changes whenever any head of the organization changes.
	HeadsVersion(ctx context.Context) (int64, error)
}

// TaskTx is recurring work.
type TaskTx interface {
	// PutTask inserts a task, or moves NextAt and Every of the one that exists.
	PutTask(ctx context.Context, t Task) error
	Tasks(ctx context.Context) ([]Task, error)
	DeleteTask(ctx context.Context, kind, subject string) error
}

// MeterTx is what reading cost, and what labels stand for.
type MeterTx interface {
	// AddMetered adds to the count of (source, month).
	AddMetered(ctx context.Context, m Metered) error
	Metered(ctx context.Context) ([]Metered, error) // newest month first
	// PutLabel remembers a meaning. CodeConflict when the label stands for another original already.
	PutLabel(ctx context.Context, m LabelMeaning) error
	Labels(ctx context.Context, provider ProviderName) ([]LabelMeaning, error)
}

// AuditTx is the audit log: append and read, nothing else.
type AuditTx interface {
	Append(ctx context.Context, e Entry) error                   // sets ID and Hash
	Entries(ctx context.Context, limit int) ([]Entry, error)     // newest first
	VerifyAudit(ctx context.Context) (entries int, broken error) // walks the chain
}

// Install is what belongs to the installation: who may sign in, and what work is due. These tables hold no tenant
// data beyond the ids that lead to it; each is on the reviewed list of the schema test.
type Install interface {
	Organizations(ctx context.Context) ([]Organization, error)
	AddOrganization(ctx context.Context, o Organization) error
	LoginInstall
	WorkInstall
	// Meta reads and writes small values such as the key check; "" for absent.
	Meta(ctx context.Context, key string) (string, error)
	PutMeta(ctx context.Context, key, value string) error
}

// LoginInstall finds people before their organization is known.
type LoginInstall interface {
	// UserByEmail is CodeNotFound for an unknown address.
	UserByEmail(ctx context.Context, email string) (orgID, userID string, err error)
	TokenByHash(ctx context.Context, hash string) (orgID, tokenID string, err error)
	// Attempts counts recent failures for a key (account or address) and when the last was; Fail adds one, Succeed
	// forgets them.
	Attempts(ctx context.Context, key string) (failures int, last time.Time, err error)
	Fail(ctx context.Context, key string, at time.Time) error
	Succeed(ctx context.Context, key string) error
	Sessions() Sessions
}

// Sessions keeps server-side sessions by the hash of their token (the shape that alexedwards/scs asks for).
type Sessions interface {
	FindCtx(ctx context.Context, token string) (b []byte, found bool, err error)
	CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error
	DeleteCtx(ctx context.Context, token string) error
	AllCtx(ctx context.Context) (map[string][]byte, error)
	Find(token string) (b []byte, found bool, err error)
	Commit(token string, b []byte, expiry time.Time) error
	Delete(token string) error
}

// WorkInstall hands out due work, with a lease and a fence. now and until are given by the caller's Clock; stores
// with a server use them as they are so that a test can move the clock.
type WorkInstall interface {
	// ClaimOperation leases one operation that is due and not leased, raising its fence; nil when there is none.
	ClaimOperation(ctx context.Context, owner string, now, until time.Time) (*Operation, error)
	// ClaimTask leases one due task of any of the kinds.
	ClaimTask(ctx context.Context, kinds []string, owner string, now, until time.Time) (*Task, error)
	// RenewOperation and RenewTask extend a lease; CodeConflict when the fence has moved on.
	RenewOperation(ctx context.Context, o *Operation, until time.Time) error
	RenewTask(ctx context.Context, t *Task, until time.Time) error
	// FinishTask releases a task: t.NextAt, t.Attempts and t.LastError are stored, or the row is deleted with
	// NextAt zero. CodeConflict when the fence has moved on.
	FinishTask(ctx context.Context, t *Task) error
}

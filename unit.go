package outlay

import "time"

// UnitState is where the loading of one delivery stands.
type UnitState string

// The states of a unit.
const (
	UnitWaiting     UnitState = "waiting" // known, not loaded yet, or to be tried again
	UnitLoading     UnitState = "loading"
	UnitPublished   UnitState = "published"
	UnitSuperseded  UnitState = "superseded"  // a newer version was published
	UnitQuarantined UnitState = "quarantined" // failed five times; the last good version stays on show
)

// Unit is the loading of one version of one period of a source.
type Unit struct {
	OrgID, ID, SourceID string
	Period              Period
	Delivery            Delivery
	State               UnitState
	Attempts            int
	Problem             *Problem
	Proof               *Proof
	SeenAt, LoadedAt    time.Time
}

// Proof is what was counted and summed before a version was published.
type Proof struct {
	Rows int64 `json:"rows"`
	// Sums are by currency, then by measure, as decimal text: one from reading, one from what was written.
	Read    map[string]map[Measure]string `json:"read"`
	Written map[string]map[Measure]string `json:"written"`
	// Rounded counts figures with more than 18 decimals, which were rounded half-even.
	Rounded int64 `json:"rounded"`
	// SchemaHash identifies the set of columns delivered.
	SchemaHash string `json:"schemaHash"`
	// Unknown lists delivered columns that FOCUS does not name; their values are kept in x_Other.
	Unknown []string `json:"unknown,omitempty"`
	// MissingColumns lists FOCUS columns that the delivery lacks.
	MissingColumns []string `json:"missingColumns,omitempty"`
	Notes          []string `json:"notes,omitempty"`
	// Spellings lists what stood for one of the nine tags in several ways, and keys that only look like one.
	Spellings []TagSpelling `json:"spellings,omitempty"`
}

// TagSpelling is a finding about delivered tag keys of a period.
type TagSpelling struct {
	Tag string `json:"tag"` // one of TagKeys
	// Keys are as delivered. Where they are several spellings of the tag, the first goes first.
	Keys []string `json:"keys"`
	// Near tells that the key only looks like the tag: its charges do not count for it.
	Near bool `json:"near,omitempty"`
	// Rows counts charges: of several spellings, those on which two met; of a near key, those that carry it.
	Rows int64 `json:"rows"`
	// Effective sums the charges that carry a near key, by currency.
	Effective map[string]string `json:"effective,omitempty"`
}

// Head is the published version of one (source, period): the only thing that queries trust.
type Head struct {
	OrgID, SourceID string
	Provider        ProviderName
	Origin          SourceOrigin
	// Removed tells that the source delivers no more: a set-up that was removed, an import that is not read any longer.
	// It is not stored with the head; who hands heads to the engine sets it.
	Removed     bool
	Period      Period
	UnitID      string
	Version     time.Time // never goes back
	Generation  string    // names this version's files
	Snapshot    int64     // of the organization's Iceberg table
	Files       []DataFile
	Rollups     []string // rollup files, by name r1, r2, r3 in this order
	Proof       Proof
	SubAccounts []SubAccountSum
	DataThrough time.Time // exclusive end of the newest charge; of one longer than its day, of the day that it begins
	DeliveredAt time.Time
	PublishedAt time.Time
	// Previous is the proof of the version before, to show what a restatement changed; nil for the first.
	Previous *Proof
}

// SubAccountSum is one sub account of a head, for coverage and overlap.
type SubAccountSum struct {
	ID, Name string
	Provider string // FOCUS ProviderName
	Rows     int64
	From, To time.Time // of its charge periods; To as Head.DataThrough
}

// DataFile is one Parquet file of FOCUS rows.
type DataFile struct {
	Path  string `json:"path"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

// Partition names the charges of one billing period of a source: the unit of truth, which is replaced whole
// (clouds.md §1.4).
type Partition struct {
	OrgID, SourceID string
	Period          Period
}

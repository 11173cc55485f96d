package outlay

import (
	"context"
	"time"
)

// Measure is one of the four FOCUS costs.
type Measure string

// The four measures. They are never added to each other.
const (
	Billed     Measure = "BilledCost"
	Effective  Measure = "EffectiveCost"
	List       Measure = "ListCost"
	Contracted Measure = "ContractedCost"
)

// Measures lists the four in the order of Row.Amounts.
func Measures() []Measure { return []Measure{Billed, Effective, List, Contracted} }

// Index is the measure's place in Row.Amounts, or -1.
func (m Measure) Index() int {
	for i, x := range Measures() {
		if x == m {
			return i
		}
	}
	return -1
}

// Dimension is what charges can be grouped and filtered by.
type Dimension string

// The dimensions. The nine tags are Dimension("tag:" + key).
const (
	ByService    Dimension = "service"
	ByProvider   Dimension = "provider"
	BySubAccount Dimension = "account"
	ByScope      Dimension = "scope" // BillingAccountId
	ByRegion     Dimension = "region"
	ByCategory   Dimension = "category" // ChargeCategory
	ByPeriod     Dimension = "period"   // billing month
	BySource     Dimension = "source"
	ByResource   Dimension = "resource"
)

// TagDimension is the dimension of a tag key.
func TagDimension(key string) Dimension { return Dimension("tag:" + key) }

// TagKey is the key of a tag dimension, and whether it is one.
func (d Dimension) TagKey() (string, bool) {
	if len(d) > 4 && d[:4] == "tag:" {
		return string(d[4:]), true
	}
	return "", false
}

// Dimensions lists every dimension, tags last.
func Dimensions() []Dimension {
	out := []Dimension{ByService, ByProvider, BySubAccount, ByScope, ByRegion, ByCategory, ByPeriod, BySource, ByResource}
	for _, k := range TagKeys() {
		out = append(out, TagDimension(k))
	}
	return out
}

// Every is the width of a bucket.
type Every string

// The bucket widths. Weeks begin on Monday, UTC.
const (
	EveryDay   Every = "day"
	EveryWeek  Every = "week"
	EveryMonth Every = "month"
	EveryNone  Every = "" // one bucket
)

// Filter keeps the charges whose dimension is (or, with Not, is not) one of Values. "" stands for 'no value'.
type Filter struct {
	Dimension Dimension `json:"dimension"`
	Not       bool      `json:"not,omitempty"`
	Values    []string  `json:"values"`
}

// Query asks for charges grouped and summed. Filters are joined by AND.
type Query struct {
	From, To time.Time   // charge period starts in [From, To), whole UTC days; zero means unbounded
	GroupBy  []Dimension // at most two
	Every    Every
	Filters  []Filter
	// AnyOf, when not empty, further keeps only charges that match at least one of its filters: what a role may see.
	AnyOf []Filter
	// Limit caps the rows; 0 means no cap. With a limit, the largest sums of OrderBy come first.
	Limit   int
	OrderBy Measure
}

// Row is one group of an answer.
type Row struct {
	Bucket   time.Time // start of the bucket; zero with EveryNone
	Keys     []string  // one per GroupBy, "" for no value
	Names    []string  // what people call it (SubAccountName); equals the key where nothing better is known
	Currency string
	Charges  int64
	Amounts  [4]Amount // in the order of Measures()
}

// Answer is what a query found. Rows are sorted by bucket, then keys, then currency.
type Answer struct {
	Rows []Row
	// DataFrom and DataTo bound the charges that exist under the filters' organization, for the period picker.
	DataFrom, DataTo time.Time
	// Overlaps lists sub accounts whose charges reached us by two sources; only the winner's were counted.
	Overlaps []Overlap
}

// Overlap is a (sub account, period) that more than one source delivers.
type Overlap struct {
	SubAccountID  string
	Period        Period
	Winner, Loser string // source ids
}

// CostStore answers queries over an organization's published charges.
type CostStore interface {
	// Query answers q; CodeInvalid names the field at fault. It reads published heads only.
	Query(ctx context.Context, orgID string, q Query) (Answer, error)
	// Values lists the values of a dimension that occur in [from, to), largest effective cost first, at most limit.
	Values(ctx context.Context, orgID string, d Dimension, from, to time.Time, limit int) ([]Value, error)
}

// Value is one value of a dimension with what people call it.
type Value struct{ Key, Name string }

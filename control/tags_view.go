package control

import (
	"time"

	"outlay"
)

// TagsRequest asks where the nine tags stand.
type TagsRequest struct {
	Range string // mtd (default) or last-month: of which charges the shares are
}

// TagsView is the Tags page: each of the nine keys by source, and what charges carry.
type TagsView struct {
	Range string    `json:"range"`
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"` // exclusive
	// CostsShown tells whether figures are given; a token may be allowed the state of tags and no costs.
	CostsShown bool `json:"costsShown"`
	// Currency is that of most charges; every amount and share here is of it. Currencies names all there are.
	Currency   string         `json:"currency,omitempty"`
	Currencies []string       `json:"currencies,omitempty"`
	Total      *outlay.Amount `json:"total,omitempty"` // effective cost
	Sources    []TagSource    `json:"sources"`
	Keys       []TagKey       `json:"keys"`
	Providers  []TagProvider  `json:"providers"`
	// Near are keys that only look like one of the nine: their charges count as untagged.
	Near []NearKey `json:"near"`
	// Clashes are tags that were delivered in several spellings on one charge.
	Clashes []TagClash `json:"clashes"`
}

// TagSource is one billing set-up whose charges can carry tags.
type TagSource struct {
	ID            string               `json:"id"`
	Name          string               `json:"name"`
	Provider      outlay.ProviderName  `json:"provider,omitempty"`
	ProviderTitle string               `json:"providerTitle"` // "" for files
	AccountID     string               `json:"accountId,omitempty"`
	AccountName   string               `json:"accountName,omitempty"`
	Origin        outlay.SourceOrigin  `json:"origin"`
	Wanted        bool                 `json:"wanted"` // it stands, or should
	Total         *outlay.Amount       `json:"total,omitempty"`
	Off           []string             `json:"off,omitempty"` // keys that can be turned on here
	Option        string               `json:"option,omitempty"`
	OptionValue   string               `json:"optionValue,omitempty"`
	OptionState   outlay.ResourceState `json:"optionState,omitempty"`
	CanBackfill   bool                 `json:"canBackfill"`
}

// TagKey is one of the nine over all sources.
type TagKey struct {
	Key   string    `json:"key"`
	Cells []TagCell `json:"cells"` // one per source, in the order of TagsView.Sources
	// Share is the part of effective cost that carries the key, 0…1; nil where there is no cost.
	Share    *float64       `json:"share,omitempty"`
	Tagged   *outlay.Amount `json:"tagged,omitempty"`
	Untagged *outlay.Amount `json:"untagged,omitempty"`
	Values   int            `json:"values"` // distinct ones, at most MaxTagValues
	More     bool           `json:"moreValues,omitempty"`
}

// MaxTagValues is up to where distinct values are counted.
const MaxTagValues = 10_000

// TagCell is one key at one source.
type TagCell struct {
	State TagStanding `json:"state,omitempty"`
	// Detail says more where the state alone does not: the provider's refusal, who could turn it on.
	Detail string    `json:"detail,omitempty"`
	Since  time.Time `json:"since,omitzero"` // of an active key
	Share  *float64  `json:"share,omitempty"`
}

// TagStanding is where a key stands at a source.
type TagStanding string

// The standings. "" is for files and set-ups that deliver no more.
const (
	TagFree       TagStanding = "free"       // needs no activation: charges carry what resources carry
	TagActive     TagStanding = "active"     // in the charges
	TagActivating TagStanding = "activating" // on, and in the charges soon
	TagInactive   TagStanding = "inactive"   // seen by the provider, not on yet
	TagUnseen     TagStanding = "unseen"     // the provider has seen it on no resource
	TagDenied     TagStanding = "denied"     // the credential may not turn it on
	TagWaiting    TagStanding = "waiting"    // cannot be turned on yet; Detail says why
	TagPending    TagStanding = "pending"    // a run will turn it on
	TagOff        TagStanding = "off"        // nobody asked for it
	TagElsewhere  TagStanding = "elsewhere"  // up to whoever set the export up
)

// TagProvider is how a provider spells the nine, and how keys are turned on there.
type TagProvider struct {
	Name   outlay.ProviderName `json:"name"`
	Title  string              `json:"title"`
	Series int                 `json:"series"`
	// Activation tells whether charges carry a key only once it was turned on.
	Activation bool                `json:"activation"`
	Timing     string              `json:"timing,omitempty"`
	Link       outlay.Link         `json:"link,omitzero"` // the provider's own page about it
	Manual     *outlay.Instruction `json:"manual,omitempty"`
	Backfill   string              `json:"backfill,omitempty"`
	// Labels are a sample of all nine as this provider wants them.
	Labels []outlay.Label `json:"labels"`
}

// NearKey is a key that only looks like one of the nine, at one source.
type NearKey struct {
	Tag        string        `json:"tag"`
	Key        string        `json:"key"` // as delivered, or as the provider lists it
	SourceID   string        `json:"sourceId"`
	SourceName string        `json:"sourceName"`
	Period     outlay.Period `json:"period,omitempty"` // of the charges; "" where it is only listed
	Rows       int64         `json:"rows"`
	// Cost is the effective cost of the charges that carry it, one amount per currency.
	Cost []outlay.Amount `json:"cost,omitempty"`
}

// TagClash is a tag in several spellings.
type TagClash struct {
	Tag        string        `json:"tag"`
	Keys       []string      `json:"keys"` // the first goes first
	SourceID   string        `json:"sourceId"`
	SourceName string        `json:"sourceName"`
	Period     outlay.Period `json:"period"`
	Rows       int64         `json:"rows"` // on which two met
}

// TagStandingTitle is a standing for people; provider is the title of the provider.
func TagStandingTitle(s TagStanding, provider string) string {
	switch s {
	case TagFree:
		return "No activation needed"
	case TagActive:
		return "Active"
	case TagActivating:
		return "Activating"
	case TagInactive:
		return "Seen, not active"
	case TagUnseen:
		return "Not seen by " + provider + " yet"
	case TagDenied:
		return "No permission"
	case TagWaiting:
		return "Waiting"
	case TagPending:
		return "Run under way"
	case TagOff:
		return "Not asked for"
	case TagElsewhere:
		return "Up to whoever set it up"
	}
	return ""
}

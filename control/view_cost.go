package control

import (
	"time"

	"outlay"
)

// CostView is one answer of the cost dashboard: chart, table, CSV and JSON are all drawn from it, so their totals
// are the same to the last digit.
type CostView struct {
	Request  CostRequest      `json:"request"`       // normalised
	From     time.Time        `json:"from,omitzero"` // inclusive
	To       time.Time        `json:"to,omitzero"`   // exclusive
	Every    outlay.Every     `json:"every"`
	Measure  outlay.Measure   `json:"measure"`
	Group    outlay.Dimension `json:"group"`
	Currency string           `json:"currency"`   // of every amount here
	Others   []string         `json:"currencies"` // every currency that the period has; never added together
	Buckets  []CostBucket     `json:"buckets"`
	// Rows are the groups, largest first; what has no value and what is merged into Other come last, in that order.
	Rows     []CostRow                        `json:"rows"`
	Total    CostRow                          `json:"total"`
	Measures map[outlay.Measure]outlay.Amount `json:"measures"` // totals of all four
	Charges  int64                            `json:"charges"`
	// PreviousFrom and PreviousTo bound the period compared with; zero when none is asked for or no data is that old.
	PreviousFrom time.Time `json:"previousFrom,omitzero"`
	PreviousTo   time.Time `json:"previousTo,omitzero"`
	HasPrevious  bool      `json:"hasPrevious"`
	Headline     string    `json:"headline"` // "Amazon EC2 moved most: +$4,624.71 against 1–22 Oct"
	// CompleteThrough is the last day (exclusive end) that is complete; later days are still arriving.
	CompleteThrough time.Time        `json:"completeThrough,omitzero"`
	SourcesOnTime   int              `json:"sourcesOnTime"`
	Sources         int              `json:"sources"`
	Unowned         *float64         `json:"unowned,omitempty"` // share of cost without a User tag, 0…1
	DataFrom        time.Time        `json:"dataFrom,omitzero"`
	DataTo          time.Time        `json:"dataTo,omitzero"`
	Overlaps        []outlay.Overlap `json:"overlaps,omitempty"`
	// Scope says what the actor's role limits the answer to; "" for everything.
	Scope string `json:"scope,omitempty"`
	// NoAccounts and NoData tell the empty states apart.
	NoAccounts bool `json:"noAccounts"`
	NoData     bool `json:"noData"`
}

// CostBucket is one bar.
type CostBucket struct {
	Start    time.Time     `json:"start,omitzero"`
	End      time.Time     `json:"end,omitzero"` // exclusive
	Label    string        `json:"label"`
	Arriving bool          `json:"arriving"` // figures will still grow
	Future   bool          `json:"future"`
	Total    outlay.Amount `json:"total"`
	Previous outlay.Amount `json:"previous"`
}

// CostRow is one group.
type CostRow struct {
	Key      string          `json:"key"`  // "" for no value
	Name     string          `json:"name"` // what people call it; "No User tag" for no value
	Provider string          `json:"provider,omitempty"`
	Series   int             `json:"series"` // chart colour 0…9, stable for the entity; 9 is Other
	Untagged bool            `json:"untagged,omitempty"`
	Other    bool            `json:"other,omitempty"` // merged; Members has the parts
	Total    outlay.Amount   `json:"total"`
	Previous outlay.Amount   `json:"previous"`
	Change   outlay.Amount   `json:"change"`
	Percent  *float64        `json:"percent,omitempty"` // change in per cent; nil without a previous figure
	Share    float64         `json:"share"`             // of the total, 0…1
	Charges  int64           `json:"charges"`
	Values   []outlay.Amount `json:"values"` // one per bucket
	Members  []CostRow       `json:"members,omitempty"`
}

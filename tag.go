package outlay

import "strings"

// TagKeys are the nine keys that people and launchers put on resources, in the seed's order. They are a deployment's
// default, not a law: Source.Spec.Tags names those to activate.
func TagKeys() []string {
	return []string{"Date", "GroupID", "Name", "OrganizationID", "Pool", "Project", "Session", "SessionID", "User"}
}

// FoldTag makes two spellings of a key comparable: lower case, letters and digits only. The nine keys fold to nine
// different texts, and every spelling of clouds.md §6 folds to its key.
func FoldTag(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, key)
}

// Label is one of the nine tags as a provider wants it on a resource.
type Label struct {
	Tag      string `json:"tag"`      // one of TagKeys
	Original string `json:"original"` // the value that was meant
	Key      string `json:"key"`      // as the provider spells it
	Value    string `json:"value"`
	Note     string `json:"note,omitempty"` // what was changed and why; "" when nothing was
}

// LabelMeaning remembers what a label's value stands for, where the provider's spelling loses something: an e-mail
// address that became 'a-b-c'. Charges that carry the label are shown under the original.
type LabelMeaning struct {
	OrgID    string
	Provider ProviderName
	Tag      string
	Value    string // as on the resource
	Original string
}

// TagState is where one of the nine keys stands with a provider that leaves a key out of charges until it is turned on
// (clouds.md §2.6). Such a provider keeps it in a resource's property PropTagState; the resource is named by the key.
type TagState string

// The states of a key.
const (
	TagUnseen     TagState = "not seen yet" // the provider has seen it on no resource, and so does not list it
	TagInactive   TagState = "inactive"     // seen, but not on
	TagActivating TagState = "activating"   // on, and not in the charges yet
	TagActive     TagState = "active"
)

// The properties of a tag's resource that pages show.
const (
	PropTagState   = "status"
	PropTagSince   = "since"       // when it was turned on, RFC 3339
	PropTagSimilar = "similar key" // a key that the provider lists and that only looks like this one
	PropRefused    = "refused"     // the Code with which the last try to turn it on was refused
)

// NearTag is the one of the nine that a key probably means without being it: a typing error or two ("Projekt"), or an
// id where none belongs ("project-id"). A key that folds to one of the nine is that one, not near it. Short keys allow
// one error only, for "node" is no "name".
func NearTag(key string) (string, bool) {
	fold := FoldTag(key)
	best, least := "", 3
	for _, tag := range TagKeys() {
		want := FoldTag(tag)
		if fold == want {
			return "", false
		}
		allowed := 1
		if len(want) > 5 {
			allowed = 2
		}
		d := tagDistance(fold, want)
		if fold == want+"id" {
			d = 1
		}
		if d <= allowed && d < least {
			best, least = tag, d
		}
	}
	return best, best != ""
}

// tagDistance counts the letters to add, drop, change or swap with their neighbour that make a into b.
func tagDistance(a, b string) int {
	if n := len(a) - len(b); n > 2 || n < -2 {
		return 3
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

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

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

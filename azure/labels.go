package azure

import (
	"strings"
	"unicode/utf8"

	"outlay"
)

// The limits of an Azure tag's value (clouds.md §6); our nine names are far below those of names.
const maxTagValue = 256

// forbiddenInNames may not be part of a tag's name.
const forbiddenInNames = `<>%&\?/`

// Labels gives tags as Azure wants them: names as they are, for Azure keeps their letter case, and values of up to 256
// characters.
func (p *Provider) Labels(tags map[string]string) ([]outlay.Label, error) {
	var out []outlay.Label
	for _, key := range outlay.TagKeys() {
		value, ok := tags[key]
		if !ok {
			continue
		}
		if n := utf8.RuneCountInString(value); n > maxTagValue {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Shorten it.", "the value of %s has %d characters, and Azure allows %d", key, n, maxTagValue).InField(key)
		}
		l := outlay.Label{Tag: key, Original: value, Key: tagName(key), Value: value}
		if l.Key != key {
			l.Note = "Azure does not allow " + forbiddenInNames + " in a tag's name"
		}
		out = append(out, l)
	}
	return out, nil
}

// tagName replaces what Azure refuses in a tag's name.
func tagName(key string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(forbiddenInNames, r) {
			return '-'
		}
		return r
	}, key)
}

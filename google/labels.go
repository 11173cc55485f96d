package google

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"outlay"
)

// The limits of a label (clouds.md §4.9).
const (
	maxLabel  = 63
	hashChars = 8
)

// Labels gives tags as Google wants them: keys in lower case, values in lower-case letters, digits, '-' and '_'. What a
// value loses is said in the note; what the label stands for is remembered by whoever plans it. Only a value that has to
// be cut gets a piece of its own hash, since long values that begin alike are common; two short values that differ in
// nothing but letter case or signs become one label.
func (p *Provider) Labels(tags map[string]string) ([]outlay.Label, error) {
	var out []outlay.Label
	for _, key := range outlay.TagKeys() {
		value, ok := tags[key]
		if !ok {
			continue
		}
		l := outlay.Label{Tag: key, Original: value, Key: outlay.FoldTag(key), Value: labelText(value)}
		cut := false
		if len(l.Value) > maxLabel {
			sum := sha256.Sum256([]byte(value))
			l.Value = l.Value[:maxLabel-hashChars-1] + "-" + hex.EncodeToString(sum[:])[:hashChars]
			cut = true
		}
		switch {
		case cut:
			l.Note = fmt.Sprintf("Google allows %d characters of a-z, 0-9, - and _: the value was cut, and its end is a check sum.", maxLabel)
		case l.Value != value:
			l.Note = "Google allows only a-z, 0-9, - and _ in values: " + value + " becomes " + l.Value + "."
		}
		out = append(out, l)
	}
	return out, nil
}

// labelText makes a text a label's value, but for its length.
func labelText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, s)
}

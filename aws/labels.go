package aws

import (
	"unicode/utf8"

	"outlay"
)

// The limits of an AWS tag (https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html).
const maxTagValue = 256

// Labels gives tags as AWS wants them: keys in their exact spelling, because activation is by exact key, and values of
// up to 256 characters.
func (p *Provider) Labels(tags map[string]string) ([]outlay.Label, error) {
	var out []outlay.Label
	for _, key := range outlay.TagKeys() {
		value, ok := tags[key]
		if !ok {
			continue
		}
		if n := utf8.RuneCountInString(value); n > maxTagValue {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Shorten it.", "the value of %s has %d characters, and AWS allows %d", key, n, maxTagValue).InField(key)
		}
		out = append(out, outlay.Label{Tag: key, Original: value, Key: key, Value: value})
	}
	return out, nil
}

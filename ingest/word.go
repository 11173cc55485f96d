package ingest

import "strings"

// replaceWord replaces word where it stands alone in text: not within a longer name or number.
func replaceWord(text, word, by string) string {
	var out strings.Builder
	rest, before := text, byte(' ')
	for {
		i := strings.Index(rest, word)
		if i < 0 {
			out.WriteString(rest)
			return out.String()
		}
		if i > 0 {
			before = rest[i-1]
		}
		after := byte(' ')
		if end := i + len(word); end < len(rest) {
			after = rest[end]
			if after == '.' && (end+1 == len(rest) || !nameByte(rest[end+1])) {
				after = ' ' // the end of a sentence
			}
		}
		out.WriteString(rest[:i])
		if nameByte(before) || nameByte(after) {
			out.WriteString(word)
		} else {
			out.WriteString(by)
		}
		before = word[len(word)-1]
		rest = rest[i+len(word):]
	}
}

func nameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b == '-' || b == '.' || b == '/'
}

package google

import (
	"fmt"
	"strings"
	"unicode"
)

// complaint is what is wrong with a statement, in the words of BigQuery: they begin with a capital.
type complaint string

// Error gives the words.
func (c complaint) Error() string { return string(c) }

func complain(format string, args ...any) error { return complaint(fmt.Sprintf(format, args...)) }

// tokenKind says what a token of GoogleSQL is.
type tokenKind int

const (
	word    tokenKind = iota // identifier or keyword
	ticked                   // `identifier`
	textual                  // string literal, unquoted in text
	numeral
	param // @name
	sign  // operator or bracket
)

// lexeme is one token.
type lexeme struct {
	kind tokenKind
	text string
}

func (l lexeme) is(text string) bool {
	return (l.kind == word || l.kind == sign) && strings.EqualFold(l.text, text)
}

// signs are the operators that GoogleSQL has and that mean the same in DuckDB, longest first.
func signs() []string {
	return []string{"<=", ">=", "<>", "!=", "||", "(", ")", ",", ".", "+", "-", "*", "/", "<", ">", "=", "[", "]"}
}

// lex cuts a statement into tokens; comments vanish. A character that GoogleSQL, or this simulation, does not know is an error.
func lex(sql string) ([]lexeme, error) {
	var out []lexeme
	for rest := sql; ; {
		rest = skipBlank(rest)
		if rest == "" {
			return out, nil
		}
		l, n, err := next(rest)
		if err != nil {
			return nil, err
		}
		out, rest = append(out, l), rest[n:]
	}
}

// skipBlank drops blanks and comments.
func skipBlank(s string) string {
	for {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
		switch {
		case strings.HasPrefix(s, "--") || strings.HasPrefix(s, "#"):
			_, s, _ = strings.Cut(s, "\n")
		case strings.HasPrefix(s, "/*"):
			_, s, _ = strings.Cut(s, "*/")
		default:
			return s
		}
	}
}

// next reads the token at the beginning of s and tells its length.
func next(s string) (lexeme, int, error) {
	first := s[0]
	raw := len(s) > 1 && (first == 'r' || first == 'R') && (s[1] == '\'' || s[1] == '"')
	switch {
	case raw:
		text, n, err := literal(s[1:], true)
		return lexeme{textual, text}, n + 1, err
	case first == '\'' || first == '"':
		text, n, err := literal(s, false)
		return lexeme{textual, text}, n, err
	case first == '`':
		text, _, found := strings.Cut(s[1:], "`")
		if !found {
			return lexeme{}, 0, complain("Syntax error: Unclosed identifier literal")
		}
		return lexeme{ticked, text}, len(text) + 2, nil
	case first == '@' && wordLength(s[1:]) > 0:
		n := wordLength(s[1:])
		return lexeme{param, s[1 : 1+n]}, n + 1, nil
	case wordLength(s) > 0 && (first < '0' || first > '9'):
		n := wordLength(s)
		return lexeme{word, s[:n]}, n, nil
	case first >= '0' && first <= '9':
		n := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsDigit(r) && r != '.' && r != 'e' && r != 'E' })
		if n < 0 {
			n = len(s)
		}
		return lexeme{numeral, s[:n]}, n, nil
	}
	for _, op := range signs() {
		if strings.HasPrefix(s, op) {
			return lexeme{sign, op}, len(op), nil
		}
	}
	return lexeme{}, 0, complain("Syntax error: Unexpected %q", s[:1])
}

func isLetter(r rune) bool { return r == '_' || unicode.IsLetter(r) }

func wordLength(s string) int {
	n := strings.IndexFunc(s, func(r rune) bool { return !isLetter(r) && !unicode.IsDigit(r) })
	if n < 0 {
		return len(s)
	}
	return n
}

// literal reads a string; either quote is one in GoogleSQL.
func literal(s string, raw bool) (text string, n int, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return b.String(), i + 1, nil
		case s[i] == '\\' && !raw && i+1 < len(s):
			i++
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case '\\', '\'', '"', '`':
				b.WriteByte(s[i])
			default:
				return "", 0, complain("Syntax error: Illegal escape sequence: \\%c", s[i])
			}
		case s[i] == '\n':
			return "", 0, complain("Syntax error: Unclosed string literal")
		default:
			b.WriteByte(s[i])
		}
	}
	return "", 0, complain("Syntax error: Unclosed string literal")
}

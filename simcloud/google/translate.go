package google

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// translation turns one GoogleSQL query into DuckDB's dialect. It knows what reading a billing export takes; everything
// else is refused by name, so that a test never passes by luck of a near dialect.
type translation struct {
	resolve func(name string) (string, error) // a table's full name → what to read from
	params  map[string]string                 // name → DuckDB literal
	now     string                            // literal of CURRENT_TIMESTAMP()
	names   []string                          // of common table expressions
	words   map[string]bool                   // every identifier, in lower case: what the query may touch
}

// translate gives the DuckDB text. Errors are messages for the caller.
func (t *translation) translate(sql string) (string, error) {
	toks, err := lex(sql)
	if err != nil {
		return "", err
	}
	if len(toks) == 0 || !(toks[0].is("SELECT") || toks[0].is("WITH")) {
		return "", fmt.Errorf("the simulated BigQuery answers queries only, not %.40q", sql)
	}
	t.words = map[string]bool{}
	for i, l := range toks {
		if l.kind == word || l.kind == ticked {
			t.words[strings.ToLower(l.text)] = true
		}
		// name AS ( … ) in WITH
		if l.kind == word && i+2 < len(toks) && toks[i+1].is("AS") && toks[i+2].is("(") {
			t.names = append(t.names, strings.ToLower(l.text))
		}
	}
	return t.sequence(toks)
}

// sequence translates a run of tokens.
func (t *translation) sequence(toks []lexeme) (string, error) {
	var out []string
	for i := 0; i < len(toks); {
		text, n, err := t.one(toks, i)
		if err != nil {
			return "", err
		}
		out = append(out, text)
		i += n
	}
	return strings.Join(out, " "), nil
}

// one translates what begins at toks[i] and tells how many tokens it took.
func (t *translation) one(toks []lexeme, i int) (string, int, error) {
	if i >= len(toks) {
		return "", 0, complain("Syntax error: Unexpected end of statement")
	}
	l := toks[i]
	after := func(n int) lexeme {
		if i+n < len(toks) {
			return toks[i+n]
		}
		return lexeme{}
	}
	switch l.kind {
	case textual:
		return sqlText(l.text), 1, nil
	case numeral:
		return l.text, 1, nil
	case param:
		v, known := t.params[l.text]
		if !known {
			return "", 0, complain("Query parameter '%s' not found", l.text)
		}
		return v, 1, nil
	case ticked:
		return quoted(l.text), 1, nil
	case sign:
		if l.text == "[" {
			return t.index(toks, i)
		}
		return l.text, 1, nil
	}
	switch {
	case l.is("FROM") || l.is("JOIN"):
		return t.source(toks, i)
	case l.is("SAFE") && after(1).is("."):
		text, n, err := t.one(toks, i+2)
		return "TRY(" + text + ")", n + 2, err
	case after(1).is("(") && !isKeyword(l.text):
		return t.call(toks, i)
	case after(1).kind == textual && slices.Contains([]string{"DATE", "TIMESTAMP", "NUMERIC", "DATETIME", "BIGNUMERIC"}, strings.ToUpper(l.text)):
		typ, err := duckType(l.text)
		return "CAST(" + sqlText(after(1).text) + " AS " + typ + ")", 2, err
	case l.is("EXCEPT") && after(1).is("("):
		return "EXCLUDE", 1, nil
	case l.is("EXCEPT") && after(1).is("DISTINCT"):
		return "EXCEPT", 2, nil
	case l.is("UNION") && after(1).is("DISTINCT"):
		return "UNION", 2, nil
	case unknownWord(l.text):
		return "", 0, complain("Syntax error: Unexpected keyword or unsupported clause %s", strings.ToUpper(l.text))
	case l.text == partitionTime || after(1).is("."):
		return l.text, 1, nil
	}
	return l.text, 1, nil
}

// unknownWord lists words that DuckDB gives a meaning which GoogleSQL does not, and clauses that are not simulated.
func unknownWord(s string) bool {
	return slices.Contains([]string{"EXCLUDE", "ILIKE", "GLOB", "ASOF", "POSITIONAL", "SEMI", "ANTI", "MACRO", "TABLESAMPLE", "PIVOT", "UNPIVOT", "SYSTEM_TIME"}, strings.ToUpper(s))
}

// isKeyword tells the words after which a bracket is no call.
func isKeyword(s string) bool {
	return slices.Contains([]string{
		"SELECT", "WHERE", "AND", "OR", "NOT", "IN", "ON", "USING", "AS", "BY", "HAVING", "WHEN", "THEN", "ELSE", "CASE", "OVER", "UNION", "ALL", "DISTINCT", "EXISTS",
		"BETWEEN", "LIKE", "IS", "WITH", "QUALIFY", "EXCEPT", "LIMIT", "INTERVAL", "RETURN", "FROM", "JOIN",
	}, strings.ToUpper(s))
}

// source translates what stands after FROM or JOIN, up to and including its first table; further ones after a comma too.
func (t *translation) source(toks []lexeme, i int) (string, int, error) {
	out := []string{strings.ToUpper(toks[i].text)}
	at := i + 1
	for at < len(toks) {
		text, n, err := t.item(toks, at)
		if err != nil {
			return "", 0, err
		}
		out = append(out, text)
		at += n
		// an alias, and a comma that joins one more
		for at < len(toks) && (toks[at].is("AS") || (toks[at].kind == word && !endsSource(toks[at].text))) {
			out = append(out, toks[at].text)
			at++
		}
		if at < len(toks) && toks[at].is(",") && startsItem(toks, at+1) {
			out = append(out, ",")
			at++
			continue
		}
		break
	}
	return strings.Join(out, " "), at - i, nil
}

func startsItem(toks []lexeme, at int) bool {
	return at < len(toks) && (toks[at].is("UNNEST") || toks[at].kind == ticked || toks[at].is("(") || toks[at].kind == word)
}

func endsSource(s string) bool {
	return slices.Contains([]string{
		"WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "ON", "USING", "UNION", "EXCEPT", "INTERSECT", "QUALIFY", "WINDOW", "FOR", "OFFSET", "WITH",
		"TABLESAMPLE", "PIVOT", "UNPIVOT", "ASOF", "POSITIONAL", "SEMI", "ANTI",
	}, strings.ToUpper(s))
}

// item is one thing that is read from: a sub-query, UNNEST, a common table expression, or a table.
func (t *translation) item(toks []lexeme, at int) (string, int, error) {
	l := toks[at]
	switch {
	case l.is("("):
		end, err := closing(toks, at)
		if err != nil {
			return "", 0, err
		}
		inner, err := t.sequence(toks[at+1 : end])
		return "(" + inner + ")", end - at + 1, err
	case l.is("UNNEST"):
		return t.unnest(toks, at)
	case l.kind == word && slices.Contains(t.names, strings.ToLower(l.text)) && !(at+1 < len(toks) && toks[at+1].is(".")):
		return l.text, 1, nil
	case l.kind == word || l.kind == ticked:
		name, n := l.text, 1
		for at+n+1 < len(toks) && toks[at+n].is(".") {
			name, n = name+"."+toks[at+n+1].text, n+2
		}
		text, err := t.resolve(name)
		if next := at + n; next >= len(toks) || !(toks[next].is("AS") || toks[next].kind == word && !endsSource(toks[next].text)) {
			text += " AS " + quoted(name[strings.LastIndexByte(name, '.')+1:]) // the name that GoogleSQL gives it
		}
		return text, n, err
	}
	return "", 0, complain("Syntax error: Unexpected %q after FROM", l.text)
}

// unnest reads a list of records as rows: with an alias, the alias is the record; without one, its fields are columns.
func (t *translation) unnest(toks []lexeme, at int) (string, int, error) {
	end, err := closing(toks, at+1)
	if err != nil {
		return "", 0, err
	}
	inner, err := t.sequence(toks[at+2 : end])
	if err != nil {
		return "", 0, err
	}
	n := end - at + 1
	next := end + 1
	if next < len(toks) && toks[next].is("AS") {
		next++
	}
	if next < len(toks) && toks[next].kind == word && !endsSource(toks[next].text) {
		alias := toks[next].text
		if next+1 < len(toks) && toks[next+1].is("WITH") {
			return "", 0, complain("WITH OFFSET is not simulated")
		}
		return fmt.Sprintf("unnest(%s) AS %s_of_list(%s)", inner, alias, alias), next - at + 1, nil
	}
	return fmt.Sprintf("(SELECT unnest(%s, max_depth := 2))", inner), n, nil
}

// closing finds the bracket that closes the one at toks[at].
func closing(toks []lexeme, at int) (int, error) {
	depth := 0
	for i := at; i < len(toks); i++ {
		switch {
		case toks[i].kind != sign:
		case toks[i].text == "(" || toks[i].text == "[":
			depth++
		case toks[i].text == ")" || toks[i].text == "]":
			if depth--; depth == 0 {
				return i, nil
			}
		}
	}
	return 0, complain("Syntax error: Expected \")\" but got end of statement")
}

// index is [OFFSET(n)] behind a list, or a list literal.
func (t *translation) index(toks []lexeme, i int) (string, int, error) {
	end, err := closing(toks, i)
	if err != nil {
		return "", 0, err
	}
	if first := toks[i+1]; end > i+3 && (first.is("OFFSET") || first.is("SAFE_OFFSET")) && toks[i+2].is("(") {
		inner, err := t.sequence(toks[i+3 : end-1])
		return "[1 + (" + inner + ")]", end - i + 1, err
	}
	if i > 0 && (toks[i-1].kind == word || toks[i-1].kind == ticked || toks[i-1].is(")")) && !isKeyword(toks[i-1].text) {
		return "", 0, complain("Subscript access using [INT64] is not supported here; use OFFSET or ORDINAL")
	}
	inner, err := t.sequence(toks[i+1 : end])
	return "[" + inner + "]", end - i + 1, err
}

// call translates a function call.
func (t *translation) call(toks []lexeme, i int) (string, int, error) {
	name := strings.ToUpper(toks[i].text)
	end, err := closing(toks, i+1)
	if err != nil {
		return "", 0, err
	}
	n := end - i + 1
	body := toks[i+2 : end]
	switch name {
	case "CAST", "SAFE_CAST":
		text, err := t.cast(name, body)
		return text, n, err
	case "UNNEST": // in an IN: elsewhere it stands after FROM
		inner, err := t.sequence(body)
		return "(SELECT unnest(" + inner + "))", n, err
	case "EXTRACT":
		inner, err := t.sequence(body)
		return "EXTRACT(" + inner + ")", n, err
	case "ARRAY":
		inner, err := t.sequence(body)
		return "ARRAY(" + inner + ")", n, err
	case "STRUCT":
		text, err := t.structure(body)
		return text, n, err
	}
	var args []string
	for _, part := range split(body) {
		text, err := t.sequence(part)
		if err != nil {
			return "", 0, err
		}
		args = append(args, text)
	}
	text, err := t.function(name, args)
	return text, n, err
}

// split cuts at the commas outside of brackets.
func split(toks []lexeme) [][]lexeme {
	var out [][]lexeme
	depth, start := 0, 0
	for i, l := range toks {
		switch {
		case l.kind != sign:
		case l.text == "(" || l.text == "[":
			depth++
		case l.text == ")" || l.text == "]":
			depth--
		case l.text == "," && depth == 0:
			out, start = append(out, toks[start:i]), i+1
		}
	}
	if start < len(toks) {
		out = append(out, toks[start:])
	}
	return out
}

func (t *translation) cast(name string, body []lexeme) (string, error) {
	at := -1
	depth := 0
	for i, l := range body {
		switch {
		case l.is("("):
			depth++
		case l.is(")"):
			depth--
		case l.is("AS") && depth == 0:
			at = i
		}
	}
	if at < 0 || at+2 != len(body) {
		return "", complain("Syntax error: CAST needs AS and a simple type")
	}
	inner, err := t.sequence(body[:at])
	if err != nil {
		return "", err
	}
	typ, err := duckType(body[at+1].text)
	if err != nil {
		return "", err
	}
	if name == "SAFE_CAST" {
		return "TRY_CAST(" + inner + " AS " + typ + ")", nil
	}
	if typ == "VARCHAR" {
		return asText(inner), nil
	}
	return "CAST(" + inner + " AS " + typ + ")", nil
}

// asText writes a value as GoogleSQL does: decimals without trailing zeros, times with their offset.
func asText(inner string) string {
	return fmt.Sprintf("(CASE WHEN typeof(%[1]s) LIKE 'DECIMAL%%' THEN regexp_replace(regexp_replace(CAST(%[1]s AS VARCHAR), '(\\.[0-9]*?)0+$', '\\1'), '\\.$', '') WHEN typeof(%[1]s) LIKE 'TIMESTAMP%%' THEN CAST(%[1]s AS VARCHAR) || '+00' ELSE CAST(%[1]s AS VARCHAR) END)", inner)
}

func duckType(google string) (string, error) {
	switch strings.ToUpper(google) {
	case "NUMERIC", "DECIMAL":
		return "DECIMAL(38,9)", nil
	case "BIGNUMERIC", "BIGDECIMAL":
		return "DECIMAL(38,18)", nil
	case "FLOAT64":
		return "DOUBLE", nil
	case "INT64", "INTEGER", "BIGINT":
		return "BIGINT", nil
	case "STRING":
		return "VARCHAR", nil
	case "BOOL", "BOOLEAN":
		return "BOOLEAN", nil
	case "DATE":
		return "DATE", nil
	case "TIMESTAMP", "DATETIME":
		return "TIMESTAMP", nil
	}
	return "", complain("Type not found: %s", google)
}

// structure is STRUCT(a AS b, c).
func (t *translation) structure(body []lexeme) (string, error) {
	var out []string
	for i, part := range split(body) {
		name := "_field_" + strconv.Itoa(i+1)
		if n := len(part); n > 2 && part[n-2].is("AS") {
			name, part = part[n-1].text, part[:n-2]
		} else if n > 0 && part[n-1].kind == word {
			name = part[n-1].text
		}
		inner, err := t.sequence(part)
		if err != nil {
			return "", err
		}
		out = append(out, quoted(name)+" := "+inner)
	}
	return "struct_pack(" + strings.Join(out, ", ") + ")", nil
}

package google

import (
	"fmt"
	"slices"
	"strings"
)

// same are functions that both dialects have under one name and with one meaning.
func same() []string {
	return []string{
		"SUM", "COUNT", "MIN", "MAX", "AVG", "ANY_VALUE", "COALESCE", "IFNULL", "NULLIF", "IF", "ABS", "ROUND", "GREATEST", "LEAST", "LOWER", "UPPER", "TRIM", "SUBSTR", "REPLACE",
		"CONCAT", "LENGTH", "STARTS_WITH", "ENDS_WITH", "ROW_NUMBER", "RANK", "LAG", "LEAD", "STRING_AGG", "ARRAY_AGG", "CEIL", "FLOOR", "SIGN", "MOD", "LAST_DAY", "BIT_XOR", "LTRIM", "RTRIM",
	}
}

// renamed are functions that only the name tells apart.
func renamed(name string) string {
	return map[string]string{
		"COUNTIF": "count_if", "LOGICAL_OR": "bool_or", "LOGICAL_AND": "bool_and", "ARRAY_LENGTH": "len", "REGEXP_CONTAINS": "regexp_matches", "UNIX_MICROS": "epoch_us",
		"UNIX_MILLIS": "epoch_ms", "APPROX_COUNT_DISTINCT": "approx_count_distinct", "TIMESTAMP_MICROS": "make_timestamp", "STRPOS": "strpos",
	}[name]
}

// function translates a call whose arguments are translated already.
func (t *translation) function(name string, args []string) (string, error) {
	list := strings.Join(args, ", ")
	if slices.Contains(same(), name) {
		return strings.ToLower(name) + "(" + list + ")", nil
	}
	if other := renamed(name); other != "" {
		return other + "(" + list + ")", nil
	}
	if text := timeFunction(name, args); text != "" {
		return text, nil
	}
	switch {
	case name == "TO_JSON_STRING" && len(args) == 1:
		return "coalesce(CAST(to_json(" + list + ") AS VARCHAR), 'null')", nil
	case name == "SAFE_DIVIDE" && len(args) == 2:
		return "(" + args[0] + " / nullif(" + args[1] + ", 0))", nil
	case name == "CURRENT_TIMESTAMP" && len(args) == 0:
		return t.now, nil
	case name == "CURRENT_DATE":
		return "CAST(" + t.now + " AS DATE)", nil
	}
	return "", complain("Function not found: %s (or the simulation does not know it with %d arguments)", name, len(args))
}

// timeFunction knows dates and times; "" for none of them. The only time zone is UTC.
func timeFunction(name string, args []string) string {
	if len(args) > 1 && slices.Contains([]string{"'UTC'", "'Etc/UTC'"}, args[len(args)-1]) {
		args = args[:len(args)-1]
	}
	switch {
	case name == "DATE" && len(args) == 1:
		return "CAST(" + args[0] + " AS DATE)"
	case name == "DATE" && len(args) == 3:
		return "make_date(" + strings.Join(args, ", ") + ")"
	case (name == "TIMESTAMP" || name == "DATETIME") && len(args) == 1:
		return "CAST(" + args[0] + " AS TIMESTAMP)"
	case (name == "FORMAT_DATE" || name == "FORMAT_TIMESTAMP" || name == "FORMAT_DATETIME") && len(args) == 2:
		return "strftime(" + args[1] + ", " + googleFormat(args[0]) + ")"
	case name == "PARSE_DATE" && len(args) == 2:
		return "CAST(strptime(" + args[1] + ", " + args[0] + ") AS DATE)"
	case name == "PARSE_TIMESTAMP" && len(args) == 2:
		return "strptime(" + args[1] + ", " + args[0] + ")"
	case (name == "TIMESTAMP_TRUNC" || name == "DATE_TRUNC" || name == "DATETIME_TRUNC") && len(args) == 2:
		text := "date_trunc('" + strings.ToLower(args[1]) + "', " + args[0] + ")"
		if name == "DATE_TRUNC" {
			return "CAST(" + text + " AS DATE)"
		}
		return "CAST(" + text + " AS TIMESTAMP)"
	case strings.HasSuffix(name, "_DIFF") && len(args) == 3:
		return "date_diff('" + strings.ToLower(args[2]) + "', " + args[1] + ", " + args[0] + ")"
	case name == "UNIX_SECONDS" && len(args) == 1:
		return "CAST(epoch(" + args[0] + ") AS BIGINT)"
	}
	return shifted(name, args)
}

// shifted is DATE_ADD(d, INTERVAL 5 DAY) and its kin.
func shifted(name string, args []string) string {
	op := map[string]string{"DATE_ADD": "+", "DATE_SUB": "-", "TIMESTAMP_ADD": "+", "TIMESTAMP_SUB": "-"}[name]
	if op == "" || len(args) != 2 {
		return ""
	}
	parts := strings.Fields(args[1])
	if len(parts) < 3 || !strings.EqualFold(parts[0], "INTERVAL") {
		return ""
	}
	typ := "TIMESTAMP"
	if strings.HasPrefix(name, "DATE") {
		typ = "DATE"
	}
	amount := strings.Join(parts[1:len(parts)-1], " ")
	return fmt.Sprintf("CAST(%s %s INTERVAL (%s) %s AS %s)", args[0], op, amount, parts[len(parts)-1], typ)
}

// googleFormat writes GoogleSQL's own elements in DuckDB's words: %E6S is seconds with six digits, %F a date, %T a time.
func googleFormat(format string) string {
	return strings.NewReplacer("%E6S", "%S.%f", "%F", "%Y-%m-%d", "%T", "%H:%M:%S", "%Ez", "+00:00").Replace(format)
}

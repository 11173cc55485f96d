package bill

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// tags is the SQL of the Tags map of a usage row. Elastic resources carry every active key, standing ones no pool and
// no session, untagged ones nothing. A key is written from the day on that it became active.
func (g generator) tags() string {
	var branches []string
	for _, from := range g.turns() {
		keys := g.activeOn(from)
		branches = append(branches, fmt.Sprintf("WHEN NOT tagged OR day < %d THEN MAP {} WHEN elastic THEN %s ELSE %s", from, g.tagMap(keys, true), g.tagMap(keys, false)))
	}
	sql := "MAP {}::MAP(VARCHAR, VARCHAR)"
	for i, b := range branches { // ascending: the later turn is asked first
		if i == 0 {
			sql = "CASE " + b + " END"
			continue
		}
		sql = fmt.Sprintf("CASE WHEN day < %d THEN %s ELSE CASE %s END END", g.turns()[i], sql, b)
	}
	return sql
}

// turns are the days of the month on which the set of active keys changes, the first day always among them.
func (g generator) turns() []int {
	days := []int{0}
	for _, key := range g.spec.Tagged {
		if d := g.firstDay(key); d > 0 && d < g.spec.monthDays() {
			days = append(days, d)
		}
	}
	slices.Sort(days)
	return slices.Compact(days)
}

func (g generator) firstDay(key string) int {
	since, ok := g.spec.ActiveSince[key]
	if !ok {
		return 0
	}
	return int((since.UTC().Sub(g.spec.Period.Start()) + 24*time.Hour - 1) / (24 * time.Hour))
}

func (g generator) activeOn(day int) []string {
	var keys []string
	for _, key := range g.spec.Tagged {
		if g.firstDay(key) <= day {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (g generator) tagMap(keys []string, elastic bool) string {
	var names, values []string
	for _, key := range keys {
		if value := g.tagValue(key, elastic); value != "" {
			names, values = append(names, spell(g.spec.TagPrefix, key)), append(values, value)
		}
	}
	if len(names) == 0 {
		return "MAP {}"
	}
	return "MAP([" + quoteAll(names) + "], [" + strings.Join(values, ", ") + "])"
}

// tagValue is the SQL of a key's value; "" where such a resource has none.
func (g generator) tagValue(key string, elastic bool) string {
	s := g.spec
	project := fmt.Sprintf("hash(person, %d, howner %% 3) %% %d", s.Seed, len(s.Projects))
	start := "DATE " + quote(s.Period.Start().Format("2006-01-02"))
	switch key {
	case "User":
		return list(s.Users) + "[1 + person]"
	case "Project":
		return list(s.Projects) + "[1 + (" + project + ")::BIGINT]"
	case "GroupID":
		return list(s.Groups) + "[1 + ((" + project + ") % " + fmt.Sprint(len(s.Groups)) + ")::BIGINT]"
	case "OrganizationID":
		return quote(s.Organization)
	case "Name":
		return "replace(code, 'Amazon', '') || '-' || " + list(s.Users) + "[1 + person] || '-' || (hres % 900 + 100)::VARCHAR"
	case "Date":
		if !elastic {
			return "(" + start + " - (hres % 200)::INTEGER)::VARCHAR"
		}
		return fmt.Sprintf("(%s + (session * %d // %d)::INTEGER)::VARCHAR", start, s.monthDays(), s.Sessions)
	case "Pool", "Session", "SessionID":
		if !elastic {
			return ""
		}
		return g.sessionValue(key)
	}
	return "'v' || (hres % 7)::VARCHAR"
}

func (g generator) sessionValue(key string) string {
	switch key {
	case "Pool":
		return fmt.Sprintf("%s[1 + least((howner >> 8) %% %[2]d, (howner >> 32) %% %[2]d)::BIGINT]", list(g.spec.Pools), len(g.spec.Pools))
	case "Session":
		return "(session % 400 + 1)::VARCHAR"
	}
	return fmt.Sprintf("'ses_' || lower(hex(%d + session)) || lower(hex(howner))", monthsSince2026(g.spec)*10_000_000+1_000_000_000)
}

// spell writes a key as the export does: behind "user_" in snake case, where each capital begins a word (clouds.md §6:
// user_group_i_d), otherwise as it is.
func spell(prefix, key string) string {
	if !strings.HasSuffix(prefix, "_") {
		return prefix + key
	}
	var b strings.Builder
	for i, r := range key {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return prefix + b.String()
}

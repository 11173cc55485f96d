package duckdb

import (
	"cmp"
	"slices"
	"strings"

	"outlay"
)

// tagPlan says which delivered keys are which of the nine tags, for one period.
type tagPlan struct {
	// keys lists for each of the nine the delivered keys that mean it, best first.
	keys map[string][]string
	// near lists keys that only look like one of the nine.
	near []nearKey
	// rest tells whether other keys occur, near ones included.
	rest bool
}

// planTags decides from the keys that occur in a period. A prefix is stripped only when every key that is not the
// provider's own carries one: else a person's own key 'user_name' would become 'name' (clouds.md §6).
func planTags(occurring []string, m outlay.Mapping) tagPlan {
	plan := tagPlan{keys: map[string][]string{}}
	bare := map[string]string{} // delivered key → without prefix
	strip := true
	for _, k := range occurring {
		if hasPrefix(k, m.ProviderTagPrefixes) != "" {
			plan.rest = true
			continue
		}
		bare[k] = k
		strip = strip && hasPrefix(k, m.TagPrefixes) != ""
	}
	nine := map[string]string{}
	for _, k := range outlay.TagKeys() {
		nine[outlay.FoldTag(k)] = k
	}
	for k := range bare {
		if strip {
			bare[k] = strings.TrimPrefix(k, hasPrefix(k, m.TagPrefixes))
		}
		if tag, ok := nine[outlay.FoldTag(bare[k])]; ok {
			plan.keys[tag] = append(plan.keys[tag], k)
			continue
		}
		plan.rest = true
		if tag, near := outlay.NearTag(bare[k]); near {
			plan.near = append(plan.near, nearKey{tag, k})
		}
	}
	plan.near = sortNear(plan.near)
	for tag, list := range plan.keys {
		slices.SortFunc(list, func(a, b string) int {
			return cmp.Or(-compareBool(bare[a] == tag, bare[b] == tag), strings.Compare(bare[a], bare[b]), strings.Compare(a, b))
		})
	}
	return plan
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// hasPrefix is the first of the prefixes that k begins with, or "".
func hasPrefix(k string, prefixes []string) string {
	for _, p := range prefixes {
		if strings.HasPrefix(k, p) {
			return p
		}
	}
	return ""
}

// tagSQL is the expression of one tag's column.
func (p tagPlan) tagSQL(tag string) string {
	keys := p.keys[tag]
	if len(keys) == 0 {
		return "NULL::VARCHAR"
	}
	var parts []string
	for _, k := range keys {
		parts = append(parts, "Tags["+text(k)+"]")
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "COALESCE(" + strings.Join(parts, ", ") + ")"
}

// restSQL is the expression of the tags that did not become a column: other keys, and spellings that lost to a better
// one on the same row. Keys stay as delivered.
func (p tagPlan) restSQL() string {
	var taken []string // e is taken out when one of these holds
	var firsts []string
	clash := false
	for _, tag := range outlay.TagKeys() {
		for i, k := range p.keys[tag] {
			if i == 0 {
				firsts = append(firsts, k)
				continue
			}
			clash = true
			var better []string
			for _, b := range p.keys[tag][:i] {
				better = append(better, "Tags["+text(b)+"] IS NULL")
			}
			taken = append(taken, "(e.key = "+text(k)+" AND "+strings.Join(better, " AND ")+")")
		}
	}
	if !p.rest && !clash {
		return "NULL::MAP(VARCHAR, VARCHAR)"
	}
	if len(firsts) > 0 {
		taken = append(taken, "e.key IN ("+strings.Trim(texts(firsts), "[]")+")")
	}
	if len(taken) == 0 {
		return "Tags"
	}
	all := append(slices.Clone(firsts), p.others()...)
	return "CASE WHEN Tags IS NULL OR list_has_all(" + texts(all) + ", map_keys(Tags)) AND NOT " + p.clashSQL() + " THEN NULL ELSE " +
		"map_from_entries(list_filter(map_entries(Tags), lambda e: NOT (" + strings.Join(taken, " OR ") + "))) END"
}

// others are the keys that mean one of the nine without being its best spelling.
func (p tagPlan) others() []string {
	var out []string
	for _, tag := range outlay.TagKeys() {
		if keys := p.keys[tag]; len(keys) > 1 {
			out = append(out, keys[1:]...)
		}
	}
	return out
}

// clashSQL tells whether two spellings of one tag meet on a row.
func (p tagPlan) clashSQL() string {
	var any []string
	for _, tag := range outlay.TagKeys() {
		keys := p.keys[tag]
		if len(keys) < 2 {
			continue
		}
		var count []string
		for _, k := range keys {
			count = append(count, "CAST(Tags["+text(k)+"] IS NOT NULL AS INTEGER)")
		}
		any = append(any, "("+strings.Join(count, " + ")+") > 1")
	}
	if len(any) == 0 {
		return "false"
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

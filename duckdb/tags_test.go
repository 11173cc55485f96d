package duckdb

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

// TestTags folds spellings to the nine, strips prefixes by the rule of clouds.md §6, and keeps the rest.
func TestTags(t *testing.T) {
	m := FocusMapping()
	m.ProviderTagPrefixes = []string{"nimbus:"}
	cases := []struct {
		name string
		tags []string // of one row each
		want []string // tag_Name|tag_User|tag_SessionID|rest
		note string
	}{
		{"exact", []string{`{"User":"ann","Name":"n"}`}, []string{"n|ann|-|-"}, ""},
		{"every key prefixed", []string{`{"user:User":"ann","user:Name":"n","nimbus:createdBy":"c"}`}, []string{"n|ann|-|{nimbus:createdBy=c}"}, ""},
		{"snake case", []string{`{"user_user":"ann","user_session_i_d":"s"}`}, []string{"-|ann|s|-"}, ""},
		{"not every key prefixed", []string{`{"user_name":"n","team":"x"}`}, []string{"-|-|-|{user_name=n, team=x}"}, ""},
		{"the rest of the month decides", []string{`{"user_name":"n"}`, `{"team":"x"}`}, []string{"-|-|-|{team=x}", "-|-|-|{user_name=n}"}, ""},
		{"the provider's own key is never one", []string{`{"nimbus:user":"c"}`}, []string{"-|-|-|{nimbus:user=c}"}, ""},
		{"exact spelling wins", []string{`{"user":"small","User":"ann","USER":"loud"}`}, []string{"-|ann|-|{user=small, USER=loud}"},
			`The tag User is spelled User, USER, user; "User" goes first. On 1 row two spellings met.`},
		{"then the smallest", []string{`{"uSer":"b","USER":"a"}`, `{"uSer":"c"}`}, []string{"-|a|-|{uSer=b}", "-|c|-|-"},
			`The tag User is spelled USER, uSer; "USER" goes first. On 1 row two spellings met.`},
		{"two spellings that never meet", []string{`{"User":"ann"}`, `{"USER":"loud"}`}, []string{"-|ann|-|-", "-|loud|-|-"},
			`The tag User is spelled User, USER; "User" goes first.`},
		{"none", []string{""}, []string{"-|-|-|-"}, ""},
		{"an empty object", []string{"{}"}, []string{"-|-|-|-"}, ""},
		{"quotes in a key", []string{`{"it's":"x","User":"o'neil"}`}, []string{"-|o'neil|-|{it's=x}"}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var charges []charge
			for _, tags := range c.tags {
				charges = append(charges, usage("2026-10-01", "1", "Tags", tags))
			}
			j := job(t, file(t, "bill.csv", csvText(charges...)))
			j.Mapping = m
			periods := parseHere(t, j)
			got := lakeRows(t, periods, "COALESCE(tag_Name, '-'), COALESCE(tag_User, '-'), COALESCE(tag_SessionID, '-'), CASE WHEN COALESCE(cardinality(Tags), 0) = 0 THEN '-' ELSE replace(Tags::VARCHAR, '''', '') END")
			slices.Sort(got)
			if d := cmp.Diff(clean(c.want), clean(got)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(c.note, strings.Join(periods[0].Proof.Notes, " ")); d != "" {
				t.Error(d)
			}
		})
	}
}

// clean takes out the quotes that the engine sets around odd texts.
func clean(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, strings.NewReplacer("'", "", `\`, "").Replace(s))
	}
	return out
}

// FuzzTags looks for keys that end in no place or in two.
func FuzzTags(f *testing.F) {
	f.Add("User", "user_user", "team")
	f.Add("user:Name", "nimbus:x", "USER")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		m := outlay.Mapping{TagPrefixes: []string{"user:", "user_"}, ProviderTagPrefixes: []string{"nimbus:"}}
		keys := merge([]string{a, b, c}, nil)
		plan := planTags(keys, m)
		placed := 0
		for _, list := range plan.keys {
			placed += len(list)
		}
		if placed > len(keys) || placed < len(keys) && !plan.rest || placed == len(keys) && plan.rest {
			t.Errorf("%q: %+v", keys, plan)
		}
	})
}

package duckdb

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

const nineTags = `concat_ws('|', COALESCE(tag_Date, '-'), COALESCE(tag_GroupID, '-'), COALESCE(tag_Name, '-'), COALESCE(tag_OrganizationID, '-'), COALESCE(tag_Pool, '-'), COALESCE(tag_Project, '-'), COALESCE(tag_Session, '-'), COALESCE(tag_SessionID, '-'), COALESCE(tag_User, '-'))`

// TestLabels turns labels back to what they stand for: exactly, in their own column, and nowhere else.
func TestLabels(t *testing.T) {
	j := job(t, file(t, "bill.csv", csvText(
		usage("2026-10-01", "1", "Tags", `{"user":"ann-example-org","project":"ann-example-org","team":"ann-example-org"}`),
		usage("2026-10-02", "2", "Tags", `{"USER":"Ann-example-org"}`),
		usage("2026-10-03", "3", "Tags", `{"user":"o-neil"}`),
		usage("2026-10-04", "4"),
		usage("2026-11-04", "5", "Tags", `{"user":"ann-example-org"}`),
	)))
	j.Labels = map[string]map[string]string{"User": {"ann-example-org": "ann@example.org", "o-neil": "o'neil"}, "Pool": {"x": "X"}, "Unknown": {"a": "b"}}
	periods := parseHere(t, j)
	got := lakeRows(t, periods, nineTags+" || ' ' || COALESCE(replace(Tags::VARCHAR, '''', ''), '-') || ' ' || EffectiveCost::DOUBLE")
	want := []string{
		"-|-|-|-|-|-|-|-|- - 4.0",
		"-|-|-|-|-|-|-|-|Ann-example-org - 2.0",
		"-|-|-|-|-|-|-|-|ann@example.org - 5.0",
		"-|-|-|-|-|-|-|-|o'neil - 3.0",
		"-|-|-|-|-|ann-example-org|-|-|ann@example.org {team=ann-example-org} 1.0",
	}
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	viaChild, err := child().Parse(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	got = lakeRows(t, viaChild, nineTags)
	if !slices.Contains(got, "-|-|-|-|-|-|-|-|ann@example.org") {
		t.Errorf("the child left the labels: %q", got)
	}
}

// TestLabelsAreOnlyNames parses random bills with and without random labels: the second is the first with every value
// replaced by the map, and no figure moves.
func TestLabelsAreOnlyNames(t *testing.T) {
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 11))
		labels := map[string]map[string]string{}
		values := []string{"a", "b", "A", "a-b", "ann@x", "", "ü", "it's"}
		for _, tag := range outlay.TagKeys() {
			labels[tag] = map[string]string{}
			for range r.IntN(4) {
				labels[tag][values[r.IntN(len(values))]] = values[r.IntN(len(values)-3)] + "!" + tag
			}
		}
		var charges []charge
		for i := range 200 {
			var pairs []string
			for _, tag := range outlay.TagKeys() {
				if r.IntN(2) == 0 {
					pairs = append(pairs, fmt.Sprintf("%q:%q", tag, values[r.IntN(len(values))]))
				}
			}
			charges = append(charges, usage(fmt.Sprintf("2026-%02d-%02d", 9+r.IntN(2), 1+r.IntN(28)), fmt.Sprintf("%d.%02d", i, r.IntN(100)), "Tags", "{"+strings.Join(pairs, ",")+"}"))
		}
		j := job(t, file(t, "bill.csv", csvText(charges...)))
		plain := parseHere(t, j)
		j.OutDir, j.Labels = t.TempDir(), labels
		named := parseHere(t, j)
		row := nineTags + " || '|' || EffectiveCost::VARCHAR"
		var want []string
		for _, line := range lakeRows(t, plain, row) {
			cells := strings.Split(line, "|")
			for i, tag := range outlay.TagKeys() {
				if original, ok := labels[tag][cells[i]]; ok {
					cells[i] = original
				}
			}
			want = append(want, strings.Join(cells, "|"))
		}
		got := lakeRows(t, named, row)
		slices.Sort(want)
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("seed %d:\n%s", seed, d)
		}
		for i := range plain {
			if d := cmp.Diff(plain[i].Proof, named[i].Proof); d != "" {
				t.Errorf("seed %d, the proof moved:\n%s", seed, d)
			}
		}
	}
}

// TestSpellings finds keys that only look like one of the nine, with what they stand for.
func TestSpellings(t *testing.T) {
	j := job(t, file(t, "bill.csv", csvText(
		usage("2026-10-01", "1.50", "Tags", `{"user:Projekt":"a","user:User":"ann"}`),
		usage("2026-10-02", "2", "Tags", `{"user:Projekt":"b","user:project-id":"7"}`),
		usage("2026-10-03", "4", "Tags", `{"user:Project":"c","user:project":"d","user:team":"x"}`),
	)))
	want := []outlay.TagSpelling{
		{Tag: "Project", Keys: []string{"user:Project", "user:project"}, Rows: 1},
		{Tag: "Project", Keys: []string{"user:Projekt"}, Near: true, Rows: 2, Effective: map[string]string{"USD": "3.5"}},
		{Tag: "Project", Keys: []string{"user:project-id"}, Near: true, Rows: 1, Effective: map[string]string{"USD": "2"}},
	}
	if d := cmp.Diff(want, parseHere(t, j)[0].Proof.Spellings); d != "" {
		t.Error(d)
	}
}

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

// relabelled asks for a month's files to be written again.
func relabelled(t *testing.T, j outlay.ParseJob, p outlay.ParsedPeriod) outlay.ParseJob {
	t.Helper()
	r := outlay.ParseJob{OrgID: j.OrgID, SourceID: j.SourceID, Period: p.Period, Labels: j.Labels, LabelsBy: j.LabelsBy, Relabel: true, OutDir: t.TempDir(), Generation: "gen_2", MemoryLimit: j.MemoryLimit, Threads: j.Threads}
	for _, f := range p.Files {
		r.Files = append(r.Files, f.Path)
	}
	return r
}

// TestRelabel writes months again and gets what loading them with the labels gives: every column of every row, the sums,
// the sub accounts and the rollups.
func TestRelabel(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 12))
		values := []string{"a", "b", "A", "a-b", "ü", "it's"}
		labels := map[string]map[string]string{"User": {"a": "ann@example.org", "a-b": "A B"}, "Project": {"it's": "It's", "b": "bee"}, "Pool": {"nowhere": "x"}}
		var bills []string
		for range 2 {
			var charges []charge
			for i := range 100 {
				var pairs []string
				for _, tag := range outlay.TagKeys() {
					if r.IntN(2) == 0 {
						pairs = append(pairs, fmt.Sprintf("%q:%q", tag, values[r.IntN(len(values))]))
					}
				}
				charges = append(charges, usage(fmt.Sprintf("2026-%02d-%02d", 9+r.IntN(2), 1+r.IntN(28)), fmt.Sprintf("%d.%02d", i, r.IntN(100)), "Tags", "{"+strings.Join(append(pairs, `"team":"a"`), ",")+"}"))
			}
			bills = append(bills, csvText(charges...))
		}
		j := job(t, file(t, "one.csv", bills[0]), file(t, "two.csv", addColumn(bills[1])))
		plain := parseHere(t, j)
		j.OutDir, j.Labels = t.TempDir(), labels
		want := parseHere(t, j)
		for i, p := range plain {
			got := parseHere(t, relabelled(t, j, p))
			if len(got) != 1 {
				t.Fatalf("%s: %d months", p.Period, len(got))
			}
			if len(p.Files) != 2 {
				t.Fatalf("%d files, want 2: the test means to have several", len(p.Files))
			}
			a, b := lakeRows(t, got, "*COLUMNS(*)"), lakeRows(t, want[i:i+1], "*COLUMNS(*)")
			slices.Sort(a)
			slices.Sort(b)
			if d := cmp.Diff(b, a); d != "" {
				t.Errorf("seed %d, rows:\n%s", seed, d)
			}
			if d := cmp.Diff([]any{want[i].Proof.Rows, want[i].Proof.Read, want[i].Proof.Written, want[i].SubAccounts}, []any{got[0].Proof.Rows, got[0].Proof.Read, got[0].Proof.Written, got[0].SubAccounts}); d != "" {
				t.Errorf("seed %d, proof:\n%s", seed, d)
			}
			for n := range rollups() {
				a, b := fileRows(t, got[0].Rollups[n]), fileRows(t, want[i].Rollups[n])
				if d := cmp.Diff(b, a); d != "" {
					t.Errorf("seed %d, rollup %d:\n%s", seed, n, d)
				}
			}
			if again := parseHere(t, relabelled(t, j, got[0])); len(again) != 0 {
				t.Errorf("seed %d: nothing is left to turn back, and yet %d months were written", seed, len(again))
			}
		}
	}
}

// addColumn gives every record of a bill another column, so that it becomes a file of its own.
func addColumn(bill string) string {
	var out []string
	for i, line := range strings.Split(strings.TrimSuffix(bill, "\n"), "\n") {
		out = append(out, map[bool]string{true: "x_Odd,", false: "1,"}[i == 0]+line)
	}
	return strings.Join(out, "\n") + "\n"
}

// fileRows are a file's rows, sorted.
func fileRows(t *testing.T, path string) []string {
	t.Helper()
	out := lakeRows(t, []outlay.ParsedPeriod{{Files: []outlay.DataFile{{Path: path}}}}, "*COLUMNS(*)")
	slices.Sort(out)
	return out
}

// TestRelabelInAChild goes by way of the child, and leaves a month alone that holds no label.
func TestRelabelInAChild(t *testing.T) {
	j := job(t, file(t, "bill.csv", csvText(usage("2026-10-01", "1", "Tags", `{"user":"ann"}`), usage("2026-11-01", "2", "Tags", `{"user":"bob"}`))))
	periods := parseHere(t, j)
	j.Labels = map[string]map[string]string{"User": {"ann": "Ann"}}
	got, err := child().Parse(t.Context(), relabelled(t, j, periods[0]))
	if err != nil || len(got) != 1 {
		t.Fatalf("%d months, %v", len(got), err)
	}
	if d := cmp.Diff([]string{"Ann"}, lakeRows(t, got, "tag_User")); d != "" {
		t.Error(d)
	}
	if got, err := child().Parse(t.Context(), relabelled(t, j, periods[1])); err != nil || len(got) != 0 {
		t.Errorf("%d months, %v: it holds no label", len(got), err)
	}
}

// TestLabelsOfSeveralProviders turns each provider's labels back on its own charges only.
func TestLabelsOfSeveralProviders(t *testing.T) {
	j := job(t, file(t, "bill.csv", csvText(
		usage("2026-10-01", "1", "Tags", `{"user":"ann"}`, "ProviderName", "Nimbus"),
		usage("2026-10-02", "2", "Tags", `{"user":"ann"}`, "ProviderName", "CIRRUS"),
		usage("2026-10-03", "4", "Tags", `{"user":"ann"}`, "ProviderName", "Stratus"),
	)))
	plain := parseHere(t, j)
	j.OutDir = t.TempDir()
	j.LabelsBy = map[string]map[string]map[string]string{"nimbus": {"User": {"ann": "Ann"}}, "cirrus": {"User": {"ann": "Anna"}, "Pool": {"x": "y"}}}
	want := []string{"CIRRUS|Anna|2.000000000000000000", "Nimbus|Ann|1.000000000000000000", "Stratus|ann|4.000000000000000000"}
	for name, periods := range map[string][]outlay.ParsedPeriod{"loaded": parseHere(t, j), "written again": parseHere(t, relabelled(t, j, plain[0]))} {
		got := lakeRows(t, periods, "ProviderName, tag_User, BilledCost")
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
	j.Labels = map[string]map[string]string{"User": {"ann": "Ann"}}
	if _, err := child().Parse(t.Context(), j); outlay.CodeOf(err) != outlay.CodeInternal {
		t.Errorf("labels of one provider and of several: %v", err)
	}
}

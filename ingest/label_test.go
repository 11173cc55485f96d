package ingest_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/ingest"
	"outlay/outlaytest"
)

// meanings are what labels stand for in these tests. The third and fourth are of one value that was taken.
func (h *house) meanings(t *testing.T) {
	t.Helper()
	h.tx(t, func(tx outlay.Tx) error {
		for _, m := range []outlay.LabelMeaning{
			{Provider: nimbus, Tag: "Project", Value: "p0", Original: "Flood maps"}, {Provider: nimbus, Tag: "Project", Value: "p1", Original: "p1"},
			{Provider: nimbus, Tag: "Project", Value: "p2", Original: "P 2"}, {Provider: nimbus, Tag: "Project", Value: "p2-1f", Original: "p2"},
			{Provider: "cirrus", Tag: "Project", Value: "p1", Original: "somebody else's"}, {Provider: nimbus, Tag: "User", Value: "p1", Original: "another tag's"},
		} {
			m.OrgID = org
			if err := tx.PutLabel(t.Context(), m); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestLabels loads a month before and after the meaning of a label is known: the lake shows the original from the next
// delivery on.
func TestLabels(t *testing.T) {
	h := newHouse(t, "", newClock())
	h.found(t, h.delivery(t, 1, bill(month, 3, "1")))
	h.drain(t)
	h.meanings(t)
	if d := cmp.Diff([]string{"p0", "p1", "p2"}, h.projects(t)); d != "" {
		t.Errorf("before the next delivery:\n%s", d)
	}
	h.found(t, h.delivery(t, 2, bill(month, 3, "1")))
	h.drain(t)
	if d := cmp.Diff([]string{"Flood maps", "P 2", "p1"}, h.projects(t)); d != "" {
		t.Errorf("after it:\n%s", d)
	}
}

// TestLabelsOfOldMonths turns back what was loaded before the meaning was known: within a day, at the same version, with
// the same figures, once. A label that is itself what another stands for stays: nobody can tell which it is.
func TestLabelsOfOldMonths(t *testing.T) {
	h := newHouse(t, "", newClock())
	h.found(t, h.delivery(t, 1, bill(month, 3, "1")))
	h.drain(t)
	if _, err := h.importFiles(t, "bill", write(t, "a.csv", bill("2026-08", 2, "1")+strings.TrimPrefix(bill("2026-09", 3, "1"), billHeader+"\n"))); err != nil {
		t.Fatal(err)
	}
	before := h.heads(t)
	h.meanings(t)
	told := h.told.get()
	g := h.ingest(nil)
	if err := g.Tidy(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"Flood maps", "p1", "p2"}, h.projects(t)); d != "" {
		t.Errorf("after the day:\n%s", d)
	}
	after := h.heads(t)
	for i := range before {
		if before[i].Generation == after[i].Generation || before[i].Snapshot == after[i].Snapshot {
			t.Errorf("%s was not written again", after[i].Period)
		}
		same := after[i]
		same.Generation, same.Files, same.Rollups, same.Snapshot = before[i].Generation, before[i].Files, before[i].Rollups, before[i].Snapshot
		if d := cmp.Diff(before[i], same); d != "" {
			t.Errorf("more than the files changed:\n%s", d)
		}
	}
	src := before[len(before)-1].SourceID
	for _, b := range before {
		if b.SourceID != source {
			src = b.SourceID
		}
	}
	h.shows(t, map[string]string{source + " 2026-10": "3 rows 3", src + " 2026-08": "2 rows 2", src + " 2026-09": "3 rows 3"})
	if h.told.get() != told+1 {
		t.Errorf("told %d times", h.told.get()-told)
	}
	if err := g.Tidy(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(after, h.heads(t)); d != "" {
		t.Errorf("the next day changed it again:\n%s", d)
	}
	h.found(t, h.delivery(t, 2, bill(month, 4, "1")))
	h.drain(t)
	h.shows(t, map[string]string{source + " 2026-10": "4 rows 4", src + " 2026-08": "2 rows 2", src + " 2026-09": "3 rows 3"})
	h.quiet(t, h.clock.(*outlaytest.Clock))
}

// TestLabelsOfImports turns labels back in files that people bring, each provider's on its own charges.
func TestLabelsOfImports(t *testing.T) {
	h := newHouse(t, "", newClock())
	h.meanings(t)
	if _, err := h.importFiles(t, "bill", write(t, "a.csv", bill("2026-08", 2, "1"))); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"Flood maps", "p1"}, h.projects(t)); d != "" {
		t.Error(d)
	}
	other := strings.ReplaceAll(bill("2026-08", 2, "1"), "Nimbus", "Cirrus")
	if _, err := h.importFiles(t, "bill", write(t, "b.csv", other)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"p0", "p1"}, h.projects(t)); d != "" {
		t.Errorf("a provider that is not installed: %s", d)
	}
}

// TestLabelsAreLateForANewVersion does not put old files back over a version that was published meanwhile.
func TestLabelsAreLateForANewVersion(t *testing.T) {
	h := newHouse(t, "", newClock())
	h.found(t, h.delivery(t, 1, bill(month, 3, "1")))
	h.drain(t)
	h.meanings(t)
	newer := h.delivery(t, 2, bill(month, 5, "2"))
	g := h.ingest(func(point string) {
		if point == "label.committed" {
			h.found(t, newer)
			h.drain(t)
		}
	})
	if err := g.Tidy(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	h.shows(t, only("5 rows 10"))
	h.quiet(t, h.clock.(*outlaytest.Clock))
}

// TestLabelsAreProved puts nothing on show that differs from what it is made from, however much it agrees with itself.
func TestLabelsAreProved(t *testing.T) {
	type periods = []outlay.ParsedPeriod
	for name, spoil := range map[string]func(periods) periods{
		"another sum": func(p periods) periods {
			p[0].Proof.Read["USD"][outlay.List], p[0].Proof.Written["USD"][outlay.List] = "4", "4"
			return p
		},
		"another number of charges": func(p periods) periods { p[0].Files[0].Rows--; p[0].Proof.Rows--; return p },
		"no rollup":                 func(p periods) periods { _ = os.Remove(p[0].Rollups[2]); return p },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, "", newClock())
			h.found(t, h.delivery(t, 1, bill(month, 3, "1")))
			h.drain(t)
			h.meanings(t)
			before := h.heads(t)
			o := h.options(nil)
			o.Parser = lying{o.Parser, spoil}
			if err := ingest.New(o).Tidy(t.Context(), org); err == nil {
				t.Error("it was not refused")
			}
			if d := cmp.Diff(before, h.heads(t)); d != "" {
				t.Errorf("it is on show:\n%s", d)
			}
			h.shows(t, only("3 rows 3"))
			if err := h.ingest(nil).Tidy(t.Context(), org); err != nil {
				t.Fatal(err)
			}
			h.shows(t, only("3 rows 3"))
			if d := cmp.Diff([]string{"Flood maps", "p1", "p2"}, h.projects(t)); d != "" {
				t.Errorf("the next day:\n%s", d)
			}
		})
	}
}

// projects are the values of the tag Project in the published files.
func (h *house) projects(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, head := range h.heads(t) {
		for _, f := range head.Files {
			paths = append(paths, "'"+f.Path+"'")
		}
	}
	var out []string
	rows, err := newEngine(t).QueryContext(t.Context(), fmt.Sprintf("SELECT DISTINCT tag_Project FROM read_parquet([%s])", strings.Join(paths, ", ")))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

package ingest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

// TestLabels loads a month before and after the meaning of a label is known: the lake shows the original from the next
// delivery on, and what is loaded stays as it is until then.
func TestLabels(t *testing.T) {
	h := newHouse(t, "", newClock())
	h.found(t, h.delivery(t, 1, bill(month, 2, "1")))
	h.drain(t)
	h.tx(t, func(tx outlay.Tx) error {
		for _, m := range []outlay.LabelMeaning{
			{Provider: nimbus, Tag: "Project", Value: "p0", Original: "Flood maps"}, {Provider: nimbus, Tag: "Project", Value: "p1", Original: "p1"},
			{Provider: "cirrus", Tag: "Project", Value: "p1", Original: "somebody else's"}, {Provider: nimbus, Tag: "User", Value: "p1", Original: "another tag's"},
		} {
			m.OrgID = org
			if err := tx.PutLabel(t.Context(), m); err != nil {
				return err
			}
		}
		return nil
	})
	if d := cmp.Diff([]string{"p0", "p1"}, h.projects(t)); d != "" {
		t.Errorf("before the next delivery:\n%s", d)
	}
	h.found(t, h.delivery(t, 2, bill(month, 2, "1")))
	h.drain(t)
	if d := cmp.Diff([]string{"Flood maps", "p1"}, h.projects(t)); d != "" {
		t.Errorf("after it:\n%s", d)
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

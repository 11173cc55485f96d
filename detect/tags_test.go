package detect

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"outlay"
)

// TestTagsThatWereOnAreWrittenDown keeps what no run had to touch, and nothing that nobody asked for.
func TestTagsThatWereOnAreWrittenDown(t *testing.T) {
	b := setup(t)
	b.provisioned("Project", "User", "Pool")
	on := map[string]string{outlay.PropTagState: string(outlay.TagActive)}
	b.see("prod", outlay.Resource{Kind: kindStore, Name: "store-a"}, outlay.Resource{Kind: kindTag, Name: "Project", Properties: on}, outlay.Resource{Kind: kindTag, Name: "User"}, outlay.Resource{Kind: kindTag, Name: "Name", Properties: on}, outlay.Resource{Kind: kindTag, Name: "Pool"})
	b.cloud.plan = []outlay.Change{
		{Action: outlay.ActionKeep, Kind: kindTag, Name: "Project"}, {Action: outlay.ActionUpdate, Kind: kindTag, Name: "User", Auto: true, Hold: "not seen yet"}, {Action: outlay.ActionUpdate, Kind: kindTag, Name: "Pool", Auto: true, Hold: "not seen yet"},
	}
	b.drain()
	rows := func() string {
		var out []string
		b.tx(func(tx outlay.Tx) error {
			all, err := tx.Resources(t.Context(), "src_a")
			for _, r := range all {
				if r.Kind == kindTag {
					out = append(out, fmt.Sprintf("%s %s %s %s%s", r.Name, r.State, r.Origin, r.LastError, r.Properties[outlay.PropTagState]))
				}
			}
			return err
		})
		slices.Sort(out)
		return strings.Join(out, ", ")
	}
	if got := rows(); got != "Pool waiting pre_existing not seen yet, Project verified pre_existing active, User waiting pre_existing not seen yet" {
		t.Errorf("the ledger has %s", got)
	}
	b.cloud.plan = b.cloud.plan[:2] // Pool is on by now
	b.hour()
	if got := rows(); got != "Pool verified pre_existing , Project verified pre_existing active, User waiting pre_existing not seen yet" {
		t.Errorf("an hour later the ledger has %s", got)
	}
}

// TestTagsAskedForLaterAreRead although all were on when the last look counted them.
func TestTagsAskedForLaterAreRead(t *testing.T) {
	b := setup(t)
	b.provisioned("User")
	b.drain()
	b.hour()
	if a := axis(b.status("prod").Axes, AxisTags); a.State != outlay.AxisGood {
		t.Fatalf("tags axis %+v", a)
	}
	b.cloud.looks = nil
	b.hour()
	if slices.ContainsFunc(b.cloud.looks, func(l outlay.Look) bool { return l.Tags }) {
		t.Error("tags were read although all are on")
	}
	b.tx(func(tx outlay.Tx) error {
		s, err := tx.Source(t.Context(), "src_a")
		if err != nil {
			return err
		}
		s.Spec.Tags = []string{"Pool", "User"}
		if err := tx.PutSource(t.Context(), s); err != nil {
			return err
		}
		return tx.PutResource(t.Context(), outlay.Resource{OrgID: org, SourceID: "src_a", Kind: kindTag, Name: "Pool", State: outlay.StateWaiting})
	})
	b.hour()
	if !slices.ContainsFunc(b.cloud.looks, func(l outlay.Look) bool { return l.Tags }) {
		t.Error("a key that waits was not read")
	}
}

package aws

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"outlay"
	cloud "outlay/simcloud/aws"
)

// actionsOf lists the actions of a policy document, and without gives the document less one of them.
func actionsOf(t *testing.T, doc string) (actions []string, without func(string) string) {
	t.Helper()
	var d struct {
		Version   string
		Statement []map[string]any
	}
	if err := json.Unmarshal([]byte(doc), &d); err != nil {
		t.Fatal(err)
	}
	for _, s := range d.Statement {
		for _, a := range s["Action"].([]any) {
			actions = append(actions, a.(string))
		}
	}
	return actions, func(action string) string {
		next := d
		next.Statement = nil
		for _, s := range d.Statement {
			kept := slices.DeleteFunc(slices.Clone(s["Action"].([]any)), func(a any) bool { return a == action })
			if len(kept) == 0 {
				continue
			}
			c := map[string]any{}
			for k, v := range s {
				c[k] = v
			}
			c["Action"] = kept
			next.Statement = append(next.Statement, c)
		}
		b, err := json.Marshal(next)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
}

// TestPolicyOneByOne gives the credential the published policy less one action, each action in turn. Whatever needs it
// must name exactly that one: the look before provisioning, the look before deprovisioning, the list of what exists, or
// the request that is made on a person's wish. None may be in the policy that nobody needs.
func TestPolicyOneByOne(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 40})
	w.SeeTags(outlay.TagKeys()...)
	w.up()
	spec := w.s.Spec
	actions, without := actionsOf(t, ProvisionerPolicy("aws", payerAccount))
	if len(actions) < 35 {
		t.Errorf("only %d actions: %v", len(actions), actions)
	}
	for _, action := range actions {
		w.Allow(w.role, without(action))
		w.s.Spec, w.s.CostFiles = spec, ""
		var named []string
		seen := w.observe(whole())
		for _, m := range seen.Missing() {
			named = append(named, m.Action)
		}
		w.s.Spec, w.s.CostFiles = nil, outlay.DeleteCostFiles
		for _, m := range w.observe(whole()).Missing() {
			named = append(named, m.Action)
		}
		named = append(named, w.elsewhereNamed(action, seen)...)
		slices.Sort(named)
		named = slices.Compact(named)
		if action == "iam:GetRole" { // asked for only when a session's role is not the one that was stored
			if len(named) != 0 {
				t.Errorf("%s: %v", action, named)
			}
			continue
		}
		if len(named) != 1 || named[0] != action {
			t.Errorf("without %s these are named: %v", action, named)
		}
	}
}

// elsewhereNamed are the actions that other places than a list of missing permissions name.
func (w *world) elsewhereNamed(action string, seen outlay.Observation) []string {
	w.t.Helper()
	var texts []string
	switch action {
	case "iam:SimulatePrincipalPolicy":
		for _, n := range seen.Notes {
			texts = append(texts, n.Text)
		}
	case "cur:DescribeReportDefinitions":
		for _, e := range w.existing() {
			texts = append(texts, e.Why)
		}
	case "ce:StartCostAllocationTagBackfill", "ce:ListCostAllocationTagBackfillHistory":
		w.s.Resources = append(w.s.Resources, outlay.Resource{Kind: kindBackfill, Name: "2026-10", State: outlay.StateIntended})
		if action == "ce:ListCostAllocationTagBackfillHistory" { // asked only where AWS refuses another in 24 hours
			w.Fault(cloud.Fault{Match: "StartCostAllocationTagBackfill", Kind: cloud.Answer, Status: 400, Code: "BackfillLimitExceededException"})
		}
		_, err := w.p.Apply(w.t.Context(), w.a, w.s, outlay.Change{Action: outlay.ActionUpdate, Kind: kindBackfill, Name: "2026-10", To: map[string]string{"from": "2026-10-01T00:00:00Z"}})
		for _, n := range outlay.AsError(err).Needs {
			texts = append(texts, n.Action)
		}
	}
	var out []string
	for _, text := range texts {
		if strings.Contains(text, action) {
			out = append(out, action)
		} else if text != "" {
			out = append(out, text)
		}
	}
	return out
}

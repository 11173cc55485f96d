package azure

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"outlay"

	"github.com/google/go-cmp/cmp"
)

func TestPlansGolden(t *testing.T) {
	for name, sc := range scenes() {
		t.Run(name, func(t *testing.T) {
			plan, err := sc.changes()
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range sc.seen.Resources { // a delivery comes between the look and the click
				sc.seen.Resources[i].Objects, sc.seen.Resources[i].Bytes = 3*r.Objects, 7*r.Bytes
			}
			again, err := sc.changes()
			if err != nil || again.Hash() != plan.Hash() {
				t.Errorf("a delivery made another plan of it (%v)", err)
			}
			b, err := json.MarshalIndent(plan, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "plan/"+name+".json", string(b)+"\n")
		})
	}
}

// TestPoints counts the injection points of the ways up and down (reliability.md §3.2): two for a read, five for a
// change, two each for binding at the beginning and publishing at the end.
func TestPoints(t *testing.T) {
	for name, want := range map[string]int{"up-pair": 43, "down-pair": 28} {
		plan, err := scenes()[name].changes()
		if err != nil {
			t.Fatal(err)
		}
		points := 4
		for _, c := range plan.Changes {
			if c.Action == outlay.ActionKeep {
				continue
			}
			points += 5
			for _, read := range []string{c.Look, c.Verify} {
				if read != "" {
					points += 2
				}
			}
		}
		if points != want {
			t.Errorf("%s has %d points, want %d", name, points, want)
		}
	}
}

// TestRegistration is the table of ruling 14: what was chosen, against how the subscription stands.
func TestRegistration(t *testing.T) {
	const refused = "looking whether Microsoft.CostManagementExports is registered: Azure refused " + actProvidersRead
	for _, row := range []struct {
		choice, state string
		does          bool   // the plan registers, or waits until it is
		blocks, says  string // a block's text; a line's detail
	}{
		{registerCheck, "NotRegistered", true, "", ""},
		{registerCheck, "Unregistered", true, "", ""},
		{registerCheck, "Unregistering", true, "", ""},
		{registerCheck, stateRegistering, true, "", ""},
		{registerCheck, stateRegistered, false, "", "Registered already"},
		{registerCheck, "", false, textBothMeanings, ""},
		{"", "NotRegistered", true, "", ""},
		{choiceYes, "NotRegistered", true, "", ""},
		{choiceYes, stateRegistered, false, "", textRegistered},
		{choiceYes, stateRegistering, true, "", ""},
		{choiceYes, "", true, "", ""},
		{choiceNo, "NotRegistered", false, textUnregistered, ""},
		{choiceNo, "Unregistered", false, textUnregistered, ""},
		{choiceNo, stateRegistering, true, "", ""},
		{choiceNo, stateRegistered, false, "", "Registered already"},
		{choiceNo, "", false, "", ""},
	} {
		t.Run(orElse(row.choice, "default")+" "+orElse(row.state, "unknown"), func(t *testing.T) {
			sc := fresh(fieldRegister, row.choice).registered(row.state)
			if row.state == "" {
				sc.seen.Resources, sc.seen.Unknown[string(kindRegistration)] = nil, refused
				sc.lacks(actProvidersRead)
			}
			plan, err := sc.changes()
			if err != nil {
				t.Fatal(err)
			}
			does, says := false, ""
			for _, c := range plan.Changes {
				if c.Kind == kindRegistration {
					does, says = does || c.Action != outlay.ActionKeep, c.Detail
				}
			}
			if does != row.does || row.says != "" && says != row.says {
				t.Errorf("does %v, says %q", does, says)
			}
			if blocked := plan.Blocked(); (blocked != "") != (row.blocks != "") || !strings.Contains(blocked, row.blocks) {
				t.Errorf("blocked: %q", blocked)
			}
		})
	}
}

// TestRegisteringTakesNoPermission: while Azure is still registering, nothing is left to ask for.
func TestRegisteringTakesNoPermission(t *testing.T) {
	for state, blocks := range map[string]bool{"NotRegistered": true, stateRegistering: false, stateRegistered: false} {
		sc := fresh().registered(state).lacks(registerAction(exportsProvider))
		plan, err := sc.changes()
		if err != nil || (plan.Blocked() != "") != blocks {
			t.Errorf("%s: blocked %q (%v)", state, plan.Blocked(), err)
		}
		o := &observer{p: sc.p, s: sc.s, n: sc.n, seen: &sc.seen}
		if o.pointless(need{action: registerAction(exportsProvider)}) == blocks {
			t.Errorf("%s: tested %v", state, blocks)
		}
	}
}

// TestDeletesNeedEverything takes away each of the marks by which a resource is known as ours.
func TestDeletesNeedEverything(t *testing.T) {
	for name, spoil := range map[string]func(live, row *outlay.Resource){
		"no row":            func(_, row *outlay.Resource) { row.Kind = "x" },
		"row of a deletion": func(_, row *outlay.Resource) { row.State = outlay.StateDeleted },
		"adopted":           func(_, row *outlay.Resource) { row.Origin = outlay.Adopted },
		"found":             func(_, row *outlay.Resource) { row.Origin = outlay.PreExisting },
		"no intent":         func(_, row *outlay.Resource) { row.IntentAt = time.Time{} },
		"foreign":           func(live, _ *outlay.Resource) { live.State = outlay.StateForeign },
		"no tags":           func(live, _ *outlay.Resource) { live.Owner = nil },
		"other source":      func(live, _ *outlay.Resource) { live.Owner[tagSource] = "src_2" },
		"other install":     func(live, _ *outlay.Resource) { live.Owner[tagInstallation] = "ins_2" },
		"other org":         func(live, _ *outlay.Resource) { live.Owner[tagOrganization] = "org_2" },
		"older": func(live, row *outlay.Resource) {
			live.Created, row.Created = row.IntentAt.Add(-16*time.Minute), time.Time{}
		},
		"made again": func(live, row *outlay.Resource) {
			row.Created = noon().Add(-time.Hour)
			live.Created = row.Created.Add(time.Minute)
		},
		"no time, no run":    func(live, _ *outlay.Resource) { live.Created = time.Time{}; delete(live.Owner, tagOperation) },
		"no time, other run": func(live, _ *outlay.Resource) { live.Created = time.Time{}; live.Owner[tagOperation] = "op_2" },
	} {
		for _, kind := range []outlay.ResourceKind{kindGroup, kindAccount, kindContainer, kindExport} {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				sc := fresh().down(outlay.DeleteCostFiles)
				spoil(sc.find(kind), sc.row(kind))
				live := *sc.find(kind)
				if sc.p.mayDelete(sc.s, live) == "" {
					t.Error("it may be deleted")
				}
				plan, err := sc.changes()
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range plan.Changes {
					around := kind == kindContainer && (c.Kind == kindAccount || c.Kind == kindGroup) || kind == kindAccount && c.Kind == kindGroup
					if c.Action == outlay.ActionDelete && (c.Kind == kind && c.Name == live.Name || around) {
						t.Errorf("the plan deletes %s", c.Key())
					}
				}
			})
		}
	}
	sc := fresh().down(outlay.DeleteCostFiles)
	live, row := sc.find(kindAccount), sc.row(kindAccount)
	live.Created, row.Created = row.IntentAt.Add(-14*time.Minute), time.Time{}
	if why := sc.p.mayDelete(sc.s, *live); why != "" {
		t.Errorf("within the tolerance: %s", why)
	}
}

func TestSpecIsChecked(t *testing.T) {
	for _, row := range []struct {
		field string
		sc    *scene
	}{
		{"region", func() *scene { sc := fresh(); sc.s.Spec.Region = "atlantis"; return sc }()},
		{"region", func() *scene { sc := fresh().done(); sc.s.Spec.Region = "eastus"; return sc }()},
		{fieldRegister, fresh(fieldRegister, "perhaps")},
		{fieldDataset, fresh(fieldDataset, "everything")},
		{fieldIdentity, fresh(fieldIdentity, "mine")},
		{fieldInherit, fresh(fieldInherit, "maybe")},
		{fieldScope, fresh(fieldScope, "planet")},
		{fieldScopeID, fresh(fieldScope, scopeGroup)},
		{fieldScopeID, fresh(fieldScope, scopeGroup, fieldScopeID, "subscriptions/"+otherSub+"/resourceGroups/x")},
		{fieldScopeID, fresh(fieldScope, scopeManagement, fieldScopeID, "a/b")},
		{fieldScopeID, fresh(fieldScope, scopeEnrolment, fieldScopeID, "acme")},
		{fieldScopeID, fresh(fieldScope, scopeProfile, fieldScopeID, "PROF-1")},
		{fieldDataset, fresh(fieldScope, scopeManagement, fieldScopeID, "north", fieldDataset, datasetFocus)},
		{fieldDataset, fresh(fieldScope, scopeManagement, fieldScopeID, "north", fieldDataset, datasetPair)},
		{fieldScope, func() *scene {
			sc := fresh().done()
			sc.s.Spec.Fields = map[string]string{fieldScope: scopeEnrolment, fieldScopeID: "8608480"}
			return sc
		}()},
	} {
		_, err := row.sc.changes()
		if e := outlay.AsError(err); e == nil || e.Field != row.field || e.Fix == "" {
			t.Errorf("%v: got %v in field %q, want one in %s", row.sc.s.Spec, err, orElse(fieldOf(err), "-"), row.field)
		}
	}
}

func fieldOf(err error) string {
	if e := outlay.AsError(err); e != nil {
		return e.Field
	}
	return ""
}

// TestBackfillPlan asks for past months: the newest first, each export of its own, none outside of what Azure has.
func TestBackfillPlan(t *testing.T) {
	ask := func(sc *scene, from string) (outlay.Plan, error) {
		spec := *sc.s.Spec
		spec.Fields = map[string]string{fieldBackfill: from}
		s := *sc.s
		s.Spec = &spec
		return sc.p.Plan(&s, outlay.Observation{At: noon(), Identity: sc.seen.Identity}) // as control asks: nothing was looked at
	}
	plan, err := ask(fresh(fieldDataset, datasetPair).done(), "2026-08")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range plan.Changes {
		got = append(got, c.To["from"]+".."+c.To["to"]+" "+strings.TrimPrefix(c.To["export"], plan.Changes[0].To["export"]))
	}
	want := []string{
		"2026-10-01..2026-10-31 ", "2026-10-01..2026-10-31 -amortized", "2026-09-01..2026-09-30 ", "2026-09-01..2026-09-30 -amortized", "2026-08-01..2026-08-31 ", "2026-08-01..2026-08-31 -amortized",
	}
	if diff := cmp.Diff(want, got); diff != "" || plan.Blocked() != "" {
		t.Errorf("runs (-want +got):\n%s\nblocked: %s", diff, plan.Blocked())
	}
	for _, from := range []string{"2026-11", "2026-12", "2019-10", "October"} {
		if _, err := ask(fresh().done(), from); outlay.CodeOf(err) != outlay.CodeInvalid {
			t.Errorf("%s: %v", from, err)
		}
	}
	if plan, err := ask(fresh(), "2026-10"); err != nil || plan.Blocked() == "" {
		t.Errorf("without an export: %+v %v", plan, err)
	}
	if plan, err := ask(fresh(fieldScope, scopeProfile, fieldScopeID, "aaaa:bbbb_2019-05-31/PROF-1").done(), "2026-10"); err != nil || plan.Blocked() == "" {
		t.Errorf("of a billing profile: %+v %v", plan, err)
	}
}

// TestLeftAloneSaysWhatWasDone: of what was refused, nothing stays.
func TestLeftAloneSaysWhatWasDone(t *testing.T) {
	for state, want := range map[outlay.ResourceState]int{outlay.StateVerified: 2, outlay.StateCreated: 2, outlay.StateWaiting: 0, outlay.StateIntended: 0} {
		sc := fresh().down(outlay.KeepCostFiles)
		sc.s.Resources = append(sc.s.Resources, outlay.Resource{Kind: kindInheritance, Name: inheritanceName, Origin: outlay.PreExisting})
		sc.row(kindInheritance).State, sc.row(kindRegistration).State = state, state
		plan, err := sc.changes()
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, c := range plan.Changes {
			if c.Kind == kindInheritance || c.Kind == kindRegistration {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d lines, want %d", state, got, want)
		}
	}
}

// TestImportedIsLeftAlone plans nothing for an imported export, whatever is seen and asked for.
func TestImportedIsLeftAlone(t *testing.T) {
	for _, sc := range []*scene{fresh(), fresh().done(), fresh().down(outlay.DeleteCostFiles)} {
		sc.s.Origin = outlay.OriginImported
		plan, err := sc.changes()
		if err != nil || len(plan.Changes) != 0 {
			t.Errorf("plan %+v (%v)", plan.Changes, err)
		}
		if _, err := sc.p.Apply(t.Context(), &outlay.CloudAccount{}, sc.s, outlay.Change{Action: outlay.ActionDelete, Kind: kindExport, Name: sc.n.Export}); err == nil {
			t.Error("a change of an imported export was made")
		}
	}
}

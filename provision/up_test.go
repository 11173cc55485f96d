package provision

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

func TestProvision(t *testing.T) {
	b := setup(t)
	b.cloud.unhealthy = 2
	id := b.up()
	b.is(id, outlay.OpDone)
	want := []string{"create nimbus/store", "update nimbus/rule", "create nimbus/export"}
	if d := cmp.Diff(want, b.cloud.applied); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	for kind, origin := range map[outlay.ResourceKind]outlay.ResourceOrigin{kindStore: outlay.CreatedByUs, kindRule: outlay.PreExisting, kindExport: outlay.CreatedByUs} {
		r := b.row(kind)
		if r.State != outlay.StateVerified || r.Origin != origin || r.OperationID != id || r.ProviderID == "" || r.LastSeen.IsZero() {
			t.Errorf("ledger row %+v", r)
		}
	}
	if want := Points(b.run(id)); !cmp.Equal(want, b.points) {
		t.Errorf("points (-want +got):\n%s", cmp.Diff(want, b.points))
	}
	b.tx(func(tx outlay.Tx) error {
		tasks, err := tx.Tasks(t.Context())
		if len(tasks) != 1 || tasks[0].Kind != "look" || tasks[0].Subject != account || tasks[0].Every != time.Hour || tasks[0].NextAt.After(b.clock.Now()) {
			t.Errorf("tasks %+v", tasks)
		}
		entries, err2 := tx.Entries(t.Context(), 20)
		if len(entries) != 6 || err2 != nil {
			t.Errorf("%d audit entries, want an intent and an outcome for each of 3 calls", len(entries))
		}
		return err
	})
	if s := b.step(id, "Check the export"); s.State != outlay.StepDone || s.Calls != 3 {
		t.Errorf("verification %+v", s)
	}
}

// Every way in which the answer of a create can be lost ends with exactly one resource, whether or not it was made,
// and whether or not it can be seen at once.
func TestLostAnswerMakesExactlyOne(t *testing.T) {
	lost := &outlay.Error{Code: outlay.CodeUnavailable, Message: "connection reset", Outcome: outlay.Unknown}
	taken := &outlay.Error{Code: outlay.CodeConflict, Message: "exists already"}
	for _, c := range []struct {
		name   string
		made   bool
		answer error
		lag    time.Duration
	}{
		{"made, seen at once", true, lost, 0},
		{"made, seen within the settle window", true, lost, 50 * time.Second},
		{"not made", false, lost, 0},
		{"refused for the load", false, &outlay.Error{Code: outlay.CodeThrottled, Message: "slow down"}, 0},
		{"made by a hidden repetition, then refused", true, taken, 0},
		{"made by a hidden repetition, seen later", true, taken, 40 * time.Second},
	} {
		for _, kind := range []outlay.ResourceKind{kindStore, kindExport} {
			t.Run(c.name+" "+string(kind), func(t *testing.T) {
				b := setup(t)
				once := false
				fail := func(x outlay.Change) error {
					if x.Kind != kind || once {
						return nil
					}
					once = true
					b.cloud.hidden[x.Key()] = b.clock.Now().Add(c.lag)
					return c.answer
				}
				if c.made {
					b.cloud.after = fail
				} else {
					b.cloud.before = fail
				}
				id := b.up()
				b.later(time.Minute)
				b.is(id, outlay.OpDone)
				if n := b.cloud.count(kind); n != 1 {
					t.Errorf("%d of %s, want 1", n, kind)
				}
				if r := b.row(kind); r.State != outlay.StateVerified || r.Origin != outlay.CreatedByUs {
					t.Errorf("ledger row %+v", r)
				}
			})
		}
	}
}

func TestForeignIsNeverTouched(t *testing.T) {
	for _, c := range []struct {
		name string
		mend func(r *outlay.Resource)
	}{
		{"no marks", func(r *outlay.Resource) { r.Owner = nil }},
		{"marks of another source", func(r *outlay.Resource) { r.Owner["outlay-source-id"] = "src_b" }},
		{"marks of another organization", func(r *outlay.Resource) { r.Owner["outlay-organization-id"] = "org_b" }},
		{"our marks, but we never meant to make it", func(*outlay.Resource) {}},
		{"the provider says it is foreign", func(r *outlay.Resource) { r.State = outlay.StateForeign }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := setup(t)
			plan := b.plan(outlay.OpProvision, "")
			theirs := b.cloud.marked(org, src, plan.Changes[0])
			c.mend(&theirs)
			b.cloud.live[theirs.Key()] = theirs
			id := b.start(outlay.Operation{Kind: outlay.OpProvision, Plan: plan})
			o := b.is(id, outlay.OpWaiting)
			if !strings.Contains(o.Problem.Message, "is not ours") || o.Problem.Fix == "" || o.Problem.Step != "Look for the store" {
				t.Errorf("problem %+v", o.Problem)
			}
			if len(b.cloud.applied) != 0 || !cmp.Equal(theirs, b.cloud.live[theirs.Key()]) {
				t.Errorf("changed: %v, %+v", b.cloud.applied, b.cloud.live)
			}
			if r := b.row(kindStore); r.State != outlay.StateForeign {
				t.Errorf("ledger row %+v", r)
			}
		})
	}
}

// A thing with our marks that is older than our intent is a copy of somebody's, or of an earlier life: not ours.
func TestOlderThanOurIntentIsForeign(t *testing.T) {
	b := setup(t)
	lost := &outlay.Error{Code: outlay.CodeUnavailable, Message: "connection reset", Outcome: outlay.Unknown}
	b.cloud.before = func(c outlay.Change) error {
		old := b.cloud.marked(org, src, c)
		old.Created = b.clock.Now().Add(-16 * time.Minute)
		b.cloud.live[c.Key()] = old
		return lost
	}
	id := b.up()
	b.later(time.Minute)
	if o := b.is(id, outlay.OpWaiting); !strings.Contains(o.Problem.Message, "is not ours") {
		t.Errorf("problem %+v", o.Problem)
	}
}

func TestMissingPermissionWaitsAndResumesThere(t *testing.T) {
	b := setup(t)
	need := outlay.Permission{Action: "nimbus:CreateExport", State: outlay.PermissionDenied}
	b.cloud.denied = []outlay.Permission{need}
	b.cloud.before = func(c outlay.Change) error {
		if c.Kind == kindExport {
			return &outlay.Error{Code: outlay.CodeForbidden, Message: "Nimbus refused nimbus:CreateExport", Fix: "Add the policy shown.", Needs: []outlay.Permission{need}}
		}
		return nil
	}
	id := b.up()
	o := b.is(id, outlay.OpWaiting)
	want := outlay.Problem{
		Code: outlay.CodeForbidden, Message: "Nimbus refused nimbus:CreateExport", Fix: "Add the policy shown.", Step: "Create the export",
		Needs: []outlay.Permission{need}, Policy: "allow what is missing",
	}
	if d := cmp.Diff(&want, o.Problem); d != "" {
		t.Errorf("problem (-want +got):\n%s", d)
	}
	if in := o.NextAt.Sub(b.clock.Now()); in != time.Hour {
		t.Errorf("tried again in %s, want an hour", in)
	}
	if s := b.step(id, "Create the export"); s.State != outlay.StepFailed {
		t.Errorf("step %+v", s)
	}
	if r := b.row(kindStore); r.State != outlay.StateCreated {
		t.Errorf("what was made is undone or forgotten: %+v", r)
	}
	b.cloud.before = func(outlay.Change) error { return nil }
	b.later(time.Hour)
	b.is(id, outlay.OpDone)
	if d := cmp.Diff([]string{"create nimbus/store", "update nimbus/rule", "create nimbus/export"}, b.cloud.applied); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

func TestTagsAreHeldOrTriedSoftly(t *testing.T) {
	b := setup(t)
	b.tx(func(tx outlay.Tx) error {
		s, err := tx.Source(t.Context(), src)
		if err != nil {
			return err
		}
		s.Spec.Tags = []string{"Project", "Unseen", "User"}
		return tx.PutSource(t.Context(), s)
	})
	b.cloud.before = func(c outlay.Change) error {
		if c.Name == "User" {
			return &outlay.Error{Code: outlay.CodeForbidden, Message: "only the payer may"}
		}
		return nil
	}
	id := b.up()
	b.is(id, outlay.OpDone)
	for title, want := range map[string]outlay.Step{
		"Turn on Project": {State: outlay.StepDone, Detail: "Project"},
		"Turn on Unseen":  {State: outlay.StepWaiting, Detail: "no resource has carried it yet"},
		"Turn on User":    {State: outlay.StepDone, Detail: "Not done: only the payer may. The hourly look tries again."},
	} {
		if got := b.step(id, title); got.State != want.State || got.Detail != want.Detail {
			t.Errorf("%s: %s, %q", title, got.State, got.Detail)
		}
	}
	states := map[string]outlay.ResourceState{}
	for _, r := range b.source().Resources {
		if r.Kind == kindTag {
			states[r.Name] = r.State
		}
	}
	want := map[string]outlay.ResourceState{"Project": outlay.StateCreated, "Unseen": outlay.StateWaiting, "User": outlay.StateWaiting}
	if d := cmp.Diff(want, states); d != "" {
		t.Errorf("states of the tags (-want +got):\n%s", d)
	}
}

func TestRefusesAnotherPlanThanTheConfirmed(t *testing.T) {
	b := setup(t)
	id := b.start(outlay.Operation{Kind: outlay.OpProvision, Plan: b.plan(outlay.OpProvision, ""), PlanHash: "of another"})
	if o := b.is(id, outlay.OpFailed); !strings.Contains(o.Problem.Message, "not the one that was confirmed") || len(b.cloud.applied) > 0 {
		t.Errorf("problem %+v, calls %v", o.Problem, b.cloud.applied)
	}
}

func TestSwappedCredentialStops(t *testing.T) {
	b := setup(t)
	b.cloud.who = "2222"
	id := b.up()
	if o := b.is(id, outlay.OpWaiting); !strings.Contains(o.Problem.Message, "belongs to account 2222") || len(b.cloud.applied) > 0 {
		t.Errorf("problem %+v, calls %v", o.Problem, b.cloud.applied)
	}
}

func TestUnhealthyExportWaits(t *testing.T) {
	b := setup(t)
	b.cloud.unhealthy = 1000
	id := b.up()
	if o := b.is(id, outlay.OpWaiting); o.Problem.Step != "Check the export" || !strings.Contains(o.Problem.Message, "starting") {
		t.Errorf("problem %+v", o.Problem)
	}
	b.cloud.unhealthy = 0
	b.later(time.Hour)
	b.is(id, outlay.OpDone)
}

func TestReconcileMakesOnlyWhatItMay(t *testing.T) {
	b := setup(t)
	plan := b.plan(outlay.OpProvision, "")
	plan.Changes = append(plan.Changes, outlay.Change{Action: outlay.ActionUpdate, Kind: kindTag, Name: "User", Step: "Turn on User", Auto: true})
	id := b.start(outlay.Operation{Kind: outlay.OpReconcile, Plan: plan})
	b.is(id, outlay.OpDone)
	if d := cmp.Diff([]string{"update nimbus/tag"}, b.cloud.applied); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	b.tx(func(tx outlay.Tx) error {
		tasks, err := tx.Tasks(t.Context())
		if len(tasks) != 0 {
			t.Errorf("a reconcile asks for the look that asks for it: %+v", tasks)
		}
		return err
	})
	b.cloud.before = func(outlay.Change) error { return &outlay.Error{Code: outlay.CodeForbidden, Message: "refused"} }
	id = b.start(outlay.Operation{Kind: outlay.OpReconcile, Plan: plan})
	if o := b.is(id, outlay.OpFailed); o.Problem.Policy == "" {
		t.Errorf("a reconcile that needs a person ends, with the policy: %+v", o.Problem)
	}
}

func TestAdoptAndManual(t *testing.T) {
	b := setup(t)
	plan := b.plan(outlay.OpProvision, "")
	theirs := outlay.Resource{Kind: kindExport, Name: "theirs", ProviderID: "id:theirs"}
	b.cloud.live[theirs.Key()] = theirs
	manual := plan.Changes[2]
	manual.Action, manual.Title, manual.Detail = outlay.ActionManual, "Point the export at the store", "Open the console and press Save."
	id := b.start(outlay.Operation{Kind: outlay.OpProvision, Plan: outlay.Plan{Changes: []outlay.Change{
		{Action: outlay.ActionAdopt, Kind: kindExport, Name: "theirs", Step: "Take over the export"}, manual,
	}}})
	o := b.is(id, outlay.OpWaiting)
	if o.Problem.Fix != manual.Detail || len(b.cloud.applied) != 0 {
		t.Errorf("problem %+v, calls %v", o.Problem, b.cloud.applied)
	}
	adopted := slices.IndexFunc(b.source().Resources, func(r outlay.Resource) bool { return r.Name == "theirs" && r.Origin == outlay.Adopted })
	if adopted < 0 {
		t.Errorf("ledger %+v", b.source().Resources)
	}
	b.cloud.live[manual.Key()] = b.cloud.marked(org, src, manual)
	b.later(time.Hour)
	b.is(id, outlay.OpDone)
}

// The 35 and 21 points of reliability.md §3.2, from plans of that shape.
func TestPointsOfTheLongestPaths(t *testing.T) {
	create := func(kind, verify string) outlay.Change {
		return outlay.Change{Action: outlay.ActionCreate, Kind: outlay.ResourceKind(kind), Name: "x", Look: "Look", Verify: verify}
	}
	update := func(kind string) outlay.Change {
		return outlay.Change{Action: outlay.ActionUpdate, Kind: outlay.ResourceKind(kind), Name: "x"}
	}
	remove := func(kind, verify string) outlay.Change {
		return outlay.Change{Action: outlay.ActionDelete, Kind: outlay.ResourceKind(kind), Name: "x", Verify: verify}
	}
	hold := update("nimbus/tag")
	hold.Hold = "not yet"
	keep := update("nimbus/store")
	keep.Action = outlay.ActionKeep
	for _, c := range []struct {
		kind    outlay.OperationKind
		changes []outlay.Change
		want    int
	}{
		{outlay.OpProvision, []outlay.Change{create("nimbus/store", ""), update("nimbus/access"), update("nimbus/settings"), update("nimbus/policy"), create("nimbus/export", "Check"), hold}, 35},
		{outlay.OpDeprovision, []outlay.Change{remove("nimbus/export", "Wait"), remove("nimbus/files", ""), remove("nimbus/store", ""), keep}, 21},
	} {
		points := Points(outlay.Operation{Kind: c.kind, Plan: outlay.Plan{Changes: c.changes}})
		if len(points) != c.want {
			t.Errorf("%s has %d points, want %d: %s", c.kind, len(points), c.want, fmt.Sprint(points))
		}
		slices.Sort(points)
		if unique := len(slices.Compact(points)); unique != c.want {
			t.Errorf("%s: two points have one name", c.kind)
		}
	}
}

// Right after a create, a change of it may hear that it does not exist: that passes by itself and is no reason to wait
// for a person.
func TestChangeOfSomethingTooNewIsTriedAgain(t *testing.T) {
	b := setup(t)
	refusals := 2
	b.cloud.before = func(c outlay.Change) error {
		if c.Kind == kindRule && refusals > 0 {
			refusals--
			return &outlay.Error{Code: outlay.CodeConflict, Message: "the store does not exist"}
		}
		return nil
	}
	id := b.up()
	b.is(id, outlay.OpRunning)
	b.later(10 * time.Second)
	b.later(10 * time.Second)
	b.is(id, outlay.OpDone)
}

// A run is not done before what it made was seen, whatever the answer of the create said.
func TestNotDoneBeforeItWasSeen(t *testing.T) {
	b := setup(t)
	b.cloud.after = func(c outlay.Change) error {
		if c.Kind == kindStore {
			b.cloud.hidden[c.Key()] = b.clock.Now().Add(30 * time.Second)
		}
		return nil
	}
	id := b.up()
	if o := b.is(id, outlay.OpRunning); !strings.Contains(o.Problem.Message, "cannot be seen yet") {
		t.Errorf("problem %+v", o.Problem)
	}
	b.later(time.Minute)
	b.is(id, outlay.OpDone)
	if r := b.row(kindStore); r.State != outlay.StateVerified {
		t.Errorf("ledger row %+v", r)
	}
}

package provision

import (
	"slices"
	"testing"
	"time"

	"outlay"
)

// TestManualStepInTheLedger: while a person is waited for the row says so; what he made is watched and never ours.
func TestManualStepInTheLedger(t *testing.T) {
	b := setup(t)
	plan := b.plan(outlay.OpProvision, "")
	manual := plan.Changes[2]
	manual.Action, manual.Title, manual.Detail = outlay.ActionManual, "Point the export at the store", "Press Save."
	manual.Manual = &outlay.Instruction{Text: "Open the console.", Values: []outlay.InstructionValue{{Title: "Store", Value: "store-" + src}}}
	id := b.start(outlay.Operation{Kind: outlay.OpProvision, Plan: outlay.Plan{Changes: append(slices.Clone(plan.Changes[:2]), manual)}})
	o := b.is(id, outlay.OpWaiting)
	if o.Problem.Manual == nil || o.Problem.Manual.Values[0].Value != "store-"+src || !o.Problem.Since.Equal(b.clock.Now()) || o.Problem.Message != "Waiting for you: Point the export at the store" {
		t.Errorf("problem %+v", o.Problem)
	}
	row := func() outlay.Resource {
		t.Helper()
		all := b.source().Resources
		i := slices.IndexFunc(all, func(r outlay.Resource) bool { return r.Key() == manual.Key() })
		if i < 0 {
			t.Fatalf("the ledger lacks %s: %+v", manual.Key(), all)
		}
		return all[i]
	}
	if r := row(); r.State != outlay.StateWaiting || r.Origin != outlay.PreExisting || r.LastError != o.Problem.Message {
		t.Errorf("while it waits: %+v", r)
	}
	since := o.Problem.Since
	b.later(time.Hour)
	if o = b.is(id, outlay.OpWaiting); !o.Problem.Since.Equal(since) {
		t.Errorf("since %s, want %s", o.Problem.Since, since)
	}
	live := outlay.Resource{Kind: manual.Kind, Name: manual.Name, ProviderID: "id:by hand", Created: b.clock.Now()}
	b.cloud.live[manual.Key()] = live
	b.later(time.Hour)
	b.is(id, outlay.OpDone)
	if r := row(); r.State != outlay.StateVerified || r.Origin != outlay.PreExisting || r.ProviderID != live.ProviderID {
		t.Errorf("afterwards: %+v", r)
	}
}

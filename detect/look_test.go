package detect

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

// The seed's story: nothing, then one account is set up, and the other turns Provisioned by itself.
func TestOtherAccountsOfThePayerFollow(t *testing.T) {
	b := setup(t)
	b.is("prod", outlay.Checking)
	b.drain()
	for _, name := range []string{"prod", "research"} {
		if s := b.is(name, outlay.Unprovisioned); s.Reason != "No cost data. Provision billing here, or on any other Nimbus account." || s.NextLook.Sub(b.clock.now) != time.Hour {
			t.Errorf("%s: %s, next look %s", name, s.Reason, s.NextLook)
		}
	}
	b.provisioned()
	b.hour()
	if s := b.is("research", outlay.Unprovisioned); s.Reason != "Billing is set up on prod; no cost data yet. First costs appear within 24 hours." {
		t.Errorf("research: %s", s.Reason)
	}
	b.publish("1111", "2222")
	if err := b.detect.Refresh(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	changed := b.clock.now
	for _, name := range []string{"prod", "research"} {
		s := b.is(name, outlay.Provisioned)
		if s.Via != "src_a" || s.OwnerID != "acc_prod" || !s.Since.Equal(changed) {
			t.Errorf("%s: via %s of %s since %s", name, s.Via, s.OwnerID, s.Since)
		}
	}
	b.hour()
	if s := b.is("research", outlay.Provisioned); !s.Since.Equal(changed) || !s.At.Equal(b.clock.now) {
		t.Errorf("since %s, at %s", s.Since, s.At)
	}
	var covered []string
	b.tx(func(tx outlay.Tx) error {
		all, err := tx.Coverage(t.Context(), "src_a")
		for _, c := range all {
			covered = append(covered, c.SubAccountID+" "+string(c.Basis))
		}
		return err
	})
	for _, want := range []string{"1111 member", "2222 member", "1111 seen", "2222 seen"} {
		if !strings.Contains(strings.Join(covered, ";"), want) {
			t.Errorf("coverage %v lacks %s", covered, want)
		}
	}
}

// A look that failed for a reason that says nothing about the data flips nothing.
func TestFailedLookFlipsNothing(t *testing.T) {
	for _, code := range []outlay.Code{outlay.CodeThrottled, outlay.CodeForbidden, outlay.CodeUnavailable, outlay.CodeUnauthenticated} {
		t.Run(string(code), func(t *testing.T) {
			b := setup(t)
			b.provisioned()
			b.publish("1111")
			b.drain()
			b.is("prod", outlay.Provisioned)
			b.cloud.err["prod"] = outlay.Errorf(code, "", "Nimbus did not say")
			b.hour()
			failed := b.clock.now
			b.hour()
			s := b.is("prod", outlay.Provisioned)
			if !s.CouldNotCheckSince.Equal(failed) || s.CouldNotCheckWhy != "Nimbus did not say" {
				t.Errorf("could not check since %s, want %s: %q", s.CouldNotCheckSince, failed, s.CouldNotCheckWhy)
			}
			if a := axis(s.Axes, AxisCredential); a.State == outlay.AxisGood {
				t.Errorf("credential axis %+v", a)
			}
			if a := axis(s.Axes, AxisInfrastructure); a.State != outlay.AxisGood {
				t.Errorf("the last finding is lost: %+v", a)
			}
			if r := b.row(kindStore, "store-a"); r.State != outlay.StateVerified {
				t.Errorf("ledger row %+v", r)
			}
			delete(b.cloud.err, "prod")
			b.hour()
			if s := b.is("prod", outlay.Provisioned); !s.CouldNotCheckSince.IsZero() || s.CouldNotCheckWhy != "" {
				t.Errorf("still: %+v", s)
			}
		})
	}
}

// A look that never succeeded leaves the account Checking; one that passes by itself is tried again before the hour.
func TestFirstLookFails(t *testing.T) {
	b := setup(t)
	b.cloud.err["prod"] = outlay.Errorf(outlay.CodeThrottled, "", "slow down")
	b.drain()
	if s := b.is("prod", outlay.Checking); s.CouldNotCheckWhy != "slow down" {
		t.Errorf("status %+v", s)
	}
	for _, k := range b.tasks(TaskLook) {
		if k.Subject == "acc_prod" && (k.NextAt.Sub(b.clock.now) > time.Minute || k.Attempts != 1) {
			t.Errorf("task %+v", k)
		}
	}
	b.is("research", outlay.Unprovisioned)
}

// What is gone counts only when two looks in a row say so.
func TestMissingTwice(t *testing.T) {
	b := setup(t)
	b.provisioned()
	b.publish("1111", "2222")
	b.drain()
	b.see("prod")
	b.cloud.plan = []outlay.Change{{Action: outlay.ActionCreate, Kind: kindStore, Name: "store-a", Title: "Store"}}
	b.hour()
	b.is("prod", outlay.Provisioned)
	if s := b.status("prod"); axis(s.Axes, AxisInfrastructure).State != outlay.AxisBad {
		t.Errorf("axes %+v", s.Axes)
	}
	b.cloud.err["prod"] = outlay.Errorf(outlay.CodeUnavailable, "", "no answer")
	b.hour()
	b.is("prod", outlay.Provisioned)
	delete(b.cloud.err, "prod")
	b.hour()
	if s := b.is("prod", outlay.Unprovisioned); !strings.Contains(s.Reason, "store-a is gone") {
		t.Errorf("reason %s", s.Reason)
	}
	if s := b.status("research"); s.Status != outlay.Unprovisioned || !strings.Contains(s.Reason, "gone on prod") {
		t.Errorf("research: %s %s", s.Status, s.Reason)
	}
	b.see("prod", outlay.Resource{Kind: kindStore, Name: "store-a"})
	b.cloud.plan = nil
	b.hour()
	b.is("prod", outlay.Provisioned)
	if r := b.row(kindStore, "store-a"); r.State != outlay.StateVerified || r.LastError != "" {
		t.Errorf("ledger row %+v", r)
	}
}

func TestPartThatCouldNotBeReadProvesNothing(t *testing.T) {
	b := setup(t)
	b.provisioned()
	b.publish("1111")
	b.drain()
	b.see("prod")
	seen := b.cloud.seen["prod"]
	seen.Unknown = map[string]string{string(kindStore): "Nimbus refused nimbus:List", "members": "refused"}
	b.cloud.seen["prod"] = seen
	b.cloud.plan = []outlay.Change{{Action: outlay.ActionCreate, Kind: kindStore, Name: "store-a"}}
	b.hour()
	b.hour()
	b.hour()
	if s := b.is("prod", outlay.Provisioned); !strings.Contains(s.CouldNotCheckWhy, "Nimbus refused nimbus:List") {
		t.Errorf("status %+v", s)
	}
	seen.Unknown = map[string]string{"members": "refused"}
	b.cloud.seen["prod"] = seen
	b.cloud.plan = nil
	b.hour()
	if s := b.status("prod"); !s.CouldNotCheckSince.IsZero() {
		t.Errorf("members are no part of the set-up: %q", s.CouldNotCheckWhy)
	}
}

func TestDeliveriesBecomeUnitsOnce(t *testing.T) {
	b := setup(t)
	b.provisioned()
	version := b.clock.now.Add(-time.Hour)
	b.cloud.deliveries = []outlay.Delivery{
		{Period: "2026-10", Version: version, Token: "a", Format: "f"}, {Period: "2026-11", Version: version, Token: "b", Format: "f"},
	}
	b.drain()
	if n := len(b.tasks(TaskIngest)); n != 2 {
		t.Errorf("%d ingest tasks, want 2", n)
	}
	b.hour()
	if n := len(b.tasks(TaskIngest)); n != 2 {
		t.Errorf("%d ingest tasks after the same deliveries, want 2", n)
	}
	b.cloud.deliveries[1].Version, b.cloud.deliveries[1].Token = b.clock.now, "c"
	b.hour()
	if n := len(b.tasks(TaskIngest)); n != 3 {
		t.Errorf("%d ingest tasks after a restatement, want 3", n)
	}
	if a := axis(b.status("prod").Axes, AxisExport); a.State != outlay.AxisGood || a.Reason != "Last delivery 10:00 UTC, 20 Nov 2026." {
		t.Errorf("export axis %+v", a)
	}
	b.cloud.listErr = outlay.Errorf(outlay.CodeForbidden, "", "Nimbus refused nimbus:Read")
	b.hour()
	if s := b.status("prod"); s.CouldNotCheckWhy != "Nimbus refused nimbus:Read" || axis(s.Axes, AxisExport).State != outlay.AxisGood {
		t.Errorf("status %+v", s)
	}
	b.cloud.listErr = nil
	b.clock.now = b.clock.now.Add(48 * time.Hour)
	b.drain()
	if a := axis(b.status("prod").Axes, AxisExport); a.State != outlay.AxisBad || !strings.HasPrefix(a.Reason, "No new delivery since") {
		t.Errorf("export axis %+v", a)
	}
}

func TestDriftIsShownAndOnlyAutoIsMade(t *testing.T) {
	b := setup(t)
	b.provisioned("Project", "User", "Pool")
	b.see("prod", outlay.Resource{Kind: kindStore, Name: "store-a"}, outlay.Resource{Kind: kindTag, Name: "Project"}, outlay.Resource{Kind: kindTag, Name: "User"})
	auto := outlay.Change{Action: outlay.ActionUpdate, Kind: kindTag, Name: "User", Step: "Turn on User", Auto: true, Soft: true}
	held := outlay.Change{Action: outlay.ActionUpdate, Kind: kindTag, Name: "Pool", Hold: "not seen yet", Auto: true}
	b.cloud.plan = []outlay.Change{
		{Action: outlay.ActionKeep, Kind: kindTag, Name: "Project"},
		{Action: outlay.ActionUpdate, Kind: kindStore, Name: "store-a", Title: "Store policy"}, auto, held,
	}
	b.drain()
	var runs []outlay.Operation
	b.tx(func(tx outlay.Tx) (err error) { runs, err = tx.Operations(t.Context(), "src_a"); return err })
	if len(runs) != 1 || runs[0].Kind != outlay.OpReconcile || runs[0].Status != outlay.OpQueued {
		t.Fatalf("runs %+v", runs)
	}
	if d := cmp.Diff(outlay.Plan{Changes: []outlay.Change{auto}}, runs[0].Plan); d != "" || runs[0].PlanHash != runs[0].Plan.Hash() {
		t.Errorf("plan of the reconcile (-want +got):\n%s", d)
	}
	s := b.status("prod")
	if a := axis(s.Axes, AxisInfrastructure); a.State != outlay.AxisBad || !strings.Contains(a.Reason, "Store policy") {
		t.Errorf("infrastructure axis %+v", a)
	}
	if a := axis(s.Axes, AxisTags); a.State != outlay.AxisPending || !strings.HasPrefix(a.Reason, "1 of 3 tags are on; the other 2 are tried at every look.") {
		t.Errorf("tags axis %+v", a)
	}
	b.hour()
	b.tx(func(tx outlay.Tx) (err error) { runs, err = tx.Operations(t.Context(), "src_a"); return err })
	if len(runs) != 1 {
		t.Errorf("%d runs: a second reconcile while one is queued", len(runs))
	}
}

// Tags are read while one is not on, and seldom after that: the reads are paid.
func TestTagsAreReadOnlyWhileNeeded(t *testing.T) {
	b := setup(t)
	b.provisioned("User")
	b.cloud.plan = []outlay.Change{{Action: outlay.ActionUpdate, Kind: kindTag, Name: "User", Hold: "not seen yet", Auto: true}}
	asked := func() bool {
		for _, l := range b.cloud.looks {
			if l.Tags {
				return true
			}
		}
		return false
	}
	b.drain()
	if !asked() {
		t.Error("tags were not read at first")
	}
	b.cloud.plan = nil
	b.hour()
	if a := axis(b.status("prod").Axes, AxisTags); a.State != outlay.AxisGood {
		t.Errorf("tags axis %+v", a)
	}
	b.cloud.looks = nil
	b.hour()
	if asked() {
		t.Error("tags were read although all are on")
	}
	b.clock.now = b.clock.now.Add(tagsAgain)
	b.drain()
	if !asked() {
		t.Error("tags were not read for more than a week")
	}
}

func TestSwappedCredentialIsNotLookedThrough(t *testing.T) {
	b := setup(t)
	b.provisioned()
	b.drain()
	listed := b.cloud.listed
	seen := b.cloud.seen["prod"]
	seen.Identity.AccountID = "9999"
	b.cloud.seen["prod"] = seen
	b.hour()
	s := b.status("prod")
	if a := axis(s.Axes, AxisCredential); a.State != outlay.AxisBad || !strings.Contains(a.Reason, "9999") {
		t.Errorf("credential axis %+v", a)
	}
	if b.cloud.listed != listed {
		t.Error("its deliveries were listed")
	}
	b.tx(func(tx outlay.Tx) error {
		a, err := tx.Account(t.Context(), "acc_prod")
		if a.Identity.AccountID != "1111" {
			t.Errorf("the account is now bound to %s", a.Identity.AccountID)
		}
		return err
	})
}

// While a run works, its ledger is its own, nothing counts as drift, and the look comes back soon.
func TestLookDuringARun(t *testing.T) {
	b := setup(t)
	b.provisioned()
	b.tx(func(tx outlay.Tx) error {
		_, err := tx.AddOperation(t.Context(), outlay.Operation{
			OrgID: org, ID: "run_a", Kind: outlay.OpProvision, SourceID: "src_a", AccountID: "acc_prod", Provider: "nimbus", ScopeID: "1111", Status: outlay.OpQueued, CreatedAt: b.clock.now,
		})
		return err
	})
	b.see("prod")
	b.cloud.plan = []outlay.Change{{Action: outlay.ActionCreate, Kind: kindStore, Name: "store-a"}}
	b.drain()
	b.clock.now = b.clock.now.Add(time.Minute)
	b.drain()
	if r := b.row(kindStore, "store-a"); r.State != outlay.StateCreated || r.LastError != "" {
		t.Errorf("ledger row %+v", r)
	}
	s := b.is("prod", outlay.Unprovisioned)
	if a := axis(s.Axes, AxisInfrastructure); a.State != outlay.AxisPending || s.Reason != "No cost data yet. Billing is being provisioned." {
		t.Errorf("axis %+v, %s", a, s.Reason)
	}
	if in := s.NextLook.Sub(b.clock.now); in <= 0 || in > time.Hour {
		t.Errorf("next look in %s", in)
	}
	for _, k := range b.tasks(TaskLook) {
		if k.Subject == "acc_prod" && k.NextAt.Sub(b.clock.now) > time.Minute {
			t.Errorf("task %+v", k)
		}
	}
}

func TestLooksAreScheduled(t *testing.T) {
	b := setup(t)
	if n := len(b.tasks(TaskLook)); n != 2 {
		t.Fatalf("%d looks, want 2", n)
	}
	b.drain()
	again := New(Options{Store: b.store, Providers: b.detect.Providers, Clock: b.clock, Every: time.Minute})
	if err := again.EnsureScheduled(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, k := range b.tasks(TaskLook) {
		if k.Every != time.Minute || k.NextAt.Sub(b.clock.now) > time.Minute {
			t.Errorf("task %+v after the interval changed", k)
		}
	}
	b.tx(func(tx outlay.Tx) error { return tx.DeleteAccount(t.Context(), "acc_research") })
	b.hour()
	if looks := b.tasks(TaskLook); len(looks) != 1 || looks[0].Subject != "acc_prod" {
		t.Errorf("looks %+v", looks)
	}
}

// After a restore of an older database the cloud may hold what the ledger does not know: it is listed, no more.
func TestLeftoversAreListed(t *testing.T) {
	b := setup(t)
	b.provisioned()
	ours := map[string]string{"outlay-source-id": "src_a"}
	b.see("prod", outlay.Resource{Kind: kindStore, Name: "store-a", Owner: ours}, outlay.Resource{Kind: "nimbus/rule", Name: "store-a", Owner: ours},
		outlay.Resource{Kind: "nimbus/export", Name: "export-a", Owner: ours}, outlay.Resource{Kind: "nimbus/export", Name: "theirs"},
		outlay.Resource{Kind: "nimbus/export", Name: "stranger", Owner: ours, State: outlay.StateForeign})
	b.hour()
	b.hour()
	if r := b.row("nimbus/export", "export-a"); r.State != outlay.StateUnknown || r.Origin != outlay.PreExisting || r.LastError == "" {
		t.Errorf("the leftover is %+v", r)
	}
	for _, name := range []string{"theirs", "stranger"} {
		if r := b.row("nimbus/export", name); r.Name != "" {
			t.Errorf("listed: %+v", r)
		}
	}
	if r := b.row("nimbus/rule", "store-a"); r.Name != "" {
		t.Errorf("a setting of a known resource is listed: %+v", r)
	}
}

// A look writes the status of its own account; another is written only when something about it changed.
func TestLookLeavesOthersAlone(t *testing.T) {
	b := setup(t)
	b.drain()
	at := b.status("research").At
	b.clock.now = b.clock.now.Add(time.Minute)
	b.tx(func(tx outlay.Tx) error {
		return tx.PutTask(t.Context(), outlay.Task{OrgID: org, Kind: TaskLook, Subject: "acc_prod", NextAt: b.clock.now, Every: time.Hour})
	})
	b.drain()
	if s := b.status("prod"); !s.At.Equal(b.clock.now) {
		t.Errorf("prod was found to be so at %s", s.At)
	}
	if s := b.status("research"); !s.At.Equal(at) {
		t.Errorf("research was written at %s without a look", s.At)
	}
}

package azure

import (
	"slices"
	"strings"
	"testing"
	"time"

	"outlay"
	cloud "outlay/simcloud/azure"
)

// quiet is how long a call waits for an answer while writes fail. While reads fail it is shorter: there an answer that
// comes too late is one more that failed.
const quiet = 250 * time.Millisecond

// pairWorld is the longest way: two exports, and tag inheritance.
func pairWorld(t *testing.T) *world {
	w := serveWorld(t, quotaEnterprise, cloud.Options{}, plainServer)
	w.s.Spec.Fields = map[string]string{fieldDataset: datasetPair, fieldInherit: choiceYes}
	return w
}

// impatient makes the provider anew, so that it signs in again, and gives up soon.
func (w *world) impatient(answer time.Duration) {
	o := w.p.opts
	o.Retry.Answer, o.Retry.Attempts = answer, 1
	w.p = New(o)
}

// operations lists the calls made since the log was cleared, each once.
func (w *world) operations() []string {
	var out []string
	for _, r := range w.Requests() {
		if !slices.Contains(out, r.Operation) {
			out = append(out, r.Operation)
		}
	}
	return out
}

// TestReadsThatFail lets each read of a look fail for good, in every way that the simulated cloud knows: a look that
// could not read a part never takes it for absent, and no plan makes anything of it (reliability.md §3.1 rule 11, T3).
func TestReadsThatFail(t *testing.T) {
	w := pairWorld(t)
	w.up()
	w.ClearRequests()
	if again := w.plan(whole()); len(todo(again)) != 0 {
		t.Fatalf("to do: %v", todo(again))
	}
	operations := w.operations()
	if len(operations) < 9 {
		t.Fatalf("a look makes only the calls %v", operations)
	}
	for _, op := range operations {
		for _, kind := range cloud.FaultKinds() {
			if kind == cloud.FlipByte {
				continue // a flipped byte may say anything: TLS keeps it out
			}
			w.Fault(cloud.Fault{Match: op, Kind: kind, Times: -1})
			w.impatient(quiet / 4)
			w.lookPast(op, kind)
			w.ClearFaults()
		}
	}
}

// lookPast looks while calls fail.
func (w *world) lookPast(op string, kind cloud.FaultKind) {
	w.t.Helper()
	seen, err := w.p.Observe(w.t.Context(), w.a, w.s, whole())
	if err != nil {
		if e := outlay.AsError(err); e.Code == outlay.CodeInternal || e.Code == outlay.CodeNotFound || e.Fix == "" {
			w.t.Errorf("%s %s: %v", op, kind, err)
		}
		return
	}
	plan, err := w.p.Plan(w.s, seen)
	if err != nil {
		w.t.Errorf("%s %s: %v", op, kind, err)
		return
	}
	if steps := todo(plan); len(steps) != 0 && plan.Blocked() == "" {
		w.t.Errorf("%s %s: the plan says %v", op, kind, steps)
	}
	for _, step := range todo(plan) {
		if !strings.HasPrefix(step, "update azure/provider-registration") {
			w.t.Errorf("%s %s: taken for absent: %s", op, kind, step)
		}
	}
}

// TestWritesThatFail lets each write of the ways up and down go wrong once, in every way that the simulated cloud
// knows, and goes on as the engine does. Nothing may be there twice, be left over, or be reported as done that is not.
func TestWritesThatFail(t *testing.T) {
	up := []string{"Providers_Register", "ResourceGroups_CreateOrUpdate", "StorageAccounts_Create", "StorageAccounts_Poll", "BlobContainers_Create", "Exports_CreateOrUpdate", "Exports_Run", "Settings_CreateOrUpdate"}
	down := []string{"Exports_Delete", "RoleAssignments_Delete", "StorageAccounts_Delete", "ResourceGroups_Delete"}
	for _, op := range append(up, down...) {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			for _, kind := range cloud.FaultKinds() {
				writeFails(t, op, kind, slices.Contains(down, op))
			}
		})
	}
}

func writeFails(t *testing.T, op string, kind cloud.FaultKind, down bool) {
	t.Helper()
	w := pairWorld(t)
	if down {
		w.up()
	}
	plan := w.plan(whole())
	if down {
		plan = w.down(outlay.DeleteCostFiles)
	}
	w.impatient(quiet)
	w.Fault(cloud.Fault{Match: op, Kind: kind})
	w.insist(plan)
	if len(w.faulted()) != 1 {
		t.Errorf("%s %s: met %d faults", op, kind, len(w.faulted()))
	}
	if !down {
		w.checkUp(op, kind)
		w.p = New(w.options())
		w.insist(w.down(outlay.DeleteCostFiles))
	}
	for _, l := range w.Snapshot() {
		if l.Kind != "tag-inheritance" {
			t.Errorf("%s %s: left behind %s", op, kind, l.ID)
		}
	}
}

func (w *world) faulted() []cloud.Request {
	return slices.DeleteFunc(w.Requests(), func(r cloud.Request) bool { return r.Fault == "" })
}

// insist goes on with a plan as long as it helps, as the engine and a person who resumes do.
func (w *world) insist(plan outlay.Plan) {
	w.t.Helper()
	var err error
	for range 8 {
		if err = w.run(plan); err == nil {
			return
		}
	}
	w.t.Fatalf("still fails: %v", err)
}

// checkUp counts what was made.
func (w *world) checkUp(op string, kind cloud.FaultKind) {
	w.t.Helper()
	for live, want := range map[string]int{"resource-group": 1, "storage-account": 1, "container": 1, "export": 2, "role-assignment": 2} {
		if got := w.Only(live); len(got) != want {
			w.t.Errorf("%s %s: %d of %s, want %d", op, kind, len(got), live, want)
		}
	}
	ses, err := w.p.session(w.a)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range w.Only("export") {
		if runs, err := ses.history(w.t.Context(), w.s.Scope.ID, e.Name); err != nil || len(runs) > 1 {
			w.t.Errorf("%s %s: %s ran %d times (%v)", op, kind, e.Name, len(runs), err)
		}
	}
}

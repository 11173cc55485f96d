package aws

import (
	"context"
	"slices"
	"strings"
	"testing"

	"outlay"
	cloud "outlay/simcloud/aws"

	"github.com/google/go-cmp/cmp"
)

// TestForeignObjectStays finds a stranger's file in our bucket, after the plan too: nothing in the bucket is deleted.
func TestForeignObjectStays(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 100})
	w.up()
	w.deliver()
	w.PlantObject(w.bucket().Name, "photos/cat.jpg", []byte("cat"))
	before := w.bucket().Objects
	stale := w.down(outlay.DeleteCostFiles)
	if diff := cmp.Diff([]string{"delete aws/export", "update aws/bucket-policy"}, todo(stale)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if !strings.Contains(notes(stale, "warn"), "1 object that Outlay did not put there") {
		t.Errorf("notes: %s", notes(stale, "warn"))
	}
	for _, kind := range []outlay.ResourceKind{kindObjects, kindBucket} {
		_, err := w.p.Apply(context.Background(), w.a, w.s, outlay.Change{Action: outlay.ActionDelete, Kind: kind, Name: w.bucket().Name})
		if outlay.CodeOf(err) != outlay.CodeConflict {
			t.Errorf("deleting %s: %v", kind, err)
		}
	}
	if diff := cmp.Diff(before, w.bucket().Objects); diff != "" {
		t.Errorf("something was deleted:\n%s", diff)
	}
}

// TestNothingWithoutLedger loses the ledger, as a restore of an old backup does: tags alone delete nothing.
func TestNothingWithoutLedger(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	w.up()
	region := w.s.Spec.Region
	w.s.Resources = nil // a restored ledger that is older than the cloud
	w.s.Spec = &outlay.Spec{Region: region}
	n := w.p.namesOf(w.s, w.a.Identity)
	before := w.Snapshot()
	w.s.Spec, w.s.CostFiles = nil, outlay.DeleteCostFiles
	w.s.Resources = []outlay.Resource{{Kind: kindBucket, Name: n.Bucket, State: outlay.StateUnknown}}
	if plan := w.plan(whole()); slices.ContainsFunc(plan.Changes, func(c outlay.Change) bool { return c.Action == outlay.ActionDelete }) {
		t.Errorf("it would delete: %v", todo(plan))
	}
	for _, c := range []outlay.Change{{Kind: kindBucket, Name: n.Bucket}, {Kind: kindObjects, Name: n.Bucket}, {Kind: kindExport, Name: n.Export}} {
		c.Action = outlay.ActionDelete
		if _, err := w.p.Apply(context.Background(), w.a, w.s, c); outlay.CodeOf(err) != outlay.CodeConflict {
			t.Errorf("deleting %s: %v", c.Key(), err)
		}
	}
	if diff := cmp.Diff(before, w.Snapshot()); diff != "" {
		t.Errorf("something was touched:\n%s", diff)
	}
}

// TestForeignNamesStay finds our names taken, within our own account: neither is touched.
func TestForeignNamesStay(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	w.a.Identity = w.observe(outlay.Look{Kinds: []outlay.ResourceKind{}}).Identity
	n := w.p.namesOf(w.s, w.a.Identity)
	w.PlantBucket(payerAccount, "eu-central-1", n.Bucket)
	w.PlantExport(payerAccount, n.Export, n.Bucket)
	before := w.Snapshot()
	if plan := w.plan(whole()); plan.Blocked() == "" || len(todo(plan)) != 0 {
		t.Errorf("not blocked: %v", todo(plan))
	}
	for _, c := range []outlay.Change{{Kind: kindBucket, Name: n.Bucket}, {Kind: kindExport, Name: n.Export}, {Kind: kindPolicy, Name: n.Bucket}, {Kind: kindSettings, Name: n.Bucket}} {
		c.Action = outlay.ActionCreate
		if err := w.apply(c); outlay.CodeOf(err) != outlay.CodeConflict {
			t.Errorf("applying %s: %v", c.Key(), err)
		}
	}
	if diff := cmp.Diff(before, w.Snapshot()); diff != "" {
		t.Errorf("something was touched:\n%s", diff)
	}
}

// TestNameOfAnotherAccount finds a global name taken by another account: S3 says 403, which is not 'absent'.
func TestNameOfAnotherAccount(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	w.s.Spec.Fields = map[string]string{fieldBucket: "outlay-taken-name"}
	w.PlantBucket(aloneAccount, "eu-central-1", "outlay-taken-name")
	if plan := w.plan(whole()); !strings.Contains(plan.Blocked(), "could not look") || !strings.Contains(plan.Blocked(), "another name is needed") {
		t.Errorf("blocked: %q", plan.Blocked())
	}
}

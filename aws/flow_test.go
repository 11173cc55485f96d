package aws

import (
	"context"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"outlay"
	cloud "outlay/simcloud/aws"

	"github.com/google/go-cmp/cmp"
)

func upSteps() []string {
	return []string{"create aws/bucket", "update aws/bucket-access", "update aws/bucket-settings", "update aws/bucket-policy", "create aws/export"}
}

func TestUpReadDown(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{HistoryMonths: 2, RowsPerMonth: 200})
	w.SeeTags(outlay.TagKeys()...)
	plan := w.plan(whole())
	if diff := cmp.Diff(upSteps(), todo(plan)); diff != "" {
		t.Fatalf("plan (-want +got):\n%s", diff)
	}
	if err := w.run(plan); err != nil {
		t.Fatal(err)
	}
	b := w.bucket()
	want := map[string]string{tagManaged: "outlay", tagInstallation: "ins_test", tagOrganization: "org_1", tagSource: "src_1", tagOperation: "op_1"}
	if diff := cmp.Diff(want, b.Tags); diff != "" {
		t.Errorf("the bucket's tags (-want +got):\n%s", diff)
	}
	if !strings.HasSuffix(b.Name, "-"+payerAccount+"-eu-central-1-an") || b.Region != "eu-central-1" {
		t.Errorf("bucket %s in %s", b.Name, b.Region)
	}
	exports := w.Exports()
	if len(exports) != 1 || !exports[0].Healthy || exports[0].Prefix != "outlay" {
		t.Fatalf("exports: %+v", exports)
	}
	if diff := cmp.Diff(want, exports[0].Tags); diff != "" {
		t.Errorf("the export's tags (-want +got):\n%s", diff)
	}
	if got := w.ActiveTags(payerAccount); len(got) != 9 {
		t.Errorf("active tags: %v", got)
	}
	if again := w.plan(whole()); len(todo(again)) != 0 {
		t.Errorf("a second plan wants %v", todo(again))
	}
	w.repeat(plan)
	w.readMonths(3)
	w.remove()
}

// repeat makes every change once more: nothing may come of it.
func (w *world) repeat(plan outlay.Plan) {
	w.t.Helper()
	before := w.Snapshot()
	for _, c := range plan.Changes {
		if c.Action == outlay.ActionKeep {
			continue
		}
		if _, err := w.p.Apply(context.Background(), w.a, w.s, c); err != nil {
			w.t.Errorf("applying %s again: %v", c.Key(), err)
		}
	}
	if diff := cmp.Diff(before, w.Snapshot()); diff != "" {
		w.t.Errorf("applying twice changed something (-once +twice):\n%s", diff)
	}
}

func (w *world) deliver() {
	w.t.Helper()
	if err := w.Deliver(context.Background(), time.Now()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) deliveries() []outlay.Delivery {
	w.t.Helper()
	var out []outlay.Delivery
	for d, err := range w.p.Deliveries(context.Background(), w.a, w.s) {
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
}

func (w *world) readMonths(months int) {
	w.t.Helper()
	if got := w.deliveries(); len(got) != 0 {
		w.t.Errorf("deliveries before the first: %v", got)
	}
	w.deliver()
	found := w.deliveries()
	if len(found) != months {
		w.t.Fatalf("%d months, want %d: %+v", len(found), months, found)
	}
	for _, d := range found {
		files, err := w.p.Fetch(context.Background(), w.a, w.s, d, w.t.TempDir())
		if err != nil {
			w.t.Fatalf("fetch %s: %v", d.Period, err)
		}
		if len(files) < 2 {
			w.t.Errorf("%s has the files %v", d.Period, files)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil || !strings.HasPrefix(string(b), "PAR1") || !strings.HasSuffix(string(b), "PAR1") {
				w.t.Errorf("%s is no Parquet file (%v)", f, err)
			}
		}
	}
	for i := range found {
		if key := found[i].Ref[outlay.RefFile(1)]; !strings.HasSuffix(key, ".snappy.parquet") {
			w.t.Errorf("the second file of %s is called %q", found[i].Period, key)
		}
		maps.DeleteFunc(found[i].Ref, func(name, _ string) bool { return strings.HasPrefix(name, "file ") })
	}
	if diff := cmp.Diff(found, w.deliveries()); diff != "" {
		w.t.Errorf("tokens changed though nothing was delivered:\n%s", diff)
	}
}

func (w *world) remove() {
	w.t.Helper()
	plan := w.down(outlay.DeleteCostFiles)
	want := []string{"delete aws/export", "delete aws/bucket-objects", "delete aws/bucket"}
	if diff := cmp.Diff(want, todo(plan)); diff != "" {
		w.t.Fatalf("plan down (-want +got):\n%s", diff)
	}
	if err := w.run(plan); err != nil {
		w.t.Fatal(err)
	}
	if left := w.Snapshot(); len(left) != 0 {
		w.t.Errorf("left behind: %+v", left)
	}
	if got := w.ActiveTags(payerAccount); len(got) != 9 {
		w.t.Errorf("deprovisioning touched the tags: %v", got)
	}
	if err := w.run(plan); err != nil {
		w.t.Errorf("deleting what is gone: %v", err)
	}
}

// TestKeep keeps the bucket: AWS can no longer write to it, and the files are still there.
func TestKeep(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 100})
	w.up()
	w.deliver()
	policy, err := parsePolicy(w.bucket().Policy)
	if err != nil {
		t.Fatal(err)
	}
	foreign := `{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + aloneAccount + `:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::` + w.bucket().Name + `/*"}`
	policy.statements = append(policy.statements, []byte(foreign))
	w.SetBucketPolicy(w.bucket().Name, policy.String())
	objects := w.bucket().Objects
	plan := w.down(outlay.KeepCostFiles)
	if diff := cmp.Diff([]string{"delete aws/export", "update aws/bucket-policy"}, todo(plan)); diff != "" {
		t.Fatalf("plan (-want +got):\n%s", diff)
	}
	if err := w.run(plan); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(objects, w.bucket().Objects); diff != "" {
		t.Errorf("files changed:\n%s", diff)
	}
	left, err := parsePolicy(w.bucket().Policy)
	if err != nil || len(left.statements) != 1 || sidOf(left.statements[0]) != "Theirs" {
		t.Errorf("policy left: %s (%v)", w.bucket().Policy, err)
	}
	if len(w.Exports()) != 0 {
		t.Error("the export is still there")
	}
}

// TestLateDelivery lets a file arrive after the bucket was emptied.
func TestLateDelivery(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 100})
	w.up()
	w.deliver()
	plan := w.down(outlay.DeleteCostFiles)
	for _, c := range plan.Changes {
		if c.Action != outlay.ActionDelete {
			continue
		}
		if c.Kind == kindBucket {
			w.PlantObject(c.Name, "outlay/late/data/BILLING_PERIOD=2026-11/late-00001.snappy.parquet", []byte("late"))
		}
		if err := w.apply(c); err != nil {
			t.Fatal(err)
		}
	}
	if left := w.Snapshot(); len(left) != 0 {
		t.Errorf("left behind: %+v", left)
	}
}

// TestMoved changes the delivery under the read.
func TestMoved(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 100})
	w.up()
	w.deliver()
	old := w.deliveries()[0]
	w.Fault(cloud.Fault{Match: "GetObject", Path: ".parquet", Kind: cloud.Truncate})
	if _, err := w.p.Fetch(context.Background(), w.a, w.s, old, t.TempDir()); outlay.CodeOf(err) != outlay.CodeUnavailable {
		t.Errorf("a file cut short: %v", err)
	}
	w.Fault(cloud.Fault{Match: "GetObject", Path: ".parquet", Kind: cloud.TruncateSilently})
	if _, err := w.p.Fetch(context.Background(), w.a, w.s, old, t.TempDir()); err == nil {
		t.Error("a file cut short without a length was taken")
	}
	w.Fault(cloud.Fault{Match: "GetObject", Path: ".parquet", Kind: cloud.BadChecksum})
	if _, err := w.p.Fetch(context.Background(), w.a, w.s, old, t.TempDir()); err == nil {
		t.Error("a file with a flipped byte was taken")
	}
	w.deliver()
	if _, err := w.p.Fetch(context.Background(), w.a, w.s, old, t.TempDir()); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("an old delivery: %v", err)
	}
	fresh := w.deliveries()[0]
	if fresh.Token == old.Token || !fresh.Version.After(old.Version) {
		t.Errorf("the new delivery is %+v, the old one %+v", fresh, old)
	}
	if _, err := w.p.Fetch(context.Background(), w.a, w.s, fresh, t.TempDir()); err != nil {
		t.Error(err)
	}
	before := w.calls("GetObject")
	w.deliveries()
	if n := w.calls("GetObject") - before; n != 0 {
		t.Errorf("listing deliveries read %d objects", n)
	}
}

// TestSpellings follows deliveries while AWS changes how it writes the month's folder: one delivery per month, always
// the newest, and only the files that its manifest names.
func TestSpellings(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 100, SpellingEvery: 2, RestateEvery: 2, HistoryMonths: 1})
	w.up()
	last := map[outlay.Period]outlay.Delivery{}
	spellings := map[string]bool{}
	for range 6 {
		w.deliver()
		found := w.deliveries()
		if len(found) != 2 || found[0].Period >= found[1].Period {
			t.Fatalf("months: %+v", found)
		}
		for _, d := range found {
			if old, ok := last[d.Period]; ok && d.Version.Before(old.Version) {
				t.Errorf("%s went back from %s to %s", d.Period, old.Version, d.Version)
			}
			last[d.Period] = d
			spellings[strings.Split(strings.TrimPrefix(d.Ref[refManifest], "outlay/"), "/")[2][:7]] = true
			files, err := w.p.Fetch(context.Background(), w.a, w.s, d, t.TempDir())
			if err != nil || len(files) < 2 {
				t.Errorf("fetch %s: %v (%v)", d.Ref[refManifest], files, err)
			}
		}
	}
	if len(spellings) != 2 {
		t.Errorf("spellings met: %v", spellings)
	}
}

package aws

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"outlay"
	cloud "outlay/simcloud/aws"
)

// change finds a change of a plan.
func change(t *testing.T, plan outlay.Plan, kind outlay.ResourceKind) outlay.Change {
	t.Helper()
	for _, c := range plan.Changes {
		if c.Kind == kind && c.Action != outlay.ActionKeep {
			return c
		}
	}
	t.Fatalf("the plan has no change of %s", kind)
	return outlay.Change{}
}

// TestCreatesAreSentOnce lets the creates that AWS does not de-duplicate fail in every way: one request each, the
// right verdict, and a second try that finds what the first one made (reliability.md §3.4).
func TestCreatesAreSentOnce(t *testing.T) {
	for _, row := range []struct {
		fault   cloud.FaultKind
		code    outlay.Code
		outcome outlay.Outcome
		made    bool
	}{
		{cloud.FailBefore, outlay.CodeUnavailable, outlay.Unknown, false},
		{cloud.FailAfter, outlay.CodeUnavailable, outlay.Unknown, true},
		{cloud.ResetBefore, outlay.CodeUnavailable, outlay.Unknown, false},
		{cloud.ResetAfter, outlay.CodeUnavailable, outlay.Unknown, true},
		{cloud.HangAfter, outlay.CodeUnavailable, outlay.Unknown, true},
		{cloud.Throttle, outlay.CodeThrottled, outlay.DefinitelyNot, false},
		{cloud.AccessDenied, outlay.CodeForbidden, outlay.DefinitelyNot, false},
		{cloud.SkewedClock, outlay.CodeUnavailable, outlay.DefinitelyNot, false},
		{cloud.ExpiredToken, outlay.CodeForbidden, outlay.DefinitelyNot, false},
	} {
		for kind, operation := range map[outlay.ResourceKind]string{kindBucket: "CreateBucket", kindExport: "CreateExport"} {
			t.Run(string(row.fault)+" "+operation, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, payerAccount, cloud.Options{ExportQuota: 9})
				plan := w.plan(whole())
				for _, c := range plan.Changes {
					if c.Kind == kind {
						break
					}
					if err := w.apply(c); err != nil {
						t.Fatal(err)
					}
				}
				w.Fault(cloud.Fault{Match: operation, Kind: row.fault})
				before, patient := w.calls(operation), w.p
				if row.fault == cloud.HangAfter {
					o := w.p.opts
					o.Retry.Answer = 2 * time.Second
					w.p = New(o)
				}
				err := w.apply(change(t, plan, kind))
				w.p = patient
				e := outlay.AsError(err)
				if e == nil || e.Code != row.code || e.Outcome != row.outcome || e.Fix == "" {
					t.Errorf("the error is %+v", e)
				}
				if n := w.calls(operation) - before; n != 1 {
					t.Errorf("%d requests were sent", n)
				}
				if err := w.apply(change(t, plan, kind)); err != nil {
					t.Errorf("the second try: %v", err)
				}
				sent, want := w.calls(operation)-before, 2
				if row.made {
					want = 1
				}
				if sent != want || len(w.Snapshot()) != map[outlay.ResourceKind]int{kindBucket: 1, kindExport: 2}[kind] {
					t.Errorf("%d requests, want %d; there are %d resources", sent, want, len(w.Snapshot()))
				}
			})
		}
	}
}

// TestReadsAreRepeated lets the SDK repeat what is the same when repeated.
func TestReadsAreRepeated(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	w.up()
	for _, op := range []string{"HeadBucket", "ListExports", "GetBucketPolicy"} {
		w.Fault(cloud.Fault{Match: op, Kind: cloud.UnavailableFirst})
	}
	if seen := w.observe(outlay.Look{}); len(seen.Unknown) != 0 {
		t.Errorf("unknown: %v", seen.Unknown)
	}
	w.Fault(cloud.Fault{Match: "ListExports", Kind: cloud.Throttle, Times: -1})
	w.Fault(cloud.Fault{Match: "s3:HeadBucket", Kind: cloud.Answer, Status: http.StatusForbidden, Code: "AccessDenied", Times: -1})
	seen := w.observe(outlay.Look{})
	for _, kind := range []outlay.ResourceKind{kindBucket, kindExport, kindPolicy} {
		if seen.Unknown[string(kind)] == "" {
			t.Errorf("%s should be unknown: %v", kind, seen.Unknown)
		}
		if _, found := seen.Find(kind, w.bucket().Name); found {
			t.Errorf("%s was found all the same", kind)
		}
	}
}

// TestPolicyLag meets AWS while it does not know the new policy yet.
func TestPolicyLag(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{PolicyLag: 1})
	plan := w.plan(whole())
	err := w.run(plan)
	e := outlay.AsError(err)
	if e == nil || e.Code != outlay.CodeUnavailable || e.Outcome != outlay.DefinitelyNot || !strings.Contains(e.Message, "policy") {
		t.Fatalf("the first try: %+v", e)
	}
	if err := w.apply(change(t, plan, kindExport)); err != nil {
		t.Errorf("the second try: %v", err)
	}
	if n := len(w.Exports()); n != 1 {
		t.Errorf("%d exports", n)
	}
}

// TestRepairs breaks each part by hand: the plan shows what differs and nothing else, and a run puts it right.
func TestRepairs(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	w.up()
	name := w.bucket().Name
	for _, row := range []struct {
		name  string
		spoil func()
		want  string
	}{
		{"policy removed", func() { w.SetBucketPolicy(name, "") }, "update aws/bucket-policy update aws/export"},
		{"policy of somebody else", func() {
			w.SetBucketPolicy(name, `{"Version":"2012-10-17","Statement":{"Sid":"T","Effect":"Deny","Principal":"*","Action":"s3:PutBucketAcl","Resource":"arn:aws:s3:::`+name+`"}}`)
		},
			"update aws/bucket-policy update aws/export"},
		{"export deleted", func() { w.RemoveExport(w.Exports()[0].ARN) }, "create aws/export"},
		{"export unhealthy", func() { w.Unhealthy(w.Exports()[0].ARN, "INTERNAL_FAILURE") }, "update aws/export"},
	} {
		row.spoil()
		plan := w.plan(whole())
		if got := strings.Join(todo(plan), " "); got != row.want {
			t.Errorf("%s: the plan is %q, want %q", row.name, got, row.want)
		}
		if err := w.run(plan); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		for _, e := range w.Exports() {
			w.Unhealthy(e.ARN, "")
		}
		if left := todo(w.plan(whole())); len(left) != 0 {
			t.Errorf("%s: left to do: %v", row.name, left)
		}
	}
	if !strings.Contains(w.bucket().Policy, `"Sid":"T"`) {
		t.Error("the statement of somebody else is gone")
	}
	w.Unhealthy(w.Exports()[0].ARN, "BILL_OWNER_CHANGED")
	if plan := w.plan(whole()); len(todo(plan)) != 0 || !strings.Contains(notes(plan, "warn"), "another payer") {
		t.Errorf("a changed payer: %v, %+v", todo(plan), plan.Notes)
	}
	w.RemoveBucket(name)
	if got := todo(w.plan(whole())); len(got) == 0 || got[0] != "create aws/bucket" {
		t.Errorf("without the bucket: %v", got)
	}
}

// TestLaggingList takes down an export that no list shows yet: it is not taken for gone.
func TestLaggingList(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	w.up()
	w.Fault(cloud.Fault{Match: "ListExports", Kind: cloud.Answer, Status: 200, Times: -1})
	plan := w.down(outlay.DeleteCostFiles)
	w.ClearFaults()
	if got := todo(plan); len(got) == 0 || got[0] != "delete aws/export" {
		t.Fatalf("plan: %v", got)
	}
	w.Fault(cloud.Fault{Match: "ListExports", Kind: cloud.Answer, Status: 200, Times: -1})
	if err := w.apply(change(t, plan, kindExport)); err != nil {
		t.Fatal(err)
	}
	if len(w.Exports()) != 0 {
		t.Error("the export is left behind")
	}
}

// TestTwinExports finds ours among exports of the same name, which AWS allows.
func TestTwinExports(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{ExportQuota: 9})
	w.up()
	ours := w.Exports()[0]
	w.PlantExport(payerAccount, ours.Name, "elsewhere")
	plan := w.plan(whole())
	if len(todo(plan)) != 0 || !strings.Contains(notes(plan, "warn"), "second export") {
		t.Errorf("plan %v, notes %+v", todo(plan), plan.Notes)
	}
	if err := w.run(w.down(outlay.DeleteCostFiles)); err != nil {
		t.Fatal(err)
	}
	left := w.Snapshot()
	if len(left) != 1 || !left[0].Foreign {
		t.Errorf("left: %+v", left)
	}
}

// TestTags follows a key from unseen to active, with a look-alike beside it.
func TestTags(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	w.s.Spec.Tags = []string{"User"}
	w.SeeTags("user")
	c := change(t, w.plan(whole()), kindTag)
	if !strings.Contains(c.Hold, "letter case counts") || !c.Auto || !c.Soft {
		t.Errorf("unseen: %+v", c)
	}
	err := w.apply(c)
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeConflict || e.Outcome != outlay.DefinitelyNot || !strings.Contains(e.Fix, "every hour") {
		t.Errorf("turning on an unseen key: %v", err)
	}
	w.SeeTags("User")
	c = change(t, w.plan(whole()), kindTag)
	if c.Hold != "" || c.From[propStatus] != tagInactive {
		t.Errorf("seen: %+v", c)
	}
	if err := w.apply(c); err != nil {
		t.Fatal(err)
	}
	seen := w.observe(outlay.Look{Kinds: []outlay.ResourceKind{kindTag}})
	r, ok := seen.Find(kindTag, "User")
	if !ok || r.Properties[propStatus] != tagActivating {
		t.Errorf("after: %+v", r)
	}
	before := w.calls("ListCostAllocationTags")
	if plan := w.plan(outlay.Look{}); len(plan.Changes) == 0 || w.calls("ListCostAllocationTags") != before {
		t.Error("a look that does not ask for tags paid for them")
	}
	if got := w.ActiveTags(payerAccount); len(got) != 1 || got[0] != "User" {
		t.Errorf("active: %v", got)
	}
}

// TestBackfill happens on request only, and once a day.
func TestBackfill(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	w.up()
	w.s.Spec.Fields = map[string]string{fieldBackfill: time.Now().UTC().AddDate(0, -3, 0).Format("2006-01")}
	plan := w.plan(whole())
	if len(plan.Changes) != 1 || notes(plan, "warn") == "" {
		t.Fatalf("plan: %+v", plan)
	}
	if err := w.run(plan); err != nil {
		t.Fatal(err)
	}
	if err := w.run(plan); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("the second one today: %v", err)
	}
}

// TestBackfillWhoseAnswerWasLost is asked for once: the attempt after a lost answer finds that AWS is at it, and only for
// the same months.
func TestBackfillWhoseAnswerWasLost(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	w.up()
	asked := func(months int) outlay.Change {
		w.s.Spec.Fields = map[string]string{fieldBackfill: time.Now().UTC().AddDate(0, -months, 0).Format("2006-01")}
		return change(t, w.plan(whole()), kindBackfill)
	}
	lost := asked(3)
	w.Fault(cloud.Fault{Match: "StartCostAllocationTagBackfill", Kind: cloud.ResetAfter})
	if e := outlay.AsError(w.apply(lost)); e == nil || e.Outcome != outlay.Unknown {
		t.Fatalf("a lost answer: %+v", e)
	}
	if err := w.apply(asked(5)); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("other months: %v", err)
	}
	if err := w.apply(lost); err != nil {
		t.Errorf("the same months again: %v", err)
	}
}

// TestVersionsAndUploads empties a bucket in which somebody turned versioning on.
func TestVersionsAndUploads(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 100})
	w.up()
	w.deliver()
	w.makeMess()
	w.deliver()
	plan := w.down(outlay.DeleteCostFiles)
	if err := w.run(plan); err != nil {
		t.Fatal(err)
	}
	if left := w.Snapshot(); len(left) != 0 {
		t.Errorf("left behind: %+v", left)
	}
	if _, err := w.p.Apply(context.Background(), w.a, w.s, outlay.Change{Action: outlay.ActionManual, Kind: "x"}); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("an unknown change: %v", err)
	}
}

// TestProtected meets files that may not be deleted: S3 says so key by key inside a 200, and the bucket stays.
func TestProtected(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 100})
	w.up()
	w.deliver()
	w.Protect(w.bucket().Name, "outlay/")
	plan := w.down(outlay.DeleteCostFiles)
	err := w.run(plan)
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeForbidden || !strings.Contains(e.Message, "deleting outlay/") {
		t.Errorf("deleting protected files: %v", err)
	}
	if len(w.bucket().Objects) == 0 {
		t.Error("the files are gone")
	}
}

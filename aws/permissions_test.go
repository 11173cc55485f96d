package aws

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"outlay"
	cloud "outlay/simcloud/aws"
)

// TestMissingOneByOne takes each permission away in turn. The plan must name it and offer a policy with it; a run that
// goes on all the same must fail naming it, or, for a soft one, succeed without.
func TestMissingOneByOne(t *testing.T) {
	for _, n := range needsOf(&outlay.Source{Spec: &outlay.Spec{Tags: []string{"User"}}}, names{Partition: "aws", Account: payerAccount}) {
		t.Run(n.action, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, payerAccount, cloud.Options{})
			w.SeeTags("User")
			w.s.Spec.Tags = []string{"User"}
			w.Deny(w.role, n.action)
			seen := w.observe(whole())
			w.a.Identity = seen.Identity
			missing := seen.Missing()
			if len(missing) != 1 || missing[0].Action != n.action || missing[0].Why == "" || !strings.Contains(seen.Policy, n.action) {
				t.Fatalf("missing: %+v, policy %s", missing, seen.Policy)
			}
			plan, err := w.p.Plan(w.s, seen)
			if err != nil {
				t.Fatal(err)
			}
			level := "block"
			if n.soft {
				level = "warn"
			}
			if !strings.Contains(notes(plan, level), n.action) {
				t.Errorf("no %s note names it: %+v", level, plan.Notes)
			}
			w.goOn(n)
		})
	}
}

// goOn runs a plan that was made while nothing was missing.
func (w *world) goOn(n need) {
	w.t.Helper()
	w.Undeny(w.role)
	plan := w.plan(whole())
	w.Deny(w.role, n.action)
	err := w.run(plan)
	read := slices.Contains([]string{"s3:GetObject", "bcm-data-exports:GetTable", "bcm-data-exports:GetExport", "bcm-data-exports:ListTagsForResource", "s3:GetBucketTagging"}, n.action)
	if n.soft || (read && err == nil) {
		if err != nil {
			w.t.Errorf("the run needs it: %v", err)
		}
		return
	}
	e := outlay.AsError(err)
	if e == nil || e.Code != outlay.CodeForbidden || len(e.Needs) != 1 || e.Needs[0].Action != n.action || e.Outcome != outlay.DefinitelyNot {
		w.t.Errorf("the run ended with %v", err)
	}
}

// TestLeastPrivilege goes the whole way up and down with only the published policy, and reads with only the reader's.
func TestLeastPrivilege(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 100})
	w.SeeTags(outlay.TagKeys()...)
	w.Allow(w.role, ProvisionerPolicy("aws", payerAccount))
	plan := w.plan(whole())
	if missing := w.observe(whole()).Missing(); len(missing) != 0 {
		t.Errorf("missing: %+v", missing)
	}
	if len(plan.Notes) != 0 {
		t.Errorf("notes: %+v", plan.Notes)
	}
	for _, c := range plan.Changes {
		if err := w.apply(c); err != nil {
			t.Fatalf("%s: %v", c.Step, err)
		}
	}
	w.deliver()
	w.Allow(w.role, ReaderPolicy("aws", payerAccount, w.bucket().Name))
	for _, d := range w.deliveries() {
		if _, err := w.p.Fetch(t.Context(), w.a, w.s, d, t.TempDir()); err != nil {
			t.Errorf("reading with the reader's policy: %v", err)
		}
	}
	hourly := outlay.Look{Members: true}
	if seen := w.observe(hourly); len(seen.Unknown) != 0 || len(seen.Members) != 2 {
		t.Errorf("watching with the reader's policy: %v, members %v", seen.Unknown, seen.Members)
	}
	if plan := w.plan(hourly); len(todo(plan)) != 0 || len(plan.Notes) != 0 {
		t.Errorf("watching with the reader's policy: %v, %+v", todo(plan), plan.Notes)
	}
	w.Allow(w.role, ProvisionerPolicy("aws", payerAccount))
	down := w.down(outlay.DeleteCostFiles)
	if missing := w.observe(whole()).Missing(); len(missing) != 0 {
		t.Errorf("missing on the way down: %+v", missing)
	}
	if err := w.run(down); err != nil {
		t.Fatal(err)
	}
	if left := w.Snapshot(); len(left) != 0 {
		t.Errorf("left behind: %+v", left)
	}
}

// TestServiceControlPolicy names what stands above the account.
func TestServiceControlPolicy(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	w.DenyByOrganization(payerAccount, "s3:CreateBucket")
	missing := w.observe(whole()).Missing()
	if len(missing) != 1 || !strings.Contains(missing[0].Why, "service control policy") {
		t.Errorf("missing: %+v", missing)
	}
}

// TestSimulationDenied leaves permissions unknown, but for those that the look's own reads tell.
func TestSimulationDenied(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	w.Deny(w.role, "iam:SimulatePrincipalPolicy", "bcm-data-exports:ListExports")
	seen := w.observe(whole())
	states := map[string]outlay.PermissionState{}
	for _, p := range seen.Permissions {
		states[p.Action] = p.State
	}
	if states["s3:CreateBucket"] != outlay.PermissionUnknown || states["bcm-data-exports:ListExports"] != outlay.PermissionDenied || states["s3:ListBucket"] != outlay.PermissionGranted {
		t.Errorf("states: %v", states)
	}
	w.Undeny(w.role, "bcm-data-exports:ListExports")
	if plan := w.plan(whole()); plan.Blocked() != "" || !strings.Contains(notes(plan, "info"), "iam:SimulatePrincipalPolicy") {
		t.Errorf("notes: %+v", plan.Notes)
	}
}

// TestKeysAndRoot signs in with stored keys: of a user, who can be simulated, and of the root user, who cannot.
func TestKeysAndRoot(t *testing.T) {
	w := newWorld(t, aloneAccount, cloud.Options{})
	id, secret := w.AddUser(aloneAccount, "biller", "*")
	w.a.Credential = outlay.Credential{Kind: kindKeys, Values: map[string]string{fieldKeyID: id}, Version: 2}
	w.vault["acc_1/"+fieldKeySecret] = secret
	seen := w.observe(whole())
	if len(seen.Permissions) == 0 || len(seen.Missing()) != 0 || seen.Identity.Principal != w.UserARN(aloneAccount, "biller") {
		t.Errorf("seen: %+v", seen)
	}
	if id := seen.Identity; id.Extra[extraKind] != standalone || id.Scope.ID != aloneAccount || !id.Scope.IsPayer {
		t.Errorf("identity: %+v", id)
	}
	rootID, rootSecret := w.AddRoot(aloneAccount)
	w.a.Credential = outlay.Credential{Kind: kindKeys, Values: map[string]string{fieldKeyID: rootID}, Version: 3}
	w.vault["acc_1/"+fieldKeySecret] = rootSecret
	seen = w.observe(whole())
	if len(seen.Missing()) != 0 || len(seen.Notes) != 1 || !strings.Contains(seen.Notes[0].Text, "root") {
		t.Errorf("seen: %+v", seen)
	}
}

func TestPoliciesGolden(t *testing.T) {
	golden(t, "policy/provisioner.json", ProvisionerPolicy("aws", payerAccount))
	golden(t, "policy/reader.json", ReaderPolicy("aws", payerAccount, "outlay-abc"))
	golden(t, "policy/trust.json", trustPolicy("arn:aws:iam::"+serverAccount+":role/outlay"))
	golden(t, "policy/missing.json", policyFor([]outlay.Permission{
		{Action: "s3:CreateBucket", Resource: "arn:aws:s3:::outlay-abc"}, {Action: "s3:TagResource", Resource: "arn:aws:s3:::outlay-abc"},
		{Action: "ce:UpdateCostAllocationTagsStatus", Resource: "*"}, {Action: "bcm-data-exports:ListExports", Resource: "*"},
	}))
	for _, text := range []string{ProvisionerPolicy("aws", "*"), ReaderPolicy("aws-cn", payerAccount, "b"), trustPolicy("")} {
		if !json.Valid([]byte(text)) {
			t.Errorf("not JSON: %s", text)
		}
	}
	if policyFor(nil) != "" {
		t.Error("a policy for nothing")
	}
}

// TestMissingOneByOneDown does the same on the way down: with the files deleted each permission blocks, with the files
// kept only those that keeping needs.
func TestMissingOneByOneDown(t *testing.T) {
	keeps := needsOf(&outlay.Source{CostFiles: outlay.KeepCostFiles}, names{})
	for _, n := range needsOf(&outlay.Source{CostFiles: outlay.DeleteCostFiles}, names{Partition: "aws", Account: payerAccount}) {
		t.Run(n.action, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 50})
			w.up()
			w.deliver()
			w.s.Spec, w.s.CostFiles = nil, ""
			w.Deny(w.role, n.action)
			seen := w.observe(outlay.Look{Contents: true, Permissions: true})
			if missing := seen.Missing(); len(missing) != 1 || missing[0].Action != n.action || !strings.Contains(seen.Policy, n.action) {
				t.Fatalf("missing: %+v", missing)
			}
			for _, choice := range []outlay.CostFiles{outlay.DeleteCostFiles, outlay.KeepCostFiles} {
				w.s.CostFiles = choice
				plan, err := w.p.Plan(w.s, seen)
				if err != nil {
					t.Fatal(err)
				}
				kept := slices.ContainsFunc(keeps, func(k need) bool { return k.action == n.action })
				named := strings.Contains(notes(plan, "block"), n.action)
				if named != (!n.soft && (kept || choice == outlay.DeleteCostFiles)) {
					t.Errorf("%s: blocked by it: %v (%+v)", choice, named, plan.Notes)
				}
			}
		})
	}
}

package aws

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"outlay"

	"github.com/google/go-cmp/cmp"
)

func TestPlansGolden(t *testing.T) {
	for name, sc := range scenes() {
		t.Run(name, func(t *testing.T) {
			plan, err := sc.p.Plan(sc.s, sc.seen)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range sc.seen.Resources { // a delivery comes between the look and the click
				sc.seen.Resources[i].Objects, sc.seen.Resources[i].Bytes = 3*r.Objects, 7*r.Bytes
			}
			again, err := sc.p.Plan(sc.s, sc.seen)
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
	for name, want := range map[string]int{"up-fresh": 35, "down-delete": 21} {
		sc := scenes()[name]
		plan, err := sc.p.Plan(sc.s, sc.seen)
		if err != nil {
			t.Fatal(err)
		}
		points := 4
		for _, c := range plan.Changes {
			if c.Action == outlay.ActionKeep || c.Kind == kindTag {
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

// TestDeletesNeedEverything takes away each of the marks by which a bucket or export is known as ours.
func TestDeletesNeedEverything(t *testing.T) {
	for name, spoil := range map[string]func(live, row *outlay.Resource){
		"no row":            func(_, row *outlay.Resource) { row.Kind = "x" },
		"row of a deletion": func(_, row *outlay.Resource) { row.State = outlay.StateDeleted },
		"given up":          func(_, row *outlay.Resource) { row.State = outlay.StateAbandoned },
		"another name":      func(_, row *outlay.Resource) { row.Name += "x" },
		"adopted":           func(_, row *outlay.Resource) { row.Origin = outlay.Adopted },
		"found":             func(_, row *outlay.Resource) { row.Origin = outlay.PreExisting },
		"no intent":         func(_, row *outlay.Resource) { row.IntentAt = time.Time{} },
		"another id":        func(_, row *outlay.Resource) { row.ProviderID += "x" },
		"foreign":           func(live, _ *outlay.Resource) { live.State = outlay.StateForeign },
		"no tags":           func(live, _ *outlay.Resource) { live.Owner = nil },
		"other source":      func(live, _ *outlay.Resource) { live.Owner[tagSource] = "src_2" },
		"other install":     func(live, _ *outlay.Resource) { live.Owner[tagInstallation] = "ins_2" },
		"other org":         func(live, _ *outlay.Resource) { live.Owner[tagOrganization] = "org_2" },
		"older":             func(live, row *outlay.Resource) { live.Created = row.IntentAt.Add(-16 * time.Minute) },
		"no time, no run":   func(live, _ *outlay.Resource) { live.Created = time.Time{}; delete(live.Owner, tagOperation) },
		"no time, other run": func(live, _ *outlay.Resource) {
			live.Created = time.Time{}
			live.Owner[tagOperation] = "op_2"
		},
	} {
		for _, kind := range []outlay.ResourceKind{kindBucket, kindExport} {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				sc := fresh().down(outlay.DeleteCostFiles)
				spoil(sc.find(kind), sc.row(kind))
				live := *sc.find(kind)
				if sc.p.mayDelete(sc.s, live) == "" {
					t.Error("it may be deleted")
				}
				plan, err := sc.p.Plan(sc.s, sc.seen)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range plan.Changes {
					if c.Action == outlay.ActionDelete && c.Kind == kind && c.Name == live.Name {
						t.Errorf("the plan deletes %s", c.Key())
					}
				}
			})
		}
	}
	sc := fresh().down(outlay.DeleteCostFiles)
	live, row := sc.find(kindBucket), sc.row(kindBucket)
	live.Created = row.IntentAt.Add(-14 * time.Minute)
	if why := sc.p.mayDelete(sc.s, *live); why != "" {
		t.Errorf("within the tolerance: %s", why)
	}
	live.Created = time.Time{}
	if why := sc.p.mayDelete(sc.s, *live); why != "" {
		t.Errorf("without a creation time, but of our run: %s", why)
	}
}

func TestSpecIsChecked(t *testing.T) {
	for _, row := range []struct {
		field string
		spec  outlay.Spec
	}{
		{"region", outlay.Spec{Region: ""}}, {"region", outlay.Spec{Region: "mars-1"}},
		{fieldBucket, outlay.Spec{Region: "us-east-1", Fields: map[string]string{fieldBucket: "Ab"}}},
		{fieldBucket, outlay.Spec{Region: "us-east-1", Fields: map[string]string{fieldBucket: "with.dot"}}},
		{fieldBucket, outlay.Spec{Region: "us-east-1", Fields: map[string]string{fieldBucket: "xn--abc"}}},
		{fieldBucket, outlay.Spec{Region: "us-east-1", Fields: map[string]string{fieldBucket: "mine-" + aloneAccount + "-us-east-1-an"}}},
		{fieldBucket, outlay.Spec{Region: "us-east-1", Fields: map[string]string{fieldBucket: strings.Repeat("a", 64)}}},
		{"tags", outlay.Spec{Region: "us-east-1", Tags: []string{"aws:createdBy"}}}, {"tags", outlay.Spec{Region: "us-east-1", Tags: []string{""}}},
		{fieldBackfill, outlay.Spec{Region: "us-east-1", Fields: map[string]string{fieldBackfill: "2025-10"}}},
		{fieldBackfill, outlay.Spec{Region: "us-east-1", Fields: map[string]string{fieldBackfill: "soon"}}},
	} {
		sc := fresh()
		sc.s.Spec = &row.spec
		_, err := sc.p.Plan(sc.s, sc.seen)
		if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeInvalid || e.Field != row.field || e.Fix == "" {
			t.Errorf("%+v: %v", row.spec, err)
		}
	}
	sc := fresh().done()
	sc.s.Spec.Region = "us-east-1"
	if _, err := sc.p.Plan(sc.s, sc.seen); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("another region while the bucket exists: %v", err)
	}
}

// TestNames shows that names depend on the key and on the source, and on nothing else.
func TestNames(t *testing.T) {
	sc := fresh()
	if again := fresh(); again.n != sc.n {
		t.Errorf("%+v, then %+v", sc.n, again.n)
	}
	seen := map[string]bool{sc.n.Bucket: true, sc.n.Export: true}
	for name, change := range map[string]func(*scene){
		"source": func(s *scene) { s.s.ID = "src_2" }, "organization": func(s *scene) { s.s.OrgID = "org_2" },
		"key": func(s *scene) { s.p.opts.NamingKey = []byte("other") },
	} {
		other := fresh()
		change(other)
		n := other.p.namesOf(other.s, other.seen.Identity)
		if seen[n.Bucket] || seen[n.Export] {
			t.Errorf("another %s gave the same names %+v", name, n)
		}
	}
	china := fresh()
	china.seen.Identity.Extra[extraPartition] = "aws-cn"
	china.s.Spec.Region = "cn-north-1"
	if n := china.p.namesOf(china.s, china.seen.Identity); strings.HasSuffix(n.Bucket, "-an") || checkBucketName(n) != nil {
		t.Errorf("in China the bucket is %s", n.Bucket)
	}
	for _, r := range regions() {
		n := sc.n
		n.Region = r.ID
		n.Bucket = sc.p.bucketName(sc.s, n)
		if err := checkBucketName(n); err != nil || !accountRegional(n) || regionOf(outlay.Resource{Name: n.Bucket}, "") != r.ID {
			t.Errorf("%s: %v", n.Bucket, err)
		}
	}
}

func TestPolicyMerge(t *testing.T) {
	n := fresh().n
	theirs := `{"Sid":"Theirs","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*","Condition":{"Bool":{"a":true}}}`
	for name, text := range map[string]string{
		"none": "", "one object": `{"Version":"2008-10-17","Id":"x","Statement":` + theirs + `}`,
		"list": `{"Version":"2012-10-17","Statement":[` + theirs + `,{"Sid":"` + sidDeliver + `","Effect":"Deny"}]}`, "no statement": `{"Version":"2012-10-17"}`,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := parsePolicy(text)
			if err != nil {
				t.Fatal(err)
			}
			merged, err := parsePolicy(p.with(wantedStatements(n)).String())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wantedStatements(n), merged.ours()); diff != "" {
				t.Errorf("ours (-want +got):\n%s", diff)
			}
			back := merged.with(nil)
			if strings.Contains(text, "Theirs") != strings.Contains(back.String(), `"Condition":{"Bool":{"a":true}}`) || back.empty() != !strings.Contains(text, "Theirs") {
				t.Errorf("without ours: %s", back)
			}
		})
	}
	golden(t, "policy/bucket.json", indent(t, bucketPolicy{fields: map[string]json.RawMessage{"Version": json.RawMessage(`"2012-10-17"`)}}.with(wantedStatements(n)).String()))
	for _, bad := range []string{"{", "[]", `{"Statement":[}`, `{"Statement":"x`} {
		if _, err := parsePolicy(bad); outlay.CodeOf(err) != outlay.CodeUnavailable {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if a, b := canonical([]byte(`{"Action":["b","a"],"Resource":["x"]}`)), canonical([]byte(`{"Resource":"x","Action":["a","b"]}`)); a != b {
		t.Errorf("%s and %s mean the same", a, b)
	}
}

func indent(t *testing.T, s string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

func FuzzPolicy(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":{"Sid":"a","Effect":"Allow"}}`)
	f.Add(`{"Statement":[{"Sid":"OutlayDeniesPlainHTTP"},3,"x"]}`)
	want := wantedStatements(names{Bucket: "b", Account: payerAccount, Partition: "aws", Export: "e"})
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePolicy(text)
		if err != nil {
			return
		}
		merged := p.with(want)
		again, err := parsePolicy(merged.String())
		if err != nil {
			t.Fatalf("what we write cannot be read: %v", err)
		}
		if len(again.statements) != len(merged.statements) || fmt.Sprint(again.ours()) != fmt.Sprint(want) {
			t.Errorf("%s became %s", text, merged)
		}
	})
}

package azure

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"outlay"

	"github.com/google/go-cmp/cmp"
)

// TestNames: what Azure takes as names, for any source.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, id := range []string{"src_1", "src_2", "src_3"} {
		for _, key := range []string{"one key", "another key"} {
			p := New(Options{NamingKey: []byte(key)})
			s := &outlay.Source{OrgID: "org_1", ID: id, Spec: &outlay.Spec{Region: "westeurope"}}
			n := p.namesOf(s, outlay.Identity{AccountID: testSub, Scope: outlay.BillingScope{ID: "subscriptions/" + testSub}})
			if again := p.namesOf(s, outlay.Identity{AccountID: testSub, Scope: outlay.BillingScope{ID: "subscriptions/" + testSub}}); again != n {
				t.Errorf("names are not the same again: %+v, %+v", n, again)
			}
			for name, form := range map[string]string{n.Group: `^[a-z0-9-]{1,90}$`, n.Account: `^[a-z0-9]{3,24}$`, n.Container: `^[a-z0-9]{3,63}$`, n.Export: `^[a-z0-9-]{3,50}$`, n.Amortized: `^[a-z0-9-]{3,64}$`} {
				if !regexp.MustCompile(form).MatchString(name) {
					t.Errorf("%q is not a name for Azure", name)
				}
			}
			if seen[n.Account] || seen[n.Group] || seen[n.Export] {
				t.Errorf("names come twice: %+v", n)
			}
			seen[n.Account], seen[n.Group], seen[n.Export] = true, true, true
		}
	}
}

// TestNamesFromLedger: what stands keeps its name, its region and its scope.
func TestNamesFromLedger(t *testing.T) {
	sc := fresh().done()
	for i, r := range sc.s.Resources {
		switch r.Kind {
		case kindGroup, kindAccount, kindContainer:
			sc.s.Resources[i].Name = "older"
			sc.s.Resources[i].ProviderID = ""
		case kindExport:
			sc.s.Resources[i].Name, sc.s.Resources[i].ProviderID = "older", "/providers/Microsoft.Billing/billingAccounts/1/providers/Microsoft.CostManagement/exports/older"
		}
	}
	sc.s.Spec.Region = "eastus"
	n := sc.p.namesOf(sc.s, sc.seen.Identity)
	want := names{Subscription: testSub, Region: "westeurope", Scope: "providers/Microsoft.Billing/billingAccounts/1", Group: "older", Account: "older", Container: "older", Export: "older", Amortized: "older-amortized"}
	if diff := cmp.Diff(want, n); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestDescription(t *testing.T) {
	p := New(Options{InstallationID: "ins_test"})
	want := p.ourTags(&outlay.Source{OrgID: "org_1", ID: "src_1"}, "op_1")
	if diff := cmp.Diff(want, parseDescription(description(want))); diff != "" {
		t.Errorf("marks (-want +got):\n%s", diff)
	}
	for text, want := range map[string]map[string]string{
		"":                    {},
		"made by hand":        {},
		"managed-by=outlay":   {tagManaged: "outlay"},
		"MANAGED_BY=outlay":   {tagManaged: "outlay"},
		"a=b; managed-by = x": {},
		"outlay-source-id=src_1; outlay-source-id=src_2": {}, // which of the two is nobody's to say
		"outlay-source-id=src_1;please keep; = ;":        {tagSource: "src_1"},
	} {
		if got := parseDescription(text); text != "a=b; managed-by = x" && !maps.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// FuzzDescription: whatever stands in the text, it never yields a mark that is not written there.
func FuzzDescription(f *testing.F) {
	for _, s := range []string{"managed-by=outlay; outlay-source-id=src_1", "=;=", "a=b=c;a=d", "outlay_source_id=x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for k, v := range parseDescription(text) {
			if !strings.Contains(text, v) || !strings.HasPrefix(k, "outlay-") && k != tagManaged {
				t.Errorf("%q yields %s=%s", text, k, v)
			}
		}
	})
}

func TestMetadata(t *testing.T) {
	tags := map[string]string{tagManaged: "outlay", tagSource: "src_1"}
	if diff := cmp.Diff(tags, marks(texts(metadata(tags)))); diff != "" {
		t.Errorf("marks (-want +got):\n%s", diff)
	}
	for k := range metadata(tags) {
		if strings.Contains(k, "-") {
			t.Errorf("%q cannot name metadata", k)
		}
	}
}

func TestLabels(t *testing.T) {
	p := New(Options{})
	got, err := p.Labels(map[string]string{"User": "Ana@Example.org", "Project": "  Gas <1>%&/?  ", "Nope": "x", "Date": ""})
	if err != nil {
		t.Fatal(err)
	}
	want := []outlay.Label{{Tag: "Date", Key: "Date"}, {Tag: "Project", Original: "  Gas <1>%&/?  ", Key: "Project", Value: "  Gas <1>%&/?  "}, {Tag: "User", Original: "Ana@Example.org", Key: "User", Value: "Ana@Example.org"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if _, err := p.Labels(map[string]string{"Name": strings.Repeat("ä", 256)}); err != nil {
		t.Errorf("256 characters: %v", err)
	}
	if _, err := p.Labels(map[string]string{"Name": strings.Repeat("ä", 257)}); outlay.CodeOf(err) != outlay.CodeInvalid || fieldOf(err) != "Name" {
		t.Errorf("257 characters: %v", err)
	}
	if got := tagName(`a<b>c%d&e\f?g/h`); got != "a-b-c-d-e-f-g-h" {
		t.Errorf("a name became %q", got)
	}
}

func TestBackfillNames(t *testing.T) {
	month, name, asked, ok := parseBackfill(backfillName("2026-10", "outlay-x", noon()))
	if !ok || month.Format("2006-01-02") != "2026-10-01" || name != "outlay-x" || !asked.Equal(noon()) {
		t.Errorf("%v %q %v %v", month, name, asked, ok)
	}
	for _, bad := range []string{"", "2026-10", "2026-10/x", "2026-13/x/2026-11-20T12:00:00Z", "2026-10/x/yesterday", "2026-10/x/y/2026-11-20T12:00:00Z"} {
		if _, _, _, ok := parseBackfill(bad); ok {
			t.Errorf("%q was taken", bad)
		}
	}
}

package google

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"

	"outlay"

	"github.com/google/go-cmp/cmp"
)

// TestLabels spells the nine tags as Google takes them, and says what a value lost.
func TestLabels(t *testing.T) {
	got, err := New(Options{}).Labels(map[string]string{"User": "a@b.c", "Date": "2026-11-22T10:00", "Session": "s_1", "SessionID": "", "Pool": strings.Repeat("x", 80), "Project": "Ünit"})
	if err != nil {
		t.Fatal(err)
	}
	want := [][3]string{
		{"Date", "date", "2026-11-22t10-00"}, {"Pool", "pool", strings.Repeat("x", 54) + "-" + sumOf(strings.Repeat("x", 80))}, {"Project", "project", "-nit"}, {"Session", "session", "s_1"},
		{"SessionID", "sessionid", ""}, {"User", "user", "a-b-c"},
	}
	var is [][3]string
	for _, l := range got {
		if (l.Note == "") != (l.Value == l.Original) {
			t.Errorf("%s: note %q", l.Tag, l.Note)
		}
		is = append(is, [3]string{l.Tag, l.Key, l.Value})
	}
	if diff := cmp.Diff(want, is); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

func sumOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}

// FuzzLabels holds that what comes out is a label, and that two long values stay two.
func FuzzLabels(f *testing.F) {
	f.Add("a@b.c", "A@b.c")
	f.Add(strings.Repeat("a", 70), strings.Repeat("a", 71))
	valid := regexp.MustCompile(`^[a-z0-9_-]{0,63}$`)
	f.Fuzz(func(t *testing.T, a, b string) {
		p := New(Options{})
		value := func(s string) string {
			got, err := p.Labels(map[string]string{"User": s})
			if err != nil || len(got) != 1 || !valid.MatchString(got[0].Value) || got[0].Key != "user" {
				t.Fatalf("%q became %+v (%v)", s, got, err)
			}
			return got[0].Value
		}
		if va, vb := value(a), value(b); a != b && len(labelText(a)) > maxLabel && len(labelText(b)) > maxLabel && va == vb {
			t.Errorf("%q and %q are both %q", a, b, va)
		}
	})
}

// TestNamesOfTables reads the names of exports' tables, and takes no other for one.
func TestNamesOfTables(t *testing.T) {
	for name, want := range map[string]exportKind{
		"gcp_billing_export_v1_01AB23_45CD67_89EF01": exportStandard, "gcp_billing_export_resource_v1_01AB23_45CD67_89EF01": exportDetailed,
		"gcp_billing_export_focus_01AB23_45CD67_89EF01": exportFocus, "gcp_billing_export_focus_v1_01AB23_45CD67_89EF01": exportFocus,
		"gcp_billing_export_v1_01ab23_45CD67_89EF01": "", "gcp_billing_export_v1_01AB23_45CD67_89EF01_copy": "", "cloud_pricing_export": "", "": "",
	} {
		kind, billing := readTableName(name)
		if kind != want || (want != "") != (billing == payer) {
			t.Errorf("%s is %q of %q, want %q", name, kind, billing, want)
		}
		if want != "" && !strings.Contains(name, "focus_v1") && want.table(payer) != name {
			t.Errorf("%s of %s is %s", want, payer, want.table(payer))
		}
	}
}

var _ outlay.Provider = (*Provider)(nil)

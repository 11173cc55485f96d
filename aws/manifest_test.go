package aws

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"outlay"
)

func here() location {
	return location{Bucket: "b", Region: "us-east-1", Prefix: "outlay", Export: "e", Account: payerAccount, Format: formatFocus12}
}

func TestManifest(t *testing.T) {
	file := func(name string) string { return `"s3://b/outlay/e/data/BILLING_PERIOD=2026-10/` + name + `"` }
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	for _, row := range []struct{ name, body, fault string }{
		{"whole", `{"executionId":"x","exportArn":"a","columns":[{"name":"BilledCost","type":"double"}],"dataFiles":[` + file("e-00001.snappy.parquet") + `]}`, ""},
		{"unknown keys", `{"dataFiles":[` + file("a.parquet") + `],"more":{"dataFiles":1},"version":2}`, ""},
		{"other spelling", `{"dataFiles":["s3://b/outlay/e/data/billing_period=2026-10/a.parquet"]}`, ""},
		{"empty", `{"dataFiles":[]}`, ""},
		{"no list", `{"executionId":"x","columns":[]}`, "does not say what was delivered"},
		{"a list that is null", `{"dataFiles":null}`, "does not say what was delivered"},
		{"key twice", `{"dataFiles":[],"dataFiles":[` + file("a.parquet") + `]}`, "comes twice"},
		{"key in two cases", `{"dataFiles":[],"DATAFILES":[` + file("a.parquet") + `]}`, "comes twice"},
		{"key in another case", `{"DataFiles":[` + file("a.parquet") + `]}`, "should be"},
		{"nested key twice", `{"x":{"a":1,"A":2}}`, "comes twice"},
		{"deep", deep, "nested"},
		{"array", `[]`, "not an object"},
		{"text after it", `{} {}`, "follows"},
		{"cut", `{"dataFiles":[`, "cannot be used"},
		{"no JSON", `<xml/>`, "cannot be used"},
		{"another bucket", `{"dataFiles":["s3://evil/outlay/e/data/BILLING_PERIOD=2026-10/a.parquet"]}`, "not the export's"},
		{"another prefix", `{"dataFiles":["s3://b/secret/e/data/BILLING_PERIOD=2026-10/a.parquet"]}`, "outside"},
		{"another export", `{"dataFiles":["s3://b/outlay/f/data/BILLING_PERIOD=2026-10/a.parquet"]}`, "outside"},
		{"another month", `{"dataFiles":["s3://b/outlay/e/data/BILLING_PERIOD=2026-09/a.parquet"]}`, "does not belong"},
		{"way out", `{"dataFiles":["s3://b/outlay/e/data/BILLING_PERIOD=2026-10/../../../../etc/a.parquet"]}`, "leaves its folder"},
		{"not S3", `{"dataFiles":["https://b/outlay/e/data/BILLING_PERIOD=2026-10/a.parquet"]}`, "not an address"},
		{"a CSV", `{"dataFiles":[` + file("a.csv.gz") + `]}`, "ends in .parquet"},
		{"file twice", `{"dataFiles":[` + file("a.parquet") + "," + file("a.parquet") + `]}`, "listed twice"},
		{"long key", `{"dataFiles":[` + file(strings.Repeat("a", 1100)+".parquet") + `]}`, "cannot have"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m, err := parseManifest([]byte(row.body))
			if err == nil {
				_, err = m.dataKeys(here(), "2026-10")
			}
			if (row.fault == "") != (err == nil) || (err != nil && (!strings.Contains(err.Error(), row.fault) || outlay.CodeOf(err) != outlay.CodeInvalid)) {
				t.Errorf("error %v, want one with %q", err, row.fault)
			}
		})
	}
	if _, err := parseManifest(make([]byte, maxManifest+1)); err == nil || !strings.Contains(err.Error(), "16 MiB") {
		t.Errorf("a huge manifest: %v", err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"executionId":"x","dataFiles":["s3://b/outlay/e/data/BILLING_PERIOD=2026-10/e-00001.snappy.parquet"]}`))
	f.Add([]byte(`{"dataFiles":["s3://b/outlay/e/data/BILLING_PERIOD=2026-10/../x.parquet"],"DATAFILES":[]}`))
	f.Add([]byte(`[[[[{"a":{"b":[1,2.5e7,null,true]}}]]]]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(b)
		if err != nil {
			if outlay.CodeOf(err) != outlay.CodeInvalid {
				t.Errorf("%v", err)
			}
			return
		}
		keys, err := m.dataKeys(here(), "2026-10")
		if err != nil {
			return
		}
		for _, k := range keys {
			if !strings.HasPrefix(k, "outlay/e/data/") || strings.Contains(k, "/../") || len(k) > maxKey {
				t.Errorf("it would read %q", k)
			}
		}
	})
}

func TestDeliveryOfKey(t *testing.T) {
	at := time.Date(2026, 11, 20, 7, 41, 0, 0, time.UTC)
	l := here()
	for key, want := range map[string]outlay.Period{
		"outlay/e/metadata/BILLING_PERIOD=2026-11/e-Manifest.json":                  "2026-11",
		"outlay/e/metadata/billing_period=2026-11/e-Manifest.json":                  "2026-11",
		"outlay/e/metadata/BILLING_PERIOD=2026-11/e-Manifest-FOCUS.json":            "",
		"outlay/e/metadata/BILLING_PERIOD=2026-11/20261120T0741-ab/e-Manifest.json": "",
		"outlay/e/metadata/BILLING_PERIOD=2026-13/e-Manifest.json":                  "",
		"outlay/e/metadata/PERIOD=2026-11/e-Manifest.json":                          "",
		"outlay/e/metadata/e-Manifest.json":                                         "",
		"outlay/f/metadata/BILLING_PERIOD=2026-11/f-Manifest.json":                  "",
		"other/outlay/e/metadata/BILLING_PERIOD=2026-11/e-Manifest.json":            "",
		"outlay/e/metadata/BILLING_PERIOD=2026-11/E-MANIFEST.JSON":                  "",
	} {
		d, ok := l.delivery(key, `"etag"`, at, 7)
		if d.Period != want || ok != (want != "") {
			t.Errorf("%s is a delivery of %q", key, d.Period)
		}
	}
	a, _ := l.delivery("outlay/e/metadata/BILLING_PERIOD=2026-11/e-Manifest.json", `"1"`, at, 7)
	b, _ := l.delivery("outlay/e/metadata/billing_period=2026-11/e-Manifest.json", `"2"`, at.Add(time.Second), 7)
	if !newer(b, a) || newer(a, b) {
		t.Error("of two spellings, the manifest that was written last wins")
	}
	same, _ := l.delivery("outlay/e/metadata/billing_period=2026-11/e-Manifest.json", `"2"`, at, 7)
	if newer(a, same) == newer(same, a) {
		t.Error("of two written in one second, always the same one wins")
	}
	tokens := map[string]bool{a.Token: true}
	for i, change := range []func() (outlay.Delivery, bool){
		func() (outlay.Delivery, bool) { return l.delivery(a.Ref[refManifest], `"x"`, at, 7) },
		func() (outlay.Delivery, bool) { return l.delivery(a.Ref[refManifest], `"1"`, at.Add(1), 7) },
		func() (outlay.Delivery, bool) { return l.delivery(a.Ref[refManifest], `"1"`, at, 8) },
	} {
		if d, _ := change(); tokens[d.Token] {
			t.Errorf("change %d does not show in the token %s", i, d.Token)
		}
	}
}

func TestLocate(t *testing.T) {
	p := New(Options{NamingKey: []byte("k")})
	a := &outlay.CloudAccount{Identity: outlay.Identity{AccountID: payerAccount}}
	if _, err := p.locate(a, &outlay.Source{OrgID: "o", ID: "s"}); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("nothing known: %v", err)
	}
	name := "outlay-abcabcabcabc-" + payerAccount + "-ap-northeast-1-an"
	at, err := p.locate(a, &outlay.Source{OrgID: "o", ID: "s", Resources: []outlay.Resource{
		{Kind: kindBucket, Name: name, State: outlay.StateVerified},
		{Kind: kindExport, Name: "outlay-focus-x", State: outlay.StateVerified, Properties: map[string]string{propTable: tableFocus10}},
	}})
	want := location{Bucket: name, Region: "ap-northeast-1", Prefix: "outlay", Export: "outlay-focus-x", Account: payerAccount, Format: formatFocus10}
	if err != nil || at != want {
		t.Errorf("%+v (%v), want %+v", at, err, want)
	}
}

func TestMapping(t *testing.T) {
	p := New(Options{})
	for _, format := range []string{formatFocus12, formatFocus10} {
		m, err := p.Mapping(format)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range outlay.FocusColumns() {
			if strings.HasPrefix(c.Name, "x_") || strings.HasPrefix(c.Name, "tag_") {
				continue // the parser's own
			}
			if !strings.Contains(m.SQL, fmt.Sprintf("AS %s,", c.Name)) && !strings.Contains(m.SQL, fmt.Sprintf("AS %s\n", c.Name)) && !strings.Contains(m.SQL, "\n  "+c.Name+",") {
				t.Errorf("%s: the mapping lacks %s", format, c.Name)
			}
		}
	}
	if _, err := p.Mapping("cur-3.0"); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("unknown format: %v", err)
	}
}

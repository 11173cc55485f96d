package google

import (
	"regexp"
	"strings"
	"testing"

	"outlay"
)

// TestAbout checks what forms rely on: defaults that are among the options, patterns that compile, regions that are known.
func TestAbout(t *testing.T) {
	info := New(Options{AttachedIdentity: true}).About()
	for _, f := range info.Fields {
		if f.Pattern != "" && (regexp.MustCompile("^(?:"+f.Pattern+")$") == nil) {
			t.Errorf("%s has no pattern", f.Name)
		}
		found := len(f.Options) == 0
		for _, o := range f.Options {
			found = found || o.ID == f.Default
		}
		if !found {
			t.Errorf("the default of %s is no option", f.Name)
		}
	}
	if len(info.CredentialKinds) != 3 || len(New(Options{}).About().CredentialKinds) != 2 {
		t.Error("the server's own identity is offered only where it is allowed")
	}
	for _, k := range info.CredentialKinds {
		if k.Fields[0].Name != fieldProjectID || k.Fields[0].Optional {
			t.Errorf("%s does not ask for the project", k.Kind)
		}
		for _, permission := range append(projectPermissions(), billingPermissions()...) {
			if !strings.Contains(k.Setup, permission) {
				t.Errorf("the set-up of %s lacks %s", k.Kind, permission)
			}
		}
		if (k.Warning != "") != (k.Kind == credKey) {
			t.Errorf("%s: warning %q", k.Kind, k.Warning)
		}
	}
	if info.Regions[0].ID != "US" || info.Regions[1].ID != "EU" || !knownRegion("europe-west3") || knownRegion("us") {
		t.Error("US and EU come first")
	}
	if info.ReadPrice != "6.25" || info.ReadCurrency != "USD" {
		t.Error("a TiB costs 6.25 USD")
	}
}

// TestLinks: the pages that Google Cloud's texts lead to are Google Cloud's own, and each says what it is about.
func TestLinks(t *testing.T) {
	info := New(Options{}).About()
	links := []outlay.Link{info.RegionLink, info.Tags.Link}
	for _, f := range info.Fields {
		if f.Link != (outlay.Link{}) {
			links = append(links, f.Link)
		}
	}
	if len(links) < 3 {
		t.Errorf("only %d links", len(links))
	}
	for _, l := range links {
		if !strings.HasPrefix(l.URL, "https://cloud.google.com/") || !strings.HasSuffix(l.Title, " in the Google Cloud documentation") {
			t.Errorf("%+v", l)
		}
	}
}

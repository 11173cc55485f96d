package azure

import (
	"strings"
	"testing"

	"outlay"
)

// TestLinks: the pages that Azure's texts lead to are Microsoft's own, and each says what it is about.
func TestLinks(t *testing.T) {
	info := New(Options{}).About()
	links := []outlay.Link{info.RegionLink, info.Tags.Link}
	for _, f := range info.Fields {
		if f.Link != (outlay.Link{}) {
			links = append(links, f.Link)
		}
	}
	if len(links) != 5 {
		t.Errorf("%d links, not those of regions, tags, providers, scopes and inheritance", len(links))
	}
	for _, l := range links {
		if !strings.HasPrefix(l.URL, "https://learn.microsoft.com/azure/") || !strings.HasSuffix(l.Title, " in the Azure documentation") {
			t.Errorf("%+v", l)
		}
	}
}

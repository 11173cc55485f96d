package aws

import (
	"regexp"
	"strings"
	"testing"

	"outlay"
)

// TestFieldPatterns: the patterns take what AWS gives out and refuse the usual slips.
func TestFieldPatterns(t *testing.T) {
	for _, row := range []struct {
		kind, field, value string
		fits               bool
	}{
		{kindRole, fieldRole, "arn:aws:iam::123456789012:role/outlay", true},
		{kindRole, fieldRole, "arn:aws-us-gov:iam::123456789012:role/path/to/outlay", true},
		{kindRole, fieldRole, "arn:aws-cn:iam::123456789012:role/outlay", true},
		{kindRole, fieldRole, "outlay", false},
		{kindRole, fieldRole, "arn:aws:iam::123456789012:user/outlay", false},
		{kindRole, fieldRole, "arn:aws:iam::12345678901:role/outlay", false},
		{kindKeys, fieldKeyID, "AKIAIOSFODNN7EXAMPLE", true},
		{kindKeys, fieldKeyID, "AKIA IOSFODNN7EXAMPLE", false},
		{kindKeys, fieldKeyID, "AKIA", false},
	} {
		for _, k := range []outlay.CredentialKind{aboutRole(""), aboutKeys()} {
			for _, f := range k.Fields {
				if k.Kind != row.kind || f.Name != row.field {
					continue
				}
				if got := regexp.MustCompile("^(?:" + f.Pattern + ")$").MatchString(row.value); got != row.fits {
					t.Errorf("%s of %s: %q fits: %t", row.field, row.kind, row.value, got)
				}
			}
		}
	}
}

// TestLinks: the pages that AWS's texts lead to are AWS's own, and each says what it is about.
func TestLinks(t *testing.T) {
	info := New(Options{}).About()
	links := []outlay.Link{info.RegionLink, info.Tags.Link, info.TagsLink}
	for _, f := range info.Fields {
		if f.Link != (outlay.Link{}) {
			links = append(links, f.Link)
		}
	}
	if len(links) < 4 {
		t.Errorf("only %d links", len(links))
	}
	for _, l := range links {
		if !strings.HasPrefix(l.URL, "https://docs.aws.amazon.com/") || !strings.HasSuffix(l.Title, " in the AWS documentation") {
			t.Errorf("%+v", l)
		}
	}
}

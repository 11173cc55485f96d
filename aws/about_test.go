package aws

import (
	"regexp"
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

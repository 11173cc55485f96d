package aws

import (
	_ "embed" // the mappings are SQL files

	"outlay"
)

// The formats that our exports are delivered in, named after the table they select from.
const (
	formatFocus12 = "focus-1.2"
	formatFocus10 = "focus-1.0"
)

//go:embed mapping/focus-1.2.sql
var focusSQL string

// Mapping turns AWS's FOCUS rows into ours. FOCUS 1.0 lacks columns of 1.2 and is otherwise the same, so that one
// SELECT serves both: the view raw gives NULL for what a file lacks.
func (p *Provider) Mapping(format string) (outlay.Mapping, error) {
	switch format {
	case formatFocus12, formatFocus10:
		return outlay.Mapping{
			SQL:                 focusSQL,
			TagPrefixes:         []string{"resourceTags/user:", "user:", "user_"},
			ProviderTagPrefixes: []string{"resourceTags/aws:", "aws:", "aws_"},
		}, nil
	}
	return outlay.Mapping{}, outlay.Errorf(outlay.CodeInvalid, "AWS formats are focus-1.2 and focus-1.0.", "%q is not a format that AWS delivers", format)
}

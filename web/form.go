package web

import (
	"unicode/utf8"

	"outlay"
)

// formInputs is what the shared template of a provider's fields gets.
type formInputs struct {
	Fields []outlay.ProviderField
	Values map[string]string
	Error  *outlay.Error
}

// few is up to how many options are shown as buttons; more go into a list.
const few = 4

// formField is one field with its value, ready for a template.
type formField struct {
	outlay.ProviderField
	Value string
	List  bool // a select instead of buttons
	Bad   bool
}

// abreast is up to how many letters all options of a field may have together to stand in one row.
const abreast = 24

// Short tells whether the options fit in one row.
func (f formField) Short() bool {
	n := 0
	for _, o := range f.Options {
		n += utf8.RuneCountInString(o.Title)
	}
	return n <= abreast
}

// All pairs each field with its value and with whether the error is about it.
func (f formInputs) All() []formField {
	var out []formField
	for _, x := range f.Fields {
		out = append(out, formField{x, f.Values[x.Name], len(x.Options) > few, f.Error != nil && f.Error.Field == x.Name})
	}
	return out
}

package control_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/control"
	"outlay/outlaytest"
)

// other is one more provider, with a bill of its own.
type other struct {
	*outlaytest.Nimbus
	name string
}

func (o other) Name() outlay.ProviderName { return outlay.ProviderName(o.name) }

func (o other) About() outlay.ProviderInfo {
	return outlay.ProviderInfo{Name: o.Name(), Title: "The " + o.name, FileFormats: []outlay.FileFormat{{Format: "bill", Title: o.name + " bill", Columns: []string{"Cost"}}}}
}

// TestFormatsInOrder: what is listed, and tried one after the other, does not depend on the order in which providers are
// handed over.
func TestFormatsInOrder(t *testing.T) {
	h := newHouse(t, nil)
	for _, names := range [][]string{{"cirrus", "stratus", "altus"}, {"stratus", "altus", "cirrus"}} {
		d := h.deps(noImport{})
		d.Providers = nil
		for _, name := range names {
			d.Providers = append(d.Providers, other{h.nimbus, name})
		}
		formats, err := control.New(d).ImportFormats(t.Context(), h.admin)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, f := range formats {
			ids = append(ids, f.ID)
		}
		if diff := cmp.Diff([]string{control.FormatFocus, "altus/bill", "cirrus/bill", "stratus/bill"}, ids); diff != "" {
			t.Errorf("given as %v (-want +got):\n%s", names, diff)
		}
	}
}

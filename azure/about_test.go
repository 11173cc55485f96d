package azure

import (
	"regexp"
	"strings"
	"testing"

	"outlay"
)

// TestAbout checks what forms are made of: every default is one of the choices, every pattern compiles, and 'No' is
// not preselected for the registration (ui.md §3.1).
func TestAbout(t *testing.T) {
	p := New(Options{ManagedIdentity: true})
	info := p.About()
	if p.Name() != "azure" || info.Title != "Azure" || info.Series != 0 || len(info.CredentialKinds) != 4 {
		t.Errorf("about: %+v", info)
	}
	if len(New(Options{}).About().CredentialKinds) != 3 {
		t.Error("the server's own identity is offered though nobody allowed it")
	}
	all := append(append([]outlay.ProviderField{}, info.Fields...), info.ImportFields...)
	for _, k := range info.CredentialKinds {
		if (k.Kind == kindSecret) != (k.Warning != "") || !strings.Contains(k.Setup, actBlobsRead) {
			t.Errorf("%s: warning %q, setup %s", k.Kind, k.Warning, k.Setup)
		}
		names := map[string]bool{}
		for _, f := range k.Fields {
			names[f.Name] = true
			all = append(all, f)
		}
		if !names[fieldTenant] || !names[fieldSubscription] {
			t.Errorf("%s does not ask for tenant and subscription", k.Kind)
		}
	}
	for _, f := range all {
		if f.Pattern != "" {
			if re, err := regexp.Compile(`^(?:` + f.Pattern + `)$`); err != nil || (f.Default != "" && !re.MatchString(f.Default)) {
				t.Errorf("%s: pattern %q, default %q (%v)", f.Name, f.Pattern, f.Default, err)
			}
		}
		found := len(f.Options) == 0
		for _, o := range f.Options {
			found = found || o.ID == f.Default
		}
		if !found {
			t.Errorf("%s: the default %q is no choice", f.Name, f.Default)
		}
	}
	if register := info.Fields[0]; register.Name != fieldRegister || register.Default != registerCheck || register.Title != "Register Microsoft.CostManagementExports" {
		t.Errorf("the first field: %+v", register)
	}
}

package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"outlay"
	"outlay/control"
)

// credentialBody is the form of a credential: for a new account, or for one that exists.
type credentialBody struct {
	Account   *control.AccountDetail // nil for a new one
	Name      string
	Providers []outlay.ProviderInfo
	Provider  outlay.ProviderInfo
	Kind      outlay.CredentialKind
	Values    map[string]string
	Post      string
}

// Link is this form with another kind of credential.
func (b credentialBody) Link(kind string) string {
	q := url.Values{"kind": {kind}}
	if b.Account != nil {
		return b.Post + "?" + q.Encode()
	}
	q.Set("provider", string(b.Provider.Name))
	return "/accounts/new?" + q.Encode()
}

// inputs is what the shared template of credential fields gets.
type inputs struct {
	Kind   outlay.CredentialKind
	Values map[string]string
	Error  *outlay.Error
}

// Inputs pairs the fields with the error that one of them may have caused.
func (b credentialBody) Inputs(e *outlay.Error) inputs { return inputs{b.Kind, b.Values, e} }

// pick finds the provider and the kind of credential that a form is about; the first of each when none is named.
func pick(infos []outlay.ProviderInfo, provider, kind string) (outlay.ProviderInfo, outlay.CredentialKind) {
	if len(infos) == 0 {
		return outlay.ProviderInfo{}, outlay.CredentialKind{}
	}
	info := infos[0]
	if i := slices.IndexFunc(infos, func(p outlay.ProviderInfo) bool { return string(p.Name) == provider }); i >= 0 {
		info = infos[i]
	}
	if len(info.CredentialKinds) == 0 {
		return info, outlay.CredentialKind{}
	}
	k := info.CredentialKinds[0]
	if i := slices.IndexFunc(info.CredentialKinds, func(x outlay.CredentialKind) bool { return x.Kind == kind }); i >= 0 {
		k = info.CredentialKinds[i]
	}
	return info, k
}

// newAccount is the form of a new cloud account.
func (s *site) newAccount(c *call) error {
	q := c.r.URL.Query()
	return s.showNewAccount(c, q.Get("provider"), q.Get("kind"), credentialBody{Name: q.Get("name"), Values: map[string]string{}}, nil, http.StatusOK)
}

func (s *site) showNewAccount(c *call, provider, kind string, b credentialBody, e *outlay.Error, status int) error {
	b.Providers = s.Control.ProviderInfos()
	b.Provider, b.Kind = pick(b.Providers, provider, kind)
	b.Post = "/accounts"
	for _, f := range b.Kind.Fields {
		if b.Values[f.Name] == "" && !f.Secret {
			b.Values[f.Name] = f.Default
		}
	}
	return s.show(c, "account-new", page{Title: "Add a cloud account", Active: "/accounts", Status: status, Error: e, Body: b})
}

// fields reads a credential form: open values, and secrets that never go back into a page.
func fields(c *call, k outlay.CredentialKind) (map[string]string, map[string]outlay.Secret) {
	values, secrets := map[string]string{}, map[string]outlay.Secret{}
	for _, f := range k.Fields {
		text := strings.TrimSpace(c.r.PostFormValue("v-" + f.Name))
		switch {
		case f.Generated:
		case f.Secret:
			secrets[f.Name] = outlay.NewSecret(text)
		default:
			values[f.Name] = text
		}
	}
	return values, secrets
}

func (s *site) addAccount(c *call) error {
	provider, kind := c.r.PostFormValue("provider"), c.r.PostFormValue("kind")
	_, k := pick(s.Control.ProviderInfos(), provider, kind)
	values, secrets := fields(c, k)
	name := strings.TrimSpace(c.r.PostFormValue("name"))
	v, err := s.Control.AddAccount(c.r.Context(), c.actor, control.AddAccountRequest{Name: name, Provider: outlay.ProviderName(provider), Kind: kind, Values: values, Secrets: secrets})
	if err != nil {
		e, status, err := formProblem(c, err)
		if err != nil {
			return err
		}
		return s.showNewAccount(c, provider, kind, credentialBody{Name: name, Values: values}, e, status)
	}
	return redirect(c, "/accounts/"+v.ID)
}

// credentialPage is the form that replaces an account's credential.
func (s *site) credentialPage(c *call) error {
	return s.showCredential(c, c.r.URL.Query().Get("kind"), nil, nil, http.StatusOK)
}

func (s *site) showCredential(c *call, kind string, values map[string]string, e *outlay.Error, status int) error {
	d, err := s.Control.Account(c.r.Context(), c.actor, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	if kind == "" {
		kind = d.CredentialKind
	}
	if values == nil {
		values = d.CredentialValues
	}
	b := credentialBody{Account: &d, Name: d.Name, Providers: []outlay.ProviderInfo{d.Info}, Values: values, Post: "/accounts/" + d.ID + "/credential"}
	b.Provider, b.Kind = pick(b.Providers, string(d.Provider), kind)
	return s.show(c, "credential", page{Title: "Replace the credential", Active: "/accounts", Status: status, Error: e, Body: b})
}

func (s *site) rotateCredential(c *call) error {
	id, kind := c.r.PathValue("id"), c.r.PostFormValue("kind")
	var k outlay.CredentialKind
	for _, info := range s.Control.ProviderInfos() {
		if string(info.Name) == c.r.PostFormValue("provider") {
			_, k = pick([]outlay.ProviderInfo{info}, "", kind)
		}
	}
	values, secrets := fields(c, k)
	if _, err := s.Control.RotateCredential(c.r.Context(), c.actor, id, control.RotateRequest{Kind: kind, Values: values, Secrets: secrets}); err != nil {
		e, status, err := formProblem(c, err)
		if err != nil {
			return err
		}
		return s.showCredential(c, kind, values, e, status)
	}
	return redirect(c, "/accounts/"+id)
}

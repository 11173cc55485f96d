package web

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"outlay"
	"outlay/control"
)

// TestKeptPage deletes what a deprovisioning kept: listed by name and size, nothing to choose, the name typed.
func TestKeptPage(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	h.must(h.store.ForOrg(t.Context(), h.org, func(tx outlay.Tx) error {
		src := outlay.Source{OrgID: h.org, ID: "src_gone", Name: "sandbox", Provider: "nimbus", AccountID: "acc_two", Scope: outlay.BillingScope{ID: "118"}, Origin: outlay.OriginCreated, Desired: outlay.Absent, CreatedAt: fixedNow().AddDate(0, -2, 0)}
		if err := tx.PutSource(t.Context(), src); err != nil {
			return err
		}
		return tx.PutResource(t.Context(), outlay.Resource{OrgID: h.org, SourceID: src.ID, Kind: "nimbus/store", Name: "outlay-billing-7f3a9c", State: outlay.StateVerified, Origin: outlay.CreatedByUs, IntentAt: fixedNow().AddDate(0, -2, 0), LastSeen: fixedNow()})
	}))
	b := h.signIn(outlay.RoleAdmin)
	wants(t, b.page("/accounts/acc_two"), "Kept from a removed set-up", `href="/sources/src_gone/kept"`, "Delete what was kept", "outlay-billing-7f3a9c", "Outlay cannot delete it any more")
	lacks(t, h.signIn(outlay.RoleFinance).page("/accounts/acc_two"), "/sources/src_gone/kept")
	page := b.page("/sources/src_gone/kept")
	wants(t, page, "<h1>Delete what was kept of sandbox</h1>", `action="/sources/src_gone/kept" data-confirm="sandbox">`, "What was kept of sandbox is deleted", "Object store", "outlay-billing-7f3a9c", "42 objects, 3.2 GB", "Also remove loaded history", "Nothing is loaded yet.", ">Delete what was kept</button>", "outlay billing delete-kept sandbox --plan")
	lacks(t, page, "only if you choose so", "cost-files", "Only want to retry")
	hash := textBetween(t, page, `name="plan" value="`, `"`)
	a := b.post("/sources/src_gone/kept", url.Values{"plan": {hash}, "confirm": {"prod-hpc"}})
	if a.status != http.StatusUnprocessableEntity {
		t.Errorf("another name: %d\n%s", a.status, a.body)
	}
	wants(t, a.body, `value="prod-hpc"`, `aria-invalid="true"`)
	if a = b.post("/sources/src_gone/kept", url.Values{"plan": {"another"}, "confirm": {"sandbox"}}); a.status != http.StatusConflict {
		t.Errorf("another plan: %d\n%s", a.status, a.body)
	}
	a = b.post("/sources/src_gone/kept", url.Values{"plan": {hash}, "confirm": {"sandbox"}, "remove-history": {"yes"}, "idem": {"k"}})
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, a.body)
	}
	wants(t, b.page(a.header.Get("Location")), "<h1>Delete what was kept</h1>")
}

// TestAgain leads from an ended run to the page that asks for the same, for who may ask.
func TestAgain(t *testing.T) {
	admin, finance := outlay.Actor{Roles: []outlay.Role{outlay.RoleAdmin}}, outlay.Actor{Roles: []outlay.Role{outlay.RoleFinance}}
	for kind, want := range map[outlay.OperationKind]string{
		outlay.OpProvision: "/accounts/a/billing/provision", outlay.OpDeprovision: "/accounts/a/billing/deprovision", outlay.OpDeleteKept: "/sources/s/kept", outlay.OpBackfill: "/accounts/a",
	} {
		v := control.RunView{Kind: kind, AccountID: "a", SourceID: "s"}
		if got := again(admin, v); got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
		if got := again(finance, v); got != "" {
			t.Errorf("%s, who may not: %q", kind, got)
		}
	}
}

// TestRefusedByProvider: what a provider forbids stays in the form, and is not said to be about a role.
func TestRefusedByProvider(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	b := h.signIn(outlay.RoleAdmin)
	h.nimbus.fail = outlay.Errorf(outlay.CodeForbidden, "Look at the secret once more.", "Nimbus does not know this key")
	a := b.post("/accounts/acc_main/credential", url.Values{"provider": {"nimbus"}, "kind": {"keys"}, "v-key": {"NK7"}, "v-secret": {"hush"}})
	if a.status != http.StatusForbidden {
		t.Errorf("%d", a.status)
	}
	wants(t, a.body, "Replace the credential", "Nimbus does not know this key", "Look at the secret once more.", `value="NK7"`)
	lacks(t, a.body, "hush", "Your role")
	a = b.get("/accounts/acc_main/billing/drift")
	wants(t, a.body, "The provider refused", "Nimbus does not know this key")
	lacks(t, a.body, "Your role")
	h.must(h.store.ReadOrg(context.Background(), h.org, func(tx outlay.Tx) error {
		acc, err := tx.Account(t.Context(), "acc_main")
		if acc.Credential.Kind != "role" {
			t.Errorf("the credential is now %q", acc.Credential.Kind)
		}
		return err
	}))
}

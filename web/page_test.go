package web

import (
	"net/http"
	"testing"

	"outlay"
)

// TestEveryPage opens every page with nothing in the house and with everything in it.
func TestEveryPage(t *testing.T) {
	empty := newHouse(t, nil)
	empty.people()
	full := newHouse(t, someCharges(fixedNow()))
	full.seed()
	shared := []string{"/costs", "/costs?group=tag:User&range=30d&every=week", "/costs?range=custom&from=2026-11-01&to=2026-11-01", "/costs?f=service:Nothing", "/accounts", "/accounts/new", "/accounts/new?provider=nimbus&kind=keys", "/data-health", "/users", "/tokens", "/audit"}
	more := []string{"/accounts/acc_main", "/accounts/sandbox", "/accounts/acc_evil", "/accounts/acc_main/credential", "/accounts/acc_two/credential?kind=role", "/accounts/acc_main/billing/provision", "/accounts/acc_main/billing/deprovision", "/accounts/acc_evil/billing/deprovision", "/runs/run_done", "/runs/run_stopped"}
	for _, c := range []struct {
		name  string
		house *house
		paths []string
	}{{"empty", empty, shared}, {"full", full, append(more, shared...)}} {
		t.Run(c.name, func(t *testing.T) {
			b := c.house.signIn(outlay.RoleAdmin)
			for _, path := range c.paths {
				page := b.page(path)
				wants(t, page, "<!doctype html>", "<h1>", "</h1>", "</html>")
				lacks(t, page, "<no value>", "ZgotmplZ", "%!", "<img src=x", "<script>alert", " style=", "<style", "onerror=alert(1)>")
				part := b.get(path, "HX-Request", "true", "HX-Request-Type", "partial")
				if part.status != http.StatusOK {
					t.Errorf("part of %s: %d", path, part.status)
				}
				lacks(t, part.body, "<html", "<no value>")
			}
		})
	}
}

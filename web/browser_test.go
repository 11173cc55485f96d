package web

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/outlaytest"
)

// -shots DIR keeps a picture of every page that the browser tests open.
var (
	shots  = flag.String("shots", "", "folder for screenshots")
	update = flag.Bool("update", false, "rewrite the golden files")
)

// tab is a tab of a fresh browser.
func (h *house) tab() *outlaytest.Tab {
	h.t.Helper()
	tab := outlaytest.NewTab(h.t, 150*time.Second)
	tab.Shots = *shots
	return tab
}

// open loads a page and waits until its script has run.
func (h *house) open(tab *outlaytest.Tab, path string) { tab.Open(h.server.URL + path) }

func (h *house) enter(tab *outlaytest.Tab, role outlay.Role) {
	h.open(tab, "/login")
	tab.Type("#email", shortRole(role)+"@example.org")
	tab.Type("#password", password+"\r")
	tab.Soon(`location.pathname !== "/login" && document.readyState === "complete"`)
}

// TestPagesInBrowser opens every page in light, dark and on a phone: no console error, no CSP report, nothing that axe
// objects to, nothing wider than the screen.
func TestPagesInBrowser(t *testing.T) {
	h := newHouse(t, someCharges(fixedNow()))
	h.seed()
	h.seedLife()
	tab := h.tab()
	check := func(name, path, look string, pixels int64) {
		tab.Device(look, pixels)
		h.open(tab, path)
		if strings.HasSuffix(path, "/provision") {
			tab.Soon(`document.querySelector("#plan .planl, #plan .alert")`)
		}
		if pixels > 800 { // the phone has the same markup; axe takes a second
			if found := tab.Axe("../node_modules/axe-core/axe.min.js"); found != "" {
				t.Errorf("%s, %s: %s", path, look, found)
			}
		}
		if over := tab.TooWide(); over != "" {
			t.Errorf("%s at %d px is %s", path, pixels, over)
		}
		tab.Picture(fmt.Sprintf("%s-%s-%d", name, look, pixels))
	}
	check("login", "/login", "light", 1440)
	check("login", "/login", "dark", 320)
	h.enter(tab, outlay.RoleAdmin)
	for _, p := range []struct{ name, path string }{
		{"costs", "/costs"}, {"costs-user", "/costs?range=30d&group=tag:User&every=week"}, {"costs-none", "/costs?f=service:Nothing"}, {"accounts", "/accounts"}, {"account", "/accounts/acc_main"}, {"account-new", "/accounts/new?provider=nimbus&kind=keys"},
		{"credential", "/accounts/acc_main/credential"}, {"provision", "/accounts/acc_two/billing/provision"}, {"deprovision", "/accounts/acc_main/billing/deprovision"}, {"run-stopped", "/runs/run_stopped"}, {"run-done", "/runs/run_done"},
		{"run-asks", "/runs/run_asks"}, {"account-asks", "/accounts/acc_ask"}, {"account-reads", "/accounts/acc_read"}, {"import", "/accounts/acc_read/billing/import?list=1&field-archive=x"}, {"stop", "/sources/src_read/stop"},
		{"abandon", "/accounts/acc_ask/billing/abandon"}, {"drift", "/accounts/acc_main/billing/drift"},
		{"data-health", "/data-health"}, {"imports", "/imports"}, {"users", "/users"}, {"tokens", "/tokens"}, {"audit", "/audit"},
	} {
		check(p.name, p.path, "light", 1440)
		check(p.name, p.path, "dark", 1440)
		check(p.name, p.path, "light", 320)
	}
}

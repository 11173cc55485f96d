package web

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/outlaytest"
)

// tagged is a house whose set-up has keys in every state, near keys and a double spelling, and a second set-up.
func taggedHouse(t *testing.T) *house {
	t.Helper()
	now := fixedNow().Truncate(24 * time.Hour)
	charge := func(source, user, cost string) outlaytest.Charge {
		return outlaytest.Charge{Day: now, Cost: cost, Values: map[outlay.Dimension]string{outlay.BySource: source, outlay.ByService: "Nimbus Compute", outlay.TagDimension("User"): user}}
	}
	h := newHouse(t, outlaytest.Charges{charge("src_main", "m.okafor", "812.34"), charge("src_main", "", "87.66"), charge("src_other", "s.petrov", "100"), {Day: now, Cost: "5", Currency: "EUR", Values: map[outlay.Dimension]string{outlay.BySource: "src_main"}}})
	h.seed()
	ctx := t.Context()
	h.must(h.store.ForOrg(ctx, h.org, func(tx outlay.Tx) error {
		for name, r := range map[string]outlay.Resource{
			"User": {State: outlay.StateVerified, Properties: map[string]string{outlay.PropTagState: "active", outlay.PropTagSince: "2026-03-03T08:00:00Z"}}, "Pool": {State: outlay.StateCreated, Properties: map[string]string{outlay.PropTagState: "activating"}},
			"Name": {State: outlay.StateWaiting, LastError: "turning on the tag Name: Nimbus answered AccessDenied", Properties: map[string]string{outlay.PropRefused: "forbidden"}}, "Project": {State: outlay.StateWaiting, Properties: map[string]string{outlay.PropTagState: "not seen yet", outlay.PropTagSimilar: "<b>Projekt</b>"}},
		} {
			r.OrgID, r.SourceID, r.Kind, r.Name = h.org, "src_main", "nimbus/tag", name
			if err := tx.PutResource(ctx, r); err != nil {
				return err
			}
		}
		src, err := tx.Source(ctx, "src_main")
		if err != nil {
			return err
		}
		src.Spec.Tags = []string{"Name", "Pool", "Project", "SessionID", "User"}
		if err := tx.PutSource(ctx, src); err != nil {
			return err
		}
		heads, err := tx.Heads(ctx)
		if err != nil {
			return err
		}
		for _, head := range heads {
			if head.SourceID == "src_main" && head.Period == outlay.PeriodOf(now) {
				head.Version = head.Version.Add(time.Second)
				head.Proof.Spellings = []outlay.TagSpelling{{Tag: "User", Keys: []string{"User", "user"}, Rows: 1234}, {Tag: "Session", Keys: []string{"Sesion"}, Near: true, Rows: 12, Effective: map[string]string{"USD": "4.5"}}}
				return tx.Publish(ctx, head)
			}
		}
		return nil
	}))
	return h
}

// TestTagsPage says where each key stands and what to do.
func TestTagsPage(t *testing.T) {
	h := taggedHouse(t)
	page := h.signIn(outlay.RoleAdmin).page("/tags")
	wants(t, page, "Turn on 4 keys at prod-hpc", "Cost with this key, November", "<code>Name</code>", "No permission", "AccessDenied", "<code>Pool</code>", "Activating", "<code>Project</code>", "Not seen by Nimbus yet",
		"<code>User</code>", "Active", "since 3 Mar 2026", "91.2%", `href="/costs?f=tag%3AUser%3A&amp;group=service&amp;range=mtd"`, "$87.66", "In total $1,000.00",
		"Keys that look like one of the nine", "<code>Sesion</code>", "November 2026", "$4.50", "&lt;b&gt;Projekt&lt;/b&gt;", "on resources", "One tag in several spellings", "1,234", "How to write them", "A key is in the charges a day after", "Date\nGroupID", "Tags in past months of prod-hpc", "Nimbus writes all keys anew.")
	if page := h.signIn(outlay.RoleFinance).page("/tags"); strings.Contains(page, "Turn on ") || strings.Contains(page, "Ask for a backfill") || !strings.Contains(page, "91.2%") {
		t.Errorf("finance sees actions that he may not do, or no shares:\n%s", page)
	}
	got := changing.ReplaceAllString(h.signIn(outlay.RoleAdmin).get("/tags?range=last-month", "HX-Request", "true", "HX-Request-Type", "partial").body, "…")
	file := filepath.Join("testdata", "tags.html")
	if *update {
		h.must(os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	h.must(err)
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got; -update rewrites):\n%s", file, d)
	}
	if a := h.signIn(outlay.RoleAdmin).get("/tags?range=colour"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a strange range answers %d", a.status)
	}
}

// TestTagsWithoutAnything shows the spellings to somebody who has nothing yet.
func TestTagsWithoutAnything(t *testing.T) {
	h := newHouse(t, nil)
	h.people()
	page := h.signIn(outlay.RoleAdmin).page("/tags")
	wants(t, page, "No charges yet", "How to write them", "OrganizationID")
	lacks(t, page, "Check now", "by hand")
}

// TestActivate turns keys on by the plan that was seen, without script.
func TestActivate(t *testing.T) {
	h := taggedHouse(t)
	b := h.signIn(outlay.RoleAdmin)
	wants(t, b.page("/accounts/acc_main/tags"), "Turn tags on at prod-hpc", `value="Date" checked`, "Show plan")
	form := url.Values{"key": {"Date", "Session"}, "idem": {"idem_1"}}
	a := b.post("/accounts/acc_main/tags/plan", form)
	wants(t, a.body, `value="Session" checked`, "Turn on</button>", "Cost allocation tags", "outlay tags activate prod-hpc Date Session")
	lacks(t, a.body, `value="GroupID" checked`)
	if a := b.post("/accounts/acc_main/tags", form); !strings.Contains(a.body, "Turn on</button>") {
		t.Errorf("without a plan it answers %d, and no plan:\n%s", a.status, a.body)
	}
	_, hash, _ := strings.Cut(a.body, `name="plan" value="`)
	form.Set("plan", "stale")
	if a := b.post("/accounts/acc_main/tags", form); a.status != http.StatusConflict || !strings.Contains(a.body, "The plan has changed since you saw it") {
		t.Errorf("a stale plan answers %d:\n%s", a.status, a.body)
	}
	form.Set("plan", hash[:64])
	if a := b.post("/accounts/acc_main/tags", form); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/runs/run_") {
		t.Errorf("the plan answers %d %s:\n%s", a.status, a.header.Get("Location"), a.body)
	}
	if a := b.post("/accounts/acc_main/tags/plan", url.Values{}); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Choose at least one key.") {
		t.Errorf("no key answers %d:\n%s", a.status, a.body)
	}
	h.must(h.store.ForOrg(t.Context(), h.org, func(tx outlay.Tx) error {
		src, err := tx.Source(t.Context(), "src_main")
		if err != nil {
			return err
		}
		if d := cmp.Diff([]string{"Date", "Name", "Pool", "Project", "Session", "SessionID", "User"}, src.Spec.Tags); d != "" {
			t.Errorf("the set-up asks for other tags:\n%s", d)
		}
		src.Spec.Tags = outlay.TagKeys()
		return tx.PutSource(t.Context(), src)
	}))
	wants(t, b.page("/accounts/acc_main/tags"), "All nine were asked for already")
	if a := b.get("/accounts/acc_two/tags"); a.status != http.StatusNotFound {
		t.Errorf("an account without a set-up answers %d", a.status)
	}
}

// TestTagsInBrowser opens both pages in light, dark and on a phone, and follows the form.
func TestTagsInBrowser(t *testing.T) {
	h := taggedHouse(t)
	tab := h.tab()
	h.enter(tab, outlay.RoleAdmin)
	for _, p := range []struct{ name, path string }{{"tags", "/tags"}, {"tags-activate", "/accounts/acc_main/tags"}} {
		for _, look := range []string{"light", "dark"} {
			tab.Device(look, 1440)
			h.open(tab, p.path)
			if p.name == "tags-activate" {
				tab.Soon(`document.querySelector("#plan .planl, #plan .alert")`)
			} else {
				outlaytest.Eval[bool](tab, `[...document.querySelectorAll("details")].every(d => d.open = true)`)
			}
			if found := tab.Axe("../node_modules/axe-core/axe.min.js"); found != "" {
				t.Errorf("%s, %s: %s", p.path, look, found)
			}
			tab.Picture(p.name + "-" + look + "-1440")
		}
		tab.Device("light", 320)
		h.open(tab, p.path)
		if over := tab.TooWide(); over != "" {
			t.Errorf("%s at 320 px is %s", p.path, over)
		}
		tab.Picture(p.name + "-light-320")
	}
	tab.Device("light", 1440)
	h.open(tab, "/accounts/acc_main/tags")
	tab.Soon(`document.querySelector("#plan #command")?.textContent.includes("GroupID")`)
	tab.Click(`.checks label:first-child`)
	tab.Soon(`!document.querySelector("#plan #command").textContent.includes("Date") && document.querySelector("#plan #command").textContent.includes("GroupID")`)
}

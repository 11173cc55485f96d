package web

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"outlay"
	"outlay/outlaytest"
)

// TestDashboardInBrowser works the cost dashboard with mouse and keyboard.
func TestDashboardInBrowser(t *testing.T) {
	h := newHouse(t, someCharges(fixedNow()))
	h.seed()
	tab := h.tab()
	h.enter(tab, outlay.RoleAdmin)
	h.open(tab, "/costs")
	total := outlaytest.Eval[string](tab, `document.querySelector("#total").dataset.exact`)

	t.Run("regroup", func(t *testing.T) {
		tab := tab.In(t)
		tab.Choose("f-group", "tag:User")
		tab.Soon(`location.search === "?group=tag%3AUser" && document.querySelector("#t-series thead th").innerText.startsWith("User")`)
		tab.Soon(`document.querySelector("#live").textContent.includes("by user")`)
		if got := outlaytest.Eval[string](tab, `document.activeElement.id`); got != "f-group" {
			t.Errorf("the focus went to %q", got)
		}
		if got := outlaytest.Eval[string](tab, `document.querySelector("#total").dataset.exact`); got != total {
			t.Errorf("another total: %s, was %s", got, total)
		}
		tab.Choose("f-range", "365d")
		tab.Soon(`document.querySelector("#f-every").selectedOptions[0].innerText === "Automatic: week"`)
		tab.Do(chromedp.NavigateBack(), chromedp.NavigateBack())
		tab.Soon(`location.search === "" && document.querySelector("#t-series thead th")?.innerText.startsWith("Service")`)
		h.open(tab, "/costs")
	})
	t.Run("keyboard", func(t *testing.T) {
		tab := tab.In(t)
		tab.Do(chromedp.Focus("cost-chart"))
		tab.Press(kb.ArrowRight, kb.ArrowRight)
		tab.Soon(`/^2 Nov: \$[\d,]+\.\d\d$/.test(document.querySelector("#live").textContent)`)
		tab.Press(kb.ArrowUp, kb.ArrowUp)
		tab.Soon(`document.querySelector("#live").textContent.startsWith("2 Nov, Nimbus Block Store: $")`)
		tab.Soon(`document.querySelector("cost-chart").dataset.k === "1" && document.querySelector("tr.hi th").innerText === "Nimbus Block Store" && !document.querySelector(".tip").hidden`)
		tab.Press(kb.End)
		tab.Soon(`document.querySelector("#live").textContent.endsWith("still arriving")`)
		tab.Picture("costs-tooltip")
		tab.Press(kb.Escape)
		tab.Soon(`document.querySelector(".tip").hidden && !document.querySelector("tr.hi")`)
		tab.Press(kb.Home, kb.Enter)
		tab.Soon(`location.search === "?from=2026-11-01&to=2026-11-01" && document.readyState === "complete"`)
	})
	t.Run("highlight", func(t *testing.T) {
		tab := tab.In(t)
		h.open(tab, "/costs")
		outlaytest.Eval[bool](tab, `document.querySelector("tr[data-s='2'] th").dispatchEvent(new PointerEvent("pointerover", {bubbles: true}))`)
		tab.Soon(`document.querySelector("cost-chart").dataset.k === "2"`)
	})
	t.Run("filter", func(t *testing.T) {
		tab := tab.In(t)
		tab.Click(".addf > summary")
		tab.Choose("f-fd", "service")
		tab.Soon(`document.querySelectorAll("#f-values option").length > 10`)
		tab.Picture("costs-add-filter")
		tab.Do(chromedp.SendKeys("#f-fv", "Nimbus SQL"), chromedp.Click(".addf .btn.pri"))
		tab.Soon(`location.search === "?f=service%3ANimbus+SQL" && document.querySelectorAll("#t-series tbody tr").length === 2`)
		tab.Soon(`document.querySelector("#f-fd").value === "" && !document.querySelector(".addf").open && document.querySelectorAll("#filters .chips input").length === 1`)
		tab.Click(".chips .chip span")
		tab.Soon(`location.search === "" && document.querySelectorAll("#t-series tbody tr").length > 5`)
		tab.Click("#t-series a[aria-expanded]")
		tab.Soon(`location.search === "?other=open" && document.querySelectorAll("tr.part").length === 4`)
	})
	t.Run("theme", func(t *testing.T) {
		tab := tab.In(t)
		tab.Device("light", 1440)
		tab.Click("[data-theme-form] button")
		tab.Soon(`document.documentElement.dataset.theme === "dark" && getComputedStyle(document.body).color === "rgb(232, 238, 235)"`)
		h.open(tab, "/costs")
		if got := outlaytest.Eval[string](tab, `document.documentElement.dataset.theme`); got != "dark" {
			t.Errorf("after a reload the theme is %q", got)
		}
	})
}

// TestProvisionInBrowser sees the plan beside the form, follows the run live, and deprovisions.
func TestProvisionInBrowser(t *testing.T) {
	h := newHouse(t, nil)
	h.people()
	tab := h.tab()
	h.enter(tab, outlay.RoleAdmin)
	h.open(tab, "/accounts/new")
	tab.Do(chromedp.SendKeys("#name", "prod-hpc"), chromedp.SendKeys("#v-role", "role/billing"), chromedp.Click("form.form .btn.pri"))
	tab.Soon(`location.pathname.startsWith("/accounts/acc_") && document.querySelector("h1").innerText === "prod-hpc"`)
	tab.Picture("account-new-done")
	tab.Click(".acts .btn.pri")
	tab.Soon(`document.querySelector("#plan .planl")?.innerText.includes("in north-1") && document.querySelector("#foot .btn.pri").innerText === "Provision billing"`)
	tab.Choose("region", "south-1")
	tab.Soon(`document.querySelector("#plan .planl").innerText.includes("in south-1") && document.querySelector("#intro").innerText.startsWith("You do this once")`)
	tab.Click("#foot .btn.pri")
	tab.Soon(`location.pathname.startsWith("/runs/run_") && document.querySelector("#run .steps")`)
	id := strings.TrimPrefix(outlaytest.Eval[string](tab, `location.pathname`), "/runs/")
	outlaytest.Eval[bool](tab, `window.stays = true`)
	h.must(h.store.ForOrg(t.Context(), h.org, func(tx outlay.Tx) error {
		o, err := tx.Operation(t.Context(), id)
		if err != nil {
			return err
		}
		o.Status, o.StartedAt = outlay.OpRunning, fixedNow()
		if err := tx.PutOperation(t.Context(), o); err != nil {
			return err
		}
		return tx.PutStep(t.Context(), outlay.Step{OrgID: h.org, OperationID: id, Seq: 1, Title: "Make the store", State: outlay.StepRunning, StartedAt: fixedNow()}, o.Fence)
	}))
	tab.Soon(`document.querySelector("#run .now h3")?.innerText.startsWith("Make the store")`)
	tab.Picture("run-live")
	h.finish(id)
	tab.Soon(`document.querySelector(".runc h2").innerText === "Finished" && document.querySelector("#run .done") && window.stays`)
	tab.Click(".acts .btn.pri")
	tab.Soon(`[...document.querySelectorAll(".acts a")].some(a => a.innerText === "Deprovision billing")`)
	h.open(tab, outlaytest.Eval[string](tab, `location.pathname`)+"/billing/deprovision")
	off := func() bool {
		t.Helper()
		return outlaytest.Eval[bool](tab, `document.querySelector(".btn.dang").disabled`)
	}
	if !off() {
		t.Error("the button is on before anything was chosen")
	}
	tab.Type("#confirm", "prod-hpc")
	if !off() {
		t.Error("the button is on without a choice")
	}
	tab.Click(`.opt-row:has([value="keep"])`)
	if off() {
		t.Error("the button stays off")
	}
	tab.Click(".btn.dang")
	tab.Soon(`location.pathname.startsWith("/runs/run_") && document.querySelector("h1").innerText === "Deprovision billing"`)
}

// TestWithoutScript works dashboard and forms with JavaScript off.
func TestWithoutScript(t *testing.T) {
	h := newHouse(t, someCharges(fixedNow()))
	h.seed()
	tab := h.tab()
	tab.WithoutScript()
	tab.Do(chromedp.Navigate(h.server.URL+"/login"), chromedp.SendKeys("#email", "admin@example.org"), chromedp.SendKeys("#password", password), chromedp.Click(".btn.pri"))
	tab.Do(chromedp.WaitVisible(chromedp.CSS("#t-series")), chromedp.SetAttributeValue(`#f-group option[value="region"]`, "selected", ""), chromedp.Click("#filters noscript .btn"))
	tab.Do(chromedp.WaitReady(chromedp.CSS(`#t-series thead a[href*="group=region"]`)))
	if at := tab.Address(); !strings.Contains(at, "group=region") {
		t.Errorf("Apply leads to %s", at)
	}
	tab.Picture("costs-without-script")
	tab.Do(chromedp.Navigate(h.server.URL+"/accounts/acc_two/billing/provision"), chromedp.Click(chromedp.CSS("#foot .btn.pri")), chromedp.WaitVisible(chromedp.CSS("#plan .planl")))
	tab.Do(chromedp.Navigate(h.server.URL+"/runs/run_stopped"), chromedp.WaitReady(`noscript meta[http-equiv="refresh"]`))
}

package web

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"outlay"
)

// choose picks an option as a person does: SetValue alone fires no event.
func choose(t *testing.T, ctx context.Context, id, value string) {
	t.Helper()
	eval[bool](t, ctx, `(() => { const e = document.getElementById("`+id+`"); e.focus(); e.value = "`+value+`"; e.dispatchEvent(new Event("change", {bubbles: true})); return true })()`)
}

func press(t *testing.T, ctx context.Context, keys ...string) {
	t.Helper()
	for _, k := range keys {
		do(t, ctx, chromedp.KeyEvent(k))
	}
}

// TestDashboardInBrowser works the cost dashboard with mouse and keyboard.
func TestDashboardInBrowser(t *testing.T) {
	h := newHouse(t, someCharges(fixedNow()))
	h.seed()
	ctx := newTab(t)
	h.enter(ctx, outlay.RoleAdmin)
	h.open(ctx, "/costs")
	total := eval[string](t, ctx, `document.querySelector("#total").dataset.exact`)

	t.Run("regroup", func(t *testing.T) {
		choose(t, ctx, "f-group", "tag:User")
		until(t, ctx, `location.search === "?group=tag%3AUser" && document.querySelector("#t-series thead th").innerText.startsWith("User")`)
		until(t, ctx, `document.querySelector("#live").textContent.includes("by user")`)
		if got := eval[string](t, ctx, `document.activeElement.id`); got != "f-group" {
			t.Errorf("the focus went to %q", got)
		}
		if got := eval[string](t, ctx, `document.querySelector("#total").dataset.exact`); got != total {
			t.Errorf("another total: %s, was %s", got, total)
		}
		choose(t, ctx, "f-range", "365d")
		until(t, ctx, `document.querySelector("#f-every").selectedOptions[0].innerText === "Automatic: week"`)
		do(t, ctx, chromedp.NavigateBack(), chromedp.NavigateBack())
		until(t, ctx, `location.search === "" && document.querySelector("#t-series thead th")?.innerText.startsWith("Service")`)
		h.open(ctx, "/costs")
	})
	t.Run("keyboard", func(t *testing.T) {
		do(t, ctx, chromedp.Focus("cost-chart"))
		press(t, ctx, kb.ArrowRight, kb.ArrowRight)
		until(t, ctx, `/^2 Nov: \$[\d,]+\.\d\d$/.test(document.querySelector("#live").textContent)`)
		press(t, ctx, kb.ArrowUp, kb.ArrowUp)
		until(t, ctx, `document.querySelector("#live").textContent.startsWith("2 Nov, Nimbus Block Store: $")`)
		until(t, ctx, `document.querySelector("cost-chart").dataset.k === "1" && document.querySelector("tr.hi th").innerText === "Nimbus Block Store" && !document.querySelector(".tip").hidden`)
		press(t, ctx, kb.End)
		until(t, ctx, `document.querySelector("#live").textContent.endsWith("still arriving")`)
		shoot(t, ctx, "costs-tooltip")
		press(t, ctx, kb.Escape)
		until(t, ctx, `document.querySelector(".tip").hidden && !document.querySelector("tr.hi")`)
		press(t, ctx, kb.Home, kb.Enter)
		until(t, ctx, `location.search === "?from=2026-11-01&to=2026-11-01" && document.readyState === "complete"`)
	})
	t.Run("highlight", func(t *testing.T) {
		h.open(ctx, "/costs")
		eval[bool](t, ctx, `document.querySelector("tr[data-s='2'] th").dispatchEvent(new PointerEvent("pointerover", {bubbles: true}))`)
		until(t, ctx, `document.querySelector("cost-chart").dataset.k === "2"`)
	})
	t.Run("filter", func(t *testing.T) {
		do(t, ctx, chromedp.Click(".addf > summary"))
		choose(t, ctx, "f-fd", "service")
		until(t, ctx, `document.querySelectorAll("#f-values option").length > 10`)
		shoot(t, ctx, "costs-add-filter")
		do(t, ctx, chromedp.SendKeys("#f-fv", "Nimbus SQL"), chromedp.Click(".addf .btn.pri"))
		until(t, ctx, `location.search === "?f=service%3ANimbus+SQL" && document.querySelectorAll("#t-series tbody tr").length === 2`)
		until(t, ctx, `document.querySelector("#f-fd").value === "" && !document.querySelector(".addf").open && document.querySelectorAll("#filters .chips input").length === 1`)
		do(t, ctx, chromedp.Click(".chips .chip span"))
		until(t, ctx, `location.search === "" && document.querySelectorAll("#t-series tbody tr").length > 5`)
		do(t, ctx, chromedp.Click("#t-series a[aria-expanded]"))
		until(t, ctx, `location.search === "?other=open" && document.querySelectorAll("tr.part").length === 4`)
	})
	t.Run("theme", func(t *testing.T) {
		device(t, ctx, "light", 1440)
		do(t, ctx, chromedp.Click("[data-theme-form] button"))
		until(t, ctx, `document.documentElement.dataset.theme === "dark" && getComputedStyle(document.body).color === "rgb(232, 238, 235)"`)
		h.open(ctx, "/costs")
		if got := eval[string](t, ctx, `document.documentElement.dataset.theme`); got != "dark" {
			t.Errorf("after a reload the theme is %q", got)
		}
	})
}

// TestProvisionInBrowser sees the plan beside the form, follows the run live, and deprovisions.
func TestProvisionInBrowser(t *testing.T) {
	h := newHouse(t, nil)
	h.people()
	ctx := newTab(t)
	h.enter(ctx, outlay.RoleAdmin)
	h.open(ctx, "/accounts/new")
	do(t, ctx, chromedp.SendKeys("#name", "prod-hpc"), chromedp.SendKeys("#v-role", "role/billing"), chromedp.Click("form.form .btn.pri"))
	until(t, ctx, `location.pathname.startsWith("/accounts/acc_") && document.querySelector("h1").innerText === "prod-hpc"`)
	shoot(t, ctx, "account-new-done")
	do(t, ctx, chromedp.Click(".acts .btn.pri"))
	until(t, ctx, `document.querySelector("#plan .planl")?.innerText.includes("in north-1") && document.querySelector("#foot .btn.pri").innerText === "Provision billing"`)
	choose(t, ctx, "region", "south-1")
	until(t, ctx, `document.querySelector("#plan .planl").innerText.includes("in south-1") && document.querySelector("#intro").innerText.startsWith("You do this once")`)
	do(t, ctx, chromedp.Click("#foot .btn.pri"))
	until(t, ctx, `location.pathname.startsWith("/runs/run_") && document.querySelector("#run .steps")`)
	id := strings.TrimPrefix(eval[string](t, ctx, `location.pathname`), "/runs/")
	eval[bool](t, ctx, `window.stays = true`)
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
	until(t, ctx, `document.querySelector("#run .now h3")?.innerText.startsWith("Make the store")`)
	shoot(t, ctx, "run-live")
	h.finish(id)
	until(t, ctx, `document.querySelector(".runc h2").innerText === "Finished" && document.querySelector("#run .done") && window.stays`)
	do(t, ctx, chromedp.Click(".acts .btn.pri"))
	until(t, ctx, `[...document.querySelectorAll(".acts a")].some(a => a.innerText === "Deprovision billing")`)
	h.open(ctx, eval[string](t, ctx, `location.pathname`)+"/billing/deprovision")
	off := func() bool { t.Helper(); return eval[bool](t, ctx, `document.querySelector(".btn.dang").disabled`) }
	if !off() {
		t.Error("the button is on before anything was chosen")
	}
	do(t, ctx, chromedp.SendKeys("#confirm", "prod-hpc"))
	if !off() {
		t.Error("the button is on without a choice")
	}
	do(t, ctx, chromedp.Click(`.opt-row:has([value="keep"])`))
	if off() {
		t.Error("the button stays off")
	}
	do(t, ctx, chromedp.Click(".btn.dang"))
	until(t, ctx, `location.pathname.startsWith("/runs/run_") && document.querySelector("h1").innerText === "Deprovision billing"`)
}

// TestWithoutScript works dashboard and forms with JavaScript off.
func TestWithoutScript(t *testing.T) {
	h := newHouse(t, someCharges(fixedNow()))
	h.seed()
	ctx := newTab(t)
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.Navigate(h.server.URL+"/login"), chromedp.SendKeys("#email", "admin@example.org"), chromedp.SendKeys("#password", password), chromedp.Click(".btn.pri"))
	do(t, ctx, chromedp.WaitVisible(chromedp.CSS("#t-series")), chromedp.SetAttributeValue(`#f-group option[value="region"]`, "selected", ""), chromedp.Click("#filters noscript .btn"))
	do(t, ctx, chromedp.WaitReady(chromedp.CSS(`#t-series thead a[href*="group=region"]`)))
	at, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil || !strings.Contains(at, "group=region") {
		t.Errorf("Apply leads to %s, %v", at, err)
	}
	shoot(t, ctx, "costs-without-script")
	do(t, ctx, chromedp.Navigate(h.server.URL+"/accounts/acc_two/billing/provision"), chromedp.Click(chromedp.CSS("#foot .btn.pri")), chromedp.WaitVisible(chromedp.CSS("#plan .planl")))
	do(t, ctx, chromedp.Navigate(h.server.URL+"/runs/run_stopped"), chromedp.WaitReady(`noscript meta[http-equiv="refresh"]`))
}

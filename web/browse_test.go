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
func choose(ctx context.Context, t *testing.T, id, value string) {
	t.Helper()
	eval[bool](ctx, t, `(() => { const e = document.getElementById("`+id+`"); e.focus(); e.value = "`+value+`"; e.dispatchEvent(new Event("change", {bubbles: true})); return true })()`)
}

func press(ctx context.Context, t *testing.T, keys ...string) {
	t.Helper()
	for _, k := range keys {
		do(ctx, t, chromedp.KeyEvent(k))
	}
}

// TestDashboardInBrowser works the cost dashboard with mouse and keyboard.
func TestDashboardInBrowser(t *testing.T) {
	h := newHouse(t, someCharges(fixedNow()))
	h.seed()
	ctx := newTab(t)
	h.enter(ctx, outlay.RoleAdmin)
	h.open(ctx, "/costs")
	total := eval[string](ctx, t, `document.querySelector("#total").dataset.exact`)

	t.Run("regroup", func(t *testing.T) {
		choose(ctx, t, "f-group", "tag:User")
		until(ctx, t, `location.search === "?group=tag%3AUser" && document.querySelector("#t-series thead th").innerText.startsWith("User")`)
		until(ctx, t, `document.querySelector("#live").textContent.includes("by user")`)
		if got := eval[string](ctx, t, `document.activeElement.id`); got != "f-group" {
			t.Errorf("the focus went to %q", got)
		}
		if got := eval[string](ctx, t, `document.querySelector("#total").dataset.exact`); got != total {
			t.Errorf("another total: %s, was %s", got, total)
		}
		choose(ctx, t, "f-range", "365d")
		until(ctx, t, `document.querySelector("#f-every").selectedOptions[0].innerText === "Automatic: week"`)
		do(ctx, t, chromedp.NavigateBack(), chromedp.NavigateBack())
		until(ctx, t, `location.search === "" && document.querySelector("#t-series thead th")?.innerText.startsWith("Service")`)
		h.open(ctx, "/costs")
	})
	t.Run("keyboard", func(t *testing.T) {
		do(ctx, t, chromedp.Focus("cost-chart"))
		press(ctx, t, kb.ArrowRight, kb.ArrowRight)
		until(ctx, t, `/^2 Nov: \$[\d,]+\.\d\d$/.test(document.querySelector("#live").textContent)`)
		press(ctx, t, kb.ArrowUp, kb.ArrowUp)
		until(ctx, t, `document.querySelector("#live").textContent.startsWith("2 Nov, Nimbus Block Store: $")`)
		until(ctx, t, `document.querySelector("cost-chart").dataset.k === "1" && document.querySelector("tr.hi th").innerText === "Nimbus Block Store" && !document.querySelector(".tip").hidden`)
		press(ctx, t, kb.End)
		until(ctx, t, `document.querySelector("#live").textContent.endsWith("still arriving")`)
		shoot(ctx, t, "costs-tooltip")
		press(ctx, t, kb.Escape)
		until(ctx, t, `document.querySelector(".tip").hidden && !document.querySelector("tr.hi")`)
		press(ctx, t, kb.Home, kb.Enter)
		until(ctx, t, `location.search === "?from=2026-11-01&to=2026-11-01" && document.readyState === "complete"`)
	})
	t.Run("highlight", func(t *testing.T) {
		h.open(ctx, "/costs")
		eval[bool](ctx, t, `document.querySelector("tr[data-s='2'] th").dispatchEvent(new PointerEvent("pointerover", {bubbles: true}))`)
		until(ctx, t, `document.querySelector("cost-chart").dataset.k === "2"`)
	})
	t.Run("filter", func(t *testing.T) {
		do(ctx, t, chromedp.Click(".addf > summary"))
		choose(ctx, t, "f-fd", "service")
		until(ctx, t, `document.querySelectorAll("#f-values option").length > 10`)
		shoot(ctx, t, "costs-add-filter")
		do(ctx, t, chromedp.SendKeys("#f-fv", "Nimbus SQL"), chromedp.Click(".addf .btn.pri"))
		until(ctx, t, `location.search === "?f=service%3ANimbus+SQL" && document.querySelectorAll("#t-series tbody tr").length === 2`)
		until(ctx, t, `document.querySelector("#f-fd").value === "" && !document.querySelector(".addf").open && document.querySelectorAll("#filters .chips input").length === 1`)
		do(ctx, t, chromedp.Click(".chips .chip span"))
		until(ctx, t, `location.search === "" && document.querySelectorAll("#t-series tbody tr").length > 5`)
		do(ctx, t, chromedp.Click("#t-series a[aria-expanded]"))
		until(ctx, t, `location.search === "?other=open" && document.querySelectorAll("tr.part").length === 4`)
	})
	t.Run("theme", func(t *testing.T) {
		device(ctx, t, "light", 1440)
		do(ctx, t, chromedp.Click("[data-theme-form] button"))
		until(ctx, t, `document.documentElement.dataset.theme === "dark" && getComputedStyle(document.body).color === "rgb(232, 238, 235)"`)
		h.open(ctx, "/costs")
		if got := eval[string](ctx, t, `document.documentElement.dataset.theme`); got != "dark" {
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
	do(ctx, t, chromedp.SendKeys("#name", "prod-hpc"), chromedp.SendKeys("#v-role", "role/billing"), chromedp.Click("form.form .btn.pri"))
	until(ctx, t, `location.pathname.startsWith("/accounts/acc_") && document.querySelector("h1").innerText === "prod-hpc"`)
	shoot(ctx, t, "account-new-done")
	do(ctx, t, chromedp.Click(".acts .btn.pri"))
	until(ctx, t, `document.querySelector("#plan .planl")?.innerText.includes("in north-1") && document.querySelector("#foot .btn.pri").innerText === "Provision billing"`)
	choose(ctx, t, "region", "south-1")
	until(ctx, t, `document.querySelector("#plan .planl").innerText.includes("in south-1") && document.querySelector("#intro").innerText.startsWith("You do this once")`)
	do(ctx, t, chromedp.Click("#foot .btn.pri"))
	until(ctx, t, `location.pathname.startsWith("/runs/run_") && document.querySelector("#run .steps")`)
	id := strings.TrimPrefix(eval[string](ctx, t, `location.pathname`), "/runs/")
	eval[bool](ctx, t, `window.stays = true`)
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
	until(ctx, t, `document.querySelector("#run .now h3")?.innerText.startsWith("Make the store")`)
	shoot(ctx, t, "run-live")
	h.finish(id)
	until(ctx, t, `document.querySelector(".runc h2").innerText === "Finished" && document.querySelector("#run .done") && window.stays`)
	do(ctx, t, chromedp.Click(".acts .btn.pri"))
	until(ctx, t, `[...document.querySelectorAll(".acts a")].some(a => a.innerText === "Deprovision billing")`)
	h.open(ctx, eval[string](ctx, t, `location.pathname`)+"/billing/deprovision")
	off := func() bool { t.Helper(); return eval[bool](ctx, t, `document.querySelector(".btn.dang").disabled`) }
	if !off() {
		t.Error("the button is on before anything was chosen")
	}
	do(ctx, t, chromedp.SendKeys("#confirm", "prod-hpc"))
	if !off() {
		t.Error("the button is on without a choice")
	}
	do(ctx, t, chromedp.Click(`.opt-row:has([value="keep"])`))
	if off() {
		t.Error("the button stays off")
	}
	do(ctx, t, chromedp.Click(".btn.dang"))
	until(ctx, t, `location.pathname.startsWith("/runs/run_") && document.querySelector("h1").innerText === "Deprovision billing"`)
}

// TestWithoutScript works dashboard and forms with JavaScript off.
func TestWithoutScript(t *testing.T) {
	h := newHouse(t, someCharges(fixedNow()))
	h.seed()
	ctx := newTab(t)
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	do(ctx, t, chromedp.Navigate(h.server.URL+"/login"), chromedp.SendKeys("#email", "admin@example.org"), chromedp.SendKeys("#password", password), chromedp.Click(".btn.pri"))
	do(ctx, t, chromedp.WaitVisible(chromedp.CSS("#t-series")), chromedp.SetAttributeValue(`#f-group option[value="region"]`, "selected", ""), chromedp.Click("#filters noscript .btn"))
	do(ctx, t, chromedp.WaitReady(chromedp.CSS(`#t-series thead a[href*="group=region"]`)))
	at, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil || !strings.Contains(at, "group=region") {
		t.Errorf("Apply leads to %s, %v", at, err)
	}
	shoot(ctx, t, "costs-without-script")
	do(ctx, t, chromedp.Navigate(h.server.URL+"/accounts/acc_two/billing/provision"), chromedp.Click(chromedp.CSS("#foot .btn.pri")), chromedp.WaitVisible(chromedp.CSS("#plan .planl")))
	do(ctx, t, chromedp.Navigate(h.server.URL+"/runs/run_stopped"), chromedp.WaitReady(`noscript meta[http-equiv="refresh"]`))
}

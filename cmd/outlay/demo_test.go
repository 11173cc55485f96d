package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"outlay/control"
	"outlay/outlaytest"
)

// TestDemoInBrowser is the demo as a new user sees it: sign in, provision, watch the run, see the other accounts turn
// Provisioned by themselves, ask for tags in past months, see costs by user and project, deprovision.
func TestDemoInBrowser(t *testing.T) {
	d := startDemo(t)
	tab := outlaytest.NewTab(t, 5*time.Minute)
	tab.Shots = *shots
	signIn(tab, d)
	provisionInBrowser(t, tab, d)
	awaitProvisioned(tab, d)
	costsInBrowser(t, tab, d)
	deprovisionInBrowser(t, tab, d)
	provisionAgain(t, d)
}

// provisionAgain is the seed's own way out of trouble: deprovision, then provision. New data arrives through the new
// set-up, beside the history of the old one.
func provisionAgain(t *testing.T, d *demo) {
	t.Helper()
	before := d.must(t, "health", "-o", "csv")
	d.must(t, "billing", "provision", "prod-hpc")
	await(t, 2*time.Minute, "the accounts to be Provisioned again", func() bool {
		return strings.Count(d.must(t, "accounts", "-o", "csv"), ",Provisioned,") == len(demoAccounts())
	})
	if after := d.must(t, "health", "-o", "csv"); !strings.Contains(after, before[:strings.IndexByte(before, '\n')]) || strings.Count(after, "\n") <= strings.Count(before, "\n") {
		t.Errorf("data health before\n%s and after\n%s", before, after)
	}
}

func signIn(tab *outlaytest.Tab, d *demo) {
	tab.Allow("status of 401") // the wrong password below
	tab.Open(d.url + "/login")
	tab.Type("#email", "maya@tidewater.example")
	tab.Type("#password", "a wrong password\r")
	tab.Soon(`document.querySelector("main").innerText.includes("Email or password is not right")`)
	tab.Shoot("01-login-refused")
	tab.Open(d.url + "/login")
	tab.Type("#email", "maya@tidewater.example")
	tab.Type("#password", demoPassword+"\r")
	tab.Soon(`location.pathname === "/costs"`)
	tab.Shoot("02-costs-empty")
}

func provisionInBrowser(t *testing.T, tab *outlaytest.Tab, d *demo) {
	t.Helper()
	tab.Open(d.url + "/accounts")
	tab.Until(`[...document.querySelectorAll("table.acc tbody tr")].length === 3 && !document.querySelector("table.acc").innerText.includes("Checking")`, 60*time.Second)
	tab.Shoot("03-accounts")
	tab.Open(d.url + outlaytest.Eval[string](tab, `[...document.querySelectorAll("table.acc a")].find(a => a.innerText === "prod-hpc").pathname`))
	tab.Click(".acts .btn.pri")
	tab.Until(`document.querySelector("#plan .planl")?.innerText.includes("Data export") && document.querySelector("#foot .btn.pri")?.innerText === "Provision billing"`, 30*time.Second)
	tab.Choose("region", "eu-west-1")
	tab.Until(`document.querySelector("#plan .planl").innerText.includes("eu-west-1")`, 30*time.Second)
	tab.Shoot("04-provision")
	tab.Click("#foot .btn.pri")
	tab.Until(`location.pathname.startsWith("/runs/run_")`, 30*time.Second)
	tab.Until(`document.querySelector(".runc h2").innerText === "Finished"`, 90*time.Second)
	tab.Shoot("05-run")
	if steps := outlaytest.Eval[string](tab, `document.querySelector(".steps").innerText`); !strings.Contains(steps, "Create the data export") {
		t.Errorf("the run's steps are %q", steps)
	}
}

// awaitProvisioned waits for the second and third account to turn Provisioned without anybody touching them.
func awaitProvisioned(tab *outlaytest.Tab, d *demo) {
	tab.Open(d.url + "/accounts")
	tab.Until(`[...document.querySelectorAll("table.acc tbody tr")].filter(r => r.innerText.includes("Provisioned") && !r.innerText.includes("Unprovisioned")).length === 3`, 2*time.Minute)
	tab.Soon(`document.querySelector("table.acc").innerText.includes("Follows prod-hpc")`)
	tab.Shoot("06-accounts-provisioned")
}

func costsInBrowser(t *testing.T, tab *outlaytest.Tab, d *demo) {
	t.Helper()
	await(t, time.Minute, "the tags to be on", func() bool {
		var a control.AccountDetail
		if err := json.Unmarshal([]byte(d.must(t, "accounts", "show", "prod-hpc", "-o", "json")), &a); err != nil {
			t.Fatal(err)
		}
		on := 0
		for _, tag := range a.Tags {
			if tag.State == "verified" {
				on++
			}
		}
		return on == 9
	})
	d.must(t, "billing", "backfill", "prod-hpc", "--from", time.Now().UTC().AddDate(0, -2, 0).Format("2006-01"))
	for _, group := range []string{"User", "Project"} {
		await(t, 2*time.Minute, "costs by "+group, func() bool {
			var v control.CostView
			if err := json.Unmarshal([]byte(d.must(t, "costs", "--range", "30d", "--group", "tag:"+group, "-o", "json")), &v); err != nil {
				t.Fatal(err)
			}
			return len(v.Rows) > 5 && !v.Rows[0].Untagged
		})
		tab.Open(d.url + "/costs?range=30d")
		tab.Choose("f-group", "tag:"+group)
		tab.Until(`document.querySelector("#t-series thead th").innerText.startsWith("`+group+`") && document.querySelectorAll("#t-series tbody tr").length > 5`, 30*time.Second)
		tab.Shoot("07-costs-" + strings.ToLower(group))
	}
	tab.Open(d.url + "/costs")
	tab.Shoot("08-costs")
	agree(t, tab, d)
	tab.Open(d.url + "/data-health")
	tab.Shoot("09-data-health")
}

// agree holds the page's total against JSON and CSV of the same view, to the last digit. A delivery may come between
// two readings, so it reads until two readings of the page are the same.
func agree(t *testing.T, tab *outlaytest.Tab, d *demo) {
	t.Helper()
	await(t, time.Minute, "page, JSON and CSV to agree", func() bool {
		tab.Open(d.url + "/costs?range=last-month")
		page := outlaytest.Eval[string](tab, `document.querySelector("#total").dataset.exact`)
		var v control.CostView
		if err := json.Unmarshal([]byte(d.must(t, "costs", "--range", "last-month", "-o", "json")), &v); err != nil {
			t.Fatal(err)
		}
		return page != "0" && page == v.Total.Total.String() && page == csvTotal(t, d.must(t, "costs", "--range", "last-month", "-o", "csv"))
	})
}

func deprovisionInBrowser(t *testing.T, tab *outlaytest.Tab, d *demo) {
	t.Helper()
	tab.Open(d.url + "/accounts/prod-hpc/billing/deprovision")
	tab.Until(`document.querySelector("main").innerText.includes("All 3 AWS accounts will stop getting cost data")`, 30*time.Second)
	tab.Shoot("10-deprovision")
	if !outlaytest.Eval[bool](tab, `document.querySelector(".btn.dang").disabled`) {
		t.Error("the button is on before anything was chosen")
	}
	tab.Click(`.opt-row:has([value="delete"])`)
	tab.Type("#confirm", "prod-hpc")
	tab.Click(".btn.dang")
	tab.Until(`location.pathname.startsWith("/runs/run_")`, 30*time.Second)
	tab.Until(`document.querySelector(".runc h2").innerText === "Finished"`, 2*time.Minute)
	tab.Shoot("11-deprovisioned")
	tab.Open(d.url + "/accounts")
	tab.Until(`[...document.querySelectorAll("table.acc tbody tr")].filter(r => r.innerText.includes("Unprovisioned")).length === 3`, time.Minute)
	tab.Shoot("12-accounts-after")
	tab.Open(d.url + "/data-health")
	tab.Until(`document.querySelector("main").innerText.includes("Remove the loaded history of prod-hpc")`, 15*time.Second)
	tab.Shoot("13-data-health-after")
	tab.Open(d.url + "/costs?range=last-month")
	if outlaytest.Eval[string](tab, `document.querySelector("#total").dataset.exact`) == "0" {
		t.Error("the loaded history is gone, though nobody asked for that")
	}
}

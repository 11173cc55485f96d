package main

import (
	"archive/zip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/control"
	"outlay/outlaytest"
)

// story is the page that the product comes from, lived in the browser of a new user.
type story struct {
	*demo
	t    *testing.T
	tab  *outlaytest.Tab
	told map[int]bool
	last string
}

// TestSeed tells the seed page sentence by sentence: each of its 29 clauses (reference/product.md §1) is named where it
// is shown. The demo's three clouds are provisioned, seen on one chart, and deprovisioned.
func TestSeed(t *testing.T) {
	s := &story{demo: startDemo(t), t: t, tab: outlaytest.NewTab(t, 8*time.Minute), told: map[int]bool{}}
	s.tab.Shots = *shots
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the story stopped after %s\nlog: %s", s.last, s.log)
		}
	})
	s.signIn()
	s.prepare()
	s.provisionAWS()
	s.provisionAzure()
	s.provisionGoogle()
	s.statuses()
	s.tags()
	s.costs()
	s.deprovision()
	s.again()
	for n := 1; n <= 29; n++ {
		if !s.told[n] {
			t.Errorf("clause %d of the seed page is not told", n)
		}
	}
}

// clause says which sentence of the seed page the next lines show.
func (s *story) clause(n int, text string) {
	s.told[n], s.last = true, text
	s.t.Logf("clause %d: %s", n, text)
}

// says holds a text of the page against what must be in it.
func (s *story) says(selector string, want ...string) {
	s.t.Helper()
	text := outlaytest.Eval[string](s.tab, `[...document.querySelectorAll("`+selector+`")].map(e => e.innerText).join("\n")`)
	for _, w := range want {
		if !strings.Contains(text, w) {
			s.t.Errorf("%s does not say %q:\n%s", selector, w, text)
		}
	}
}

func (s *story) signIn() {
	s.tab.Allow("status of 401") // the wrong password below
	s.tab.Open(s.url + "/login")
	s.tab.Type("#email", "maya@tidewater.example")
	s.tab.Type("#password", "a wrong password\r")
	s.tab.Soon(`document.querySelector("main").innerText.includes("Email or password is not right")`)
	s.tab.Shoot("01-login-refused")
	s.tab.Open(s.url + "/login")
	s.tab.Type("#email", "maya@tidewater.example")
	s.tab.Type("#password", demoPassword+"\r")
	s.tab.Soon(`location.pathname === "/costs"`)
	s.tab.Shoot("02-costs-empty")
}

// as is the answer that a person gets for a page.
func (s *story) as(email, path string) int {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	for _, ask := range []func() (*http.Response, error){
		func() (*http.Response, error) {
			return c.PostForm(s.url+"/login", url.Values{"email": {email}, "password": {demoPassword}})
		},
		func() (*http.Response, error) { return c.Get(s.url + path) },
	} {
		resp, err := ask()
		if err != nil {
			s.t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.Request.URL.Path == path {
			return resp.StatusCode
		}
	}
	s.t.Fatalf("%s does not get to %s", email, path)
	return 0
}

func (s *story) prepare() {
	s.clause(2, "Requires org:admin")
	for email, want := range map[string]int{"maya@tidewater.example": 200, "finn@tidewater.example": 403, "ada@tidewater.example": 403, "otto@tidewater.example": 403} {
		for _, page := range []string{"/accounts/prod-hpc/billing/provision", "/accounts/prod-hpc/billing/import"} {
			if got := s.as(email, page); got != want {
				s.t.Errorf("%s gets %d for %s, want %d", email, got, page, want)
			}
		}
	}
	s.clause(25, "Checking: looking for billing data")
	s.checking()
	s.clause(27, "Unprovisioned: no billing data is available")
	s.tab.Open(s.url + "/accounts")
	s.tab.Until(`[...document.querySelectorAll("table.acc tbody tr")].length === 7 && !document.querySelector("table.acc").innerText.includes("Checking")`, 60*time.Second)
	if n := s.rows("Unprovisioned"); n != 7 {
		s.t.Errorf("%d accounts are Unprovisioned before anything was done, want 7", n)
	}
	s.tab.Shoot("03-accounts")
}

// checking adds an account whose credential is wrong: as long as no look succeeds, its word is Checking and says why.
func (s *story) checking() {
	s.t.Helper()
	s.feed(s.t, io.Discard, "not the secret\n", "accounts", "add", "newcomer", "--provider", "azure", "--kind", "secret", "--set", "tenant_id=00000000-0000-0000-0000-000000000009",
		"--set", "subscription_id=00000000-0000-0000-0000-00000000000a", "--set", "client_id=00000000-0000-0000-0000-00000000000b", "--secret", "client_secret")
	await(s.t, time.Minute, "the look at the new account", func() bool { return s.account("newcomer").Status.CouldNotCheckWhy != "" })
	s.tab.Open(s.url + "/accounts")
	s.tab.Soon(`[...document.querySelectorAll("table.acc tbody tr")].some(r => r.innerText.includes("newcomer") && r.innerText.includes("Checking"))`)
	s.tab.Shoot("03-accounts-checking")
	if st := s.account("newcomer").Status; st.Status != outlay.Checking || !strings.Contains(st.Reason, "could not look yet") {
		s.t.Errorf("the new account is %s: %s", st.Status, st.Reason)
	}
	s.must(s.t, "accounts", "remove", "newcomer")
}

// account is everything about one account, as the command line tells it.
func (s *story) account(name string) control.AccountDetail {
	s.t.Helper()
	var a control.AccountDetail
	if err := json.Unmarshal([]byte(s.must(s.t, "accounts", "show", name, "-o", "json")), &a); err != nil {
		s.t.Fatal(err)
	}
	return a
}

// rows counts accounts by their status word.
func (s *story) rows(status string) int {
	s.t.Helper()
	var all []control.AccountView
	if err := json.Unmarshal([]byte(s.must(s.t, "accounts", "-o", "json")), &all); err != nil {
		s.t.Fatal(err)
	}
	n := 0
	for _, a := range all {
		if string(a.Status.Status) == status {
			n++
		}
	}
	return n
}

// form opens an account's provision form the way the seed describes.
func (s *story) form(account string) {
	s.t.Helper()
	s.tab.Open(s.url + "/accounts")
	s.tab.Open(s.url + outlaytest.Eval[string](s.tab, `[...document.querySelectorAll("table.acc a")].find(a => a.innerText === "`+account+`").pathname`))
	s.tab.Click(`.acts a.pri[href$="billing/provision"]`)
	s.planned(`true`)
}

// planned waits until the plan beside the form is there and something holds.
func (s *story) planned(condition string) {
	s.t.Helper()
	s.tab.Until(`document.querySelector("#plan .planl") && document.querySelector("#foot .btn.pri")?.innerText === "Provision billing" && (`+condition+`)`, 40*time.Second)
}

// confirm presses the button and waits for the run.
func (s *story) confirm() {
	s.t.Helper()
	s.tab.Click("#foot .btn.pri")
	s.tab.Until(`location.pathname.startsWith("/runs/run_")`, 30*time.Second)
}

func (s *story) finished(within time.Duration) {
	s.t.Helper()
	s.tab.Until(`document.querySelector(".runc h2").innerText === "Finished"`, within)
}

func (s *story) provisionAWS() {
	s.clause(5, "Navigate to Cloud Accounts, select the account, click Provision Billing")
	s.form("prod-hpc")
	s.clause(7, "AWS: select the Region")
	s.tab.Choose("region", "eu-west-1")
	s.planned(`document.querySelector("#plan .planl").innerText.includes("eu-west-1")`)
	s.clause(10, "AWS: the required permissions")
	s.says("#plan", "permissions present")
	s.clause(12, "AWS: Date GroupID Name OrganizationID Pool Project Session SessionID User")
	s.says("fieldset .tags", "Date", "GroupID", "Name", "OrganizationID", "Pool", "Project", "Session", "SessionID", "User")
	s.tab.Shoot("04-provision-aws")
	s.confirm()
	s.finished(90 * time.Second)
	s.tab.Shoot("05-run-aws")
	s.clause(8, "AWS: cost is attributed by tags")
	s.clause(9, "AWS: the tags are activated as cost allocation tags")
	s.says(".steps", "Create the data export", "tag")
}

func (s *story) provisionAzure() {
	s.clause(6, "The process and required fields vary by provider")
	s.form("azure-hpc")
	s.clause(13, "Azure: select the Region")
	s.tab.Choose("region", "westeurope")
	s.planned(`document.querySelector("#plan .planl").innerText.includes("westeurope")`)
	s.clause(14, "Azure: Yes if Microsoft.CostManagementExports is not yet registered")
	options := outlaytest.Eval[string](s.tab, `[...document.querySelectorAll("[name=field-register]")].map(o => o.closest("label").innerText.trim()).join(", ")`)
	if options != "Check for me, Yes, No" {
		s.t.Errorf("the choices of the registration are %q", options)
	}
	s.tab.Click(`.opt-row:has([name="field-register"][value="no"])`)
	s.tab.Until(`document.querySelector("#plan").innerText.includes("Exports cannot be created until this subscription is registered")`, 30*time.Second)
	s.tab.Click(`.opt-row:has([name="field-register"][value="yes"])`)
	s.tab.Choose("field-scope", "enrolment")
	s.tab.Type("#field-scope_id", demoEnrolment+"\t")
	s.planned(`!document.querySelector("#plan").innerText.includes("Exports cannot be created")`)
	s.clause(16, "Azure: more details about providers")
	s.says("form#provision", "Microsoft.CostManagementExports")
	if !outlaytest.Eval[bool](s.tab, `[...document.querySelectorAll("form#provision a")].some(a => a.href.includes("learn.microsoft.com") && a.href.includes("resource-providers"))`) {
		s.t.Error("the form has no link to Azure's page on resource providers")
	}
	s.tab.Shoot("06-provision-azure")
	s.confirm()
	s.finished(2 * time.Minute)
	s.says(".steps", "Create the storage account", "Create the cost export")
	s.tab.Shoot("07-run-azure")
	s.clause(15, "Azure: Yes while registered fails in the seed; here it goes on")
	plan := s.must(s.t, "billing", "plan", "azure-hpc", "--set", "register=yes", "--set", "scope=enrolment", "--set", "scope_id="+demoEnrolment, "--region", "westeurope")
	if !strings.Contains(plan, "already registered") {
		s.t.Errorf("the plan with Yes on a registered subscription says\n%s", plan)
	}
}

func (s *story) provisionGoogle() {
	s.form("google-hpc")
	s.clause(17, "Google: select the Region")
	s.says("#region-hint", "cannot change")
	s.clause(18, "Google: enter the Project ID")
	s.tab.Type("#field-project", demoProject+"\t")
	s.planned(`document.querySelector("#plan .planl").innerText.includes("` + demoProject + `")`)
	s.clause(19, "Google: the credential needs certain permissions in this project")
	s.says("#plan", "permissions present")
	s.tab.Shoot("08-provision-google")
	s.confirm()
	s.clause(20, "Google: no automated option to export billing data to the dataset")
	s.tab.Until(`document.querySelector(".ask h2")?.innerText === "Waiting for you"`, 90*time.Second)
	s.says(".ask", "One thing only you can do", demoProject, "Billing Account Costs Manager")
	s.tab.Shoot("09-run-google-waits")
	run := s.tab.Address()
	link := outlaytest.Eval[string](s.tab, `document.querySelector(".ask a.btn").href`)
	dataset := outlaytest.Eval[string](s.tab, `[...document.querySelectorAll(".copyl div")].find(d => d.innerText.startsWith("Dataset")).querySelector("code").innerText`)
	if !strings.HasPrefix(link, s.google) {
		s.t.Fatalf("the link leads to %s", link)
	}
	s.inConsole(link, dataset)
	s.tab.Open(run)
	s.finished(90 * time.Second)
	s.tab.Shoot("11-run-google-done")
}

// inConsole does Google's manual step on the simulated page of its console.
func (s *story) inConsole(link, dataset string) {
	s.t.Helper()
	s.tab.Visit(link)
	s.tab.Soon(`document.querySelector("#export")`)
	s.tab.Choose("project", demoProject)
	s.tab.Choose("dataset", dataset)
	s.tab.Picture("10-console-light")
	s.tab.Click("#export button")
	s.tab.Soon(`document.querySelector("#saved")`)
}

// statuses waits for all seven accounts to turn Provisioned; four of them nobody touched.
func (s *story) statuses() {
	s.clause(1, "Access, process and display cost data on the cost dashboard")
	s.clause(3, "Only once per provider per organization")
	_, errs, code := s.command(s.t, "billing", "plan", "research")
	if code == 0 || !strings.Contains(errs, "already set up through prod-hpc") {
		s.t.Errorf("a second set-up of AWS: exit %d, %s", code, errs)
	}
	s.clause(4, "All other cloud accounts detect billing data within an hour")
	s.clause(24, "Each account displays a billing status")
	s.clause(26, "Provisioned: set when data is detected, checked hourly")
	await(s.t, 3*time.Minute, "all accounts to be Provisioned", func() bool { return s.rows("Provisioned") == 7 })
	for _, name := range []string{"research", "azure-teaching", "google-lab"} {
		if st := s.account(name).Status; st.Via == "" || st.DataThrough.IsZero() || st.DeliveredAt.IsZero() || st.NextLook.IsZero() {
			s.t.Errorf("%s is Provisioned without data that was seen: %+v", name, st)
		}
	}
	if help := s.must(s.t, "serve", "--help"); !strings.Contains(help, "how often every account is looked at (OUTLAY_LOOK_EVERY) (default 1h0m0s)") {
		s.t.Errorf("the look is not hourly by default:\n%s", help)
	}
	s.tab.Open(s.url + "/accounts")
	for _, owner := range []string{"prod-hpc", "azure-hpc", "google-hpc"} {
		s.tab.Soon(`document.querySelector("table.acc").innerText.includes("Follows ` + owner + `")`)
	}
	s.tab.Shoot("12-accounts-provisioned")
}

func (s *story) tags() {
	s.clause(11, "AWS, by hand: console, Billing, Cost allocation tags, activate")
	s.tab.Open(s.url + "/tags")
	s.says("main", "Turn keys on by hand in AWS")
	await(s.t, time.Minute, "the tags to be on", func() bool {
		on := 0
		for _, tag := range s.account("prod-hpc").Tags {
			if tag.State == "verified" {
				on++
			}
		}
		return on == 9
	})
	s.tab.Open(s.url + "/tags")
	s.tab.Shoot("13-tags")
	s.must(s.t, "billing", "backfill", "prod-hpc", "--from", time.Now().UTC().AddDate(0, -2, 0).Format("2006-01"))
}

func (s *story) costs() {
	for _, group := range []string{"User", "Project"} {
		await(s.t, 2*time.Minute, "costs by "+group, func() bool {
			v := s.view("--range", "30d", "--group", "tag:"+group)
			return len(v.Rows) > 5 && !v.Rows[0].Untagged
		})
		s.tab.Open(s.url + "/costs?range=30d")
		s.tab.Choose("f-group", "tag:"+group)
		s.tab.Until(`document.querySelector("#t-series thead th").innerText.startsWith("`+group+`") && document.querySelectorAll("#t-series tbody tr").length > 5`, 30*time.Second)
		s.tab.Shoot("14-costs-" + strings.ToLower(group))
	}
	await(s.t, 2*time.Minute, "three clouds in the last 30 days", func() bool { // Google fills in the oldest day first
		v := s.view("--range", "30d", "--group", "provider")
		return len(v.Rows) == 3 && v.CompleteThrough.After(time.Now().AddDate(0, 0, -5))
	})
	s.tab.Open(s.url + "/costs?range=30d&group=provider")
	s.tab.Until(`["AWS", "Microsoft", "Google Cloud"].every(p => document.querySelector("#t-series").innerText.includes(p))`, 30*time.Second)
	s.tab.Shoot("15-costs-provider")
	s.agree()
	s.tab.Open(s.url + "/data-health")
	s.tab.Until(`document.querySelector("main").innerText.includes("Reading cost")`, 15*time.Second)
	s.tab.Shoot("16-data-health")
}

func (s *story) view(args ...string) control.CostView {
	s.t.Helper()
	var v control.CostView
	if err := json.Unmarshal([]byte(s.must(s.t, append([]string{"costs", "-o", "json"}, args...)...)), &v); err != nil {
		s.t.Fatal(err)
	}
	return v
}

// agree holds the page's total against JSON and CSV of the same view, to the last digit. A delivery may come between
// two readings, so it reads until two readings of the page are the same.
func (s *story) agree() {
	s.t.Helper()
	await(s.t, time.Minute, "page, JSON and CSV to agree", func() bool {
		s.tab.Open(s.url + "/costs?range=last-month")
		page := outlaytest.Eval[string](s.tab, `document.querySelector("#total").dataset.exact`)
		v := s.view("--range", "last-month")
		return page != "0" && page == v.Total.Total.String() && page == csvTotal(s.t, s.must(s.t, "costs", "--range", "last-month", "-o", "csv"))
	})
}

func (s *story) deprovision() {
	s.clause(21, "Navigate to Cloud Accounts, select the account, click Deprovision Billing")
	s.clause(22, "Deprovisioning removes the billing infrastructure from the provider's account")
	s.clause(23, "If it is the only one, all accounts of the provider lose access to billing data")
	for i, step := range []struct{ account, warning string }{
		{"google-hpc", "Both Google Cloud accounts will stop getting cost data"},
		{"azure-hpc", "Both Azure accounts will stop getting cost data"},
		{"prod-hpc", "All 3 AWS accounts will stop getting cost data"},
	} {
		s.takeDown(step.account, step.warning, []string{"17", "18", "19"}[i])
	}
	s.tab.Open(s.url + "/accounts")
	s.tab.Until(`[...document.querySelectorAll("table.acc tbody tr")].filter(r => r.innerText.includes("Unprovisioned")).length === 7`, time.Minute)
	s.tab.Shoot("20-accounts-after")
	s.tab.Open(s.url + "/costs?range=last-month")
	if outlaytest.Eval[string](s.tab, `document.querySelector("#total").dataset.exact`) == "0" {
		s.t.Error("the loaded history is gone, though nobody asked for that")
	}
}

func (s *story) takeDown(account, warning, number string) {
	s.t.Helper()
	s.tab.Open(s.url + "/accounts/" + account + "/billing/deprovision")
	s.tab.Until(`document.querySelector("main").innerText.includes("`+warning+`")`, 40*time.Second)
	s.tab.Shoot(number + "-deprovision-" + account)
	if !outlaytest.Eval[bool](s.tab, `document.querySelector(".btn.dang").disabled`) {
		s.t.Error("the button is on before anything was chosen")
	}
	s.tab.Click(`.opt-row:has([value="delete"])`)
	s.tab.Type("#confirm", account)
	s.tab.Click(".btn.dang")
	s.tab.Until(`location.pathname.startsWith("/runs/run_")`, 30*time.Second)
	s.finished(2 * time.Minute)
}

// again is the seed's own way out of trouble: deprovision, then provision. New data arrives through the new set-up,
// beside the history of the old one.
func (s *story) again() {
	s.clause(28, "On errors: deprovision, then provision again")
	before := s.must(s.t, "health", "-o", "csv")
	s.must(s.t, "billing", "provision", "prod-hpc")
	await(s.t, 2*time.Minute, "the AWS accounts to be Provisioned again", func() bool { return s.rows("Provisioned") == len(demoAccounts()) })
	after := strings.Split(s.must(s.t, "health", "-o", "csv"), "\n")
	if !slices.Contains(after, before[:strings.IndexByte(before, '\n')]) || len(after) <= strings.Count(before, "\n") {
		s.t.Errorf("data health before\n%s and after\n%s", before, strings.Join(after, "\n"))
	}
	s.clause(29, "If errors persist: what is wrong, and what to do, is said without anybody's support")
	bundle := filepath.Join(s.t.TempDir(), "help.zip")
	s.must(s.t, "accounts", "diagnostics", "prod-hpc", "--to", bundle)
	files, err := zip.OpenReader(bundle)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = files.Close() }()
	if n := len(files.File); n < 6 {
		s.t.Errorf("the diagnostics have %d files", n)
	}
	_, errs, code := s.command(s.t, "billing", "plan", "azure-teaching", "--set", "register=no")
	if code == 0 || !strings.Contains(errs, "Choose Check for me, or register it yourself") {
		s.t.Errorf("a plan that cannot be: exit %d, %s", code, errs)
	}
}

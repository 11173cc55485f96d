package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"outlay"
)

// seedLife adds a run that waits for a person, an account that reads existing exports, and one that follows by the rule.
func (h *house) seedLife() {
	h.t.Helper()
	h.nimbus.existing = []outlay.Existing{
		{ID: "nk:daily", Name: "daily-costs", Title: "Cost feed", Detail: "store-of-somebody/with/a/rather/long/path/that/goes/on", Fields: map[string]string{"feed": "daily"}},
		{ID: "nk:old", Name: "old-costs", Title: "Cost feed", Fields: map[string]string{"feed": "old"}, Why: "It has no costs in it; choose another."},
		{ID: "nk:read", Name: "read-costs", Title: "Cost feed", Fields: map[string]string{"feed": "read"}},
	}
	ctx := h.t.Context()
	h.must(h.store.ForOrg(ctx, h.org, func(tx outlay.Tx) error {
		for _, put := range []func(context.Context, outlay.Tx) error{h.putAsking, h.putReading} {
			if err := put(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (h *house) lifeAccount(id, name, tenant, scope, reason string) outlay.CloudAccount {
	now := fixedNow()
	return outlay.CloudAccount{
		OrgID: h.org, ID: id, Name: name, Provider: "nimbus", CreatedAt: now, Identity: outlay.Identity{AccountID: tenant, Scope: outlay.BillingScope{ID: scope, IsPayer: true}},
		Credential: outlay.Credential{Kind: "role", Values: map[string]string{"role": "role/x"}, Version: 1, UpdatedAt: now},
		Status:     outlay.BillingStatus{Status: outlay.Unprovisioned, Reason: reason, At: now, Since: now},
	}
}

func (h *house) putAsking(ctx context.Context, tx outlay.Tx) error {
	now := fixedNow()
	if err := tx.PutAccount(ctx, h.lifeAccount("acc_ask", "asking", "777", "777", "No cost data yet. Waiting for you: point the export at the store.")); err != nil {
		return err
	}
	src := outlay.Source{OrgID: h.org, ID: "src_ask", Name: "asking", Provider: "nimbus", AccountID: "acc_ask", Scope: outlay.BillingScope{ID: "777", IsPayer: true}, Origin: outlay.OriginCreated, Desired: outlay.Present, CreatedAt: now,
		Spec: &outlay.Spec{Region: "north-1", Fields: map[string]string{"format": "focus"}}}
	if err := tx.PutSource(ctx, src); err != nil {
		return err
	}
	row := outlay.Resource{OrgID: h.org, SourceID: src.ID, Kind: "nimbus/store", Name: "outlay-asking-store", ProviderID: "nk:store:asking", State: outlay.StateVerified, Origin: outlay.CreatedByUs, IntentAt: now}
	if err := tx.PutResource(ctx, row); err != nil {
		return err
	}
	o := outlay.Operation{OrgID: h.org, ID: "run_asks", Kind: outlay.OpProvision, SourceID: "src_ask", AccountID: "acc_ask", Provider: "nimbus", ScopeID: "777", CreatedBy: "usr_admin", CreatedAt: now.Add(-30 * time.Hour), StartedAt: now.Add(-30 * time.Hour)}
	if _, err := tx.AddOperation(ctx, o); err != nil {
		return err
	}
	o.Status, o.NextAt = outlay.OpWaiting, now.Add(40*time.Minute)
	o.Problem = &outlay.Problem{Code: outlay.CodeConflict, Message: "Waiting for you: point the export at the store", Step: "Point the export at the store", Since: now.Add(-29 * time.Hour), Manual: &outlay.Instruction{
		Text: "One thing only you can do. Nimbus has no API for it. Open the export page, choose these values, press Save.", Who: "Nimbus keeper or Nimbus owner", Link: "https://console.nimbus.example/export", LinkTitle: "Open the export page",
		Values: []outlay.InstructionValue{{Title: "Store", Value: "outlay-asking-store"}, {Title: "Format", Value: `<b>"focus"</b>`}}, Seen: "It shows here within the hour.",
	}}
	if err := tx.PutOperation(ctx, o); err != nil {
		return err
	}
	for i, title := range []string{"Make the store", "Point the export at the store"} {
		state := []outlay.StepState{outlay.StepDone, outlay.StepWaiting}[i]
		if err := tx.PutStep(ctx, outlay.Step{OrgID: h.org, OperationID: o.ID, Seq: i + 1, Title: title, State: state, StartedAt: now}, 0); err != nil {
			return err
		}
	}
	return nil
}

func (h *house) putReading(ctx context.Context, tx outlay.Tx) error {
	now := fixedNow()
	reads := h.lifeAccount("acc_read", "reading", "555", "555", "Billing is set up here; no cost data yet.")
	reads.Status.Axes = []outlay.Axis{{Name: "infrastructure", State: outlay.AxisBad, Reason: "The feed is gone.", At: now}}
	rule := h.lifeAccount("acc_rule", "ruled", "556", "", "Billing is set up on reading; no cost data yet.")
	rule.Status.OwnerID, rule.Status.Basis = "acc_read", outlay.CoveredByRule
	for _, a := range []outlay.CloudAccount{reads, rule} {
		if err := tx.PutAccount(ctx, a); err != nil {
			return err
		}
	}
	src := outlay.Source{OrgID: h.org, ID: "src_read", Name: "read-costs", Provider: "nimbus", AccountID: "acc_read", Scope: outlay.BillingScope{ID: "555", IsPayer: true}, Origin: outlay.OriginImported, Desired: outlay.Present, CreatedAt: now,
		Spec: &outlay.Spec{Fields: map[string]string{"feed": "read"}}}
	if err := tx.PutSource(ctx, src); err != nil {
		return err
	}
	if err := tx.AddMetered(ctx, outlay.Metered{SourceID: src.ID, Month: outlay.PeriodOf(now), Queries: 3, Bytes: 1 << 30}); err != nil {
		return err
	}
	return tx.PutResource(ctx, outlay.Resource{OrgID: h.org, SourceID: src.ID, Kind: "nimbus/feed", Name: "read", State: outlay.StateMissing, Origin: outlay.PreExisting, LastError: "the feed is gone"})
}

// TestWaitingPage says what to do, with every value as text, and looks when it is asked to.
func TestWaitingPage(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	h.seedLife()
	b := h.signIn(outlay.RoleAdmin)
	page := b.page("/runs/run_asks")
	wants(t, page, "Check now", "Waiting for you", "Reminder: this has waited for you since 04:41 UTC, 21 Nov 2026", "Point the export at the store", "Nimbus has no API for it", "Store", `<code id="value-0">outlay-asking-store</code>`, `data-copy="#value-0"`, "&lt;b&gt;&#34;focus&#34;&lt;/b&gt;", "Who may do it: Nimbus keeper", `href="https://console.nimbus.example/export"`, "It shows here within the hour.", "Check now looks at once")
	lacks(t, page, "The run stopped", ">Try again<")
	wants(t, b.page("/accounts/acc_ask"), "Waiting for you: point the export", "waiting for you", "Nimbus has no API for it", "See what to do")
	if a := b.post("/runs/run_asks/resume", url.Values{}); a.status != http.StatusSeeOther {
		t.Errorf("check now: %d", a.status)
	}
	var next time.Time
	h.must(h.store.ReadOrg(t.Context(), h.org, func(tx outlay.Tx) error {
		o, err := tx.Operation(t.Context(), "run_asks")
		next = o.NextAt
		return err
	}))
	if !next.Equal(fixedNow()) {
		t.Errorf("the run looks at %s", next)
	}
}

// TestImportPages lists, refuses what cannot be read, imports, and stops reading again; nothing is applied anywhere.
func TestImportPages(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	h.seedLife()
	b := h.signIn(outlay.RoleAdmin)
	wants(t, b.page("/accounts/acc_read"), "Import an existing export", "reads an existing export", "Reading cost this month", "3 queries, 1.0 GiB billed", "Existing exports that are read", "read-costs", `href="/sources/src_read/stop"`, "the feed is gone", "Stop reading it first")
	page := b.page("/accounts/acc_read/billing/import")
	wants(t, page, "Archive", "Where to look.", "List exports")
	lacks(t, page, "daily-costs")
	wants(t, b.page("/accounts/acc_read/billing/import?list=1&field-archive=secret"), "Nimbus answered AccessDenied", "export:List")
	page = b.page("/accounts/acc_read/billing/import?list=1&field-archive=deep")
	wants(t, page, `name="field-archive" value="deep"`, "daily-costs", "store-of-somebody", `value="nk:old" disabled`, "It has no costs in it", `value="nk:read" disabled`, "Is read already, by read-costs.", "Read this export")
	a := b.post("/accounts/acc_read/billing/import", url.Values{"existing": {"nk:old"}, "field-archive": {"deep"}})
	if a.status != http.StatusConflict {
		t.Errorf("what cannot be imported: %d", a.status)
	}
	wants(t, a.body, "old-costs cannot be imported", "daily-costs")
	a = b.post("/accounts/acc_read/billing/import", url.Values{"existing": {"nk:daily"}, "field-archive": {"deep"}})
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/accounts/acc_read" {
		t.Fatalf("%d %s\n%s", a.status, a.header.Get("Location"), a.body)
	}
	wants(t, b.page("/accounts/acc_read"), "daily-costs")
	if a := b.get("/accounts/acc_read/billing/deprovision"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sources/src_") {
		t.Errorf("deprovisioning an import: %d %s", a.status, a.header.Get("Location"))
	}
	page = b.page("/sources/src_read/stop")
	wants(t, page, `data-confirm="read-costs"`, "Outlay stops reading read-costs", "Nothing is changed in Nimbus", "Left alone", "Outlay makes no call for this", "Also remove loaded history")
	if a := b.post("/sources/src_read/stop", url.Values{"confirm": {"reading"}}); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong name: %d", a.status)
	}
	if a := b.post("/sources/src_read/stop", url.Values{"confirm": {"read-costs"}}); a.status != http.StatusSeeOther {
		t.Errorf("%d\n%s", a.status, a.body)
	}
	lacks(t, b.page("/accounts/acc_read"), "/sources/src_read/stop")
	if h.nimbus.applied != 0 {
		t.Errorf("%d changes were applied", h.nimbus.applied)
	}
}

// TestAbandonPage names everything that stays, and lets the account go afterwards.
func TestAbandonPage(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	h.seedLife()
	b := h.signIn(outlay.RoleAdmin)
	wants(t, b.page("/accounts/acc_ask"), "So first one of these", `href="/accounts/acc_ask/billing/deprovision"`, `href="/accounts/acc_ask/billing/abandon"`)
	a := b.post("/accounts/acc_ask/remove", url.Values{"confirm": {"asking"}})
	if a.status != http.StatusConflict {
		t.Errorf("removing the owner: %d", a.status)
	}
	wants(t, a.body, "owns a billing set-up", "outlay billing deprovision asking", "outlay billing abandon asking")
	wants(t, b.page("/accounts/acc_ask/billing/abandon"), "Outlay gives up what it set up on asking", "Nothing is deleted in Nimbus", "The run that is not finished ends.", "Stays behind in Nimbus account 777", "outlay-asking-store", "nk:store:asking")
	if a := b.post("/accounts/acc_ask/billing/abandon", url.Values{"confirm": {"other"}}); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong name: %d", a.status)
	}
	if a := b.post("/accounts/acc_ask/billing/abandon", url.Values{"confirm": {"asking"}}); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, a.body)
	}
	wants(t, b.page("/accounts/acc_ask"), "abandoned")
	if a := b.post("/accounts/acc_ask/remove", url.Values{"confirm": {"asking"}}); a.status != http.StatusSeeOther {
		t.Errorf("removing it afterwards: %d", a.status)
	}
}

// TestDeprovisionNames lists by name and size what goes and what stays, and what only a person can do.
func TestDeprovisionNames(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	h.nimbus.byHand = true
	page := h.signIn(outlay.RoleAdmin).page("/accounts/acc_main/billing/deprovision")
	wants(t, page, "Deleted from Nimbus account", "outlay-focus-daily", "Object store, only if you choose so below", "outlay-billing-7f3a9c", "42 objects, 3.2 GB", "Only you can do", "Cut the link", "Open the link page and press Cut.", "Nimbus keeper", "<code>outlay-billing-7f3a9c</code>", `href="https://console.nimbus.example/link"`, "Left alone")
}

// TestDriftPage shows what is missing, as a page and as a part, and repairs by the plan that was shown.
func TestDriftPage(t *testing.T) {
	h := newHouse(t, nil)
	h.seed()
	h.seedLife()
	b := h.signIn(outlay.RoleAdmin)
	page := b.page("/accounts/acc_main/billing/drift")
	wants(t, page, "What is not as planned", "Object store", "Missing", "Data export", "Missing", `action="/accounts/acc_main/billing/repair"`, "Repair")
	part := b.get("/accounts/acc_main/billing/drift", "HX-Request", "true", "HX-Request-Type", "partial").body
	wants(t, part, "Object store")
	lacks(t, part, "<h1>")
	a := b.post("/accounts/acc_main/billing/repair", url.Values{"plan": {"another"}})
	if a.status != http.StatusConflict {
		t.Errorf("another plan: %d", a.status)
	}
	wants(t, a.body, "The plan has changed")
	hash := textBetween(t, page, `name="plan" value="`, `"`)
	if a := b.post("/accounts/acc_main/billing/repair", url.Values{"plan": {hash}, "idem": {"k"}}); a.status != http.StatusSeeOther {
		t.Errorf("%d\n%s", a.status, a.body)
	}
	wants(t, b.page("/accounts/acc_read"), "Not as planned", `hx-get="/accounts/acc_read/billing/drift"`)
	wants(t, b.page("/accounts"), "Reads an export", "Follows reading, by the rule")
	wants(t, b.page("/accounts/acc_rule"), "by the rule that one set-up serves every Nimbus account; not read from Nimbus")
	wants(t, b.page("/data-health"), "Reading cost this month: 3 queries, 1.0 GiB billed")
}

// textBetween is what stands between two texts.
func textBetween(t *testing.T, page, before, after string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, before)
	text, _, closed := strings.Cut(rest, after)
	if !ok || !closed {
		t.Fatalf("the page lacks %s…%s:\n%s", before, after, page)
	}
	return text
}

package control_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/control"
	"outlay/operation"
	"outlay/outlaytest"
	"outlay/provision"
)

// tagged is a Nimbus whose keys must be turned on, and whose labels are lower case without odd letters, as strict
// providers want them.
type tagged struct {
	*outlaytest.Nimbus
	seen map[string]bool // keys that some resource has carried
	on   map[string]bool
	deny bool
}

func (n *tagged) About() outlay.ProviderInfo {
	info := n.Nimbus.About()
	info.TagsHint = "Nimbus lists a key only after some resource has carried it."
	info.Fields = append(info.Fields, outlay.ProviderField{Name: "inherit", Title: "Inherit tags", Default: "no", Options: []outlay.Region{{ID: "no", Title: "No"}, {ID: "yes", Title: "Yes"}}})
	info.Tags = outlay.TagsInfo{Timing: "A day.", Backfill: "All keys.", Option: "inherit", OptionKind: "nimbus/vault", Manual: &outlay.Instruction{Link: "https://nimbus.example/tags"}}
	return info
}

func (n *tagged) Observe(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source, look outlay.Look) (outlay.Observation, error) {
	o, err := n.Nimbus.Observe(ctx, a, s, look)
	if err != nil || !look.Tags || s.Spec == nil {
		return o, err
	}
	for _, key := range s.Spec.Tags {
		r := outlay.Resource{Kind: "nimbus/tag", Name: key, State: outlay.StateCreated, Properties: map[string]string{outlay.PropTagState: string(outlay.TagUnseen)}}
		switch {
		case n.on[key]:
			r.Properties = map[string]string{outlay.PropTagState: string(outlay.TagActive), outlay.PropTagSince: "2026-03-03T08:00:00Z"}
		case n.seen[key]:
			r.Properties[outlay.PropTagState] = string(outlay.TagInactive)
		}
		o.Resources = append(o.Resources, r)
	}
	return o, nil
}

func (n *tagged) Plan(s *outlay.Source, seen outlay.Observation) (outlay.Plan, error) {
	p, err := n.Nimbus.Plan(s, seen)
	if s.Spec == nil {
		return p, err
	}
	for _, key := range s.Spec.Tags {
		c := outlay.Change{Action: outlay.ActionUpdate, Kind: "nimbus/tag", Name: key, Title: "Tag " + key, Step: "Turn on " + key, Auto: true, Soft: true}
		switch r, _ := seen.Find("nimbus/tag", key); outlay.TagState(r.Properties[outlay.PropTagState]) {
		case outlay.TagActive:
			c.Action = outlay.ActionKeep
		case outlay.TagUnseen:
			c.Hold = "No resource has carried it yet."
		}
		p.Changes = append(p.Changes, c)
	}
	return p, err
}

func (n *tagged) Apply(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source, c outlay.Change) (outlay.Resource, error) {
	if c.Kind != "nimbus/tag" {
		return n.Nimbus.Apply(ctx, a, s, c)
	}
	if n.deny {
		return outlay.Resource{}, &outlay.Error{Code: outlay.CodeForbidden, Message: "the credential lacks tag:write", Outcome: outlay.DefinitelyNot}
	}
	n.on[c.Name] = true
	return outlay.Resource{State: outlay.StateCreated, Origin: outlay.PreExisting, Properties: map[string]string{outlay.PropTagState: string(outlay.TagActivating)}}, nil
}

func (n *tagged) Labels(tags map[string]string) ([]outlay.Label, error) {
	var out []outlay.Label
	for _, key := range outlay.TagKeys() {
		v, ok := tags[key]
		if !ok {
			continue
		}
		l := outlay.Label{Tag: key, Original: v, Key: strings.ToLower(key), Value: strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
				return r
			}
			return '-'
		}, strings.ToLower(v))}
		if l.Value = l.Value[:min(len(l.Value), 20)]; l.Value != v {
			l.Note = "Lower case."
		}
		out = append(out, l)
	}
	return out, nil
}

// taggedHouse is a house whose Nimbus turns keys on.
func taggedHouse(t *testing.T, charges outlaytest.Charges) (*house, *tagged) {
	t.Helper()
	h := newHouse(t, charges)
	n := &tagged{Nimbus: h.nimbus, seen: map[string]bool{}, on: map[string]bool{}}
	d := h.deps(noImport{})
	d.Providers = []outlay.Provider{n}
	h.Control = control.New(d)
	h.worker = operation.New(operation.Options{Store: h.store, Clock: h.clock, Owner: "test", Sleep: func(_ context.Context, d time.Duration) error { h.clock.Add(d); return nil }})
	provision.New(provision.Options{Store: h.store, Providers: map[outlay.ProviderName]outlay.Provider{"nimbus": n}, Clock: h.clock}).Register(h.worker)
	return h, n
}

// standings is a view's table in short: 'Date=active User=off'.
func standings(v control.TagsView, source int) string {
	var out []string
	for _, k := range v.Keys {
		out = append(out, fmt.Sprintf("%s=%s", k.Key, k.Cells[source].State))
	}
	return strings.Join(out, " ")
}

func (h *house) tags(t *testing.T, a outlay.Actor, rng string) control.TagsView {
	t.Helper()
	v, err := h.Tags(t.Context(), a, control.TagsRequest{Range: rng})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestTagsLife follows keys from nobody's wish to active, by the page's own verbs.
func TestTagsLife(t *testing.T) {
	h, n := taggedHouse(t, nil)
	ctx := t.Context()
	acc := h.account(t, "prod-hpc", "t-1")
	if v := h.tags(t, h.admin, ""); len(v.Sources) != 0 || len(v.Keys) != 9 || len(v.Providers) != 1 {
		t.Fatalf("before any set-up: %+v", v)
	}
	_, err := h.ActivateTags(ctx, h.admin, control.ActivateTagsRequest{AccountID: "prod-hpc"})
	wantCode(t, err, outlay.CodeConflict)
	n.seen["User"], n.seen["Pool"] = true, true
	if _, err := h.Provision(ctx, h.admin, control.ProvisionRequest{AccountID: acc.ID, Spec: outlay.Spec{Region: "north-1", Fields: map[string]string{"inherit": "yes"}, Tags: []string{"User"}}}); err != nil {
		t.Fatal(err)
	}
	h.work(t)
	v := h.tags(t, h.admin, "")
	if d := cmp.Diff("Date=off GroupID=off Name=off OrganizationID=off Pool=off Project=off Session=off SessionID=off User=activating", standings(v, 0)); d != "" {
		t.Error(d)
	}
	if d, err := h.Account(ctx, h.admin, "prod-hpc"); err != nil || len(d.Tags) != 1 || d.Tags[0].Tag != control.TagActivating {
		t.Errorf("the account's page says otherwise: %+v, %v", d.Tags, err)
	}
	s := v.Sources[0]
	s.ID, s.AccountID = "", ""
	s.Total = nil
	want := control.TagSource{Name: "prod-hpc", Provider: "nimbus", ProviderTitle: "Nimbus", AccountName: "prod-hpc", Origin: outlay.OriginCreated, Wanted: true, Off: []string{"Date", "GroupID", "Name", "OrganizationID", "Pool", "Project", "Session", "SessionID"}, Option: "Inherit tags", OptionValue: "Yes", OptionState: outlay.StateVerified, CanBackfill: true}
	if d := cmp.Diff(want, s); d != "" {
		t.Error(d)
	}

	plan, err := h.PlanActivation(ctx, h.admin, control.ActivateTagsRequest{AccountID: "prod-hpc", Keys: []string{"pool", "group-id"}})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"GroupID", "Pool", "User"}, plan.Spec.Tags); d != "" || plan.Command != "outlay tags activate prod-hpc pool group-id" {
		t.Errorf("the plan is for %v, as a command %q", plan.Spec.Tags, plan.Command)
	}
	_, err = h.ActivateTags(ctx, h.admin, control.ActivateTagsRequest{AccountID: "prod-hpc", Keys: []string{"Pool"}, PlanHash: plan.Hash})
	wantCode(t, err, outlay.CodeConflict) // another plan than the one that was seen
	run, err := h.ActivateTags(ctx, h.admin, control.ActivateTagsRequest{AccountID: "prod-hpc", Keys: []string{"pool", "group-id"}, PlanHash: plan.Hash, IdemKey: "once"})
	if err != nil {
		t.Fatal(err)
	}
	h.work(t)
	again, err := h.ActivateTags(ctx, h.admin, control.ActivateTagsRequest{AccountID: "prod-hpc", Keys: []string{"pool", "group-id"}, PlanHash: plan.Hash, IdemKey: "once"})
	if err != nil || again.ID != run.ID || again.Status != outlay.OpDone {
		t.Errorf("the same request again is run %s (%s), %v", again.ID, again.Status, err)
	}
	v = h.tags(t, h.admin, "")
	if d := cmp.Diff("Date=off GroupID=waiting Name=off OrganizationID=off Pool=activating Project=off Session=off SessionID=off User=activating", standings(v, 0)); d != "" {
		t.Error(d)
	}
	if got := v.Keys[1].Cells[0].Detail; got != "No resource has carried it yet." {
		t.Errorf("GroupID waits because of %q", got)
	}

	n.deny, n.seen["Name"] = true, true
	if _, err := h.ActivateTags(ctx, h.admin, control.ActivateTagsRequest{AccountID: "prod-hpc", Keys: []string{"Name"}}); err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if c := h.tags(t, h.admin, "").Keys[2].Cells[0]; c.State != control.TagDenied || c.Detail != "the credential lacks tag:write" {
		t.Errorf("a refused key is %+v", c)
	}
}

// TestTagStandings reads rows of the ledger.
func TestTagStandings(t *testing.T) {
	h, _ := taggedHouse(t, nil)
	ctx := t.Context()
	properties := func(pairs ...string) map[string]string {
		out := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i]] = pairs[i+1]
		}
		return out
	}
	rows := []outlay.Resource{
		{Name: "Date", State: outlay.StateVerified, Properties: properties("status", "active", "since", "2026-03-03T08:00:00Z")},
		{Name: "GroupID", State: outlay.StateCreated, Properties: properties("status", "activating", "since", "soon")},
		{Name: "Name", State: outlay.StateWaiting, LastError: "refused", Properties: properties("status", "inactive", "refused", "forbidden")},
		{Name: "OrganizationID", State: outlay.StateWaiting, Properties: properties("status", "not seen yet", "refused", "conflict", "similar key", "Organisation")},
		{Name: "Pool", State: outlay.StateIntended},
		{Name: "Project", State: outlay.StateWaiting, Properties: properties("status", "inactive")},
		{Name: "Session", State: outlay.StateWaiting, LastError: "Only the payer can."},
		{Name: "SessionID", State: outlay.StateDeleted},
		{Name: "User", State: outlay.StateVerified},
	}
	sources := []outlay.Source{
		{ID: "src-1", Name: "made", Provider: "nimbus", AccountID: "acc-1", Origin: outlay.OriginCreated, Desired: outlay.Present, Spec: &outlay.Spec{Tags: outlay.TagKeys()}},
		{ID: "src-2", Name: "found", Provider: "nimbus", AccountID: "acc-1", Origin: outlay.OriginImported, Desired: outlay.Present, Spec: &outlay.Spec{}, Scope: outlay.BillingScope{ID: "other"}},
		{ID: "src-3", Name: "gone", Provider: "nimbus", AccountID: "acc-1", Origin: outlay.OriginCreated, Desired: outlay.Absent},
		{ID: "src-4", Name: "bills", Origin: outlay.OriginFiles, Desired: outlay.Present},
		{ID: "src-5", Name: "elsewhere", Provider: "cirrus", AccountID: "acc-2", Origin: outlay.OriginCreated, Desired: outlay.Present, Spec: &outlay.Spec{}},
		{ID: "src-6", Name: "draft", Provider: "nimbus", AccountID: "acc-1", Origin: outlay.OriginCreated, Desired: outlay.Draft},
	}
	spellings := []outlay.TagSpelling{
		{Tag: "Project", Keys: []string{"Project", "project"}, Rows: 3},
		{Tag: "User", Keys: []string{"USER", "User"}},
		{Tag: "Project", Keys: []string{"Projekt"}, Near: true, Rows: 2, Effective: map[string]string{"USD": "3.5", "EUR": "1"}},
		{Tag: "OrganizationID", Keys: []string{"organisation"}, Near: true, Rows: 1, Effective: map[string]string{"USD": "1"}},
	}
	err := h.store.ForOrg(ctx, "org-1", func(tx outlay.Tx) error {
		for _, id := range []string{"acc-1", "acc-2"} {
			if err := tx.PutAccount(ctx, outlay.CloudAccount{OrgID: "org-1", ID: id, Name: "of-" + id, Provider: "nimbus"}); err != nil {
				return err
			}
		}
		for _, s := range sources {
			s.OrgID = "org-1"
			if err := tx.PutSource(ctx, s); err != nil {
				return err
			}
		}
		for _, r := range rows {
			r.OrgID, r.SourceID, r.Kind = "org-1", "src-1", "nimbus/tag"
			if err := tx.PutResource(ctx, r); err != nil {
				return err
			}
		}
		for i, x := range []struct{ source, period string }{{"src-1", "2026-10"}, {"src-1", "2026-11"}, {"src-3", "2026-09"}, {"src-4", "2026-08"}} {
			head := outlay.Head{OrgID: "org-1", SourceID: x.source, Period: outlay.Period(x.period), UnitID: fmt.Sprint("u", i), Version: now(), Generation: "g"}
			if i == 0 {
				head.Proof.Spellings = spellings[:2]
			}
			if i == 1 {
				head.Proof.Spellings = spellings
			}
			if _, _, err := tx.AddUnit(ctx, outlay.Unit{OrgID: "org-1", ID: head.UnitID, SourceID: x.source, Period: head.Period, Delivery: outlay.Delivery{Period: head.Period, Token: x.period}}); err != nil {
				return err
			}
			if err := tx.Publish(ctx, head); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	v := h.tags(t, h.admin, "")
	var names []string
	for _, s := range v.Sources {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, " "); got != "found made elsewhere gone bills" {
		t.Fatalf("the sources are %s", got)
	}
	if d := cmp.Diff("Date=active GroupID=activating Name=denied OrganizationID=unseen Pool=pending Project=inactive Session=waiting SessionID=waiting User=active", standings(v, 1)); d != "" {
		t.Error(d)
	}
	for i, want := range map[int]control.TagStanding{0: control.TagElsewhere, 2: control.TagFree, 3: "", 4: ""} {
		if got := v.Keys[0].Cells[i].State; got != want {
			t.Errorf("at %s the key is %q, want %q", names[i], got, want)
		}
	}
	if got := v.Keys[0].Cells[1].Since.Format(time.DateOnly); got != "2026-03-03" || !v.Keys[1].Cells[1].Since.IsZero() {
		t.Errorf("since %s", got)
	}
	near := []control.NearKey{
		{Tag: "Project", Key: "Projekt", SourceID: "src-1", SourceName: "made", Period: "2026-11", Rows: 2, Cost: []outlay.Amount{outlay.MustAmount("1", "EUR"), outlay.MustAmount("3.5", "USD")}},
		{Tag: "OrganizationID", Key: "organisation", SourceID: "src-1", SourceName: "made", Period: "2026-11", Rows: 1, Cost: []outlay.Amount{outlay.MustAmount("1", "USD")}},
	}
	if d := cmp.Diff(near, v.Near, cmp.Comparer(func(a, b outlay.Amount) bool { return a.String() == b.String() && a.Currency == b.Currency })); d != "" {
		t.Error(d)
	}
	if len(v.Clashes) != 1 || v.Clashes[0].Period != "2026-11" || v.Clashes[0].Rows != 3 {
		t.Errorf("clashes %+v", v.Clashes)
	}
}

// TestTagShares adds up what carries a key, in the currency of most charges.
func TestTagShares(t *testing.T) {
	day := now().Truncate(24 * time.Hour)
	charge := func(day time.Time, source, user, cost, currency string) outlaytest.Charge {
		return outlaytest.Charge{Day: day, Cost: cost, Currency: currency, Values: map[outlay.Dimension]string{outlay.BySource: source, outlay.TagDimension("User"): user}}
	}
	h, _ := taggedHouse(t, outlaytest.Charges{
		charge(day, "src-a", "ann", "6", "USD"), charge(day, "src-a", "bob", "1.5", "USD"), charge(day, "src-a", "", "2.5", "USD"), charge(day, "src-b", "ann", "10", "USD"), charge(day, "src-x", "", "5", "USD"),
		charge(day, "src-a", "eve", "100", "EUR"), charge(day.AddDate(0, -1, 0), "src-a", "", "7", "USD"), charge(day, "src-c", "ann", "-1", "USD"),
	})
	ctx := t.Context()
	err := h.store.ForOrg(ctx, "org-1", func(tx outlay.Tx) error {
		for i, name := range []string{"a", "b", "c"} {
			if err := tx.PutAccount(ctx, outlay.CloudAccount{OrgID: "org-1", ID: "acc-" + name, Name: "acc-" + name, Provider: "nimbus"}); err != nil {
				return err
			}
			if err := tx.PutSource(ctx, outlay.Source{OrgID: "org-1", ID: "src-" + name, Name: name, Provider: "nimbus", AccountID: "acc-" + name, Scope: outlay.BillingScope{ID: fmt.Sprint(i)}, Origin: outlay.OriginCreated, Desired: outlay.Present, Spec: &outlay.Spec{}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	v := h.tags(t, h.admin, "mtd")
	user := v.Keys[8]
	if v.Currency != "USD" || v.Total.String() != "24" || user.Tagged.String() != "16.5" || user.Untagged.String() != "7.5" || *user.Share != 16.5/24 || user.Values != 3 || user.More {
		t.Errorf("total %s %s, User %s of it, %s not, share %v, %d values", v.Total, v.Currency, user.Tagged, user.Untagged, *user.Share, user.Values)
	}
	if a, b, c := user.Cells[0].Share, user.Cells[1].Share, user.Cells[2].Share; *a != 0.75 || *b != 1 || c != nil {
		t.Errorf("shares by source: %v %v %v", *a, *b, c)
	}
	if date := v.Keys[0]; *date.Share != 0 || date.Values != 0 || date.Untagged.String() != "24" {
		t.Errorf("Date: %+v", date)
	}
	if last := h.tags(t, h.admin, "last-month"); last.Total.String() != "7" || *last.Keys[8].Share != 0 {
		t.Errorf("last month: %s", last.Total)
	}
	_, err = h.Tags(ctx, h.admin, control.TagsRequest{Range: "ytd"})
	wantCode(t, err, outlay.CodeInvalid)
	blind := h.admin
	blind.Scopes = []outlay.Action{outlay.AccountsRead}
	if v := h.tags(t, blind, ""); v.CostsShown || v.Total != nil || v.Keys[8].Share != nil || v.Sources[0].Total != nil || len(v.Keys[8].Cells) != 3 {
		t.Errorf("a token without costs sees %+v", v)
	}
	blind.Scopes = []outlay.Action{outlay.CostsReadAll}
	_, err = h.Tags(ctx, blind, control.TagsRequest{})
	wantCode(t, err, outlay.CodeForbidden)
}

// TestNothingToTurnOn asks for no keys where a provider needs no activation, whatever the command's default says.
func TestNothingToTurnOn(t *testing.T) {
	h := newHouse(t, nil)
	h.account(t, "prod-hpc", "t-1")
	v, err := h.Plan(t.Context(), h.admin, control.PlanRequest{AccountID: "prod-hpc", Spec: outlay.Spec{Region: "north-1", Tags: outlay.TagKeys()}})
	if err != nil || len(v.Spec.Tags) != 0 || strings.Contains(v.Command, "tags") {
		t.Errorf("the plan asks for %v, as a command %q, %v", v.Spec.Tags, v.Command, err)
	}
	if _, err := h.Provision(t.Context(), h.admin, control.ProvisionRequest{AccountID: "prod-hpc", Spec: outlay.Spec{Region: "north-1", Tags: outlay.TagKeys()}}); err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if got := h.tags(t, h.admin, "").Keys[0].Cells[0].State; got != control.TagFree {
		t.Errorf("the key is %q", got)
	}
	_, err = h.PlanActivation(t.Context(), h.admin, control.ActivateTagsRequest{AccountID: "prod-hpc"})
	wantCode(t, err, outlay.CodeConflict)
}

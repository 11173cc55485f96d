package outlay_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"outlay"
)

func TestPeriod(t *testing.T) {
	p, err := outlay.ParsePeriod("2026-12")
	if err != nil || p.Start().Format(time.RFC3339) != "2026-12-01T00:00:00Z" || p.End().Format(time.RFC3339) != "2027-01-01T00:00:00Z" {
		t.Errorf("%v: %v to %v", err, p.Start(), p.End())
	}
	for _, bad := range []string{"", "2026", "2026-13", "2026-1", "2026-01-01", "abc-de"} {
		if _, err := outlay.ParsePeriod(bad); outlay.CodeOf(err) != outlay.CodeInvalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if got := outlay.PeriodOf(time.Date(2026, 3, 1, 0, 30, 0, 0, time.FixedZone("", 3600))); got != "2026-02" {
		t.Errorf("half past midnight on 1 March, one hour east, is in %s", got)
	}
}

// TestAmountIsExact adds random decimals and holds the sum against rationals: no digit is lost in any order.
func TestAmountIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	sum, want := outlay.Amount{}, new(big.Rat)
	for range 5000 {
		text := fmt.Sprintf("%d.%018d", rng.Int64N(2e12)-1e12, rng.Int64N(1e18))
		sum = sum.Add(outlay.MustAmount(text, "USD"))
		r, _ := new(big.Rat).SetString(text)
		want.Add(want, r)
	}
	got, _ := new(big.Rat).SetString(sum.String())
	if got.Cmp(want) != 0 {
		t.Errorf("sum %s, want %s", sum, want.FloatString(18))
	}
}

func TestAmount(t *testing.T) {
	for in, want := range map[string]string{"1e-7": "0.0000001", "-12.340000": "-12.34", "0.000": "0", "-0": "0", "1E3": "1000"} {
		if got := outlay.MustAmount(in, "USD").String(); got != want {
			t.Errorf("%q reads as %s, want %s", in, got, want)
		}
	}
	for _, bad := range []string{"", "NaN", "Inf", "-Infinity", "1,5", "12a"} {
		if _, err := outlay.ParseAmount(bad, "USD"); outlay.CodeOf(err) != outlay.CodeInvalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for in, want := range map[string]string{"0.125": "0.12", "0.135": "0.14", "-0.001": "0.00", "2": "2.00"} {
		if got := outlay.MustAmount(in, "USD").Fixed(2); got != want {
			t.Errorf("%s to two decimals is %s, want %s", in, got, want)
		}
	}
	b, err := json.Marshal(outlay.MustAmount("1.50", "EUR"))
	var back outlay.Amount
	if err != nil || string(b) != `{"amount":"1.5","currency":"EUR"}` || json.Unmarshal(b, &back) != nil || back.String() != "1.5" || back.Currency != "EUR" {
		t.Errorf("JSON %s, %v, back %v", b, err, back)
	}
	defer func() {
		if recover() == nil {
			t.Error("dollars and euros were added")
		}
	}()
	outlay.MustAmount("1", "USD").Add(outlay.MustAmount("1", "EUR"))
}

func FuzzAmount(f *testing.F) {
	for _, s := range []string{"1.5", "-1e-7", "NaN", "", "1e999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := outlay.ParseAmount(s, "USD")
		if err != nil || len(s) > 20 || strings.ContainsAny(s, "eE") {
			return
		}
		again, err := outlay.ParseAmount(a.String(), "USD")
		if err != nil || again.Cmp(a) != 0 {
			t.Errorf("%q became %s, then %s, %v", s, a, again, err)
		}
	})
}

// TestAccess is the whole table, written down once more by hand: a cell that changes by accident is found here.
func TestAccess(t *testing.T) {
	want := map[outlay.Role]string{
		outlay.RoleAdmin:   "costs:read costs:read-all accounts:read accounts:write billing:plan billing:provision billing:deprovision billing:check runs:read costs:import people:read people:write tokens:own audit:read self:read tags:plan tags:plan-all",
		outlay.RoleFinance: "costs:read costs:read-all accounts:read runs:read costs:import tokens:own self:read tags:plan",
		outlay.RoleLead:    "costs:read tokens:own self:read tags:plan",
		outlay.RoleMember:  "costs:read tokens:own self:read tags:plan",
		outlay.RoleAuditor: "costs:read costs:read-all accounts:read runs:read people:read tokens:own audit:read self:read",
	}
	for _, r := range append(outlay.Roles(), "stranger") {
		for _, a := range outlay.Actions() {
			if got, want := outlay.Allowed(r, a), slices.Contains(strings.Fields(want[r]), string(a)); got != want {
				t.Errorf("%s may %s: %v, want %v", r, a, got, want)
			}
		}
	}
	lead := outlay.Actor{UserID: "u", LeadOf: []string{"g"}}
	if !lead.May(outlay.CostsRead) || lead.May(outlay.CostsReadAll) {
		t.Error("a lead reads the costs of his groups only")
	}
	limited := outlay.Actor{UserID: "u", Roles: []outlay.Role{outlay.RoleAdmin}, Scopes: []outlay.Action{outlay.CostsRead}}
	if limited.May(outlay.BillingProvision) || !limited.May(outlay.CostsRead) {
		t.Error("a token does what its scopes say, and no more")
	}
	if got := outlay.CodeOf(outlay.Actor{}.Must(outlay.CostsRead)); got != outlay.CodeUnauthenticated {
		t.Errorf("nobody is refused with %s", got)
	}
	if err := limited.Must(outlay.BillingProvision); outlay.CodeOf(err) != outlay.CodeForbidden || !strings.Contains(err.Error(), "org:admin") {
		t.Errorf("the refusal is %v", err)
	}
}

// TestSecretStaysInside prints a secret in every way that Go knows.
func TestSecretStaysInside(t *testing.T) {
	s := outlay.NewSecret("hunter2")
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "in", struct{ S outlay.Secret }{s})
	b, err := json.Marshal(map[string]any{"s": s, "p": &s})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s), fmt.Sprintf("%v %#v", &s, struct{ S outlay.Secret }{s}), string(b), log.String()} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
			t.Errorf("it came out: %s", text)
		}
	}
	if s.Reveal() != "hunter2" || s.Empty() || !outlay.NewSecret("").Empty() {
		t.Error("Reveal or Empty is wrong")
	}
}

func TestErrors(t *testing.T) {
	cause := errors.New("disk is full")
	err := fmt.Errorf("storing: %w", outlay.Errorf(outlay.CodeUnavailable, "Free some space.", "the file could not be written: %w", cause))
	e := outlay.AsError(err)
	if e.Message != "the file could not be written" || !errors.Is(err, cause) || outlay.CodeOf(err) != outlay.CodeUnavailable || !e.Code.Retryable() {
		t.Errorf("error %+v", e)
	}
	if e := outlay.AsError(cause); e.Code != outlay.CodeInternal || strings.Contains(e.Message, "disk") {
		t.Errorf("an error of no known kind shows %q", e.Message)
	}
	if outlay.CodeOf(nil) != "" || outlay.AsError(nil) != nil {
		t.Error("nil is no error")
	}
	if f := e.InField("region"); f.Field != "region" || e.Field != "" {
		t.Error("InField changes the original")
	}
}

// TestTags: the nine keys fold to nine texts, and every published spelling folds to its key (clouds.md §6).
func TestTags(t *testing.T) {
	seen := map[string]string{}
	for _, k := range outlay.TagKeys() {
		if other := seen[outlay.FoldTag(k)]; other != "" {
			t.Errorf("%s and %s fold to the same", k, other)
		}
		seen[outlay.FoldTag(k)] = k
	}
	for spelling, key := range map[string]string{"group_i_d": "GroupID", "groupid": "GroupID", "session_i_d": "SessionID", "organization_i_d": "OrganizationID", "user": "User", "USER": "User", "Pool": "Pool"} {
		if seen[outlay.FoldTag(spelling)] != key {
			t.Errorf("%s folds to %q", spelling, seen[outlay.FoldTag(spelling)])
		}
	}
	if key, ok := outlay.TagDimension("User").TagKey(); !ok || key != "User" {
		t.Errorf("the dimension of a tag is %q, %v", key, ok)
	}
}

// TestFocusColumns: the 57 of FOCUS 1.2, three of later versions, nine tags, and three of ours, with ids that never move.
func TestFocusColumns(t *testing.T) {
	all := outlay.FocusColumns()
	if len(all) != 57+3+9+3 {
		t.Errorf("%d columns", len(all))
	}
	names := map[string]bool{}
	for i, c := range all {
		if c.ID != i+1 || names[c.Name] {
			t.Errorf("column %d is %+v", i, c)
		}
		names[c.Name] = true
	}
	for id, name := range map[int]string{1: "x_SourceId", 2: "x_Period", 4: "BilledCost", 30: "EffectiveCost"} {
		if all[id-1].Name != name {
			t.Errorf("field id %d is %s, and was %s when tables were first written", id, all[id-1].Name, name)
		}
	}
}

func TestPlanHash(t *testing.T) {
	p := outlay.Plan{Changes: []outlay.Change{{Action: outlay.ActionCreate, Kind: "x/y", Name: "a", To: map[string]string{"b": "1", "a": "2"}}}}
	same := outlay.Plan{Changes: []outlay.Change{{Action: outlay.ActionCreate, Kind: "x/y", Name: "a", To: map[string]string{"a": "2", "b": "1"}}}}
	if p.Hash() != same.Hash() {
		t.Error("the order of a map's keys changes the hash")
	}
	same.Changes[0].Name = "b"
	if p.Hash() == same.Hash() {
		t.Error("another name has the same hash")
	}
	grown := outlay.Plan{Changes: []outlay.Change{p.Changes[0]}}
	grown.Changes[0].Holds = "2 months, 3.1 GB"
	if p.Hash() != grown.Hash() || p.Changes[0].Holds != "" || grown.Changes[0].Holds == "" {
		t.Error("what is confirmed depends on how much lies in it, or a plan changed with its hash")
	}
}

func TestAdministered(t *testing.T) {
	users := []outlay.User{{ID: "ann"}, {ID: "off", Disabled: true}}
	for _, c := range []struct {
		name string
		m    outlay.Membership
		want bool
	}{
		{"an administrator", outlay.Membership{UserID: "ann", Role: outlay.RoleAdmin}, true},
		{"of a group only", outlay.Membership{UserID: "ann", Role: outlay.RoleAdmin, GroupID: "hydrology"}, false},
		{"another role", outlay.Membership{UserID: "ann", Role: outlay.RoleFinance}, false},
		{"disabled", outlay.Membership{UserID: "off", Role: outlay.RoleAdmin}, false},
		{"unknown", outlay.Membership{UserID: "gone", Role: outlay.RoleAdmin}, false},
	} {
		if got := outlay.Administered(users, []outlay.Membership{c.m}); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

// TestAuditEntryJSON: the API's audit log is spelt as everything else there.
func TestAuditEntryJSON(t *testing.T) {
	b, err := json.Marshal(outlay.Entry{OrgID: "org_1", ID: "aud_1", ActorName: "Ann", Action: "sign-in", Result: "ok"})
	want := `{"id":"aud_1","at":"0001-01-01T00:00:00Z","actor":"","actorName":"Ann","action":"sign-in","object":"","result":"ok","hash":""}`
	if err != nil || string(b) != want {
		t.Errorf("%s, %v, want %s", b, err, want)
	}
}

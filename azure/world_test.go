package azure

import (
	"context"
	"encoding/pem"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/outlaytest"
	cloud "outlay/simcloud/azure"
)

var update = flag.Bool("update", false, "write golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	outlaytest.Golden(t, *update, name, got)
}

// The directory and the subscriptions of the simulated cloud.
const (
	testTenant = "11111111-1111-4111-a111-111111111111"
	testSub    = "22222222-2222-4222-a222-222222222222"
	otherSub   = "33333333-3333-4333-a333-333333333333"
	subScope   = "/subscriptions/" + testSub
)

// The offers of subscriptions, by their quota ids.
const (
	quotaEnterprise = "EnterpriseAgreement_2014-09-01"
	quotaPayAsYouGo = "PayAsYouGo_2014-09-01"
)

// vault keeps secrets of test accounts in the open.
type vault = outlaytest.Vault

// world is a simulated Azure, the provider pointed at it over TLS, and one account with one source.
type world struct {
	*cloud.Cloud
	t     *testing.T
	url   string
	ca    []byte
	p     *Provider
	vault vault
	a     *outlay.CloudAccount
	s     *outlay.Source
	app   string // client id
}

// newWorld serves a cloud that Microsoft's own fakes judge, with one subscription of an offer, and an app that may do
// everything in it.
func newWorld(t *testing.T, quota string, o cloud.Options) *world {
	t.Helper()
	return serveWorld(t, quota, o, outlaytest.AzureServer)
}

// plainServer serves a cloud without a judge: for the many worlds of the fault tests, whose calls are those that were
// judged elsewhere.
func plainServer(t testing.TB, c http.Handler) (url string, ca []byte) {
	t.Helper()
	s := httptest.NewTLSServer(c)
	t.Cleanup(s.Close)
	return s.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

func serveWorld(t *testing.T, quota string, o cloud.Options, serve func(testing.TB, http.Handler) (string, []byte)) *world {
	t.Helper()
	o.Dir = t.TempDir()
	if o.RetryAfter == 0 {
		o.RetryAfter = time.Millisecond
	}
	c, err := cloud.New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.AddTenant(testTenant, "Northfield")
	c.AddSubscription(testTenant, testSub, "research", quota)
	w := &world{Cloud: c, t: t, vault: vault{}}
	var secret string
	w.app, secret = c.AddApp(testTenant, "outlay")
	c.Grant(w.app, subScope, "*", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*")
	w.url, w.ca = serve(t, c)
	t.Cleanup(c.Close) // calls that hang end, and then the server
	w.vault["acc_1/"+fieldSecret] = secret
	w.p = New(w.options())
	w.a = &outlay.CloudAccount{OrgID: "org_1", ID: "acc_1", Name: "main", Provider: Name, Credential: outlay.Credential{
		Kind: kindSecret, Values: map[string]string{fieldTenant: testTenant, fieldSubscription: testSub, fieldClient: w.app}, Version: 1,
	}}
	w.s = &outlay.Source{OrgID: "org_1", ID: "src_1", Provider: Name, AccountID: "acc_1", Origin: outlay.OriginCreated, Desired: outlay.Present,
		Spec: &outlay.Spec{Region: "westeurope", Fields: map[string]string{}}}
	return w
}

func (w *world) options() Options {
	return Options{
		Secrets: w.vault, Endpoint: w.url, CA: w.ca, NamingKey: []byte("a key for tests"), InstallationID: "ins_test",
		Retry: Retry{Attempts: 3, Delay: time.Millisecond, MaxBackoff: 5 * time.Millisecond, Answer: 20 * time.Second}, Poll: 2 * time.Millisecond,
	}
}

func (w *world) observe(look outlay.Look) outlay.Observation {
	w.t.Helper()
	seen, err := w.p.Observe(context.Background(), w.a, w.s, look)
	if err != nil {
		w.t.Fatalf("observe: %v", err)
	}
	return seen
}

// whole is the look before a plan.
func whole() outlay.Look {
	return outlay.Look{Permissions: true, Members: true, Contents: true, Tags: true}
}

func (w *world) plan(look outlay.Look) outlay.Plan {
	w.t.Helper()
	seen := w.observe(look)
	if w.a.Identity.AccountID == "" {
		w.a.Identity = seen.Identity
	}
	w.s.Scope = seen.Identity.Scope
	for i, row := range w.s.Resources { // as the end of a run and the hourly look note it
		if _, there := seen.Find(row.Kind, row.Name); there && row.State == outlay.StateCreated {
			w.s.Resources[i].State = outlay.StateVerified
		}
	}
	plan, err := w.p.Plan(w.s, seen)
	if err != nil {
		w.t.Fatalf("plan: %v", err)
	}
	return plan
}

// run makes a plan's changes as the engine does, with a ledger row before each and the outcome after. It stops at the
// first error that is not a soft one.
func (w *world) run(plan outlay.Plan) error {
	for _, c := range plan.Changes {
		if c.Action == outlay.ActionKeep || c.Hold != "" {
			continue
		}
		if err := w.apply(c); err != nil && !(c.Soft && refusedForGood(err)) {
			return fmt.Errorf("%s: %w", c.Step, err)
		}
	}
	return nil
}

// refusedForGood tells whether repeating helps nothing: what the engine lets a soft change pass with.
func refusedForGood(err error) bool {
	e := outlay.AsError(err)
	return !e.Code.Retryable() && e.Outcome != outlay.Unknown
}

func (w *world) apply(c outlay.Change) error {
	i := slices.IndexFunc(w.s.Resources, func(r outlay.Resource) bool { return r.Key() == c.Key() })
	if i < 0 && c.Action != outlay.ActionDelete {
		origin := outlay.CreatedByUs
		if c.Action != outlay.ActionCreate {
			origin = outlay.PreExisting
		}
		w.s.Resources = append(w.s.Resources, outlay.Resource{Kind: c.Kind, Name: c.Name, State: outlay.StateIntended, Origin: origin,
			IntentAt: time.Now().UTC(), OperationID: "op_1"})
		i = len(w.s.Resources) - 1
	}
	if i >= 0 && (w.s.Resources[i].State == outlay.StatePlanned || w.s.Resources[i].State == outlay.StateDeleted) {
		w.s.Resources[i].State, w.s.Resources[i].IntentAt = outlay.StateIntended, time.Now().UTC()
	}
	r, err := w.p.Apply(context.Background(), w.a, w.s, c)
	if i < 0 {
		return err
	}
	row := &w.s.Resources[i]
	if err != nil {
		if e := outlay.AsError(err); e.Outcome != outlay.Unknown && row.State == outlay.StateIntended {
			row.State = outlay.StatePlanned
		}
		return err
	}
	row.State = r.State
	row.ProviderID = orElse(r.ProviderID, row.ProviderID)
	if r.Properties != nil {
		row.Properties = r.Properties
	}
	if !r.Created.IsZero() {
		row.Created = r.Created
	}
	if r.State == outlay.StateDeleted { // what it contained went with it, as the engine notes by the name
		for j := range w.s.Resources {
			if w.s.Resources[j].Name == c.Name {
				w.s.Resources[j].State = outlay.StateDeleted
			}
		}
	}
	return nil
}

// up provisions, and fails the test when that does not work.
func (w *world) up() {
	w.t.Helper()
	plan := w.plan(whole())
	if blocked := plan.Blocked(); blocked != "" {
		w.t.Fatalf("the plan is blocked: %s", blocked)
	}
	if err := w.run(plan); err != nil {
		w.t.Fatal(err)
	}
}

// down plans toward nothing.
func (w *world) down(files outlay.CostFiles) outlay.Plan {
	w.t.Helper()
	w.s.Spec, w.s.CostFiles = nil, files
	return w.plan(whole())
}

// calls counts requests of an operation, whatever came of them.
func (w *world) calls(operation string) int {
	n := 0
	for _, r := range w.Requests() {
		if r.Operation == operation {
			n++
		}
	}
	return n
}

// one is the only thing of a kind that lives.
func (w *world) one(kind string) cloud.Live {
	w.t.Helper()
	all := w.Only(kind)
	if len(all) != 1 {
		w.t.Fatalf("%d of %s: %+v", len(all), kind, all)
	}
	return all[0]
}

// todo lists a plan's changes that do something, as 'create azure/container'.
func todo(plan outlay.Plan) []string {
	out := []string{}
	for _, c := range plan.Changes {
		if c.Action != outlay.ActionKeep && c.Hold == "" {
			out = append(out, string(c.Action)+" "+string(c.Kind))
		}
	}
	return out
}

func notes(plan outlay.Plan, level string) string {
	var out []string
	for _, n := range plan.Notes {
		if n.Level == level {
			out = append(out, n.Text)
		}
	}
	return strings.Join(out, "\n")
}

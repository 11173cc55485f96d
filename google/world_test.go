package google

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"outlay"
	"outlay/duckdb"
	"outlay/outlaytest"
	cloud "outlay/simcloud/google"
)

// TestMain makes this binary its own parsing child, as the command 'outlay parse' is in the product.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "parse" {
		if err := duckdb.ParseMain(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// The billing accounts and projects of the simulated cloud.
const (
	payer   = "01AB23-45CD67-89EF01"
	another = "99AB23-45CD67-89EF01"
	hosting = "northfield-billing"
	sandbox = "northfield-sandbox"
)

// clock is a clock that a test moves; cloud and provider share it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// vault keeps secrets of test accounts in the open.
type vault = outlaytest.Vault

// world is a simulated Google Cloud, the provider pointed at it, and one account with one source.
type world struct {
	*cloud.Cloud
	t     *testing.T
	url   string
	clock *clock
	p     *Provider
	opts  Options
	vault vault
	a     *outlay.CloudAccount
	s     *outlay.Source
	email string
}

// newWorld serves a cloud that Google's discovery documents judge, with a service account that may do everything.
func newWorld(t *testing.T, o cloud.Options) *world {
	t.Helper()
	clk := &clock{now: time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)}
	o.Dir, o.Now = t.TempDir(), clk.Now
	if o.RowsPerMonth == 0 {
		o.RowsPerMonth = 300
	}
	c, err := cloud.New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.AddOrganization(payer, "Northfield", cloud.Project{ID: hosting, Name: "Billing"}, cloud.Project{ID: "nf-genomics", Name: "Genomics"})
	c.AddOrganization(another, "Library", cloud.Project{ID: "lib-catalogue", Name: "Catalogue"})
	c.AddProject(sandbox, "Sandbox", "")
	server := httptest.NewServer(outlaytest.GoogleJudge(t)(c))
	t.Cleanup(func() {
		c.Close()
		server.CloseClientConnections()
		server.Close()
	})
	w := &world{Cloud: c, t: t, url: server.URL, clock: clk, vault: vault{}, email: cloud.Email(hosting, "outlay")}
	w.opts = Options{
		Secrets: w.vault, Clock: clk, Endpoint: server.URL, Transport: &http.Transport{}, NamingKey: []byte("a key for tests"), InstallationID: "ins_test",
		Answer: 30 * time.Second, Poll: time.Millisecond,
	}
	w.p = New(w.opts)
	w.vault["acc_1/"+fieldKeyJSON] = string(c.AddServiceAccount(hosting, "outlay", "*"))
	w.a = &outlay.CloudAccount{OrgID: "org_1", ID: "acc_1", Name: "main", Provider: Name, Credential: outlay.Credential{
		Kind: credKey, Values: map[string]string{fieldProjectID: hosting}, Version: 1,
	}}
	w.s = &outlay.Source{OrgID: "org_1", ID: "src_1", Provider: Name, AccountID: "acc_1", Origin: outlay.OriginCreated, Spec: &outlay.Spec{Region: "US", Fields: map[string]string{}}}
	return w
}

// whole is the look before a plan.
func whole() outlay.Look {
	return outlay.Look{Permissions: true, Members: true, Contents: true, Tags: true}
}

func (w *world) observe(look outlay.Look) outlay.Observation {
	w.t.Helper()
	seen, err := w.p.Observe(context.Background(), w.a, w.s, look)
	if err != nil {
		w.t.Fatalf("observe: %v", err)
	}
	return seen
}

func (w *world) plan(look outlay.Look) outlay.Plan {
	w.t.Helper()
	seen := w.observe(look)
	if w.a.Identity.AccountID == "" {
		w.a.Identity = seen.Identity
	}
	plan, err := w.p.Plan(w.s, seen)
	if err != nil {
		w.t.Fatalf("plan: %v", err)
	}
	return plan
}

// run makes a plan's changes as the engine does, with a ledger row before each and the outcome after. A person's step is
// left out.
func (w *world) run(plan outlay.Plan) error {
	for _, c := range plan.Changes {
		if c.Action == outlay.ActionKeep || c.Action == outlay.ActionManual {
			continue
		}
		if err := w.apply(c); err != nil {
			return fmt.Errorf("%s: %w", c.Step, err)
		}
	}
	return nil
}

func (w *world) apply(c outlay.Change) error {
	i := slices.IndexFunc(w.s.Resources, func(r outlay.Resource) bool { return r.Key() == c.Key() })
	if i < 0 && c.Action != outlay.ActionDelete {
		origin := outlay.CreatedByUs
		if c.Action != outlay.ActionCreate {
			origin = outlay.PreExisting
		}
		w.s.Resources = append(w.s.Resources, outlay.Resource{Kind: c.Kind, Name: c.Name, State: outlay.StateIntended, Origin: origin, IntentAt: w.clock.Now(), OperationID: "op_1"})
		i = len(w.s.Resources) - 1
	}
	r, err := w.p.Apply(context.Background(), w.a, w.s, c)
	if err != nil || i < 0 {
		return err
	}
	row := &w.s.Resources[i]
	row.State, row.ProviderID, row.Properties = r.State, r.ProviderID, r.Properties
	return nil
}

// up provisions up to the person's step, and fails the test when that does not work.
func (w *world) up() outlay.Plan {
	w.t.Helper()
	plan := w.plan(whole())
	if blocked := plan.Blocked(); blocked != "" {
		w.t.Fatalf("the plan is blocked: %s", blocked)
	}
	if err := w.run(plan); err != nil {
		w.t.Fatal(err)
	}
	return plan
}

// export does what a person does in the console, and lets Google deliver.
func (w *world) export(kind exportKind, deliveries int) {
	w.t.Helper()
	if err := w.Export(payer, string(kind), hosting, w.name()); err != nil {
		w.t.Fatal(err)
	}
	w.deliver(deliveries)
}

func (w *world) deliver(n int) {
	w.t.Helper()
	for range n {
		w.clock.add(time.Hour)
		if err := w.Deliver(context.Background(), w.clock.Now()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// down plans toward nothing.
func (w *world) down(files outlay.CostFiles) outlay.Plan {
	w.t.Helper()
	w.s.Spec, w.s.CostFiles = nil, files
	return w.plan(whole())
}

// name is the name of our dataset.
func (w *world) name() string { return w.p.namesOf(w.s, w.a.Identity).Dataset }

// live is our dataset as it stands.
func (w *world) live() (cloud.Live, bool) {
	for _, l := range w.Live() {
		if l.Kind == "dataset" && l.Name == hosting+"."+w.name() {
			return l, true
		}
	}
	return cloud.Live{}, false
}

func (w *world) deliveries() []outlay.Delivery {
	w.t.Helper()
	var out []outlay.Delivery
	for d, err := range w.p.Deliveries(w.t.Context(), w.a, w.s) {
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
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

// todo lists a plan's changes that do something, as 'create google/dataset'.
func todo(plan outlay.Plan) []string {
	var out []string
	for _, c := range plan.Changes {
		if c.Action != outlay.ActionKeep {
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

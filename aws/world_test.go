package aws

import (
	"context"
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
	cloud "outlay/simcloud/aws"

	"github.com/aws/aws-sdk-go-v2/credentials"
)

var update = flag.Bool("update", false, "write golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	outlaytest.Golden(t, *update, name, got)
}

// The accounts of the simulated cloud: an organization of two, one that stands alone, and the server's own.
const (
	payerAccount  = "111122223333"
	memberAccount = "222233334444"
	aloneAccount  = "333344445555"
	serverAccount = "999988887777"
)

// vault keeps secrets of test accounts in the open.
type vault = outlaytest.Vault

// world is a simulated AWS, the provider pointed at it, and one account with one source.
type world struct {
	*cloud.Cloud
	t     *testing.T
	url   string
	p     *Provider
	vault vault
	a     *outlay.CloudAccount
	s     *outlay.Source
	role  string // ARN of the account's role
}

// newWorld serves a cloud that the official models judge, with a role that may do everything in account.
func newWorld(t *testing.T, account string, o cloud.Options) *world {
	t.Helper()
	o.Dir = t.TempDir()
	c, err := cloud.New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.AddOrganization(cloud.Member{ID: payerAccount, Name: "Northfield"}, cloud.Member{ID: memberAccount, Name: "Physics"})
	c.AddAccount(aloneAccount, "Library")
	c.AddAccount(serverAccount, "Server")
	server := httptest.NewServer(outlaytest.AWSJudge(t)(c))
	t.Cleanup(func() {
		c.Close()
		server.CloseClientConnections()
		server.Close()
	})
	w := &world{Cloud: c, t: t, url: server.URL, vault: vault{}}
	id, secret := c.AddUser(serverAccount, "outlay-server", "sts:AssumeRole")
	w.p = New(Options{
		Secrets: w.vault, Ambient: credentials.NewStaticCredentialsProvider(id, secret, ""), Endpoint: server.URL, Transport: &http.Transport{},
		NamingKey: []byte("a key for tests"), InstallationID: "ins_test", Retry: Retry{Attempts: 3, MaxBackoff: 5 * time.Millisecond, Answer: 30 * time.Second},
	})
	external := NewExternalID()
	w.role = c.AddRole(account, "billing/outlay", c.UserARN(serverAccount, "outlay-server"), external, "*")
	w.a = &outlay.CloudAccount{OrgID: "org_1", ID: "acc_1", Name: "main", Provider: Name, Credential: outlay.Credential{
		Kind: kindRole, Values: map[string]string{fieldRole: w.role, fieldExternal: external}, Version: 1,
	}}
	w.s = &outlay.Source{OrgID: "org_1", ID: "src_1", Provider: Name, AccountID: "acc_1", Origin: outlay.OriginCreated,
		Spec: &outlay.Spec{Region: "eu-central-1", Tags: outlay.TagKeys()}}
	return w
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
		if err := w.apply(c); err != nil && !c.Soft {
			return fmt.Errorf("%s: %w", c.Step, err)
		}
	}
	return nil
}

func (w *world) apply(c outlay.Change) error {
	i := slices.IndexFunc(w.s.Resources, func(r outlay.Resource) bool { return r.Key() == c.Key() })
	if i < 0 && c.Action != outlay.ActionDelete {
		w.s.Resources = append(w.s.Resources, outlay.Resource{Kind: c.Kind, Name: c.Name, State: outlay.StateIntended, Origin: outlay.CreatedByUs,
			IntentAt: time.Now().UTC(), OperationID: "op_1"})
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

func (w *world) bucket() cloud.Live {
	w.t.Helper()
	for _, b := range w.Buckets() {
		if !b.Foreign {
			return b
		}
	}
	w.t.Fatal("there is no bucket")
	return cloud.Live{}
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

// todo lists a plan's changes that do something, as 'create aws/bucket'.
func todo(plan outlay.Plan) []string {
	var out []string
	for _, c := range plan.Changes {
		if c.Action != outlay.ActionKeep && c.Hold == "" && c.Kind != kindTag {
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

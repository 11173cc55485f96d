package azure_test

import (
	"slices"
	"testing"
	"time"

	"outlay"
	"outlay/azure"
	"outlay/outlaytest"
	simazure "outlay/simcloud/azure"
)

// opener gives the one secret there is.
type opener string

func (o opener) Open(*outlay.CloudAccount, string) (outlay.Secret, error) {
	return outlay.NewSecret(string(o)), nil
}

// product is the real provider pointed at the judged cloud, with one source and a ledger as plain as can be.
type product struct {
	t *testing.T
	p *azure.Provider
	a *outlay.CloudAccount
	s *outlay.Source
}

func (x *product) carryOut() {
	t, ctx := x.t, x.t.Context()
	t.Helper()
	seen, err := x.p.Observe(ctx, x.a, x.s, outlay.Look{Permissions: true, Members: true, Contents: true, Tags: true})
	if err != nil {
		t.Fatal(err)
	}
	x.a.Identity, x.s.Scope = seen.Identity, seen.Identity.Scope
	plan, err := x.p.Plan(x.s, seen)
	if err != nil || plan.Blocked() != "" {
		t.Fatalf("plan: %v %s", err, plan.Blocked())
	}
	for _, c := range plan.Changes {
		if c.Action == outlay.ActionKeep || c.Hold != "" {
			continue
		}
		row := x.row(c)
		got, err := x.p.Apply(ctx, x.a, x.s, c)
		if err != nil {
			t.Fatalf("%s: %v", c.Step, err)
		}
		row.State, row.Created = got.State, later(row.Created, got.Created)
		if got.ProviderID != "" {
			row.ProviderID = got.ProviderID
		}
		if got.Properties != nil {
			row.Properties = got.Properties
		}
	}
}

// row is the change's row of the ledger, made before the effect.
func (x *product) row(c outlay.Change) *outlay.Resource {
	i := slices.IndexFunc(x.s.Resources, func(r outlay.Resource) bool { return r.Key() == c.Key() })
	if i < 0 {
		x.s.Resources = append(x.s.Resources, outlay.Resource{Kind: c.Kind, Name: c.Name, State: outlay.StateIntended, Origin: outlay.CreatedByUs, IntentAt: time.Now().UTC(), OperationID: "op_1"})
		i = len(x.s.Resources) - 1
	}
	return &x.s.Resources[i]
}

func later(a, b time.Time) time.Time {
	if b.IsZero() {
		return a
	}
	return b
}

// The real provider's whole way – up, a delivery read, down – passes Microsoft's fakes call by call, and leaves nothing.
func TestProductIsJudged(t *testing.T) {
	judge := outlaytest.AzureJudge(t)
	c, err := simazure.New(simazure.Options{Dir: t.TempDir(), RowsPerMonth: 60, RetryAfter: time.Millisecond, Judge: judge, RunAccepted: true, DeleteNoContent: true})
	if err != nil {
		t.Fatal(err)
	}
	c.AddTenant(tenantID, "Northfield")
	c.AddSubscription(tenantID, subID, "research", "EnterpriseAgreement_2014-09-01")
	app, secret := c.AddApp(tenantID, "outlay")
	c.Grant(app, scope, "*", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read")
	url, ca, stop, err := c.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	x := &product{
		t: t, p: azure.New(azure.Options{Secrets: opener(secret), Endpoint: url, CA: ca, NamingKey: []byte("a key of this test"), InstallationID: "ins_test", Poll: 2 * time.Millisecond}),
		a: &outlay.CloudAccount{OrgID: "org_1", ID: "acc_1", Name: "main", Provider: azure.Name, Credential: outlay.Credential{
			Kind: "secret", Version: 1, Values: map[string]string{"tenant_id": tenantID, "subscription_id": subID, "client_id": app},
		}},
		s: &outlay.Source{OrgID: "org_1", ID: "src_1", Provider: azure.Name, AccountID: "acc_1", Origin: outlay.OriginCreated, Desired: outlay.Present, Spec: &outlay.Spec{Region: "westeurope", Fields: map[string]string{}}},
	}
	x.carryOut()
	if err := c.Deliver(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	read := 0
	for d, err := range x.p.Deliveries(t.Context(), x.a, x.s) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.p.Fetch(t.Context(), x.a, x.s, d, t.TempDir()); err != nil {
			t.Fatal(err)
		}
		read++
	}
	if read == 0 {
		t.Error("no delivery was read")
	}
	for i := range x.s.Resources {
		if x.s.Resources[i].State == outlay.StateCreated {
			x.s.Resources[i].State = outlay.StateVerified
		}
	}
	x.s.Spec, x.s.CostFiles = nil, outlay.DeleteCostFiles
	x.carryOut()
	if left := c.Snapshot(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
	asked := map[string]bool{}
	for _, r := range c.Requests() {
		asked[r.Operation] = true
	}
	for _, op := range []string{"Providers_Register", "ResourceGroups_CreateOrUpdate", "StorageAccounts_Create", "BlobContainers_Create", "Exports_CreateOrUpdate", "Exports_Run", "Permissions_List", "Blob_Get", "Exports_Delete", "ResourceGroups_Delete"} {
		if !asked[op] {
			t.Errorf("%s was never asked for", op)
		}
	}
}

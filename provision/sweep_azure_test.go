package provision_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/azure"
	simazure "outlay/simcloud/azure"
)

const (
	azureTenant       = "7a1c0b58-5f0e-4d0c-9a50-3f1a52c1e0aa"
	azureSubscription = "c3f1a1de-8d0b-4f6e-9d59-0d5d0b7a9b10"
)

// azureAddress is how a child process reaches the simulated Azure.
type azureAddress struct {
	URL string
	CA  []byte
}

// azureCase is Azure in the sweep, on the longest way: a subscription that is not registered, and cost data that comes
// as actual and amortized cost through two exports.
func azureCase() sweepCase {
	return sweepCase{name: "azure", up: 43, down: 28, start: startAzure, provider: func(connect string) outlay.Provider {
		var at azureAddress
		if err := json.Unmarshal([]byte(connect), &at); err != nil {
			panic(err)
		}
		return azure.New(azure.Options{
			Secrets: openSecrets{}, Endpoint: at.URL, CA: at.CA, Clock: outlay.SystemClock{}, NamingKey: []byte("a key of the sweep, 32 bytes long"),
			InstallationID: "ins_sweep", Poll: 20 * time.Millisecond, Retry: azure.Retry{Attempts: 3, Delay: 5 * time.Millisecond, MaxBackoff: 20 * time.Millisecond, Answer: 2 * time.Second},
		})
	}}
}

// azureCloud is a simulated Azure with a resource group, a storage account and an export of somebody else.
type azureCloud struct {
	*simazure.Cloud
	address        azureAddress
	client, secret string
}

func startAzure(t *testing.T, dir string, seed int64) sweepCloud {
	t.Helper()
	cloud, err := simazure.New(simazure.Options{
		Dir: filepath.Join(dir, "cloud"), RowsPerMonth: 30, Seed: seed, Polls: int(1 + seed%2), RetryAfter: 5 * time.Millisecond,
		RegisterLag: int(seed % 2), ReadLag: int(2 * (seed % 2)), RunAccepted: seed%2 == 1, DeleteNoContent: seed%2 == 1, RunsPerMinute: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	url, ca, stop, err := cloud.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	cloud.AddTenant(azureTenant, "Northwind")
	cloud.AddSubscription(azureTenant, azureSubscription, "prod", "EnterpriseAgreement_2014-09-01")
	client, secret := cloud.AddApp(azureTenant, "outlay")
	cloud.Grant(client, "/subscriptions/"+azureSubscription, "*", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read")
	cloud.PlantGroup(azureSubscription, "theirs", "westeurope")
	cloud.PlantAccount(azureSubscription, "theirs", "theirsaccount", "westeurope")
	cloud.PlantContainer("theirsaccount", "costs")
	cloud.PlantBlob("theirsaccount", "costs", "part", []byte("rows"))
	cloud.PlantExport("/subscriptions/"+azureSubscription, "theirs", "ActualCost", "Csv", "theirsaccount", "costs")
	return azureCloud{Cloud: cloud, address: azureAddress{url, ca}, client: client, secret: secret}
}

func (c azureCloud) connect() string {
	text, err := json.Marshal(c.address)
	if err != nil {
		panic(err) // plain data always marshals
	}
	return string(text)
}

func (c azureCloud) account() outlay.CloudAccount {
	return outlay.CloudAccount{Credential: outlay.Credential{
		Kind: "secret", Values: map[string]string{"tenant_id": azureTenant, "subscription_id": azureSubscription, "client_id": c.client},
		Sealed: map[string]outlay.Sealed{"client_secret": outlay.Sealed(c.secret)}, Version: 1,
	}}
}

func (c azureCloud) spec() outlay.Spec {
	return outlay.Spec{Region: "westeurope", Fields: map[string]string{"dataset": "actual-amortized"}}
}

func (c azureCloud) faults(rate float64, seed int64, all bool) {
	c.ClearFaults()
	if rate == 0 {
		return
	}
	var kinds []simazure.FaultKind
	if all {
		kinds = slices.DeleteFunc(simazure.FaultKinds(), func(k simazure.FaultKind) bool { return k == simazure.FlipByte })
	}
	c.RandomFaults(rate, seed, kinds...)
}

// deliver puts a part where a run would.
func (c azureCloud) deliver(context.Context) error {
	for _, l := range c.Snapshot() {
		if account, ok := accountOf(l); ok && !l.Foreign {
			c.PlantBlob(account, l.Name, "outlay/20261101-20261130/"+outlay.NewID("part"), []byte("rows"))
		}
	}
	return nil
}

// accountOf is the storage account of a container.
func accountOf(l simazure.Live) (string, bool) {
	_, after, ok := strings.Cut(l.ID, "/storageAccounts/")
	account, _, _ := strings.Cut(after, "/")
	return account, ok && l.Kind == "container"
}

func (c azureCloud) person() {}

func (c azureCloud) once() map[string]int {
	return map[string]int{"resource-group": 1, "storage-account": 1, "container": 1, "export": 2, "role-assignment": 2}
}

func (c azureCloud) live() []live {
	var out []live
	for _, l := range c.Snapshot() {
		x := live{Kind: l.Kind, Name: l.Name, Foreign: l.Foreign, Sick: l.Kind == "export" && !l.Active, Detail: l}
		for k, v := range l.Tags {
			if outlay.FoldTag(k) == "outlaysourceid" {
				x.Source = v
			}
		}
		_, after, _ := strings.Cut(l.Text, "outlay-source-id=")
		if l.Kind == "export" {
			x.Source, _, _ = strings.Cut(after, ";")
		}
		if l.Kind == "role-assignment" {
			x.Source = everySource // of an export's identity: it says no more, and nobody else has any here
		}
		out = append(out, x)
	}
	return out
}

package provision_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"outlay"
	"outlay/google"
	simgoogle "outlay/simcloud/google"
)

const (
	googleBilling = "01A2B3-C4D5E6-F708A9"
	googleProject = "northwind-prod"
)

// googleCase is Google Cloud in the sweep: a project whose BigQuery is not on yet, and a person who switches the export
// on while the run waits for it.
func googleCase() sweepCase {
	return sweepCase{name: "google", up: 23, down: 14, start: startGoogle, provider: func(endpoint string) outlay.Provider {
		return google.New(google.Options{
			Secrets: openSecrets{}, Endpoint: endpoint, Clock: outlay.SystemClock{}, NamingKey: []byte("a key of the sweep, 32 bytes long"),
			InstallationID: "ins_sweep", Answer: 2 * time.Second, Poll: 10 * time.Millisecond,
		})
	}}
}

// googleCloud is a simulated Google Cloud with a dataset of somebody else.
type googleCloud struct {
	*simgoogle.Cloud
	url string
	key []byte
}

func startGoogle(t *testing.T, dir string, seed int64) sweepCloud {
	t.Helper()
	cloud, err := simgoogle.New(simgoogle.Options{Dir: filepath.Join(dir, "cloud"), RowsPerMonth: 30, Seed: seed, EnableLag: int(seed % 2), SlowEnable: int(seed % 2)})
	if err != nil {
		t.Fatal(err)
	}
	url, stop, err := cloud.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	cloud.AddOrganization(googleBilling, "Northwind", simgoogle.Project{ID: googleProject, Name: "prod"})
	key := cloud.AddServiceAccount(googleProject, "outlay", "*")
	cloud.PlantDataset(googleProject, "theirs", "US", map[string]string{"managed-by": "somebody"})
	return googleCloud{Cloud: cloud, url: url, key: key}
}

func (c googleCloud) connect() string { return c.url }

func (c googleCloud) account() outlay.CloudAccount {
	return outlay.CloudAccount{Credential: outlay.Credential{
		Kind: "key", Values: map[string]string{"project_id": googleProject}, Sealed: map[string]outlay.Sealed{"key_json": outlay.Sealed(c.key)}, Version: 1,
	}}
}

func (c googleCloud) spec() outlay.Spec { return outlay.Spec{Region: "US"} }

func (c googleCloud) faults(rate float64, seed int64, all bool) {
	c.ClearFaults()
	if rate == 0 {
		return
	}
	var kinds []simgoogle.FaultKind
	if all {
		kinds = simgoogle.FaultKinds()
	}
	c.RandomFaults(rate, seed, kinds...)
}

// deliver lets a table appear where the export writes to: Google's own.
func (c googleCloud) deliver(context.Context) error {
	for _, d := range c.ours() {
		c.PlantTable(googleProject, d, "gcp_billing_export_resource_v1_01A2B3_C4D5E6_F708A9")
	}
	return nil
}

// ours are the ids of the datasets that are not somebody else's.
func (c googleCloud) ours() []string {
	var out []string
	for _, l := range c.Live() {
		if l.Kind == "dataset" && !l.Foreign && l.Type != "LINKED" {
			out = append(out, l.Name[len(googleProject)+1:])
		}
	}
	return out
}

// person switches the export on, as the run asks for.
func (c googleCloud) person() {
	for _, l := range c.Live() {
		if l.Kind == "export" {
			return
		}
	}
	for _, d := range c.ours() {
		_ = c.Export(googleBilling, simgoogle.Detailed, googleProject, d) // a dataset that just went is no matter
	}
}

func (c googleCloud) once() map[string]int { return map[string]int{"dataset": 1} }

// live leaves out tables and exports: tables live and go with their dataset, exports are Google's.
func (c googleCloud) live() []live {
	var out []live
	for _, l := range c.Live() {
		if l.Kind == "dataset" {
			out = append(out, live{Kind: l.Kind, Name: l.Name, Source: l.Labels["outlay-source-id"], Foreign: l.Foreign, Detail: l})
		}
	}
	return out
}

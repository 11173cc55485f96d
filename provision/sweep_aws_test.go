package provision_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"outlay"
	"outlay/aws"
	simaws "outlay/simcloud/aws"
)

const awsAccount = "482109375516"

// awsCase is AWS in the sweep.
func awsCase() sweepCase {
	return sweepCase{name: "aws", up: 35, down: 21, start: startAWS, provider: func(endpoint string) outlay.Provider {
		return aws.New(aws.Options{
			Secrets: openSecrets{}, Endpoint: endpoint, Clock: outlay.SystemClock{}, NamingKey: []byte("a key of the sweep, 32 bytes long"),
			InstallationID: "ins_sweep", Retry: aws.Retry{Attempts: 3, MaxBackoff: 20 * time.Millisecond, Answer: 2 * time.Second},
		})
	}}
}

// awsCloud is a simulated AWS with a bucket and an export of somebody else.
type awsCloud struct {
	*simaws.Cloud
	url, key, secret string
	// bills says that deliveries are real bills; making one takes longer than everything else in a run.
	bills bool
}

func startAWS(t *testing.T, dir string, seed int64) sweepCloud {
	t.Helper()
	cloud, err := simaws.New(simaws.Options{
		Dir: filepath.Join(dir, "cloud"), ExportQuota: 50, RowsPerMonth: 30, Seed: seed,
		ListLag: int(2 * (seed % 2)), PolicyLag: int(seed % 2), LateDelivery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	url, stop, err := cloud.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	cloud.AddAccount(awsAccount, "prod")
	key, secret := cloud.AddUser(awsAccount, "billing", "*")
	cloud.PlantBucket(awsAccount, "us-east-1", "theirs-482109375516")
	cloud.PlantExport(awsAccount, "outlay-focus-theirs", "theirs-482109375516")
	return awsCloud{Cloud: cloud, url: url, key: key, secret: secret, bills: seed < 2}
}

func (c awsCloud) connect() string { return c.url }

func (c awsCloud) account() outlay.CloudAccount {
	return outlay.CloudAccount{Credential: outlay.Credential{
		Kind: "keys", Values: map[string]string{"access_key_id": c.key}, Sealed: map[string]outlay.Sealed{"secret_access_key": outlay.Sealed(c.secret)}, Version: 1,
	}}
}

func (c awsCloud) spec() outlay.Spec { return outlay.Spec{Region: "eu-central-1"} }

func (c awsCloud) faults(rate float64, seed int64, all bool) {
	c.ClearFaults()
	if rate == 0 {
		return
	}
	var kinds []simaws.FaultKind
	if all {
		// A flipped byte in an answer is what TLS is there to prevent: it would put a wrong id into the ledger, and
		// what has another id than ours is not deleted.
		kinds = slices.DeleteFunc(simaws.FaultKinds(), func(k simaws.FaultKind) bool { return k == simaws.BadChecksum })
	}
	c.RandomFaults(rate, seed, kinds...)
}

func (c awsCloud) deliver(ctx context.Context) error {
	if c.bills {
		return c.Deliver(ctx, outlay.SystemClock{}.Now())
	}
	for _, e := range c.Exports() {
		if !e.Foreign {
			c.PlantObject(e.Bucket, e.Prefix+"/"+e.Name+"/data/BILLING_PERIOD=2026-11/"+outlay.NewID("part"), []byte("rows"))
		}
	}
	return nil
}

func (c awsCloud) person() {}

func (c awsCloud) once() map[string]int { return map[string]int{"bucket": 1, "export": 1} }

func (c awsCloud) live() []live {
	var out []live
	for _, l := range c.Snapshot() {
		out = append(out, live{Kind: l.Kind, Name: l.Name, Source: l.Tags["outlay:source-id"], Foreign: l.Foreign, Sick: l.Kind == "export" && !l.Healthy, Detail: l})
	}
	return out
}

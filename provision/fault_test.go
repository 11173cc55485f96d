package provision_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"outlay"
	"outlay/aws"
	"outlay/outlaytest"
	simaws "outlay/simcloud/aws"
)

// TestFaultsAWS is T3 of reliability.md for AWS: every call of a source's life, each fault once. Another cloud plugs in
// with an outlaytest.FaultSubject of its own.
func TestFaultsAWS(t *testing.T) {
	outlaytest.FaultTable(t, outlaytest.FaultSubject{
		World: awsFaultWorld,
		Call:  simaws.OperationOf,
		Refuse: func(f outlaytest.Fault, r *http.Request, body []byte) (int, http.Header, []byte) {
			kind, status := simaws.Throttle, http.StatusTooManyRequests
			switch f {
			case outlaytest.FaultBrokenBefore:
				kind, status = simaws.FailBefore, 0
			case outlaytest.FaultUnavailable:
				kind, status = simaws.UnavailableFirst, 0
			case outlaytest.FaultExpired:
				kind, status = simaws.ExpiredToken, 0
			case outlaytest.FaultSkewed:
				kind, status = simaws.SkewedClock, 0
			}
			a := simaws.Refusal(r, body, kind, status)
			return a.Status, a.Header, a.Body
		},
		// AWS de-duplicates neither; a bucket made again in us-east-1 is a success that resets its access lists.
		Once:         func(call string) bool { return call == "bcm-data-exports:CreateExport" || call == "s3:CreateBucket" },
		RetryHeaders: map[string]string{"Retry-After": "1"},
	})
}

// plainSecrets are secrets of test accounts in the open.
type plainSecrets map[string]string

func (s plainSecrets) Open(_ *outlay.CloudAccount, field string) (outlay.Secret, error) {
	return outlay.NewSecret(s[field]), nil
}

// awsFaultWorld is a payer account with a member, and a role that this server assumes.
func awsFaultWorld(t testing.TB, proxy *outlaytest.FaultProxy) *outlaytest.FaultWorld {
	t.Helper()
	const server, payer, member, org = "999988887777", "111122223333", "222233334444", "org_faults"
	cloud, err := simaws.New(simaws.Options{Dir: t.TempDir(), RowsPerMonth: 40, ExportQuota: 50})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	cloud.AddOrganization(simaws.Member{ID: awsAccount, Name: "prod"}, simaws.Member{ID: member, Name: "lab"})
	cloud.AddAccount(server, "server")
	cloud.SeeTags(outlay.TagKeys()...)
	id, secret := cloud.AddUser(server, "outlay", "sts:AssumeRole")
	external := aws.NewExternalID()
	role := cloud.AddRole(awsAccount, "billing", cloud.UserARN(server, "outlay"), external, "*")
	w := &outlaytest.FaultWorld{
		Provider: aws.New(aws.Options{
			Secrets: plainSecrets{}, Ambient: credentials.NewStaticCredentialsProvider(id, secret, ""), Endpoint: proxy.Serve(t, cloud), Transport: &http.Transport{},
			NamingKey: []byte("a key for tests"), InstallationID: "ins_test", Retry: aws.Retry{Attempts: 2, MaxBackoff: 2 * time.Millisecond, Answer: proxy.Patience},
		}),
		Account: &outlay.CloudAccount{OrgID: org, ID: "acc_1", Name: "prod", Provider: aws.Name, Credential: outlay.Credential{
			Kind: "role", Values: map[string]string{"role_arn": role, "external_id": external}, Version: 1,
		}},
		Source: &outlay.Source{
			OrgID: org, ID: "src_1", Provider: aws.Name, AccountID: "acc_1", Origin: outlay.OriginCreated,
			Spec: &outlay.Spec{Region: "eu-central-1", Tags: []string{"Project", "User"}},
		},
	}
	w.Live = func() []string {
		var out []string
		for _, l := range cloud.Snapshot() {
			out = append(out, l.Kind+" "+l.Name)
		}
		return out
	}
	w.Rest = w.Live
	w.Deliver = func() error { return cloud.Deliver(t.Context(), time.Now()) }
	w.Fill = func() {
		for _, b := range cloud.Buckets() {
			cloud.PlantObject(b.Name, "outlay/one/data/BILLING_PERIOD=2026-10/one-00001.snappy.parquet", []byte("PAR1"))
		}
	}
	return w
}

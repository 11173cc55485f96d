package aws_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports"
	cur "github.com/aws/aws-sdk-go-v2/service/costandusagereportservice"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"outlay/outlaytest"
	"outlay/simcloud/aws"
)

const (
	payerID  = "111122223333"
	memberID = "222233334444"
	aloneID  = "333344445555"
)

// world is a cloud with an organization of two, a standalone account, and an administrator in each.
type world struct {
	*aws.Cloud
	url string
	t   *testing.T
}

// newWorld serves a cloud whose every request and answer the official models judge.
func newWorld(t *testing.T, o aws.Options) *world {
	t.Helper()
	return serve(t, o, outlaytest.AWSJudge(t))
}

// newLawlessWorld is for requests that the models rightly find wrong: what would the service say?
func newLawlessWorld(t *testing.T, o aws.Options) *world {
	t.Helper()
	return serve(t, o, func(h http.Handler) http.Handler { return h })
}

func serve(t *testing.T, o aws.Options, judge func(http.Handler) http.Handler) *world {
	t.Helper()
	o.Dir = t.TempDir()
	cloud, err := aws.New(o)
	if err != nil {
		t.Fatal(err)
	}
	cloud.AddOrganization(aws.Member{ID: payerID, Name: "Northfield"}, aws.Member{ID: memberID, Name: "Physics"})
	cloud.AddAccount(aloneID, "Library")
	server := httptest.NewServer(judge(cloud))
	t.Cleanup(func() {
		cloud.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return &world{cloud, server.URL, t}
}

// clients are the real SDK clients of one credential, with the SDK's own retries off.
type clients struct {
	sts  *sts.Client
	s3   *s3.Client
	iam  *iam.Client
	org  *organizations.Client
	bcm  *bcmdataexports.Client
	ce   *costexplorer.Client
	cur  *cur.Client
	cred awssdk.CredentialsProvider
}

func (w *world) as(account, user string, allow ...string) clients {
	id, secret := w.AddUser(account, user, allow...)
	return w.clients(credentials.NewStaticCredentialsProvider(id, secret, ""), "us-east-1")
}

func (w *world) clients(cred awssdk.CredentialsProvider, region string) clients {
	cfg := awssdk.Config{Region: region, Credentials: cred, BaseEndpoint: &w.url, RetryMaxAttempts: 1, HTTPClient: &http.Client{Timeout: 20 * time.Second}}
	return clients{
		sts: sts.NewFromConfig(cfg), iam: iam.NewFromConfig(cfg), org: organizations.NewFromConfig(cfg),
		bcm: bcmdataexports.NewFromConfig(cfg), ce: costexplorer.NewFromConfig(cfg), cur: cur.NewFromConfig(cfg), cred: cred,
		s3: s3.NewFromConfig(cfg, func(o *s3.Options) {
			o.UsePathStyle = true
			o.ResponseChecksumValidation = awssdk.ResponseChecksumValidationWhenSupported
		}),
	}
}

// wantCode fails unless err is an API error of the code.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Fatalf("got error %v, want the code %s", err, code)
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestWhoAmI(t *testing.T) {
	w := newWorld(t, aws.Options{})
	ctx := context.Background()
	me := must[*sts.GetCallerIdentityOutput](t)(w.as(payerID, "ada").sts.GetCallerIdentity(ctx, nil))
	if *me.Account != payerID || *me.Arn != "arn:aws:iam::111122223333:user/ada" {
		t.Errorf("got %s %s", *me.Account, *me.Arn)
	}
	id, secret := w.AddUser(payerID, "ada")
	_, err := w.clients(credentials.NewStaticCredentialsProvider(id, secret+"x", ""), "us-east-1").sts.GetCallerIdentity(ctx, nil)
	wantCode(t, err, "SignatureDoesNotMatch")
	_, err = w.clients(credentials.NewStaticCredentialsProvider("AKIANOBODYNOBODY", secret, ""), "us-east-1").sts.GetCallerIdentity(ctx, nil)
	wantCode(t, err, "InvalidClientTokenId")
	_, err = w.clients(credentials.NewStaticCredentialsProvider("AKIANOBODYNOBODY", secret, ""), "us-east-1").s3.ListBuckets(ctx, nil)
	wantCode(t, err, "InvalidAccessKeyId")
	_, err = w.clients(credentials.NewStaticCredentialsProvider(id, secret+"x", ""), "us-east-1").s3.ListBuckets(ctx, nil)
	wantCode(t, err, "SignatureDoesNotMatch")
	_, err = w.clients(credentials.NewStaticCredentialsProvider(id, secret+"x", ""), "us-east-1").bcm.ListExports(ctx, nil)
	wantCode(t, err, "InvalidSignatureException")
}

func mustRead(t *testing.T, out *s3.GetObjectOutput) string {
	t.Helper()
	defer func() { _ = out.Body.Close() }()
	b, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

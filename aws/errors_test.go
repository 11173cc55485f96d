package aws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"outlay"
	cloud "outlay/simcloud/aws"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestVerdicts lets S3 answer everything of the table (clouds.md §9), and reads the verdict.
func TestVerdicts(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	ses, err := w.p.session(context.Background(), w.a)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		status  int
		answer  string
		code    outlay.Code
		outcome outlay.Outcome
	}{
		{403, "AccessDenied", outlay.CodeForbidden, outlay.DefinitelyNot},
		{403, "AllAccessDisabled", outlay.CodeForbidden, outlay.DefinitelyNot},
		{403, "InvalidAccessKeyId", outlay.CodeForbidden, outlay.DefinitelyNot},
		{400, "ExpiredToken", outlay.CodeForbidden, outlay.DefinitelyNot},
		{403, "RequestTimeTooSkewed", outlay.CodeUnavailable, outlay.DefinitelyNot},
		{503, "SlowDown", outlay.CodeThrottled, outlay.DefinitelyNot},
		{429, "Whatever", outlay.CodeThrottled, outlay.Unknown},
		{409, "BucketAlreadyExists", outlay.CodeConflict, outlay.DefinitelyNot},
		{409, "BucketAlreadyOwnedByYou", outlay.CodeConflict, outlay.Unknown},
		{409, "OperationAborted", outlay.CodeUnavailable, outlay.Unknown},
		{409, "BucketNotEmpty", outlay.CodeUnavailable, outlay.DefinitelyNot},
		{409, "Whatever", outlay.CodeConflict, outlay.Unknown},
		{400, "TooManyBuckets", outlay.CodeConflict, outlay.DefinitelyNot},
		{400, "IllegalLocationConstraintException", outlay.CodeInvalid, outlay.DefinitelyNot},
		{301, "PermanentRedirect", outlay.CodeInvalid, outlay.DefinitelyNot},
		{404, "NoSuchBucket", outlay.CodeNotFound, outlay.DefinitelyNot},
		{404, "Whatever", outlay.CodeNotFound, outlay.DefinitelyNot},
		{412, "PreconditionFailed", outlay.CodeConflict, outlay.DefinitelyNot},
		{400, "MalformedXML", outlay.CodeInvalid, outlay.DefinitelyNot},
		{408, "Whatever", outlay.CodeUnavailable, outlay.Unknown},
		{500, "InternalError", outlay.CodeUnavailable, outlay.Unknown},
		{503, "ServiceUnavailable", outlay.CodeUnavailable, outlay.Unknown},
	} {
		t.Run(fmt.Sprint(row.status, row.answer), func(t *testing.T) {
			w.Fault(cloud.Fault{Match: "PutBucketPolicy", Kind: cloud.Answer, Status: row.status, Code: row.answer, Message: "for the test", Times: 3})
			defer w.ClearFaults()
			bucket, policy := "b", "{}"
			_, err := ses.s3("us-east-1").PutBucketPolicy(context.Background(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &policy})
			e := outlay.AsError(failure(err, call{Action: "s3:PutBucketPolicy", Resource: "r", Doing: "testing"}))
			if e.Code != row.code || e.Outcome != row.outcome || !strings.HasPrefix(e.Message, "testing: ") || e.Err == nil {
				t.Errorf("%+v", e)
			}
			if !strings.Contains(e.Err.Error(), "RequestID: ") {
				t.Errorf("no request id in %v", e.Err)
			}
		})
	}
	if failure(nil, call{}) != nil {
		t.Error("nil became an error")
	}
}

// TestNeverSent tells a connection that was never made from one that was cut.
func TestNeverSent(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	tlsServer := httptest.NewUnstartedServer(http.NotFoundHandler())
	tlsServer.Config.ErrorLog = log.New(io.Discard, "", 0)
	tlsServer.StartTLS()
	defer tlsServer.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}))
	defer cut.Close()
	for name, row := range map[string]struct {
		url     string
		outcome outlay.Outcome
	}{
		"refused": {"http://" + closed.Addr().String(), outlay.NeverSent}, "certificate": {tlsServer.URL, outlay.NeverSent},
		"no such host": {"http://nowhere.invalid", outlay.NeverSent}, "cut": {cut.URL, outlay.Unknown},
	} {
		p := New(Options{Endpoint: row.url, Transport: &http.Transport{}, Secrets: vault{"acc/" + fieldKeySecret: "s"}, Retry: Retry{Attempts: 1}})
		a := &outlay.CloudAccount{ID: "acc", Credential: outlay.Credential{Kind: kindKeys, Values: map[string]string{fieldKeyID: "AKIA"}}}
		_, err := p.Observe(context.Background(), a, nil, outlay.Look{})
		e, ok := errors.AsType[*outlay.Error](err)
		if !ok || e.Code != outlay.CodeUnavailable || e.Outcome != row.outcome {
			t.Errorf("%s: %+v", name, err)
		}
	}
}

// TestPatience gives up a server that falls silent, before the answer or in the middle of it, and no other.
func TestPatience(t *testing.T) {
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/silent":
			<-stop
		case "/half":
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "12345")
			w.(http.Flusher).Flush()
			<-stop
		default:
			_, _ = io.WriteString(w, "whole")
		}
	}))
	defer server.Close()
	defer close(stop)
	client := newHTTPClient(&http.Transport{}, 200*time.Millisecond)
	for path, want := range map[string]bool{"/silent": true, "/half": true, "/fine": false} {
		ctx, calls := outlay.WithCalls(context.Background())
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		if errors.Is(err, errSilent) != want || (err != nil) != want {
			t.Errorf("%s: %v", path, err)
		}
		if calls() != 1 {
			t.Errorf("%s: %d calls were counted", path, calls())
		}
	}
}

// TestNoNamespace meets a part of AWS that keeps no names for one account.
func TestNoNamespace(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{NoAccountRegional: true})
	err := w.run(w.plan(whole()))
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeInvalid || e.Outcome != outlay.DefinitelyNot || e.Field != fieldBucket {
		t.Errorf("%+v", e)
	}
	w.s.Resources = nil
	w.s.Spec.Fields = map[string]string{fieldBucket: "outlay-northfield-billing"}
	if err := w.run(w.plan(whole())); err != nil {
		t.Error(err)
	}
	w.s.Resources = nil
	w.s.Spec.Region = "us-west-2"
	if plan := w.plan(whole()); !strings.Contains(plan.Blocked(), "is in region eu-central-1") {
		t.Errorf("the same name in another region: %q", plan.Blocked())
	}
}

func TestAbout(t *testing.T) {
	p := New(Options{Principal: "arn:aws:iam::" + serverAccount + ":role/outlay"})
	about := p.About()
	if about.Name != p.Name() || about.CredentialKinds[0].Kind != kindRole || about.CredentialKinds[0].Warning != "" || about.CredentialKinds[1].Warning == "" {
		t.Errorf("about: %+v", about)
	}
	secret := 0
	for _, k := range about.CredentialKinds {
		for _, f := range k.Fields {
			if f.Secret {
				secret++
			}
			if f.Generated != (f.Name == fieldExternal) {
				t.Errorf("%s is generated: %v", f.Name, f.Generated)
			}
		}
	}
	setup := about.CredentialKinds[0].Setup
	if secret != 2 || !strings.Contains(setup, "{external_id}") || !strings.Contains(setup, p.opts.Principal) || !strings.Contains(setup, "s3:CreateBucket") {
		t.Errorf("%d secrets; set-up: %s", secret, setup)
	}
	for _, r := range about.Regions {
		if !strings.HasPrefix(r.Title, r.ID+" · ") || !knownRegion("aws", r.ID) {
			t.Errorf("region %+v", r)
		}
	}
}

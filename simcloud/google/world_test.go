package google_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"golang.org/x/oauth2"
	oauthgoogle "golang.org/x/oauth2/google"
	"golang.org/x/oauth2/jwt"
	"google.golang.org/api/cloudbilling/v1"
	"google.golang.org/api/cloudresourcemanager/v3"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/api/serviceusage/v1"

	"outlay/outlaytest"
	"outlay/simcloud/google"
)

const (
	payer   = "01AB23-45CD67-89EF01"
	host    = "northfield-billing"
	dataset = "billing"
)

// world is a cloud with a billing account, three projects, and a server that Google's models judge.
type world struct {
	*google.Cloud
	t   *testing.T
	url string
}

// noon is the clock of most tests: the middle of a month.
func noon() time.Time { return time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC) }

func newWorld(t *testing.T, o google.Options) *world {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Now == nil {
		o.Now = noon
	}
	c, err := google.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(outlaytest.GoogleJudge(t)(c))
	t.Cleanup(func() { c.Close(); server.Close() })
	c.AddOrganization(payer, "Northfield", google.Project{ID: host, Name: "Billing"}, google.Project{ID: "nf-genomics", Name: "Genomics"}, google.Project{ID: "nf-cfd", Name: "Fluids"})
	c.SetService(host, "bigquery.googleapis.com", true)
	return &world{c, t, server.URL}
}

// clients are the real ones, signed in as one service account.
type clients struct {
	bq       *bigquery.Client
	projects *cloudresourcemanager.Service
	services *serviceusage.Service
	billing  *cloudbilling.APIService
	tokens   oauth2.TokenSource
}

func (w *world) as(name string, permissions ...string) *clients {
	w.t.Helper()
	return w.with(w.AddServiceAccount(host, name, permissions...))
}

func (w *world) with(key []byte) *clients {
	w.t.Helper()
	conf := must[*jwt.Config](w.t)(oauthgoogle.JWTConfigFromJSON(key, "https://www.googleapis.com/auth/cloud-platform"))
	conf.TokenURL = w.url + "/token"
	c := &clients{tokens: conf.TokenSource(context.Background())}
	at := func(path string) []option.ClientOption {
		return []option.ClientOption{option.WithEndpoint(w.url + path), option.WithTokenSource(c.tokens)}
	}
	ctx := w.t.Context()
	c.bq = must[*bigquery.Client](w.t)(bigquery.NewClient(ctx, host, at("/bigquery/v2/")...))
	c.projects = must[*cloudresourcemanager.Service](w.t)(cloudresourcemanager.NewService(ctx, at("/")...))
	c.services = must[*serviceusage.Service](w.t)(serviceusage.NewService(ctx, at("/")...))
	c.billing = must[*cloudbilling.APIService](w.t)(cloudbilling.NewService(ctx, at("/")...))
	return c
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// wantReason checks status and reason of a refusal.
func wantReason(t *testing.T, err error, status int, reason string) {
	t.Helper()
	var e *googleapi.Error
	if !errors.As(err, &e) {
		t.Errorf("got %v, want a refusal %d %s", err, status, reason)
		return
	}
	got := ""
	if len(e.Errors) > 0 {
		got = e.Errors[0].Reason
	}
	if e.Code != status || (reason != "" && got != reason) {
		t.Errorf("got %d %s (%s), want %d %s", e.Code, got, e.Message, status, reason)
	}
}

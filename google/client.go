package google

import (
	"context"

	"outlay"

	"cloud.google.com/go/compute/metadata"
	"golang.org/x/oauth2"
	"google.golang.org/api/bigquery/v2"
	"google.golang.org/api/cloudbilling/v1"
	"google.golang.org/api/cloudresourcemanager/v3"
	"google.golang.org/api/option"
	"google.golang.org/api/serviceusage/v1"
)

// maxKept bounds what is kept in memory about accounts and tables; beyond it everything is found out anew.
const maxKept = 4096

// session is a signed-in account: the clients of the four services. Whatever base address they have is a constant.
type session struct {
	projects *cloudresourcemanager.Service
	services *serviceusage.Service
	billing  *cloudbilling.APIService
	bigquery *bigquery.Service
	token    oauth2.TokenSource
	project  string // the account's own
}

func (p *Provider) session(ctx context.Context, a *outlay.CloudAccount) (session, error) {
	if a == nil {
		return session{}, outlay.Errorf(outlay.CodeInvalid, "", "no account was given")
	}
	ses := session{project: a.Credential.Values[fieldProjectID]}
	if !projectText.MatchString(ses.project) {
		return session{}, outlay.Errorf(outlay.CodeInvalid, "Use the project ID of the Google Cloud console, not its name or number.", "%q is not a project ID", clip(ses.project, 60)).InField(fieldProjectID)
	}
	var err error
	if ses.token, err = p.tokenSource(a); err != nil {
		return session{}, err
	}
	client := option.WithHTTPClient(p.signed(ses.token))
	at := func(real, path string) option.ClientOption { return option.WithEndpoint(p.url(real, path)) }
	agent := option.WithUserAgent("outlay")
	ses.projects, err = cloudresourcemanager.NewService(ctx, client, agent, at("https://cloudresourcemanager.googleapis.com/", "/"))
	if err == nil {
		ses.services, err = serviceusage.NewService(ctx, client, agent, at("https://serviceusage.googleapis.com/", "/"))
	}
	if err == nil {
		ses.billing, err = cloudbilling.NewService(ctx, client, agent, at("https://cloudbilling.googleapis.com/", "/"))
	}
	if err == nil {
		ses.bigquery, err = bigquery.NewService(ctx, client, agent, at("https://bigquery.googleapis.com/bigquery/v2/", "/bigquery/v2/"))
	}
	if err != nil {
		return session{}, outlay.Errorf(outlay.CodeInternal, "", "Google's clients cannot be made: %w", err)
	}
	return ses, nil
}

// attachedEmail asks the metadata server whom this server acts as.
func attachedEmail(ctx context.Context) (string, error) {
	email, err := metadata.EmailWithContext(ctx, "default")
	if err != nil {
		return "", &outlay.Error{
			Code: outlay.CodeUnavailable, Outcome: outlay.NeverSent, Err: err, Message: "this server's metadata server did not say which service account is attached",
			Fix: "Attach a service account to this server, or use another kind of credential.",
		}
	}
	return email, nil
}

package azure

import (
	"context"
	"net/url"
	"strings"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
)

// session is a signed-in account: it makes the clients of the services.
type session struct {
	p            *Provider
	cred         azcore.TokenCredential
	subscription string
	opts         arm.ClientOptions
}

// session signs in with the account's stored credential, and with nothing else: never with what the server's
// environment, its files or its machine would offer (clouds.md §3.11). A credential that was rotated to another
// subscription than the account is bound to is refused.
func (p *Provider) session(a *outlay.CloudAccount) (session, error) {
	if a == nil {
		return session{}, outlay.Errorf(outlay.CodeInvalid, "", "no account was given")
	}
	cred, err := p.credential(a)
	if err != nil {
		return session{}, err
	}
	ses := session{p: p, cred: cred, subscription: strings.ToLower(a.Credential.Values[fieldSubscription])}
	if !isGUID(ses.subscription) {
		return session{}, outlay.Errorf(outlay.CodeInvalid, "Enter the subscription ID, 32 hexadecimal digits with dashes.", "the account has no subscription ID").InField(fieldSubscription)
	}
	if bound := a.Identity.AccountID; bound != "" && !strings.EqualFold(bound, ses.subscription) { // reliability.md M11
		return session{}, outlay.Errorf(outlay.CodeConflict, "Store a credential for subscription "+bound+", or add subscription "+ses.subscription+" as an account of its own.",
			"the credential is for subscription %s, but this account is bound to %s", ses.subscription, bound)
	}
	// The SDK registers resource providers by itself unless told not to; we do it as a step of the plan.
	ses.opts = arm.ClientOptions{ClientOptions: p.clientOptions(), DisableRPRegistration: true}
	return ses, nil
}

// clientOptions have nothing in them that was not given.
func (p *Provider) clientOptions() policy.ClientOptions {
	return policy.ClientOptions{
		Cloud: p.cloud(), Transport: p.http, Telemetry: policy.TelemetryOptions{ApplicationID: "outlay"},
		Retry: policy.RetryOptions{MaxRetries: int32(p.opts.Retry.Attempts) - 1, RetryDelay: p.opts.Retry.Delay, MaxRetryDelay: p.opts.Retry.MaxBackoff},
	}
}

// cloud says where Entra and Resource Manager are.
func (p *Provider) cloud() cloud.Configuration {
	if p.opts.Endpoint == "" {
		return cloud.AzurePublic
	}
	base := strings.TrimSuffix(p.opts.Endpoint, "/")
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: base + "/",
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: base, Audience: "https://management.core.windows.net/"},
		},
	}
}

// once is the session whose calls the SDK never repeats: for writes. The engine looks before it repeats one.
func (ses session) once() session {
	ses.opts.Retry.MaxRetries = -1
	return ses
}

// The clients. Their constructors fail only for options that clientOptions never gives.

func (ses session) subscriptions() (*armsubscriptions.Client, error) {
	return armsubscriptions.NewClient(ses.cred, &ses.opts)
}

func (ses session) exports() (*armcostmanagement.ExportsClient, error) {
	return armcostmanagement.NewExportsClient(ses.cred, &ses.opts)
}

func (ses session) settings() (*armcostmanagement.SettingsClient, error) {
	return armcostmanagement.NewSettingsClient(ses.cred, &ses.opts)
}

func (ses session) providers() (*armresources.ProvidersClient, error) {
	return armresources.NewProvidersClient(ses.subscription, ses.cred, &ses.opts)
}

func (ses session) groups() (*armresources.ResourceGroupsClient, error) {
	return armresources.NewResourceGroupsClient(ses.subscription, ses.cred, &ses.opts)
}

func (ses session) resources() (*armresources.Client, error) {
	return armresources.NewClient(ses.subscription, ses.cred, &ses.opts)
}

func (ses session) accounts() (*armstorage.AccountsClient, error) {
	return armstorage.NewAccountsClient(ses.subscription, ses.cred, &ses.opts)
}

func (ses session) containers() (*armstorage.BlobContainersClient, error) {
	return armstorage.NewBlobContainersClient(ses.subscription, ses.cred, &ses.opts)
}

func (ses session) assignments() (*armauthorization.RoleAssignmentsClient, error) {
	return armauthorization.NewRoleAssignmentsClient(ses.subscription, ses.cred, &ses.opts)
}

// blobs is the client of a storage account's blobs. accountURL is the account's primary endpoint with a slash at its
// end; one that is not Azure's own (or the Endpoint's) is CodeInvalid before a token is asked for.
func (p *Provider) blobs(_ context.Context, a *outlay.CloudAccount, accountURL string) (*azblob.Client, error) {
	u, err := url.Parse(accountURL)
	if err != nil || !allowedHosts(p.opts.Endpoint)(u) || u.User != nil || u.RawQuery != "" {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Check the storage account of this set-up.", "%q is not the address of an Azure storage account", clip(accountURL, 200))
	}
	ses, err := p.session(a)
	if err != nil {
		return nil, err
	}
	client, err := azblob.NewClient(accountURL, ses.cred, &azblob.ClientOptions{ClientOptions: p.clientOptions()})
	if err != nil {
		return nil, outlay.Errorf(outlay.CodeInternal, "", "cannot make a client of the storage account: %w", err)
	}
	return client, nil
}

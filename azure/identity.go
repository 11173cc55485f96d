package azure

import (
	"context"
	"strings"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
)

// What Identity.Extra remembers.
const (
	extraTenant = "tenant"
	extraQuota  = "quota" // tells the offer, see offerOf
	extraState  = "state" // of the subscription
	extraName   = "name"  // of the subscription
)

// whoami asks Azure about the subscription, and refuses a credential whose tenant is now another (reliability.md M11).
func (p *Provider) whoami(ctx context.Context, ses session, a *outlay.CloudAccount, s *outlay.Source) (outlay.Identity, error) {
	client, err := ses.subscriptions()
	if err != nil {
		return outlay.Identity{}, err
	}
	bound := a.Identity
	got, err := client.Get(ctx, ses.subscription, nil)
	if err != nil {
		return outlay.Identity{}, failure(err, call{Action: "Microsoft.Resources/subscriptions/read", Resource: "/subscriptions/" + ses.subscription, Doing: "reading the subscription"})
	}
	id := outlay.Identity{AccountID: ses.subscription, Principal: principalOf(a), Extra: map[string]string{}}
	for k, v := range bound.Extra {
		id.Extra[k] = v
	}
	describe(got.Subscription, id.Extra)
	tenant := id.Extra[extraTenant]
	if asked := a.Credential.Values[fieldTenant]; tenant != "" && !strings.EqualFold(tenant, asked) {
		return outlay.Identity{}, outlay.Errorf(outlay.CodeConflict, "Enter the tenant that the subscription belongs to.", "the subscription belongs to tenant %s, and the credential to %s", tenant, asked).InField(fieldTenant)
	}
	if was := bound.Extra[extraTenant]; was != "" && was != tenant {
		return outlay.Identity{}, outlay.Errorf(outlay.CodeConflict, "Add the subscription as an account of its own.", "subscription %s has moved from tenant %s to %s", id.AccountID, was, tenant)
	}
	id.Scope, err = scopeOf(a, s, ses.subscription)
	return id, err
}

// describe notes what Azure says of a subscription.
func describe(sub armsubscriptions.Subscription, extra map[string]string) {
	if sub.TenantID != nil {
		extra[extraTenant] = strings.ToLower(*sub.TenantID)
	}
	if sub.State != nil {
		extra[extraState] = string(*sub.State)
	}
	if sub.DisplayName != nil {
		extra[extraName] = *sub.DisplayName
	}
	if sub.SubscriptionPolicies != nil && sub.SubscriptionPolicies.QuotaID != nil {
		extra[extraQuota] = *sub.SubscriptionPolicies.QuotaID
	}
}

// principalOf names who signs in, as far as we know it without asking Entra.
func principalOf(a *outlay.CloudAccount) string {
	if client := a.Credential.Values[fieldClient]; client != "" {
		return "app " + strings.ToLower(client)
	}
	return "managed identity of this server"
}

// onlyUsage tells whether an offer, by its quota id, most likely gives no FOCUS and no amortized costs: pay-as-you-go
// outside a customer agreement, trials, internal ones (clouds.md §3.2). It is a guess: what Azure answers to the export
// decides.
func onlyUsage(quota string) bool {
	name, _, _ := strings.Cut(strings.ToLower(quota), "_")
	switch name {
	case "payasyougo", "freetrial", "azureforstudents", "internal":
		return true
	}
	return false
}

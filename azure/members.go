package azure

import (
	"context"
	"encoding/json"
	"strings"

	"outlay"
)

// members lists the subscriptions whose costs a scope holds. Every kind of scope has a list of its own.
func (o *observer) members(ctx context.Context) {
	id := o.seen.Identity
	scope := strings.Trim(id.Scope.ID, "/")
	var err error
	switch scopeKind(scope) {
	case scopeSubscription, scopeGroup, "":
		o.seen.Members = []outlay.Member{{AccountID: id.AccountID, Name: id.Extra[extraName]}}
	case scopeManagement:
		o.seen.Members, err = o.ses.descendants(ctx, scope)
	default:
		o.seen.Members, err = o.ses.billed(ctx, scope)
	}
	if err != nil {
		o.unknown("members", err)
	}
}

// descendants are the subscriptions below a management group.
func (ses session) descendants(ctx context.Context, scope string) ([]outlay.Member, error) {
	var out []outlay.Member
	err := ses.list(ctx, "/"+scope+"/descendants", "2020-05-01", func(body []byte) (string, error) {
		var page struct {
			Value []struct {
				Name, Type string
				Properties struct{ DisplayName string }
			}
			NextLink string
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return "", err
		}
		for _, v := range page.Value {
			if strings.HasSuffix(strings.ToLower(v.Type), "/subscriptions") {
				out = append(out, outlay.Member{AccountID: strings.ToLower(v.Name), Name: v.Properties.DisplayName})
			}
		}
		return page.NextLink, nil
	})
	return out, failure(err, call{Action: "Microsoft.Management/managementGroups/descendants/read", Resource: "/" + scope, Doing: "listing the subscriptions of the management group"})
}

// billed are the subscriptions that a billing account or profile is invoiced for.
func (ses session) billed(ctx context.Context, scope string) ([]outlay.Member, error) {
	var out []outlay.Member
	err := ses.list(ctx, "/"+scope+"/billingSubscriptions", "2024-04-01", func(body []byte) (string, error) {
		var page struct {
			Value []struct {
				Name       string
				Properties struct{ SubscriptionID, DisplayName string }
			}
			NextLink string
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return "", err
		}
		for _, v := range page.Value {
			id := lastSegment(orElse(v.Properties.SubscriptionID, v.Name))
			out = append(out, outlay.Member{AccountID: strings.ToLower(id), Name: v.Properties.DisplayName})
		}
		return page.NextLink, nil
	})
	return out, failure(err, call{Action: "Microsoft.Billing/billingAccounts/billingSubscriptions/read", Resource: "/" + scope, Doing: "listing the subscriptions of the billing account"})
}

package azure

import (
	"regexp"
	"strings"

	"outlay"
)

// The forms of a cost scope, without a slash at its beginning (clouds.md §3.2).
var (
	plainGroup    = regexp.MustCompile(`^[\w().-]{1,89}[\w()-]$`)
	plainName     = regexp.MustCompile(`^[\w().-]{1,90}$`)
	enrolmentOnly = regexp.MustCompile(`^[0-9]{1,20}$`)

	subscriptionScope = regexp.MustCompile(`(?i)^subscriptions/([0-9a-f-]{36})$`)
	groupScope        = regexp.MustCompile(`(?i)^subscriptions/([0-9a-f-]{36})/resourceGroups/([\w().-]{1,90})$`)
	managementScope   = regexp.MustCompile(`(?i)^providers/Microsoft\.Management/managementGroups/([\w().-]{1,90})$`)
	enrolmentScope    = regexp.MustCompile(`(?i)^providers/Microsoft\.Billing/billingAccounts/([0-9]{1,20})((?:/departments|/enrollmentAccounts)/[\w-]{1,60})?$`)
	profileScope      = regexp.MustCompile(`(?i)^providers/Microsoft\.Billing/billingAccounts/([\w:-]{1,120})/billingProfiles/([\w-]{1,60})(/invoiceSections/[\w-]{1,60})?$`)
)

// parseScope turns the form's choice and text into a scope. Whole ids are taken as they are in the Azure portal.
func parseScope(kind, text, subscription string) (outlay.BillingScope, error) {
	text = strings.Trim(strings.TrimSpace(text), "/")
	bad := func(fix string) (outlay.BillingScope, error) {
		return outlay.BillingScope{}, outlay.Errorf(outlay.CodeInvalid, fix, "%q is not a %s that Outlay can read costs of", clip(text, 120), scopeTitle(kind)).InField(fieldScopeID)
	}
	switch kind {
	case "", scopeSubscription:
		return outlay.BillingScope{ID: "subscriptions/" + subscription, Name: "Azure subscription " + subscription, IsPayer: true}, nil
	case scopeGroup:
		if plainGroup.MatchString(text) {
			text = "subscriptions/" + subscription + "/resourceGroups/" + text
		}
		m := groupScope.FindStringSubmatch(text)
		if m == nil || !strings.EqualFold(m[1], subscription) {
			return bad("Enter the name of a resource group in this subscription.")
		}
		return outlay.BillingScope{ID: "subscriptions/" + subscription + "/resourceGroups/" + m[2], Name: "Resource group " + m[2]}, nil
	case scopeManagement:
		if plainName.MatchString(text) {
			text = "providers/Microsoft.Management/managementGroups/" + text
		}
		if m := managementScope.FindStringSubmatch(text); m != nil {
			return outlay.BillingScope{ID: "providers/Microsoft.Management/managementGroups/" + m[1], Name: "Management group " + m[1], IsPayer: true}, nil
		}
		return bad("Enter the ID of the management group.")
	case scopeEnrolment:
		if enrolmentOnly.MatchString(text) {
			text = "providers/Microsoft.Billing/billingAccounts/" + text
		}
		if m := enrolmentScope.FindStringSubmatch(text); m != nil {
			return outlay.BillingScope{ID: "providers/Microsoft.Billing/billingAccounts/" + m[1] + m[2], Name: "Enrolment " + m[1] + m[2], IsPayer: true}, nil
		}
		return bad("Enter the enrolment number.")
	case scopeProfile:
		if strings.Count(text, "/") == 1 { // billing account and profile, as the portal shows them
			text = "providers/Microsoft.Billing/billingAccounts/" + strings.Replace(text, "/", "/billingProfiles/", 1)
		}
		if m := profileScope.FindStringSubmatch(text); m != nil {
			return outlay.BillingScope{ID: "providers/Microsoft.Billing/billingAccounts/" + m[1] + "/billingProfiles/" + m[2] + m[3], Name: "Billing profile " + m[2] + m[3], IsPayer: true}, nil
		}
		return bad("Enter the full ID of the billing profile, as the Azure portal shows it under Properties.")
	}
	return outlay.BillingScope{}, outlay.Errorf(outlay.CodeInvalid, "Choose one of the list.", "%q is not a kind of scope", clip(kind, 40)).InField(fieldScope)
}

func scopeTitle(kind string) string {
	for _, f := range scopeFields() {
		for _, o := range f.Options {
			if o.ID == kind {
				return strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(o.Title, "An "), "A "))
			}
		}
	}
	return "scope"
}

// scopeKind tells what kind of scope a path is; "" for none that we know.
func scopeKind(path string) string {
	path = strings.Trim(path, "/")
	switch {
	case subscriptionScope.MatchString(path):
		return scopeSubscription
	case groupScope.MatchString(path):
		return scopeGroup
	case managementScope.MatchString(path):
		return scopeManagement
	case enrolmentScope.MatchString(path):
		return scopeEnrolment
	case profileScope.MatchString(path):
		return scopeProfile
	}
	return ""
}

// isBillingScope tells whether roles at a scope are billing roles, which Resource Manager does not tell.
func isBillingScope(path string) bool {
	kind := scopeKind(path)
	return kind == scopeEnrolment || kind == scopeProfile
}

// scopeOf is whose costs a source is about: what was asked for, else what it was made for, else what the account was
// bound to, else the subscription.
func scopeOf(a *outlay.CloudAccount, s *outlay.Source, subscription string) (outlay.BillingScope, error) {
	switch {
	case s != nil && s.Origin == outlay.OriginImported && s.Scope.ID != "":
		return s.Scope, nil
	case s != nil && s.Spec != nil && s.Origin != outlay.OriginImported:
		return parseScope(s.Spec.Fields[fieldScope], s.Spec.Fields[fieldScopeID], subscription)
	case s != nil && s.Scope.ID != "":
		return s.Scope, nil
	case a.Identity.Scope.ID != "":
		return a.Identity.Scope, nil
	}
	return parseScope(scopeSubscription, "", subscription)
}

package azure

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// managementGroup holds subscriptions and other groups.
type managementGroup struct {
	ID, Name string
	Tenant   string
	Parent   string // lower case; "" for the root
}

// billingScope is an EA enrolment or an MCA billing profile.
type billingScope struct {
	ID        string // "/providers/Microsoft.Billing/billingAccounts/…", as written
	Name      string
	Tenant    string
	Agreement string // "EA" or "MCA"
}

// AddManagementGroup adds a management group under parent, or at the root with parent "".
func (c *Cloud) AddManagementGroup(tenant, id, name, parent string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Groups[strings.ToLower(id)] = &managementGroup{ID: id, Name: name, Tenant: tenant, Parent: strings.ToLower(parent)}
	c.persist()
}

// SetParent puts a subscription into a management group.
func (c *Cloud) SetParent(sub, group string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Subscriptions[strings.ToLower(sub)].Parent = strings.ToLower(group)
	c.persist()
}

// AddEnrolment adds an EA billing account that pays for the subscriptions, and gives its scope.
func (c *Cloud) AddEnrolment(tenant, number, name string, subs ...string) string {
	return c.addBilling(tenant, "/providers/Microsoft.Billing/billingAccounts/"+number, name, "EA", subs)
}

// AddBillingProfile adds an MCA billing profile that pays for the subscriptions, and gives its scope. account is the
// whole name of the billing account ("{guid}:{guid}_2019-05-31").
func (c *Cloud) AddBillingProfile(tenant, account, profile, name string, subs ...string) string {
	return c.addBilling(tenant, "/providers/Microsoft.Billing/billingAccounts/"+account+"/billingProfiles/"+profile, name, "MCA", subs)
}

func (c *Cloud) addBilling(tenant, id, name, agreement string, subs []string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Billing[normal(id)] = &billingScope{ID: id, Name: name, Tenant: tenant, Agreement: agreement}
	for _, s := range subs {
		c.state.Subscriptions[strings.ToLower(s)].Billing = normal(id)
	}
	c.persist()
	return id
}

// costScope is what costs can be asked of.
type costScope struct {
	ID       string // as written, with a leading slash
	Kind     string // "subscription", "resource-group", "management-group", "enrolment", "billing-profile"
	Group    string // name of the resource group, lower case
	Subs     []string
	Datasets []string
}

// billing tells whether the scope is none of Resource Manager's.
func (s costScope) billing() bool { return s.Kind == "enrolment" || s.Kind == "billing-profile" }

// scopeOf finds the scope in a path. Wrong ones get the answer that real ones have been seen to get.
func (c *Cloud) scopeOf(k *call) (costScope, *refusal) {
	parts := strings.Split(strings.Trim(k.P["scope"], "/"), "/")
	id := "/" + strings.Join(parts, "/")
	lower := strings.Split(strings.ToLower(strings.Trim(id, "/")), "/")
	switch {
	case lower[0] == "subscriptions" && len(parts) == 2, lower[0] == "subscriptions" && len(parts) == 4 && lower[2] == "resourcegroups":
		return c.subscriptionScope(k, id, lower)
	case len(lower) == 4 && lower[0] == "providers" && lower[1] == "microsoft.management" && lower[2] == "managementgroups":
		return c.groupScope(k, id, lower[3])
	case len(lower) >= 4 && lower[0] == "providers" && lower[1] == "microsoft.billing":
		b := c.state.Billing[normal(id)]
		if b == nil || b.Tenant != k.Caller.Tenant {
			return costScope{}, refuse(http.StatusNotFound, "NotFound", "The billing scope %s was not found.", id)
		}
		kind := "enrolment"
		if b.Agreement == "MCA" {
			kind = "billing-profile"
		}
		return costScope{ID: id, Kind: kind, Subs: c.subsOf(func(s *subscription) bool { return s.Billing == normal(id) }), Datasets: allDatasets()}, nil
	}
	return costScope{}, refuse(http.StatusBadRequest, "BadRequest", "The scope '%s' is invalid. (…IsRPRegistered InvalidSubscriptionId '%s')", id, lower[0])
}

func (c *Cloud) subscriptionScope(k *call, id string, lower []string) (costScope, *refusal) {
	s, fail := c.subscriptionOf(k, lower[1])
	if fail != nil {
		return costScope{}, fail
	}
	out := costScope{ID: id, Kind: "subscription", Subs: []string{s.ID}, Datasets: datasets(s.QuotaID)}
	if len(lower) == 4 {
		out.Kind, out.Group = "resource-group", lower[3]
		if s.Groups[lower[3]] == nil {
			return costScope{}, refuse(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", lower[3])
		}
	}
	return out, nil
}

// groupScope is a management group: only the older data sets, and only under an Enterprise Agreement.
func (c *Cloud) groupScope(k *call, id, name string) (costScope, *refusal) {
	g := c.state.Groups[name]
	if g == nil || g.Tenant != k.Caller.Tenant {
		return costScope{}, refuse(http.StatusNotFound, "NotFound", "The management group '%s' cannot be found.", name)
	}
	below := c.subsOf(func(s *subscription) bool { return slices.Contains(c.ancestors("/subscriptions/"+s.ID), name) })
	return costScope{ID: id, Kind: "management-group", Subs: below, Datasets: []string{"ActualCost", "Usage"}}, nil
}

func (c *Cloud) subsOf(in func(*subscription) bool) []string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(c.state.Subscriptions)) {
		if in(c.state.Subscriptions[id]) {
			out = append(out, id)
		}
	}
	return out
}

func allDatasets() []string { return []string{"FocusCost", "ActualCost", "AmortizedCost", "Usage"} }

// datasets are what an offer's subscriptions can export (clouds.md §3.2). That CSP and Visual Studio subscriptions lack
// FocusCost alone is an assumption: the middle step of the ladder needs somebody who stands on it.
func datasets(quotaID string) []string {
	switch name, _, _ := strings.Cut(quotaID, "_"); strings.ToLower(name) {
	case "payasyougo", "internal", "freetrial", "azureforstudents":
		return []string{"Usage"}
	case "csp", "msdn", "dreamspark":
		return allDatasets()[1:]
	}
	return allDatasets()
}

// agreementOf tells in whose words a subscription's older data sets are written: "EA", "MCA" or "MOSP".
func (c *Cloud) agreementOf(sub string) string {
	s := c.state.Subscriptions[sub]
	if b := c.state.Billing[s.Billing]; b != nil {
		return b.Agreement
	}
	switch {
	case strings.HasPrefix(s.QuotaID, "EnterpriseAgreement"):
		return "EA"
	case len(datasets(s.QuotaID)) == 1:
		return "MOSP"
	}
	return "MCA"
}

// needAt checks an action at a cost scope. Billing scopes have roles of their own and refuse in other words.
func (c *Cloud) needAt(k *call, s costScope, actions ...string) *refusal {
	for _, a := range actions {
		if c.decide(k.Subject, a, s.ID) {
			return nil
		}
	}
	if s.billing() {
		return refuse(http.StatusForbidden, "RBACAccessDenied", "The client does not have authorization to perform action '%s' over billing scope '%s'.", actions[0], s.ID)
	}
	return c.need(k, actions[0], s.ID)
}

func (c *Cloud) getManagementGroup(k *call) (answer, *refusal) {
	g, fail := c.managementGroupOf(k, "Microsoft.Management/managementGroups/read")
	if fail != nil {
		return answer{}, fail
	}
	return jsonAnswer(http.StatusOK, object{
		"id": "/providers/Microsoft.Management/managementGroups/" + g.ID, "type": "Microsoft.Management/managementGroups", "name": g.ID,
		"properties": object{"tenantId": g.Tenant, "displayName": g.Name},
	})
}

func (c *Cloud) managementGroupOf(k *call, action string) (*managementGroup, *refusal) {
	g := c.state.Groups[strings.ToLower(k.P["mg"])]
	if g == nil || g.Tenant != k.Caller.Tenant {
		return nil, refuse(http.StatusNotFound, "NotFound", "The management group '%s' cannot be found.", k.P["mg"])
	}
	return g, c.need(k, action, "/providers/Microsoft.Management/managementGroups/"+g.ID)
}

// descendants lists the groups and subscriptions below a management group.
func (c *Cloud) descendants(k *call) (answer, *refusal) {
	g, fail := c.managementGroupOf(k, "Microsoft.Management/managementGroups/descendants/read")
	if fail != nil {
		return answer{}, fail
	}
	name, out := strings.ToLower(g.ID), []object{}
	for _, id := range slices.Sorted(maps.Keys(c.state.Groups)) {
		if below := c.state.Groups[id]; slices.Contains(c.ancestors("/providers/microsoft.management/managementgroups/"+id), name) {
			out = append(out, descendant("/providers/Microsoft.Management/managementGroups", below.ID, below.Name, below.Parent))
		}
	}
	for _, id := range c.subsOf(func(s *subscription) bool { return slices.Contains(c.ancestors("/subscriptions/"+s.ID), name) }) {
		s := c.state.Subscriptions[id]
		out = append(out, descendant("/subscriptions", s.ID, s.Name, s.Parent))
	}
	return page(k, c.state.Base, out, 3)
}

func descendant(kind, id, name, parent string) object {
	return object{
		"id": kind + "/" + id, "type": strings.TrimPrefix(kind, "/providers/"), "name": id,
		"properties": object{"displayName": name, "parent": object{"id": "/providers/Microsoft.Management/managementGroups/" + parent}},
	}
}

// billingSubscriptions lists what an enrolment or billing profile pays for.
func (c *Cloud) billingSubscriptions(k *call) (answer, *refusal) {
	id, _, _ := strings.Cut(k.R.URL.Path, "/billingSubscriptions")
	b := c.state.Billing[normal(id)]
	if b == nil || b.Tenant != k.Caller.Tenant {
		return answer{}, refuse(http.StatusNotFound, "NotFound", "The billing scope %s was not found.", id)
	}
	if !c.decide(k.Subject, "Microsoft.Billing/billingAccounts/billingSubscriptions/read", id) {
		return answer{}, refuse(http.StatusForbidden, "Forbidden", "The client does not have authorization to perform action 'Microsoft.Billing/billingAccounts/billingSubscriptions/read' over billing scope '%s'.", id)
	}
	out := []object{}
	for _, sub := range c.subsOf(func(s *subscription) bool { return s.Billing == normal(id) }) {
		s := c.state.Subscriptions[sub]
		out = append(out, object{
			"id": b.ID + "/billingSubscriptions/" + s.ID, "name": s.ID, "type": "Microsoft.Billing/billingAccounts/billingSubscriptions",
			"properties": object{"subscriptionId": s.ID, "displayName": s.Name, "status": "Active"},
		})
	}
	return page(k, c.state.Base, out, 3)
}

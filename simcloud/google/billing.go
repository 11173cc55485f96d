package google

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
)

func billingRoutes() []route {
	return []route{
		on("cloudbilling.projects.getBillingInfo", "GET", "/v1/projects/{p}/billingInfo", (*Cloud).getBillingInfo),
		on("cloudbilling.billingAccounts.list", "GET", "/v1/billingAccounts", (*Cloud).listBillingAccounts),
		on("cloudbilling.billingAccounts.testIamPermissions", "POST", "/v1/billingAccounts/{b}:testIamPermissions", (*Cloud).testBillingPermissions),
		on("cloudbilling.billingAccounts.get", "GET", "/v1/billingAccounts/{b}", (*Cloud).getBillingAccount),
		on("cloudbilling.billingAccounts.projects.list", "GET", "/v1/billingAccounts/{b}/projects", (*Cloud).listBilledProjects),
	}
}

func (p *project) billingWire() obj {
	out := obj{"name": "projects/" + p.ID + "/billingInfo", "projectId": p.ID, "billingEnabled": p.BillingAccount != ""}
	if p.BillingAccount != "" {
		out["billingAccountName"] = "billingAccounts/" + p.BillingAccount
	}
	return out
}

func (c *Cloud) getBillingInfo(k *call) (answer, *refusal) {
	if fail := c.need(k, "resourcemanager.projects.get", c.resource(k.parts[0])); fail != nil {
		return answer{}, fail
	}
	p := c.projectOf(k.parts[0])
	if p == nil {
		return answer{}, refuse(http.StatusForbidden, "forbidden", "The caller does not have permission")
	}
	out := p.billingWire()
	if a := c.state.Accounts[p.BillingAccount]; a != nil && a.Closed {
		out["billingEnabled"] = false
	}
	return ok(out)
}

func (a *billingAccount) wire() obj {
	return obj{"name": "billingAccounts/" + a.ID, "displayName": a.Name, "open": !a.Closed, "masterBillingAccount": "", "currencyCode": "USD", "parent": "organizations/424242424242"}
}

func (c *Cloud) listBillingAccounts(k *call) (answer, *refusal) {
	out := []any{}
	for _, id := range slices.Sorted(maps.Keys(c.state.Accounts)) {
		if c.allowed(k.Caller, "billing.accounts.list", "billingAccounts/"+id) || c.allowed(k.Caller, "billing.accounts.get", "billingAccounts/"+id) {
			out = append(out, c.state.Accounts[id].wire())
		}
	}
	return ok(obj{"billingAccounts": out})
}

func (c *Cloud) getBillingAccount(k *call) (answer, *refusal) {
	if fail := c.need(k, "billing.accounts.get", "billingAccounts/"+k.parts[0]); fail != nil {
		return answer{}, fail
	}
	a := c.state.Accounts[k.parts[0]]
	if a == nil {
		return answer{}, refuse(http.StatusNotFound, "notFound", "Requested entity was not found.")
	}
	return ok(a.wire())
}

// listBilledProjects pages: a billing account may pay for thousands.
func (c *Cloud) listBilledProjects(k *call) (answer, *refusal) {
	if fail := c.need(k, "billing.resourceAssociations.list", "billingAccounts/"+k.parts[0]); fail != nil {
		return answer{}, fail
	}
	if c.state.Accounts[k.parts[0]] == nil {
		return answer{}, refuse(http.StatusNotFound, "notFound", "Requested entity was not found.")
	}
	var all []any
	for _, id := range slices.Sorted(maps.Keys(c.state.Projects)) {
		if p := c.state.Projects[id]; p.BillingAccount == k.parts[0] {
			all = append(all, p.billingWire())
		}
	}
	page, next, fail := paged(all, k.Query.Get("pageSize"), k.Query.Get("pageToken"), 100)
	if fail != nil {
		return answer{}, fail
	}
	return ok(obj{"projectBillingInfo": page, "nextPageToken": next})
}

// paged cuts a list: at most limit elements, and a token that tells where the next page begins.
func paged(all []any, size, token string, limit int) (page []any, next string, fail *refusal) {
	n, start := limit, 0
	if size != "" {
		v, err := strconv.Atoi(size)
		if err != nil || v < 0 {
			return nil, "", refuse(http.StatusBadRequest, "invalid", "Invalid page size: %s", size)
		}
		if v > 0 {
			n = min(v, limit)
		}
	}
	if token != "" {
		v, err := strconv.Atoi(token)
		if err != nil || v < 0 || v > len(all) {
			return nil, "", refuse(http.StatusBadRequest, "invalid", "Invalid page token")
		}
		start = v
	}
	end := min(len(all), start+n)
	if end < len(all) {
		next = strconv.Itoa(end)
	}
	page = all[start:end]
	if page == nil {
		page = []any{}
	}
	return page, next, nil
}

func (c *Cloud) testBillingPermissions(k *call) (answer, *refusal) {
	if c.state.Accounts[k.parts[0]] == nil {
		return answer{}, refuse(http.StatusNotFound, "notFound", "Requested entity was not found.")
	}
	return c.testPermissions(k, "billingAccounts/"+k.parts[0], true)
}

package azure

import (
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// normal is the form in which scopes are compared.
func normal(scope string) string { return "/" + strings.ToLower(strings.Trim(scope, "/")) }

// covers tells whether a role at a scope holds at another: below it, or in a subscription of the management group.
func (c *Cloud) covers(at, scope string) bool {
	if at == "/" || scope == at || strings.HasPrefix(scope, at+"/") {
		return true
	}
	const groups = "/providers/microsoft.management/managementgroups/"
	if !strings.HasPrefix(at, groups) {
		return false
	}
	return slices.Contains(c.ancestors(scope), at[len(groups):])
}

// ancestors lists the management groups above a scope, in lower case.
func (c *Cloud) ancestors(scope string) []string {
	var parent string
	parts := strings.Split(strings.Trim(scope, "/"), "/")
	switch {
	case parts[0] == "subscriptions" && len(parts) > 1 && c.state.Subscriptions[parts[1]] != nil:
		parent = c.state.Subscriptions[parts[1]].Parent
	case len(parts) == 4 && parts[2] == "managementgroups" && c.state.Groups[parts[3]] != nil:
		parent = c.state.Groups[parts[3]].Parent
	}
	var out []string
	for parent != "" && len(out) < 10 {
		parent = strings.ToLower(parent)
		out = append(out, parent)
		if c.state.Groups[parent] == nil {
			break
		}
		parent = c.state.Groups[parent].Parent
	}
	return out
}

// matches tells whether a pattern of a role ("Microsoft.Storage/*/read") fits an action. Letter case is ignored.
func matches(pattern, action string) bool {
	re := "(?i)^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$"
	ok, err := regexp.MatchString(re, action)
	return err == nil && ok
}

func anyMatches(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, action) })
}

// decide is the one place where roles are read: calls are guarded by it, and the permissions API shows the same table.
func (c *Cloud) decide(principal, action, scope string) bool {
	data := strings.Contains(action, "/blobs/")
	if a := c.appOf(principal); a != nil && anyMatches(a.Deny, action) {
		return false
	}
	allowed := false
	for _, g := range c.state.Grants {
		if g.Principal != principal || !c.covers(g.Scope, normal(scope)) {
			continue
		}
		actions, not := g.Role.Actions, g.Role.NotActions
		if data {
			actions, not = g.Role.DataActions, g.Role.NotDataActions
		}
		if !anyMatches(actions, action) || anyMatches(not, action) {
			continue
		}
		if g.Unseen > 0 {
			g.Unseen--
			continue
		}
		allowed = true
	}
	return allowed
}

func (c *Cloud) appOf(principal string) *app {
	for _, a := range c.state.Apps {
		if a.ObjectID == principal {
			return a
		}
	}
	return nil
}

// need refuses a call whose caller may not do an action at a scope, in the words of Resource Manager.
func (c *Cloud) need(k *call, action, scope string) *refusal {
	if c.decide(k.Subject, action, scope) {
		return nil
	}
	return refuse(http.StatusForbidden, "AuthorizationFailed",
		"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your credentials.",
		k.Caller.ClientID, k.Subject, action, "/"+strings.Trim(scope, "/"))
}

// permissionsPerPage is small, so that every reader has to follow links.
const permissionsPerPage = 2

// listPermissions shows what the caller may do at a scope: one entry per role assignment that holds there.
func (c *Cloud) listPermissions(k *call) (answer, *refusal) {
	if fail := c.need(k, "Microsoft.Authorization/permissions/read", k.P["scope"]); fail != nil {
		return answer{}, fail
	}
	entries := []object{}
	for _, g := range c.state.Grants {
		if g.Principal != k.Subject || !c.covers(g.Scope, normal(k.P["scope"])) || g.Unseen > 0 {
			continue
		}
		e := object{
			"actions": texts(g.Role.Actions), "notActions": append(texts(g.Role.NotActions), control(k.Caller.Deny)...),
			"dataActions": texts(g.Role.DataActions), "notDataActions": append(texts(g.Role.NotDataActions), data(k.Caller.Deny)...),
		}
		if g.Role.Condition != "" {
			e["condition"], e["conditionVersion"] = g.Role.Condition, "2.0"
		}
		entries = append(entries, e)
	}
	return page(k, c.state.Base, entries, permissionsPerPage)
}

// page cuts a list into pages linked by $skiptoken.
func page(k *call, base string, all []object, size int) (answer, *refusal) {
	from, _ := strconv.Atoi(k.Query.Get("$skiptoken")) // an unreadable token begins anew
	from = min(max(from, 0), len(all))
	body := object{"value": all[from:min(from+size, len(all))]}
	if from+size < len(all) {
		q := k.R.URL.Query()
		q.Set("$skiptoken", strconv.Itoa(from+size))
		body["nextLink"] = base + k.R.URL.Path + "?" + q.Encode()
	}
	return jsonAnswer(http.StatusOK, body)
}

// texts is never null in JSON.
func texts(s []string) []string { return append([]string{}, s...) }

func data(actions []string) []string {
	return slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return !strings.Contains(a, "/blobs/") })
}

func control(actions []string) []string {
	return slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return strings.Contains(a, "/blobs/") })
}

// builtIn gives a built-in role by the GUID of its definition, with the actions that matter here.
func builtIn(definition string) (Role, bool) {
	blobs := "Microsoft.Storage/storageAccounts/blobServices/containers/"
	switch strings.ToLower(path.Base(definition)) {
	case "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1":
		return Role{Name: "Storage Blob Data Reader", Actions: []string{blobs + "read"}, DataActions: []string{blobs + "blobs/read"}}, true
	case "ba92f5b4-2d11-453d-a403-e96b0029c9fe":
		return Role{Name: "Storage Blob Data Contributor", Actions: []string{blobs + "read", blobs + "write", blobs + "delete"}, DataActions: []string{blobs + "blobs/*"}}, true
	case "b7e6dc6d-f1e8-4753-8033-0f276bb0955b":
		return Role{Name: "Storage Blob Data Owner", Actions: []string{blobs + "*"}, DataActions: []string{blobs + "blobs/*"}}, true
	case "8e3af657-a8ff-443c-a75c-2fe8c4bcb635":
		return Role{Name: "Owner", Actions: []string{"*"}}, true
	case "b24988ac-6180-42a0-ab88-20f7382dd24c":
		return Role{Name: "Contributor", Actions: []string{"*"}, NotActions: []string{"Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"}}, true
	case "acdd72a7-3385-48ef-bd42-f606fba81ae7":
		return Role{Name: "Reader", Actions: []string{"*/read"}}, true
	case "434105ed-43f6-45c7-a02f-909b2ba83430":
		return Role{Name: "Cost Management Contributor", Actions: []string{"Microsoft.Consumption/*", "Microsoft.CostManagement/*", "Microsoft.Resources/subscriptions/read", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Authorization/*/read"}}, true
	}
	return Role{}, false
}

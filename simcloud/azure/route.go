package azure

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// route is one operation that the cloud can do.
type route struct {
	op      string // as in Azure's specifications: "Exports_CreateOrUpdate"
	method  string
	re      *regexp.Regexp
	run     func(*Cloud, *call) (answer, *refusal)
	changes bool // the state is saved afterwards
}

func (r *route) match(method, path string) map[string]string {
	if r.method != method {
		return nil
	}
	m := r.re.FindStringSubmatch(path)
	if m == nil {
		return nil
	}
	p := map[string]string{}
	for i, name := range r.re.SubexpNames() {
		if name != "" {
			p[name] = m[i]
		}
	}
	return p
}

var variable = regexp.MustCompile(`\{(\w+)\}`)

// on makes a route. {x} is one part of the path, {scope} several.
func on(op, method, path string, run func(*Cloud, *call) (answer, *refusal)) route {
	re := regexp.QuoteMeta(path)
	re = strings.NewReplacer(`\{`, "{", `\}`, "}").Replace(re)
	re = variable.ReplaceAllStringFunc(re, func(v string) string {
		name := v[1 : len(v)-1]
		if name == "scope" {
			return "(?P<scope>.+?)"
		}
		return "(?P<" + name + ">[^/]+)"
	})
	return route{op: op, method: method, re: regexp.MustCompile("(?i)^" + re + "/?$"), run: run, changes: method != http.MethodHead}
}

// routes are the operations outside Blob. The first that fits counts. Reads change too: they move what is under way on.
func routes() []route {
	return slices.Concat(scopeRoutes(), subscriptionRoutes(), storageRoutes())
}

const (
	subPath     = "/subscriptions/{sub}"
	groupPath   = subPath + "/resourceGroups/{group}"
	accountPath = groupPath + "/providers/Microsoft.Storage/storageAccounts/{account}"

	get, put, post, del, head, patch = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete, http.MethodHead, http.MethodPatch
)

// scopeRoutes are Entra's, and those below any scope.
func scopeRoutes() []route {
	const auth, cost = "{scope}/providers/Microsoft.Authorization", "{scope}/providers/Microsoft.CostManagement"
	return []route{
		on("Token_Issue", post, "/{tenant}/oauth2/v2.0/token", (*Cloud).issueToken),
		on("Token_Discover", get, "/{tenant}/v2.0/.well-known/openid-configuration", (*Cloud).discover),

		on("Permissions_List", get, auth+"/permissions", (*Cloud).listPermissions),
		on("RoleAssignments_Create", put, auth+"/roleAssignments/{name}", (*Cloud).putAssignment),
		on("RoleAssignments_Get", get, auth+"/roleAssignments/{name}", (*Cloud).getAssignment),
		on("RoleAssignments_Delete", del, auth+"/roleAssignments/{name}", (*Cloud).deleteAssignment),
		on("RoleAssignments_List", get, auth+"/roleAssignments", (*Cloud).listAssignments),

		on("Exports_Run", post, cost+"/exports/{name}/run", (*Cloud).runExport),
		on("Exports_History", get, cost+"/exports/{name}/runHistory", (*Cloud).exportHistory),
		on("Exports_CreateOrUpdate", put, cost+"/exports/{name}", (*Cloud).putExport),
		on("Exports_Get", get, cost+"/exports/{name}", (*Cloud).getExport),
		on("Exports_Delete", del, cost+"/exports/{name}", (*Cloud).deleteExport),
		on("Exports_List", get, cost+"/exports", (*Cloud).listExports),
		on("Settings_CreateOrUpdate", put, cost+"/settings/{type}", (*Cloud).putSetting),
		on("Settings_Get", get, cost+"/settings/{type}", (*Cloud).getSetting),
		on("Settings_Delete", del, cost+"/settings/{type}", (*Cloud).deleteSetting),
		on("Settings_List", get, cost+"/settings", (*Cloud).listSettings),
	}
}

func subscriptionRoutes() []route {
	const sub, group = subPath, groupPath
	return []route{
		on("Subscriptions_List", get, "/subscriptions", (*Cloud).listSubscriptions),
		on("Subscriptions_Get", get, sub, (*Cloud).getSubscription),
		on("Providers_List", get, sub+"/providers", (*Cloud).listProviders),
		on("Providers_Get", get, sub+"/providers/{ns}", (*Cloud).getProvider),
		on("Providers_Register", post, sub+"/providers/{ns}/register", (*Cloud).register),
		on("Operations_Get", get, sub+"/operationresults/{operation}", (*Cloud).getOperation),
		on("ManagementGroups_Get", get, "/providers/Microsoft.Management/managementGroups/{mg}", (*Cloud).getManagementGroup),
		on("ManagementGroups_Descendants", get, "/providers/Microsoft.Management/managementGroups/{mg}/descendants", (*Cloud).descendants),
		on("BillingSubscriptions_List", get, "/providers/Microsoft.Billing/{billing}/{ba}/billingSubscriptions", (*Cloud).billingSubscriptions),
		on("BillingSubscriptions_ListByProfile", get, "/providers/Microsoft.Billing/{billing}/{ba}/billingProfiles/{profile}/billingSubscriptions", (*Cloud).billingSubscriptions),

		on("ResourceGroups_List", get, sub+"/resourceGroups", (*Cloud).listGroups),
		on("ResourceGroups_Resources", get, group+"/resources", (*Cloud).groupResources),
		on("ResourceGroups_Exists", head, group, (*Cloud).groupExists),
		on("ResourceGroups_Get", get, group, (*Cloud).getGroup),
		on("ResourceGroups_CreateOrUpdate", put, group, (*Cloud).putGroup),
		on("ResourceGroups_Delete", del, group, (*Cloud).deleteGroup),
	}
}

func storageRoutes() []route {
	const sub, group, account, box = subPath, groupPath, accountPath, accountPath + "/blobServices/default/containers"
	return []route{
		on("StorageAccounts_CheckName", post, sub+"/providers/Microsoft.Storage/checkNameAvailability", (*Cloud).checkName),
		on("StorageAccounts_List", get, sub+"/providers/Microsoft.Storage/storageAccounts", (*Cloud).listAccounts),
		on("StorageAccounts_ListByGroup", get, group+"/providers/Microsoft.Storage/storageAccounts", (*Cloud).listAccounts),
		on("StorageAccounts_Create", put, account, (*Cloud).putAccount),
		on("StorageAccounts_Get", get, account, (*Cloud).getAccount),
		on("StorageAccounts_Update", patch, account, (*Cloud).patchAccount),
		on("StorageAccounts_Delete", del, account, (*Cloud).deleteAccount),
		on("StorageAccounts_ListKeys", post, account+"/listKeys", (*Cloud).listKeys),
		on("StorageAccounts_Poll", get, sub+"/providers/Microsoft.Storage/locations/{location}/asyncoperations/{operation}", (*Cloud).getOperation),
		on("BlobContainers_Create", put, box+"/{container}", (*Cloud).putContainer),
		on("BlobContainers_Get", get, box+"/{container}", (*Cloud).getContainer),
		on("BlobContainers_Update", patch, box+"/{container}", (*Cloud).putContainer),
		on("BlobContainers_Delete", del, box+"/{container}", (*Cloud).deleteContainer),
		on("BlobContainers_List", get, box, (*Cloud).listContainers),
	}
}

package outlaytest

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	authfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3"
	costfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	resourcefake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
	subfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions/fake"
)

// azureRoute is one operation of Resource Manager and who judges it.
type azureRoute struct {
	method, path string
	api          string // the SDK's name: "ExportsClient.Get"
	version      string // the SDK's api-version
	query        []string
	good         int // a status that the fake takes, to judge a request whose answer is not judged
	elsewhere    int // a status that has been seen and that the SDK does not take (clouds.md §3.1)
	fake         func(*azureVisit) policy.Transporter
	newer        []string   // members of answers that the pinned SDK's types do not know yet
	model        func() any // what an answer is read as where no fake has the operation
	re           *regexp.Regexp
}

func (r *azureRoute) matches(q *http.Request) bool {
	return r.method == q.Method && r.re.MatchString(q.URL.Path)
}

// spell gives the fixed parts of a path the letter case of the fakes, which are strict where Resource Manager is not.
func (r *azureRoute) spell(path string) string {
	fixed := []string{"/providers/Microsoft.CostManagement/", "/providers/Microsoft.Authorization/", "/providers/Microsoft.Storage/", "/storageAccounts/", "/resourceGroups/", "/resourcegroups/"}
	want := r.path
	for _, part := range fixed {
		if !strings.Contains(want, part) {
			continue
		}
		if i := strings.Index(strings.ToLower(path), strings.ToLower(part)); i >= 0 {
			path = path[:i] + part + path[i+len(part):]
		}
	}
	return path
}

const (
	azureSub       = "/subscriptions/[^/]+"
	azureGroup     = azureSub + "/resourcegroups/[^/]+"
	azureGroups    = azureSub + "/resourceGroups/[^/]+"
	azureAccount   = azureGroups + "/providers/Microsoft.Storage/storageAccounts/[^/]+"
	azureContainer = azureAccount + "/blobServices/default/containers"
	azureExport    = "/.+/providers/Microsoft.CostManagement/exports"
	azureSetting   = "/.+/providers/Microsoft.CostManagement/settings"
	azureRole      = "/.+/providers/Microsoft.Authorization/roleAssignments"
)

// azureRoutes lists the operations in the order in which they are tried.
func azureRoutes() []azureRoute {
	var out []azureRoute
	out = append(out, exportRoutes()...)
	out = append(out, settingRoutes()...)
	out = append(out, roleRoutes()...)
	out = append(out, storageRoutes()...)
	out = append(out, resourceRoutes()...)
	out = append(out, plainRoutes()...)
	for i := range out {
		out[i].re = regexp.MustCompile("(?i)^" + strings.ReplaceAll(out[i].path, ".CostManagement", `\.CostManagement`) + "/?$")
	}
	return out
}

func exportRoutes() []azureRoute {
	const version = "2025-03-01"
	on := func(method, path, api string, query []string, elsewhere int, fill func(*azureVisit, *costfake.ExportsServer)) azureRoute {
		return azureRoute{
			method: method, path: path, api: "ExportsClient." + api, version: version, query: query, good: http.StatusOK, elsewhere: elsewhere,
			fake: func(v *azureVisit) policy.Transporter {
				s := &costfake.ExportsServer{}
				fill(v, s)
				return costfake.NewExportsServerTransport(s)
			},
		}
	}
	expand := []string{"$expand"}
	return []azureRoute{
		on(http.MethodPost, azureExport+"/[^/]+/run", "Execute", nil, http.StatusAccepted, func(v *azureVisit, s *costfake.ExportsServer) {
			s.Execute = func(_ context.Context, _, _ string, o *armcostmanagement.ExportsClientExecuteOptions) (azfake.Responder[armcostmanagement.ExportsClientExecuteResponse], azfake.ErrorResponder) {
				if len(v.sent) > 0 {
					in := armcostmanagement.ExportRunRequest{} // what the fake knows nothing of is no parameter to it
					if o != nil && o.Parameters != nil {
						in = *o.Parameters
					}
					v.body(in)
				}
				return given[armcostmanagement.ExportsClientExecuteResponse](v)
			}
		}),
		on(http.MethodGet, azureExport+"/[^/]+/runHistory", "GetExecutionHistory", nil, 0, func(v *azureVisit, s *costfake.ExportsServer) {
			s.GetExecutionHistory = func(context.Context, string, string, *armcostmanagement.ExportsClientGetExecutionHistoryOptions) (azfake.Responder[armcostmanagement.ExportsClientGetExecutionHistoryResponse], azfake.ErrorResponder) {
				return given[armcostmanagement.ExportsClientGetExecutionHistoryResponse](v)
			}
		}),
		on(http.MethodPut, azureExport+"/[^/]+", "CreateOrUpdate", nil, 0, func(v *azureVisit, s *costfake.ExportsServer) {
			s.CreateOrUpdate = func(_ context.Context, _, _ string, in armcostmanagement.Export, _ *armcostmanagement.ExportsClientCreateOrUpdateOptions) (azfake.Responder[armcostmanagement.ExportsClientCreateOrUpdateResponse], azfake.ErrorResponder) {
				return taken[armcostmanagement.ExportsClientCreateOrUpdateResponse](v, in)
			}
		}),
		on(http.MethodGet, azureExport+"/[^/]+", "Get", expand, 0, func(v *azureVisit, s *costfake.ExportsServer) {
			s.Get = func(context.Context, string, string, *armcostmanagement.ExportsClientGetOptions) (azfake.Responder[armcostmanagement.ExportsClientGetResponse], azfake.ErrorResponder) {
				return given[armcostmanagement.ExportsClientGetResponse](v)
			}
		}),
		on(http.MethodDelete, azureExport+"/[^/]+", "Delete", nil, http.StatusNoContent, func(v *azureVisit, s *costfake.ExportsServer) {
			s.Delete = func(context.Context, string, string, *armcostmanagement.ExportsClientDeleteOptions) (azfake.Responder[armcostmanagement.ExportsClientDeleteResponse], azfake.ErrorResponder) {
				return given[armcostmanagement.ExportsClientDeleteResponse](v)
			}
		}),
		on(http.MethodGet, azureExport, "List", expand, 0, func(v *azureVisit, s *costfake.ExportsServer) {
			s.List = func(context.Context, string, *armcostmanagement.ExportsClientListOptions) (azfake.Responder[armcostmanagement.ExportsClientListResponse], azfake.ErrorResponder) {
				return given[armcostmanagement.ExportsClientListResponse](v)
			}
		}),
	}
}

func settingRoutes() []azureRoute {
	on := func(method, path, api string, fill func(*azureVisit, *costfake.SettingsServer)) azureRoute {
		return azureRoute{method: method, path: path, api: "SettingsClient." + api, version: "2025-03-01", good: http.StatusOK, fake: func(v *azureVisit) policy.Transporter {
			s := &costfake.SettingsServer{}
			fill(v, s)
			return costfake.NewSettingsServerTransport(s)
		}}
	}
	type (
		put1 = armcostmanagement.SettingsClientCreateOrUpdateByScopeResponse
		get1 = armcostmanagement.SettingsClientGetByScopeResponse
	)
	inheritance := func(v *azureVisit) *armcostmanagement.TagInheritanceSetting {
		s := decoded[armcostmanagement.TagInheritanceSetting](v)
		return &s
	}
	return []azureRoute{
		on(http.MethodPut, azureSetting+"/[^/]+", "CreateOrUpdateByScope", func(v *azureVisit, s *costfake.SettingsServer) {
			s.CreateOrUpdateByScope = func(_ context.Context, _ string, _ armcostmanagement.SettingType, in armcostmanagement.SettingClassification, _ *armcostmanagement.SettingsClientCreateOrUpdateByScopeOptions) (r azfake.Responder[put1], e azfake.ErrorResponder) {
				v.body(in)
				r.SetResponse(v.status, put1{SettingClassification: inheritance(v)}, nil)
				return r, e
			}
		}),
		on(http.MethodGet, azureSetting+"/[^/]+", "GetByScope", func(v *azureVisit, s *costfake.SettingsServer) {
			s.GetByScope = func(context.Context, string, armcostmanagement.SettingType, *armcostmanagement.SettingsClientGetByScopeOptions) (r azfake.Responder[get1], e azfake.ErrorResponder) {
				r.SetResponse(v.status, get1{SettingClassification: inheritance(v)}, nil)
				return r, e
			}
		}),
		on(http.MethodDelete, azureSetting+"/[^/]+", "DeleteByScope", func(v *azureVisit, s *costfake.SettingsServer) {
			s.DeleteByScope = func(context.Context, string, armcostmanagement.SettingType, *armcostmanagement.SettingsClientDeleteByScopeOptions) (azfake.Responder[armcostmanagement.SettingsClientDeleteByScopeResponse], azfake.ErrorResponder) {
				return given[armcostmanagement.SettingsClientDeleteByScopeResponse](v)
			}
		}),
		on(http.MethodGet, azureSetting, "List", func(v *azureVisit, s *costfake.SettingsServer) {
			s.List = func(context.Context, string, *armcostmanagement.SettingsClientListOptions) (azfake.Responder[armcostmanagement.SettingsClientListResponse], azfake.ErrorResponder) {
				return given[armcostmanagement.SettingsClientListResponse](v)
			}
		}),
	}
}

func roleRoutes() []azureRoute {
	on := func(method, path, api string, good int, fill func(*azureVisit, *authfake.RoleAssignmentsServer)) azureRoute {
		return azureRoute{method: method, path: path, api: "RoleAssignmentsClient." + api, version: "2022-04-01", query: []string{"$filter"}, good: good, fake: func(v *azureVisit) policy.Transporter {
			s := &authfake.RoleAssignmentsServer{}
			fill(v, s)
			return authfake.NewRoleAssignmentsServerTransport(s)
		}}
	}
	permissions := azureRoute{
		method: http.MethodGet, path: azureGroup + "/providers/Microsoft.Authorization/permissions", api: "PermissionsClient.NewListForResourceGroupPager", version: "2022-04-01", good: http.StatusOK,
		newer: []string{"condition", "conditionVersion"}, fake: func(v *azureVisit) policy.Transporter {
			return authfake.NewPermissionsServerTransport(&authfake.PermissionsServer{
				NewListForResourceGroupPager: func(string, *armauthorization.PermissionsClientListForResourceGroupOptions) azfake.PagerResponder[armauthorization.PermissionsClientListForResourceGroupResponse] {
					return paged[armauthorization.PermissionsClientListForResourceGroupResponse](v)
				},
			})
		},
	}
	return []azureRoute{
		permissions,
		on(http.MethodPut, azureRole+"/[^/]+", "Create", http.StatusCreated, func(v *azureVisit, s *authfake.RoleAssignmentsServer) {
			s.Create = func(_ context.Context, _, _ string, in armauthorization.RoleAssignmentCreateParameters, _ *armauthorization.RoleAssignmentsClientCreateOptions) (azfake.Responder[armauthorization.RoleAssignmentsClientCreateResponse], azfake.ErrorResponder) {
				return taken[armauthorization.RoleAssignmentsClientCreateResponse](v, in)
			}
		}),
		on(http.MethodGet, azureRole+"/[^/]+", "Get", http.StatusOK, func(v *azureVisit, s *authfake.RoleAssignmentsServer) {
			s.Get = func(context.Context, string, string, *armauthorization.RoleAssignmentsClientGetOptions) (azfake.Responder[armauthorization.RoleAssignmentsClientGetResponse], azfake.ErrorResponder) {
				return given[armauthorization.RoleAssignmentsClientGetResponse](v)
			}
		}),
		on(http.MethodDelete, azureRole+"/[^/]+", "Delete", http.StatusOK, func(v *azureVisit, s *authfake.RoleAssignmentsServer) {
			s.Delete = func(context.Context, string, string, *armauthorization.RoleAssignmentsClientDeleteOptions) (azfake.Responder[armauthorization.RoleAssignmentsClientDeleteResponse], azfake.ErrorResponder) {
				return given[armauthorization.RoleAssignmentsClientDeleteResponse](v)
			}
		}),
		on(http.MethodGet, azureRole, "NewListForScopePager", http.StatusOK, func(v *azureVisit, s *authfake.RoleAssignmentsServer) {
			s.NewListForScopePager = func(string, *armauthorization.RoleAssignmentsClientListForScopeOptions) azfake.PagerResponder[armauthorization.RoleAssignmentsClientListForScopeResponse] {
				return paged[armauthorization.RoleAssignmentsClientListForScopeResponse](v)
			}
		}),
	}
}

func resourceRoutes() []azureRoute {
	groups := func(method, path, api string, good int, fill func(*azureVisit, *resourcefake.ResourceGroupsServer)) azureRoute {
		return azureRoute{method: method, path: path, api: "ResourceGroupsClient." + api, version: "2025-04-01", query: []string{"$filter", "$top", "forceDeletionTypes"}, good: good, fake: func(v *azureVisit) policy.Transporter {
			s := &resourcefake.ResourceGroupsServer{}
			fill(v, s)
			return resourcefake.NewResourceGroupsServerTransport(s)
		}}
	}
	out := []azureRoute{
		groups(http.MethodHead, azureGroup, "CheckExistence", http.StatusNoContent, func(v *azureVisit, s *resourcefake.ResourceGroupsServer) {
			s.CheckExistence = func(context.Context, string, *armresources.ResourceGroupsClientCheckExistenceOptions) (azfake.Responder[armresources.ResourceGroupsClientCheckExistenceResponse], azfake.ErrorResponder) {
				return given[armresources.ResourceGroupsClientCheckExistenceResponse](v)
			}
		}),
		groups(http.MethodGet, azureGroup, "Get", http.StatusOK, func(v *azureVisit, s *resourcefake.ResourceGroupsServer) {
			s.Get = func(context.Context, string, *armresources.ResourceGroupsClientGetOptions) (azfake.Responder[armresources.ResourceGroupsClientGetResponse], azfake.ErrorResponder) {
				return given[armresources.ResourceGroupsClientGetResponse](v)
			}
		}),
		groups(http.MethodPut, azureGroup, "CreateOrUpdate", http.StatusOK, func(v *azureVisit, s *resourcefake.ResourceGroupsServer) {
			s.CreateOrUpdate = func(_ context.Context, _ string, in armresources.ResourceGroup, _ *armresources.ResourceGroupsClientCreateOrUpdateOptions) (azfake.Responder[armresources.ResourceGroupsClientCreateOrUpdateResponse], azfake.ErrorResponder) {
				return taken[armresources.ResourceGroupsClientCreateOrUpdateResponse](v, in)
			}
		}),
		groups(http.MethodDelete, azureGroup, "BeginDelete", http.StatusAccepted, func(v *azureVisit, s *resourcefake.ResourceGroupsServer) {
			s.BeginDelete = func(context.Context, string, *armresources.ResourceGroupsClientBeginDeleteOptions) (azfake.PollerResponder[armresources.ResourceGroupsClientDeleteResponse], azfake.ErrorResponder) {
				return polled[armresources.ResourceGroupsClientDeleteResponse](v)
			}
		}),
		groups(http.MethodGet, azureSub+"/resourcegroups", "NewListPager", http.StatusOK, func(v *azureVisit, s *resourcefake.ResourceGroupsServer) {
			s.NewListPager = func(*armresources.ResourceGroupsClientListOptions) azfake.PagerResponder[armresources.ResourceGroupsClientListResponse] {
				return paged[armresources.ResourceGroupsClientListResponse](v)
			}
		}),
	}
	return append(out, providerRoutes()...)
}

func providerRoutes() []azureRoute {
	on := func(method, path, api string, fill func(*azureVisit, *resourcefake.ProvidersServer)) azureRoute {
		return azureRoute{method: method, path: path, api: "ProvidersClient." + api, version: "2025-04-01", query: []string{"$expand"}, good: http.StatusOK, fake: func(v *azureVisit) policy.Transporter {
			s := &resourcefake.ProvidersServer{}
			fill(v, s)
			return resourcefake.NewProvidersServerTransport(s)
		}}
	}
	return []azureRoute{
		on(http.MethodGet, azureSub+"/providers", "NewListPager", func(v *azureVisit, s *resourcefake.ProvidersServer) {
			s.NewListPager = func(*armresources.ProvidersClientListOptions) azfake.PagerResponder[armresources.ProvidersClientListResponse] {
				return paged[armresources.ProvidersClientListResponse](v)
			}
		}),
		on(http.MethodGet, azureSub+"/providers/[^/]+", "Get", func(v *azureVisit, s *resourcefake.ProvidersServer) {
			s.Get = func(context.Context, string, *armresources.ProvidersClientGetOptions) (azfake.Responder[armresources.ProvidersClientGetResponse], azfake.ErrorResponder) {
				return given[armresources.ProvidersClientGetResponse](v)
			}
		}),
		on(http.MethodPost, azureSub+"/providers/[^/]+/register", "Register", func(v *azureVisit, s *resourcefake.ProvidersServer) {
			s.Register = func(context.Context, string, *armresources.ProvidersClientRegisterOptions) (azfake.Responder[armresources.ProvidersClientRegisterResponse], azfake.ErrorResponder) {
				return given[armresources.ProvidersClientRegisterResponse](v)
			}
		}),
		{method: http.MethodGet, path: azureGroups + "/resources", api: "Client.NewListByResourceGroupPager", version: "2025-04-01", query: []string{"$filter", "$expand", "$top"}, good: http.StatusOK, fake: func(v *azureVisit) policy.Transporter {
			return resourcefake.NewServerTransport(&resourcefake.Server{NewListByResourceGroupPager: func(string, *armresources.ClientListByResourceGroupOptions) azfake.PagerResponder[armresources.ClientListByResourceGroupResponse] {
				return paged[armresources.ClientListByResourceGroupResponse](v)
			}})
		}},
		{method: http.MethodGet, path: azureSub, api: "Client.Get", version: "2022-12-01", good: http.StatusOK, fake: func(v *azureVisit) policy.Transporter {
			return subfake.NewServerTransport(&subfake.Server{Get: func(context.Context, string, *armsubscriptions.ClientGetOptions) (azfake.Responder[armsubscriptions.ClientGetResponse], azfake.ErrorResponder) {
				return given[armsubscriptions.ClientGetResponse](v)
			}})
		}},
		{method: http.MethodGet, path: "/subscriptions", api: "Client.NewListPager", version: "2022-12-01", good: http.StatusOK, fake: func(v *azureVisit) policy.Transporter {
			return subfake.NewServerTransport(&subfake.Server{NewListPager: func(*armsubscriptions.ClientListOptions) azfake.PagerResponder[armsubscriptions.ClientListResponse] {
				return paged[armsubscriptions.ClientListResponse](v)
			}})
		}},
	}
}

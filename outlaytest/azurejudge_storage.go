package outlaytest

import (
	"context"
	"net/http"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v2"
	storagefake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v2/fake"
)

const storageVersion = "2025-01-01"

func storageRoutes() []azureRoute {
	on := func(method, path, api string, query []string, fill func(*azureVisit, *storagefake.AccountsServer)) azureRoute {
		return azureRoute{method: method, path: path, api: "AccountsClient." + api, version: storageVersion, query: query, good: http.StatusOK, fake: func(v *azureVisit) policy.Transporter {
			s := &storagefake.AccountsServer{}
			fill(v, s)
			return storagefake.NewAccountsServerTransport(s)
		}}
	}
	out := []azureRoute{
		on(http.MethodPost, azureSub+"/providers/Microsoft.Storage/checkNameAvailability", "CheckNameAvailability", nil, func(v *azureVisit, s *storagefake.AccountsServer) {
			s.CheckNameAvailability = func(_ context.Context, in armstorage.AccountCheckNameAvailabilityParameters, _ *armstorage.AccountsClientCheckNameAvailabilityOptions) (azfake.Responder[armstorage.AccountsClientCheckNameAvailabilityResponse], azfake.ErrorResponder) {
				return taken[armstorage.AccountsClientCheckNameAvailabilityResponse](v, in)
			}
		}),
		on(http.MethodPut, azureAccount, "BeginCreate", nil, func(v *azureVisit, s *storagefake.AccountsServer) {
			s.BeginCreate = func(_ context.Context, _, _ string, in armstorage.AccountCreateParameters, _ *armstorage.AccountsClientBeginCreateOptions) (azfake.PollerResponder[armstorage.AccountsClientCreateResponse], azfake.ErrorResponder) {
				v.body(in)
				return polled[armstorage.AccountsClientCreateResponse](v)
			}
		}),
		on(http.MethodGet, azureAccount, "GetProperties", []string{"$expand"}, func(v *azureVisit, s *storagefake.AccountsServer) {
			s.GetProperties = func(context.Context, string, string, *armstorage.AccountsClientGetPropertiesOptions) (azfake.Responder[armstorage.AccountsClientGetPropertiesResponse], azfake.ErrorResponder) {
				return given[armstorage.AccountsClientGetPropertiesResponse](v)
			}
		}),
		on(http.MethodPatch, azureAccount, "Update", nil, func(v *azureVisit, s *storagefake.AccountsServer) {
			s.Update = func(_ context.Context, _, _ string, in armstorage.AccountUpdateParameters, _ *armstorage.AccountsClientUpdateOptions) (azfake.Responder[armstorage.AccountsClientUpdateResponse], azfake.ErrorResponder) {
				return taken[armstorage.AccountsClientUpdateResponse](v, in)
			}
		}),
		on(http.MethodDelete, azureAccount, "Delete", nil, func(v *azureVisit, s *storagefake.AccountsServer) {
			s.Delete = func(context.Context, string, string, *armstorage.AccountsClientDeleteOptions) (azfake.Responder[armstorage.AccountsClientDeleteResponse], azfake.ErrorResponder) {
				return given[armstorage.AccountsClientDeleteResponse](v)
			}
		}),
		on(http.MethodPost, azureAccount+"/listKeys", "ListKeys", []string{"$expand"}, func(v *azureVisit, s *storagefake.AccountsServer) {
			s.ListKeys = func(context.Context, string, string, *armstorage.AccountsClientListKeysOptions) (azfake.Responder[armstorage.AccountsClientListKeysResponse], azfake.ErrorResponder) {
				return given[armstorage.AccountsClientListKeysResponse](v)
			}
		}),
		on(http.MethodGet, azureSub+"/providers/Microsoft.Storage/storageAccounts", "NewListPager", nil, func(v *azureVisit, s *storagefake.AccountsServer) {
			s.NewListPager = func(*armstorage.AccountsClientListOptions) azfake.PagerResponder[armstorage.AccountsClientListResponse] {
				return paged[armstorage.AccountsClientListResponse](v)
			}
		}),
		on(http.MethodGet, azureGroups+"/providers/Microsoft.Storage/storageAccounts", "NewListByResourceGroupPager", nil, func(v *azureVisit, s *storagefake.AccountsServer) {
			s.NewListByResourceGroupPager = func(string, *armstorage.AccountsClientListByResourceGroupOptions) azfake.PagerResponder[armstorage.AccountsClientListByResourceGroupResponse] {
				return paged[armstorage.AccountsClientListByResourceGroupResponse](v)
			}
		}),
	}
	return append(out, containerRoutes()...)
}

func containerRoutes() []azureRoute {
	on := func(method, path, api string, query []string, fill func(*azureVisit, *storagefake.BlobContainersServer)) azureRoute {
		return azureRoute{method: method, path: path, api: "BlobContainersClient." + api, version: storageVersion, query: query, good: http.StatusOK, fake: func(v *azureVisit) policy.Transporter {
			s := &storagefake.BlobContainersServer{}
			fill(v, s)
			return storagefake.NewBlobContainersServerTransport(s)
		}}
	}
	return []azureRoute{
		on(http.MethodPut, azureContainer+"/[^/]+", "Create", nil, func(v *azureVisit, s *storagefake.BlobContainersServer) {
			s.Create = func(_ context.Context, _, _, _ string, in armstorage.BlobContainer, _ *armstorage.BlobContainersClientCreateOptions) (azfake.Responder[armstorage.BlobContainersClientCreateResponse], azfake.ErrorResponder) {
				return taken[armstorage.BlobContainersClientCreateResponse](v, in)
			}
		}),
		on(http.MethodPatch, azureContainer+"/[^/]+", "Update", nil, func(v *azureVisit, s *storagefake.BlobContainersServer) {
			s.Update = func(_ context.Context, _, _, _ string, in armstorage.BlobContainer, _ *armstorage.BlobContainersClientUpdateOptions) (azfake.Responder[armstorage.BlobContainersClientUpdateResponse], azfake.ErrorResponder) {
				return taken[armstorage.BlobContainersClientUpdateResponse](v, in)
			}
		}),
		on(http.MethodGet, azureContainer+"/[^/]+", "Get", nil, func(v *azureVisit, s *storagefake.BlobContainersServer) {
			s.Get = func(context.Context, string, string, string, *armstorage.BlobContainersClientGetOptions) (azfake.Responder[armstorage.BlobContainersClientGetResponse], azfake.ErrorResponder) {
				return given[armstorage.BlobContainersClientGetResponse](v)
			}
		}),
		on(http.MethodDelete, azureContainer+"/[^/]+", "Delete", nil, func(v *azureVisit, s *storagefake.BlobContainersServer) {
			s.Delete = func(context.Context, string, string, string, *armstorage.BlobContainersClientDeleteOptions) (azfake.Responder[armstorage.BlobContainersClientDeleteResponse], azfake.ErrorResponder) {
				return given[armstorage.BlobContainersClientDeleteResponse](v)
			}
		}),
		on(http.MethodGet, azureContainer, "NewListPager", []string{"$maxpagesize", "$filter", "$include"}, func(v *azureVisit, s *storagefake.BlobContainersServer) {
			s.NewListPager = func(string, string, *armstorage.BlobContainersClientListOptions) azfake.PagerResponder[armstorage.BlobContainersClientListResponse] {
				return paged[armstorage.BlobContainersClientListResponse](v)
			}
		}),
	}
}

// plainRoutes are operations that no fake has under this path: their answers are read as a type of the SDK, or only
// their errors and parameters are looked at.
func plainRoutes() []azureRoute {
	account := func() any { return new(armstorage.Account) }
	permissions := func() any { return new(armauthorization.PermissionGetResult) }
	return []azureRoute{
		{method: http.MethodGet, path: "/.+/providers/Microsoft.Authorization/permissions", api: "PermissionsClient (raw)", version: "2022-04-01", model: permissions, newer: []string{"condition", "conditionVersion"}},
		{method: http.MethodGet, path: azureSub + "/providers/Microsoft.Storage/locations/[^/]+/asyncoperations/[^/]+", api: "poll of AccountsClient.BeginCreate", version: storageVersion, model: account},
		{method: http.MethodGet, path: azureSub + "/operationresults/[^/]+", api: "poll of ResourceGroupsClient.BeginDelete", version: "2025-04-01"},
		{method: http.MethodGet, path: "/providers/Microsoft.Management/managementGroups/[^/]+", api: "ManagementGroups_Get (raw)", version: "2020-05-01"},
		{method: http.MethodGet, path: "/providers/Microsoft.Management/managementGroups/[^/]+/descendants", api: "ManagementGroups_Descendants (raw)", version: "2020-05-01", query: []string{"$top"}},
		{method: http.MethodGet, path: "/providers/Microsoft.Billing/billingAccounts/.+/billingSubscriptions", api: "BillingSubscriptions_List (raw)", version: "2024-04-01"},
	}
}

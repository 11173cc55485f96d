package azure_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v2"

	simazure "outlay/simcloud/azure"
)

// must gives a client, or ends the test.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (w *world) providers() *armresources.ProvidersClient {
	return must[*armresources.ProvidersClient](w.t)(armresources.NewProvidersClient(subID, w.cred(), w.options()))
}

func (w *world) groups() *armresources.ResourceGroupsClient {
	return must[*armresources.ResourceGroupsClient](w.t)(armresources.NewResourceGroupsClient(subID, w.cred(), w.options()))
}

func (w *world) accounts() *armstorage.AccountsClient {
	return must[*armstorage.AccountsClient](w.t)(armstorage.NewAccountsClient(subID, w.cred(), w.options()))
}

func (w *world) containers() *armstorage.BlobContainersClient {
	return must[*armstorage.BlobContainersClient](w.t)(armstorage.NewBlobContainersClient(subID, w.cred(), w.options()))
}

func (w *world) exports() *armcostmanagement.ExportsClient {
	return must[*armcostmanagement.ExportsClient](w.t)(armcostmanagement.NewExportsClient(w.cred(), w.options()))
}

func (w *world) settings() *armcostmanagement.SettingsClient {
	return must[*armcostmanagement.SettingsClient](w.t)(armcostmanagement.NewSettingsClient(w.cred(), w.options()))
}

func (w *world) roles() *armauthorization.RoleAssignmentsClient {
	return must[*armauthorization.RoleAssignmentsClient](w.t)(armauthorization.NewRoleAssignmentsClient(subID, w.cred(), w.options()))
}

func (w *world) makeGroup(name string) {
	w.t.Helper()
	_, err := w.groups().CreateOrUpdate(w.t.Context(), name, armresources.ResourceGroup{Location: to.Ptr("East US"), Tags: map[string]*string{"managed-by": to.Ptr("outlay")}}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
}

func accountBody() armstorage.AccountCreateParameters {
	return armstorage.AccountCreateParameters{
		Kind: to.Ptr(armstorage.KindStorageV2), Location: to.Ptr("eastus"), SKU: &armstorage.SKU{Name: to.Ptr(armstorage.SKUNameStandardLRS)}, Tags: map[string]*string{"managed-by": to.Ptr("outlay")},
		Properties: &armstorage.AccountPropertiesCreateParameters{AllowBlobPublicAccess: to.Ptr(false), MinimumTLSVersion: to.Ptr(armstorage.MinimumTLSVersionTLS12), EnableHTTPSTrafficOnly: to.Ptr(true)},
	}
}

func (w *world) makeAccount(group, name string) armstorage.Account {
	w.t.Helper()
	p, err := w.accounts().BeginCreate(w.t.Context(), group, name, accountBody(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	got, err := p.PollUntilDone(w.t.Context(), &runtime.PollUntilDoneOptions{Frequency: time.Second})
	if err != nil {
		w.t.Fatal(err)
	}
	return got.Account
}

func accountID(group, name string) string {
	return scope + "/resourceGroups/" + group + "/providers/Microsoft.Storage/storageAccounts/" + name
}

func TestProviders(t *testing.T) {
	w := newWorld(t, simazure.Options{})
	c, ctx := w.providers(), t.Context()
	states := []string{}
	ask := func() {
		got, err := c.Get(ctx, "Microsoft.CostManagementExports", nil)
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, *got.RegistrationState)
	}
	ask()
	for range 2 { // registering twice is no error
		got, err := c.Register(ctx, "Microsoft.CostManagementExports", nil)
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, *got.RegistrationState)
	}
	ask()
	ask()
	if got := strings.Join(states, " "); got != "NotRegistered Registering Registering Registering Registered" {
		t.Errorf("states: %s", got)
	}
	if _, err := c.Register(ctx, "Microsoft.CostManagementExports", nil); err != nil {
		t.Errorf("registering what is registered: %v", err)
	}
	if w.Provider(subID, "microsoft.costmanagementexports") != "Registered" {
		t.Error("it does not stay registered")
	}
	_, err := c.Get(ctx, "Microsoft.Nonsense", nil)
	wantCode(t, err, 404, "InvalidResourceNamespace")
	n := 0
	for pager := c.NewListPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Value)
	}
	if n < 5 {
		t.Errorf("%d providers", n)
	}
}

func TestGroups(t *testing.T) {
	w := newWorld(t, simazure.Options{})
	c, ctx := w.groups(), t.Context()
	if got, err := c.CheckExistence(ctx, "billing", nil); err != nil || got.Success {
		t.Errorf("got %v, %v", got, err)
	}
	w.makeGroup("billing")
	if got, err := c.CheckExistence(ctx, "BILLING", nil); err != nil || !got.Success {
		t.Errorf("got %v, %v", got, err)
	}
	_, err := c.CreateOrUpdate(ctx, "billing", armresources.ResourceGroup{Location: to.Ptr("westeurope")}, nil)
	wantCode(t, err, 409, "InvalidResourceGroupLocation")
	_, err = c.CreateOrUpdate(ctx, "elsewhere", armresources.ResourceGroup{Location: to.Ptr("atlantis")}, nil)
	wantCode(t, err, 400, "LocationNotAvailableForResourceGroup")
	if got, err := c.Get(ctx, "billing", nil); err != nil || *got.Location != "eastus" || *got.Tags["managed-by"] != "outlay" {
		t.Errorf("got %+v, %v", got, err)
	}
	w.makeAccount("billing", "outlayacc1")
	list := must[*armresources.Client](t)(armresources.NewClient(subID, w.cred(), w.options()))
	page, err := list.NewListByResourceGroupPager("billing", nil).NextPage(ctx)
	if err != nil || len(page.Value) != 1 || *page.Value[0].ID != accountID("billing", "outlayacc1") {
		t.Errorf("in the group: %+v, %v", page, err)
	}
	w.Lock(accountID("billing", "outlayacc1"), "CanNotDelete")
	_, err = c.BeginDelete(ctx, "billing", nil)
	wantCode(t, err, 409, "ScopeLocked")
	w.Lock(accountID("billing", "outlayacc1"), "")
	p, err := c.BeginDelete(ctx, "billing", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.CreateOrUpdate(ctx, "billing", armresources.ResourceGroup{Location: to.Ptr("eastus")}, nil); err == nil {
		t.Error("a group on its way out was written")
	}
	if _, err := p.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: time.Second}); err != nil {
		t.Fatal(err)
	}
	if live := w.Snapshot(); len(live) != 0 {
		t.Errorf("left: %+v", live)
	}
	_, err = c.Get(ctx, "billing", nil)
	wantCode(t, err, 404, "ResourceGroupNotFound")
}

func TestAccounts(t *testing.T) {
	w := newWorld(t, simazure.Options{ContainerLag: time.Hour})
	c, ctx := w.accounts(), t.Context()
	w.makeGroup("billing")
	w.PlantAccount(subID, "theirs", "takenname", "eastus")
	for name, want := range map[string]string{"takenname": "AlreadyExists", "Bad_Name": "AccountNameInvalid", "freename": ""} {
		got, err := c.CheckNameAvailability(ctx, armstorage.AccountCheckNameAvailabilityParameters{Name: &name, Type: to.Ptr("Microsoft.Storage/storageAccounts")}, nil)
		if err != nil || *got.NameAvailable != (want == "") || want != "" && string(*got.Reason) != want {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	_, err := c.BeginCreate(ctx, "billing", "takenname", accountBody(), nil)
	wantCode(t, err, 409, "StorageAccountInAnotherResourceGroup")
	_, err = c.BeginCreate(ctx, "absent", "freename", accountBody(), nil)
	wantCode(t, err, 404, "ResourceGroupNotFound")
	acc := w.makeAccount("billing", "freename")
	if *acc.Properties.ProvisioningState != armstorage.ProvisioningStateSucceeded || !strings.HasSuffix(*acc.Properties.PrimaryEndpoints.Blob, "/blob/freename/") {
		t.Errorf("got %+v", acc.Properties)
	}
	keys, err := c.ListKeys(ctx, "billing", "freename", nil)
	if err != nil || len(keys.Keys) != 2 {
		t.Errorf("keys: %v, %v", keys, err)
	}
	if _, err := c.Update(ctx, "billing", "freename", armstorage.AccountUpdateParameters{Properties: &armstorage.AccountPropertiesUpdateParameters{AllowSharedKeyAccess: to.Ptr(false)}}, nil); err != nil {
		t.Error(err)
	}
	got, err := c.GetProperties(ctx, "billing", "freename", nil)
	if err != nil || *got.Properties.AllowSharedKeyAccess || *got.Tags["managed-by"] != "outlay" || !got.Properties.CreationTime.Equal(*acc.Properties.CreationTime) {
		t.Errorf("got %+v, %v", got, err)
	}
	n := 0
	for pager := c.NewListPager(nil); pager.More(); n++ {
		if _, err := pager.NextPage(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if page, err := c.NewListByResourceGroupPager("billing", nil).NextPage(ctx); err != nil || len(page.Value) != 1 {
		t.Errorf("got %v, %v", page, err)
	}
	w.containerCalls("freename")
	for range 2 { // deleting twice is no error
		if _, err := c.Delete(ctx, "billing", "freename", nil); err != nil {
			t.Error(err)
		}
	}
	_, err = c.GetProperties(ctx, "billing", "freename", nil)
	wantCode(t, err, 404, "ResourceNotFound")
}

func (w *world) containerCalls(account string) {
	t, c, ctx := w.t, w.containers(), w.t.Context()
	body := armstorage.BlobContainer{ContainerProperties: &armstorage.ContainerProperties{PublicAccess: to.Ptr(armstorage.PublicAccessNone), Metadata: map[string]*string{"managed_by": to.Ptr("outlay")}}}
	for range 2 {
		if _, err := c.Create(ctx, "billing", account, "exports", body, nil); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.Get(ctx, "billing", account, "exports", nil)
	if err != nil || *got.ContainerProperties.Metadata["managed_by"] != "outlay" {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = c.Get(ctx, "billing", account, "absent", nil)
	wantCode(t, err, 404, "ContainerNotFound")
	_, err = c.Create(ctx, "billing", account, "a--b", body, nil)
	wantCode(t, err, 400, "InvalidResourceName")
	if page, err := c.NewListPager("billing", account, nil).NextPage(ctx); err != nil || len(page.Value) != 1 {
		t.Errorf("got %v, %v", page, err)
	}
	for range 2 {
		if _, err := c.Delete(ctx, "billing", account, "exports", nil); err != nil {
			t.Error(err)
		}
	}
	_, err = c.Create(ctx, "billing", account, "exports", body, nil)
	wantCode(t, err, 409, "ContainerBeingDeleted")
}

// Every action that is denied is named in the refusal, and only calls that need it are refused.
func TestPermissions(t *testing.T) {
	w := ready(t, simazure.Options{})
	group := must[*armauthorization.PermissionsClient](t)(armauthorization.NewPermissionsClient(subID, w.cred(), w.options()))
	w.GrantRole(w.app, scope, simazure.Role{Name: "conditional", Actions: []string{"Microsoft.Authorization/roleAssignments/*"}, Condition: "(x)"})
	w.Grant(w.app, scope+"/resourceGroups/billing", "Microsoft.Compute/*")
	w.Deny(w.app, "Microsoft.Storage/storageAccounts/delete")
	pages, entries := 0, 0
	for pager := group.NewListForResourceGroupPager("billing", nil); pager.More(); pages++ {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Value {
			entries++
			if !slices.ContainsFunc(p.NotActions, func(a *string) bool { return *a == "Microsoft.Storage/storageAccounts/delete" }) {
				t.Errorf("an entry does not show what is denied: %+v", p)
			}
		}
	}
	if pages != 2 || entries != 3 {
		t.Errorf("%d pages, %d entries", pages, entries)
	}
	_, err := w.accounts().Delete(t.Context(), "billing", "outlayacc1", nil)
	wantCode(t, err, 403, "AuthorizationFailed")
	if !strings.Contains(err.Error(), "'Microsoft.Storage/storageAccounts/delete'") {
		t.Errorf("it is not named: %v", err)
	}
}

func TestGrantLag(t *testing.T) {
	w := newWorld(t, simazure.Options{GrantLag: 2})
	for range 2 {
		_, err := w.groups().Get(t.Context(), "absent", nil)
		wantCode(t, err, 403, "AuthorizationFailed")
	}
	_, err := w.groups().Get(t.Context(), "absent", nil)
	wantCode(t, err, 404, "ResourceGroupNotFound")
}

// What is new is not seen by the first reads, though writes see it (ReadLag).
func TestReadLag(t *testing.T) {
	w := newWorld(t, simazure.Options{ReadLag: 2})
	put := func() error {
		_, err := w.groups().CreateOrUpdate(t.Context(), "g", armresources.ResourceGroup{Location: to.Ptr("eastus")}, nil)
		return err
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	if there, err := w.groups().CheckExistence(t.Context(), "g", nil); err != nil || there.Success {
		t.Errorf("the first read: %v, %v", there, err)
	}
	_, err := w.groups().Get(t.Context(), "g", nil)
	wantCode(t, err, 404, "ResourceGroupNotFound")
	if err := put(); err != nil {
		t.Error(err)
	}
	if _, err := w.groups().Get(t.Context(), "g", nil); err != nil {
		t.Error(err)
	}
}

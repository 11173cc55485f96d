package azure_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3"

	simazure "outlay/simcloud/azure"
)

func exportBody(account string) armcostmanagement.Export {
	now := time.Now().UTC()
	return armcostmanagement.Export{Properties: &armcostmanagement.ExportProperties{
		Definition: &armcostmanagement.ExportDefinition{Type: to.Ptr(armcostmanagement.ExportTypeFocusCost), Timeframe: to.Ptr(armcostmanagement.TimeframeTypeMonthToDate), DataSet: &armcostmanagement.ExportDataset{
			Granularity: to.Ptr(armcostmanagement.GranularityTypeDaily), Configuration: &armcostmanagement.ExportDatasetConfiguration{DataVersion: to.Ptr("1.2-preview")},
		}},
		DeliveryInfo: &armcostmanagement.ExportDeliveryInfo{Destination: &armcostmanagement.ExportDeliveryDestination{
			Type: to.Ptr(armcostmanagement.DestinationTypeAzureBlob), ResourceID: to.Ptr(account), Container: to.Ptr("exports"), RootFolderPath: to.Ptr("outlay/a"),
		}},
		Schedule: &armcostmanagement.ExportSchedule{
			Status: to.Ptr(armcostmanagement.StatusTypeActive), Recurrence: to.Ptr(armcostmanagement.RecurrenceTypeDaily),
			RecurrencePeriod: &armcostmanagement.ExportRecurrencePeriod{From: to.Ptr(now.Add(10 * time.Minute)), To: to.Ptr(time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC))},
		},
		Format: to.Ptr(armcostmanagement.FormatTypeParquet), CompressionMode: to.Ptr(armcostmanagement.CompressionModeTypeSnappy), PartitionData: to.Ptr(true),
		DataOverwriteBehavior: to.Ptr(armcostmanagement.DataOverwriteBehaviorTypeOverwritePreviousReport), ExportDescription: to.Ptr("managed-by=outlay; outlay-source-id=s1"),
	}}
}

// ready is a world with a registered provider and an account "outlayacc1".
func ready(t *testing.T, o simazure.Options) *world {
	t.Helper()
	w := newWorld(t, o)
	w.SetProvider(subID, "Microsoft.CostManagementExports", "Registered")
	w.makeGroup("billing")
	w.makeAccount("billing", "outlayacc1")
	return w
}

func TestExportLife(t *testing.T) {
	w := ready(t, simazure.Options{RunAccepted: true, DeleteNoContent: true})
	c, ctx := w.exports(), t.Context()
	first := policy.WithHTTPHeader(ctx, http.Header{"If-None-Match": {"*"}})
	body := exportBody(accountID("billing", "outlayacc1"))
	made, err := c.CreateOrUpdate(first, scope, "focus-1", body, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.CreateOrUpdate(first, scope, "focus-1", body, nil)
	wantCode(t, err, 412, "PreconditionFailed")
	_, err = c.CreateOrUpdate(ctx, scope, "focus-1", body, nil)
	wantCode(t, err, 412, "412")
	body.ETag, body.Properties.Schedule.Status = made.ETag, to.Ptr(armcostmanagement.StatusTypeInactive)
	changed, err := c.CreateOrUpdate(ctx, scope, "focus-1", body, nil)
	if err != nil || *changed.ETag == *made.ETag {
		t.Fatalf("got %+v, %v", changed, err)
	}
	if _, err = c.Execute(ctx, scope, "focus-1", nil); !sdkRefuses(err, http.StatusAccepted) {
		t.Errorf("a run answers %v", err)
	}
	got, err := c.Get(ctx, "subscriptions/"+subID, "FOCUS-1", &armcostmanagement.ExportsClientGetOptions{Expand: to.Ptr("runHistory")})
	if err != nil || *got.Properties.ExportDescription != "managed-by=outlay; outlay-source-id=s1" || *got.Properties.RunHistory.Value[0].Properties.Status != armcostmanagement.ExecutionStatusQueued {
		t.Errorf("got %+v, %v", got, err)
	}
	if list, err := c.List(ctx, scope, nil); err != nil || len(list.Value) != 1 {
		t.Errorf("got %+v, %v", list, err)
	}
	if _, err = c.Delete(ctx, scope, "focus-1", nil); !sdkRefuses(err, http.StatusNoContent) {
		t.Errorf("a delete answers %v", err)
	}
	_, err = c.Get(ctx, scope, "focus-1", nil)
	wantCode(t, err, 404, "ResourceNotFound")
}

// sdkRefuses tells whether an error is one that the SDK makes of a success it does not know.
func sdkRefuses(err error, status int) bool {
	var re *azcore.ResponseError
	return errors.As(err, &re) && re.StatusCode == status
}

func TestExportRefusals(t *testing.T) {
	w := ready(t, simazure.Options{RegisterLag: 1})
	c, ctx := w.exports(), t.Context()
	identity := &armcostmanagement.SystemAssignedServiceIdentity{Type: to.Ptr(armcostmanagement.SystemAssignedServiceIdentityTypeSystemAssigned)}
	for _, x := range []struct {
		name   string
		spoil  func(*armcostmanagement.Export)
		status int
		text   string
	}{
		{"slash", func(e *armcostmanagement.Export) { e.Properties.DeliveryInfo.Destination.RootFolderPath = to.Ptr("/a") }, 400, "cannot begin with a forward slash"},
		{"past", func(e *armcostmanagement.Export) {
			e.Properties.Schedule.RecurrencePeriod.From = to.Ptr(time.Now().Add(-time.Hour))
		}, 400, "in the future"},
		{"pair", func(e *armcostmanagement.Export) {
			e.Properties.CompressionMode = to.Ptr(armcostmanagement.CompressionModeTypeGzip)
		}, 400, "compressionMode"},
		{"version", func(e *armcostmanagement.Export) {
			e.Properties.Definition.DataSet.Configuration.DataVersion = to.Ptr("9")
		}, 400, "dataVersion"},
		{"account", func(e *armcostmanagement.Export) {
			e.Properties.DeliveryInfo.Destination.ResourceID = to.Ptr(accountID("billing", "absent"))
		}, 404, "absent"},
		{"identity alone", func(e *armcostmanagement.Export) { e.Identity = identity }, 400, "together"},
		{"etag", func(e *armcostmanagement.Export) { e.ETag = to.Ptr(azcore.ETag("x")) }, 400, "no eTag yet"},
		{"sas", func(e *armcostmanagement.Export) { e.Properties.DeliveryInfo.Destination.SasToken = to.Ptr("x") }, 400, "SAS"},
	} {
		body := exportBody(accountID("billing", "outlayacc1"))
		x.spoil(&body)
		_, err := c.CreateOrUpdate(ctx, scope, "focus-1", body, nil)
		if !sdkRefuses(err, x.status) || !strings.Contains(err.Error(), x.text) {
			t.Errorf("%s: %v", x.name, err)
		}
	}
	body := exportBody(accountID("billing", "outlayacc1"))
	w.SetAccount("outlayacc1", "allowSharedKeyAccess", false)
	_, err := c.CreateOrUpdate(ctx, scope, "focus-1", body, nil)
	if !sdkRefuses(err, 400) || !strings.Contains(err.Error(), "Key-based authentication") {
		t.Errorf("without keys: %v", err)
	}
	body.Identity, body.Location = identity, to.Ptr("global")
	w.Deny(w.app, "Microsoft.Authorization/roleAssignments/write")
	_, err = c.CreateOrUpdate(ctx, scope, "focus-1", body, nil)
	wantCode(t, err, 401, "Unauthorized")
	w.Undeny(w.app)
	w.SetProvider(subID, "Microsoft.CostManagementExports", "NotRegistered")
	_, err = c.CreateOrUpdate(ctx, scope, "focus-1", body, nil)
	if !sdkRefuses(err, 400) || !strings.Contains(err.Error(), "RP Not Registered") {
		t.Errorf("unregistered: %v", err)
	}
	if _, err := w.providers().Register(ctx, "Microsoft.CostManagementExports", nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := w.providers().Get(ctx, "Microsoft.CostManagementExports", nil); err != nil {
			t.Fatal(err)
		}
	}
	_, err = c.CreateOrUpdate(ctx, scope, "focus-1", body, nil)
	if !sdkRefuses(err, 400) || !strings.Contains(err.Error(), "RP Not Registered") {
		t.Errorf("just registered: %v", err)
	}
	got, err := c.CreateOrUpdate(ctx, scope, "focus-1", body, nil)
	if err != nil || *got.Identity.PrincipalID == "" {
		t.Fatalf("got %+v, %v", got, err)
	}
	w.roleCalls(*got.Identity.PrincipalID)
}

// roleCalls finds and deletes the role assignment that Azure gave an export's identity.
func (w *world) roleCalls(principal string) {
	t, c, ctx := w.t, w.roles(), w.t.Context()
	if _, err := w.exports().Delete(ctx, scope, "focus-1", nil); err != nil {
		t.Fatal(err)
	}
	filter := url.QueryEscape("principalId eq '" + principal + "'") // the SDK does not escape it
	page, err := c.NewListForScopePager(accountID("billing", "outlayacc1"), &armauthorization.RoleAssignmentsClientListForScopeOptions{Filter: &filter}).NextPage(ctx)
	if err != nil || len(page.Value) != 1 || !strings.HasSuffix(*page.Value[0].Properties.RoleDefinitionID, "ba92f5b4-2d11-453d-a403-e96b0029c9fe") {
		t.Fatalf("got %+v, %v", page, err)
	}
	name := *page.Value[0].Name
	if _, err := c.Get(ctx, accountID("billing", "outlayacc1"), name, nil); err != nil {
		t.Error(err)
	}
	for range 2 {
		if _, err := c.Delete(ctx, accountID("billing", "outlayacc1"), name, nil); err != nil {
			t.Error(err)
		}
	}
	_, err = c.Create(ctx, scope, name, armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{PrincipalID: &principal, RoleDefinitionID: to.Ptr("acdd72a7-3385-48ef-bd42-f606fba81ae7")}}, nil)
	wantCode(t, err, 400, "PrincipalNotFound")
	if live := w.Only("role-assignment"); len(live) != 0 {
		t.Errorf("left: %+v", live)
	}
}

// Offers and scopes have the data sets of clouds.md §3.2.
func TestDatasets(t *testing.T) {
	w := ready(t, simazure.Options{})
	const payg, csp, group = "33333333-3333-4333-a333-333333333333", "44444444-4444-4444-a444-444444444444", "/providers/Microsoft.Management/managementGroups/research"
	w.AddSubscription(tenantID, payg, "small", "PayAsYouGo_2014-09-01")
	w.AddSubscription(tenantID, csp, "partner", "CSP_2015-05-01")
	w.AddManagementGroup(tenantID, "root", "Root", "")
	w.AddManagementGroup(tenantID, "research", "Research", "root")
	w.SetParent(subID, "research")
	enrolment := w.AddEnrolment(tenantID, "8611537", "Northfield EA", subID)
	profile := w.AddBillingProfile(tenantID, "aaaa:bbbb_2019-05-31", "PROF-1", "Northfield MCA", payg)
	for _, s := range []string{"/subscriptions/" + payg, "/subscriptions/" + csp, group, enrolment, profile} {
		w.Grant(w.app, s, "*")
	}
	c, ctx := w.exports(), t.Context()
	for _, x := range []struct{ scope, accepts string }{
		{scope, "FocusCost ActualCost AmortizedCost Usage"}, {scope + "/resourceGroups/billing", "FocusCost ActualCost AmortizedCost Usage"}, {"/subscriptions/" + payg, "Usage"},
		{"/subscriptions/" + csp, "ActualCost AmortizedCost Usage"}, {group, "ActualCost Usage"}, {enrolment, "FocusCost ActualCost AmortizedCost Usage"}, {profile, "FocusCost ActualCost AmortizedCost Usage"},
	} {
		var ok []string
		for _, kind := range []string{"FocusCost", "ActualCost", "AmortizedCost", "Usage"} {
			body := exportBody(accountID("billing", "outlayacc1"))
			body.Properties.Definition.Type = to.Ptr(armcostmanagement.ExportType(kind))
			if _, err := c.CreateOrUpdate(ctx, x.scope, "set-"+kind, body, nil); err == nil {
				ok = append(ok, kind)
			} else if !sdkRefuses(err, 400) {
				t.Errorf("%s of %s: %v", kind, x.scope, err)
			}
		}
		if got := strings.Join(ok, " "); got != x.accepts {
			t.Errorf("%s accepts %s, want %s", x.scope, got, x.accepts)
		}
	}
	if _, err := c.Execute(ctx, profile, "set-FocusCost", nil); err == nil {
		t.Error("a service principal ran an export of a billing profile")
	} else {
		wantCode(t, err, 403, "RBACAccessDenied")
	}
	_, err := c.List(ctx, "/nonsense/x", nil)
	wantCode(t, err, 400, "BadRequest")
}

func TestSettings(t *testing.T) {
	w := newWorld(t, simazure.Options{})
	c, ctx := w.settings(), t.Context()
	_, err := c.GetByScope(ctx, scope, armcostmanagement.SettingTypeTaginheritance, nil)
	wantCode(t, err, 404, "NotFound")
	body := &armcostmanagement.TagInheritanceSetting{Kind: to.Ptr(armcostmanagement.SettingsKindTaginheritance), Properties: &armcostmanagement.TagInheritanceProperties{PreferContainerTags: to.Ptr(false)}}
	if _, err := c.CreateOrUpdateByScope(ctx, scope, armcostmanagement.SettingTypeTaginheritance, body, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := c.List(ctx, scope, nil); err != nil || len(got.Value) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	if len(w.Only("tag-inheritance")) != 1 {
		t.Error("it does not live")
	}
	for range 2 {
		if _, err := c.DeleteByScope(ctx, scope, armcostmanagement.SettingTypeTaginheritance, nil); err != nil {
			t.Error(err)
		}
	}
}

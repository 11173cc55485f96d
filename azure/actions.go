package azure

import (
	"slices"

	"outlay"
)

// The actions of Azure's access control that this room calls (clouds.md §3.8).
const (
	actSubscriptionRead = "Microsoft.Resources/subscriptions/read"
	actProvidersRead    = "Microsoft.Resources/subscriptions/providers/read"
	actGroupRead        = "Microsoft.Resources/subscriptions/resourceGroups/read"
	actGroupWrite       = "Microsoft.Resources/subscriptions/resourceGroups/write"
	actGroupDelete      = "Microsoft.Resources/subscriptions/resourceGroups/delete"
	actResourcesRead    = "Microsoft.Resources/subscriptions/resourceGroups/resources/read"
	actNameCheck        = "Microsoft.Storage/checkNameAvailability/read"
	actAccountRead      = "Microsoft.Storage/storageAccounts/read"
	actAccountWrite     = "Microsoft.Storage/storageAccounts/write"
	actAccountDelete    = "Microsoft.Storage/storageAccounts/delete"
	actKeys             = "Microsoft.Storage/storageAccounts/listKeys/action"
	actContainerRead    = "Microsoft.Storage/storageAccounts/blobServices/containers/read"
	actContainerWrite   = "Microsoft.Storage/storageAccounts/blobServices/containers/write"
	actContainerDelete  = "Microsoft.Storage/storageAccounts/blobServices/containers/delete"
	actBlobsRead        = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read" // a data action
	actExportRead       = "Microsoft.CostManagement/exports/read"
	actExportWrite      = "Microsoft.CostManagement/exports/write"
	actExportDelete     = "Microsoft.CostManagement/exports/delete"
	actExportAct        = "Microsoft.CostManagement/exports/action"
	actExportRun        = "Microsoft.CostManagement/exports/run/action"
	actSettingsRead     = "Microsoft.CostManagement/settings/read"
	actSettingsWrite    = "Microsoft.CostManagement/settings/write"
	actPermissionsRead  = "Microsoft.Authorization/permissions/read"
	actAssignmentsRead  = "Microsoft.Authorization/roleAssignments/read"
	actAssignmentsWrite = "Microsoft.Authorization/roleAssignments/write"
	actAssignmentsDel   = "Microsoft.Authorization/roleAssignments/delete"
)

// registerAction lets a subscription be registered for a resource provider.
func registerAction(namespace string) string { return namespace + "/register/action" }

// where says at which scope a permission is needed.
type where int

const (
	inSubscription where = iota // the one that holds the storage account
	inStorage                   // the resource group, once it is there
	inCosts                     // the scope whose costs are exported
)

// need is one permission, where, and what for. soft needs have no effect but a warning when they lack.
type need struct {
	action string
	where  where
	why    string
	soft   bool
}

// needsOf are the permissions that a source's way up, or down, takes; of an imported one, those that reading takes.
// Without a source, those of a new one.
func needsOf(s *outlay.Source) []need {
	list := []need{
		{actSubscriptionRead, inSubscription, "checking the subscription", false},
		{actPermissionsRead, inSubscription, "testing permissions", true},
		{actGroupRead, inStorage, "finding the resource group", false},
		{actAccountRead, inStorage, "finding the storage account", false},
		{actContainerRead, inStorage, "finding the container", false},
		{actBlobsRead, inStorage, "reading delivered files", false},
		{actExportRead, inCosts, "finding the export and its runs", false},
	}
	if s != nil && s.Origin == outlay.OriginImported {
		return slices.DeleteFunc(list, func(n need) bool { // ending an import takes nothing
			return s.Spec == nil || !slices.Contains([]string{actSubscriptionRead, actPermissionsRead, actExportRead, actBlobsRead}, n.action)
		})
	}
	if s != nil && s.Spec == nil && s.Desired != outlay.Draft {
		return append(list, downNeeds(s)...)
	}
	return append(list, upNeeds(s)...)
}

func upNeeds(s *outlay.Source) []need {
	var fields map[string]string
	if s != nil && s.Spec != nil {
		fields = s.Spec.Fields
	}
	list := []need{
		{actProvidersRead, inSubscription, "looking whether the subscription is registered for exports", true},
		{registerAction(exportsProvider), inSubscription, "registering the subscription for exports", false},
		{registerAction(storageProvider), inSubscription, "registering the subscription for storage accounts", true},
		{registerAction(costProvider), inSubscription, "registering the subscription for cost management", true},
		{actGroupWrite, inStorage, "creating the resource group", false},
		{actNameCheck, inSubscription, "checking that the storage account's name is free", true},
		{actAccountWrite, inStorage, "creating the storage account", false},
		{actContainerWrite, inStorage, "creating the container", false},
		{actExportWrite, inCosts, "creating the export", false},
		{actExportAct, inCosts, "running the export at once", true},
		{actExportRun, inCosts, "running the export at once", true},
	}
	write := need{actAssignmentsWrite, inStorage, "giving the export's own identity access to the storage account", false}
	keys := need{actKeys, inStorage, "letting the export write without an identity of its own", false}
	switch fields[fieldIdentity] {
	case identitySystem:
		list = append(list, write)
	case identityNone:
		list = append(list, keys)
	default: // one of the two suffices, see planner.missing
		write.soft, keys.soft = true, true
		list = append(list, write, keys)
	}
	if fields[fieldInherit] == choiceYes {
		list = append(list, need{actSettingsRead, inCosts, "reading the tag inheritance", true}, need{actSettingsWrite, inCosts, "turning on tag inheritance", true})
	}
	return list
}

func downNeeds(s *outlay.Source) []need {
	list := []need{
		{actExportDelete, inCosts, "deleting the export", false},
		{actAssignmentsRead, inStorage, "finding the access of the export's own identity", true},
		{actAssignmentsDel, inStorage, "ending the access of the export's own identity", true},
	}
	if s.CostFiles == outlay.KeepCostFiles {
		return list
	}
	return append(list,
		need{actContainerDelete, inStorage, "deleting the container where others use the storage account", true},
		need{actAccountDelete, inStorage, "deleting the storage account", false},
		need{actResourcesRead, inStorage, "checking that nothing else is in the resource group", true},
		need{actGroupDelete, inStorage, "deleting the resource group", false})
}

// readerActions are the actions of the hourly look and of reading what was delivered.
func readerActions() []string {
	return []string{actSubscriptionRead, actProvidersRead, actGroupRead, actAccountRead, actContainerRead, actExportRead, actSettingsRead, actBlobsRead}
}

// allActions are the actions of the whole way up and down, each once.
func allActions() []string {
	var out []string
	every := append(needsOf(nil), downNeeds(&outlay.Source{})...)
	every = append(every, need{action: actSettingsRead}, need{action: actSettingsWrite})
	for _, n := range every {
		if !slices.Contains(out, n.action) {
			out = append(out, n.action)
		}
	}
	return out
}

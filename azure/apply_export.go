package azure

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3"
)

// spreadTime is how long Azure may deny a registration that is through, or a role that was given (architecture.md
// ruling 10, clouds.md §3.3 step 6).
const spreadTime = 15 * time.Minute

// startIn is how far in the future an export's schedule begins; Azure refuses one that has begun.
const startIn = 10 * time.Minute

// putExport creates the export, or brings one back to its settings.
func (w *applier) putExport(ctx context.Context) (outlay.Resource, error) {
	live, found, err := w.p.findExport(ctx, w.ses, w.s, w.n.Scope, w.c.Name)
	if err != nil {
		return outlay.Resource{}, err
	}
	if found && live.resource.State == outlay.StateForeign {
		return outlay.Resource{}, notOurs("export", w.c.Name)
	}
	if w.c.Action == outlay.ActionUpdate {
		if !found {
			return outlay.Resource{}, goneMeanwhile("export", w.c.Name)
		}
		return w.updateExport(ctx, live)
	}
	if found {
		live.resource.State = outlay.StateCreated
		return live.resource, nil
	}
	return w.createExport(ctx)
}

// createExport orders the export, with the data sets of the plan's fallback where Azure refuses the first: the same
// name, so that there is never a second one by accident. 'If-None-Match: *' makes it a create and nothing else.
func (w *applier) createExport(ctx context.Context) (outlay.Resource, error) {
	sets := []string{orElse(w.c.To[propDataset], typeFocus)}
	for set := range strings.SplitSeq(w.c.To["fallback"], ",") {
		if set = strings.TrimSpace(set); set != "" {
			sets = append(sets, set)
		}
	}
	var refusal error
	for _, set := range sets {
		r, err := w.order(policy.WithHTTPHeader(ctx, http.Header{"If-None-Match": {"*"}}), w.settingsFor(set), nil, w.tags())
		if err == nil {
			r.State = outlay.StateCreated
			return r, nil
		}
		if refusal == nil {
			refusal = err
		}
		if !refusesDataset(err) {
			return outlay.Resource{}, err
		}
	}
	return outlay.Resource{}, refusal
}

// refusesDataset tells whether Azure may have refused an export for its kind of data: an offer or a scope that does
// not have it answers 400, without a code of its own (clouds.md §3.2).
func refusesDataset(err error) bool {
	e := outlay.AsError(err)
	if e.Code != outlay.CodeInvalid || statusOf(err) != http.StatusBadRequest {
		return false
	}
	text := strings.ToLower(errorText(err))
	for _, other := range []string{"rootfolderpath", "key-based authentication", "deliveryinfo", "recurrenceperiod", "container", "storage account", "schedule"} {
		if strings.Contains(text, other) {
			return false
		}
	}
	return true
}

// settingsFor are the plan's settings, with the format that goes with a data set.
func (w *applier) settingsFor(set string) map[string]string {
	want := map[string]string{propDataset: set, propFormat: "Csv", propPack: "gzip", propMode: "OverwritePreviousReport", propSplit: splitYes, propIdentity: orElse(w.c.To[propIdentity], identitySystem)}
	if set == typeFocus {
		want[propFormat], want[propPack], want[propVersion] = "Parquet", "snappy", focusVersion
	}
	if set == w.c.To[propDataset] {
		for k, v := range w.c.To {
			want[k] = v
		}
	}
	return want
}

// updateExport brings an existing export back to its settings; Azure wants the whole of it, with the tag of the
// version that it replaces.
func (w *applier) updateExport(ctx context.Context, live export) (outlay.Resource, error) {
	want := map[string]string{}
	for k, v := range live.resource.Properties {
		want[k] = v
	}
	for k, v := range w.c.To {
		want[k] = v
	}
	owner := w.tags()
	for k, v := range live.resource.Owner {
		owner[k] = v // the run that made it
	}
	r, err := w.order(ctx, want, &live.live, owner)
	if err == nil {
		r.Created = live.resource.Created
	}
	return r, err
}

// order sends the export as it should be; before is the one that it replaces.
func (w *applier) order(ctx context.Context, want map[string]string, before *armcostmanagement.Export, owner map[string]string) (outlay.Resource, error) {
	client, err := w.ses.once().exports()
	if err != nil {
		return outlay.Resource{}, err
	}
	got, err := client.CreateOrUpdate(ctx, w.n.Scope, w.c.Name, w.definition(want, before, owner), nil)
	if err != nil {
		return outlay.Resource{}, w.exportFailure(ctx, err)
	}
	r := exportResource(got.Export, w.p.opts.Clock.Now())
	r.ProviderID, r.Owner = exportID(w.n.Scope, w.c.Name), marks(owner)
	if r.Properties[propDataset] == "" { // an answer without a body
		for k, v := range want {
			r.Properties[k] = v
		}
	}
	return r, nil
}

// definition is the whole export as Azure takes it (clouds.md §3.3 step 6).
func (w *applier) definition(want map[string]string, before *armcostmanagement.Export, owner map[string]string) armcostmanagement.Export {
	now := w.p.opts.Clock.Now().UTC()
	root := mainRoot
	if strings.HasSuffix(w.c.Name, amortizedSuffix) {
		root = amortizedRoot
	}
	dataset := &armcostmanagement.ExportDataset{Granularity: to(armcostmanagement.GranularityTypeDaily)}
	if v := want[propVersion]; v != "" {
		dataset.Configuration = &armcostmanagement.ExportDatasetConfiguration{DataVersion: &v}
	}
	e := armcostmanagement.Export{Properties: &armcostmanagement.ExportProperties{
		Definition: &armcostmanagement.ExportDefinition{Type: to(armcostmanagement.ExportType(want[propDataset])), Timeframe: to(armcostmanagement.TimeframeTypeMonthToDate), DataSet: dataset},
		DeliveryInfo: &armcostmanagement.ExportDeliveryInfo{Destination: &armcostmanagement.ExportDeliveryDestination{
			Type: to(armcostmanagement.DestinationTypeAzureBlob), ResourceID: to(w.n.accountID()), Container: to(w.n.Container), RootFolderPath: &root,
		}},
		Schedule: &armcostmanagement.ExportSchedule{
			Status: to(armcostmanagement.StatusTypeActive), Recurrence: to(armcostmanagement.RecurrenceTypeDaily),
			RecurrencePeriod: &armcostmanagement.ExportRecurrencePeriod{From: to(now.Add(startIn).Truncate(time.Second)), To: to(time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC))},
		},
		Format: to(armcostmanagement.FormatType(want[propFormat])), CompressionMode: to(armcostmanagement.CompressionModeType(want[propPack])),
		PartitionData: to(true), DataOverwriteBehavior: to(armcostmanagement.DataOverwriteBehaviorTypeOverwritePreviousReport), ExportDescription: to(description(owner)),
	}}
	if want[propIdentity] == identitySystem { // both or neither
		e.Identity, e.Location = &armcostmanagement.SystemAssignedServiceIdentity{Type: to(armcostmanagement.SystemAssignedServiceIdentityTypeSystemAssigned)}, to("global")
	}
	if before != nil {
		e.ETag = before.ETag
	}
	return e
}

// exportFailure is failure with what is peculiar to ordering an export: the registration that is not known everywhere
// yet, and the access of the export's own identity, which Azure grants on our behalf (clouds.md §3.3 step 6).
func (w *applier) exportFailure(ctx context.Context, err error) error {
	e := outlay.AsError(failure(err, exportCall(actExportWrite, w.n.Scope, "creating "+exportWords(w.c.To[propDataset]))))
	switch {
	case notRegistered(errorText(err)):
		if w.triedLong() {
			return &outlay.Error{
				Code: outlay.CodeInvalid, Outcome: outlay.DefinitelyNot, Err: err, Message: "creating the export: Azure still says that " + exportsProvider + " is not registered in subscription " + w.n.Subscription,
				Fix: "Look at the subscription's resource providers in the Azure portal, register it there again, then try again.",
			}
		}
		e.RetryAfter = max(e.RetryAfter, 3*w.p.opts.Poll)
	case e.Code == outlay.CodeForbidden && lacks(e, actAssignmentsWrite) && w.granted(ctx, actAssignmentsWrite):
		if w.triedLong() {
			e.Fix = "The app's roles allow it, and Azure refuses it all the same. Look for a deny assignment at the storage account, or choose to write without an identity. A role just assigned can take 15 minutes to work."
			return e
		}
		return &outlay.Error{
			Code: outlay.CodeUnavailable, Outcome: outlay.DefinitelyNot, Err: err, RetryAfter: 6 * w.p.opts.Poll,
			Message: "creating the export: Azure does not know everywhere yet that this app may assign roles", Fix: "Nothing to do: a new role takes up to 15 minutes.",
		}
	}
	return e
}

// triedLong tells whether the export was first ordered longer ago than Azure takes to know a registration or a role
// everywhere.
func (w *applier) triedLong() bool {
	since := w.row().IntentAt
	return !since.IsZero() && w.p.opts.Clock.Now().Sub(since) > spreadTime
}

// granted tells whether the credential's roles allow an action on the storage account's group.
func (w *applier) granted(ctx context.Context, action string) bool {
	o := w.observer(w.n)
	entries, err := o.held(ctx, w.n.groupID())
	if err != nil {
		return false
	}
	state, _ := decide(entries, action)
	return state == outlay.PermissionGranted
}

// deleteExport deletes the export that our ledger, its marks and its age say is ours. Its identity loses its access
// first: once the export is gone, nothing tells any more whose access that was. One that is gone is done.
func (w *applier) deleteExport(ctx context.Context) (outlay.Resource, error) {
	gone := outlay.Resource{State: outlay.StateDeleted, ProviderID: exportID(w.n.Scope, w.c.Name)}
	live, found, err := w.p.findExport(ctx, w.ses, w.s, w.n.Scope, w.c.Name)
	if err != nil || !found {
		return gone, err
	}
	if live.resource.State == outlay.StateForeign {
		return outlay.Resource{}, notOurs("export", w.c.Name)
	}
	if why := w.p.mayDelete(w.s, live.resource); why != "" {
		return outlay.Resource{}, kept("export", w.c.Name, why)
	}
	if principal := live.resource.Properties[propPrincipal]; principal != "" {
		if err := w.endAccess(ctx, principal); err != nil {
			return outlay.Resource{}, err
		}
	}
	client, err := w.ses.once().exports()
	if err != nil {
		return outlay.Resource{}, err
	}
	_, err = client.Delete(ctx, w.n.Scope, w.c.Name, nil)
	if !accepted(err) && !isGone(err) {
		return outlay.Resource{}, failure(err, exportCall(actExportDelete, w.n.Scope, "deleting the export"))
	}
	return gone, nil
}

// endAccess deletes the role assignments of the export's identity on our storage account, and no other's. Not being
// allowed to is no reason to keep the export: the assignment then stays behind as 'identity not found'.
func (w *applier) endAccess(ctx context.Context, principal string) error {
	client, err := w.ses.assignments()
	if err != nil {
		return err
	}
	// The SDK sends a filter as it is, so that it is escaped here.
	filter := strings.ReplaceAll(url.QueryEscape("principalId eq '"+strings.ReplaceAll(principal, "'", "")+"'"), "+", "%20")
	pages := client.NewListForResourcePager(w.n.Group, "Microsoft.Storage", "storageAccounts", w.n.Account, assignmentsOf(filter))
	for pages.More() {
		page, err := pages.NextPage(ctx)
		if isGone(err) || isRefusal(failure(err, call{Action: actAssignmentsRead})) {
			return nil
		}
		if err != nil {
			return failure(err, call{Action: actAssignmentsRead, Resource: w.n.accountID(), Doing: "finding the access of the export's own identity"})
		}
		for _, r := range page.Value {
			if r.Properties == nil || !strings.EqualFold(text(r.Properties.PrincipalID), principal) || !strings.EqualFold(strings.Trim(text(r.Properties.Scope), "/"), strings.Trim(w.n.accountID(), "/")) {
				continue // inherited from above, or somebody else's
			}
			_, err := client.Delete(ctx, strings.Trim(w.n.accountID(), "/"), text(r.Name), nil)
			if accepted(err) || isGone(err) || isRefusal(failure(err, call{Action: actAssignmentsDel})) {
				continue
			}
			return failure(err, call{Action: actAssignmentsDel, Resource: w.n.accountID(), Doing: "ending the access of the export's own identity"})
		}
	}
	return nil
}
